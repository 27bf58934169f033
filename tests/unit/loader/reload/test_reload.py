"""What an edit of plugin files changes, and what stays."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slack_alert.core.catalog import CatalogChange
from slack_alert.loader import unload
from slack_alert.loader.files.changes import ENDLESS, QUIET, UNFINISHED
from slack_alert.loader.reload.plugins import GRACE
from tests.fakes.plugin_desk import Desk
from tests.fakes.plugins import call, names

COUNTING = """
    STATE = []

    @deco(minutes=5)
    def a():
        STATE.append(1)
        return len(STATE)

    @deco(minutes=5)
    def b():
        return "b"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield Desk(tmp_path)
    unload()


def told(change: CatalogChange) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], int]:
    return change.added, change.replaced, change.removed, change.kept


def test_nothing_changed_is_nothing_to_do(desk: Desk) -> None:
    desk.load(x=COUNTING)

    assert desk.reload() is None
    desk.write(x=COUNTING)
    assert desk.reload() is None


def test_only_the_job_that_was_edited_is_replaced(desk: Desk) -> None:
    desk.load(x=COUNTING)
    change = desk.change(x=COUNTING.replace('"b"', '"c"'))

    assert told(change) == ((), ("x.b",), (), 1)
    assert call(desk.catalog, "x.b") == "c"


def test_file_that_did_not_change_keeps_its_state(desk: Desk) -> None:
    desk.load(x=COUNTING, y=COUNTING)
    assert call(desk.catalog, "y.a") == 1
    desk.change(x=COUNTING.replace('"b"', '"c"'))

    assert call(desk.catalog, "y.a") == 2


def test_functions_of_one_file_share_one_state_after_a_reload(desk: Desk) -> None:
    desk.load(x=COUNTING)
    desk.change(x=COUNTING.replace('"b"', "STATE"))
    call(desk.catalog, "x.a")

    assert call(desk.catalog, "x.b") == [1]


@pytest.mark.parametrize(
    "broken", ["def f(:", "raise OSError('no')", "import nowhere_to_be_found", "@deco(minutes='x')\ndef a(): return 0"]
)
def test_what_does_not_load_leaves_its_last_good_version_running(desk: Desk, broken: str) -> None:
    desk.load(x="@deco(minutes=5)\ndef a(): return 1", y="@deco(minutes=5)\ndef a(): return 2")
    module = sys.modules["plugins.x"]
    change = desk.change(x=broken)
    desk.wait()

    assert told(change) == ((), (), (), 2)
    assert desk.reload() is None
    assert [problem.file for problem in desk.catalog.problems] == ["plugins/x.py"]
    assert call(desk.catalog, "x.a") == 1
    assert (sys.modules["plugins.x"] is module) is ("deco" not in broken)


def test_mended_file_runs_again_and_its_problem_is_gone(desk: Desk) -> None:
    desk.load(x="@deco(minutes=5)\ndef a(): return 1")
    desk.change(x="raise OSError('no')")
    change = desk.change(x="@deco(minutes=5)\ndef a(): return 3")

    assert told(change) == ((), ("x.a",), (), 0)
    assert desk.codes == []
    assert call(desk.catalog, "x.a") == 3


def test_file_that_leads_nowhere_from_the_start_is_no_news_and_gone_with_its_problem(desk: Desk) -> None:
    desk.path("loop.py").parent.mkdir(parents=True, exist_ok=True)
    desk.path("loop.py").symlink_to("loop.py")
    desk.load(x="@deco(minutes=5)\ndef a(): return 1")

    assert desk.codes == ["plugins/loop.py SA103"]
    assert desk.reload() is None
    desk.path("loop.py").unlink()
    desk.reload()
    assert desk.seen_after(GRACE)
    assert desk.codes == []


def test_new_file_adds_its_jobs_in_order(desk: Desk) -> None:
    desk.load(b="@deco(minutes=5)\ndef f(): return 1")
    change = desk.change(a="@deco(minutes=5)\ndef f(): return 2")

    assert told(change) == (("a.f",), (), (), 1)
    assert names(desk.catalog) == ["a.f", "b.f"]


def test_file_in_a_new_folder_is_found(desk: Desk) -> None:
    desk.load(b="@deco(minutes=5)\ndef f(): return 1")
    change = desk.change(**{"db/lag": "@deco(minutes=5)\ndef f(): return 2"})

    assert told(change) == (("db.lag.f",), (), (), 1)


def _delete(desk: Desk) -> None:
    desk.path("x.py").unlink()


def _empty(desk: Desk) -> None:
    desk.write(x="")


@pytest.mark.parametrize("vanish", [_delete, _empty])
def test_what_vanishes_ends_after_a_while_only(desk: Desk, vanish: Callable[[Desk], None]) -> None:
    desk.load(x=COUNTING, y=COUNTING)
    vanish(desk)
    first = desk.reload()
    desk.wait()
    then = desk.reload()

    assert first is not None
    assert (told(first), first.is_settled) == (((), (), (), 4), False)
    assert then is not None
    assert (told(then), then.is_settled) == (((), (), ("x.a", "x.b"), 2), True)
    assert desk.reload() is None


@pytest.mark.parametrize("vanish", [_delete, _empty])
def test_what_is_back_in_a_moment_was_never_gone(desk: Desk, vanish: Callable[[Desk], None]) -> None:
    desk.load(x=COUNTING)
    vanish(desk)
    desk.reload()
    desk.write(x=COUNTING)
    change = desk.reload()
    desk.wait()

    assert change is None or told(change) == ((), (), (), 2)
    assert desk.reload() is None
    assert names(desk.catalog) == ["x.a", "x.b"]


IMPORTER = """
    from common import word, other
    KEPT = []

    @deco(minutes=5)
    def f():
        return word()

    @deco(minutes=5)
    def g():
        return other
"""


@pytest.mark.parametrize("helper", ["common", "_common"])
def test_what_imports_a_changed_file_is_executed_again(desk: Desk, helper: str) -> None:
    importer = IMPORTER.replace("common", helper)
    desk.load(**{helper: "def word(): return 1\nother = 2", "x": importer, "y": COUNTING})
    call(desk.catalog, "y.a")
    change = desk.change(**{helper: "def word(): return 3\nother = 2"})

    assert told(change) == ((), ("x.f",), (), 3)
    assert call(desk.catalog, "x.f") == 3
    assert call(desk.catalog, "y.a") == 2


@pytest.mark.parametrize("importing", ["import common", "import common as common", "from . import common"])
@pytest.mark.parametrize("place", ["", "db/"])
def test_what_is_executed_before_the_changed_file_it_imports_finds_the_new_one(
    desk: Desk, importing: str, place: str
) -> None:
    source = f"{importing}\n@deco(minutes=5)\ndef f(): return common.V"
    job = f"{place.replace('/', '.')}b.f"
    desk.load(**{f"{place}b": source, f"{place}common": "V = 1"})
    desk.change(**{f"{place}common": "V = 2"})

    assert call(desk.catalog, job) == 2
    desk.change(**{f"{place}common": "raise OSError"})
    assert call(desk.catalog, job) == 2
    desk.change(**{f"{place}common": "V = 3"})
    assert call(desk.catalog, job) == 3


@pytest.mark.parametrize("helper", ["common", "_common"])
@pytest.mark.parametrize("broken", ["def word(:", "raise OSError"])
def test_faulty_file_that_others_import_is_told_of_once_and_changes_nothing(
    desk: Desk, helper: str, broken: str
) -> None:
    desk.load(**{helper: "def word(): return 1\nother = 2", "x": IMPORTER.replace("common", helper)})
    change = desk.change(**{helper: broken})

    assert told(change) == ((), (), (), 2)
    assert [problem.file for problem in desk.catalog.problems] == [f"plugins/{helper}.py"]
    assert call(desk.catalog, "x.f") == 1
    desk.change(**{helper: "def word(): return 4\nother = 2"})
    assert call(desk.catalog, "x.f") == 4
    assert desk.codes == []


def test_file_that_waits_for_another_runs_when_that_comes(desk: Desk) -> None:
    desk.load(x=IMPORTER)
    assert desk.codes == ["plugins/x.py SA103"]
    change = desk.change(common="def word(): return 1\nother = 2")

    assert told(change) == (("x.f", "x.g"), (), (), 0)
    assert desk.codes == []


def test_name_that_becomes_free_goes_to_who_waits_for_it(desk: Desk) -> None:
    twice = "@deco(minutes=5, name='n')\ndef f(): return 1\n@deco(minutes=5, name='n')\ndef g(): return 2"
    desk.load(x=twice)
    assert desk.codes == ["plugins/x.py SA206"]
    change = desk.change(x=twice.replace("name='n')\ndef f", "name='m')\ndef f"))

    assert change.added == ("x.m",)
    assert desk.codes == []


def test_package_that_changes_keeps_its_modules(desk: Desk) -> None:
    desk.load(**{"db/__init__": "LIMIT = 1", "db/lag": "from . import LIMIT\n@deco(minutes=5)\ndef f(): return LIMIT"})
    change = desk.change(**{"db/__init__": "LIMIT = 2"})

    assert told(change) == ((), ("db.lag.f",), (), 0)
    assert call(desk.catalog, "db.lag.f") == 2
    assert sys.modules["plugins.db"].lag is sys.modules["plugins.db.lag"]


def test_folder_behind_a_swapped_link_is_read_again(desk: Desk, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"v{number}").mkdir()
        (tmp_path / f"v{number}" / "x.py").write_text(f"@deco(minutes=5)\ndef f(): return {number}")
    desk.load()
    (desk.path("..data")).symlink_to(tmp_path / "v1")
    desk.path("x.py").symlink_to("..data/x.py")
    desk.load()
    assert call(desk.catalog, "x.f") == 1
    desk.path("..new").symlink_to(tmp_path / "v2")
    desk.path("..new").replace(desk.path("..data"))
    change = desk.reload()

    assert change is not None
    assert told(change) == ((), ("x.f",), (), 0)
    assert call(desk.catalog, "x.f") == 2


def test_file_that_is_being_written_is_read_when_it_is_left_alone(desk: Desk) -> None:
    desk.load(x=COUNTING)
    desk.write(x=COUNTING.replace('"b"', '"half"'))
    assert desk.seen_after(0) is False
    desk.write(x=COUNTING.replace('"b"', '"whole"'))
    assert desk.seen_after(QUIET) is False
    assert desk.seen_after(QUIET) is True

    assert call(desk.catalog, "x.b") == "whole"


def test_file_whose_last_line_has_no_end_is_waited_for_longer(desk: Desk) -> None:
    desk.load(x=COUNTING)
    desk.write(x=COUNTING.rstrip() + ".ap")

    assert desk.seen_after(0) is False
    assert desk.seen_after(QUIET) is False
    assert desk.seen_after(UNFINISHED) is True


def test_file_that_is_written_all_the_time_is_read_in_the_end(desk: Desk) -> None:
    desk.load(x=COUNTING)
    seen = []
    for number in range(12):
        desk.write(x=COUNTING.replace('"b"', f'"{number}"'))
        seen.append(desk.seen_after(ENDLESS / 10))

    assert seen.count(True) == 1


def test_folder_that_is_away_leaves_what_ran_before_running_however_long(desk: Desk) -> None:
    desk.load(**{"x": COUNTING, "db/y": COUNTING})
    call(desk.catalog, "db.y.a")
    folder = desk.path("x.py").parent
    away = folder.rename(folder.with_name("away"))
    change = desk.reload()
    desk.wait()

    assert change is not None
    assert (told(change), change.is_settled) == (((), (), (), 4), True)
    assert desk.reload() is None
    assert desk.codes == ["plugins SA103"]
    away.rename(folder)
    assert desk.reload() is not None
    assert desk.codes == []
    assert call(desk.catalog, "db.y.a") == 2


@pytest.mark.parametrize("of", ["file", "link", "loop"])
def test_file_that_cannot_be_read_is_told_of_once(desk: Desk, of: str) -> None:
    desk.load(x=COUNTING)
    desk.path("x.py").unlink()
    if of != "file":
        desk.path("x.py").symlink_to("nowhere.py" if of == "link" else "x.py")
    else:
        desk.path("x.py").write_bytes(b"\xff\n")
    change = desk.reload()
    desk.wait()

    assert change is not None
    assert told(change) == ((), (), (), 2)
    assert [problem.file for problem in desk.catalog.problems] == ["plugins/x.py"]
    assert desk.reload() is None


@pytest.mark.parametrize("name", ["_lib/__init__", "_lib/deep"])
def test_file_in_a_folder_that_is_for_importing_only_stays_and_is_followed(desk: Desk, name: str) -> None:
    module = name.removesuffix("/__init__").replace("/", ".")
    desk.load(**{name: "V = 1", "b": f"from {module} import V\n@deco(minutes=5)\ndef f(): return V"})
    assert desk.reload() is None
    desk.wait()
    assert desk.reload() is None
    desk.change(**{name: "V = 2"})

    assert call(desk.catalog, "b.f") == 2


def seen(desk: Desk, job: str) -> dict[str, bytes]:
    """Return the contents of files that a job's process sees."""
    return {Path(path).name: content for path, content in desk.plugins.snapshots.contents_for(job).items()}


def test_process_sees_an_edit_when_it_is_taken_up(desk: Desk) -> None:
    desk.load(x="@deco(minutes=5)\ndef a(): return 1")
    desk.write(x="@deco(minutes=5)\ndef a(): return 2")
    before = seen(desk, "x.a")
    desk.reload()

    assert before == {"x.py": b"@deco(minutes=5)\ndef a(): return 1"}
    assert seen(desk, "x.a") == {"x.py": b"@deco(minutes=5)\ndef a(): return 2"}


@pytest.mark.parametrize("broken", ["def f(:", "raise OSError('no')"])
def test_process_sees_what_ran_before_while_a_file_does_not_load(desk: Desk, broken: str) -> None:
    desk.load(x="@deco(minutes=5)\ndef a(): return 1", common="V = 1")
    former = seen(desk, "x.a")
    desk.change(x=broken)

    assert seen(desk, "x.a") == former
    desk.change(common="V = 2")
    assert seen(desk, "x.a") == former
    desk.change(x="@deco(minutes=5)\ndef a(): return 3")
    assert seen(desk, "x.a") == {"x.py": b"@deco(minutes=5)\ndef a(): return 3", "common.py": b"V = 2"}


def test_job_that_a_changed_file_it_imports_makes_impossible_sees_both_as_they_were(desk: Desk) -> None:
    desk.load(x="from common import V\n@deco(minutes=5)\ndef a(): return V", common="V = 1")
    former = seen(desk, "x.a")
    desk.change(common="W = 1")

    assert call(desk.catalog, "x.a") == 1
    assert seen(desk, "x.a") == former
    assert seen(desk, "other")["common.py"] == b"W = 1"


def test_job_that_is_about_to_vanish_sees_the_file_that_had_it(desk: Desk) -> None:
    desk.load(x=COUNTING)
    former = seen(desk, "x.b")
    desk.change(x="@deco(minutes=5)\ndef a(): return 1")
    left = seen(desk, "x.b")
    desk.wait()
    desk.reload()

    assert (left, names(desk.catalog)) == (former, ["x.a"])
    assert seen(desk, "x.b") == seen(desk, "x.a") != former


def test_what_a_process_has_found_is_followed(desk: Desk) -> None:
    desk.load(x="@deco(minutes=5)\ndef a():\n    import _late\n    return _late.V", _late="V = 1")
    desk.plugins.snapshots.add_found({str(desk.path("_late.py")): b"V = 1"})
    desk.change(_late="V = 2")

    assert seen(desk, "x.a")["_late.py"] == b"V = 2"
