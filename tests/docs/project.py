"""A project folder in which the documentation's commands are really run."""

from __future__ import annotations

import io
import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from slack_alert.cli.main import command_line as main
from slack_alert.loader import unload
from tests.docs.likeness import Likeness

ROOT = Path(__file__).parents[2]
PROGRAM = "slack-alert"
#: Where readers are told the project lies.
SHOWN = "/srv/alerts"
_SHELL = set("|;&<>$(`")
#: A call at the beginning of a line of the shell. The command that `exec` runs writes past this process's streams.
_CALL = re.compile(rf"{PROGRAM} (?!exec )[^|;&<>$(`]*?(?= *(?:\d?>|[|;&]))")
_PATIENCE_SECONDS = 20.0


class Project:
    """One folder, one home, one Slack; what a page does in its blocks adds up."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, slack_url: str) -> None:
        self.path = folder / "alerts"
        self.path.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        python = shlex.quote(sys.executable)
        for name, start in {PROGRAM: f"{python} -m slack_alert", "python3": python}.items():
            shim = programs / name
            shim.write_text(f'#!/bin/sh\nexec {start} "$@"\n', encoding="utf-8")
            shim.chmod(0o755)
        self._patch = patch
        for name in [name for name in os.environ if name.startswith(("SLACK_", "XDG_"))]:
            patch.delenv(name)
        self._set("HOME", str(folder))
        self._set("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        self._set("PYTHONPATH", str(ROOT))
        self._set("TZ", "Europe/Berlin")
        self._set("LOGNAME", "ann")  # who asks
        if slack_url:
            self._set("SLACK_ALERT_API_URL", slack_url)
        patch.chdir(self.path)

    def write(self, name: str, content: str) -> None:
        """Put a file of the page's into the folder."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        file.chmod(0o600)

    def run(self, command: str, expected: str) -> str:
        """Run a command; return what it printed, with `^C` where it was interrupted."""
        words = [] if _SHELL & set(command) else shlex.split(command)
        if "^C\n" in expected:
            return self._interrupted(command, expected)
        if words and words[0] == PROGRAM:
            printed = _stream()
            self._called(words, printed, printed)
            return _text(printed)
        script = self._replay(call[0]) + command if (call := _CALL.match(command)) else command
        done = subprocess.run(
            ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60
        )
        return done.stdout.decode()

    def likeness(self, command: str) -> Likeness:
        """Say how output of this command is compared."""
        return Likeness(str(self.path), SHOWN, is_timeless="--since 20" not in command)

    def _set(self, name: str, value: str) -> None:
        self._patch.setenv(name, value)

    def _replay(self, call: str) -> str:
        """Write a function for the shell that prints, and ends, as the program did when it was called here."""
        out, errors = _stream(), _stream()
        code = self._called(shlex.split(call), out, errors)
        said, complained = shlex.quote(_text(out)), shlex.quote(_text(errors))
        return f"{PROGRAM}() {{ printf %s {said}; printf %s {complained} >&2; return {code}; }}\n"

    def _called(self, words: list[str], out: io.TextIOWrapper, errors: io.TextIOWrapper) -> int:
        """Call the program in this process, which saves its start; return the exit code."""
        self._patch.setattr(sys, "argv", words)
        with _log_kept(), redirect_stdout(out), redirect_stderr(errors):
            try:
                main()
            except SystemExit as ended:
                return ended.code if isinstance(ended.code, int) else 1
            finally:
                unload()
        return 0

    def _interrupted(self, command: str, expected: str) -> str:
        """Run the program until it has printed what stands before `^C`, then interrupt it."""
        before, _, _ = expected.partition("^C\n")
        words = [sys.executable, "-m", "slack_alert", *shlex.split(command)[1:]]
        likeness = self.likeness(command)
        log = self.path.parent / "output"
        with log.open("wb") as output:
            running = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not likeness.agrees(before, log.read_text(encoding="utf-8")) and time.monotonic() < deadline:
            time.sleep(0.02)
        printed = log.read_text(encoding="utf-8")
        running.send_signal(signal.SIGINT)
        running.wait(timeout=20)
        return f"{printed}^C\n{log.read_text(encoding='utf-8')[len(printed) :]}"


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@contextmanager
def _log_kept() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
