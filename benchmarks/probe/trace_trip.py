"""Run the program and write which of its files a slot passes through that speaks: `trace_trip OUT ARGUMENTS`.

Traced are the slots after the first, which makes what all others use, each from the scheduler's call to Slack's answer;
told is what all of them call, without what happened to be done beside one of them. A star marks the files that a slot
passes through: they are handed the run, or what becomes of it up to the delivery.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import slack_alert
from slack_alert.cli.main import main

_PACKAGE = f"{Path(slack_alert.__file__).parent}{os.sep}"
_BEGIN = "schedulers/base.py", "submit_job"
#: What a slot becomes on its way.
_TRAVELLERS = frozenset(
    ["Run", "RunPosts", "Result", "Returned", "Draft", "Text", "Settlement", "Record", "Message", "Batch", "Delivery"]
)
_END = "channels/slack/channel.py", "send"
_TRACED = 3


class Trace:
    """A profile function for all threads; it ends the process once the slots have arrived."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._begun = 0
        #: Of the present slot, and of those before: the functions called in each file.
        self._files: dict[str, set[str]] = {}
        self._arrived: list[dict[str, set[str]]] = []
        self._is_going = False
        self._passed: set[str] = set()

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        path = frame.f_code.co_filename
        if event not in ("call", "return") or not path.startswith(_PACKAGE):
            return
        name, function = path.removeprefix(_PACKAGE), frame.f_code.co_name
        if event == "call" and (name, function) == _BEGIN:
            self._begun += 1
            self._is_going = self._begun > 1
        if not self._is_going:
            return
        self._files.setdefault(name, set()).add(function)
        if event == "call" and any(map(_travels, _arguments(frame))):
            self._passed.add(name)
        # A coroutine returns at each wait as well.
        if event == "return" and (name, function) == _END and argument is not None and "status" in dir(argument):
            self._arrived.append(self._files)
            self._files, self._is_going = {}, False
            if len(self._arrived) == _TRACED:
                self._out.write_text("".join(self._lines()), encoding="utf-8")
                os._exit(0)

    def _lines(self) -> Iterator[str]:
        for name in sorted(set.intersection(*map(set, self._arrived))):
            functions = set.intersection(*(files[name] for files in self._arrived))
            yield f"{'*' if name in self._passed else ' '} {name}: {', '.join(sorted(functions))}\n"


def _arguments(frame: FrameType) -> Iterator[object]:
    code = frame.f_code
    for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        if name != "self":
            yield frame.f_locals.get(name)


def _travels(argument: object) -> bool:
    """Return whether it is what a slot has become, or a collection or a pair with it."""
    while isinstance(argument, (list, tuple)) and argument and type(argument).__name__ not in _TRAVELLERS:
        argument = argument[0]
    return type(argument).__name__ in _TRAVELLERS


if __name__ == "__main__":
    trace = Trace(Path(sys.argv.pop(1)))
    sys.setprofile(trace)
    threading.setprofile(trace)
    main()
