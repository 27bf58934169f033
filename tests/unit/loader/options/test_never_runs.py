from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from slack_alert.core.catalog import Severity
from slack_alert.core.structs import replace
from slack_alert.loader import survey
from tests.fakes.plugins import DEFAULTS, names, problems, write

#: A Saturday.
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)
HOURS = "9:00-17:00"


def told(root: Path, written: str, *, hours: str = "", now: datetime | None = NOW) -> list[str]:
    write(root, {"x.py": f"@deco({written})\ndef f(): pass"})
    catalog = survey(root, replace(DEFAULTS, working_hours=hours, now=now))
    return [problem.message for problem in catalog.problems if problem.code == "SA210"]


@pytest.mark.parametrize(
    "written",
    [
        "days=1, at='03:00'",
        "days=7, at='17:00'",
        "days=1, start='2026-11-22T03:00'",
        "cron='0 3 * * *'",
        "cron='*/5 0-8,17-23 * * *'",
        "cron=['0 3 * * *', '30 8 * * mon']",
        "at='2026-12-24T03:00'",
        "days=1, at='03:00', end='2026-12-24'",
        "days=1, at='03:00', end='2030-12-24'",
    ],
)
def test_a_job_whose_times_are_all_outside_the_working_hours_is_a_warning(tmp_path: Path, written: str) -> None:
    said = "it never runs: each of its times in the next 400 days is outside the working hours 9:00-17:00"

    assert told(tmp_path, f"{written}, working_hours={HOURS!r}") == [said]
    assert told(tmp_path, written, hours=HOURS) == [said]


@pytest.mark.parametrize(
    "written",
    [
        "at='2020-01-01T09:00'",
        "at='2026-11-21T12:00'",
        "seconds=1, end='2020-01-01'",
        "days=1, at='09:00', end='2026-11-21T12:00'",
        "seconds=1, end='2020-01-01', jitter=5",
        "cron='* * * * *', end='2020-01-01'",
    ],
)
def test_a_job_whose_last_time_has_passed_is_a_warning(tmp_path: Path, written: str) -> None:
    assert told(tmp_path, written) == ["it never runs: its last time has passed"]


@pytest.mark.parametrize(
    "written",
    [
        "days=1, at='09:00'",
        "days=1, at='03:00', working_hours='always'",
        "days=1, at='03:00', jitter='8h'",
        "days=1",
        "days=7",
        "days=7, at='09:00', working_hours='mon-fri 9:00-17:00'",
        "hours=24, start='2026-11-22T03:00'",
        "cron='0 * * * *'",
        "cron='0 9 29 2 *'",
        "cron=['0 3 * * *', '0 9 * * *']",
        "at='2026-12-24T09:00'",
        "at='2036-12-24T03:00'",
        "seconds=1, end='2026-12-01'",
        "hours=24, end='2026-11-21T13:00'",
        "days=2, at='03:00', enabled=False",
        "seconds=1, end='2020-01-01', enabled=False",
        "command='x'",
    ],
)
def test_a_job_that_runs_or_may_run_is_none(tmp_path: Path, written: str) -> None:
    assert told(tmp_path, written, hours=HOURS) == []


def test_a_time_that_the_clock_skips_once_a_year_is_met(tmp_path: Path) -> None:
    berlin = "days=1, at='02:30', timezone='Europe/Berlin', working_hours="

    assert told(tmp_path, f"{berlin}'3:00-3:01'") == []
    assert len(told(tmp_path, f"{berlin}'4:00-5:00'")) == 1


def test_without_a_now_nothing_is_examined(tmp_path: Path) -> None:
    assert told(tmp_path, "at='2020-01-01T09:00'", now=None) == []


def test_a_job_that_never_runs_is_there_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, {"x.py": "\n@deco(seconds=1, end='2020-01-01')\ndef f(): pass"})
    catalog = survey(tmp_path, replace(DEFAULTS, now=NOW))

    assert (names(catalog), problems(catalog)) == (["x.f"], [("SA210", 2, 1)])
    assert catalog.problems[0].severity is Severity.WARNING
    assert catalog.problems[0].hint


@pytest.mark.slow
def test_looking_ahead_for_many_jobs_takes_only_so_many_steps(tmp_path: Path) -> None:
    times = [f"03:{number % 60:02}:{number // 60:02}" for number in range(200)]
    write(
        tmp_path, {"x.py": "".join(f"@deco(days=1, at='{at}')\ndef f{at.replace(':', '')}(): pass\n" for at in times)}
    )
    catalog = survey(tmp_path, replace(DEFAULTS, working_hours=HOURS, now=NOW))

    assert len(catalog.jobs) == 200
    assert 10 < len(catalog.problems) < 100
