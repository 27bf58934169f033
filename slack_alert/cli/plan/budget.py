"""Find the busiest minute of every channel, for `simulate` and `check --budget`."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timezone, tzinfo
from math import inf, isfinite
from typing import TYPE_CHECKING

from slack_alert.core.content.markup import Markup
from slack_alert.core.policy.overflow import capacity
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import counted, format_stamp
from slack_alert.core.units.local_time import DAY, first_instant, wall_of
from slack_alert.core.whatif.peak_minutes import PeakMinute, PlannedMessage, peak_minutes
from slack_alert.engine.simulation.forecast import forecast
from slack_alert.operations.as_json import instant

if TYPE_CHECKING:
    from slack_alert.core.catalog import Catalog
    from slack_alert.settings import Settings

#: The number of jobs named in a sentence; the others are counted.
_NAMED = 5
_ADVICE = "Let them run at other minutes (jitter, another cron), speak elsewhere (to) or less (max_alert, repeat)."


class Budget(Struct, frozen=True):
    """The busiest minutes of a plan, and the rate limit."""

    peaks: list[PeakMinute]
    #: Messages per minute and address; infinite where nothing is paced.
    allowed: float
    zone: tzinfo

    @property
    def is_over(self) -> bool:
        """Whether an address may get more messages than the limit."""
        return any(map(self._is_over, self.peaks))

    def json(self) -> dict[str, object]:
        """Return the fields that `--budget` adds to `check --json`."""
        return {"budget": [self._json(peak) for peak in self.peaks]}

    def over_lines(self) -> list[str]:
        """Return a sentence for every channel over the limit: when, how many messages, from which jobs, and advice."""
        return [f"{self._over(peak)} {_ADVICE}" for peak in self.peaks if self._is_over(peak)]

    def other_lines(self) -> list[str]:
        """Return a sentence for every other channel about its busiest minute."""
        return [_worst(peak, self.allowed, self.zone) for peak in self.peaks if not self._is_over(peak)]

    def _is_over(self, peak: PeakMinute) -> bool:
        return peak.count > _limit(peak, self.allowed)

    def _json(self, peak: PeakMinute) -> dict[str, object]:
        allowed = _limit(peak, self.allowed)
        return {
            "to": peak.to.shown,
            "at": instant(peak.since, self.zone),
            "messages": peak.count,
            "allowed": int(allowed) if isfinite(allowed) else None,
            "jobs": dict(peak.jobs),
        }

    def _over(self, peak: PeakMinute) -> str:
        what = f"{counted(peak.count, 'message')} in the minute from {format_stamp(peak.since, self.zone)}"
        return f"{peak.to.shown}: {what}, and {self.allowed:,.0f} can be said: {_named(peak)}."


def make_budget(settings: Settings, catalog: Catalog) -> Budget:
    """Return the busiest minutes from the next midnight on if every slot alerts; nothing is executed."""
    from slack_alert.bootstrap import current_mutes

    mark, mute = Markup(secrets.token_hex(4)), current_mutes.make_mutes(settings).reason
    seen = forecast(catalog, _midnight(settings.timezone), mark=mark, mute=mute)
    return Budget(peak_minutes(seen.said, seen.steady, since=seen.since), _allowed(settings), settings.timezone)


def worst_minutes(said: Iterable[PlannedMessage], settings: Settings) -> list[str]:
    """Return a sentence for every channel about its busiest minute and the limit."""
    return [_worst(peak, _allowed(settings), settings.timezone) for peak in peak_minutes(said)]


def _worst(peak: PeakMinute, allowed: float, zone: tzinfo) -> str:
    allowed, to = _limit(peak, allowed), peak.to.shown if peak.to.conversation else "the terminal"
    what = f"Worst minute of {to}: {counted(peak.count, 'message')} from {format_stamp(peak.since, zone)}"
    if not isfinite(allowed):
        return f"{what}; any number can be said." if peak.to.conversation else f"{what}."
    if peak.count > allowed:
        return f"{what}; {allowed:,.0f} can be said, the rest would be counted in one message: {_named(peak)}."
    return f"{what}; {allowed:,.0f} can be said."


def _limit(peak: PeakMinute, allowed: float) -> float:
    """Return the limit of an address; a conversation shown on the terminal for lack of a token counts as Slack's."""
    return allowed if peak.to.conversation else inf


def _named(peak: PeakMinute) -> str:
    parts = [f"{name} {count:,}" for name, count in peak.jobs[:_NAMED]]
    if rest := peak.jobs[_NAMED:]:
        parts.append(f"{counted(len(rest), 'more job')} {sum(count for _, count in rest):,}")
    return ", ".join(parts)


def _allowed(settings: Settings) -> float:
    return capacity(settings.messages_per_second, settings.burst)


def _midnight(zone: tzinfo) -> datetime:
    """Return the next midnight: intervals from there coincide with fixed times, as they may on some day."""
    today = wall_of(datetime.now(timezone.utc), zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return first_instant(today + DAY, zone)
