"""The whole program as a process of its own: started, signalled, killed, and what it left behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from slack_alert.engine.batches import HistoryLine
from slack_alert.stores import SqliteReader

if TYPE_CHECKING:
    from slack_alert.core.model.message import Delivery
    from slack_alert.core.model.record import Verdict

_ROOT = Path(__file__).parents[2]
#: What the program prints when its clock runs.
_READY = "Ctrl+C ends."
_STEP = 0.05


class Program:
    """A folder with plugins and a configuration, and the process that runs them."""

    def __init__(self, folder: Path, plugins: str, conf: str = "") -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "plugins").mkdir(parents=True, exist_ok=True)
        self.write(plugins)
        (folder / "slack_alert.conf").write_text(f"[slack]\n{dedent(conf)}", encoding="utf-8")
        (folder / "slack_alert.conf").chmod(0o600)

    def write(self, plugins: str) -> None:
        (self.folder / "plugins" / "jobs.py").write_text(dedent(plugins).lstrip("\n"), encoding="utf-8")

    @property
    def database(self) -> Path:
        return self.folder / ".slack_alert" / "state.db"

    @property
    def out(self) -> str:
        return self._said("out.txt")

    @property
    def errors(self) -> str:
        """All it wrote to standard error, over all its lives."""
        return self._said("errors.txt")

    def start(self, *flags: str, is_awaited: bool = True) -> None:
        """Start it; wait until its clock runs."""
        assert self._process is None, "it is running already"
        command = [sys.executable, "-W", "always", "-m", "slack_alert", "--path", str(self.folder), "-c"]
        home = {"HOME": str(self.folder), "PYTHONPATH": str(_ROOT), "TZ": "UTC", "PATH": os.environ.get("PATH", "")}
        kept = {name: value for name, value in os.environ.items() if name.startswith("COV")}
        ready = self.out.count(_READY)
        with (self.folder / "out.txt").open("ab") as out, (self.folder / "errors.txt").open("ab") as errors:
            self._process = subprocess.Popen(
                [*command, str(self.folder / "slack_alert.conf"), *flags],
                stdout=out,
                stderr=errors,
                env={**kept, **home},
                cwd=self.folder,
            )
        if is_awaited:
            self.wait_until(lambda: self.out.count(_READY) > ready, "the clock runs")

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None, "it is not running"
        self._process.send_signal(number)

    def ended(self, seconds: float = 15.0) -> int:
        """Wait for its end; return the exit code."""
        assert self._process is not None, "it is not running"
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end within {seconds} s\n{self.errors}") from None
        self._process = None
        return code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and wait; return the exit code."""
        self.send(number)
        return self.ended()

    def kill(self) -> None:
        """End it without warning, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait_until(self, is_so: Callable[[], bool], what: str, seconds: float = 15.0, *, step: float = _STEP) -> None:
        """Wait for something to become true; fail with what the program said."""
        until = time.monotonic() + seconds
        while not is_so():
            is_alive = self._process is None or self._process.poll() is None
            if time.monotonic() > until or not is_alive:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.out}\n{self.errors}")
            time.sleep(step)

    def history(self, job: str | None = None) -> list[HistoryLine]:
        with closing(SqliteReader(self.database)) as reader:
            return list(reader.history(job=f"jobs.{job}" if job else None, since=None, limit=None))

    def verdicts(self, job: str) -> set[Verdict]:
        return {line.record.verdict for line in self.history(job)}

    def outbox(self) -> list[Delivery]:
        with closing(SqliteReader(self.database)) as reader:
            return list(reader.deliveries())

    @property
    def stored(self) -> str:
        """The keys and values that it keeps."""
        with closing(sqlite3.connect(self.database)) as connection:
            return str(connection.execute("SELECT * FROM entry").fetchall())

    @property
    def integrity(self) -> str:
        with closing(sqlite3.connect(self.database)) as connection:
            found: str = connection.execute("PRAGMA integrity_check").fetchone()[0]
            return found

    def _said(self, name: str) -> str:
        file = self.folder / name
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


@contextmanager
def running(folder: Path, plugins: str, conf: str = "", *flags: str) -> Iterator[Program]:
    """Run a program for as long as the test needs it."""
    program = Program(folder, plugins, conf)
    try:
        program.start(*flags)
        yield program
    finally:
        program.kill()
