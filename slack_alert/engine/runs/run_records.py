"""The records that runs leave in history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Outcome, Record, Verdict
from slack_alert.core.model.run import QUIET, Failure, Result, Run
from slack_alert.core.pipeline.gate import pause_status
from slack_alert.core.pipeline.messages import shortened
from slack_alert.core.pipeline.settle import Settlement
from slack_alert.engine.batches import Batch, StartedRun
from slack_alert.engine.ports import Recorder
from slack_alert.engine.runs.job_state import JobState

log = logging.getLogger(__name__)

#: The start of a run shorter than this is not recorded.
_BRIEF = timedelta(seconds=0.5)


def log_failure(run: Run, failure: Failure) -> None:
    """Log a failed run on one line, with the traceback as a field; it is in the history, too."""
    error = f"{failure.kind}: {failure.message}" if failure.message else failure.kind
    words = {"job": run.binding, "run": run.id, "error": error, "place": failure.place, "traceback": failure.traceback}
    log.error("run failed", extra=words)


def spoken_record(job_state: JobState, run: Run, result: Result, settlement: Settlement) -> Record:
    """Return the record of a run with messages, posted or withheld; a failure is logged as well."""
    if result.failure is not None:
        log_failure(run, result.failure)
    alerts, until = pause_status(job_state.job, settlement.state, run.slot)
    progress = run.progress
    withheld = progress.withheld + settlement.withheld
    text = joined(progress.texts, settlement.text)
    outcome = outcome_of(result, joined(progress.own_texts, settlement.own_text), text)
    if withheld:
        text += f"\n… {withheld:,} more messages of this run were withheld"
    told = dict.fromkeys([address.shown for address in (*progress.told, *[each.to for each in settlement.messages])])
    return Record(
        run.id, run.binding, run.slot, settlement.verdict, progress.started, result.duration, text,
        ", ".join(told) or None, alerts, until, result.failure.traceback if result.failure else None, run.printed,
        1, None, None, settlement.reasons + progress.remarks, result.numbers, result.usage, (), outcome,
    )  # fmt: skip


def asked_record(
    run: Run, result: Result, settlement: Settlement, told: Iterable[Message], text: str, said: str
) -> Record:
    """Return the record of a run that a person or another program started, with the messages it caused."""
    return Record(
        run.id,
        run.binding,
        run.slot,
        settlement.verdict,
        run.progress.started,
        result.duration,
        text,
        ", ".join(dict.fromkeys(message.to.shown for message in told)) or None,
        error=result.failure.traceback if result.failure else None,
        printed=run.printed,
        asked_by=run.asked_by,
        reasons=settlement.reasons,
        numbers=result.numbers,
        usage=result.usage,
        outcome=outcome_of(result, said, text),
    )


def outcome_of(result: Result, said: str, text: str) -> Outcome | None:
    """Return what a function itself said and how it failed; None: it said the text and did not fail."""
    if (failure := result.failure) is None:
        return Outcome(said) if said != text else None
    kind, message = failure.category or failure.kind, shortened(failure.message)
    return Outcome(said, failure.verdict, kind, message, failure.attempt)


def joined(before: Sequence[str], last: str) -> str:
    """Return what a run said on its way and at its end as one text."""
    if not before:
        return last
    told = [text for text in (*before, last) if text]
    return shortened("\n".join(told)) if len(told) > 1 else "".join(told)


def quiet_record(job_state: JobState, run: Run, result: Result) -> Record:
    """Return the record of a quiet run, as most are: no message, no quota spent."""
    alerts = job_state.state.alerts.count(run.slot, job_state.job.policy.pause_time)
    progress = run.progress
    printed = run.printed if progress.output is not None else None
    # By position: keywords are most of the cost of making a record.
    return Record(
        run.id, run.binding, run.slot, Verdict.QUIET, progress.started, result.duration, "", None, alerts, None, None,
        printed, 1, None, None, progress.remarks, result.numbers, result.usage,
    )  # fmt: skip


def cut_off_record(job_state: JobState, run: Run) -> Record:
    """Return the record of a run that the end of the program cut off."""
    cut_off = Settlement(job_state.state, Verdict.INTERRUPTED, reasons=run.posts.reasons)
    return spoken_record(job_state, run, QUIET, cut_off)._replace(duration=None)


def interrupted_record(started: StartedRun) -> Record:
    """Return the record of a run during which the process died."""
    return Record(started.run, started.binding, started.slot, Verdict.INTERRUPTED, started=started.started)


def started(run: Run) -> StartedRun:
    """Return the start of a run; a run that waits for a thread has started at its slot."""
    return StartedRun(run.id, run.binding, run.slot, run.progress.started or run.slot)


def going_on(runs: Iterable[Run], now: datetime) -> list[Run]:
    """Return the runs whose slot is a while ago, which a restart has to report if a crash cuts them off."""
    return [run for run in runs if now - run.slot >= _BRIEF]


def submit_with_starts(
    recorder: Recorder, batch: Batch, runs: Iterable[Run], then: Callable[[], object] | None = None
) -> None:
    """Submit a batch together with the starts of these runs, where the store may not have them yet.

    A row that is written by itself may be committed before a batch that was submitted earlier. So a run counts as noted
    once its start is committed; until then, rows of later slots of the job are committed together with it.
    """
    begun = [run for run in runs if not run.progress.is_noted]
    batch.begun += map(started, begun)
    recorder.submit(batch, partial(_noted, begun, then))


def _noted(runs: Iterable[Run], then: Callable[[], object] | None) -> None:
    for run in runs:
        run.progress.is_noted = True
    if then is not None:
        then()
