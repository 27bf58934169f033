"""Plugin files that take long to load, never end, or end in another way than most: the others run meanwhile."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from slack_alert.core.catalog import CatalogChange
from slack_alert.loader import Plugins, find_plugins, load, open_plugins, unload
from slack_alert.loader.files.changes import UNFINISHED
from slack_alert.loader.modules.background_loading import LoadOptions
from tests.fakes.plugins import DEFAULTS, call, loaded, names, problems, write

JOB = "\n@deco(hours=1)\ndef f(): return __name__\n"
HANGS = f"import time\nwhile True: time.sleep(0.001){JOB}"
BUSY = f"while True: pass{JOB}"
#: Ends when the test lets it.
WAITS = f"import gates_of_a_test as gates\ngates.begun.set()\nassert gates.gate.wait(60){JOB}"
#: Long enough for everything else to load on a busy machine.
PATIENT = LoadOptions(timedelta(seconds=60), slow=timedelta(seconds=0.05))
HASTY = LoadOptions(timedelta(seconds=1), slow=timedelta(seconds=0.05))


class Gates(ModuleType):
    """The gates that plugin files wait for."""

    def __init__(self) -> None:
        super().__init__("gates_of_a_test")
        self.begun, self.gate = threading.Event(), threading.Event()


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gates]:
    found = Gates()
    monkeypatch.setitem(sys.modules, found.__name__, found)
    yield found
    found.gate.set()
    unload()


def opened(root: Path, options: LoadOptions, **files: str) -> Plugins:
    write(root, {f"{name}.py": content for name, content in files.items()})
    return open_plugins(find_plugins(root), lambda: DEFAULTS, options=options)


def ended(plugins: Plugins) -> CatalogChange:
    """Wait until all files that were still loading are taken up."""
    while (change := plugins.adopt_loaded()) is None:
        threading.Event().wait(0.005)
    return change


@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "SystemExit(3)", "GeneratorExit", "BaseException('no')"])
def test_file_that_raises_whatever_is_a_problem_of_its_own(tmp_path: Path, raised: str) -> None:
    files: dict[str, str | bytes] = {"x.py": f"\nraise {raised}{JOB}", "y.py": JOB}
    with loaded(tmp_path, files) as catalog:
        assert problems(catalog) == [("SA103", 2, 1)]
        assert names(catalog) == ["y.f"]


@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "SystemExit(3)", "GeneratorExit", "BaseException('no')"])
def test_edit_that_raises_whatever_leaves_the_last_good_version(tmp_path: Path, gates: Gates, raised: str) -> None:
    plugins = opened(tmp_path, PATIENT, x=JOB, y=JOB)
    write(tmp_path, {"x.py": f"raise {raised}{JOB}"})
    plugins.reload(0.0)
    plugins.reload(UNFINISHED)

    assert problems(plugins.catalog) == [("SA103", 1, 1)]
    assert call(plugins.catalog, "x.f") == "plugins.x"


def test_slow_file_is_named_and_the_others_run_without_it(
    tmp_path: Path, gates: Gates, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        plugins = opened(tmp_path, PATIENT, a=JOB, b=WAITS, c=JOB)

    assert names(plugins.catalog) == ["a.f", "c.f"]
    assert [(vars(each)["file"], vars(each)["given_up_after"]) for each in caplog.records] == [("plugins/b.py", "1m")]
    assert plugins.adopt_loaded() is None


def test_file_that_ends_late_is_taken_up_then(tmp_path: Path, gates: Gates) -> None:
    plugins = opened(tmp_path, PATIENT, a=JOB, b=WAITS)
    gates.gate.set()
    change = ended(plugins)

    assert (change.added, change.kept) == (("b.f",), 1)
    assert call(change.catalog, "b.f") == "plugins.b"
    assert plugins.adopt_loaded() is None


@pytest.mark.slow
@pytest.mark.parametrize("source", [pytest.param(BUSY, marks=pytest.mark.thorough), WAITS])
def test_file_that_never_ends_is_given_up_and_told(tmp_path: Path, gates: Gates, source: str) -> None:
    plugins = opened(tmp_path, HASTY, a=JOB, b=source)
    change = ended(plugins)

    (problem,) = change.catalog.problems
    assert (problem.file, problem.code) == ("plugins/b.py", "SA103")
    assert problem.message == "failed while loading: still loading after 1s: given up"
    assert "load_timeout" in problem.hint
    assert names(change.catalog) == ["a.f"]


@pytest.mark.slow
def test_short_command_waits_for_slow_files_until_they_are_given_up(tmp_path: Path, gates: Gates) -> None:
    write(tmp_path, {"a.py": HANGS, "b.py": JOB, "c.py": WAITS})
    catalog = load(tmp_path, DEFAULTS, options=HASTY)

    assert [problem.file for problem in catalog.problems] == ["plugins/a.py", "plugins/c.py"]
    assert names(catalog) == ["b.f"]


def test_short_command_that_wants_one_job_waits_for_no_other(tmp_path: Path, gates: Gates) -> None:
    write(tmp_path, {"a.py": JOB, "b.py": WAITS, "c.py": JOB})
    catalog = load(tmp_path, DEFAULTS, options=PATIENT, is_enough=lambda found: len(found) == 2)

    assert names(catalog) == ["a.f", "c.f"]


def test_with_nothing_else_to_run_a_slow_file_is_waited_for(tmp_path: Path, gates: Gates) -> None:
    def let() -> None:
        gates.begun.wait()
        gates.gate.set()

    threading.Thread(target=let).start()
    plugins = opened(tmp_path, LoadOptions(timedelta(seconds=60), slow=timedelta()), b=WAITS)

    assert names(plugins.catalog) == ["b.f"]


@pytest.mark.slow
def test_edit_that_never_ends_is_given_up_and_the_others_are_taken_up(tmp_path: Path, gates: Gates) -> None:
    plugins = opened(tmp_path, HASTY, a=JOB, b=JOB, c=JOB)
    write(tmp_path, {"a.py": HANGS, "b.py": JOB.replace("__name__", "2")})
    plugins.reload(0.0)
    plugins.reload(UNFINISHED)

    assert [(problem.file, problem.code) for problem in plugins.catalog.problems] == [("plugins/a.py", "SA103")]
    assert [call(plugins.catalog, f"{name}.f") for name in "abc"] == ["plugins.a", 2, "plugins.c"]


@pytest.mark.slow
def test_file_that_was_given_up_is_executed_again_only_when_it_is_another(tmp_path: Path, gates: Gates) -> None:
    plugins = opened(tmp_path, HASTY, a=JOB, b=HANGS)
    ended(plugins)
    write(tmp_path, {"a.py": JOB.replace("__name__", "2")})
    plugins.reload(0.0)
    plugins.reload(UNFINISHED)
    assert problems(plugins.catalog) == [("SA103", 1, 1)]

    write(tmp_path, {"b.py": JOB})
    plugins.reload(UNFINISHED)
    plugins.reload(2 * UNFINISHED)
    assert problems(plugins.catalog) == []
    assert names(plugins.catalog) == ["a.f", "b.f"]


def test_edit_of_a_file_that_is_still_loading_counts_and_not_the_former_one(tmp_path: Path, gates: Gates) -> None:
    plugins = opened(tmp_path, PATIENT, a=JOB, b=f"{WAITS}\n@deco(hours=1)\ndef former(): pass\n")
    write(tmp_path, {"b.py": JOB})
    gates.gate.set()
    plugins.reload(0.0)
    plugins.reload(UNFINISHED)
    while not plugins.is_loaded:
        assert plugins.adopt_loaded() is None

    assert names(plugins.catalog) == ["a.f", "b.f"]


def test_asyncio_has_a_loop_for_every_file(tmp_path: Path) -> None:
    source = "import asyncio\nLOOP = asyncio.get_event_loop()\nasync def g(): return 1\nasyncio.run(g())"
    with loaded(tmp_path, {"x.py": f"{source}{JOB}", "y.py": f"{source}{JOB}"}) as catalog:
        assert problems(catalog) == []
        assert sys.modules["plugins.x"].LOOP.run_until_complete(sys.modules["plugins.x"].g()) == 1
        sys.modules["plugins.x"].LOOP.close()


def test_a_guard_that_is_still_loading_refuses_until_it_is_there(tmp_path: Path, gates: Gates) -> None:
    guard = f"{WAITS}\n@deco(guard='*')\ndef g(): return None\n"
    plugins = opened(tmp_path, PATIENT, x=guard, y=JOB)
    assert [each.fault for each in plugins.catalog.guards] == ["plugins/x.py is still loading"]
    gates.gate.set()
    ended(plugins)

    assert [each.fault for each in plugins.catalog.guards] == [""]
