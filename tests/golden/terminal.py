"""The command line called as a person does, each time as a program with streams of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.golden.virtual_world import KilledError, LeftError, VirtualWorld, breathe

#: Commands that leave something for the program beside, which sees by a file's time that it changed.
_TELLING = {(word,) for word in ("pause", "resume", "mute", "unmute", "ack", "emit", "send", "outbox", "exec")}
_LONG = 200
_STDLIB = sysconfig.get_paths()["stdlib"]
_LIBRARIES = "slack_sdk|apscheduler|tornado|gevent|aiohttp|aiohappyeyeballs|click|msgspec|watchfiles"


class Terminal:
    """Calls the program in its folder, and writes down what was called and what came of it."""

    def __init__(self, world: VirtualWorld, folder: Path, *, hides_process: bool = True) -> None:
        self.world = world
        self.folder = folder
        #: A number of a process may be that of a run as well.
        self._hides_process = hides_process
        self._texts: dict[str, list[str]] = {}
        self._is_living = False

    @property
    def texts(self) -> dict[str, str]:
        """What was printed, by the name of the text it belongs to."""
        return {name: "\n".join(parts) for name, parts in self._texts.items()}

    def note(self, name: str, text: str) -> None:
        """Put something else into a text."""
        self._texts.setdefault(name, []).append(self.normal(text))

    def call(self, name: str, *words: str, stdin: str = "") -> int:
        """Call `slack-alert` with these words."""
        is_told_beside = self._is_living and words[:1] in _TELLING
        if is_told_beside:
            breathe()
        with _streams(stdin) as (out, errors):
            code = _beside(words) if is_told_beside else _called(words)
        if is_told_beside:
            breathe()
        if not self._is_living:
            self.world.host = None
        self.note(name, _shown(words, out.getvalue(), errors.getvalue(), code))
        return code

    def live(self, name: str, words: Sequence[str], act: Callable[[], object]) -> None:
        """Run the program, with somebody who acts beside it until it ends."""
        self.world.spawn(act, has_streams=True)
        self._is_living = True
        with _streams("") as (out, errors):
            try:
                code: object = _called(words)
            except KilledError:
                code = "killed"
            self.world.bury()
            self.world.close_all()
            self.world.is_dead = False
        self._is_living = False
        self.world.host = None
        self.note(name, _shown(words, out.getvalue(), errors.getvalue(), code))

    def until(self, at: datetime) -> None:
        """Let time pass up to that moment."""
        self.world.sleep(max(0.0, (at - self.world.now).total_seconds()))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send this process, which is the program as well, a signal."""
        os.kill(os.getpid(), number)

    def normal(self, text: str) -> str:
        """Take out what is this machine's, or this Python's."""
        text = text.replace(str(self.folder.parent), "/srv").replace(sys.executable, "/usr/bin/python3")
        text = text.replace(str(Path(__file__).parents[2]), "/srv/code")
        text = text.replace(_STDLIB, "/usr/lib/python3")
        if self._hides_process:
            text = re.sub(rf"\b{os.getpid()}\b", "4711", text)
        for pattern, stands_for in _VARIES:
            text = pattern.sub(stands_for, text)
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


_VARIES = (
    # Nobody reads so long a row of one letter.
    (re.compile(r"(\S)\1{199,}"), lambda found: f"{found[1]} x {len(found[0])}"),
    # What is called within the program, and within Python, may be another way at any time.
    (
        re.compile(
            r'  File \\?"/(?:srv/code/slack_alert|usr/lib/python3)/[^"]*", line .*?(?:\\n|\n)(?:    .*?(?:\\n|\n))?'
        ),
        "",
    ),
    # Marks in a traceback, which every Python sets in its own way.
    (re.compile(r"\n!? *[~^]+(?=\n)"), ""),
    (re.compile(r"\\n +[~^]+(?=\\n)"), ""),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "https://slack.example"),
    # Of a message in Slack the second, not which of that second it is.
    (re.compile(r"\b(179\d{7})\.\d{6}\b"), r"\1.000000"),
    (re.compile(r"\bPython 3\.\d+\.\d+\S*"), "Python 3"),
    # Which module of the product tells it.
    (re.compile(r'("logger": "slack_alert)[\w.]+'), r"\1"),
    # What is installed here.
    (re.compile(rf"\b({_LIBRARIES}) \d+(?:\.\w+)+"), r"\1 1.2.3"),
)


def _shown(words: Sequence[str], out: str, errors: str, code: object) -> str:
    # What people read is told by a mark before each line from what goes to standard error.
    told = "".join(f"! {line}\n" for line in errors.splitlines())
    typed = " ".join(f"'{word}'" if " " in word or "*" in word else word for word in words)
    return f"$ slack-alert {typed}\n{_readable(out)}{told}[{code}]\n"


def _readable(out: str) -> str:
    """Spread one long document of JSON over lines, so that a difference shows where it is."""
    if len(out) < _LONG or not out.startswith("{") or out.count("\n") != 1:
        return out
    return f"{json.dumps(json.loads(out), indent=1, ensure_ascii=False)}\n"


def unpack(source: Path, target: Path) -> None:
    """Copy a project whose plugin files are called `.py.txt`, lest tools read them as part of this one."""
    shutil.copytree(source, target)
    for file in list(target.rglob("*.py.txt")):
        file.rename(file.with_suffix(""))
    for each in target.rglob("*"):
        each.chmod(0o755 if each.is_dir() else 0o600)


@contextmanager
def _streams(stdin: str) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Give a program streams and a log of its own."""
    kept = sys.stdout, sys.stderr, sys.stdin
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out, errors = io.StringIO(), io.StringIO()
    sys.stdout, sys.stderr, sys.stdin = out, errors, io.StringIO(stdin)
    try:
        yield out, errors
    finally:
        sys.stdout, sys.stderr, sys.stdin = kept
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)


def _beside(words: Sequence[str]) -> int:
    """Call it as a process of its own, whose signals are not the program's."""
    take = signal.signal
    signal.signal = lambda *_: signal.SIG_DFL
    try:
        return _called(words)
    finally:
        signal.signal = take


def _called(words: Sequence[str]) -> int:
    try:
        from slack_alert.cli.main import command_line
    except ImportError:  # Older versions left the process as it was by their only entry.
        from slack_alert.cli import main as command_line

    sys.argv = ["slack-alert", *words]
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        command_line()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except LeftError as left:
        return int(left.args[0])
    finally:
        for each, heed in before.items():
            signal.signal(each, heed)
    return 0
