"""The same functions on APScheduler alone: `python raw.py SCHEDULER JOBS EVERY BLOCKS`, both in seconds.

Needs nothing else of this package.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import probe  # type: ignore[import-not-found]  # on the path of the measured processes alone


def main(scheduler: str, jobs: int, every: int, blocks: float) -> None:
    """Run so many quiet functions every so often, each blocking for so long, until killed."""
    if scheduler == "GeventScheduler":
        from gevent import monkey

        monkey.patch_all()
    if scheduler in {"AsyncIOScheduler", "TornadoScheduler"}:
        asyncio.run(_on_loop(scheduler, jobs, every, blocks))
    else:
        _start(scheduler, jobs, every, blocks)
        threading.Event().wait()


async def _on_loop(scheduler: str, jobs: int, every: int, blocks: float) -> None:
    _start(scheduler, jobs, every, blocks)
    await asyncio.Event().wait()


def _start(name: str, jobs: int, every: int, blocks: float) -> None:
    module = importlib.import_module(f"apscheduler.schedulers.{name.removesuffix('Scheduler').lower()}")
    scheduler = getattr(module, name)()
    for job in range(jobs):
        added = scheduler.add_job(_quiet(job, blocks), "interval", seconds=every)
        if blocks:
            probe.due(job, added.trigger.start_date.timestamp())
    scheduler.start()
    print("started", flush=True)


def _quiet(job: int, blocks: float) -> Callable[[], None]:
    return partial(_blocking, job, blocks) if blocks else partial(probe.note, job)


def _blocking(job: int, seconds: float) -> None:
    probe.note(job)
    time.sleep(seconds)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
