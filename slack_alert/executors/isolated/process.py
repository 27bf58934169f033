"""Start, talk to and end a child process for isolated functions."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO

from slack_alert.core.model.run import Failure
from slack_alert.core.structs import Struct
from slack_alert.engine.system import process_tree
from slack_alert.executors.isolated.error_stream import ErrorStream
from slack_alert.executors.isolated.protocol import (
    Document,
    from_changes,
    from_line,
    to_line,
)

#: A process is replaced after this many runs, or when its memory has grown by _GROWTH bytes.
_RUNS = 200


_GROWTH = 128 * 1024 * 1024


#: Seconds that a process has to report where it hangs before it is killed.
END_GRACE = 0.5


class ChildProgram(Struct, frozen=True):
    """The command of the child processes, and the document sent before the first call."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    hello: Document


class ChildProcess:
    """A child process; it calls one function at a time."""

    def __init__(
        self,
        program: ChildProgram,
        python: str = "",
        *,
        read_errors: Callable[[IO[bytes]], ErrorStream] | None = None,
    ) -> None:
        #: The Python that it runs, by its path; empty: the one of this program.
        self.python = python
        self.sign = os.urandom(8).hex()
        self.popen = subprocess.Popen(  # noqa: S603 - arguments, never a shell
            program.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if read_errors is None else subprocess.PIPE,
            env=process_tree.signed_environ(program.environ, self.sign),
            start_new_session=True,
            creationflags=process_tree.APART,
        )
        self._runs = 0
        #: The peak memory after its first run, and after its last one.
        self._first = self._memory = 0
        self.is_overdue = False
        #: The failure it reported when it took too long.
        self.timeout_report: Failure | None = None
        self.is_lost = False
        #: What it writes to its standard error, where that is read.
        stream = self.popen.stderr
        self.errors = None if read_errors is None or stream is None else read_errors(stream)
        #: A function closed the pipe to this program, or wrote into it.
        self.is_cut = False
        self._is_ready = False
        #: The contents of plugin files that it knows.
        self._sources: Mapping[str, bytes] = {}
        self._ended = threading.Event()
        self._sending = threading.Lock()
        self.send(**program.hello)
        self._is_ready = "ready" in self.receive()
        self.is_lost = not self._is_ready

    @property
    def is_exhausted(self) -> bool:
        """Whether the process must be replaced by a new one."""
        is_big = self._memory > self._first + _GROWTH
        return self.is_lost or self.is_overdue or self._runs >= _RUNS or is_big

    @property
    def is_alive(self) -> bool:
        """Whether it can take a call."""
        return not self.is_lost and self.popen.poll() is None

    def has_files(self, sources: Mapping[str, bytes]) -> bool:
        """Return whether its files have the same contents as these: a process is replaced, never reloaded."""
        return all(sources.get(path) == content for path, content in self._sources.items())

    def record_run(self, memory: int, *, is_littered: bool = False) -> None:
        """Record a run: the memory of the process after it, and whether it left zombies behind."""
        self._runs = _RUNS if is_littered else self._runs + 1
        self._first = self._first or memory
        self._memory = memory

    def send(self, **document: object) -> None:
        """Send a document; a process that has ended does not get it."""
        pipe: IO[bytes] | None = self.popen.stdin
        assert pipe is not None, "it has a pipe"
        with self._sending, suppress(OSError, ValueError):
            pipe.write(to_line(**document))
            pipe.flush()

    def call(self, call: Document, sources: Mapping[str, bytes]) -> None:
        """Request a call of a function, with the present plugin files."""
        changed, self._sources = from_changes(self._sources, sources), sources
        self.send(level=logging.getLogger().getEffectiveLevel(), sources=changed, call=call)

    def receive(self) -> Document:
        """Wait for the next document and return it; empty: there will be no more."""
        pipe: IO[bytes] | None = self.popen.stdout
        assert pipe is not None, "it has a pipe"
        with suppress(OSError, ValueError):
            while line := pipe.readline():
                if document := from_line(line):
                    return document
                if self._is_ready:  # Before that, Python itself may have printed something.
                    self.is_cut = True
                    break
        return {}

    def expire(self, grace: float = END_GRACE) -> None:
        """End the process because its run takes too long, or is canceled, and wait for that; in seconds."""
        self.is_overdue = True
        process_tree.ask_to_end(self.popen)
        if not self._ended.wait(grace):
            self.kill()

    def kill(self) -> None:
        """Kill the process and everything it has started."""
        process_tree.kill(self.popen, self.sign)

    def finish(self) -> int:
        """Wait for its end, and end what it left behind; return its exit code."""
        self.is_lost = True
        self.is_cut = self.is_cut or not (self.is_overdue or process_tree.has_ended(self.popen, END_GRACE))
        self.kill()
        code = self.popen.wait()
        self._ended.set()
        self.close()
        return code

    def close(self) -> None:
        """Close its pipes: an idle process then ends."""
        for pipe in (self.popen.stdin, self.popen.stdout):
            with suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()
