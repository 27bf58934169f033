"""What an edit of one pack changes, and that the others stay."""

from __future__ import annotations

import shutil
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.model.run import Isolation
from slack_alert.core.pack import Pack
from slack_alert.loader import unload
from slack_alert.loader.packs.environment import ENVIRONMENT, STAMP, digest
from slack_alert.loader.reload.plugins import GRACE
from tests.fakes.packs import write_pack
from tests.fakes.plugin_desk import Desk
from tests.fakes.plugins import call, names

COUNTING = "CALLS = []\n@deco(minutes=5)\ndef f():\n    CALLS.append(1)\n    return len(CALLS)\n"
LIMIT = "[config.limit]\ntype = 'int'\ndefault = {}\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield Desk(tmp_path)
    unload()


def pack(desk: Desk, name: str) -> Pack:
    found = desk.catalog.lookup(f"{name}.f").action.pack
    assert found is not None
    return found


def test_packs_that_did_not_change_are_nothing_to_do(desk: Desk, tmp_path: Path) -> None:
    write_pack(tmp_path, "one", {"plugin.py": COUNTING})
    desk.load()

    assert desk.reload() is None
    assert desk.reload() is None


def test_an_edited_pack_is_taken_up_and_another_keeps_its_state(desk: Desk, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pack(tmp_path, name, {"plugin.py": COUNTING})
    desk.load(bare=COUNTING)
    for name in ("one.f", "two.f", "bare.f"):
        assert call(desk.catalog, name) == 1

    write_pack(tmp_path, "one", {"plugin.py": COUNTING.replace("len(CALLS)", "10 + len(CALLS)")})
    change = desk.reload()
    assert change is not None
    assert change.replaced == ("one.f",)
    assert [call(desk.catalog, name) for name in ("one.f", "two.f", "bare.f")] == [11, 2, 2]


def test_an_edited_manifest_is_taken_up_with_its_pack_alone(desk: Desk, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pack(tmp_path, name, {"plugin.py": COUNTING}, LIMIT.format(3))
    desk.load()
    call(desk.catalog, "two.f")

    write_pack(tmp_path, "one", {"plugin.py": COUNTING}, LIMIT.format(4))
    assert desk.reload() is not None
    assert [dict(pack(desk, name).config) for name in ("one", "two")] == [{"limit": 4}, {"limit": 3}]
    assert call(desk.catalog, "two.f") == 2
    assert desk.reload() is None


def test_a_manifest_that_cannot_be_used_leaves_the_pack_as_it_was(desk: Desk, tmp_path: Path) -> None:
    write_pack(tmp_path, "one", {"plugin.py": COUNTING}, LIMIT.format(3))
    desk.load()

    write_pack(tmp_path, "one", {"pack.toml": "name = "})
    assert desk.reload() is not None
    assert desk.codes == ["packs/one/pack.toml SA401"]
    assert dict(pack(desk, "one").config) == {"limit": 3}
    assert call(desk.catalog, "one.f") == 1

    write_pack(tmp_path, "one", {}, LIMIT.format(5))
    assert desk.reload() is not None
    assert (desk.codes, dict(pack(desk, "one").config)) == ([], {"limit": 5})


def test_a_new_pack_is_taken_up(desk: Desk, tmp_path: Path) -> None:
    desk.load(bare=COUNTING)

    write_pack(tmp_path, "one", {"plugin.py": COUNTING})
    change = desk.reload()
    assert change is not None
    assert change.added == ("one.f",)
    assert call(desk.catalog, "one.f") == 1


def test_a_pack_that_is_gone_ends_after_a_moment(desk: Desk, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pack(tmp_path, name, {"plugin.py": COUNTING})
    desk.load()

    shutil.rmtree(tmp_path / "packs" / "one")
    assert not desk.seen_after(0)
    assert "one.f" in names(desk.catalog)
    assert desk.seen_after(GRACE)
    assert names(desk.catalog) == ["two.f"]
    assert desk.reload() is None


def test_a_new_pack_takes_its_name_from_a_bare_file(desk: Desk, tmp_path: Path) -> None:
    desk.load(one=COUNTING)

    write_pack(tmp_path, "one", {"plugin.py": "@deco(minutes=5)\ndef g(): return 1\n"})
    for _ in range(3):
        desk.seen_after(GRACE)
    assert names(desk.catalog) == ["one.g"]
    assert desk.codes == ["plugins/one.py SA206"]


@pytest.mark.slow
def test_a_pack_whose_environment_is_made_while_it_waits_for_it_is_taken_up(desk: Desk, tmp_path: Path) -> None:
    folder = write_pack(tmp_path, "one", {"plugin.py": "import only_there\n" + COUNTING, "requirements.txt": "a==1\n"})
    desk.load(bare=COUNTING)
    assert (names(desk.catalog), desk.codes) == (["bare.f"], ["packs/one/requirements.txt SA404"])

    venv.create(folder / ENVIRONMENT, symlinks=True)
    (folder / ENVIRONMENT / STAMP).write_text(digest(b"a==1\n"))
    assert desk.reload() is not None  # The problem is gone; the file may still be written.
    change = desk.reload()
    assert change is not None
    assert (change.added, desk.codes) == (("one.f",), [])
    binding = desk.catalog.lookup("one.f")
    assert isinstance(binding, Job)
    assert (binding.run_options.isolation, binding.action.function) == (Isolation.PROCESS, None)

    (folder / "plugin.py").write_text("import only_there\n" + COUNTING.replace("len(CALLS)", "7"))
    change = desk.reload()
    assert change is not None
    assert (change.replaced, desk.codes) == (("one.f",), [])

    (folder / "requirements.txt").unlink()
    assert desk.reload() is not None
    assert desk.codes == ["packs/one/plugin.py SA103"]
