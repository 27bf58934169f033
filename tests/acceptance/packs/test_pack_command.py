"""`slack-alert pack`: a pack is written, checked, installed and removed."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.loader.packs.environment import python_of
from slack_alert.stores import SqliteReader
from tests.fakes.packs import FUNCTION, write_pack
from tests.fakes.project import Project

pytestmark = pytest.mark.slow

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(folder), *own, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a pack, `disks`, in two versions."""
    folder = write_pack(tmp_path, "disks", {"plugin.py": FUNCTION, "README.md": "# disks\n"})
    folder = folder.rename(tmp_path / "slack-alert-disks")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=one")
    git(folder, "tag", "v1")
    (folder / "plugin.py").write_text(FUNCTION.replace("return 1", "return 2"))
    git(folder, "commit", "--quiet", "--all", "--message=two")
    return folder


def test_a_new_pack_passes_its_own_test(project: Project) -> None:
    written = project.run("pack", "new", "my-pack")
    assert written.code == 0
    assert files_in(project.path / "packs" / "my-pack") == [
        "README.md",
        "pack.toml",
        "plugin.py",
        "tests/test_my_pack.py",
    ]

    checked = project.run("pack", "check", "my-pack")
    assert (checked.code, "2 passed" in checked.out) == (0, True)
    assert "1 sensor, 1 rule, no problems." in checked.out
    assert project.run("check").code == 0


def test_a_new_pack_takes_no_name_that_is_taken_or_impossible(project: Project) -> None:
    project.run("pack", "new", "mypack")

    assert "is there already" in project.run("pack", "new", "mypack").err
    assert project.run("pack", "new", "../mypack").code == 2
    assert [path.name for path in (project.path / "packs").iterdir()] == ["mypack"]


def test_a_dry_run_writes_and_removes_nothing(project: Project) -> None:
    project.run("pack", "new", "mypack", "--dry-run")
    assert not (project.path / "packs").exists()

    project.run("pack", "new", "mypack")
    assert project.run("pack", "remove", "mypack", "--yes", "--dry-run").code == 0
    assert (project.path / "packs" / "mypack" / "pack.toml").exists()


def test_a_check_tells_errors_and_tests_that_fail(project: Project) -> None:
    folder = write_pack(project.path, "mypack", {"plugin.py": FUNCTION})
    assert "No tests" in project.run("pack", "check", "mypack").out

    write_pack(project.path, "mypack", {"tests/test_it.py": "def test_it(): assert 1 == 2\n"})
    failed = project.run("pack", "check", "mypack")
    assert (failed.code, "1 failed" in failed.out) == (1, True)

    (folder / "plugin.py").write_text("raise OSError('no')\n" + FUNCTION)
    broken = project.run("pack", "check", "mypack")
    assert (broken.code, "SA103" in broken.out) == (1, True)


def test_tests_are_run_before_the_pack_is_configured_here(project: Project) -> None:
    passing = {"plugin.py": FUNCTION, "tests/test_it.py": "def test_it(): pass\n"}
    write_pack(project.path, "mypack", passing, "[config.key]\nrequired = true\n")

    checked = project.run("pack", "check", "mypack")
    assert (checked.code, "SA402" in checked.out, "1 passed" in checked.out) == (1, True, True)


def test_there_is_a_hint_for_a_pack_that_is_not_there(project: Project) -> None:
    write_pack(project.path, "mypack", {"plugin.py": FUNCTION})

    for command in ("check", "remove"):
        done = project.run("pack", command, "mypak")
        assert (done.code, "Did you mean mypack?" in done.err) == (2, True)


def test_a_pack_is_installed_from_a_folder(project: Project, repository: Path) -> None:
    done = project.run("pack", "install", str(repository))

    assert done.code == 0
    assert files_in(project.path / "packs" / "disks") == [".source.json", "README.md", "pack.toml", "plugin.py"]
    assert project.run("trigger", "disks.f").out == "2\n"


def test_a_pack_is_installed_from_a_repository_at_one_commit(project: Project, repository: Path) -> None:
    first = git(repository, "rev-parse", "v1")
    assert project.run("pack", "install", f"file://{repository}", "--ref", "v1").code == 0

    assert project.run("trigger", "disks.f").out == "1\n"
    (found,) = project.run("packs", "--json").json["packs"]
    assert found["source"] == f"file://{repository}@{first[:12]}"
    assert json.loads((project.path / "packs/disks/.source.json").read_text())["commit"] == first

    refused = project.run("pack", "install", f"file://{repository}")
    assert (refused.code, "--replace" in refused.err) == (2, True)
    assert project.run("pack", "install", f"file://{repository}", "--replace").code == 0
    assert project.run("trigger", "disks.f").out == "2\n"


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("nowhere", 2, "is neither a folder nor the address"),
        ("file:///nowhere/to/be/found", 1, "cannot be fetched"),
        ("ext::sh -c touch% /tmp/x", 2, "is neither a folder nor the address"),
        ("ext://x", 1, "cannot be fetched"),
        ("--upload-pack=touch://x", 2, "No such option"),
    ],
)
def test_what_cannot_be_installed_leaves_nothing(project: Project, source: str, code: int, said: str) -> None:
    done = project.run("pack", "install", source)

    assert (done.code, said in done.err) == (code, True)
    assert not (project.path / "packs").exists()


def test_a_ref_that_is_not_there_leaves_nothing(project: Project, repository: Path) -> None:
    done = project.run("pack", "install", f"file://{repository}", "--ref", "v9")

    assert "there is no v9 in it" in done.err
    assert not (project.path / "packs").exists()


def test_a_pack_with_faults_is_not_installed(project: Project, tmp_path: Path) -> None:
    folder = write_pack(tmp_path, "bad", {"plugin.py": FUNCTION}, "[config.a]\ntype = 'x'\n")

    done = project.run("pack", "install", str(folder))
    assert (done.code, "SA401" in done.err) == (1, True)
    assert not (project.path / "packs").exists()


def test_requirements_are_installed_into_an_environment_of_the_packs_own(project: Project, tmp_path: Path) -> None:
    # pip is in every environment, so that nothing is fetched.
    folder = write_pack(tmp_path, "own", {"plugin.py": FUNCTION, "requirements.txt": "pip\n"})

    done = project.run("pack", "install", str(folder))
    assert done.code == 0
    assert python_of(project.path / "packs" / "own").exists()
    assert project.run("check").code == 0
    assert project.run("trigger", "own.f").out == "1\n"


def test_the_environment_of_a_pack_in_its_place_is_made_once(project: Project) -> None:
    folder = write_pack(project.path, "own", {"plugin.py": FUNCTION, "requirements.txt": "pip\n"})
    assert project.run("check").code == 1
    changed = (folder / "requirements.txt").stat().st_mtime_ns

    assert project.run("pack", "install", "packs/own").code == 0
    assert project.run("check").code == 0
    assert (folder / "requirements.txt").stat().st_mtime_ns > changed
    made = (folder / ".venv" / "pyvenv.cfg").stat().st_mtime_ns
    assert project.run("pack", "install", "packs/own").code == 0
    assert (folder / ".venv" / "pyvenv.cfg").stat().st_mtime_ns == made


def test_requirements_that_cannot_be_installed_leave_nothing(project: Project, tmp_path: Path) -> None:
    files = {"plugin.py": FUNCTION, "requirements.txt": f"--no-index\n{tmp_path}/nowhere.whl\n"}
    folder = write_pack(tmp_path, "own", files)

    done = project.run("pack", "install", str(folder))
    assert (done.code, "the requirements cannot be installed" in done.err) == (1, True)
    assert not (project.path / "packs").exists()


def test_a_removed_pack_leaves_nothing(project: Project, repository: Path) -> None:
    project.write("slack_alert.conf", "[slack]\n[pack.disks]\n")
    project.run("pack", "install", str(repository))
    project.remember(Batch(entries=[StoredValue("disks", "a", "1"), StoredValue("db", "a", "2")]))

    done = project.run("pack", "remove", "disks")
    assert (done.code, done.out) == (0, "removed  packs/disks, and 1 value that it had stored\n")
    assert done.err == "slack_alert.conf:2 still has [pack.disks]: take it out.\n"
    assert not (project.path / "packs").exists()
    reader = SqliteReader(project.database)
    assert {(one.pack, one.key) for one in reader.snapshot().entries if one.pack in ("disks", "db")} == {("db", "a")}
    reader.close()


def test_a_pack_that_was_written_here_is_removed_only_by_who_is_sure(project: Project) -> None:
    project.run("pack", "new", "mypack")

    kept = project.run("pack", "remove", "mypack")
    assert (kept.code, "--yes" in kept.err) == (2, True)
    assert project.run("pack", "remove", "mypack", "--yes").code == 0
    assert not (project.path / "packs").exists()
