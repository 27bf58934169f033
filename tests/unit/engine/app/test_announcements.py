from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.model.run import Action, Run, RunProgress
from slack_alert.core.pipeline.outages import Outage, OutageCause
from slack_alert.engine.app.announcements import downtime_text
from slack_alert.engine.runs.overlaps import waiting_text

NOW = datetime(2026, 11, 16, 11, 0, 7, tzinfo=timezone.utc)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("since", "span"),
    [
        (NOW - timedelta(seconds=20), "from Mon 16 Nov 11:59:47 to Mon 16 Nov 12:00:07"),
        (NOW - timedelta(minutes=2), "from Mon 16 Nov 11:58 to Mon 16 Nov 12:00"),
        (None, "until Mon 16 Nov 12:00"),
    ],
)
def test_a_short_downtime_is_told_to_the_second(since: datetime | None, span: str) -> None:
    text = downtime_text({"db.lag": 2}, [], Outage(OutageCause.DOWN, since, NOW), BERLIN)

    assert text == f"Not running {span}: 2 runs missed: db.lag (2)."


@pytest.mark.parametrize(
    ("cause", "begins"),
    [
        (OutageCause.STALLED, "Standing still from Mon 16 Nov 11:58 to"),
        (OutageCause.ASLEEP, "Asleep (or the clock was set ahead) from Mon 16 Nov 11:58 to"),
    ],
)
def test_a_time_in_which_the_clock_stood_still_is_no_downtime(cause: OutageCause, begins: str) -> None:
    lapse = Outage(cause, NOW - timedelta(minutes=2), NOW)

    assert downtime_text({"db.lag": 2}, [], lapse, BERLIN).startswith(begins)


@pytest.mark.parametrize(
    ("busy", "stuck", "said"),
    [
        ("a", "", "The thread is busy with a"),
        ("ab", "", "All 2 threads are busy with a, b"),
        ("ab", "x", "2 threads are busy with a, b, and 1 thread is stuck in what was given up (x)"),
        ("a", "xy", "1 thread is busy with a, and 2 threads are stuck in what was given up (x, y)"),
        ("", "xy", "2 threads are stuck in what was given up (x, y)"),
    ],
)
def test_who_leaves_no_thread_is_named_and_a_stuck_one_counts_apart(busy: str, stuck: str, said: str) -> None:
    def going_on(name: str) -> Run:
        progress = RunProgress(is_stuck=name in stuck)
        return Run(1, name, Action(name, "plugins/a.py", 1), NOW, progress=progress)

    text = waiting_text(going_on("w"), [going_on(name) for name in busy + stuck])

    assert text.partition(";")[0] == said
