"""The entry point of the child process that runs isolated functions; it gets no configuration and no secrets."""

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
    """Serve the parent process until it is gone."""
    pipe = Pipe()
    hello = pipe.receive_first()
    if not hello:  # The parent was killed at once, so there is nothing to serve.
        return
    root = Path(hello["path"])
    loader = FunctionLoader(root, tuple(hello["markers"]))
    files = KnownFiles(loader.load, loader.update, loader.newly_read)
    become_spawnable()
    with spawnable(root, hello["markers"]):
        Child(pipe, files, path=root, mark=Markup(os.urandom(8).hex()), clock=SystemClock()).serve()
