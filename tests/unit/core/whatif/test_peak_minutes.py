"""The peak minute of each address: exact for occasional messages, the worst case for steady ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.catalog import Catalog
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import Result, Run
from slack_alert.core.policy.incidents import Repeat, RepeatPolicy
from slack_alert.core.structs import replace
from slack_alert.core.whatif.peak_minutes import PlannedMessage, SteadyMessages, estimate_steady, peak_minutes
from slack_alert.engine.ports import RunHost
from slack_alert.engine.simulation.doubles import ScriptedExecutor
from slack_alert.engine.simulation.forecast import forecast
from tests.fakes.engine_rig import MARK, at, make_job, make_policy
from tests.fakes.reasons import MAINTENANCE

OPS, DEV = Address("slack", "#ops"), Address("slack", "#dev")
NOON = at("16 12:00")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def said(*seconds: float, job: str = "a", to: Address = OPS) -> list[PlannedMessage]:
    return [PlannedMessage(NOON + second * SECOND, job, to) for second in seconds]


def every_minute(job: str, count: int, *, but: Mapping[int, int] = {}, to: Address = OPS) -> SteadyMessages:
    return SteadyMessages(job, to, [but.get(minute, count) for minute in range(1440)])


class TestPeaks:
    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            ([0], (0, 1)),
            ([0, 59.9], (0, 2)),
            ([0, 60], (0, 1)),
            ([0, 50, 70, 100], (50, 3)),
            ([0, 0, 500, 501], (0, 2)),
            ([70, 0, 50], (0, 2)),
        ],
        ids=["one", "within a minute", "its end is the next one", "it may begin anywhere", "the first", "any order"],
    )
    def test_finds_the_worst_minute(self, seconds: list[float], expected: tuple[float, int]) -> None:
        (peak,) = peak_minutes(said(*seconds))

        assert (peak.since, peak.count) == (NOON + expected[0] * SECOND, expected[1])

    def test_each_address_has_its_own_and_names_who_speaks(self) -> None:
        found = peak_minutes([*said(0, 1, job="b"), *said(0, 2, 3, job="c"), *said(1, job="a"), *said(0, to=DEV)])

        assert [(peak.to, peak.count, peak.jobs) for peak in found] == [
            (DEV, 1, (("a", 1),)),
            (OPS, 6, (("c", 3), ("b", 2), ("a", 1))),
        ]

    def test_nothing_said_is_no_peak(self) -> None:
        assert peak_minutes([]) == []

    def test_what_is_steady_comes_on_top(self) -> None:
        (peak,) = peak_minutes([*said(0, 1), *said(600, job="b")], [every_minute("s", 5, but={11 * 60: 7})], since=NOON)

        assert (peak.since, peak.count, peak.jobs) == (NOON, 9, (("s", 7), ("a", 2)))

    def test_what_is_steady_alone_may_be_the_worst(self) -> None:
        steady = [every_minute("s", 0, but={12 * 60: 9}), every_minute("t", 1)]
        (peak,) = peak_minutes(said(0, 1), steady, since=NOON)

        assert (peak.since, peak.count, peak.jobs) == (NOON + HOUR, 10, (("s", 9), ("t", 1)))

    @given(st.lists(st.integers(0, 300), min_size=1, max_size=40))
    def test_is_what_counting_every_minute_would_give(self, seconds: list[int]) -> None:
        (peak,) = peak_minutes(said(*seconds))

        assert peak.count == max(sum(begin <= second < begin + 60 for second in seconds) for begin in range(301))


class TestSteady:
    """Noon in Berlin is minute 11 * 60 in UTC."""

    def test_after_a_week_every_minute_of_a_day_counts_as_its_worst(self) -> None:
        (steady,) = estimate_steady(said(0, 1, 86_400, 86_401, 86_402, 90), NOON + timedelta(weeks=1))

        assert steady.counts[11 * 60 : 11 * 60 + 3] == [3, 1, 0]
        assert sum(steady.counts) == 4

    def test_before_that_one_hour_is_like_another(self) -> None:
        """A job that posts on weekdays from nine on was observed for one such morning only."""
        (steady,) = estimate_steady(said(0, 1, 90), NOON + HOUR)

        assert steady.counts == [2, 1, *[0] * 58] * 24

    def test_what_was_heard_for_less_is_always_at_its_worst(self) -> None:
        (steady,) = estimate_steady(said(0, 1, 90), NOON + HOUR - SECOND)

        assert steady.counts == [2] * 1440

    def test_each_address_gets_what_is_said_there(self) -> None:
        found = estimate_steady([*said(0, 1), *said(60, to=DEV)], NOON + HOUR)

        assert [(one.job, one.to, sum(one.counts)) for one in found] == [("a", OPS, 48), ("a", DEV, 24)]


class TestForecast:
    def worst(self, *jobs: Mapping[str, object], since: datetime = NOON, max_alert: int = 3) -> tuple[datetime, int]:
        policy = make_policy("9:00-18:00", max_alert=max_alert)
        catalog = Catalog(tuple(make_job(f"j{n}", every=every, policy=policy) for n, every in enumerate(jobs)))
        seen = forecast(catalog, since, mark=MARK)
        (peak,) = peak_minutes(seen.said, seen.steady, since=seen.since)
        return peak.since, peak.count

    def test_looks_as_far_as_the_turn_of_a_month(self) -> None:
        assert self.worst(*[{"cron": "0 9 1 * *"}] * 30) == (at("16 09:00") + timedelta(days=15), 30)

    def test_hours_hold(self) -> None:
        assert self.worst({"cron": "0 3 * * *"}, {"cron": "0 10 * * *"}, {"hours": 1}) == (at("17 10:00"), 2)

    def test_the_quota_holds(self) -> None:
        assert self.worst({"seconds": 1}) == (NOON, 3)

    def test_without_one_a_minute_is_full(self) -> None:
        assert self.worst({"seconds": 1}, max_alert=0)[1] == 60

    def test_what_begins_on_a_weekday_is_seen_beside_what_comes_later_that_day(self) -> None:
        job = {"minutes": 1, "start": "2026-11-16T09:00"}

        assert self.worst(job, {"cron": "45 17 * * fri"}, since=at("21 00:00"), max_alert=0)[1] == 2

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("repeat_policy", "every", "expected"),
        [
            (RepeatPolicy(recovers=True), {"seconds": 5}, 3),
            (RepeatPolicy(repeat=Repeat.CHANGE), {"seconds": 5}, 1),
            (RepeatPolicy(repeat=Repeat.UPDATE), {"seconds": 5}, 12),
        ],
        ids=["muted by its quota", "unchanged", "edited"],
    )
    def test_a_job_that_runs_and_says_little_is_not_followed_for_ever(
        self, repeat_policy: RepeatPolicy, every: Mapping[str, object], expected: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        runs = 0

        def counted(scripted: ScriptedExecutor, run: Run, host: RunHost) -> Result:
            nonlocal runs
            runs += 1
            return result(scripted, run, host)

        result = ScriptedExecutor._result
        monkeypatch.setattr(ScriptedExecutor, "_result", counted)
        policy = replace(make_policy(mutes=True), repeat_policy=repeat_policy)
        seen = forecast(Catalog((make_job(every=every, policy=policy),)), NOON, mark=MARK)
        (peak,) = peak_minutes(seen.said, seen.steady, since=seen.since)

        assert (peak.count, runs < 4_000) == (expected, True)

    @pytest.mark.slow
    def test_what_begins_when_the_quiet_ends_is_seen(self) -> None:
        """Far more runs are muted before that than the forecast follows."""
        job = make_job(every={"seconds": 5}, policy=make_policy(max_alert=0))
        seen = forecast(
            Catalog((job,)), NOON, mark=MARK, mute=lambda _, slot: MAINTENANCE if slot < NOON + 3 * HOUR else None
        )
        (peak,) = peak_minutes(seen.said, seen.steady, since=seen.since)

        assert peak.count == 12

    @pytest.mark.slow
    def test_what_was_said_once_is_not_taken_for_steady(self) -> None:
        policy = replace(make_policy(mutes=True), repeat_policy=RepeatPolicy(repeat=Repeat.CHANGE))
        seen = forecast(Catalog((make_job(every={"seconds": 5}, policy=policy),)), NOON, mark=MARK)

        assert (len(seen.said), seen.steady) == (1, [])

    def test_a_job_that_never_ends_does_not_hide_what_is_far_ahead(self) -> None:
        when, count = self.worst({"seconds": 2}, *[{"cron": "30 9 1 * *"}] * 40, max_alert=0)

        assert (when, count) == (at("16 09:30") + timedelta(days=15), 70)
