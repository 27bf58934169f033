"""Draw the pictures of a report: a day of three jobs that was made up, summed up and drawn by the program itself.

`python docs/images/report.py` writes `report.png` beside this file, and `report.svg`: the same day in a terminal.
"""
# ruff: noqa: INP001, S311

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

from render import drawn

from slack_alert.charts import render_png
from slack_alert.cli.query.report import show
from slack_alert.core.model.record import Record, Usage, Verdict
from slack_alert.core.report.aggregate import summaries
from slack_alert.core.report.layout import Report
from slack_alert.core.report.statistics import Period

NOW = datetime(2026, 11, 21, 15, tzinfo=timezone.utc)
SPAN = Period(NOW - timedelta(days=1), NOW)
#: When the replica is behind and everything is slow.
BUSY = (9, 10)
COLUMNS = 136


def main() -> None:
    """Draw all jobs, as a channel and as a terminal shows them, and one of them in detail."""
    found = summaries(sorted(history(), key=lambda record: record.slot), SPAN)
    report = Report("All jobs", SPAN, timezone.utc, found)
    Path(__file__).with_name("report.png").write_bytes(render_png(report))
    one = Report("db.lag", SPAN, timezone.utc, found[:1], is_of_one=True)
    lines = [*shown("report", report), "", *shown("report lag", one)]
    Path(__file__).with_name("report.svg").write_text(drawn(lines, columns=COLUMNS), encoding="utf-8")


def shown(words: str, report: Report) -> list[str]:
    """Return a command and the lines that it prints."""
    out = io.StringIO()
    show(report, out)
    return [f"\x1b[prompt]slack-alert {words}", *out.getvalue().splitlines()]


def history() -> Iterator[Record]:
    """Make up two days."""
    chance = Random(7)
    for job, minutes, usual in (("db.lag", 1, 0.9), ("shop.orders", 5, 0.08), ("shop.payments", 5, 4.0)):
        slot = SPAN.before.since
        while slot < NOW:
            yield run(job, slot, usual * chance.lognormvariate(0, 0.05), chance)
            slot += timedelta(minutes=minutes)


def run(job: str, slot: datetime, seconds: float, chance: Random) -> Record:
    """Make up one run."""
    is_busy = slot.hour in BUSY and slot.day == NOW.day
    duration = timedelta(seconds=seconds * (1.7 if is_busy else 1))
    record = Record(1, job, slot, Verdict.QUIET, slot, duration)
    if job == "db.lag":
        behind = {"db1": chance.randint(1, 4), "db2": chance.randint(62, 90) if is_busy else chance.randint(1, 6)}
        verdict = Verdict.SAID if behind["db2"] > 60 else Verdict.QUIET
        return record._replace(numbers=behind, verdict=verdict)
    if job == "shop.payments":
        record = record._replace(usage=Usage(duration / 4, 64 * 1024**2))
        if chance.random() < (0.3 if is_busy else 0.01):
            text = f"✗ {job} failed: TimeoutError: no answer"
            return record._replace(verdict=Verdict.ERROR, text=text, error="TimeoutError")
    return record


if __name__ == "__main__":
    main()
