"""The jobs that are muted, and why: by people, or by the configured quiet windows."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from slack_alert.core.model.reason import Reason
from slack_alert.core.policy.mutes import EVERY, Mute, active_mute, merge_adjoining, mute_reason
from slack_alert.core.policy.quiet_windows import QuietWindow, window_reason
from slack_alert.core.structs import from_plain
from slack_alert.core.units.local_time import checked_instant
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.requests.apply import MUTES_PACK, WINDOWS_PACK, mute_key

log = logging.getLogger(__name__)


class Mutes:
    """Holds mutes and quiet windows; read on any thread, changed on a single one."""

    def __init__(
        self, entries: Iterable[StoredValue] = (), *, windows: Sequence[QuietWindow] = (), zone: tzinfo
    ) -> None:
        self.windows = tuple(windows)
        self.zone = zone
        #: By job, oldest first.
        self._mutes: dict[str, tuple[Mute, ...]] = {}
        #: The same by the keys of their entries.
        self._stored: dict[str, Mute] = {}
        #: Until when the digests of a window were posted, by its name.
        self._progress: dict[str, datetime] = {}
        for entry in entries:
            if entry.pack in (MUTES_PACK, WINDOWS_PACK):
                self.accept(entry)

    def reason(self, job: str, slot: datetime) -> Reason | None:
        """Return why a job is muted at a slot; None: it is not."""
        if self._mutes and (mute := self._mute(job, slot)) is not None:
            return mute_reason(mute)
        window = next((window for window in self.windows if window.contains(slot)), None)
        return window_reason(window, slot) if window is not None else None

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
            if entry.pack == WINDOWS_PACK:
                self._accept_mark(entry.key, entry.value)
            elif entry.value is not None:
                self._accept_mute(entry.key, _read(entry.value))
            else:
                self._forget(entry.key)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            log.warning("a mute cannot be read", extra={"key": entry.key, "reason": repr(error)})

    def deletions(self, mute: Mute) -> list[StoredValue]:
        """Return the deletions of the stored entries of a mute that is over."""
        said = self._mutes.get(mute.job, ())
        return [
            StoredValue(MUTES_PACK, mute_key(each), None) for each in said if mute.since <= each.since <= mute.until
        ]

    def _mute(self, job: str, slot: datetime) -> Mute | None:
        """Return the mute in force for a job: its own before that of all jobs."""
        return self._holding(job, slot) or self._holding(EVERY, slot)

    def _holding(self, job: str, instant: datetime) -> Mute | None:
        return active_mute(self._mutes.get(job, ()), instant)

    def _accept_mark(self, name: str, value: str | None) -> None:
        if value is None:
            self._progress.pop(name, None)
        else:
            self._progress[name] = _instant(json.loads(value))

    def _accept_mute(self, key: str, mute: Mute) -> None:
        self._forget(key)
        self._stored[key] = mute
        mutes = [*self._mutes.get(mute.job, ()), mute]
        self._mutes[mute.job] = tuple(sorted(mutes, key=lambda each: each.since))

    def _forget(self, key: str) -> None:
        if (gone := self._stored.pop(key, None)) is None:
            return
        kept = tuple(mute for mute in self._mutes[gone.job] if mute is not gone)
        if kept:
            self._mutes[gone.job] = kept
        else:
            del self._mutes[gone.job]


def mark_entry(window: str, told: datetime | None) -> StoredValue:
    """Return the stored entry of the end of a window's last digest; None: the window does not exist any more."""
    return StoredValue(WINDOWS_PACK, window, json.dumps(told.isoformat()) if told is not None else None)


def _instant(text: str) -> datetime:
    return checked_instant(datetime.fromisoformat(text))


def _read(value: str) -> Mute:
    mute = from_plain(json.loads(value), Mute)
    checked_instant(mute.since)
    checked_instant(mute.until)
    return mute
