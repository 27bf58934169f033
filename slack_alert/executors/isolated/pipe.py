"""Talk, in the child process of isolated functions, to the program that requests the calls."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable
from datetime import datetime
from queue import SimpleQueue
from typing import Any  # JSON values.

from slack_alert.core.errors import BadValue, StoreError
from slack_alert.core.model.run import Run
from slack_alert.core.units.quantities import parse_duration
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.executors.isolated.protocol import CUT, Document, from_line, to_line

#: Errors of the program that are raised here with their own class.
_KNOWN: dict[str, type[Exception]] = {
    "BadValue": BadValue,
    "StoreError": StoreError,
    "TypeError": TypeError,
    "ValueError": ValueError,
}
#: The longest document in bytes; what a run may post is far below.
_LONGEST = 128 * 1024 * 1024
#: Seconds that an ending process waits for a thread that is sending.
_PATIENCE = 0.1


class Pipe:
    """Standard input and output, withdrawn from functions: what they write there goes to standard error."""

    def __init__(self) -> None:
        self._in = os.fdopen(os.dup(0), "rb")
        self._out = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._sending = threading.Lock()
        self._asking = threading.Lock()
        self._calls: SimpleQueue[Document] = SimpleQueue()
        self._replies: SimpleQueue[Document] = SimpleQueue()
        self._is_cut = False
        #: How many requests were sent whose reply was not taken.
        self._unanswered = 0
        #: Whether the main thread is to be interrupted once it has sent its document.
        self._is_interrupted = False
        self._sender: threading.Thread | None = None
        if hasattr(os, "register_at_fork"):
            # A forked copy must neither write to the pipe nor keep it open after this process has ended.
            os.register_at_fork(after_in_child=self._cut)

    def listen(self, gone: Callable[[], object]) -> None:
        """Start to read; if the other end is closed, call `gone` and end this process."""
        threading.Thread(target=self._read, args=(gone,), name="line", daemon=True).start()

    def receive_first(self) -> Document:
        """Read the first document, before the reading thread is started."""
        return from_line(self._in.readline())

    def next_call(self) -> Document:
        """Wait for the next call and return it."""
        return self._calls.get()

    def send(self, **document: object) -> None:
        """Send a document, also from a signal handler during another send. Raise ValueError if it is too long."""
        line = to_line(**document)
        if len(line) > _LONGEST:
            raise ValueError(f"{len(line):,} bytes are too much to hand over, {_LONGEST:,} is the most")
        if self._is_cut or not self._sending.acquire(timeout=-1 if "overdue" not in document else _PATIENCE):
            return
        try:
            self._sender = threading.current_thread()
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._out, rest) :]
            self._unanswered += "ask" in document
        except OSError as error:
            if error.errno == errno.EBADF:  # A function closed the pipe.
                os._exit(CUT)
            if isinstance(error, BrokenPipeError):  # The program is gone: the reading thread ends everything.
                threading.Event().wait()
            raise
        finally:
            self._sender = None
            self._sending.release()
        if self._is_interrupted and threading.current_thread() is threading.main_thread():
            self._is_interrupted = False
            raise GeneratorExit

    def interrupt(self) -> None:
        """Raise GeneratorExit in the main thread, where a signal calls this; not in the middle of a document."""
        if self._sender is threading.main_thread():
            self._is_interrupted = True
        else:
            raise GeneratorExit

    def request(self, name: str, *words: object) -> object:
        """Request an operation of the program for the run, and return its answer."""
        with self._asking:
            self.send(ask=[name, *words])
            reply: Document = {}
            while self._unanswered:  # Replies to requests that were interrupted come first.
                reply = self._replies.get()
                self._unanswered -= 1
        if "error" in reply:
            kind, said = reply["error"]
            raise _KNOWN.get(kind, RuntimeError)(said)
        return reply.get("value")

    def _read(self, gone: Callable[[], object]) -> None:
        code = 0
        try:
            for line in self._in:
                document = from_line(line)
                (self._calls if "call" in document else self._replies).put(document)
        except OSError:  # A function closed the pipe.
            code = CUT
        gone()
        os._exit(code)

    def _cut(self) -> None:
        self._is_cut = True
        os.close(self._out)


class RemoteKeyValueStore(KeyValueStore):
    """A key-value store whose values are kept by the program at the other end of the pipe."""

    def __init__(self, pipe: Pipe, now: Callable[[], datetime]) -> None:
        super().__init__("", (), write=lambda _: None, now=now)
        self._pipe = pipe
        #: Whether something was set since it was made False.
        self.is_changed = False

    def for_run(self, run: Run) -> KeyValueStore:  # noqa: ARG002 - the signature of the base class
        """Return this store: the program holds back values set by a sensor."""
        return self

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value, or `default` if there is none or it has expired."""
        found = self._pipe.request("get", key)
        return json.loads(found) if isinstance(found, str) else default

    def set(self, key: str, value: object, *, expires: object = None, encrypt: bool | None = None) -> None:
        """Store a value; `expires` is a duration. Raise TypeError if JSON cannot hold it."""
        self._pipe.request("set", key, json.dumps(value), _seconds(expires), encrypt)
        self.is_changed = True

    def compare_and_set(
        self, key: str, expected: object, value: object, *, expires: object = None, encrypt: bool | None = None
    ) -> bool:
        """Store a value in the place of the expected one; return whether it was."""
        words = (key, json.dumps(expected), json.dumps(value), _seconds(expires), encrypt)
        is_set = self._pipe.request("compare_and_set", *words) is True
        self.is_changed = self.is_changed or is_set
        return is_set

    def delete(self, key: str) -> None:
        """Delete a value; a missing one is no error."""
        self._pipe.request("delete", key)
        self.is_changed = True

    def keys(self) -> list[str]:
        """Return the keys that have a value now, sorted."""
        found = self._pipe.request("keys")
        return list(found) if isinstance(found, list) else []


def _seconds(expires: object) -> float | None:
    return None if expires is None else parse_duration(expires).total_seconds()
