"""A decorator that is nearly a marker is always reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.core.catalog import Severity
from slack_alert.loader.parsing.literals import keyword_suggestion
from tests.fakes.plugins import loaded, names, problems, surveyed

F = "def f():\n    return 1\n"
OWN = "from slack_alert import deco\n"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (f"deco(minutes=5)\n{F}", [("SA212", 1, 1)]),
        (f"deco(minutes=5)\nasync {F}", [("SA212", 1, 1)]),
        ("deco(minutes=5)\nclass F: pass\n", [("SA212", 1, 1)]),
        (f"{OWN}deco(minutes=5)\n{F}", [("SA212", 2, 1)]),
        (f"import slack_alert as sa\nsa.deco(minutes=5)\n{F}", [("SA212", 2, 1)]),
        (f"x = 'é'; deco(minutes=5)\n{F}", [("SA212", 1, 10)]),
        (f"deco(\n    minutes=5,\n)\n\n\n{F}", [("SA212", 1, 1)]),
        (f"alert.me(cron='0 9 * * *', to='#ops')\n@x.y(1)\n{F}", [("SA212", 1, 1), ("SA213", 2, 1)]),
        (f"if True:\n    deco(minutes=5)\n{F}", [("SA212", 2, 5)]),
        (f"try:\n  pass\nfinally:\n  deco(minutes=5)\n{F}", [("SA212", 4, 3)]),
        (f"{F}deco(minutes=5)(f)\n", [("SA212", 3, 1)]),
        (f"{F}f = deco(minutes=5)(f)\n", [("SA212", 3, 5)]),
        (f"{F}g: object = deco(minutes=5)(f)\n", [("SA212", 3, 13)]),
        (f"{OWN}{F}f = deco(minutes=5)(f)\n", [("SA212", 4, 5)]),
        ("f = deco(minutes=5)(lambda: 1)\n", [("SA212", 1, 5)]),
        (f"often = deco(minutes=5)\n@often\n{F}", [("SA212", 1, 9)]),
        (f"deco(minutes=5)\ndeco(minutes=6)\n{F}", [("SA212", 1, 1), ("SA212", 2, 1)]),
        (f"@alert\n{F}", [("SA213", 1, 1)]),
        (f"@alert()\n{F}", [("SA213", 1, 1)]),
        (f"@alert(every=5)\n{F}", [("SA213", 1, 1)]),
        (f"@cron('*/5 * * * *')\n{F}", [("SA213", 1, 1)]),
        (f"@deco.minutes(5)\n{F}", [("SA213", 1, 1)]),
        (f"@every[5]\n{F}", [("SA213", 1, 1)]),
        ("@deco\nclass F: pass\n", [("SA213", 1, 1)]),
        ("@deco()\nclass F: pass\n", [("SA213", 1, 1)]),
        ("if True:\n  @alert\n  def f(): pass\n", [("SA213", 2, 3)]),
        (f"@alert\n@print\n{F}", [("SA213", 1, 1)]),
        (f"@print\n@alert\n{F}", [("SA213", 2, 1)]),
        (f"@deco\n{F}", [("SA201", 1, 1)]),
        (f"@deco(minute=5)\n{F}", [("SA202", 1, 1)]),
        (f"@deco(every=5)\n{F}", [("SA202", 1, 1)]),
        (f"@watch(minuts=5)\n{F}", [("SA202", 1, 1)]),
        ("@deco(minutes=5)\nclass F: pass\n", [("SA204", 1, 1)]),
        (f"@alert\n@deco(minutes=5)\n{F}", [("SA203", 1, 1)]),
    ],
)
def test_a_near_miss_is_told(tmp_path: Path, source: str, found: list[tuple[str, int, int]]) -> None:
    catalog = surveyed(tmp_path, source)

    assert problems(catalog) == found
    assert names(catalog) == []


@pytest.mark.parametrize(
    "source",
    [
        f"from datetime import timedelta\ntimedelta(minutes=5)\n{F}",
        f"import datetime\nwait = datetime.timedelta(minutes=5)\n{F}",
        f"def deco(**k): return print\ndeco(minutes=5)\n{F}",
        f"from lib import *\ndeco(minutes=5)\n@alert\n{F}",
        f"print(end='')\n{F}",
        f"x = dict(minutes=5, on=1)\n{F}",
        "def g():\n    deco(minutes=5)\n    @alert\n    def f(): pass\n",
        "class G:\n    deco(minutes=5)\n    @alert\n    def f(self): pass\n",
        f"alert(to='#ops')\n{F}",
        f"try:\n  from lib import alert\nexcept E:\n  def alert(f): return f\n@alert\n{F}",
        f"@staticmethod\n{F}",
        f"#@deco(minutes=5)\n{F}",
    ],
)
def test_what_means_something_else_is_left_alone(tmp_path: Path, source: str) -> None:
    assert problems(surveyed(tmp_path, source)) == []


def test_it_is_a_warning_that_says_what_to_write(tmp_path: Path) -> None:
    forgotten, called, unbound = surveyed(
        tmp_path, f"deco(minutes=5)\n{F}\ng = deco(hours=1)(f)\n\n@alert(every=5)\ndef h(): pass\n"
    ).problems

    assert {forgotten.severity, called.severity, unbound.severity} == {Severity.WARNING}
    assert forgotten.message == "`deco(minutes=5)` above f is a call and no decorator, so f is not a job"
    assert forgotten.hint == "Put an @ in front of it."
    assert called.message == "`deco(hours=1)` is called here, and a marker marks only the function it stands above"
    assert called.hint == "Write @deco(hours=1) directly above a function."
    assert unbound.message == "`alert` is bound nowhere in this file, and has no trigger keyword: h is not a job"
    assert unbound.hint.startswith("Import it; or, as a marker, say when: @alert(minutes=5).")


def test_a_decorator_that_ends_the_file_is_told_before_it_does(tmp_path: Path) -> None:
    (problem,) = surveyed(tmp_path, f"@deco(minutes=5)\n@alert\n{F}").problems

    assert (problem.code, problem.line) == ("SA213", 2)
    assert problem.message.endswith("has no trigger keyword: the file will not load")


@pytest.mark.parametrize("config", [("alert",), ("deco", "alert")])
def test_only_configured_markers_are_near_misses(tmp_path: Path, config: tuple[str, ...]) -> None:
    found = problems(surveyed(tmp_path, f"deco(minutes=5)\n{F}", *config))

    assert found == ([("SA212", 1, 1)] if "deco" in config else [])


def test_the_other_functions_of_the_file_run(tmp_path: Path) -> None:
    source = f"{OWN}deco(minutes=5)\n{F}\n@deco(minutes=1)\ndef g():\n    return 2\n"
    with loaded(tmp_path, {"x.py": source}) as catalog:
        assert (names(catalog), problems(catalog)) == (["x.g"], [("SA212", 2, 1)])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("minute", "minutes"), ("min", "minutes"), ("mins", "minutes"), ("sec", "seconds"), ("secs", "seconds"),
        ("hour", "hours"), ("hrs", "hours"), ("day", "days"), ("week", "weeks"), ("every", "minutes"),
        ("interval", "minutes"), ("schedule", "cron"), ("crontab", "cron"), ("when", "at"), ("time", "at"),
        ("channel", "to"), ("event", "on"), ("emit", "emits"), ("hours", "hours"), ("tz", "timezone"),
        ("retry", "retries"), ("max_alerts", "max_alert"),
    ],
)  # fmt: skip
def test_the_keyword_that_was_probably_meant_is_named(word: str, meant: str) -> None:
    assert keyword_suggestion(word) == f"Did you mean {meant}?"
