"""The wheel holds what it needs: installed alone, it runs from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Ours, and what keeps each start from being quicker than the first.
KEPT_OUT = {"PYTHONPATH", "COVERAGE_PROCESS_START", "PYTHONDONTWRITEBYTECODE"}
PIP = (sys.executable, "-m", "pip")
PLUGIN = """
import slack_alert

@deco(minutes=5)
def full():
    return f"full & <more> of {slack_alert.__file__}"
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pip(request: pytest.FixtureRequest) -> bool:
    """Whether pip builds and installs: a thorough run. Its two starts take longer than all that it does."""
    return bool(request.config.getoption("thorough"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, pip: bool) -> Path:
    """Build the wheel from what is here, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "slack_alert"):
        (source / name).symlink_to(ROOT / name)
    if pip:
        _output(*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    else:
        build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
        _output(sys.executable, "-c", build, folder, cwd=source)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory, pip: bool) -> Path:
    """Install it into an environment of its own, which sees our dependencies but not our source."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    (target,) = folder.rglob("site-packages")
    # A path line makes the packages there importable without following their own .pth files, ours among them.
    (target / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    if pip:
        _output(*PIP, "--python", python, "install", "--no-deps", "--no-index", wheel)
    else:
        _install(wheel, target, python)
    return scripts / "slack-alert"


def _install(wheel: Path, target: Path, python: Path) -> None:
    zipfile.ZipFile(wheel).extractall(target)
    (described,) = target.glob("*.dist-info")
    for entry in PathDistribution(described).entry_points.select(group="console_scripts"):
        script = python.with_name(entry.name)
        script.write_text(f"#!{python}\nfrom {entry.module} import {entry.attr}\n{entry.attr}()\n")
        script.chmod(0o755)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert "slack_alert/py.typed" in names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"slack_alert"}


def test_it_runs_from_another_folder(command: Path, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "disk.py").write_text(PLUGIN)

    said, _, place = _output(command, "trigger", "full", cwd=tmp_path).partition(" of ")
    assert (said, Path(place).name) == ("full & <more>", "__init__.py\n")
    assert str(ROOT) not in place


def test_what_it_made_itself_runs_too(command: Path, tmp_path: Path) -> None:
    _output(command, "init", cwd=tmp_path)

    assert '"job": "example.' in _output(command, "simulate", "--json", cwd=tmp_path)


def _output(*words: str | Path, cwd: Path | None = None) -> str:
    environ = {name: value for name, value in os.environ.items() if name not in KEPT_OUT}
    ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd, env=environ)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
