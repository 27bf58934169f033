"""The state of the program in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from slack_alert.core.structs import Struct
from slack_alert.engine.monitoring.counters import Counts
from slack_alert.engine.ports import WebRequest, WebResponse, WebRoutes
from slack_alert.operations.status import Vitals
from slack_alert.web.health import Readers

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Values by their labels; those of one metric have the same labels.
Samples = Iterable[tuple[Mapping[str, str], float]]


class JobStatus(Struct, frozen=True):
    """What is watched of a job."""

    name: str
    is_alerting: bool
    is_running: bool
    is_paused: bool


class Reading(Struct, frozen=True):
    """All that the metrics are made of."""

    version: str
    began: datetime
    vitals: Vitals
    counts: Counts
    jobs: tuple[JobStatus, ...]
    #: Seconds of processor time, and bytes of memory.
    cpu: float
    memory: float


class Metrics:
    """The address of `/metrics`."""

    def __init__(self, read: Callable[[], Reading], readers: Readers) -> None:
        """`read` may block; it is called on a thread."""
        self._read = read
        self._readers = readers

    def routes(self) -> WebRoutes:
        """Return what the web server has to serve."""
        return {("GET", "/metrics"): self._on_metrics}

    async def _on_metrics(self, request: WebRequest) -> WebResponse:
        if not self._readers.may_read(request):
            return WebResponse(401, b"Show `read_token` of [web]: Authorization: Bearer ...\n")
        return WebResponse(200, render(await asyncio.to_thread(self._read)).encode(), CONTENT_TYPE)


def render(reading: Reading) -> str:
    """Return all metrics as text."""
    return "".join(_lines(reading))


def _lines(reading: Reading) -> Iterator[str]:
    vitals, counts, pool = reading.vitals, reading.counts, reading.vitals.pool
    yield from _metric("info", "gauge", "The version that runs.", [({"version": reading.version}, 1)])
    yield from _metric("start_time_seconds", "gauge", "When it began, in seconds since 1970.", _one(reading.began))
    yield from _metric("up", "gauge", "Whether clock, delivery and database work.", _one(vitals.is_alive))
    yield from _metric("clock_up", "gauge", "Whether slots fire and the main loop turns.", _one(vitals.is_turning))
    yield from _metric("delivery_up", "gauge", "Whether messages can be sent.", _one(vitals.is_delivering))
    yield from _metric("store_up", "gauge", "Whether the database can be written.", _one(vitals.store.fault is None))
    yield from _metric("jobs", "gauge", "Jobs that are loaded.", _one(len(reading.jobs)))
    yield from _metric(
        "job_alerting", "gauge", "Whether a job has an open incident.",
        [({"job": job.name}, job.is_alerting) for job in reading.jobs],
    )  # fmt: skip
    yield from _metric(
        "job_running", "gauge", "Whether a function goes on.",
        [({"job": job.name}, job.is_running) for job in reading.jobs],
    )  # fmt: skip
    yield from _metric(
        "job_paused", "gauge", "Whether somebody has paused a job.",
        [({"job": job.name}, job.is_paused) for job in reading.jobs],
    )  # fmt: skip
    yield from _metric(
        "runs_total", "counter", "Slots, by how they ended.",
        [({"job": job, "verdict": verdict}, count) for (job, verdict), count in sorted(counts.runs.items())],
    )  # fmt: skip
    yield from _summary("run_seconds", "How long functions ran.", counts)
    yield from _metric(
        "job_last_run_seconds", "gauge", "The slot of the last run, in seconds since 1970.",
        [({"job": job}, slot.timestamp()) for job, slot in sorted(counts.last.items())],
    )  # fmt: skip
    yield from _metric("runs_in_progress", "gauge", "Runs that go on.", _one(vitals.runs))
    yield from _metric("threads", "gauge", "Threads that may call functions.", _one(pool.threads))
    yield from _metric("threads_busy", "gauge", "Threads that call a function.", _one(pool.busy))
    yield from _metric("functions_stuck", "gauge", "Functions that were given up and go on.", _one(pool.stuck))
    yield from _metric("runs_waiting", "gauge", "Runs that wait for a thread.", _one(pool.waiting))
    yield from _metric(
        "deliveries_total", "counter", "Attempts to deliver, by how they ended.",
        [({"result": result}, count) for result, count in sorted(counts.deliveries.items())],
    )  # fmt: skip
    yield from _metric(
        "outbox_messages", "gauge", "Messages that wait, and those that were given up.",
        [({"state": "queued"}, vitals.store.queued), ({"state": "dead"}, vitals.store.dead)],
    )  # fmt: skip
    yield from _metric(
        "events_total", "counter", "Events that a rule wants.",
        [({"event": event}, count) for event, count in sorted(counts.events.items())],
    )  # fmt: skip
    yield from _metric(
        "door_open", "gauge", "Whether people can come in by a door.",
        [({"door": door.name}, door.is_open) for door in vitals.doors],
    )  # fmt: skip
    yield from _plain("process_cpu_seconds_total", "counter", "Processor time, in seconds.", _one(reading.cpu))
    yield from _plain("process_resident_memory_bytes", "gauge", "Memory, in bytes.", _one(reading.memory))


def _metric(name: str, kind: str, meaning: str, samples: Samples) -> Iterator[str]:
    yield from _plain(f"slack_alert_{name}", kind, meaning, samples)


def _summary(name: str, meaning: str, counts: Counts) -> Iterator[str]:
    full = f"slack_alert_{name}"
    yield f"# HELP {full} {meaning}\n# TYPE {full} summary\n"
    for job, count in sorted(counts.durations.items()):
        yield f"{full}_sum{_labels({'job': job})} {_number(counts.seconds[job])}\n"
        yield f"{full}_count{_labels({'job': job})} {_number(count)}\n"


def _plain(name: str, kind: str, meaning: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n"
    yield from (f"{name}{_labels(labels)} {_number(value)}\n" for labels, value in samples)


def _one(value: float | datetime) -> Samples:
    return [({}, value.timestamp() if isinstance(value, datetime) else value)]


def _labels(labels: Mapping[str, str]) -> str:
    return f"{{{','.join(f'{name}={_quoted(value)}' for name, value in labels.items())}}}" if labels else ""


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _number(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(float(value))
