"""Go on from what an older version left, and write down what is there.

`python -m tests.golden.upgrade.read ARCHIVE TEXT`.
"""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile
from datetime import timedelta
from pathlib import Path

from tests.golden.place import START, memory, settle
from tests.golden.rows import Rows
from tests.golden.terminal import Terminal, unpack
from tests.golden.upgrade.make import HERE, STATE
from tests.golden.virtual_world import VirtualWorld, end

_LATER = timedelta(minutes=20)


def main(archive: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        folder = Path(place).resolve() / "alerts"
        settle(place)
        unpack(HERE / "project", folder)
        unpack_state(archive, folder / STATE)
        os.chdir(folder)
        world = VirtualWorld(START + _LATER)
        world.install("slack_alert")
        terminal = Terminal(world, folder)
        _read(terminal)
        target.write_text(terminal.texts["read"], encoding="utf-8")
    end()


def unpack_state(archive: Path, folder: Path) -> None:
    """Put what a program has left into a folder again."""
    with tarfile.open(archive) as left:
        for member in left.getmembers():
            file, content = folder / member.name, left.extractfile(member)
            assert content is not None, member.name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.read())
            file.chmod(member.mode)
            os.utime(file, (member.mtime, member.mtime))


def _read(terminal: Terminal) -> None:
    """Look at it, go on with it, and look again."""

    def ask() -> None:
        for words in (["status"], ["jobs"], ["history"], ["history", "--json"], ["outbox", "--all"]):
            terminal.call("read", *words)
        for job in ("lag", "quiet", "incident", "noisy", "going", "full", "waiting", "outside"):
            terminal.call("read", "explain", job)

    def act() -> None:
        terminal.world.sleep(12)
        terminal.stop()

    ask()
    terminal.live("read", ["run"], act)
    ask()
    Rows().note(terminal, "read")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
