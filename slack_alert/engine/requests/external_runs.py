"""Runs of programs that others start, such as cron: their requests, and their settlement by the rules for errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.request import ExecutionUsage, RecordExecution, Request
from slack_alert.core.model.run import Action, Failure, Result, Run, RunProgress, output_of
from slack_alert.core.pipeline.settle import Settlement
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.runs.run_records import asked_record, log_failure

#: Settles an external run, with messages to the address (None: where errors go).
Judge = Callable[[State, Run, Result, Address | None], Settlement]
#: Changes the state of a name, and returns the new state.
Restate = Callable[[str, Callable[[State], State]], State]

_GONE = "exec was killed, or the machine went down; nobody knows how the command ended"


def external_name(name: str, jobs: Iterable[str]) -> str:
    """Return the name under which a run is recorded; a name like that of a job gets the suffix ` (exec)`."""
    last = _last_part(name)
    return f"{name} (exec)" if any(_last_part(job) == last for job in jobs) else name


def is_same_execution(one: Request, other: Request) -> bool:
    """Return whether both requests are about the same run of a command."""
    if {one.kind, other.kind} != {"exec"} or one.at != other.at:
        return False
    typed, other_typed = (each.payload.get("typed") or each.payload.get("job") for each in (one, other))
    return typed == other_typed


def external_run(name: str, started: datetime, number: int = 0) -> Run:
    """Return the run of a program that belongs to no plugin."""
    return Run(number, name, Action(name, "", 0), started, progress=RunProgress(started=started))


def execution_request(run: Run, result: Result, to: Address | None, *, typed: str) -> RecordExecution:
    """Return the request to record an external run, and to post its failure; its name was typed like this."""
    usage = ExecutionUsage(result.usage.cpu.total_seconds(), result.usage.memory) if result.usage else None
    printed, seconds = run.printed or "", result.duration.total_seconds()
    return RecordExecution(run.binding, run.slot, seconds, printed, result.failure, to, usage, typed=typed)


def interruption_request(name: str, started: datetime, to: Address | None) -> RecordExecution:
    """Return the request to record a run as interrupted, as its `exec` is gone; `name` is as it was typed."""
    failure = Failure("interrupted", _GONE, "", "interrupted\n", Verdict.INTERRUPTED)
    return RecordExecution(name, started, None, "", failure, to, None, is_named=False)


def settle_execution(
    batch: Batch,
    asked: RecordExecution,
    next_id: Callable[[], int],
    jobs: Callable[[], Iterable[str]],
    restate: Restate,
    judge: Judge | None,
) -> None:
    """Settle the external run of a request, and add its state, record and messages to the batch."""
    if judge is None:
        raise ValueError("there is nobody to settle a run of another program")
    # Its sender may have had no time to compare its name with the jobs.
    name = asked.job if asked.is_named else external_name(asked.job, jobs())
    run = external_run(name, asked.slot, next_id())
    failure = asked.failure
    if failure is not None and not failure.category:  # Former versions left it out.
        failure = replace(failure, category=failure.traceback.strip())
    result = Result(failure=failure, duration=asked.duration(), usage=asked.used())
    settlement = Settlement(State(), Verdict.QUIET)

    def change(state: State) -> State:
        nonlocal settlement
        settlement = judge(state, run, result, asked.to)
        return settlement.state

    if result.failure is not None:
        log_failure(run, result.failure)
    batch.states[run.binding] = restate(run.binding, change)
    output_of(run).printed.append(asked.printed)
    record = asked_record(run, result, settlement, settlement.messages, settlement.text, "")
    batch.records.append(record if asked.seconds is not None else record._replace(duration=None))
    batch.messages.extend(settlement.messages)


def _last_part(name: str) -> str:
    return name.rpartition(".")[2]
