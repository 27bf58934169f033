"""Plugin files and folders that others may write are warned about, because plugins are code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slack_alert.core.catalog import Problem, Severity
from slack_alert.engine.system.other_writers import is_private
from slack_alert.loader import find_plugins, open_plugins, survey, unload
from tests.fakes.plugins import DEFAULTS, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a mode says nothing there")
JOB = "@deco(hours=1)\ndef f(): return 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, {"x.py": JOB, "y.py": JOB, "_lib/a.py": "V = 1\n", "db/z.py": JOB})
    for path in [*tmp_path.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path / "plugins"


@pytest.fixture(autouse=True)
def _unloaded() -> Iterator[None]:
    yield
    unload()


def told(folder: Path) -> list[tuple[str, str]]:
    problems = survey(folder.parent, DEFAULTS).problems
    assert {(problem.code, problem.severity) for problem in problems} <= {("SA104", Severity.WARNING)}
    return [(problem.file, problem.message) for problem in problems]


def test_what_the_owner_alone_may_write_is_fine(folder: Path) -> None:
    assert told(folder) == []


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        (["."], [("plugins", "everybody may write this folder")]),
        ([".", "x.py"], [("plugins", "everybody may write this folder")]),
        (["db"], [("plugins/db", "everybody may write this folder")]),
        (["_lib"], [("plugins/_lib", "everybody may write this folder")]),
        (["y.py"], [("plugins/y.py", "everybody may write this file")]),
        (["x.py", "y.py"], [("plugins/x.py", "everybody may write this file, and 1 more of this folder")]),
        (["db/z.py"], [("plugins/db/z.py", "everybody may write this file")]),
    ],
)
def test_what_everybody_may_write_is_told_once_for_each_folder(
    folder: Path, opened: list[str], expected: list[tuple[str, str]]
) -> None:
    for name in opened:
        path = folder / name
        path.chmod(path.stat().st_mode | 0o002)

    assert told(folder) == expected


@pytest.mark.parametrize(
    ("group", "members", "expected"),
    [("ann", [], True), ("ann", ["ann"], True), ("ann", ["ann", "bob"], False), ("ops", [], False)],
)
def test_group_of_the_owner_alone_is_nobody_else(group: str, members: list[str], expected: bool) -> None:
    assert is_private(group, members, "ann") is expected


def test_the_problem_says_what_to_do(folder: Path) -> None:
    (folder / "x.py").chmod(0o666)
    (problem,) = survey(folder.parent, DEFAULTS).problems

    hint = f"Plugins run with the rights and the token of this program: `chmod go-w {folder / 'x.py'}`."
    assert Problem("plugins/x.py", 1, 1, Severity.WARNING, "SA104", problem.message, hint) == problem


def test_it_is_told_again_when_plugins_are_taken_up_only_if_it_changed(folder: Path) -> None:
    (folder / "y.py").chmod(0o666)
    plugins = open_plugins(find_plugins(folder.parent), lambda: DEFAULTS)
    (folder / "db").chmod(0o777)
    change = plugins.reload(0)
    (folder / "y.py").chmod(0o644)
    (folder / "db").chmod(0o755)
    mended = plugins.reload(1)

    assert change is not None
    assert [problem.file for problem in change.catalog.problems] == ["plugins/db", "plugins/y.py"]
    assert mended is not None
    assert (mended.catalog.problems, plugins.reload(2)) == ((), None)


def test_it_is_no_news_that_what_was_told_at_the_start_is_so_still(folder: Path) -> None:
    (folder / "y.py").chmod(0o666)

    assert open_plugins(find_plugins(folder.parent), lambda: DEFAULTS).reload(0) is None
