"""Python reads this before the slack-alert of 2015: its posts go to the fake Slack, and first due times are noted."""

from __future__ import annotations

import os
from typing import Any

import slacker
from apscheduler.schedulers.base import BaseScheduler

_add_job = BaseScheduler.add_job


def _noting_add_job(self: BaseScheduler, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Add a job, and note when it is due; nothing is done for each run."""
    added = _add_job(self, function, *args, **kwargs)
    name = getattr(function, "__name__", "")
    if name.startswith("job_"):
        import probe

        probe.due(int(name[4:]), added.trigger.start_date.timestamp())
    return added


slacker.get_api_url = lambda method: f"{os.environ['BENCH_API_URL']}{method}"
if "BENCH_NOTES" in os.environ:
    BaseScheduler.add_job = _noting_add_job
