"""One process for isolated functions: its program, its pipe, its end."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

from slack_alert.core.model.run import Failure
from slack_alert.core.structs import Struct
from slack_alert.engine.context import process_tree
from slack_alert.executors.isolated.protocol import (
    Document,
    from_changes,
    from_line,
    to_line,
)

#: After so many runs, or so much memory more than at first, a process is replaced by a new one.
_RUNS = 200


_GROWTH = 128 * 1024 * 1024


#: So many seconds a process has to say where it hangs before it is killed.
_LAST_WORDS = 0.5


class ChildProgram(Struct, frozen=True):
    """What the processes run, and what is told to each before its first call."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    hello: Document


class ChildProcess:
    """One process; it calls one function at a time."""

    def __init__(self, program: ChildProgram) -> None:
        self.sign = os.urandom(8).hex()
        self.popen = subprocess.Popen(  # noqa: S603 - words, never a shell
            program.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=process_tree.signed_environ(program.environ, self.sign),
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
        """Return whether it is time for a new one."""
        is_big = self._memory > self._first + _GROWTH
        return self.is_lost or self.is_overdue or self._runs >= _RUNS or is_big

    @property
    def is_alive(self) -> bool:
        """Return whether it can take a call."""
        return not self.is_lost and self.popen.poll() is None

    def suits(self, sources: Mapping[str, bytes]) -> bool:
        """Return whether none of the files that it has is another in these: a process is not reloaded but replaced."""
        return all(sources.get(path) == content for path, content in self._sources.items())

    def record_run(self, memory: int, *, is_littered: bool = False) -> None:
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

    def finish(self) -> int:
        """Take note of its end, and end what it left behind; return its exit code."""
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
