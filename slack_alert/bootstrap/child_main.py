"""The process in which isolated functions are called, put together; it knows no configuration and no secret."""

from __future__ import annotations

import os
from pathlib import Path

from slack_alert.core.content.markup import Markup
from slack_alert.engine.clock import SystemClock
from slack_alert.executors.isolated.child import Child
from slack_alert.executors.isolated.pipe import Pipe
from slack_alert.executors.isolated.protocol import KnownFiles
from slack_alert.loader.modules.lazy import FunctionLoader
from slack_alert.loader.modules.spawning import become_spawnable, spawnable


def main() -> None:
    """Answer whoever started this process, until nobody is there any more."""
    line = Pipe()
    hello = line.first()
    if not hello:  # Whoever started this was killed at once, and nobody is there to be told.
        return
    root = Path(hello["path"])
    shelf = FunctionLoader(root, tuple(hello["markers"]))
    files = KnownFiles(shelf.load, shelf.update, shelf.newly_read)
    become_spawnable()
    with spawnable(root, hello["markers"]):
        Child(line, files, path=root, mark=Markup(os.urandom(8).hex()), clock=SystemClock()).serve()
