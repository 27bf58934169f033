"""A folder is watched by a pack, and what is deleted is written down: from an empty folder."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.fakes.packs import write_pack
from tests.fakes.program import Program, running

pytestmark = pytest.mark.slow

PLUGIN = """
    from pathlib import Path

    @deco(seconds=0.2, emits="changed_file")
    def watch(ctx):
        now = {str(p): p.stat().st_mtime for d in ctx.config["directories"] for p in Path(d).rglob("*")}
        before = ctx.store.get("seen"); ctx.store.set("seen", now)
        if before is None:
            return []
        return [
            *({"path": path, "time": now[path], "status": "created"} for path in now.keys() - before.keys()),
            *({"path": path, "time": before[path], "status": "deleted"} for path in before.keys() - now.keys()),
        ]

    @deco(on="changed_file", where={"status": "deleted", "path": "*.conf"})
    def output_context(ctx, path, time, status):
        with open(ctx.config["log"], "a") as f: f.write(f"{path} {status}\\n")
"""
MANIFEST = """
    [config.directories]
    type = "list[path]"
    required = true
    [config.log]
    type = "path"
    [events.changed_file]
    path = "path"
    time = "float"
    status = ["created", "modified", "deleted"]
"""


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_the_example_runs_as_it_stands(tmp_path: Path, isolation: str) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "a.conf").touch()
    (watched / "b.txt").touch()
    program = Program(tmp_path, "", f"isolation = {isolation}\n[pack.mypack]\ndirectories = watched\nlog = out.log\n")
    write_pack(tmp_path, "mypack", {"plugin.py": PLUGIN}, MANIFEST)
    program.start()
    try:
        program.wait_until(lambda: "seen" in program.stored, "the folder was looked at")
        _delete_two(program, watched)
    finally:
        program.kill()


def _delete_two(program: Program, watched: Path) -> None:
    log = program.folder / "out.log"
    for name in ("a.conf", "b.txt"):
        (watched / name).unlink()
    program.wait_until(lambda: log.exists() and log.read_text() != "", "the rule has written")
    assert program.stop(signal.SIGINT) == 0
    assert log.read_text() == f"{watched / 'a.conf'} deleted\n"


COUNTING = """
    CALLS = []

    @deco(seconds=0.2, max_alert=0)
    def count(ctx):
        CALLS.append(1)
        ctx.store.set("calls", f"{ctx.config['text']} {len(CALLS)}")
"""
TEXT = "[config.text]\ntype = 'str'\ndefault = '{}'\n"


def test_an_edited_pack_is_taken_up_while_the_program_runs_and_another_keeps_its_state(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pack(tmp_path, name, {"plugin.py": COUNTING}, TEXT.format("before"))
    with running(tmp_path, "") as program:
        program.wait_until(lambda: "before 2" in program.stored, "both have run")
        write_pack(tmp_path, "one", {}, TEXT.format("after"))
        program.wait_until(lambda: "'one', 'calls', '\"after" in program.stored, "the edit is taken up")
        write_pack(tmp_path, "three", {"plugin.py": COUNTING}, TEXT.format("new"))
        program.wait_until(lambda: "'three', 'calls', '\"new" in program.stored, "the new pack is taken up")

        found = re.search(r"'two', 'calls', '\"before (\d+)", program.stored)
        assert found is not None
        assert int(found[1]) > 2
        assert program.stop() == 0
