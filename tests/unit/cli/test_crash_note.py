"""A note about a command keeps it from nothing, and is gone when the command has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from slack_alert.cli.control import crash_note
from slack_alert.cli.control.crash_note import CrashNote
from slack_alert.core.errors import SettingsError
from slack_alert.core.model.request import Request
from slack_alert.engine.requests.external_runs import interruption_request
from slack_alert.stores import ExecMarker

T = datetime(2026, 11, 21, 2, 30, tzinfo=timezone.utc)
PATIENCE = 20.0


def notes(folder: Path) -> list[Path]:
    return list(folder.glob("*.exec-*"))


def writes(folder: Path) -> ExecMarker:
    return ExecMarker(folder / "state.db.inbox", Request.of(interruption_request("nightly", T, None), T))


def test_it_lies_there_when_the_command_begins_and_not_after_its_end(tmp_path: Path) -> None:
    note = CrashNote(lambda: writes(tmp_path))

    note.begin()
    assert len(notes(tmp_path)) == 1

    note.take_back()
    note.take_back()
    assert notes(tmp_path) == []


def fails(_: Path) -> None:
    raise SettingsError("there is no folder of plugins")


@pytest.mark.parametrize("write", [fails, lambda _: None], ids=["it cannot be written", "a dry run keeps none"])
def test_without_one_the_command_begins_all_the_same(tmp_path: Path, write: Callable[[Path], None]) -> None:
    note = CrashNote(lambda: write(tmp_path))

    note.begin()
    note.take_back()

    assert notes(tmp_path) == []


def test_one_that_takes_too_long_is_not_waited_for_and_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crash_note, "PATIENCE", timedelta(milliseconds=1))
    gate = threading.Event()
    note = CrashNote(lambda: writes(tmp_path) if gate.wait(PATIENCE) else None)

    note.begin()
    note.take_back()
    gate.set()
    for thread in threading.enumerate():
        if thread.name == "note":
            thread.join(PATIENCE)

    assert notes(tmp_path) == []
