"""How much is said in the worst minute of each address, and by whom."""

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
    """A message, or the forecast of one."""

    at: datetime
    job: str
    to: Address


class SteadyMessages(NamedTuple):
    """What a job says every day, all day long, to one address."""

    job: str
    to: Address
    #: How much of it in each minute of a day.
    counts: Sequence[int]


class PeakMinute(Struct, frozen=True):
    """The minute in which most is said to one address; of several the first."""

    to: Address
    since: datetime
    count: int
    #: Who says how much of it, the loudest first.
    jobs: tuple[tuple[str, int], ...]


def peaks(
    said: Iterable[PlannedMessage], steady: Iterable[SteadyMessages] = (), *, since: datetime | None = None
) -> list[PeakMinute]:
    """Find the worst minute of each address; it may begin with any message, and its end does not belong to it.

    What is said steadily is said `since` then.
    """
    by_address: defaultdict[Address, tuple[list[PlannedMessage], list[SteadyMessages]]] = defaultdict(lambda: ([], []))
    for one in said:
        by_address[one.to][0].append(one)
    for each in steady:
        by_address[each.to][1].append(each)
    places = sorted(by_address, key=str)
    return [_peak(to, sorted(by_address[to][0], key=_moment), by_address[to][1], since) for to in places]


def steady_of(said: Sequence[PlannedMessage], until: datetime) -> list[SteadyMessages]:
    """Take what one job said until then for what it says every day, at the worst where that is not known."""
    by_address: defaultdict[Address, Counter[int]] = defaultdict(Counter)
    for one in said:
        by_address[one.to][int(one.at.timestamp()) // 60] += 1
    known = until - min(one.at for one in said)
    return [SteadyMessages(said[0].job, to, _every_day(counts, known)) for to, counts in by_address.items()]


def _every_day(counts: Mapping[int, int], known: timedelta) -> list[int]:
    """Return what is said in each minute of a day: as in a week, or in an hour, or else at the worst throughout."""
    if known < _HOUR:
        return [max(counts.values())] * _DAY
    turn = _DAY if known >= _WEEK else 60
    worst = [0] * turn
    for minute, count in counts.items():
        worst[minute % turn] = max(worst[minute % turn], count)
    return worst * (_DAY // turn)


def _moment(one: PlannedMessage) -> datetime:
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
    jobs.update({each.job: most for each in steady if (most := _beneath(each.counts, at))})
    return PeakMinute(to, at, count, tuple(sorted(jobs.items(), key=lambda item: (-item[1], item[0]))))


def _worst(said: Sequence[PlannedMessage], beneath: Sequence[int]) -> tuple[datetime, int, Counter[str]]:
    """Find the worst minute that begins with a message, on top of what is said anyway."""
    worst, place, end = 0, (0, 0), 0
    for begin, first in enumerate(said):
        while end < len(said) and said[end].at < first.at + MINUTE:
            end += 1
        count = end - begin + _beneath(beneath, first.at)
        if count > worst:
            worst, place = count, (begin, end)
    inside = said[slice(*place)]
    return (inside[0].at if inside else _LONG_AGO), worst, Counter(one.job for one in inside)


def _beneath(counts: Sequence[int], at: datetime) -> int:
    """Say how much is said anyway in the minute that begins then, which may lie in two."""
    minute = _minute(at)
    whole = at.second == 0 and at.microsecond == 0
    return counts[minute] if whole else max(counts[minute], counts[(minute + 1) % _DAY])


def _minute(at: datetime) -> int:
    utc = at.astimezone(timezone.utc)
    return utc.hour * 60 + utc.minute


_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)
