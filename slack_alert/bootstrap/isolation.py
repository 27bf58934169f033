"""Processes for functions that shall have one of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from slack_alert.core.model import Run
from slack_alert.core.redaction import Redaction
from slack_alert.engine.children import Children
from slack_alert.engine.context import Context, public
from slack_alert.engine.ports import Clock
from slack_alert.executors.process import Processes, Program

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: The paths first: the folder one stands in is no place to import from.
_CODE = "import sys; sys.path[:] = sys.argv[1:]; from slack_alert.apart import main; main()"


def make_processes(
    settings: Settings,
    *,
    context: Callable[[Run], Context],
    notice: Callable[[Run, object], None],
    redaction: Redaction,
    children: Callable[[], Children],
    clock: Clock,
) -> Processes:
    """Make what starts processes; none is started before it is wanted."""
    warnings = [f"-W{option}" for option in sys.warnoptions]
    hello = {"path": str(settings.path), "markers": list(settings.markers)}

    def program() -> Program:
        argv = (sys.executable, *warnings, "-c", _CODE, *sys.path)
        return Program(argv, public(os.environ), hello)

    return Processes(program, context=context, notice=notice, redaction=redaction, children=children, clock=clock)
