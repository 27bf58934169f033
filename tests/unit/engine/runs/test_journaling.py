"""Return values are journaled until they are settled, and settled at the next start after a kill."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.run import QUIET, Result, Returned, Run, RunProgress
from slack_alert.engine.batches import Batch, Snapshot
from tests.fakes.engine_rig import OPS, Rig, at, make_job
from tests.fakes.reasons import reasons_of

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


CAUGHT_UP = reasons_of("caught up")


def make_run(**fields: object) -> Run:
    return Run(7, "db.lag", make_job().action, at("16 09:10"), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_canceled", [False, True])
def test_what_is_returned_is_kept_before_it_is_settled_and_no_longer_where_it_is_not(is_canceled: bool) -> None:
    page = Page()
    rig = Rig(journal=page)
    rig.due("16 09:10")
    (run,) = rig.engine.runs()
    run.progress.started, run.progress.remarks, run.progress.is_canceled = at("16 09:11"), CAUGHT_UP, is_canceled
    rig.executor.finish(SAID)

    kept = Returned(
        run.id, "db.lag", run.slot, run.progress.started, SAID.duration, SAID.pieces, SAID.numbers, CAUGHT_UP
    )
    assert page.asked == [kept, *([1] if is_canceled else [])]
    assert rig.texts == ([] if is_canceled else ["lag"])


def test_what_was_returned_is_kept_until_it_is_committed() -> None:
    rig = Rig()
    rig.due("16 09:10")
    (run,) = rig.engine.runs()
    run.progress.is_kept = True
    batches: list[bool] = []
    put = rig.recorder.submit

    def notice(batch: Batch, then: Callable[[], object] | None = None) -> None:
        batches.append(batch.is_kept)
        put(batch, then)

    rig.recorder.submit = notice  # type: ignore[method-assign]
    rig.executor.finish(SAID)

    assert batches == [True]
    assert not run.progress.is_kept


def test_what_cannot_be_settled_is_not_kept_for_ever() -> None:
    def broken(_job: str, _slot: datetime) -> None:
        raise RuntimeError

    page = Page()
    rig = Rig(journal=page, mute=broken)
    rig.due("16 09:10")
    with pytest.raises(RuntimeError):
        rig.executor.finish(SAID)

    assert page.asked[1:] == [1]


@pytest.mark.parametrize(
    "fields",
    [
        {"asked_by": "ann"},
        {"event": {}},
        {"progress": RunProgress(texts=("said before",))},
        {"progress": RunProgress(held=((OPS, Text("held")),))},
    ],
    ids=["asked for", "an answer", "spoke before", "has more to say"],
)
def test_only_a_run_that_did_nothing_else_is_known_by_what_it_returned(fields: Mapping[str, object]) -> None:
    assert make_run().is_resumable
    assert not make_run(**fields).is_resumable


def test_quiet_run_is_not_journaled() -> None:
    page = Page()
    rig = Rig(journal=page)
    rig.play("16 09:10", QUIET)

    assert page.asked == []


def left(run: int, slot: str, binding: str = "db.lag") -> Returned:
    return Returned(run, binding, at(slot), at(slot), timedelta(seconds=1), (Text(f"lag {run}"),), remarks=CAUGHT_UP)


def test_a_run_that_a_kill_left_is_settled_at_the_start_and_its_slot_does_not_run_again() -> None:
    rig = Rig(start="16 09:12", snapshot=Snapshot(returned=(left(41, "16 09:10"),), last_run=41))

    assert [message.key for message in rig.recorder.messages] == ["db.lag@2026-11-16T08:10:00+00:00/41#0"]
    (record,) = rig.recorder.drain()
    assert (record.run, record.slot, record.text, record.alerts) == (41, at("16 09:10"), "lag 41", 1)
    assert (record.started, record.reasons) == (at("16 09:10"), CAUGHT_UP)
    assert rig.engine.state_of("db.lag").alerts.spent == (at("16 09:10"),)
    assert rig.engine.next_id() == 42
    assert [job_state.last for job_state in rig.engine.jobs()] == [at("16 09:10")]
    assert rig.engine.runs() == []


def test_what_a_job_returned_that_is_gone_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rig = Rig(snapshot=Snapshot(returned=(left(41, "16 09:10", "old.job"),)))

    assert rig.recorder.messages == []
    assert [record.message for record in caplog.records] == ["a job is gone that had something to say"]
