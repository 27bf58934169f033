"""Plugin files in a process that gets their contents: the contents count, not the files on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slack_alert.core.model.run import Action
from slack_alert.loader import JobSnapshots, unload
from slack_alert.loader.modules.lazy import FunctionLoader
from tests.fakes.plugins import write

JOB = "@deco(hours=1)\ndef f(): return {}\n"


class Desk:
    """A FunctionLoader, and the files that are handed to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shelf = FunctionLoader(root, ())

    def hand(self, **files: str | None) -> None:
        """Hand over the contents of these files; None: the file no longer exists."""
        contents = {name: None if text is None else text.encode() for name, text in files.items()}
        self.shelf.update({str(self.root / "plugins" / f"{name}.py"): content for name, content in contents.items()})

    def call(self, file: str = "x") -> object:
        return self.shelf.load(Action(f"{file.replace('/', '.')}.f", f"plugins/{file}.py", 1))()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield Desk(tmp_path)
    unload()


def test_what_was_handed_over_runs_whatever_is_on_the_disk(desk: Desk) -> None:
    write(desk.root, {"x.py": "def ("})
    desk.hand(x=JOB.format(1))

    assert desk.call() == 1


@pytest.mark.parametrize(
    ("importing", "word"),
    [
        ("import common", "common.V"),
        ("from common import V", "V"),
        ("from .common import V", "V"),
        ("from . import common", "common.V"),
        ("import json as common", "common.V"),
        ("import lib.deep", "lib.deep.V"),
        ("from lib.deep import V", "V"),
    ],
)
@pytest.mark.parametrize("folder", ["", "db/"])
def test_neighbours_are_what_was_handed_over_too(desk: Desk, importing: str, word: str, folder: str) -> None:
    name = "json" if "json" in importing else "lib/deep" if "lib" in importing else "common"
    desk.hand(**{f"{folder}x": f"{importing}\n{JOB.format(word)}", f"{folder}{name}": "V = 1"})
    before = desk.call(f"{folder}x")
    desk.hand(**{f"{folder}{name}": "V = 2"})

    assert (before, desk.call(f"{folder}x")) == (1, 2)


def test_file_that_was_not_handed_over_lends_its_name_to_nobody(desk: Desk) -> None:
    write(desk.root, {"json.py": "V = 1"})
    desk.hand(x=f"import json\n{JOB.format('json.dumps(2)')}")

    assert desk.call() == "2"


def test_what_did_not_change_keeps_its_state(desk: Desk) -> None:
    desk.hand(x=f"KEPT = []\n{JOB.format('KEPT.append(1) or len(KEPT)')}", y=JOB.format(1))
    desk.call()
    desk.hand(y=JOB.format(2))

    assert desk.call() == 2


def test_file_that_is_gone_has_no_function_any_more(desk: Desk) -> None:
    desk.hand(x=JOB.format(1))
    desk.call()
    desk.hand(x=None)

    with pytest.raises(ImportError):
        desk.call()


def test_package_is_executed_with_its_own_file(desk: Desk) -> None:
    desk.hand(**{"db/__init__": "V = 1", "db/x": f"from . import V\n{JOB.format('V')}"})

    assert desk.call("db/x") == 1


def test_file_of_a_name_with_a_dot_is_found(desk: Desk) -> None:
    desk.hand(**{"a.b": JOB.format(3)})

    assert desk.shelf.load(Action("a.b.f", "plugins/a.b.py", 1))() == 3


def test_what_was_found_on_the_disk_is_told_once_and_stays(desk: Desk) -> None:
    write(desk.root, {"_late.py": "V = 1"})
    desk.hand(x=f"import _late\n{JOB.format('_late.V')}")
    desk.call()
    found = desk.shelf.newly_read()
    write(desk.root, {"_late.py": "V = 2"})

    assert [Path(path).name for path in found] == ["_late.py"]
    assert (desk.call(), desk.shelf.newly_read()) == (1, {})
    desk.hand(_late="V = 3")
    assert desk.call() == 3


def test_same_files_are_the_same_object() -> None:
    accepted = JobSnapshots({"x.py": b"1"})
    first = accepted.contents_for("x.f")
    accepted.renew({"x.py": b"1"})

    assert accepted.contents_for("x.f") is first


def test_what_a_process_found_never_takes_the_place_of_what_is_known() -> None:
    accepted = JobSnapshots({"x.py": b"1"})
    accepted.add_found({"x.py": b"2", "_late.py": b"3"})

    assert accepted.contents_for("x.f") == {"x.py": b"1", "_late.py": b"3"}
    assert accepted.drain_found() == {"_late.py": b"3"}
