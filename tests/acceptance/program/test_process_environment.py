"""What a process is given and may lack: a home, a name, a folder it stands in."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from tests.fakes.project import Project

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

#: Commands that a person uses without a running program, and their exit codes.
COMMANDS = {
    ("check",): 0,
    ("jobs",): 0,
    ("history",): 0,
    ("status",): 1,
    ("trigger", "db.lag"): 0,
    ("pause", "db.lag", "--for", "5m"): 0,
    ("mute", "db.lag", "--for", "5m"): 0,
    ("ack", "db.lag"): 1,
    ("explain", "db.lag"): 0,
    ("simulate",): 0,
    ("report",): 0,
    ("outbox",): 0,
    ("send", "hello"): 0,
    ("init",): 0,
    ("doctor",): 0,
    ("manifest",): 0,
    ("exec", "nightly", "--", "true"): 0,
}
each_command = pytest.mark.parametrize(("words", "code"), COMMANDS.items(), ids=str)


@pytest.fixture
def nameless(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A user the system does not know, as platforms for containers make them: no name, no home."""
    for variable in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)

    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    return project


@pytest.fixture
def homeless(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The folder this was started in is deleted."""

    def gone() -> Path:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "cwd", gone)
    monkeypatch.setenv("PWD", str(project.path / "gone"))
    return project


@each_command
def test_every_command_works_for_a_user_without_home_and_name(
    words: tuple[str, ...], code: int, nameless: Project
) -> None:
    done = nameless.run(*words)

    assert (done.code, "Traceback" in done.err) == (code, False)


@each_command
def test_every_command_works_from_a_deleted_folder_for_a_whole_path(
    words: tuple[str, ...], code: int, homeless: Project
) -> None:
    name, *others = words

    done = homeless.run(name, "--path", str(homeless.path), *others)

    assert (done.code, "Traceback" in done.err) == (code, False)


def test_a_relative_path_from_a_deleted_folder_is_named_as_the_shell_names_it(homeless: Project) -> None:
    done = homeless.run("check")

    assert done.code == 2
    assert f"There is no folder {homeless.path}/gone/plugins" in done.err


def test_a_home_that_is_written_and_not_there_is_named(nameless: Project) -> None:
    done = nameless.run("check", "--path", "~/work")

    assert done.code == 2
    assert "'~/work' is in no folder: this user has no home. Set HOME, or write the whole path." in done.err
