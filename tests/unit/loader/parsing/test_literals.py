from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.plugins import job, names, problems, surveyed


@pytest.mark.parametrize(
    ("before", "value", "shown"),
    [
        ("", "300", "every 5m"),
        ("", "60*5", "every 5m"),
        ("", "(1 + 2) * 10 ** 2", "every 5m"),
        ("", "-(-300)", "every 5m"),
        ("", "+301 // 2 * 2", "every 5m"),
        ("", "600 / 2", "every 5m"),
        ("", "1_300 % 1000", "every 5m"),
        ("FIVE = 5", "60 * FIVE", "every 5m"),
        ("FIVE: int = 5\nN = M = FIVE * 60", "N", "every 5m"),
    ],
)
def test_arithmetic_on_literals_and_constants_is_worked_out(
    tmp_path: Path, before: str, value: str, shown: str
) -> None:
    catalog = surveyed(tmp_path, f"{before}\n@deco(seconds={value})\ndef f(): pass")

    assert problems(catalog) == []
    assert job(catalog).shown == shown


@pytest.mark.parametrize(
    "value",
    [
        "0",
        "-1",
        "True",
        "None",
        "1j",
        "...",
        "'5'",
        "b'5'",
        "f'5'",
        "[5]",
        "{'a': 5}",
        "1e999",
        "0 * 1e999",
        "1/0",
        "9**9**9",
        "10**64 * 10**64",
        "2**-10000",
        "(-1)**0.5",
        "1e18**64",
        "5 << 2",
        "not 5",
        "True + 4",
        "'a' * 10",
        "5 if x else 6",
        "len('abc')",
        "os.environ['X']",
        "UNKNOWN",
        "(n := 5)",
        "0x" + "f" * 5000,
        "9" * 4000,
        "1" + "+1" * 200,
        "[*x]",
    ],
)
def test_any_other_value_is_a_problem(tmp_path: Path, value: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(seconds={value})\ndef f(): pass\n@deco(seconds=1)\ndef g(): pass")

    assert problems(catalog) == [("SA201", 1, 1)]
    assert names(catalog) == ["x.g"]
    assert len(catalog.problems[0].message) < 600


@pytest.mark.parametrize(
    "before",
    [
        "N = 5\nN = 6",
        "N = 5\nN += 1",
        "N = 5\ndef g():\n  global N\n  N = 6",
        "N = 5\nfor N in (): pass",
        "N = 5\ndel N",
        "N = 5\nif x:\n  N = 6",
        "N = 5\nprint(N := 6)",
        "N = 5\nwith x as N: pass",
        "N = 5\nmatch x:\n  case [N]: pass",
        "if x:\n  N = 5",
        "N, M = 5, 6",
        "from lib import N",
        "def N(): pass",
        "N: int",
        "N = M\nM = N",
        "N = N",
        "N = int('5')",
        "def g():\n  N = 5",
    ],
)
def test_a_constant_is_assigned_once_at_module_level(tmp_path: Path, before: str) -> None:
    catalog = surveyed(tmp_path, f"{before}\n@deco(seconds=N)\ndef f(): pass")

    assert [problem.code for problem in catalog.problems] == ["SA201"]
    assert "N" in catalog.problems[0].message


def test_a_value_that_is_not_known_is_quoted(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(seconds=é(\n   1 ) + 'é')\ndef f(): pass")

    assert catalog.problems[0].message == "seconds must be known before the file runs, got é( 1 )"


@pytest.mark.parametrize(
    ("keyword", "meant"),
    [
        ("minuts", "minutes"),
        ("jiter", "jitter"),
        ("workinghours", "working_hours"),
        ("error_to", "errors_to"),
        ("channel", "to"),
        ("chanel", "to"),
    ],
)
def test_an_unknown_keyword_names_the_nearest_one(tmp_path: Path, keyword: str, meant: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(hours=1, {keyword}=1)\ndef f(): pass")

    assert [(problem.code, problem.hint) for problem in catalog.problems] == [("SA202", f"Did you mean {meant}?")]


def test_an_unknown_keyword_that_is_near_to_none_is_told_those_of_this_version(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(hours=1, colour=1)\ndef f(): pass")

    assert catalog.problems[0].hint == (
        "Allowed: weeks, days, hours, minutes, seconds, cron, at, command, on, emits, guard, name, enabled, to, "
        "errors_to, timezone, start, end, jitter, at_start, working_hours, max_alert, pause_time, while_paused, where, "
        "any, all, not_, within, at_most, collect, otherwise, params, absent, dedup, "
        "after, repeat, remind, recover, escalate, catch_up, baseline, "
        "timeout, retries, retry_delay, queue, lock, isolation, memory_limit, cpu_limit, allow, hidden."
    )


@pytest.mark.parametrize("written", ["**{'seconds': 3}", "**SPEC", "x=1, **SPEC"])
def test_keywords_behind_stars_are_no_reason_to_pass_a_marker_over(tmp_path: Path, written: str) -> None:
    catalog = surveyed(tmp_path, f"SPEC = {{'seconds': 3}}\n@anything({written})\ndef f(): pass")

    assert ("SA201", 2, 1) in [(problem.code, problem.line, problem.column) for problem in catalog.problems]
    assert "cannot be read without running the file" in catalog.problems[0].message


def test_a_decorator_of_the_file_s_own_may_take_stars(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "def real(**_): return lambda f: f\n@real(**{})\ndef f(): pass")

    assert catalog.problems == ()
