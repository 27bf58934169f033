"""A folder with plugins, and the command line called on it as a person does, within this process."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from slack_alert.cli.main import command_line
from slack_alert.core.model.message import Delivery
from slack_alert.engine.batches import Batch
from slack_alert.stores import DatabaseLock, SqliteStore

Json = dict[str, Any]

PLUGIN = """
    @deco(minutes=5)
    def lag():
        return "late"


    @deco(cron="0 9 * * mon-fri", working_hours="mon-fri 9:00-18:00")
    def report():
        return True
"""


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Json:
        """The one document that is all of standard output."""
        (line,) = self.lines
        document: Json = json.loads(line)
        return document

    @property
    def json_lines(self) -> list[Json]:
        return [json.loads(line) for line in self.lines]


@dataclass(frozen=True)
class Project:
    """A temporary PATH, the current folder of this process meanwhile."""

    path: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        file.chmod(0o600)
        return file

    def run(self, *words: str, stdin: str = "") -> Done:
        """Call `slack-alert` with these words."""
        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "argv", ["slack-alert", *words])
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self.monkeypatch.setattr(sys, "stderr", sys.stderr)  # A log in JSON takes its place.
        with signals_given_back(), pytest.raises(SystemExit) as ended:
            command_line()
        said = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, said.out, said.err)

    @property
    def database(self) -> Path:
        return self.path / ".slack_alert" / "state.db"

    @contextmanager
    def owned(self, note: str = "") -> Iterator[None]:
        """Own the database meanwhile, as a running program does."""
        lock = DatabaseLock(self.database)
        assert lock.acquire(timedelta(seconds=1), note=note)
        try:
            yield
        finally:
            lock.release()

    def remember(self, *batches: Batch) -> list[Delivery]:
        """Write what a run would have left; return the deliveries its messages became."""
        store = SqliteStore(self.database)
        store.open()
        made = [delivery for batch in batches for delivery in store.commit(batch)]
        store.close()
        return made


@contextmanager
def signals_given_back() -> Iterator[None]:
    """Let a program within this process take its signals; it ends, and this process goes on."""
    taken = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = {each: signal.getsignal(each) for each in taken}
    try:
        yield
    finally:
        for each, heed in before.items():
            signal.signal(each, heed)


def now() -> datetime:
    """Return the present, to the second."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def ago(**span: float) -> datetime:
    return now() - timedelta(**span)
