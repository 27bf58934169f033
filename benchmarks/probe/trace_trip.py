"""Run the program and write which of its files a slot passes through that speaks: `trace_trip OUT ARGUMENTS`.

Traced is the second slot, as the first one makes what all others use, from the scheduler's call to Slack's answer.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import FrameType

import slack_alert
from slack_alert.cli.main import main

_PACKAGE = f"{Path(slack_alert.__file__).parent}{os.sep}"
_BEGIN = "schedulers/base.py", "submit_job"
_END = "channels/slack/channel.py", "send"


class Trace:
    """A profile function for all threads; it ends the process once the slot has arrived."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._begun = 0
        self._files: dict[str, set[str]] = {}

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        path = frame.f_code.co_filename
        if event not in ("call", "return") or not path.startswith(_PACKAGE):
            return
        name, function = path.removeprefix(_PACKAGE), frame.f_code.co_name
        self._begun += event == "call" and (name, function) == _BEGIN
        if self._begun < 2:
            return
        self._files.setdefault(name, set()).add(function)
        # A coroutine returns at each wait as well.
        if event == "return" and (name, function) == _END and argument is not None and "status" in dir(argument):
            lines = (f"{name}: {', '.join(sorted(functions))}\n" for name, functions in sorted(self._files.items()))
            self._out.write_text("".join(lines), encoding="utf-8")
            os._exit(0)


if __name__ == "__main__":
    trace = Trace(Path(sys.argv.pop(1)))
    sys.setprofile(trace)
    threading.setprofile(trace)
    main()
