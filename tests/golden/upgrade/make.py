"""Write down what one version of the program leaves behind: `python -m tests.golden.upgrade.make [CHECKOUT]`.

The version is that of CHECKOUT, a working copy of any age, or this one; what it leaves goes into VERSION.tar.xz. The
version under test has to go on from there: see `read`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from pathlib import Path

from tests.golden.place import START, settle
from tests.golden.terminal import Terminal, unpack
from tests.golden.virtual_world import VirtualWorld, end

HERE = Path(__file__).parent
#: The folder that the program keeps beside its plugins.
STATE = ".slack_alert"
#: What is written down names places, and shall name none that is this machine's.
_PLACE = Path("/tmp/slack-alert-upgrade")
#: Others are about the moment, or made anew.
_KEPT = ("*.db", "*-wal", "*.inbox", "*.said", "code/*")


def main(checkout: Path) -> None:
    _PLACE.mkdir()
    try:
        (_PLACE / "code").mkdir()
        (_PLACE / "code" / "slack_alert").symlink_to(checkout / "slack_alert")
        folder = _PLACE / "alerts"
        settle(str(_PLACE))
        unpack(HERE / "project", folder)
        os.chdir(folder)
        sys.path.insert(0, str(_PLACE / "code"))
        world = VirtualWorld(START)
        world.install("slack_alert")
        _live(Terminal(world, folder))
        import slack_alert

        keep(folder / STATE, HERE / f"{slack_alert.__version__}.tar.xz")
    finally:
        shutil.rmtree(_PLACE)
    end()


def _live(terminal: Terminal) -> None:
    """Leave something of everything that is remembered, and end by kill -9."""

    def act() -> None:
        terminal.world.sleep(20)
        terminal.call("beside", "pause", "quiet", "--for", "2h")
        terminal.call("beside", "mute", "noisy", "--for", "3h")
        terminal.call("beside", "ack", "incident", "--by", "bob")
        terminal.world.sleep(62)
        # The kill comes when something was said that is not committed yet, and when requests wait to be taken.
        terminal.world.wait(lambda: _has_something(terminal.folder / STATE / "state.db.said"))
        terminal.call("beside", "pause", "late")
        terminal.call("beside", "emit", "disk.full", "percent=97")
        terminal.call("beside", "send", "left in the inbox")
        terminal.call("beside", "exec", "outside", "--", "sh", "-c", "exit 1")
        terminal.world.kill()

    terminal.live("life", ["run"], act)


def _has_something(journal: Path) -> bool:
    with journal.open("rb") as file:
        return any(file.read(4))


def keep(state: Path, target: Path) -> None:
    """Put what a program has left in its folder into an archive."""
    files = sorted(file for pattern in _KEPT for file in state.glob(pattern))
    with tarfile.open(target, "w:xz") as archive:
        for file in files:
            archive.add(file, str(file.relative_to(state)), filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime, member.mode = int(START.timestamp()), 0o600
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parents[2]).resolve())
