"""What happens aside from the one history: files that are edited, a run that keeps nothing, and tests of plugins."""

from __future__ import annotations

import io
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

from tests.golden.terminal import Terminal

if TYPE_CHECKING:
    from slack_alert.testing import Said

_LAG = '@deco(seconds=5, max_alert=0)\ndef lag():\n    return "lag {}"\n'
_OTHER = "\n\n@deco(seconds=10)\ndef other():\n    return None\n"
#: What becomes of the files, one step after the other; None takes a file away.
_STEPS: Sequence[dict[str, str | None]] = (
    {"db.py": _LAG.format(1), "gone.py": _LAG.format("is there"), "held.py": _LAG.format("before")},
    {"db.py": _LAG.format(2) + _OTHER, "new.py": "def nothing():\n    return 1\n"},
    {"gone.py": None, "db.py": _LAG.format(2).replace("seconds=5", "seconds=15"), "held.py": "def lag(:\n"},
    {"held.py": "import a_library_nobody_has\n", "new.py": "raise RuntimeError('while loading')\n"},
    {"held.py": _LAG.format("after"), "db.py": _LAG.format(3).replace("seconds=5", "minuts=5")},
    {},
    {"db.py": None, "held.py": None, "new.py": None},
)


def reloaded(terminal: Terminal) -> None:
    """Edit files while the program runs, and tell it."""
    folder = terminal.folder.parent / "edited"
    (folder / "plugins").mkdir(parents=True)
    _write(folder, _STEPS[0])
    path = ["--path", str(folder)]

    def act() -> None:
        for step in _STEPS[1:]:
            terminal.world.sleep(12)
            _write(folder, step)
            terminal.stop(signal.SIGHUP)
            terminal.world.sleep(1)
            for words in (["jobs"], ["explain", "db"], ["history", "--limit", "3"]):
                terminal.call("beside-6", *words, *path)
        terminal.stop()

    os.environ["SLACK_ALERT_RELOAD"] = "signal"
    terminal.live("life-6-edited", ["run", *path], act)
    del os.environ["SLACK_ALERT_RELOAD"]
    shutil.rmtree(folder)


def _write(folder: Path, files: dict[str, str | None]) -> None:
    for name, text in files.items():
        file = folder / "plugins" / name
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600)


def dry(terminal: Terminal) -> None:
    """Run with nothing kept and nothing sent."""

    def act() -> None:
        terminal.world.sleep(65)
        terminal.stop()

    terminal.live("life-7-dry-run", ["run", "--dry-run"], act)


def kit(terminal: Terminal) -> None:
    """Test plugins as their authors do; the tracebacks are for standard error, as everywhere else."""
    with redirect_stderr(io.StringIO()):
        _rehearse(terminal)


def _rehearse(terminal: Terminal) -> None:
    from slack_alert.testing import FaultyPluginError, Rehearsal

    def told(said: Sequence[Said]) -> None:
        terminal.note("kit", "\n".join(f"{one.at:%a %H:%M:%S} {one.job} to {one.to}: {one.text}" for one in said))

    def refused(text: str) -> None:
        try:
            rehearsal.load(text)
            rehearsal.advance(minutes=1)
        except FaultyPluginError as error:
            terminal.note("kit", str(error))

    rehearsal = Rehearsal()
    for name in ("db", "shapes", "events", "clock"):
        terminal.note("kit", f"== {name}")
        file = terminal.folder / "plugins" / f"{name}.py"
        catalog = rehearsal.load(file, start="2026-11-16 09:00", timezone="Europe/Berlin")
        told(rehearsal.advance(minutes=4))
        told(rehearsal.emit("disk.filling", mount="/srv", percent=97))
        for job in catalog.jobs:
            told(rehearsal.run(job.name))
    refused("@deco(minuts=5)\ndef lag():\n    return 1\n")
    refused("@deco(minutes=5)\ndef lag()\n    return 1\n")
    rehearsal.close()
