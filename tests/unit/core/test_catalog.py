from __future__ import annotations

import pytest

from slack_alert.core.catalog import Catalog, Problem, Severity, full_name
from slack_alert.core.commands.command import Command
from slack_alert.core.errors import BadValue
from tests.fakes.engine_rig import make_job

NAMES = ("db.replicas.lag", "db.size", "web.size", "lag_of_all")


def make_problem(severity: Severity = Severity.ERROR, hint: str = "Write seconds=30.") -> Problem:
    return Problem("plugins/db.py", 3, 1, severity, "SA201", "seconds must be a number above 0, got 'x'", hint)


def test_jobs_are_the_bindings_that_come_due_in_the_order_of_the_files() -> None:
    first, last = make_job("web.up"), make_job("db.lag")
    command = Command("db.size", first.action, "size")

    assert Catalog((first, command, last)).jobs == (first, last)


@pytest.mark.parametrize(
    ("severities", "has_errors"),
    [
        ([], False),
        ([Severity.WARNING, Severity.NOTICE], False),
        ([Severity.WARNING, Severity.ERROR], True),
    ],
)
def test_only_an_error_is_an_error(severities: list[Severity], has_errors: bool) -> None:
    assert has_errors == Catalog(problems=tuple(map(make_problem, severities))).has_errors


def test_problem_is_one_line_with_place_code_and_what_to_do() -> None:
    line = "plugins/db.py:3:1: SA201 error: seconds must be a number above 0, got 'x'"

    assert str(make_problem()) == f"{line} (Write seconds=30.)"
    assert str(make_problem(hint="")) == line


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("db.replicas.lag", "db.replicas.lag"),
        ("lag", "db.replicas.lag"),
        ("replicas.lag", "db.replicas.lag"),
        ("lag_of_all", "lag_of_all"),
    ],
)
def test_name_may_be_shortened_where_that_is_unique(typed: str, full: str) -> None:
    assert full == full_name(typed, NAMES)


def test_whole_name_wins_over_a_last_part() -> None:
    assert full_name("size", ["size", "db.size", "web.size"]) == "size"


def test_job_and_command_of_one_function_are_one_name() -> None:
    assert full_name("size", ["db.size", "db.size"]) == "db.size"


@pytest.mark.parametrize(
    ("typed", "said", "hint"),
    [
        ("size", "'size' is the last part of several jobs.", "Write one of: db.size, web.size."),
        ("sizes", "There is no job 'sizes'.", "Did you mean size or db.size or web.size?"),
        ("zzz", "There is no job 'zzz'.", "`slack-alert jobs` lists them."),
        ("", "There is no job ''.", "`slack-alert jobs` lists them."),
        ("ag", "There is no job 'ag'.", "Did you mean lag?"),
        ("LAG", "There is no job 'LAG'.", "Did you mean lag?"),
    ],
)
def test_unclear_name_is_answered_with_the_nearest_ones(typed: str, said: str, hint: str) -> None:
    with pytest.raises(BadValue) as raised:
        full_name(typed, NAMES)

    assert said == str(raised.value)
    assert hint == raised.value.hint


def test_binding_is_found_by_its_last_part() -> None:
    job = make_job("db.replicas.lag")

    assert job is Catalog((make_job("db.size"), job)).lookup("lag")


def test_binding_of_no_name_is_refused() -> None:
    with pytest.raises(BadValue, match=r"There is no job 'lag'\."):
        Catalog().lookup("lag")
