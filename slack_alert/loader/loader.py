"""Turn the plugins folder into a catalog; a faulty file is a problem and never stops the others."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Catalog, Problem, Severity
from slack_alert.loader.binder import Binder, Plan
from slack_alert.loader.declaration import Declaration, Reading
from slack_alert.loader.files import PACKAGE, PluginFile, find_files, plugins_folder
from slack_alert.loader.modules import PluginFinder, remove_finders
from slack_alert.loader.reader import Reader
from slack_alert.loader.terms import Defaults

#: Told after each file: how many are done, of how many.
Progress = Callable[[int, int], None]


def survey(root: Path, defaults: Defaults) -> Catalog:
    """Read every plugin below `root` without executing any; actions have no function.

    Raises SettingsError where there is no folder of plugins.
    """
    folder = plugins_folder(root)
    with _without_collection():
        found = _Survey(folder, Reader(defaults.markers), defaults)
        plans = [plan for read in found.files for plan in read.plans if plan]
        return found.catalog([binding for plan in plans for binding in plan.bindings()])


def load(root: Path, defaults: Defaults, *, cache: Path | None = None, progress: Progress | None = None) -> Catalog:
    """Read every plugin below `root` and execute those with markers; a file that fails keeps its bindings out.

    What an earlier call loaded is unloaded. `cache` is a folder in which what was read is kept.
    Raises SettingsError where there is no folder of plugins.
    """
    folder = plugins_folder(root)
    with _without_collection():
        reader = Reader(defaults.markers, cache)
        found = _Survey(folder, reader, defaults)
        unload()
        finder = PluginFinder(folder, reader)
        finder.install()
        try:
            bindings = _execute(found, finder, progress)
            reader.keep()
            return found.catalog(bindings)
        except BaseException:
            unload()
            raise


def unload() -> None:
    """Take out of the import system what `load` put there; functions at work keep what they hold."""
    remove_finders()


@dataclass(frozen=True, slots=True)
class _Read:
    file: PluginFile
    reading: Reading
    #: For each declaration, in the same order; None where it is kept out.
    plans: tuple[Plan | None, ...]

    @property
    def is_executed(self) -> bool:
        """Tell whether something in it wants to run; other files are imported by whoever needs them."""
        return self.reading.code is not None and any(one.is_enabled for one in self.reading.declarations)


@dataclass(slots=True)
class _Survey:
    """All files of a folder, read."""

    folder: Path
    reader: Reader
    defaults: Defaults
    files: list[_Read] = field(init=False)
    problems: list[Problem] = field(init=False)

    def __post_init__(self) -> None:
        files, self.problems = find_files(self.folder)
        binder = Binder(self.defaults, self.problems)
        readings = self.reader.read_all(files)
        self.files = [self._note(file, reading, binder) for file, reading in zip(files, readings, strict=True)]

    def _note(self, file: PluginFile, reading: Reading, binder: Binder) -> _Read:
        self.problems.extend(reading.problems)
        return _Read(file, reading, tuple([binder.plan(file, declaration) for declaration in reading.declarations]))

    def catalog(self, bindings: list[Binding]) -> Catalog:
        """Put what was found into order."""
        problems = sorted(self.problems, key=lambda one: (one.file, one.line, one.column, one.code))
        return Catalog(tuple(bindings), tuple(problems))


def _execute(found: _Survey, finder: PluginFinder, progress: Progress | None) -> list[Binding]:
    for read in found.files:
        finder.expect(read.file, read.reading)
    bindings: list[Binding] = []
    folders: set[str] = set()
    for done, read in enumerate(found.files, 1):
        if read.is_executed:
            if read.file.folder not in folders:
                folders.add(read.file.folder)
                _import_packages(read.file, finder, found.problems)
            bindings.extend(_executed(read, found.problems))
        if progress:
            progress(done, len(found.files))
    finder.forget()
    return bindings


def _import_packages(file: PluginFile, finder: PluginFinder, problems: list[Problem]) -> None:
    """Import what surrounds a file; where that fails, the folder alone stands in for it and the file still runs."""
    for package in file.packages:
        error = _import(package)
        if error:
            problems.append(_failure(finder.failed_file(package) or file, error))


def _executed(read: _Read, problems: list[Problem]) -> list[Binding]:
    """Execute one file and give its bindings their functions."""
    error = _import(read.file.module)
    if error:
        problems.append(_failure(read.file, error))
        return []
    # A module may have put anything into its own place.
    names: dict[str, object] = getattr(sys.modules[read.file.module], "__dict__", {})
    found: list[Binding] = []
    for plan in read.plans:
        function = names.get(plan.declaration.attribute) if plan else None
        if plan and callable(function):
            found += plan.bindings(function)
        elif plan:
            problems.append(_lost(read.file, plan.declaration, function))
    return found


def _import(module: str) -> BaseException | None:
    try:
        importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin's SystemExit must not end the program
        return error
    return None


def _failure(file: PluginFile, error: BaseException) -> Problem:
    """Say where in the file loading ended, and why."""
    root = Path(file.path).parents[len(file.parts)]
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    lines = [line for path, line in frames if path == file.path]
    elsewhere = [f" (at {path[len(str(root)) + 1 :]}:{line})" for path, line in frames if _is_other(path, file, root)]
    try:
        said = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - it is the plugin's own code that makes this text
        said = ""
    name = type(error).__name__
    message = f"failed while loading: {name}{': ' if said else ''}{said}{elsewhere[-1] if elsewhere else ''}"
    hint = "Correct the line, or install what it needs; the other files run meanwhile."
    return Problem(file.shown, lines[-1] if lines else 1, 1, Severity.ERROR, "SA103", message, hint)


def _is_other(path: str, file: PluginFile, root: Path) -> bool:
    return path != file.path and path.startswith(str(root / PACKAGE) + os.sep)


def _lost(file: PluginFile, declaration: Declaration, value: object) -> Problem:
    said = f"after loading, {declaration.function} is no function but {type(value).__name__}"
    hint = "A decorator must return a function, and nothing else may take the name."
    return Problem(file.shown, declaration.line, declaration.column, Severity.ERROR, "SA103", said, hint)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the garbage collector off: syntax trees are many objects and no garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
