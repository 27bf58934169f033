"""Find the plugin files below PATH, in a stable order, and the names that files of one folder can import."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.errors import SettingsError

PACKAGE = "plugins"

_SKIPPED_FOLDERS = frozenset({"tests", "test", "__pycache__", "node_modules"})
#: `#x.py` and `~x.py` are unsaved or temporary copies; flycheck writes `flycheck_x.py` beside the file it looks at.
_LEFTOVERS = ("#", "~", "flycheck_")


@dataclass(frozen=True, slots=True)
class PluginFile:
    """One Python file below `plugins/`, and what it is called."""

    path: Path
    #: Its folders and its name without `.py`.
    parts: tuple[str, ...]

    @classmethod
    def at(cls, path: Path, folder: Path) -> PluginFile:
        """Name a file of the plugins folder."""
        return cls(path, path.relative_to(folder).with_suffix("").parts)

    @property
    def shown(self) -> str:
        """The path below PATH, as people read it."""
        return _readable("/".join((PACKAGE, *self.parts)) + ".py")

    @property
    def name(self) -> str:
        """What the names of its jobs begin with."""
        return _readable(".".join(self.parts))

    @property
    def module(self) -> str:
        """The module it becomes; a dot inside a name would be taken for a folder."""
        return ".".join((PACKAGE, *(part.replace(".", "_") for part in self.parts)))

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages around that module, from the outside in."""
        names = self.module.split(".")
        return tuple(".".join(names[:depth]) for depth in range(1, len(names)))


def plugins_folder(root: Path) -> Path:
    """Give the folder of the plugins; raise SettingsError where there is none."""
    folder = root.absolute() / PACKAGE
    if folder.is_dir():
        return folder
    hint = f"Make it with `mkdir {folder}`, let `slack-alert init` write an example, or set another path with --path."
    raise SettingsError(f"There is no folder {folder}.", hint=hint)


def find_files(folder: Path) -> tuple[list[PluginFile], list[Problem]]:
    """Find the files that may declare jobs, in the order of their names, and the folders that cannot be read."""
    problems: list[Problem] = []
    found = [PluginFile.at(path, folder) for path in _walk(folder, problems)]
    return sorted(found, key=lambda file: file.shown), problems


def importable_names(folder: Path) -> frozenset[str]:
    """Name the modules that a file of this folder means when it imports them by their bare name."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return frozenset()
    files = {entry.stem for entry in entries if entry.suffix == ".py" and entry.stem != "__init__"}
    folders = {entry.name for entry in entries if entry.name.isidentifier() and _is_module_folder(entry)}
    return frozenset(name for name in files | folders if name.isidentifier())


def _walk(folder: Path, problems: list[Problem]) -> Iterator[Path]:
    top = os.path.realpath(folder)
    seen = {top}
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        for entry in _entries(here, folder, problems):
            if entry.name.startswith((".", "_")):
                continue
            path = Path(entry.path)
            if entry.is_dir():
                if _is_plugin_folder(path) and _is_new(entry, top, seen):
                    waiting.append(path)
            elif entry.name.endswith(".py") and not entry.name.startswith(_LEFTOVERS):
                yield path


def _entries(here: Path, folder: Path, problems: list[Problem]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(here) as entries:
            return list(entries)
    except OSError as error:
        shown = _readable("/".join((PACKAGE, *here.relative_to(folder).parts)))
        said = f"the folder cannot be read: {error.strerror}"
        problems.append(Problem(shown, 1, 1, Severity.ERROR, "SA103", said, "Give this user the right to read it."))
        return []


def _is_plugin_folder(path: Path) -> bool:
    return path.name not in _SKIPPED_FOLDERS and not (path / "pyvenv.cfg").exists()


def _is_new(entry: os.DirEntry[str], top: str, seen: set[str]) -> bool:
    """Tell whether a folder is to be walked: a link into the plugins or above them would lead in circles."""
    if not entry.is_symlink():
        return True
    real = os.path.realpath(entry.path)
    if real in seen or real.startswith(top + os.sep) or (top + os.sep).startswith(real.rstrip(os.sep) + os.sep):
        return False
    seen.add(real)
    return True


def _is_module_folder(path: Path) -> bool:
    """Tell whether `import name` means this folder; without `__init__.py` anything installed comes first, as always."""
    if not path.is_dir() or not _is_plugin_folder(path):
        return False
    if (path / "__init__.py").exists():
        return True
    return any(path.glob("*.py")) and not _is_installed(path.name)


def _is_installed(name: str) -> bool:
    if name in sys.stdlib_module_names or name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _readable(text: str) -> str:
    """Replace what a file system lets into names and no encoding lets out."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
