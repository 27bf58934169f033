"""The wheel holds what it needs: installed alone, it runs from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from what is here, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "slack_alert"):
        (source / name).symlink_to(ROOT / name)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        folder,
        source,
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it into an environment of its own, which sees our dependencies but not our source."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    target = Path(_output(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # A path line makes the packages there importable without following their own .pth files, ours among them.
    (target / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel],
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return scripts / "slack-alert"


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert "slack_alert/py.typed" in names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"slack_alert"}


def test_it_runs_from_another_folder(command: Path, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "disk.py").write_text("@deco(minutes=5)\ndef full():\n    return 'full & <more>'\n")

    assert _output(command, "trigger", "full", cwd=tmp_path) == "full & <more>\n"
    where = "import slack_alert; print(slack_alert.__file__)"
    assert str(ROOT) not in _output(command.with_name("python"), "-c", where, cwd=tmp_path)


def test_what_it_made_itself_runs_too(command: Path, tmp_path: Path) -> None:
    _output(command, "init", cwd=tmp_path)

    assert "no problems" in _output(command, "check", cwd=tmp_path)
    assert '"job": "example.' in _output(command, "simulate", "--json", cwd=tmp_path)


def _output(*words: str | Path, cwd: Path | None = None) -> str:
    environ = {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "COVERAGE_PROCESS_START"}
    }
    ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd, env=environ)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
