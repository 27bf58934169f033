"""Laws of the budget of edits: it is never overdrawn, all runs have their share, and the newest state is told."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.commands.progress import A_MINUTE, LEAST, WINDOW, EditBudget

pytestmark = pytest.mark.slow

T = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
runs = st.integers(1, 60)
steps = st.lists(
    st.tuples(st.sampled_from((0.0, 0.1, 0.5, 1.0, 7.0, 61.0)), st.sets(runs, max_size=60), st.sets(runs, max_size=3)),
    max_size=60,
)


class Chat:
    """Messages with the states that were told, and the states that the runs have."""

    def __init__(self) -> None:
        self.budget = EditBudget()
        self.state: Counter[int] = Counter()
        self.shown: dict[int, int] = {}
        self.ended: set[int] = set()
        #: When which run was edited, and whether it was its first or last edit.
        self.edits: list[tuple[datetime, int, bool]] = []

    def step(self, now: datetime, changed: set[int] = frozenset(), ended: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        changed, ended = changed - self.ended, ended - self.ended
        self.state.update(changed | ended)
        self.ended |= ended
        for run in sorted(ended):
            self.budget.end(run, now)
            self.tell(now, run, is_free=True)
        for run in self.budget.due(now, sorted(changed - ended)):
            assert run not in self.ended, "nothing is told after the end"
            self.tell(now, run, is_free=run not in self.shown)

    def tell(self, now: datetime, run: int, *, is_free: bool) -> None:
        self.edits.append((now, run, is_free))
        self.shown[run] = self.state[run]

    def drain(self, now: datetime) -> datetime:
        """Come back whenever it says so, until all is told."""
        for _ in range(1_000):
            due = self.budget.next_due(now)
            if due is None:
                return now
            assert due > now
            now, before = due, len(self.edits)
            self.step(now)
            assert len(self.edits) > before, "nobody comes back for nothing"
        raise AssertionError("it never ends")


@given(steps)
def test_no_minute_has_more_edits_than_the_budget_but_first_and_last_ones(
    plan: list[tuple[float, set[int], set[int]]],
) -> None:
    chat, now = Chat(), T
    for wait, changed, ended in plan:
        now += wait * SECOND
        chat.step(now, changed, ended)
    chat.drain(now)

    for index, (at, run, is_free) in enumerate(chat.edits):
        if not is_free:
            before = chat.edits[: index + 1]
            assert sum(other > at - WINDOW for other, _, _ in before) <= A_MINUTE
            assert at - max(other for other, who, _ in before[:-1] if who == run) >= LEAST


@given(steps)
def test_the_newest_state_of_every_run_is_told_in_the_end(plan: list[tuple[float, set[int], set[int]]]) -> None:
    chat, now = Chat(), T
    for wait, changed, ended in plan:
        now += wait * SECOND
        chat.step(now, changed, ended)
        assert all(chat.shown[run] == chat.state[run] for run in ended | (chat.ended & chat.shown.keys()))
    chat.drain(now)

    assert chat.shown == dict(chat.state)


@given(st.integers(1, 90))
def test_runs_that_always_change_are_edited_equally_often(count: int) -> None:
    chat = Chat()
    for half in range(5 * 60):
        chat.step(T + half * SECOND / 2, set(range(count)))

    often = Counter(run for _, run, _ in chat.edits)
    assert max(often.values()) - min(often[run] for run in range(count)) <= 1
    assert sum(often.values()) >= min(count, A_MINUTE) * 2


@given(steps, st.integers(1, 10_000))
def test_a_clock_that_is_set_back_stops_nothing(plan: list[tuple[float, set[int], set[int]]], back: int) -> None:
    chat, now = Chat(), T
    for wait, changed, ended in plan:
        now += wait * SECOND
        chat.step(now, changed, ended)
    set_back = now - back * SECOND
    chat.step(set_back, {1})

    assert chat.drain(set_back) <= set_back + 4 * WINDOW
