"""Guards whose file, or whose marker, does not load: they are known, so that they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slack_alert.core.catalog import Catalog
from slack_alert.loader import unload
from tests.fakes.plugin_desk import Desk
from tests.fakes.plugins import loaded

GUARD = "@deco(guard='deploy')\ndef g(command): return None\n"
BROKEN = f"import nowhere_to_be_found\n{GUARD}"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield Desk(tmp_path)
    unload()


def unavailable(catalog: Catalog) -> list[tuple[str, tuple[str, ...], str]]:
    return [(guard.name, guard.words, guard.fault.partition(": ")[0]) for guard in catalog.unavailable_guards]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(GUARD, [], id="sound"),
        pytest.param(BROKEN, [("x.g", ("deploy",), "plugins/x.py:1")], id="fails while loading"),
        pytest.param(f"{GUARD}g = 1\n", [], id="its name is bound again"),
        pytest.param(f"{GUARD}def f(:\n", [("x", ("*",), "plugins/x.py:3")], id="no Python"),
        pytest.param(f"{GUARD}return\n", [("x", ("*",), "plugins/x.py:3")], id="does not compile"),
        pytest.param("def f(:\n", [], id="no Python, and names no guard"),
        pytest.param("safeguard = (\n", [], id="no Python, and its text only resembles a guard"),
        pytest.param(f"# coding: latin-17\n{GUARD}", [("x", ("*",), "plugins/x.py:1")], id="unknown encoding"),
        pytest.param(GUARD.replace("')", "', tiemout=3)"), [("x.g", ("deploy",), "plugins/x.py:1")], id="bad keyword"),
        pytest.param(GUARD.replace("'deploy'", "words()"), [("x.g", ("*",), "plugins/x.py:1")], id="unknown words"),
        pytest.param(GUARD.replace("'deploy'", "7"), [("x.g", ("*",), "plugins/x.py:1")], id="bad words"),
        pytest.param(GUARD.replace("(command)", "(what)"), [("x.g", ("deploy",), "plugins/x.py:1")], id="signature"),
        pytest.param(BROKEN.replace("')", "', enabled=False)"), [], id="not enabled"),
        pytest.param("@deco(command='deploy')\ndef f(:\n", [], id="a faulty command"),
    ],
)
def test_a_guard_that_does_not_load_is_known_with_its_words_and_its_problem(
    tmp_path: Path, content: str, expected: list[tuple[str, tuple[str, ...], str]]
) -> None:
    with loaded(tmp_path, {"x.py": content, "y.py": "@deco(minutes=5)\ndef f(): pass"}) as catalog:
        pass

    assert unavailable(catalog) == expected


def test_a_file_that_cannot_be_read_may_guard_everything(desk: Desk) -> None:
    desk.path("x.py").parent.mkdir(parents=True)
    desk.path("x.py").symlink_to("x.py")
    desk.load()

    assert unavailable(desk.catalog) == [("x", ("*",), "plugins/x.py:1")]


@pytest.mark.parametrize("broken", [BROKEN, f"{GUARD}def f(:\n"])
def test_the_last_good_guard_stays(desk: Desk, broken: str) -> None:
    desk.load(x=GUARD)
    desk.change(x=broken)
    desk.wait()
    desk.reload()

    assert unavailable(desk.catalog) == []
    assert [guard.fault for guard in desk.catalog.guards] == [""]


@pytest.mark.parametrize("broken", [BROKEN, f"{GUARD}def f(:\n"])
def test_a_mended_guard_is_asked_and_refuses_no_more(desk: Desk, broken: str) -> None:
    desk.load(x=broken)
    assert [guard.fault for guard in desk.catalog.guards] != [""]
    desk.change(x=GUARD)

    assert unavailable(desk.catalog) == []
    assert [(guard.name, guard.fault) for guard in desk.catalog.guards] == [("x.g", "")]


def test_a_new_guard_that_does_not_load_refuses(desk: Desk) -> None:
    desk.load(y="@deco(minutes=5)\ndef f(): pass")
    desk.change(x=BROKEN)

    assert unavailable(desk.catalog) == [("x.g", ("deploy",), "plugins/x.py:1")]


def test_a_guard_whose_file_is_taken_away_refuses_no_more(desk: Desk) -> None:
    desk.load(x=BROKEN)
    desk.reload()
    desk.path("x.py").unlink()
    desk.reload()
    desk.wait()
    desk.reload()

    assert unavailable(desk.catalog) == []
