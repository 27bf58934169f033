"""Processes for functions that shall have one of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slack_alert.core.model.run import Run
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.engine.context.context import Context, public
from slack_alert.engine.context.subprocesses import Children
from slack_alert.engine.ports import Clock
from slack_alert.executors.isolated.process import Program
from slack_alert.executors.isolated.process_pool import Processes
from slack_alert.executors.isolated.protocol import Sources

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: The paths first: the folder one stands in is no place to import from.
_CODE = "import sys; sys.path[:] = sys.argv[1:]; from slack_alert.apart import main; main()"


def make_processes(
    settings: Settings,
    *,
    sources: Sources,
    context: Callable[[Run], Context],
    notice: Callable[[Run, object], None],
    redaction: Redaction,
    children: Callable[[], Children],
    clock: Clock,
) -> Processes:
    """Make what starts processes; none is started before it is wanted."""
    return Processes(
        lambda: make_program(settings.path, settings.markers),
        sources=sources,
        context=context,
        notice=notice,
        redaction=redaction,
        children=children,
        clock=clock,
    )


def make_program(path: Path, markers: Sequence[str] = ()) -> Program:
    """Say how a process is started for the plugins below `path`; of the environment it sees what is no secret."""
    warnings = [f"-W{option}" for option in sys.warnoptions]
    argv = (sys.executable, *warnings, "-c", _CODE, *sys.path)
    return Program(argv, public(os.environ), {"path": str(path), "markers": list(markers)})
