"""Packs in a running program: they are reloaded one by one, and the one for files is told by the system."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from slack_alert.stores import SqliteReader
from tests.fakes.packs import write_pack
from tests.fakes.program import Program, running

pytestmark = pytest.mark.slow

CHANGED = """
    @deco(on="pack.changed", max_alert=0)
    def told(pack, added, replaced, removed):
        return f"{pack}: {added} {replaced} {removed}"
"""
FILES = """
    @deco(on="files.changed_file", max_alert=0)
    def told(path, status):
        return f"{path.rpartition('/')[2]} {status}"
"""


def test_a_pack_that_is_changed_added_and_removed_is_an_event(tmp_path: Path) -> None:
    one = write_pack(tmp_path, "one", {"plugin.py": "@deco(hours=1)\ndef f(): return 1\n"})
    with running(tmp_path, CHANGED) as program:
        (one / "plugin.py").write_text("@deco(hours=1)\ndef f(): return 2\n")
        program.wait_until(lambda: "one: [] ['one.f'] []" in program.out, "it is changed")
        two = write_pack(tmp_path, "two", {"plugin.py": "@deco(hours=1)\ndef g(): return 1\n"})
        program.wait_until(lambda: "two: ['two.g'] [] []" in program.out, "another one comes")
        shutil.rmtree(two)
        program.wait_until(lambda: "two: [] [] ['two.g']" in program.out, "it goes")

    assert program.out.count("one: ") == 1


def test_changed_files_are_told_by_the_system_and_after_a_kill_by_a_look(tmp_path: Path) -> None:
    folder, program = tmp_path / "watched", tmp_path / "program"
    folder.mkdir()
    (folder / "old.conf").write_text("a")
    conf = f"[pack.files]\ndirectories = {folder}, {tmp_path / 'later'}\nsettle = 0s\nnotify = true"
    watching = Program(program, FILES, conf)
    try:
        watching.start()
        watching.wait_until(lambda: "old.conf" in seen(watching), "the first look")
        write_until_told(watching, folder / "new.conf", "new.conf created")
        (folder / "new.conf").unlink()
        watching.wait_until(lambda: "new.conf deleted" in watching.out, "it is deleted")
        watching.kill()
        (folder / "old.conf").write_text("longer")
        watching.start()
        watching.wait_until(lambda: "old.conf modified" in watching.out, "what happened meanwhile")
        (tmp_path / "later").mkdir()
        write_until_told(watching, tmp_path / "later" / "late.conf", "late.conf created")
    finally:
        watching.kill()

    assert watching.out.count("old.conf modified") == 1


def seen(program: Program) -> str:
    """Return what the sensor keeps."""
    with closing(SqliteReader(program.database)) as reader:
        return str([entry.value for entry in reader.snapshot().entries if entry.pack == "files"])


def write_until_told(program: Program, path: Path, said: str) -> None:
    path.write_text("a")
    program.wait_until(lambda: said in program.out, said)
