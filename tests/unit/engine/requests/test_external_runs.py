from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import count

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.reason import Reason
from slack_alert.core.model.record import Usage, Verdict
from slack_alert.core.model.request import RecordExecution, Request
from slack_alert.core.model.run import Failure, Result, Run, output_of
from slack_alert.core.pipeline.settle import Settlement, settle
from slack_alert.core.policy.quota import State
from slack_alert.core.schedule.triggers import Never
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.requests.apply import apply_request
from slack_alert.engine.requests.external_runs import Judge, execution_request, external_run, interruption_request
from tests.fakes.engine_rig import BERLIN, ERRORS, MARK, at, make_policy
from tests.fakes.reasons import MAINTENANCE, why

FAILURE = Failure("exit code 3 after 2.0s", "", "", "exit code 3\n", output="no space\n```left```")
FAILED = Result(failure=FAILURE, duration=timedelta(seconds=2), usage=Usage(timedelta(seconds=0.5), 4096))


def judge_of(mute: Reason | None = None) -> Judge:
    def judge(state: State, run: Run, result: Result, to: Address | None) -> Settlement:
        told = to or ERRORS
        job = Job(run.binding, run.action, Never(), make_policy(max_alert=2), told, told, BERLIN)
        return settle(job, state, run.posts, result, MARK, mute=mute)

    return judge


class Desk:
    """Applies requests after a round trip through JSON, as in the inbox, and keeps the states."""

    def __init__(self, mute: Reason | None = None) -> None:
        self._ids = count(42)
        self._judge = judge_of(mute)
        self.states: dict[str, State] = {}

    def apply_request(self, result: Result, time: str = "16 02:30", to: Address | None = None) -> Batch:
        run = external_run("nightly", at(time))
        output_of(run).printed.append("copying\n")
        return self.take(execution_request(run, result, to, typed="nightly"))

    def take(self, asked: RecordExecution, jobs: Sequence[str] = ()) -> Batch:
        request = Request.of(asked, asked.slot)
        left = replace(request, id=9, payload=json.loads(json.dumps(request.payload)))
        return apply_request(left, self._ids.__next__, self._restate, self._judge, jobs=lambda: jobs)

    def _restate(self, job: str, change: Callable[[State], State]) -> State:
        self.states[job] = change(self.states.get(job, State()))
        return self.states[job]


def test_a_run_that_was_fine_is_a_quiet_line() -> None:
    batch = Desk().apply_request(Result(duration=timedelta(seconds=2)))

    (record,) = batch.records
    assert (record.run, record.binding, record.slot) == (42, "nightly", at("16 02:30"))
    assert (record.verdict, record.printed, record.started) == (Verdict.QUIET, "copying\n", at("16 02:30"))
    assert (batch.messages, batch.states, batch.taken) == ([], {"nightly": State()}, 9)


def test_a_failure_is_told_with_the_last_words_in_a_fence_of_their_own() -> None:
    batch = Desk().apply_request(FAILED)

    (record,), (message,) = batch.records, batch.messages
    assert (record.verdict, record.error, record.to) == (Verdict.ERROR, "exit code 3\n", "#errors")
    assert record.usage == FAILED.usage
    assert fallback(message.piece) == (
        ":rotating_light: *nightly* failed: exit code 3 after 2.0s\n```\nno space\nˋˋˋleftˋˋˋ\n```"
    )


def test_a_failure_is_told_where_it_was_asked_for() -> None:
    batch = Desk().apply_request(FAILED, to=Address("slack", "#db"))

    assert [message.to for message in batch.messages] == [Address("slack", "#db")]


def test_failures_beyond_the_quota_are_withheld_one_request_after_the_other() -> None:
    desk = Desk()

    batches = [desk.apply_request(FAILED, f"16 02:3{minute}") for minute in range(3)]

    assert [record.verdict for batch in batches for record in batch.records] == ["error", "error", "muted"]
    assert [len(batch.messages) for batch in batches] == [1, 1, 0]
    assert why(batches[2].records[0].reasons) == "2 of 2 errors since 02:30, until 03:31"


def test_what_somebody_muted_is_recorded_with_the_reason() -> None:
    batch = Desk(MAINTENANCE).apply_request(FAILED)

    (record,) = batch.records
    assert (record.verdict, record.reasons, batch.messages) == (Verdict.MUTED, (MAINTENANCE,), [])


def test_a_run_whose_watcher_is_gone_is_told_as_interrupted_and_has_no_length() -> None:
    batch = Desk().take(interruption_request("nightly", at("16 02:30"), None))

    (record,), (message,) = batch.records, batch.messages
    assert (record.verdict, record.duration, record.started) == (Verdict.INTERRUPTED, None, at("16 02:30"))
    assert fallback(message.piece) == (
        ":rotating_light: *nightly* failed: interrupted: exec was killed, or the machine went down; nobody knows "
        "how the command ended"
    )


def test_a_program_that_cannot_judge_refuses_it(caplog: pytest.LogCaptureFixture) -> None:
    asked = execution_request(external_run("nightly", at("16 02:30")), FAILED, None, typed="nightly")
    request = replace(Request.of(asked, asked.slot), id=9)

    assert apply_request(request, count(1).__next__) == Batch(taken=9, at=at("16 02:30"))
    assert "request refused" in caplog.text


@pytest.mark.parametrize(
    ("name", "expected"),
    [("third", "third (exec)"), ("other.third", "other.third (exec)"), ("nightly", "nightly")],
)
def test_whoever_takes_a_note_in_names_its_run_as_one_that_ended_is_named(name: str, expected: str) -> None:
    batch = Desk().take(interruption_request(name, at("16 02:30"), None), ["jobs.third"])

    assert [record.binding for record in batch.records] == [expected]
