"""Walk the chain of the audit, and name what was changed, removed, inserted or moved since it was written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from enum import Enum
from itertools import islice

from slack_alert.core.commands.audit_chain import GENESIS, chain_hash, is_sealed
from slack_alert.core.model.audit import AuditAnchor, AuditHead, ChainedEntry
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.humanize import format_stamp, plural

#: The number of following entries among which one is looked for that has changed places with another.
_NEAR = 32
#: Once so many entries were changed, they are not compared with each other any more.
_MANY = 100


class AuditFaultKind(str, Enum):
    """What is wrong in the chain; the values are what `audit --verify --json` says."""

    #: An entry is not as it was written, or was written by somebody else.
    CHANGED = "changed"
    MISSING = "missing"
    #: One stands between two others that was not written there; those after it were numbered anew.
    INSERTED = "inserted"
    #: Two entries have changed places.
    SWAPPED = "swapped"
    #: The last entries are gone.
    CUT_OFF = "cut off"
    #: The entry fits the chain, but a head that was kept elsewhere has another one with this number.
    REPLACED = "replaced"
    #: Where the chain begins after pruning was made up.
    ANCHOR = "anchor"

    def __str__(self) -> str:
        """Return the word users see."""
        return self.value


class AuditFault(Struct, frozen=True):
    """A fault in the chain."""

    kind: AuditFaultKind
    #: The numbers of the first and the last entry that it concerns; the two of those that have changed places.
    first: int
    last: int
    #: The times of these entries; of missing ones, those of the entries before and after them.
    at: datetime | None = None
    until: datetime | None = None

    def describe(self, zone: tzinfo) -> str:
        """Return the fault as a sentence."""
        at, until = (format_stamp(one, zone) if one else "" for one in (self.at, self.until))
        entries = _entries(self.first, self.last)
        is_are = plural(self.last - self.first + 1, "is", "are")
        if self.kind is AuditFaultKind.MISSING:
            where = f"between {at} and {until}" if at and until else f"before {until}" if until else f"after {at}"
            return f"{entries} {is_are} missing, {where}."
        if self.kind is AuditFaultKind.CUT_OFF:
            return f"{entries} {is_are} missing at the end{f', where the last one was of {until}' if until else ''}."
        if self.kind is AuditFaultKind.INSERTED:
            return f"{entries} of {at} was inserted."
        if self.kind is AuditFaultKind.SWAPPED:
            return f"Entries {self.first} and {self.last}, of {at} and {until}, have changed places."
        if self.kind is AuditFaultKind.REPLACED:
            return f"{entries} of {at} is another one than was remembered outside of the database."
        if self.kind is AuditFaultKind.ANCHOR:
            return f"What says that the entries up to {self.last} were pruned is not as it was written."
        span = f" of {at}" if self.first == self.last else f", from {at} to {until},"
        was = plural(self.last - self.first + 1, "it was", "they were")
        return f"{entries}{span if at else ''} {is_are} not as {was} written."


class Verification(Struct, frozen=True):
    """What a walk along the chain has found."""

    #: The number of entries, and the last one.
    count: int
    head: AuditHead | None
    faults: tuple[AuditFault, ...] = ()
    #: Whether there are entries and none fits the key, which is most likely another one.
    is_other_key: bool = False


def verify(
    key: bytes,
    anchor: AuditAnchor | None,
    entries: Iterable[ChainedEntry],
    heads: Sequence[AuditHead] = (),
) -> Verification:
    """Verify the chain against the key, and against heads that were remembered outside of the database."""
    walk = _Walk(key, heads)
    walk.begin(anchor)
    window = _Window(entries)
    for one in window:
        walk.step(one, window)
    return walk.result()


class _Window:
    """Yields entries, and shows the next ones."""

    def __init__(self, entries: Iterable[ChainedEntry]) -> None:
        self._entries = iter(entries)
        self.near: deque[ChainedEntry] = deque(islice(self._entries, _NEAR))

    def __iter__(self) -> Iterator[ChainedEntry]:
        while self.near:
            one = self.near.popleft()
            self.near.extend(islice(self._entries, 1))
            yield one


class _Walk:
    """The state of a walk."""

    def __init__(self, key: bytes, heads: Iterable[AuditHead]) -> None:
        self._key = key
        self._heads = sorted(heads, key=lambda head: head.id)
        self._faults: list[AuditFault] = []
        #: The hashes that may be the one before the next entry; None: it is not known.
        self._previous: tuple[str, ...] | None = (GENESIS,)
        self._next = 1
        #: How many were inserted so far: by so much the numbers of what follows are too great.
        self._shift = 0
        self._last: AuditHead | None = None
        self._count = self._fitting = self._failing = 0

    def begin(self, anchor: AuditAnchor | None) -> None:
        """Begin at the anchor; a made-up one is a fault, and as good as none."""
        if anchor is None:
            return
        if is_sealed(self._key, anchor):
            self._fitting += 1
        else:
            self._failing += 1
            self._faults.append(AuditFault(AuditFaultKind.ANCHOR, 1, anchor.id))
        self._previous, self._next = (anchor.hash,), anchor.id + 1
        self._last = AuditHead(anchor.id, anchor.hash, anchor.at)
        self._compare_heads(self._last)

    def step(self, one: ChainedEntry, window: _Window) -> None:
        """Look at the next entry."""
        self._count += 1
        number, at = one.id - self._shift, one.entry.at if one.entry is not None else None
        if number != self._next:
            before = self._last.at if self._last is not None else None
            first = self._next + self._shift
            self._faults.append(AuditFault(AuditFaultKind.MISSING, first, one.id - 1, before, at))
            self._previous = None
        digest = self._digest(one, window)
        if digest is None:
            self._shift += 1
            self._faults.append(AuditFault(AuditFaultKind.INSERTED, one.id, one.id, at, at))
            return
        self._next = number + 1
        self._last = AuditHead(number, digest, at)
        self._compare_heads(self._last)

    def result(self) -> Verification:
        """Return what was found, with what is missing at the end."""
        last = self._last.id if self._last is not None else 0
        gone = [head for head in self._heads if head.id > last]
        if gone:
            at = self._last.at if self._last is not None else None
            self._faults.append(AuditFault(AuditFaultKind.CUT_OFF, last + 1, gone[-1].id, at, gone[-1].at))
        is_other_key = not self._fitting and self._failing > 1
        return Verification(self._count, self._last, tuple(_merged(self._faults)), is_other_key)

    def _digest(self, one: ChainedEntry, window: _Window) -> str | None:
        """Return the hash of an entry as it was written, as far as that is known; note what is wrong with it.

        None: it was inserted.
        """
        if self._previous is None:  # After a gap; its successor shows whether its hash was changed.
            self._previous = (one.hash,)
            return one.hash
        computed = [self._hash(before, one) for before in self._previous]
        if one.hash in computed:
            self._fitting += 1
            self._previous = (one.hash,)
            return one.hash
        if self._failing < _MANY:
            if (digest := self._exchanged(one, window.near)) is not None:
                self._previous = (digest,)
                return digest
            if self._is_inserted(one, window.near):
                return None
        self._failing += 1
        at = one.entry.at if one.entry is not None else None
        self._faults.append(AuditFault(AuditFaultKind.CHANGED, one.id, one.id, at, at))
        # Only the hash may have been changed, and then its successor was written after the right one.
        self._previous = tuple(dict.fromkeys([one.hash, *computed]))
        return one.hash

    def _exchanged(self, one: ChainedEntry, near: deque[ChainedEntry]) -> str | None:
        """Put an entry and another one back that have changed places, with their hashes or without them."""
        for place, other in enumerate(near):
            moved = replace(one, entry=other.entry)
            digests = [self._hash(before, moved) for before in self._previous or ()]
            for digest, left in ((other.hash, one.hash), (one.hash, other.hash)):
                back = ChainedEntry(other.id, one.entry, left)
                if digest in digests and self._hash(near[place - 1].hash if place else digest, back) == left:
                    near[place] = back
                    times = [each.entry.at if each.entry is not None else None for each in (one, other)]
                    self._faults.append(AuditFault(AuditFaultKind.SWAPPED, one.id, other.id, *times))
                    self._fitting += 1
                    return digest
        return None

    def _is_inserted(self, one: ChainedEntry, near: deque[ChainedEntry]) -> bool:
        """Return whether the next one fits in its place."""
        if not near:
            return False
        following = replace(near[0], id=one.id)
        return following.hash in [self._hash(before, following) for before in self._previous or ()]

    def _hash(self, previous: str, one: ChainedEntry) -> str:
        return chain_hash(self._key, previous, one.id - self._shift, one.entry) if one.entry is not None else ""

    def _compare_heads(self, last: AuditHead) -> None:
        for head in self._heads:
            is_other = head.id == last.id and not last.hash.startswith(head.hash)
            if is_other and not any(fault.first <= head.id <= fault.last for fault in self._faults):
                self._faults.append(AuditFault(AuditFaultKind.REPLACED, last.id, last.id, last.at, last.at))


def _merged(faults: Iterable[AuditFault]) -> Iterator[AuditFault]:
    """Yield the faults, with those of changed entries that follow each other as one."""
    before: AuditFault | None = None
    for fault in faults:
        if before is not None and _is_continued(before, fault):
            before = replace(before, last=fault.last, until=fault.until)
            continue
        if before is not None:
            yield before
        before = fault
    if before is not None:
        yield before


def _is_continued(before: AuditFault, fault: AuditFault) -> bool:
    return before.kind is fault.kind is AuditFaultKind.CHANGED and fault.first == before.last + 1


def _entries(first: int, last: int) -> str:
    return f"Entry {first}" if first == last else f"Entries {first} to {last}"
