"""Run in the child process of isolated functions: answer calls, one after the other, until the pipe closes."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from traceback import walk_stack
from types import FrameType
from typing import TYPE_CHECKING  # Any: JSON values.

from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Piece
from slack_alert.core.events import plain_fields
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import QUIET, Action, Result, Run, RunOptions, output_of
from slack_alert.core.policy.quota import Pause
from slack_alert.core.redaction.redaction import REACH
from slack_alert.core.sensors import noticed_event
from slack_alert.core.structs import replace
from slack_alert.core.units.allowance import Allowance
from slack_alert.engine.context.context import Context, ContextServices
from slack_alert.engine.context.emitting import event_name
from slack_alert.engine.ports import Clock
from slack_alert.engine.system import process_tree
from slack_alert.engine.system.stand_in_stream import StandInStream
from slack_alert.executors.calling.call import Caller, DraftRender
from slack_alert.executors.calling.failures import failure_of, suspended_frames, timeout_failure, with_generator_frames
from slack_alert.executors.isolated import os_process
from slack_alert.executors.isolated.os_process import adopt_orphans, has_dead_children
from slack_alert.executors.isolated.pipe import Pipe, RemoteKeyValueStore
from slack_alert.executors.isolated.protocol import (
    LOGGED,
    Document,
    KnownFiles,
    from_contents,
    from_failure,
    from_pieces,
    to_arguments,
    to_changes,
    to_pack,
)

if TYPE_CHECKING:
    import asyncio

#: Characters at which a line is sent without a line end.
_LONG = 8192
#: The most characters in a document.
_MOST = 1024 * 1024
#: So many characters a sensor that runs for ever may print at once, and in each second from then on.
_BURST, _PER_SECOND = 256 * 1024, 64 * 1024
#: Seconds that such a sensor has to end after the program is gone.
_CLOSING = 2.0


class Child:
    """Calls functions for the program at the other end of the pipe, which is the host of their runs."""

    def __init__(self, pipe: Pipe, files: KnownFiles, *, path: Path, mark: Markup, clock: Clock) -> None:
        self._pipe = pipe
        self._files = files
        self._clock = clock
        #: The current run, needed when it has to be ended, and its task if it is a coroutine.
        self._run: Run | None = None
        self._task: asyncio.Task[object] | None = None
        #: A sensor that runs for ever is asked to end.
        self._is_closing = False
        self._printed = ForwardedStream(pipe)
        #: What was used before the run.
        self._before = os_process.resource_usage()
        self._values = RemoteKeyValueStore(pipe, clock.now)
        render = DraftRender(mark)
        self._services = ContextServices(
            mark=mark,
            path=path,
            render=render,
            address=partial(Address, ""),  # The program reads it.
            now=clock.now,
            key_value_store=lambda _: self._values,
        )
        self._caller = Caller(clock, render)

    def serve(self) -> None:
        """Answer calls until the pipe closes."""
        adopt_orphans()
        signal.signal(signal.SIGTERM, self._end)
        sys.stdout = sys.stderr = self._printed
        root = logging.getLogger()
        root.addHandler(ForwardingHandler(self._pipe, self._printed))
        self._pipe.listen(self._leave)
        self._pipe.send(ready=os.getpid())
        while True:
            document = self._pipe.next_call()
            root.setLevel(document["level"])
            if document["sources"]:
                self._files.update(to_changes(document["sources"]))
            self._answer(document["call"])

    def done(self, run: Run, result: Result) -> None:  # noqa: ARG002 - there is one at a time
        """Send the result."""
        # This is our own code, and must report the result whatever the function used.
        os_process.limit_memory(None)
        sys.stdout.flush()
        used = os_process.resource_usage()
        self._pipe.send(
            end={
                "pieces": from_pieces(result.pieces),
                "failure": from_failure(result.failure),
                "seconds": result.duration.total_seconds(),
                "cpu": used.cpu - self._before.cpu,
                "memory": used.memory,
                "numbers": result.numbers,
                "littered": has_dead_children(),
                "found": from_contents(self._files.newly_read()),
            }
        )

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:  # noqa: ARG002 - as above
        """Request that pieces are posted."""
        for piece in from_pieces(pieces):
            self._pipe.request("say", piece, to.conversation if to else None)

    def emit(self, run: Run, value: object) -> None:
        """Send an event of a sensor; one that runs for ever goes on once it is kept."""
        name, fields = noticed_event(run.emits, value)
        if run.run_options.is_endless:
            self._pipe.request("notice", name, dict(fields))
            self._values.is_changed = False
        else:
            self._pipe.send(notice=[name, dict(fields)])  # It is kept with the others, once the last of them is here.

    def emit_event(self, run: Run, name: str, fields: Mapping[str, object]) -> None:
        """Request that an event is emitted; it is on disk when this returns."""
        self._pipe.request("emit", event_name(run, name), dict(plain_fields(fields)))

    def context(self, run: Run) -> Context:
        """Return the context of the run."""
        return Context(run, self._services, self)

    def ended(self, run: Run) -> None:
        """End the subprocesses of the run."""
        self._services.children.terminate(run.id)

    def hold(self, name: str, hold: Pause | None) -> None:
        """Request that a job is paused or resumed."""
        if hold is None:
            self._pipe.request("resume", name)
        else:
            seconds = None if hold.until is None else (hold.until - self._clock.now()).total_seconds()
            self._pipe.request("pause", name, seconds)

    def _answer(self, call: Document) -> None:
        tuples = {name: tuple(call["action"][name]) for name in ("parameters", "required")}
        action = Action(**{**call["action"], **tuples, "pack": to_pack(call["pack"])})
        os_process.reset_peak_memory()
        self._before = os_process.resource_usage()
        os_process.limit_memory(call["memory"])
        os_process.limit_cpu_time(call["cpu"])
        timeout = None if call["timeout"] is None else timedelta(seconds=call["timeout"])
        slot = datetime.fromisoformat(call["slot"])
        run = Run(
            call["id"], call["job"], action, slot, asked_by=call["asked_by"], event=call["event"],
            emits=tuple(call["emits"]), run_options=RunOptions(timeout=timeout, is_endless=call["endless"]),
            arguments=to_arguments(call["arguments"]), collected=tuple(call["collected"]),
        )  # fmt: skip
        if run.run_options.is_endless:
            self._printed.allowance = Allowance(_BURST, _PER_SECOND)
        result = self._called(run)
        if self._is_closing:
            sys.stdout.flush()
            self._abandon()
            os._exit(0)
        self.done(run, QUIET if run.run_options.is_endless and _is_clean_exit(result) else result)

    def _called(self, run: Run) -> Result:
        here = os.getpid()
        self._run = run
        try:
            function = self._files.load(run.action)
            run = replace(run, action=replace(run.action, function=function))
            if run.emits:
                self._report_ends(run)
            return self._run_async(run) if run.action.is_async else self._caller.call(run, self)
        except BaseException as error:  # noqa: BLE001 - the file is executed again in this process, and may fail only here
            return Result(failure=failure_of(error, run.action))
        finally:
            self._run = self._task = None
            if os.getpid() != here:
                # The function forked and both came back.
                os._exit(0)

    def _report_ends(self, run: Run) -> None:
        """Tell after which events the program may keep them, and whether what was set in the store belongs to them."""
        output = output_of(run)

        def drop() -> None:
            output.keep_values = lambda: None

        def keep_changed() -> None:
            if self._values.is_changed:  # Else it is kept with the event.
                self._pipe.request("keep")
                self._values.is_changed = False

        output.drop_values = drop
        if run.run_options.is_endless:
            output.keep_values = keep_changed
        else:
            output.commit = lambda _: self._pipe.send(noticed=False)
            output.keep_values = lambda: self._pipe.send(noticed=True)

    def _run_async(self, run: Run) -> Result:
        # Most functions do not need asyncio, and a process starts a fifth faster without it.
        import asyncio

        from slack_alert.engine.system.loop_runner import run_to_end

        async def call() -> Result:
            self._task = asyncio.current_task()
            return await self._caller.await_(run, self)

        return run_to_end(call())

    def _end(self, number: int, frame: FrameType | None) -> None:
        """Report where the run is if it has a timeout, end what the function has started, and exit."""
        run, task = self._run, self._task
        if run is not None and run.run_options.is_endless:
            self._close(task)
            return
        if run is not None and run.run_options.timeout is not None:
            stack = list(walk_stack(frame))[::-1] if task is None else suspended_frames(task.get_coro())
            failure = timeout_failure(run.action, run.run_options, with_generator_frames(stack, run))
            self._pipe.send(overdue=from_failure(failure))
        self._abandon()
        os._exit(128 + number)

    def _close(self, task: asyncio.Task[object] | None) -> None:
        """End the function of a sensor as `close` ends a generator: what it has in `finally` is done."""
        if self._is_closing:
            return
        self._is_closing = True
        if task is not None:
            task.get_loop().call_soon_threadsafe(task.cancel)
        else:
            self._pipe.interrupt()

    def _leave(self) -> None:
        """End what functions have started, as the program is gone; what a sensor has in `finally` is done before."""
        run = self._run
        if run is not None and run.run_options.is_endless and sys.platform != "win32":
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(_CLOSING)  # The main thread ends this process if it is done sooner.
        self._abandon()

    def _abandon(self) -> None:
        """Kill what functions have started, because this process is about to end."""
        self._services.children.kill_all()
        process_tree.kill_descendants(os.getpid())
        process_tree.kill_signed(process_tree.own_sign())


def _is_clean_exit(result: Result) -> bool:
    """Return whether a function ended itself as programs do that have done their work."""
    failure = result.failure
    return failure is not None and failure.kind == "SystemExit" and failure.message in ("", "0", "None")


class ForwardedStream(StandInStream):
    """A standard output that sends printed text over the pipe, line by line."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__(self._send_lines, flush=self._send_rest)
        self._pipe = pipe
        self._rest = ""
        #: How much is passed on; None: all.
        self.allowance: Allowance | None = None
        self._dropped = 0

    def _send_lines(self, text: str) -> None:
        whole, end, rest = (self._rest + text).rpartition("\n")
        self._rest = rest
        if end:
            self._pass_on(whole + end)
        if len(rest) > _LONG:
            self._send_rest()

    def _send_rest(self) -> None:
        rest, self._rest = self._rest, ""
        self._pass_on(rest)

    def _pass_on(self, text: str) -> None:
        text = self.within_allowance(text)
        for start in range(0, len(text), _MOST):
            self._pipe.send(print=text[start : start + _MOST])

    def within_allowance(self, text: str) -> str:
        """Return the part of a text that may be passed on, and before it how much was not."""
        if self.allowance is None or not text:
            return text
        allowed = int(self.allowance.use(len(text), monotonic()))
        if allowed < len(text):
            allowed = text.rfind("\n", 0, allowed) + 1
            self._dropped += len(text) - allowed
            return text[:allowed]
        told = f"[{self._dropped:,} characters more were printed]\n" if self._dropped else ""
        self._dropped = 0
        return told + text


class ForwardingHandler(logging.Handler):
    """Sends log records over the pipe, as far as what is printed may be."""

    def __init__(self, pipe: Pipe, printed: ForwardedStream) -> None:
        super().__init__()
        self._pipe = pipe
        self._printed = printed

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record, as far as JSON can hold it."""
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        said = record.getMessage()
        if record.exc_info:
            said += "\n" + logging.Formatter().formatException(record.exc_info)
        if self._printed.allowance is not None and not self._printed.within_allowance(f"{said}\n"):
            return
        self._pipe.send(
            log={"name": record.name, "levelno": record.levelno, "levelname": record.levelname}
            | {"msg": said[: LOGGED + REACH], "extra": extra}
        )


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
