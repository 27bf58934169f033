"""Renew what is kept: `python -m tests.golden.refresh`, then read the difference with `git diff`."""

from __future__ import annotations

import lzma
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.golden import imports

HERE = Path(__file__).parent
TEXTS = HERE / "texts"
#: What older versions left behind.
ARCHIVES = sorted((HERE / "upgrade").glob("*.tar.xz"))
#: The long history as older versions have written it.
HISTORIES = sorted((HERE / "upgrade" / "histories").glob("*.tar.xz"))
_PATIENCE_SECONDS = 280


def produced(folder: Path) -> dict[str, str]:
    """Produce the texts in a process of their own; return them by name."""
    _run("tests.golden.produce", str(folder))
    return texts(folder)


def texts(folder: Path) -> dict[str, str]:
    """Return the texts that lie in a folder."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.txt"))}


def read(archive: Path, target: Path) -> str:
    """Go on from what an older version left, in a process of its own; return what came of it."""
    _run("tests.golden.upgrade.read", str(archive), str(target))
    return target.read_text(encoding="utf-8")


def read_history(archive: Path, target: Path) -> str:
    """Ask of a history that an older version has written, in a process of its own; return what is answered."""
    _run("tests.golden.upgrade.history", "read", str(archive), str(target))
    return kept_history(target)


def kept_history(file: Path) -> str:
    """Return what was answered, which is long and kept compressed."""
    with lzma.open(file, "rt", encoding="utf-8") as answers:
        return answers.read()


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        fresh = produced(Path(place))
    TEXTS.mkdir(exist_ok=True)
    for name in texts(TEXTS).keys() - fresh.keys():
        (TEXTS / f"{name}.txt").unlink()
    for name, text in fresh.items():
        (TEXTS / f"{name}.txt").write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        imports.KEPT.write_text(imports.imports(Path(place)), encoding="utf-8")
    for archive in ARCHIVES:
        read(archive, archive.with_name(archive.name.replace(".tar.xz", ".txt")))
    for archive in HISTORIES:
        read_history(archive, archive.with_name(archive.name.replace(".tar.xz", ".txt.xz")))


def _run(module: str, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=HERE.parents[1],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    main()
