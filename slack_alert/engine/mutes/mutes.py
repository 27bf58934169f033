"""The jobs that are muted, and why: by people, or by the configured quiet windows."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.policy.mutes import EVERY, Mute, active_mute, merge_adjoining, mute_reason
from slack_alert.core.policy.quiet_windows import QuietWindow, window_reason
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.payload_fields import field, instant, parse_instant

log = logging.getLogger(__name__)

#: Among the packs of the key-value store; no folder of plugins begins with a dot.
PACK = ".quiet"
#: How long after its end a mute is kept for its digest, where the program was down meanwhile.
_MEMORY = timedelta(days=30)
_MUTE, _MARK = "mute/", "window/"


class Mutes:
    """Holds mutes and quiet windows; read on any thread, changed on a single one."""

    def __init__(
        self, entries: Iterable[StoredValue] = (), *, windows: Sequence[QuietWindow] = (), zone: tzinfo
    ) -> None:
        self.windows = tuple(windows)
        self.zone = zone
        #: By job, oldest first.
        self._mutes: dict[str, tuple[Mute, ...]] = {}
        #: Until when the digests of a window were posted, by its name.
        self._progress: dict[str, datetime] = {}
        for entry in entries:
            if entry.pack == PACK:
                self.accept(entry)

    def reason(self, job: str, slot: datetime) -> str:
        """Return why a job is muted at a slot; empty: it is not."""
        if self._mutes and (mute := self._mute(job, slot)) is not None:
            return mute_reason(mute, self.zone, slot)
        window = next((window for window in self.windows if window.contains(slot)), None)
        return window_reason(window, slot) if window is not None else ""

    def until(self, job: str, now: datetime) -> datetime | None:
        """Return until when a job is muted; None: it is not, or there is no end."""
        mutes = (self._holding(name, now) for name in (job, EVERY))
        ends = [mute.until for mute in mutes if mute is not None]
        changes = (window.next_change(now) for window in self.windows if window.contains(now))
        return max([*ends, *(end for end in changes if end is not None)], default=None)

    def muted(self, now: datetime) -> list[Mute]:
        """Return the mutes in force."""
        return [mute for job in sorted(self._mutes) if (mute := self._holding(job, now)) is not None]

    def ended(self, now: datetime) -> list[Mute]:
        """Return the mutes that are over; a mute that was renewed is returned as one."""
        joined = (mute for mutes in list(self._mutes.values()) for mute in merge_adjoining(mutes))
        return [mute for mute in joined if mute.until <= now]

    def digested_until(self) -> dict[str, datetime]:
        """Return until when the digests of windows were posted, by their names."""
        return dict(self._progress)

    def accept(self, entry: StoredValue) -> None:
        """Apply an entry of the store; an unreadable entry is logged and ignored."""
        try:
            if entry.key.startswith(_MARK):
                self._accept_mark(entry.key.removeprefix(_MARK), entry.value)
            elif entry.value is not None:
                self._accept_mute(_read(entry.value))
            else:
                job, _, since = entry.key.removeprefix(_MUTE).rpartition("/")
                self._forget(job, parse_instant(since))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            log.warning("a mute cannot be read", extra={"key": entry.key, "reason": repr(error)})

    def deletions(self, mute: Mute) -> list[StoredValue]:
        """Return the deletions of the stored entries of a mute that is over."""
        said = self._mutes.get(mute.job, ())
        return [StoredValue(PACK, _key(each), None) for each in said if mute.since <= each.since <= mute.until]

    def _mute(self, job: str, slot: datetime) -> Mute | None:
        """Return the mute in force for a job: its own before that of all jobs."""
        return self._holding(job, slot) or self._holding(EVERY, slot)

    def _holding(self, job: str, instant: datetime) -> Mute | None:
        return active_mute(self._mutes.get(job, ()), instant)

    def _accept_mark(self, name: str, value: str | None) -> None:
        if value is None:
            self._progress.pop(name, None)
        else:
            self._progress[name] = parse_instant(json.loads(value))

    def _accept_mute(self, mute: Mute) -> None:
        self._forget(mute.job, mute.since)
        mutes = [*self._mutes.get(mute.job, ()), mute]
        self._mutes[mute.job] = tuple(sorted(mutes, key=lambda each: each.since))

    def _forget(self, job: str, since: datetime) -> None:
        kept = tuple(mute for mute in self._mutes.get(job, ()) if mute.since != since)
        if kept:
            self._mutes[job] = kept
        else:
            self._mutes.pop(job, None)


def mute_entry(mute: Mute) -> StoredValue:
    """Return the stored entry of a mute."""
    fields = {"job": mute.job, "since": mute.since.isoformat(), "until": mute.until.isoformat(), "by": mute.by}
    return StoredValue(PACK, _key(mute), json.dumps(fields), mute.until + _MEMORY)


def mark_entry(window: str, told: datetime | None) -> StoredValue:
    """Return the stored entry of the end of a window's last digest; None: the window does not exist any more."""
    return StoredValue(PACK, f"{_MARK}{window}", json.dumps(told.isoformat()) if told is not None else None)


def _key(mute: Mute) -> str:
    return f"{_MUTE}{mute.job}/{mute.since.isoformat()}"


def _read(value: str) -> Mute:
    said = json.loads(value)
    return Mute(field(said, "job", str), instant(said, "since"), instant(said, "until"), field(said, "by", str))
