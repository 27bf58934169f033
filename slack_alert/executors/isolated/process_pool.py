"""Call functions in child processes that can be killed; idle processes are kept for the next run of any job."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import (
    Any,  # JSON values.
)

from slack_alert.core.content.measurements import named
from slack_alert.core.model.record import Usage
from slack_alert.core.model.run import QUIET, Result, Run, RunOutput, output_of
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.engine.context.context import Context
from slack_alert.engine.context.subprocesses import Subprocesses
from slack_alert.engine.ports import Clock, RunHost
from slack_alert.engine.recording.redacting import cleaned_pieces
from slack_alert.executors.calling.failures import (
    process_exit_failure,
    redact_failure,
    timeout_failure,
    with_memory_limit,
)
from slack_alert.executors.calling.output import current, keep_recent
from slack_alert.executors.deadlines import Deadlines
from slack_alert.executors.isolated.error_stream import ErrorStream
from slack_alert.executors.isolated.process import END_GRACE, ChildProcess, ChildProgram
from slack_alert.executors.isolated.protocol import (
    CUT,
    LOGGED,
    Document,
    PluginSources,
    from_run,
    to_contents,
    to_failure,
    to_pieces,
)

_ABSENT = object()


def answer_request(context: Context, name: str, *words: Any) -> Document:
    """Do what the function requested and return the answer; errors are passed to the function."""
    try:
        return {"value": _REQUESTS[name](context, *words)}
    except Exception as error:  # noqa: BLE001 - it is raised again in the function
        return {"error": [type(error).__name__, str(error)]}


def _say(context: Context, piece: Document, to: str | None) -> None:
    for each in to_pieces([piece]):
        context.say(each, to)


def _get(context: Context, key: str) -> str | None:
    found = context.store.get(key, _ABSENT)
    return None if found is _ABSENT else json.dumps(found)


def _set(context: Context, key: str, value: str, seconds: float | None, encrypt: bool | None) -> None:
    context.store.set(key, json.loads(value), expires=seconds, encrypt=encrypt)


def _compare_and_set(
    context: Context, key: str, expected: str, value: str, seconds: float | None, encrypt: bool | None
) -> bool:
    return context.store.compare_and_set(key, json.loads(expected), json.loads(value), expires=seconds, encrypt=encrypt)


_REQUESTS: dict[str, Any] = {
    "say": _say,
    "pause": Context.pause,
    "resume": Context.resume,
    "emit": lambda context, name, fields: context.emit(name, **fields),
    "get": _get,
    "set": _set,
    "compare_and_set": _compare_and_set,
    "delete": lambda context, key: context.store.delete(key),
    "keys": lambda context: context.store.keys(),
}


log = logging.getLogger(__name__)

#: The most idle processes that are kept.
_MOST_IDLE = 4


class ProcessPool:
    """Calls functions in processes of which each has one call at a time; used on any thread."""

    def __init__(
        self,
        program: Callable[[str], ChildProgram],
        *,
        sources: PluginSources,
        redaction: Redaction,
        children: Subprocesses,
        clock: Clock,
        most_idle: int = _MOST_IDLE,
    ) -> None:
        #: Makes the program of processes of a Python, by its path; empty: this one.
        self._program = program
        self._sources = sources
        self._redaction = redaction
        #: The registry of subprocesses, which ends them with the program.
        self._children = children
        self._clock = clock
        self._most_idle = most_idle
        self._deadlines = Deadlines()
        self._idle: list[ChildProcess] = []
        #: The processes that have a call, by the number of its run.
        self._calling: dict[int, ChildProcess] = {}
        self._lock = threading.Lock()
        self._is_stopped = False

    def call(self, run: Run, host: RunHost) -> Result:
        """Call a run's function and wait for its end, which is at its timeout at the latest."""
        run.progress.started = self._clock.now()
        begun = perf_counter()
        token = current.set(run)
        try:
            process = self._take(self._sources.contents_for(run.binding), run)
            try:
                self._calling[run.id] = process
                if run.progress.is_canceled:  # It was meanwhile.
                    process.expire()
                result = self._call_in(process, run, host)
            finally:
                self._calling.pop(run.id, None)
                self._give_back(process)
        finally:
            if run.progress.output is not None:
                run.progress.output.end()
            current.reset(token)
        return result._replace(duration=timedelta(0, perf_counter() - begun))

    def pid(self, run: Run) -> int | None:
        """Return the process that has the call of a run; None: it has none yet, or any more."""
        process = self._calling.get(run.id)
        return None if process is None else process.popen.pid

    def cancel(self, run: Run, grace: timedelta) -> None:
        """End the process that has the call of a run, if any: it is asked first, and killed after `grace`."""
        if (process := self._calling.get(run.id)) is not None:
            process.expire(grace.total_seconds())

    def stop(self) -> None:
        """Keep processes only for the runs that go on."""
        self._is_stopped = True
        self.renew()

    def renew(self) -> None:
        """Replace the idle processes by new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()
        for process in idle:
            self._retire(process)

    def _take(self, sources: Mapping[str, bytes], run: Run) -> ChildProcess:
        python = run.action.pack.python if run.action.pack is not None else ""
        while True:
            with self._lock:
                process = next((one for one in reversed(self._idle) if one.python == python), None)
                if process is not None:
                    self._idle.remove(process)
            if process is None:
                break
            if process.is_alive and process.has_files(sources):
                return process
            self._retire(process)
        read_errors = partial(ErrorStream, run=run) if run.run_options.is_endless else None
        process = ChildProcess(self._program(python), python, read_errors=read_errors)
        self._children.adopt(process.popen, process.kill)
        return process

    def _give_back(self, process: ChildProcess) -> None:
        with self._lock:
            is_kept = not (self._is_stopped or process.is_exhausted or len(self._idle) >= self._most_idle)
            if is_kept:
                self._idle.append(process)
        if not is_kept:
            self._retire(process)

    def _retire(self, process: ChildProcess) -> None:
        process.close()
        with suppress(subprocess.TimeoutExpired):
            process.popen.wait(END_GRACE)
        if process.popen.returncode is None:
            process.finish()
        self._children.release(process.popen)

    def _call_in(self, process: ChildProcess, run: Run, host: RunHost) -> Result:
        limit = run.run_options.timeout
        watch = None if limit is None else self._deadlines.start(limit.total_seconds(), process.expire)
        end: Document = {}
        code = 0
        try:
            process.call(from_run(run), self._sources.contents_for(run.binding))
            end = self._serve_requests(process, run, host)
        finally:
            if not end:
                code = process.finish()
            if watch is not None:
                self._deadlines.finish(watch)
        return self._ended(process, run, end) if end else self._lost(process, run, code)

    def _serve_requests(self, process: ChildProcess, run: Run, host: RunHost) -> Document:
        """Serve the function's requests until it ends; return its end, empty if its process ended first."""
        context = host.context(run)
        while document := process.receive():
            if "end" in document:
                ended: Document = document["end"]
                return ended
            if "print" in document:
                self._print(run, document["print"])
            elif "log" in document:
                _relay(document["log"], self._redaction)
            elif "notice" in document:
                host.emit(run, _event(run, *document["notice"]))
            elif "noticed" in document:
                _keep(output_of(run), with_values=document["noticed"])  # It has gone on meanwhile: nothing waits.
            elif "ask" in document:
                process.send(**self._answer(context, run, host, document["ask"]))
            else:
                process.timeout_report = to_failure(document.get("overdue"))
        return {}

    def _print(self, run: Run, text: str) -> None:
        sys.stdout.write(text)
        if run.run_options.is_endless:
            keep_recent(output_of(run), self._redaction)

    def _answer(self, context: Context, run: Run, host: RunHost, words: list[Any]) -> Document:
        if words[0] not in ("notice", "keep"):
            return answer_request(context, *words)
        # The sensor waits for this, and goes on once both are kept: the event, if any, and what it has set before.
        try:
            if words[0] == "notice":
                host.emit(run, _event(run, *words[1:]))
            if (wait := output_of(run).keep_values()) is not None:
                wait()
        except Exception as error:  # noqa: BLE001 - it is raised again in the sensor
            return {"error": [type(error).__name__, str(error)]}
        return {"value": None}

    def _ended(self, process: ChildProcess, run: Run, end: Document) -> Result:
        process.record_run(end["memory"], is_littered=end["littered"])
        if end["found"]:
            self._sources.add_found(to_contents(end["found"]))
        pieces = cleaned_pieces(to_pieces(end["pieces"]), self._redaction)
        failure = to_failure(end["failure"])
        if failure is not None:
            output_of(run).drop_values()
            failure = redact_failure(with_memory_limit(failure, run.run_options), self._redaction)
        numbers = named(end["numbers"], self._redaction)
        return Result(pieces, failure, usage=Usage(timedelta(seconds=end["cpu"]), end["memory"]), numbers=numbers)

    def _lost(self, process: ChildProcess, run: Run, code: int) -> Result:
        if run.progress.output is not None and (code != 0 or process.is_cut):
            run.progress.output.drop_values()
        if run.run_options.is_endless and (process.is_overdue or (code == 0 and not process.is_cut)):
            return QUIET  # It was asked to end, or ended itself as `sys.exit()` does.
        if process.is_overdue:
            late = process.timeout_report or timeout_failure(run.action, run.run_options)
            return Result(failure=redact_failure(late, self._redaction))
        is_cut = process.is_cut or code == CUT
        failure = process_exit_failure(run.action, run.run_options, code, is_cut=is_cut)
        if process.errors is not None and (last := process.errors.last()):
            failure = redact_failure(replace(failure, output=last), self._redaction)
        return Result(failure=failure)


def _keep(output: RunOutput, *, with_values: bool) -> None:
    """Commit the events that are held, and with them what the sensor has set if that is so."""
    if with_values:
        output.keep_values()
    elif output.commit is not None:
        output.commit(())


def _event(run: Run, name: str, fields: Document) -> object:
    """Return the value of a sensor that becomes this event."""
    return fields if len(run.emits) == 1 else (name, fields)


def _relay(told: Document, redaction: Redaction) -> None:
    """Log a record of the child process; a long message is cut so that no secret is left at the cut."""
    logger = logging.getLogger(told["name"])
    if logger.isEnabledFor(told["levelno"]):
        words = {name: told[name] for name in ("name", "levelno", "levelname")}
        words["msg"] = redaction.head(told["msg"], LOGGED)[0]
        logger.handle(logging.makeLogRecord({**told["extra"], **words}))
