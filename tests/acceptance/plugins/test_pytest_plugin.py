"""The fixture in somebody else's project, where the package is installed and its entry point found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
#: What is installed here as well, and takes its time to be imported.
WITHOUT = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:timeout")
ENTRY_POINT = "slack_alert = {quote}slack_alert.testing_pytest{quote}"
TESTS = """
import sys

AT_COLLECTION = {name for name in sys.modules if name.partition(".")[0] == "slack_alert"}


def test_nothing_of_the_program_was_imported_to_collect_this():
    assert AT_COLLECTION == {"slack_alert", "slack_alert.testing_pytest"}


def test_a_file_is_found_below_the_root(slack_alert):
    slack_alert.load("plugins/disk.py")

    assert [one.text for one in slack_alert.advance(minutes=5)] == ["full"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for name, text in {
        "pytest.ini": "[pytest]\n",
        "test_disk.py": TESTS,
        "plugins/disk.py": "@deco(minutes=5)\ndef space(): return 'full'\n",
        "../site/slack_alert-1.0.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: slack-alert\nVersion: 1.0.0\n",
        "../site/slack_alert-1.0.0.dist-info/entry_points.txt": f"[pytest11]\n{ENTRY_POINT.format(quote='')}\n",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return project


def run_pytest(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(project.parent / "site"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", *WITHOUT, *options, str(project)],
        env={**os.environ, "PYTHONPATH": path, "PYTEST_ADDOPTS": ""},
        cwd=project.parent,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_the_entry_point_is_the_one_the_package_declares() -> None:
    assert ENTRY_POINT.format(quote='"') in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("-p", "no:xdist"), id="plain"),
        pytest.param(("--import-mode=importlib", "-n", "1"), id="xdist", marks=pytest.mark.thorough),
    ],
)
def test_the_fixture_is_there_without_a_word_and_costs_nothing_until_it_is_used(
    project: Path, options: tuple[str, ...]
) -> None:
    ended = run_pytest(project, *options)

    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert "2 passed" in ended.stdout


@pytest.mark.slow
def test_the_plugin_can_be_left_out(project: Path) -> None:
    ended = run_pytest(project, "-p", "no:xdist", "-p", "no:slack_alert")

    assert ended.returncode == 1
    assert "fixture 'slack_alert' not found" in ended.stdout
