"""Call functions in processes of their own, which can be killed; a process is kept warm for the next run of any job."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from time import perf_counter
from typing import IO

from slack_alert.core.content.measurements import named
from slack_alert.core.model.record import Usage
from slack_alert.core.model.run import Failure, Result, Run
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import Struct
from slack_alert.engine.context import process_tree
from slack_alert.engine.context.context import Context
from slack_alert.engine.context.subprocesses import Children
from slack_alert.engine.ports import Clock
from slack_alert.engine.recording.redacting import cleaned_pieces
from slack_alert.executors.calling.failures import beyond_memory, overdue, process_ended, without_secrets
from slack_alert.executors.calling.output import current
from slack_alert.executors.deadlines import Deadlines
from slack_alert.executors.granting import answered
from slack_alert.executors.sources import Sources, from_changes, to_contents
from slack_alert.executors.wire import CUT, LOGGED, Document, from_line, from_run, to_failure, to_line, to_pieces

log = logging.getLogger(__name__)

#: So many idle processes are kept.
_WARM = 4
#: After so many runs, or so much memory more than at first, a process is replaced by a new one.
_RUNS = 200
_GROWTH = 128 * 1024 * 1024
#: So many seconds a process has to say where it hangs before it is killed.
_LAST_WORDS = 0.5


class Program(Struct, frozen=True):
    """What the processes run, and what is told to each before its first call."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    hello: Document


class Process:
    """One process; it calls one function at a time."""

    def __init__(self, program: Program) -> None:
        self.sign = os.urandom(8).hex()
        self.popen = subprocess.Popen(  # noqa: S603 - words, never a shell
            program.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=process_tree.signed(program.environ, self.sign),
            start_new_session=True,
            creationflags=process_tree.APART,
        )
        self._runs = 0
        #: The most memory it had after its first run, and after its last one.
        self._first = self._memory = 0
        self.is_overdue = False
        #: Where it was when it took too long.
        self.last_words: Failure | None = None
        self.is_lost = False
        #: A function closed the pipe to this program, or wrote into it.
        self.is_cut = False
        self._is_ready = False
        #: What it has of the plugin files.
        self._sources: Mapping[str, bytes] = {}
        self._ended = threading.Event()
        self._sending = threading.Lock()
        self.send(**program.hello)
        self._is_ready = "ready" in self.receive()
        self.is_lost = not self._is_ready

    @property
    def is_worn(self) -> bool:
        """Tell whether it is time for a new one."""
        is_big = self._memory > self._first + _GROWTH
        return self.is_lost or self.is_overdue or self._runs >= _RUNS or is_big

    @property
    def is_alive(self) -> bool:
        """Tell whether it can take a call."""
        return not self.is_lost and self.popen.poll() is None

    def suits(self, sources: Mapping[str, bytes]) -> bool:
        """Return whether none of the files that it has is another in these: a process is not reloaded but replaced."""
        return all(sources.get(path) == content for path, content in self._sources.items())

    def note(self, memory: int, *, is_littered: bool = False) -> None:
        """Take note of a run: of the memory it left the process with, and whether it left dead children behind."""
        self._runs = _RUNS if is_littered else self._runs + 1
        self._first = self._first or memory
        self._memory = memory

    def send(self, **document: object) -> None:
        """Send a document; one that is gone need not hear it."""
        pipe: IO[bytes] | None = self.popen.stdin
        assert pipe is not None, "it has a pipe"
        with self._sending, suppress(OSError, ValueError):
            pipe.write(to_line(**document))
            pipe.flush()

    def call(self, call: Document, sources: Mapping[str, bytes]) -> None:
        """Have it call a function, with the plugin files as they are now."""
        changed, self._sources = from_changes(self._sources, sources), sources
        self.send(level=logging.getLogger().getEffectiveLevel(), sources=changed, call=call)

    def receive(self) -> Document:
        """Wait for the next document; an empty one: there will be none any more."""
        pipe: IO[bytes] | None = self.popen.stdout
        assert pipe is not None, "it has a pipe"
        with suppress(OSError, ValueError):
            while line := pipe.readline():
                if document := from_line(line):
                    return document
                if self._is_ready:  # Before, something of Python's own may have printed.
                    self.is_cut = True
                    break
        return {}

    def expire(self) -> None:
        """End it because its run takes too long; return when that is done."""
        self.is_overdue = True
        process_tree.ask_to_end(self.popen)
        if not self._ended.wait(_LAST_WORDS):
            self.kill()

    def kill(self) -> None:
        """Kill it, and all it has started."""
        process_tree.kill(self.popen, self.sign)

    def end(self) -> int:
        """Take note of its end, and end what it left behind; give its exit code."""
        self.is_lost = True
        self.is_cut = self.is_cut or not (self.is_overdue or process_tree.has_ended(self.popen, _LAST_WORDS))
        self.kill()
        code = self.popen.wait()
        self._ended.set()
        self.close()
        return code

    def close(self) -> None:
        """Let it go: an idle one ends when nobody can want anything of it any more."""
        for pipe in (self.popen.stdin, self.popen.stdout):
            with suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()


class Processes:
    """Calls each run's function in a process that has nothing else to do; used on any thread."""

    def __init__(
        self,
        program: Callable[[], Program],
        *,
        sources: Sources,
        context: Callable[[Run], Context],
        notice: Callable[[Run, object], None],
        redaction: Redaction,
        children: Callable[[], Children],
        clock: Clock,
    ) -> None:
        self._program = program
        self._sources = sources
        self._context = context
        self._notice = notice
        self._redaction = redaction
        #: Where the processes are known, to be ended with the program.
        self._children = children
        self._clock = clock
        self._deadlines = Deadlines()
        self._idle: list[Process] = []
        self._lock = threading.Lock()
        self._is_stopped = False

    def call(self, run: Run) -> Result:
        """Call it and wait for its end, which is at its timeout at the latest."""
        run.started = self._clock.now()
        begun = perf_counter()
        token = current.set(run)
        try:
            process = self._take(self._sources.of(run.binding))
            try:
                result = self._performed(process, run)
            finally:
                self._give_back(process)
        finally:
            if run.end_line is not None:
                run.end_line()
            _keep_values(run)
            current.reset(token)
        return result._replace(duration=timedelta(0, perf_counter() - begun))

    def stop(self) -> None:
        """Keep no process any longer than for its run."""
        self._is_stopped = True
        self.renew()

    def renew(self) -> None:
        """Let new processes take the place of those that are idle now."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()
        for process in idle:
            self._retire(process)

    def _take(self, sources: Mapping[str, bytes]) -> Process:
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                break
            if process.is_alive and process.suits(sources):
                return process
            self._retire(process)
        process = Process(self._program())
        self._children().adopt(process.popen, process.kill)
        return process

    def _give_back(self, process: Process) -> None:
        with self._lock:
            is_kept = not (self._is_stopped or process.is_worn or len(self._idle) >= _WARM)
            if is_kept:
                self._idle.append(process)
        if not is_kept:
            self._retire(process)

    def _retire(self, process: Process) -> None:
        process.close()
        with suppress(subprocess.TimeoutExpired):
            process.popen.wait(_LAST_WORDS)
        if process.popen.returncode is None:
            process.end()
        self._children().release(process.popen)

    def _performed(self, process: Process, run: Run) -> Result:
        limit = run.care.timeout
        watch = None if limit is None else self._deadlines.begin(limit.total_seconds(), process.expire)
        end: Document = {}
        code = 0
        try:
            process.call(from_run(run), self._sources.of(run.binding))
            end = self._converse(process, run)
        finally:
            if not end:
                code = process.end()
            if watch is not None:
                self._deadlines.end(watch)
        return self._ended(process, run, end) if end else self._lost(process, run, code)

    def _converse(self, process: Process, run: Run) -> Document:
        """Do what the function wants until it ends; empty: its process has."""
        context = self._context(run)
        while document := process.receive():
            if "end" in document:
                ended: Document = document["end"]
                return ended
            if "print" in document:
                sys.stdout.write(document["print"])
            elif "log" in document:
                _relay(document["log"], self._redaction)
            elif "notice" in document:
                self._notice(run, document["notice"])
                _keep_values(run)
            elif "ask" in document:
                process.send(**answered(context, *document["ask"]))
            elif "overdue" in document:
                process.last_words = to_failure(document["overdue"])
        return {}

    def _ended(self, process: Process, run: Run, end: Document) -> Result:
        process.note(end["memory"], is_littered=end["littered"])
        if end["found"]:
            self._sources.found(to_contents(end["found"]))
        pieces = cleaned_pieces(to_pieces(end["pieces"]), self._redaction)
        failure = to_failure(end["failure"])
        if failure is not None:
            failure = without_secrets(beyond_memory(failure, run.care), self._redaction)
        numbers = named(end["numbers"], self._redaction)
        return Result(pieces, failure, usage=Usage(timedelta(seconds=end["cpu"]), end["memory"]), numbers=numbers)

    def _lost(self, process: Process, run: Run, code: int) -> Result:
        if process.is_overdue:
            late = process.last_words or overdue(run.action, run.care)
            return Result(failure=without_secrets(late, self._redaction))
        return Result(failure=process_ended(run.action, run.care, code, is_cut=process.is_cut or code == CUT))


def _keep_values(run: Run) -> None:
    """Keep what a sensor has set; it has gone on meanwhile, so nobody waits for that."""
    if run.keep_values is not None:
        run.keep_values()


def _relay(told: Document, redaction: Redaction) -> None:
    """Log a record again; one that is too long is cut without the secrets at the cut."""
    logger = logging.getLogger(told["name"])
    if logger.isEnabledFor(told["levelno"]):
        words = {name: told[name] for name in ("name", "levelno", "levelname")}
        words["msg"] = redaction.head(told["msg"], LOGGED)[0]
        logger.handle(logging.makeLogRecord({**told["extra"], **words}))
