"""Put packs into PATH/packs: from a folder, or from a Git repository at one commit; and take them away again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from slack_alert.core.errors import BadValue, SlackAlertError
from slack_alert.core.pack import check_pack_name
from slack_alert.core.structs import Struct
from slack_alert.loader.files.discovery import PACKS
from slack_alert.loader.packs.environment import (
    ENVIRONMENT,
    REQUIREMENTS,
    STAMP,
    digest,
    is_current,
    python_of,
    requirements_of,
)
from slack_alert.loader.packs.folders import name_in
from slack_alert.loader.packs.manifest import MANIFEST, read_manifest
from slack_alert.loader.packs.source_record import SOURCE, PackSource, record_source, source_of
from slack_alert.loader.packs.template import template_files

#: What is not copied: it belongs to the place where the pack was written.
_LEFT = shutil.ignore_patterns(".git", ENVIRONMENT, "__pycache__", "*.pyc", SOURCE)
#: The protocols by which Git may fetch: none that runs a program.
_PROTOCOLS = "https:http:ssh:git:file"
_SHOWN_LINES = 5


class InstalledPack(Struct, frozen=True):
    """A pack that was put into its place, or whose environment was made."""

    name: str
    #: The folder below PATH.
    folder: Path
    source: PackSource
    has_environment: bool
    #: It took the place of a former version.
    has_replaced: bool = False


def write_new(root: Path, name: str) -> list[Path]:
    """Write a new pack, and return its files; raise BadValue where there is one, or for a name that none can have."""
    folder = root / PACKS / check_pack_name(name)
    if folder.exists():
        raise BadValue(f"{PACKS}/{name} is there already", hint="Choose another name, or remove it.")
    written = []
    for path, text in template_files(name).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def install_pack(root: Path, source: str, *, cwd: Path, ref: str = "", replaces: bool = False) -> InstalledPack:
    """Put a pack into PATH/packs, with the environment that its requirements need; all of it or nothing.

    `source` is a folder, or the address of a Git repository, of which `ref` is a branch, a tag or a commit. A pack that
    is in its place already gets its environment. Raise SlackAlertError if that is not possible.
    """
    place = (cwd / source).resolve()
    if place.is_dir():
        if place.parent == (root / PACKS).resolve():
            return _with_environment(place, root / PACKS / place.name)
        return _place(root, place, PackSource(str(place)), replaces=replaces)
    if not _is_address(source):
        raise BadValue(f"{source!r} is neither a folder nor the address of a Git repository")
    with tempfile.TemporaryDirectory(prefix="slack-alert-") as temporary:
        cloned = Path(temporary) / "pack"
        commit = _clone(source, ref, cloned)
        return _place(root, cloned, PackSource(_without_login(source), commit), replaces=replaces)


def remove_pack(root: Path, name: str) -> None:
    """Remove the folder of a pack, with its environment; the folder of packs too if nothing is left in it."""
    folder = root / PACKS / check_pack_name(name)
    if not (folder.is_dir() or folder.is_symlink()):
        raise BadValue(f"there is no folder {PACKS}/{name}", hint="`slack-alert packs` lists the packs.")
    # First out of sight, so that a running program never sees half of it.
    gone = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    folder.rename(gone / name)
    shutil.rmtree(gone)
    _remove_if_empty(folder.parent)


def _place(root: Path, source: Path, origin: PackSource, *, replaces: bool) -> InstalledPack:
    name = _checked_name(source)
    target = root / PACKS / name
    was_there = target.exists()
    if was_there and not replaces:
        raise BadValue(f"{PACKS}/{name} is there already", hint="--replace puts this one in its place.")
    (root / PACKS).mkdir(parents=True, exist_ok=True)
    with _staged(root / PACKS, name) as staged:
        shutil.copytree(source, staged, symlinks=True, ignore=_LEFT, dirs_exist_ok=True)
        record_source(staged, origin)
        try:
            has_environment = _make_environment(target, staged)
        except BaseException:
            if not was_there:
                shutil.rmtree(target, ignore_errors=True)
            raise
        _exchange(target, staged)
    return InstalledPack(name, target, origin, has_environment, was_there)


@contextmanager
def _staged(packs: Path, name: str) -> Iterator[Path]:
    """Yield a folder beside the packs that is no pack; the folder of packs is removed with it if nothing was placed."""
    staged = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=packs))
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        _remove_if_empty(packs)


def _exchange(target: Path, staged: Path) -> None:
    """Put the files in the place of former ones, the manifest last: without it a folder is no pack yet."""
    target.mkdir(exist_ok=True)
    for former in target.iterdir():
        if former.name != ENVIRONMENT:
            shutil.rmtree(former) if former.is_dir() and not former.is_symlink() else former.unlink()
    for new in sorted(staged.iterdir(), key=lambda path: path.name == MANIFEST):
        new.rename(target / new.name)
    if not requirements_of(target):
        shutil.rmtree(target / ENVIRONMENT, ignore_errors=True)


def _checked_name(source: Path) -> str:
    """Return the name of the pack in a folder; raise BadValue if its manifest cannot be used."""
    try:
        text = (source / MANIFEST).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise BadValue(f"there is no {MANIFEST} in it", hint="A pack has one: name, version, description.") from None
    name = name_in(source)
    _, problems = read_manifest(text, name, MANIFEST)
    if problems:
        raise SlackAlertError("\n".join(["The pack cannot be used:", *map(str, problems)]))
    return name


def _with_environment(place: Path, target: Path) -> InstalledPack:
    """Make the environment of a pack that is in its place."""
    name = _checked_name(place)
    return InstalledPack(name, target, source_of(target) or PackSource(str(target)), _make_environment(target, target))


def _make_environment(target: Path, files: Path) -> bool:
    """Make the environment in a folder for the requirements among some files, unless it is there; return if it is."""
    content = requirements_of(files)
    if not content:
        return False
    if is_current(target, content):
        return True
    place = target / ENVIRONMENT
    try:
        _run([sys.executable, "-m", "venv", "--clear", str(place)], "the environment cannot be made")
        pip = [str(python_of(target)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
        _run([*pip, "-r", str(files / REQUIREMENTS)], "the requirements cannot be installed")
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    (place / STAMP).write_text(digest(content) + "\n")
    if files == target:  # A running program looks again at what has been touched.
        (target / REQUIREMENTS).touch()
    return True


def _clone(address: str, ref: str, place: Path) -> str:
    """Clone a repository and return its commit."""
    if address.startswith("-") or ref.startswith("-"):
        raise BadValue(f"{address if address.startswith('-') else ref!r} begins with a dash")
    lack = f"{_without_login(address)} cannot be fetched"
    _run(["git", "clone", "--quiet", "--", address, str(place)], lack)
    if ref:
        _run(["git", "-C", str(place), "checkout", "--quiet", "--detach", ref, "--"], f"there is no {ref} in it")
    return _run(["git", "-C", str(place), "rev-parse", "HEAD"], "its commit cannot be read").strip()


def _run(argv: Sequence[str], lack: str) -> str:
    """Run a program and return its output; raise SlackAlertError with its last lines if it fails."""
    environ = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": _PROTOCOLS}
    try:
        ended = subprocess.run(  # noqa: S603 - arguments, never a shell
            argv,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=environ,
        )
    except OSError as error:
        raise SlackAlertError(f"{lack}: {argv[0]}: {error.strerror}") from None
    if ended.returncode:
        last = "\n".join(ended.stdout.strip().splitlines()[-_SHOWN_LINES:])
        raise SlackAlertError(f"{lack}:\n{_without_login(last)}")
    return ended.stdout


def _is_address(source: str) -> bool:
    return "://" in source or re.match(r"[\w.-]+@[\w.-]+:", source) is not None


def _without_login(text: str) -> str:
    return re.sub(r"(://)[^/\s@]*@", r"\1", text)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
