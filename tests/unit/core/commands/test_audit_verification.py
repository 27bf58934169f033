"""Whoever has the database and not the key changes nothing that is not named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.commands.audit_chain import chained, head_of, sealed_anchor
from slack_alert.core.commands.audit_verification import AuditFault, AuditFaultKind, Verification, verify
from slack_alert.core.model.audit import AuditHead, ChainedEntry
from slack_alert.core.structs import replace
from tests.fakes.audit import AT, CHANGES, KEY, chain, entry

Chain = list[ChainedEntry]
CHANGED, MISSING, SWAPPED = AuditFaultKind.CHANGED, AuditFaultKind.MISSING, AuditFaultKind.SWAPPED
CUT_OFF, REPLACED, ANCHOR = AuditFaultKind.CUT_OFF, AuditFaultKind.REPLACED, AuditFaultKind.ANCHOR
INSERTED = AuditFaultKind.INSERTED


def minute(number: int) -> Any:
    return AT + timedelta(minutes=number)


def found(entries: Chain, head: AuditHead | None = None, key: bytes = KEY) -> list[tuple[str, int, int]]:
    """Return kind and numbers of what is wrong; the head is that of the whole chain of nine."""
    verification = verify(key, None, entries, [head or head_of(chain(9)[-1])])
    return [(fault.kind, fault.first, fault.last) for fault in verification.faults]


def changed(entries: Chain, number: int, **changes: Any) -> Chain:
    one = entries[number - 1]
    assert one.entry is not None
    entries[number - 1] = replace(one, entry=replace(one.entry, **changes))
    return entries


def without(entries: Chain, *numbers: int) -> Chain:
    return [one for one in entries if one.id not in numbers]


def swapped(entries: Chain, first: int, second: int, *, with_hashes: bool = True) -> Chain:
    one, other = entries[first - 1], entries[second - 1]
    hashes = (other.hash, one.hash) if with_hashes else (one.hash, other.hash)
    entries[first - 1] = ChainedEntry(first, other.entry, hashes[0])
    entries[second - 1] = ChainedEntry(second, one.entry, hashes[1])
    return entries


def inserted(entries: Chain, number: int) -> Chain:
    """Insert one with a hash of the intruder's, and number the following ones anew."""
    last = head_of(entries[number - 2]) if number > 1 else None
    new = chained(b"a guess", last, number, entry(number, name="mallory"))
    moved = [replace(one, id=one.id + 1) for one in entries[number - 1 :]]
    return [*entries[: number - 1], new, *moved]


def closed_up(entries: Chain, number: int) -> Chain:
    """Remove one, and number the following ones anew."""
    moved = [replace(one, id=one.id - 1) for one in entries[number:]]
    return [*entries[: number - 1], *moved]


def test_an_untouched_chain_is_whole() -> None:
    assert verify(KEY, None, chain(9)) == Verification(9, head_of(chain(9)[-1]))
    assert found(chain(9)) == []
    assert verify(KEY, None, []) == Verification(0, None)


@pytest.mark.parametrize("number", [1, 5, 9])
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_field_is_named(name: str, number: int) -> None:
    assert found(changed(chain(9), number, **{name: CHANGES[name]})) == [(CHANGED, number, number)]


@pytest.mark.parametrize("number", [1, 5, 9])
def test_a_changed_hash_is_named_and_its_successor_is_not(number: int) -> None:
    entries = chain(9)
    entries[number - 1] = replace(entries[number - 1], hash="f" * 64)

    assert found(entries) == [(CHANGED, number, number)]


@pytest.mark.parametrize("number", [1, 5, 9])
def test_what_is_no_entry_any_more_is_named(number: int) -> None:
    entries = chain(9)
    entries[number - 1] = replace(entries[number - 1], entry=None)

    assert found(entries) == [(CHANGED, number, number)]


@pytest.mark.parametrize(
    ("tamper", "wrong"),
    [
        (lambda c: without(c, 1), [(MISSING, 1, 1)]),
        (lambda c: without(c, 1, 2, 3), [(MISSING, 1, 3)]),
        (lambda c: without(c, 5), [(MISSING, 5, 5)]),
        (lambda c: without(c, 4, 5, 7), [(MISSING, 4, 5), (MISSING, 7, 7)]),
        (lambda c: without(c, 9), [(CUT_OFF, 9, 9)]),
        (lambda c: without(c, 7, 8, 9), [(CUT_OFF, 7, 9)]),
        (lambda c: without(c, 2, 9), [(MISSING, 2, 2), (CUT_OFF, 9, 9)]),
        (lambda _: [], [(CUT_OFF, 1, 9)]),
        (lambda c: swapped(c, 1, 2), [(SWAPPED, 1, 2)]),
        (lambda c: swapped(c, 4, 5), [(SWAPPED, 4, 5)]),
        (lambda c: swapped(c, 8, 9), [(SWAPPED, 8, 9)]),
        (lambda c: swapped(c, 2, 8), [(SWAPPED, 2, 8)]),
        (lambda c: swapped(c, 4, 5, with_hashes=False), [(SWAPPED, 4, 5)]),
        (lambda c: swapped(c, 1, 9, with_hashes=False), [(SWAPPED, 1, 9)]),
        (lambda c: swapped(swapped(c, 1, 2), 5, 6), [(SWAPPED, 1, 2), (SWAPPED, 5, 6)]),
        (lambda c: changed(without(c, 3), 6, name="bob"), [(MISSING, 3, 3), (CHANGED, 7, 7)]),
        (lambda c: changed(changed(c, 3, name="bob"), 4, name="bob"), [(CHANGED, 3, 4)]),
        (lambda c: changed(changed(c, 3, name="bob"), 6, name="bob"), [(CHANGED, 3, 3), (CHANGED, 6, 6)]),
        (lambda c: [*c, chained(b"a guess", head_of(c[-1]), 10, entry(10))], [(CHANGED, 10, 10)]),
        (lambda c: [*c, replace(c[-1], id=10)], [(CHANGED, 10, 10)]),
        (lambda c: inserted(c, 1), [(INSERTED, 1, 1)]),
        (lambda c: inserted(c, 5), [(INSERTED, 5, 5)]),
        (lambda c: inserted(inserted(c, 3), 5), [(INSERTED, 3, 3), (INSERTED, 5, 5)]),
        (lambda c: without(inserted(c, 3), 8), [(INSERTED, 3, 3), (MISSING, 8, 8)]),
        (lambda c: closed_up(c, 1), [(CHANGED, 1, 8), (CUT_OFF, 9, 9)]),
        (lambda c: closed_up(c, 5), [(CHANGED, 5, 8), (CUT_OFF, 9, 9)]),
        (lambda _: chain(9, b"another key"), [(CHANGED, 1, 9)]),
        (lambda c: [*c[:5], *chain(9, b"another key")[5:]], [(CHANGED, 6, 9)]),
    ],
)
def test_what_was_done_to_it_is_named(tamper: Callable[[Chain], Chain], wrong: list[tuple[str, int, int]]) -> None:
    assert found(tamper(chain(9))) == wrong


def test_a_cut_off_end_is_known_to_the_head_alone() -> None:
    assert verify(KEY, None, chain(9)[:5]).faults == ()
    assert verify(KEY, None, chain(9)[:5], [head_of(chain(9)[4])]).faults == ()
    assert verify(KEY, None, chain(9)[:5], [head_of(chain(9)[4]), head_of(chain(9)[7])]).faults[0].last == 8


def test_a_head_that_lags_is_no_fault() -> None:
    """A kill may come between the commit and keeping the head."""
    assert found(chain(9), head_of(chain(9)[6])) == []


def test_one_who_has_the_key_is_told_by_the_head() -> None:
    last = head_of(chain(8)[-1])
    forged = [*chain(8), chained(KEY, last, 9, entry(9, name="bob"))]

    assert found(forged) == [(REPLACED, 9, 9)]
    assert found(forged, AuditHead(9, chain(9)[-1].hash[:16])) == [(REPLACED, 9, 9)]
    assert found(chain(9), AuditHead(9, chain(9)[-1].hash[:16])) == []


def test_with_another_key_it_says_so() -> None:
    assert verify(b"another key", None, chain(9)).is_other_key
    assert not verify(KEY, None, changed(chain(9), 1, name="bob")).is_other_key


# --- after pruning


def pruned(number: int) -> tuple[Any, Chain]:
    entries = chain(9)
    return sealed_anchor(KEY, number, entries[number - 1].hash, minute(number)), entries[number:]


@pytest.mark.parametrize("number", [1, 5, 9])
def test_what_remains_after_pruning_is_whole(number: int) -> None:
    anchor, entries = pruned(number)

    assert verify(KEY, anchor, entries, [head_of(chain(9)[-1])]).faults == ()


def test_an_entry_that_is_missing_after_pruning_is_named() -> None:
    anchor, entries = pruned(5)

    (fault,) = verify(KEY, anchor, entries[1:]).faults
    assert fault == AuditFault(MISSING, 6, 6, minute(5), minute(7))


@pytest.mark.parametrize("name", ["id", "hash", "at", "seal"])
def test_a_changed_anchor_is_named(name: str) -> None:
    """Else whoever deletes the first entries could say that they were pruned."""
    anchor, entries = pruned(5)
    anchor = replace(anchor, **{name: {"id": 4, "hash": "f" * 64, "at": AT, "seal": "f" * 64}[name]})

    assert verify(KEY, anchor, entries).faults[0].kind is ANCHOR


def test_a_made_up_anchor_hides_no_deletion() -> None:
    entries = chain(9)
    forged = sealed_anchor(b"a guess", 5, entries[4].hash, minute(5))

    assert [(fault.kind, fault.last) for fault in verify(KEY, forged, entries[5:]).faults] == [(ANCHOR, 5)]


# --- how it is told


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (changed(chain(9), 5, name="bob"), "Entry 5 of 2026-11-21 10:35:00 is not as it was written."),
        (inserted(chain(9), 5), "Entry 5 of 2026-11-21 10:35:00 was inserted."),
        (
            closed_up(chain(10), 5),
            "Entries 5 to 9, from 2026-11-21 10:36:00 to 2026-11-21 10:40:00, are not as they were written.",
        ),
        (without(chain(9), 5), "Entry 5 is missing, between 2026-11-21 10:34:00 and 2026-11-21 10:36:00."),
        (without(chain(9), 1, 2), "Entries 1 to 2 are missing, before 2026-11-21 10:33:00."),
        (chain(9)[:7], "Entries 8 to 9 are missing at the end, where the last one was of 2026-11-21 10:39:00."),
        (
            swapped(chain(9), 4, 5),
            "Entries 4 and 5, of 2026-11-21 10:35:00 and 2026-11-21 10:34:00, have changed places.",
        ),
        (
            [*chain(8), chained(KEY, head_of(chain(8)[-1]), 9, entry(9, name="bob"))],
            "Entry 9 of 2026-11-21 10:39:00 is another one than was remembered outside of the database.",
        ),
    ],
)
def test_a_fault_is_told_with_number_and_time(entries: Chain, told: str) -> None:
    (fault,) = verify(KEY, None, entries, [head_of(chain(9)[-1])]).faults

    assert fault.describe(ZoneInfo("Europe/Berlin")) == told


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)))
def test_no_other_order_and_no_part_is_whole(order: list[int], left_out: set[int]) -> None:
    entries = chain(6)
    chosen = [entries[place] for place in order if place not in left_out]
    shuffled = [replace(one, id=number) for number, one in enumerate(chosen, 1)]

    assert bool(verify(KEY, None, shuffled, [head_of(entries[-1])]).faults) == (shuffled != entries)
