"""What the pages claim of the code is so: what it depends on, what it does, what a reader has to have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from slack_alert.cli.main import COMMANDS
from slack_alert.cli.setup.doctor_checks import LIBRARIES
from tests.docs.book import ROOT, pages

DECISION = ROOT / "docs" / "decisions" / "0013-dependencies.md"
NUMBERS = ("seven", "eight", "nine", "ten")


def required() -> set[str]:
    """Name what is always installed, but for what one system needs."""
    found = re.search(
        r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return {name for name, mark in re.findall(r'^    "([\w-]+)[^";]*(;?)', found[1], re.MULTILINE) if not mark}


def rows() -> Iterator[tuple[str, str]]:
    """Yield each library of the decision, and where it is said to be imported."""
    for line in DECISION.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith(("| library", "| ---")):
            name, _, place = (cell.strip() for cell in line.strip("|").split("|"))
            yield name, place


def test_the_decision_names_what_is_required_and_counts_it() -> None:
    text = DECISION.read_text(encoding="utf-8")
    head = re.match(r"# 13\. (\w+) dependencies", text)

    assert {name for name, _ in rows()} == required()
    assert head is not None
    assert NUMBERS.index(head[1].lower()) + 7 == len(required())


@pytest.mark.thorough
def test_each_is_imported_where_the_decision_says() -> None:
    """All in one: to read every file of the package takes long."""
    said = {library: set(re.findall(r"`(\w+)/", place)) for library, place in rows()}
    found = imports()

    assert {library: {file.split("/")[0] for file, name in found if name == library} for library in said} == said


def imports() -> set[tuple[str, str]]:
    """Return each file of the package with each package that it imports."""
    package = ROOT / "slack_alert"
    return {
        (path.relative_to(package).as_posix(), name.split(".")[0])
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in imported_by(node)
    }


def imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


def test_the_decision_counts_the_commands() -> None:
    told = re.search(r"with ([\w-]+) commands", DECISION.read_text(encoding="utf-8"))

    assert told is not None
    assert told[1] == f"{len(COMMANDS)}"


def test_doctor_and_the_tutorial_look_at_all_of_them() -> None:
    tutorial = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    line = next(line for line in tutorial.splitlines() if " libraries " in line)

    assert set(LIBRARIES) == required()
    assert re.findall(r"(\w+) \d", line) == list(LIBRARIES)


def test_no_page_sends_a_reader_away_for_the_code_he_has() -> None:
    away = re.compile(r"git clone https?://|github\.com/dongweiming")

    assert [page.name for page in pages() if away.search(page.path.read_text(encoding="utf-8"))] == []


def test_the_readme_promises_the_order_that_there_is() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())

    assert (
        "in each conversation, in which it was written down; where more waits than a burst, within each job" in readme
    )
