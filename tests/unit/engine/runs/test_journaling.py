"""Return values are journaled until they are settled, and settled at the next start after a kill."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.run import QUIET, Result, Returned, Run
from slack_alert.engine.batches import Batch, Snapshot
from slack_alert.engine.runs.journaling import JournalingExecutor
from tests.fakes.engine_rig import OPS, Rig, at, make_job

SAID = Result((Text("lag"),), None, timedelta(seconds=1), None, {"": 2.0})


class Page:
    """A journal that only records its calls."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def append(self, said: Batch | Returned) -> bool:
        self.asked.append(said)
        return True

    def release(self, count: int) -> None:
        self.asked.append(count)

    def close(self) -> None:
        """Do nothing."""


class Giving:
    """An executor that reports the same result for every run at once."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self.is_stopped = False

    def submit(self, runs: Sequence[Run], done: Callable[[Run, Result], None]) -> None:
        for run in runs:
            done(run, self._result)

    def stop(self) -> None:
        self.is_stopped = True


def make_run(**fields: object) -> Run:
    return Run(7, "db.lag", make_job().action, at("16 09:10"), started=at("16 09:11"), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_taken", [True, False])
def test_what_is_returned_is_kept_before_it_is_taken_and_no_longer_where_it_is_not(is_taken: bool) -> None:
    page = Page()
    run = make_run(remark="caught up")

    def take(run: Run, result: Result) -> None:
        page.asked.append((run.id, result))
        run.is_kept = not is_taken

    JournalingExecutor(Giving(SAID), page).submit([run], take)

    kept = Returned(7, "db.lag", run.slot, run.started, SAID.duration, SAID.pieces, SAID.numbers, "caught up")
    assert page.asked == [kept, (7, SAID), *([] if is_taken else [1])]


def test_what_was_returned_is_kept_until_it_is_committed() -> None:
    rig = Rig()
    rig.due("16 09:10")
    (run,) = rig.engine.runs()
    run.is_kept = True
    batches: list[bool] = []
    put = rig.recorder.submit

    def notice(batch: Batch, then: Callable[[], object] | None = None) -> None:
        batches.append(batch.is_kept)
        put(batch, then)

    rig.recorder.submit = notice  # type: ignore[method-assign]
    rig.executor.finish(SAID)

    assert batches == [True]
    assert not run.is_kept


def test_what_cannot_be_taken_is_not_kept_for_ever() -> None:
    page = Page()

    def refuse(_run: Run, _result: Result) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        JournalingExecutor(Giving(SAID), page).submit([make_run()], refuse)

    assert page.asked[1:] == [1]


@pytest.mark.parametrize(
    ("run", "result"),
    [
        (make_run(), QUIET),
        (make_run(asked_by="ann"), SAID),
        (make_run(event={}), SAID),
        (make_run(texts=["said before"]), SAID),
        (make_run(held=((OPS, Text("held")),)), SAID),
        (make_run(is_withheld=True), SAID),
    ],
    ids=["quiet", "asked for", "an answer", "spoke before", "has more to say", "was muted"],
)
def test_only_a_run_that_did_nothing_else_is_known_by_what_it_returned(run: Run, result: Result) -> None:
    page, taken = Page(), []
    JournalingExecutor(Giving(result), page).submit([run], lambda run, _: taken.append(run.id))

    assert page.asked == []
    assert taken == [7]


def test_the_end_is_passed_on() -> None:
    giving = Giving(QUIET)
    JournalingExecutor(giving, Page()).stop()

    assert giving.is_stopped


def left(run: int, slot: str, binding: str = "db.lag") -> Returned:
    return Returned(run, binding, at(slot), at(slot), timedelta(seconds=1), (Text(f"lag {run}"),), remark="caught up")


def test_a_run_that_a_kill_left_is_settled_at_the_start_and_its_slot_does_not_run_again() -> None:
    rig = Rig(start="16 09:12", snapshot=Snapshot(returned=(left(41, "16 09:10"),), last_run=41))

    assert [message.key for message in rig.recorder.messages] == ["db.lag@2026-11-16T08:10:00+00:00/41#0"]
    (record,) = rig.recorder.drain()
    assert (record.run, record.slot, record.text, record.alerts) == (41, at("16 09:10"), "lag 41", 1)
    assert (record.started, record.reason) == (at("16 09:10"), "caught up")
    assert rig.engine.state_of("db.lag").alerts.spent == (at("16 09:10"),)
    assert rig.engine.next_id() == 42
    assert [job_state.last for job_state in rig.engine.jobs()] == [at("16 09:10")]
    assert rig.engine.runs() == []


def test_what_a_job_returned_that_is_gone_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rig = Rig(snapshot=Snapshot(returned=(left(41, "16 09:10", "old.job"),)))

    assert rig.recorder.messages == []
    assert [record.message for record in caplog.records] == ["a job is gone that had something to say"]
