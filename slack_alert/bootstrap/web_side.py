"""Assemble what the web server serves beside the doors of chats: hooks, health and metrics."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from slack_alert import __version__
from slack_alert.bootstrap.oneshot.status import read_vitals
from slack_alert.engine.ports import WebRoutes
from slack_alert.web.health import Health, Readers
from slack_alert.web.metrics import JobStatus, Metrics, Reading
from slack_alert.web.webhooks import Webhooks, hooks_of

if TYPE_CHECKING:
    from slack_alert.bootstrap.runtime import Runtime
    from slack_alert.operations.status import Vitals
    from slack_alert.settings import Settings


def web_routes(settings: Settings, runtime: Runtime) -> WebRoutes:
    """Return what is served wherever the web server listens."""
    token = settings.web_read_token
    readers = Readers(token.reveal() if token is not None else None)
    hooks = Webhooks(
        [*hooks_of(settings.hooks)], runtime.engine.handle, runtime.clock, is_behind=runtime.writer.is_behind
    )
    look = partial(read_vitals, settings)
    read = partial(_read, runtime, look, runtime.clock.now())
    return {
        **hooks.routes(),
        **Health(look, settings.timezone, readers).routes(),
        **Metrics(read, readers).routes(),
        **(runtime.api.routes() if runtime.api is not None else {}),
    }


def _read(runtime: Runtime, look: Callable[[], Vitals], began: datetime) -> Reading:
    assert runtime.counter is not None, "it is made where the web server listens"
    jobs = tuple(
        JobStatus(
            job_state.job.name, job_state.state.is_alerting, job_state.run is not None, job_state.hold is not None
        )
        for job_state in runtime.engine.jobs()
    )
    return Reading(
        __version__, began, look(), runtime.counter.counts(), jobs, time.process_time(), float(_resident_memory())
    )


def _resident_memory() -> int:
    """Return how much memory the process has, in bytes; at its peak where the system tells no more."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * resource.getpagesize()
