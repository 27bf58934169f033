"""The page about the architecture is about the code as it is: its picture, its tree, and whatever it names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from docs.images import pipeline
from tests.docs.book import ROOT, Page

PACKAGE = ROOT / "slack_alert"
PAGE = Page(ROOT / "docs" / "architecture.md")
PICTURE = ROOT / "docs" / "images" / "pipeline.svg"
QUESTIONS = 29
#: What is said to be below the root, and not below the package.
_ELSEWHERE = ("tests/", "docs/")
#: Classes on the page are written so, and nothing else is.
_CLASS = re.compile(r"[A-Z][a-z]\w*")
_TEXT = "{http://www.w3.org/2000/svg}text"


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one of its rank."""
    _, found, after = PAGE.text.partition(f"\n## {heading}\n")
    assert found, heading
    return after.partition("\n## ")[0]


def rows(text: str) -> list[tuple[str, str]]:
    """Return the two cells of each row of a table, without its head."""
    return [
        (first.strip(), second.strip()) for first, second in re.findall(r"^\| (.+?) \| (.+) \|$", text, re.MULTILINE)
    ][2:]


def paths(text: str) -> list[str]:
    return [word for word in re.findall(r"`([\w./]+)`", text) if "/" in word]


def place(named: str) -> Path:
    return (ROOT if named.startswith(_ELSEWHERE) else PACKAGE) / named.removeprefix("slack_alert/")


@cache
def classes() -> dict[str, frozenset[str]]:
    """Return the classes of each module of the package, by its path."""
    return {
        path.relative_to(PACKAGE).as_posix(): frozenset(
            node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)
        )
        for path in PACKAGE.rglob("*.py")
    }


def packages() -> Iterator[str]:
    for file in PACKAGE.rglob("__init__.py"):
        if file.parent != PACKAGE:
            yield f"{file.parent.relative_to(PACKAGE).as_posix()}/"


def test_the_picture_shows_the_code_as_it_is() -> None:
    """`python docs/images/pipeline.py` draws it anew."""
    assert PICTURE.read_text(encoding="utf-8") == pipeline.drawn()


def test_the_picture_shows_every_stage_with_its_module() -> None:
    shown = [text.text for text in ET.fromstring(pipeline.drawn()).iter(_TEXT)]
    stages = [stage for row in pipeline.ROWS for stage in row]

    assert [stage.name for stage in stages if {stage.name, stage.code.__name__, stage.module} - {*shown}] == []
    assert [stage.module for stage in stages if not (PACKAGE / stage.module).is_file()] == []


def test_no_text_of_the_picture_is_wider_than_its_box() -> None:
    """A fixed-width font of this size takes 7.3 for each character at most."""
    room = pipeline.BOX - 28
    stages = [stage for row in pipeline.ROWS for stage in row]

    assert [stage.module for stage in stages if 7.3 * max(len(stage.module), len(stage.code.__name__)) > room] == []


def test_the_tree_has_every_package_and_no_other() -> None:
    """Each folder with an `__init__` has one line."""
    listed = [name.strip("`") for name, _ in rows(section("The tree"))]

    assert sorted(listed) == sorted(packages())


def test_a_package_stands_right_below_the_one_that_it_is_in() -> None:
    listed = [name.strip("`") for name, _ in rows(section("The tree"))]
    above = [name.rpartition("/")[0].rpartition("/")[0] for name in listed]

    assert [
        name
        for name, within, before in zip(listed[1:], above[1:], listed, strict=False)
        if within and not before.startswith(f"{within}/")
    ] == []


def test_each_question_is_answered_by_modules_and_each_part_answers_one() -> None:
    asked = rows(section("Where do I look for ..."))
    parts = {name.partition("/")[0] for name in packages()}

    assert len({question for question, _ in asked}) == QUESTIONS
    assert [question for question, _ in asked if not question.endswith("?")] == []
    assert [question for question, answer in asked if not paths(answer)] == []
    assert parts - {path.partition("/")[0] for _, answer in asked for path in paths(answer)} == set()


def test_every_path_that_is_named_exists() -> None:
    """All in one, as it is quick: so are the other tests of all pages or blocks."""
    named = sorted(set(paths(PAGE.prose())))

    assert [each for each in named if not (place(each).is_dir() if each.endswith("/") else place(each).is_file())] == []
    assert named


@pytest.mark.thorough
def test_every_class_that_is_named_exists() -> None:
    known = frozenset[str]().union(*classes().values())
    named = {word for word in re.findall(r"`(\w+)`", PAGE.prose()) if _CLASS.fullmatch(word)}

    assert sorted(named - known) == []
    assert named


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "module"), sorted(set(re.findall(r"`(\w+)`\s+\(`([\w./]+)`\)", PAGE.prose()))))
def test_every_class_is_in_the_module_beside_it(name: str, module: str) -> None:
    assert name in classes()[module]


def test_a_slot_travels_in_steps_that_count_on() -> None:
    numbers = re.findall(r"^(\d+)\. ", section("How one slot travels"), re.MULTILINE)

    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert 10 <= len(numbers) <= 14
