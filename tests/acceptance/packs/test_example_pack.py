"""A folder is watched by a pack, and what is deleted is written down: from an empty folder."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.fakes.packs import write_pack
from tests.fakes.program import Program

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
