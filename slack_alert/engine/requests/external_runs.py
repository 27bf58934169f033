"""Runs of programs that others start, such as cron: their requests, and their settlement by the rules for errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Record, Usage, Verdict
from slack_alert.core.model.run import Action, Failure, Result, Run, RunProgress
from slack_alert.core.pipeline.settle import Settlement
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import asdict, replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.payload_fields import Fields, field, instant, integer, number, optional_field
from slack_alert.engine.ports import Request
from slack_alert.engine.runs.run_records import log_failure

#: Settles an external run, with messages to the address (None: where errors go).
Judge = Callable[[State, Run, Result, Address | None], Settlement]
#: Changes the state of a name, and returns the new state.
_Restate = Callable[[str, Callable[[State], State]], State]

_GONE = "exec was killed, or the machine went down; nobody knows how the command ended"


def external_name(name: str, jobs: Iterable[str]) -> str:
    """Return the name under which a run is recorded; a name like that of a job gets the suffix ` (exec)`."""
    last = _last_part(name)
    return f"{name} (exec)" if any(_last_part(job) == last for job in jobs) else name


def named(request: Request, jobs: Callable[[], Iterable[str]]) -> Request:
    """Return the request with its recorded name, where its sender had no time to compare it with the jobs."""
    if request.kind != "exec" or request.payload.get("is_named", True):
        return request
    name = external_name(field(request.payload, "job", str), jobs())
    return replace(request, payload={**request.payload, "job": name, "is_named": True})


def is_same_execution(one: Request, other: Request) -> bool:
    """Return whether both requests are about the same run of a command."""
    if {one.kind, other.kind} != {"exec"} or one.at != other.at:
        return False
    names = [str(each.payload.get("job")) for each in (one, other)]
    return len({name.removesuffix(" (exec)") for name in names}) == 1


def external_run(name: str, started: datetime, number: int = 0) -> Run:
    """Return the run of a program that belongs to no plugin."""
    return Run(number, name, Action(name, "", 0), started, progress=RunProgress(started=started))


def execution_request(run: Run, result: Result, to: Address | None) -> Request:
    """Return the request to record an external run, and to post its failure."""
    payload = {
        "job": run.binding,
        "slot": run.slot.isoformat(),
        "seconds": result.duration.total_seconds(),
        "printed": run.printed or "",
        "failure": asdict(result.failure) if result.failure else None,
        "to": {"channel": to.channel, "conversation": to.conversation} if to else None,
        "usage": {"cpu": result.usage.cpu.total_seconds(), "memory": result.usage.memory} if result.usage else None,
    }
    return Request("exec", payload, run.slot)


def interruption_request(name: str, started: datetime, to: Address | None) -> Request:
    """Return the request to record a run as interrupted, as its `exec` is gone; `name` is as it was typed."""
    failure = Failure("interrupted", _GONE, "", "interrupted\n", Verdict.INTERRUPTED)
    request = execution_request(external_run(name, started), Result(failure=failure), to)
    return replace(request, payload={**request.payload, "seconds": None, "is_named": False})


def settle_execution(batch: Batch, request: Request, run_id: int, restate: _Restate, judge: Judge) -> None:
    """Settle the external run of a request, and add its state, record and messages to the batch."""
    left = request.payload
    run, result = external_run(field(left, "job", str), instant(left, "slot"), run_id), _result(left)
    to, printed = _address(optional_field(left, "to", dict)), field(left, "printed", str)
    settlement = Settlement(State(), Verdict.QUIET)

    def change(state: State) -> State:
        nonlocal settlement
        settlement = judge(state, run, result, to)
        return settlement.state

    if result.failure is not None:
        log_failure(run, result.failure)
    batch.states[run.binding] = restate(run.binding, change)
    record = _record(run, result, settlement, printed)
    batch.records.append(record if left["seconds"] is not None else record._replace(duration=None))
    batch.messages.extend(settlement.messages)


def _last_part(name: str) -> str:
    return name.rpartition(".")[2]


def _address(written: Fields | None) -> Address | None:
    return Address(field(written, "channel", str), field(written, "conversation", str)) if written else None


def _result(written: Fields) -> Result:
    failure, usage = optional_field(written, "failure", dict), optional_field(written, "usage", dict)
    return Result(
        failure=_failure(failure) if failure else None,
        duration=timedelta(seconds=number(written, "seconds") if written["seconds"] is not None else 0),
        usage=Usage(timedelta(seconds=number(usage, "cpu")), integer(usage, "memory")) if usage else None,
    )


def _failure(written: Fields) -> Failure:
    words = {"output": "", **written}
    kind, message, place, traceback = (field(words, name, str) for name in ("kind", "message", "place", "traceback"))
    return Failure(kind, message, place, traceback, Verdict(words["verdict"]), field(words, "output", str))


def _record(run: Run, result: Result, settlement: Settlement, printed: str) -> Record:
    told = dict.fromkeys(message.to.shown for message in settlement.messages)
    return Record(
        run.id,
        run.binding,
        run.slot,
        settlement.verdict,
        run.progress.started,
        result.duration,
        settlement.text,
        ", ".join(told) or None,
        error=result.failure.traceback if result.failure else None,
        printed=printed or None,
        reason=settlement.reason or None,
        usage=result.usage,
    )
