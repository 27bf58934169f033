from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.core.catalog import Severity
from slack_alert.core.schedule.absent import Absence
from tests.fakes.plugins import job, surveyed


def test_an_absence_is_due_within_the_hours_and_again_as_often(tmp_path: Path) -> None:
    source = "@deco(on='backup.done', absent='25h', working_hours='9:00-17:00')\ndef f(): pass"
    found = job(surveyed(tmp_path, source))

    assert found.trigger == Absence(timedelta(hours=25), timedelta(hours=25), found.policy.hours)
    assert (found.kind, found.shown, found.is_absence) == ("rule", "no backup.done for 25h", True)


def test_an_absence_is_told_again_as_often_as_its_reminder_says(tmp_path: Path) -> None:
    found = job(surveyed(tmp_path, "@deco(on=['a', 'b'], absent=90, remind='1h')\ndef f(): pass"))

    assert found.trigger == Absence(timedelta(seconds=90), timedelta(hours=1), found.policy.hours)
    assert found.shown == "no a or b for 1m30s"


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ("minutes=5, absent='1h'", "absent belongs to on, and there is none"),
        ("on='x', absent='0.5s'", "absent: an absence is noticed after a second at least, got '0.5s'"),
        ("on='x', absent='soon'", "absent: 'soon' is not a duration"),
        ("on='x', absent='1h', minutes=5", "minutes does not go with absent, which alone says when it runs"),
        ("on='x', absent='1h', at_start=True", "at_start does not go with absent, which alone says when it runs"),
        ("on='x', absent='1h', start='2026-11-16'", "start does not go with absent, which alone says when it runs"),
    ],
)
def test_an_absence_that_means_nothing_is_refused(tmp_path: Path, keywords: str, said: str) -> None:
    found = surveyed(tmp_path, f"@deco({keywords})\ndef f(): pass").problems

    assert said in [problem.message for problem in found if problem.code == "SA201"]


def test_what_waits_for_an_absence_gets_nothing_of_an_event(tmp_path: Path) -> None:
    (problem,) = surveyed(tmp_path, "@deco(on='x', absent='1h')\ndef f(size): pass").problems

    assert (problem.code, problem.severity) == ("SA207", Severity.ERROR)
