"""Live through a fixed history, and write down every text that the product makes of it.

`python -m tests.golden.produce FOLDER` puts the texts there. It needs a process of its own, whose clock it replaces.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.golden.place import START, memory, settle
from tests.golden.terminal import unpack
from tests.golden.virtual_world import VirtualWorld, end

HERE = Path(__file__).parent


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="slack-alert-golden-", dir=memory()) as place:
        home, folder = Path(place).resolve() / "home", Path(place).resolve() / "alerts"
        home.mkdir()
        unpack(HERE / "project", folder)
        settle(str(home))
        os.chdir(folder)
        world = VirtualWorld(START)
        world.install("slack_alert")
        # Only now: what it imports has to see the world as it is from here on.
        from tests.golden.chapters import tell

        texts = tell(world, folder)
        target.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (target / f"{name}.txt").write_text(text, encoding="utf-8")
    end()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
