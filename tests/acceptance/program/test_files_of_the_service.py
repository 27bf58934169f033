"""Whoever calls a command, root as well: the user whose folder it is can use all that the command leaves there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.fakes.program import running
from tests.fakes.project import Project

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

#: Somebody else where the tests run as root; otherwise whoever runs them.
OWNER = 4242 if os.geteuid() == 0 else os.geteuid()
GROUP = 4243 if os.geteuid() == 0 else os.getegid()

#: What others may not even read.
CLOSED = ("state.db", "state.db-wal", "state.db-shm", "state.db.said", "state.db.inbox")

COMMANDS = (
    ("exec", "nightly", "true"),
    ("exec", "nightly", "--", "sh", "-c", "exit 3"),
    ("trigger", "lag"),
    ("pause", "lag", "--for", "1h"),
    ("mute", "lag", "--for", "1h"),
    ("send", "hello"),
    ("emit", "backup.done"),
    ("check", "--load"),
    ("simulate", "--execute", "--until", "6m"),
    ("jobs",),
    ("history",),
    ("status",),
    ("doctor",),
    ("init",),
)


@pytest.fixture(params=[0o022, 0o077], ids=["022", "077"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The mask of whoever calls the command, which is not the service's."""
    mask: int = request.param
    before = os.umask(mask)
    yield mask
    os.umask(before)


def handed_over(folder: Path, mode: int) -> set[Path]:
    """Return a folder to the service's user; name what is in it."""
    found = {folder, *folder.rglob("*")}
    for path in found:
        os.chown(path, OWNER, GROUP)
        path.chmod(mode if path.is_dir() else mode & 0o666)
    return found


def unusable(folder: Path, before: set[Path]) -> list[str]:
    """Name what is new and not the owner's to read and write."""
    new = [path for path in folder.rglob("*") if path not in before]
    modes = {path: path.lstat() for path in new}
    return [
        f"{path.relative_to(folder)} {oct(found.st_mode)} {found.st_uid}:{found.st_gid}"
        for path, found in modes.items()
        if (found.st_uid, found.st_gid) != (OWNER, GROUP) or found.st_mode & 0o600 != 0o600
    ]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("is_made", [False, True], ids=["first", "later"])
def test_what_a_command_makes_is_the_folders_owners(
    words: tuple[str, ...], is_made: bool, bare: Project, umask: int
) -> None:
    if is_made:
        bare.run("send", "before")
    before = handed_over(bare.path, 0o755)

    bare.run(*words)

    assert unusable(bare.path, before) == []


@pytest.mark.parametrize(("mode", "expected"), [(0o750, 0o640), (0o700, 0o600), (0o2770, 0o660), (0o777, 0o666)])
def test_files_let_others_do_what_their_folder_does(mode: int, expected: int, bare: Project, umask: int) -> None:
    folder = bare.path / ".slack_alert"
    folder.mkdir()
    handed_over(bare.path, mode)

    bare.run("exec", "nightly", "false")
    bare.run("check", "--load")

    files = {path for path in folder.rglob("*") if path.is_file()}
    is_shared = os.geteuid() != OWNER or mode & 0o022
    closed = {path for path in files if path.name in CLOSED}
    assert {path.name for path in files} >= {"state.db", "state.db.lock", "state.db.inbox", "readings.bin"}
    assert modes_of(files - closed) == ({expected} if is_shared else {0o666 & ~umask})
    assert modes_of(closed) == {expected if mode & 0o022 else 0o600}


def modes_of(files: Iterable[Path]) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in files}


def test_a_file_in_a_folder_of_everybodys_is_its_makers(bare: Project) -> None:
    shared = bare.path / "shared"
    shared.mkdir()
    os.chown(shared, OWNER, GROUP)
    shared.chmod(0o1777)

    bare.run("send", "hello", "--database", f"sqlite:///{shared}/state.db")

    found = (shared / "state.db").stat()
    assert (found.st_uid, found.st_mode & 0o022) == (os.geteuid(), 0)


@pytest.mark.slow
def test_a_program_started_once_by_root_leaves_nothing_that_the_service_cannot_use(tmp_path: Path) -> None:
    plugins = "@deco(seconds=0.2, isolation='process')\ndef x(ctx):\n    ctx.store.set('a', 1)\n    return 'hi'\n"
    with running(tmp_path, plugins) as program:
        before = handed_over(tmp_path, 0o755)
        program.wait_until(lambda: bool(program.history("x")), "something was said")
        assert unusable(tmp_path, {*before, *tmp_path.glob("*")}) == []
        program.kill()

    left = [path for path in (tmp_path / ".slack_alert").rglob("*") if path.stat().st_uid != OWNER]
    assert left == []


def test_the_services_user_goes_on_where_root_was_first(bare: Project) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plugins").mkdir()
        handed_over(folder, 0o755)
        assert bare.run("exec", "nightly", "--path", name, "false").code == 1

        child = os.fork()
        if not child:
            os._exit(_send_as_owner(bare, name))

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert bare.run("history", "nightly", "--path", name, "--json").json["verdict"] == "error"


def _send_as_owner(project: Project, path: str) -> int:
    if os.geteuid() != OWNER:
        os.setgroups([])
        os.setgid(GROUP)
        os.setuid(OWNER)
    done = project.run("send", "hello", "--path", path)
    return done.code if "hello" in done.err else 99
