"""Keep the long history of `tests.golden.chapters` as one version has written it, and ask the version under test of it.

`python -m tests.golden.upgrade.history make ARCHIVE`, then `... read ARCHIVE TEXT`.
"""

from __future__ import annotations

import lzma
import os
import shutil
import sqlite3
import sys
import sysconfig
import tempfile
from contextlib import closing
from pathlib import Path

from tests.golden import questions
from tests.golden.place import START, memory, settle
from tests.golden.terminal import Terminal, unpack
from tests.golden.upgrade.make import STATE, keep
from tests.golden.upgrade.read import unpack_state
from tests.golden.virtual_world import VirtualWorld, end

HERE = Path(__file__).parents[1]
#: What is written down names places, and shall name none that is this machine's.
_PLACE = Path("/tmp/slack-alert-history")
_FIRST, _SECOND = "2026-11-16T", "2026-11-17T"


def make(archive: Path) -> None:
    """Live through both days, and keep what they leave."""
    folder = _PLACE / "alerts"
    _PLACE.mkdir()
    try:
        terminal = _arrived(folder, str(_PLACE))
        from tests.golden import chapters

        chapters.live_two_days(terminal)
        _slim(folder / STATE)
        keep(folder / STATE, archive)
    finally:
        shutil.rmtree(_PLACE)
    end()


def read(archive: Path, target: Path) -> None:
    """Ask of the kept history all that is made of its reasons."""
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        folder = Path(place).resolve() / "alerts"
        terminal = _arrived(folder, place)
        unpack_state(archive, folder / STATE)
        from tests.golden import chapters

        shutil.copy(HERE / "slack" / "storm.py.txt", folder / "plugins" / "storm.py")
        (folder / "plugins" / "storm.py").chmod(0o600)
        terminal.world.jump(chapters.at("10:20", 17))
        _ask(terminal)
        with lzma.open(target, "wt", encoding="utf-8") as file:
            file.write(terminal.texts["read"])
    end()


def _slim(state: Path) -> None:
    """Leave the database alone, without the content of posted files and what is this machine's."""
    with closing(sqlite3.connect(state / "state.db")) as base:
        base.execute("UPDATE delivery SET content = x'00' WHERE content IS NOT NULL")
        # A traceback names this machine's Python.
        base.execute("UPDATE record SET error = replace(error, ?, '/usr/lib/python3')", (sysconfig.get_path("stdlib"),))
        base.commit()
        base.execute("VACUUM")
    for pattern in ("*.inbox", "*.said", "code/*"):
        for file in state.glob(pattern):
            file.unlink()


def _arrived(folder: Path, home: str) -> Terminal:
    settle(home)
    unpack(HERE / "project", folder)
    os.chdir(folder)
    world = VirtualWorld(START)
    world.install("slack_alert")
    return Terminal(world, folder, hides_process=False)


def _ask(terminal: Terminal) -> None:
    def call(*words: str) -> None:
        terminal.call("read", *words)

    call("history", "--limit", "100000")
    call("history", "--json")
    for begin in (f"{_FIRST}09:00", f"{_SECOND}10:00"):
        for words in ([], ["--json"]):
            call("report", "--since", begin, *words)
            call("simulate", "--replay", "--since", begin, *words)
            call("simulate", "--replay", "--since", begin, "--max-alert", "1", *words)
            call("simulate", "--replay", "--since", begin, "--working-hours", "9:03-9:20", "--pause-time", "10", *words)
    for job, slots in questions.SLOTS.items():
        call("explain", job)
        for slot in slots:
            call("explain", job, "--at", f"{_FIRST}0{slot}")
    for job in ("table", "person", "db.version", "mail", "web", "nowhere", "long", "usual", "storm.nowhere", "morning"):
        for slot in ("10:01:00", "10:02:00", "10:04:30", "10:07:30"):
            call("explain", job, "--at", f"{_SECOND}{slot}")
            call("explain", job, "--at", f"{_SECOND}{slot}", "--json")


if __name__ == "__main__":
    act = make if sys.argv[1] == "make" else read
    act(*(Path(each).resolve() for each in sys.argv[2:]))
