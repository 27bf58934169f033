"""Find the plugin files below PATH, in a stable order, and the names that files of one folder can import."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import SettingsError
from slack_alert.core.structs import Struct, derive
from slack_alert.core.units.names import composed
from slack_alert.engine.system.descriptors import spare_descriptors
from slack_alert.loader.files.permissions import writable_by_others

PACKAGE = "plugins"
#: The folder of packs, and the package above their modules.
PACKS = "packs"
#: Files of a pack that are no Python.
PACK_FILES = ("pack.toml", "requirements.txt")

_SKIPPED_FOLDERS = frozenset({"tests", "test", "__pycache__", "node_modules"})
#: `#x.py` and `~x.py` are unsaved or temporary copies; flycheck writes `flycheck_x.py` beside the file it checks.
_LEFTOVERS = ("#", "~", "flycheck_")


class PluginTree(Struct, frozen=True):
    """A folder whose Python files are plugins: `plugins/`, or the folder of a pack."""

    folder: str
    #: The package above its modules.
    package: str = PACKAGE
    #: As shown to people.
    shown: str = PACKAGE
    #: The name of the pack; empty outside packs.
    pack: str = ""
    #: Its files are executed in processes of another Python only.
    is_isolated: bool = False

    def file(self, path: str) -> PluginFile:
        """Return the file at a path in this folder."""
        return PluginFile(path, Path(path).relative_to(self.folder).with_suffix("").parts, self)

    def holds(self, path: str) -> bool:
        """Return whether a path is in this folder."""
        return path.startswith(self.folder + os.sep)


#: The tree of a file that is given with its parts alone.
_BARE = PluginTree("")


class PluginFile(Struct, frozen=True):
    """A Python file below `plugins/` or in a pack, with the names derived from its path."""

    path: str
    #: The names of its folders, and its own name without `.py`.
    parts: tuple[str, ...]
    tree: PluginTree = _BARE
    #: The path below PATH, as shown to people.
    shown: str = ""
    #: The prefix of the names of its jobs.
    name: str = ""
    #: The name of its module; a dot inside a file name is replaced, because it would be taken for a folder.
    module: str = ""

    def __post_init__(self) -> None:
        derive(self, "shown", _readable(f"{self.tree.shown}/{'/'.join(self.parts)}.py"))
        derive(self, "name", self.tree.pack or _readable(".".join(self.parts)))
        module = ".".join((self.tree.package, *(part.replace(".", "_") for part in self.parts)))
        derive(self, "module", composed(module))

    @classmethod
    def at(cls, path: Path, folder: Path) -> PluginFile:
        """Return the PluginFile for a path in the plugins folder."""
        return PluginTree(str(folder)).file(str(path))

    @property
    def folder(self) -> str:
        """The path of the folder that contains the file."""
        return self.path.rpartition(os.sep)[0]

    @property
    def packages(self) -> tuple[str, ...]:
        """The names of the packages that contain its module, outermost first."""
        names = self.module.split(".")
        return tuple(".".join(names[:depth]) for depth in range(1, len(names)))


def tree_of(path: str, trees: Sequence[PluginTree]) -> PluginTree:
    """Return the tree that holds a path; the first one if none does."""
    return next((tree for tree in trees if tree.holds(path)), trees[0])


def plugins_folder(root: Path) -> Path:
    """Return the plugins folder, which need not exist where there are packs.

    Raise SettingsError if there is neither, or if it cannot be read.
    """
    folder = root.absolute() / PACKAGE
    try:
        if folder.is_dir() or folder.with_name(PACKS).is_dir():
            return folder
    except OSError as error:
        hint = "Give this user the right to look into it, or set another path with --path."
        raise SettingsError(f"{folder} cannot be looked into: {error.strerror}.", hint=hint) from error
    hint = f"Make it with `mkdir {folder}`, let `slack-alert init` write an example, or set another path with --path."
    raise SettingsError(f"There is no folder {folder}.", hint=hint)


def find_files(folder: Path) -> tuple[list[PluginFile], list[Problem]]:
    """Return the files that may declare jobs, in the order of their names, and the problems of the folders."""
    return find_tree_files(PluginTree(str(folder)))


def find_tree_files(tree: PluginTree) -> tuple[list[PluginFile], list[Problem]]:
    """Return the files of a tree, as `find_files` does."""
    problems: list[Problem] = []
    every = sorted(_walk(tree, problems), key=lambda file: (file.shown, file.path))
    found = {file.shown: file for file in reversed(every)}
    problems.extend(_twin(file) for file in every if found[file.shown] is not file)
    return [*reversed(found.values())], sorted(problems, key=lambda one: (one.file, one.code))


def importable_names(folder: str) -> frozenset[str]:
    """Return the modules that a file in this folder means when it imports them by their bare name."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return frozenset()
    files = {entry.name[:-3] for entry in found if entry.name.endswith(".py")} - {"__init__"}
    folders = {entry.name for entry in found if entry.name.isidentifier() and _is_module_folder(entry)}
    # Python normalizes the names in an import like this, however the source spells them.
    return frozenset(composed(name) for name in files | folders if name.isidentifier())


def is_plugin_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether a folder may hold plugins: no folder of tests and no virtual environment."""
    is_environment = os.path.exists(f"{entry.path}{os.sep}pyvenv.cfg")  # noqa: PTH110 - a Path raises for some
    return entry.name not in _SKIPPED_FOLDERS and not is_environment


def is_installed(name: str) -> bool:
    """Return whether a bare name already means a module that is not a plugin."""
    if name in sys.stdlib_module_names or name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _walk(tree: PluginTree, problems: list[Problem]) -> Iterator[PluginFile]:
    top = os.path.realpath(tree.folder)
    seen = {top}
    waiting: list[tuple[str, tuple[str, ...]]] = [(tree.folder, ())]
    while waiting:
        here, parts = waiting.pop()
        for entry in _entries(here, _shown(tree, parts), problems):
            name = entry.name
            if name.startswith((".", "_")):
                if name[0] == "_" and _is_folder(entry) and is_plugin_folder(entry):
                    problems.extend(writable_by_others(entry.path, _shown(tree, (*parts, name)), ()))
                continue
            if _is_folder(entry):
                if is_plugin_folder(entry) and _is_new(entry, top, seen):
                    waiting.append((entry.path, (*parts, name)))
            elif name.endswith(".py") and not name.startswith(_LEFTOVERS):
                yield PluginFile(entry.path, (*parts, name[:-3]), tree)


def _twin(file: PluginFile) -> Problem:
    # The problem is reported for the folder: the other file may be without a fault.
    folder, _, name = file.shown.rpartition("/")
    said = f"two files are called {name}, their accents encoded in two ways: one of them is not read"
    return Problem(folder, 1, 1, Severity.WARNING, "SA206", said, "Rename it, or take it away.")


def _entries(here: str, shown: str, problems: list[Problem]) -> list[os.DirEntry[str]]:
    try:
        with spare_descriptors(), os.scandir(here) as entries:
            found = list(entries)
    except OSError as error:
        said = f"the folder cannot be read: {error.strerror}"
        hint = machine_lack(error) or "Give this user the right to read it."
        problems.append(Problem(shown, 1, 1, Severity.ERROR, "SA103", said, hint))
        return []
    problems.extend(writable_by_others(here, shown, found))
    return found


def _shown(tree: PluginTree, parts: tuple[str, ...]) -> str:
    return _readable("/".join((tree.shown, *parts)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder; if it cannot be examined, its name decides, and reading it reports why."""
    try:
        return entry.is_dir()
    except OSError:  # A link to itself, or to a place that this user may not read.
        return not entry.name.endswith(".py")


def _is_new(entry: os.DirEntry[str], top: str, seen: set[str]) -> bool:
    """Return whether a folder is still to be walked: a link into the plugins or above them would lead in circles."""
    if not entry.is_symlink():
        return True
    real = os.path.realpath(entry.path)
    if real in seen or real.startswith(top + os.sep) or (top + os.sep).startswith(real.rstrip(os.sep) + os.sep):
        return False
    seen.add(real)
    return True


def _is_module_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether `import name` means this folder; without `__init__.py` an installed module comes first."""
    if not os.path.isdir(entry.path) or not is_plugin_folder(entry):  # noqa: PTH112 - as above
        return False
    if os.path.exists(f"{entry.path}{os.sep}__init__.py"):  # noqa: PTH110 - as above
        return True
    return any(Path(entry.path).glob("*.py")) and not is_installed(entry.name)


def _readable(text: str) -> str:
    """Replace characters of file names that cannot be encoded, and normalize the others."""
    return text if text.isascii() else composed(text.encode("utf-8", "backslashreplace").decode("utf-8"))
