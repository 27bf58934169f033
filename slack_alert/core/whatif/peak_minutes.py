"""Find the minute with the most messages of each address, and the jobs that cause them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from slack_alert.core.model.address import Address
from slack_alert.core.policy.overflow import MINUTE
from slack_alert.core.structs import Struct

#: Minutes.
_DAY = 1440
_HOUR, _WEEK = timedelta(hours=1), timedelta(weeks=1)


class PlannedMessage(NamedTuple):
    """A message of the past, or a forecast one."""

    at: datetime
    job: str
    to: Address


class SteadyMessages(NamedTuple):
    """The messages that a job posts to one address every day."""

    job: str
    to: Address
    #: Number of messages in each minute of a day.
    counts: Sequence[int]


class PeakMinute(Struct, frozen=True):
    """The minute with the most messages to one address; the first one of several."""

    to: Address
    since: datetime
    count: int
    #: Jobs and their numbers of messages, the most first.
    jobs: tuple[tuple[str, int], ...]


def peak_minutes(
    said: Iterable[PlannedMessage], steady: Iterable[SteadyMessages] = (), *, since: datetime | None = None
) -> list[PeakMinute]:
    """Return the peak minute of each address, which begins with any message; its end is exclusive.

    `steady` messages begin at `since`.
    """
    by_address: defaultdict[Address, tuple[list[PlannedMessage], list[SteadyMessages]]] = defaultdict(lambda: ([], []))
    for one in said:
        by_address[one.to][0].append(one)
    for each in steady:
        by_address[each.to][1].append(each)
    places = sorted(by_address, key=str)
    return [_peak(to, sorted(by_address[to][0], key=_time_of), by_address[to][1], since) for to in places]


def estimate_steady(said: Sequence[PlannedMessage], until: datetime) -> list[SteadyMessages]:
    """Return the daily messages of one job, estimated from those up to `until`, at the worst if these are few."""
    by_address: defaultdict[Address, Counter[int]] = defaultdict(Counter)
    for one in said:
        by_address[one.to][int(one.at.timestamp()) // 60] += 1
    known = until - min(one.at for one in said)
    return [SteadyMessages(said[0].job, to, _daily_pattern(counts, known)) for to, counts in by_address.items()]


def _daily_pattern(counts: Mapping[int, int], known: timedelta) -> list[int]:
    """Return the number of messages in each minute of a day.

    A known week gives the pattern of a day, an hour that of every hour; otherwise each minute has the worst number.
    """
    if known < _HOUR:
        return [max(counts.values())] * _DAY
    turn = _DAY if known >= _WEEK else 60
    worst = [0] * turn
    for minute, count in counts.items():
        worst[minute % turn] = max(worst[minute % turn], count)
    return worst * (_DAY // turn)


def _time_of(one: PlannedMessage) -> datetime:
    return one.at


def _peak(
    to: Address, said: Sequence[PlannedMessage], steady: Sequence[SteadyMessages], since: datetime | None
) -> PeakMinute:
    beneath = [sum(column) for column in zip(*(each.counts for each in steady), strict=True)] or [0] * _DAY
    at, count, jobs = _worst(said, beneath)
    if max(beneath) > count:
        assert since is not None, "what is steady has begun"
        at = max((since + minute * MINUTE for minute in range(_DAY)), key=lambda at: beneath[_minute(at)])
        count, jobs = max(beneath), Counter()
    jobs.update({each.job: most for each in steady if (most := _steady_count(each.counts, at))})
    return PeakMinute(to, at, count, tuple(sorted(jobs.items(), key=lambda item: (-item[1], item[0]))))


def _worst(said: Sequence[PlannedMessage], beneath: Sequence[int]) -> tuple[datetime, int, Counter[str]]:
    """Return begin, number and jobs of the worst minute that begins with a message, the steady ones included."""
    worst, place, end = 0, (0, 0), 0
    for begin, first in enumerate(said):
        while end < len(said) and said[end].at < first.at + MINUTE:
            end += 1
        count = end - begin + _steady_count(beneath, first.at)
        if count > worst:
            worst, place = count, (begin, end)
    inside = said[slice(*place)]
    return (inside[0].at if inside else _LONG_AGO), worst, Counter(one.job for one in inside)


def _steady_count(counts: Sequence[int], at: datetime) -> int:
    """Return the number of steady messages in the minute that begins at `at`, which may overlap two."""
    minute = _minute(at)
    whole = at.second == 0 and at.microsecond == 0
    return counts[minute] if whole else max(counts[minute], counts[(minute + 1) % _DAY])


def _minute(at: datetime) -> int:
    utc = at.astimezone(timezone.utc)
    return utc.hour * 60 + utc.minute


_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)
