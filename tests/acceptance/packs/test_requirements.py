"""A pack with requirements runs in an environment of its own."""

from __future__ import annotations

import sys
import venv
from pathlib import Path

import pytest

from slack_alert.loader.packs.environment import ENVIRONMENT, STAMP, digest, python_of
from tests.fakes.packs import FUNCTION, write_pack
from tests.fakes.project import Project

pytestmark = pytest.mark.slow

REQUIREMENTS = "only_there==1.0\n"
PLUGIN = """
    import sys
    import only_there

    @deco(minutes=5)
    def where(ctx):
        print("printed")
        return f"{only_there.VALUE} {sys.prefix} {ctx.config['limit']!r} {ctx.store.get('a', 'nothing')}"
"""


def make_environment(folder: Path) -> None:
    """Make an environment with the library as if it had been installed, which needs no network."""
    venv.create(folder / ENVIRONMENT, with_pip=False, symlinks=True)
    site = folder / ENVIRONMENT / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (site / "only_there.py").write_text("VALUE = 'from the environment'\n")
    (folder / ENVIRONMENT / STAMP).write_text(digest((folder / "requirements.txt").read_bytes()))


@pytest.fixture
def folder(project: Project) -> Path:
    files = {"plugin.py": PLUGIN, "requirements.txt": REQUIREMENTS}
    return write_pack(project.path, "mypack", files, "[config.limit]\ntype = 'duration'\ndefault = '5m'\n")


def test_without_its_environment_it_is_kept_out_with_the_command_that_makes_it(project: Project, folder: Path) -> None:
    write_pack(project.path, "other", {"plugin.py": FUNCTION, "requirements.txt": "# nothing\n"})

    done = project.run("check", "--json")
    (problem,) = done.json["problems"]
    assert (done.code, problem["code"], problem["file"]) == (1, "SA404", "packs/mypack/requirements.txt")
    assert problem["hint"] == "Make it with `slack-alert pack install packs/mypack`."
    assert [job["name"] for job in done.json["jobs"]] == ["other.f", "db.lag", "db.report"]
    assert not python_of(folder).exists()


def test_its_functions_run_in_its_environment_and_nowhere_else(project: Project, folder: Path) -> None:
    make_environment(folder)

    assert project.run("check", "--load").code == 0
    done = project.run("trigger", "mypack.where")
    assert (done.code, done.out) == (
        0,
        f"from the environment {folder / ENVIRONMENT} datetime.timedelta(seconds=300) nothing\n",
    )
    assert "printed" in done.err
    assert "only_there" not in sys.modules


def test_an_environment_for_other_requirements_is_a_warning(project: Project, folder: Path) -> None:
    make_environment(folder)
    (folder / "requirements.txt").write_text("only_there==1.1\n")

    done = project.run("check", "--json")
    assert (done.code, [each["severity"] for each in done.json["problems"]]) == (0, ["warning"])


def test_an_environment_of_another_python_is_refused(project: Project, folder: Path) -> None:
    make_environment(folder)
    (folder / ENVIRONMENT / "pyvenv.cfg").write_text("version = 3.4.1\n")

    (problem,) = project.run("check", "--json").json["problems"]
    assert "Python 3.4" in problem["message"]


def test_a_guard_cannot_be_in_a_pack_with_requirements(project: Project, folder: Path) -> None:
    make_environment(folder)
    (folder / "guard.py").write_text("@deco(guard='*')\ndef g(command): return None\n")

    (problem,) = project.run("check", "--json").json["problems"]
    assert (problem["code"], problem["file"]) == ("SA404", "packs/mypack/guard.py")
