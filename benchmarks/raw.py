"""The same functions on APScheduler alone: `python raw.py SCHEDULER JOBS`. Needs nothing else of this package."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import Callable
from functools import partial

import probe  # type: ignore[import-not-found]  # on the path of the measured processes alone

SECONDS = 1


def main(scheduler: str, jobs: int) -> None:
    """Run so many quiet functions every second, until killed."""
    if scheduler == "GeventScheduler":
        from gevent import monkey

        monkey.patch_all()
    if scheduler in {"AsyncIOScheduler", "TornadoScheduler"}:
        asyncio.run(_on_loop(scheduler, jobs))
    else:
        _start(scheduler, jobs)
        threading.Event().wait()


async def _on_loop(scheduler: str, jobs: int) -> None:
    _start(scheduler, jobs)
    await asyncio.Event().wait()


def _start(name: str, jobs: int) -> None:
    module = importlib.import_module(f"apscheduler.schedulers.{name.removesuffix('Scheduler').lower()}")
    scheduler = getattr(module, name)()
    for job in range(jobs):
        scheduler.add_job(_quiet(job), "interval", seconds=SECONDS)
    scheduler.start()
    print("started", flush=True)


def _quiet(job: int) -> Callable[[], None]:
    return partial(probe.note, job)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
