"""Packs that come with the program, or with another distribution."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import slack_alert
from slack_alert.loader import survey
from tests.fakes.packs import FUNCTION, configured, write_pack
from tests.fakes.plugins import DEFAULTS, names, write


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that comes with a pack `files`."""
    program = tmp_path / "program"
    write_pack(program, "files", {"plugin.py": FUNCTION.replace("f()", "shipped()")})
    monkeypatch.setattr(slack_alert, "__path__", [str(program)])
    root = tmp_path / "project"
    root.mkdir()
    write(root, {})
    return root


def test_a_pack_that_comes_with_the_program_loads_where_its_section_exists(shipped: Path) -> None:
    assert names(survey(shipped, DEFAULTS)) == []

    catalog = survey(shipped, configured(shipped, {"files": {}}))
    assert names(catalog) == ["files.shipped"]
    assert catalog.bindings[0].action.file == "slack_alert/packs/files/plugin.py"
    assert catalog.packs[0].origin == "shipped"


def test_a_folder_of_the_same_name_replaces_it_with_a_notice(shipped: Path) -> None:
    write_pack(shipped, "files", {"plugin.py": FUNCTION})

    catalog = survey(shipped, configured(shipped, {"files": {}}))
    assert names(catalog) == ["files.f"]
    assert [(each.code, str(each.severity)) for each in catalog.problems] == [("SA406", "notice")]


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution that brings the pack `extra`, and another whose package is not there."""
    site = tmp_path / "site"
    package = write_pack(site, "extra", {"__init__.py": "", "plugin.py": FUNCTION})
    package.rename(site / "extra_pack")
    info = site / "extra-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[slack_alert.packs]\nextra = extra_pack\ngone = nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(str(site))
    yield_root = tmp_path / "project"
    yield_root.mkdir()
    write(yield_root, {})
    return yield_root


def test_a_pack_of_a_distribution_loads_where_its_section_exists(distribution: Path) -> None:
    assert names(survey(distribution, DEFAULTS)) == []

    catalog = survey(distribution, configured(distribution, {"extra": {}}))
    assert names(catalog) == ["extra.f"]
    assert (catalog.packs[0].origin, catalog.problems) == ("installed", ())
    assert "extra_pack" not in sys.modules


def test_a_broken_entry_point_is_a_warning_that_names_its_package(distribution: Path) -> None:
    (problem,) = survey(distribution, configured(distribution, {"gone": {}})).problems

    assert (problem.code, str(problem.severity)) == ("SA407", "warning")
    assert "extra brings the pack gone" in problem.message
