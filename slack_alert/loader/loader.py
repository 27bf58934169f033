"""Turn the plugins folder into a catalog; a faulty file is a problem and never stops the others."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Catalog, Problem
from slack_alert.core.structs import Struct, field
from slack_alert.loader.binder import Binder
from slack_alert.loader.declaration import Reading
from slack_alert.loader.execution import Read, executed, import_packages
from slack_alert.loader.files import PluginFile, find_files, plugins_folder
from slack_alert.loader.modules import PluginFinder, remove_finders
from slack_alert.loader.plugins import Plugins
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

    For the arguments and what is raised see `open_plugins`.
    """
    return open_plugins(root, lambda: defaults, cache=cache, progress=progress).catalog


def open_plugins(
    root: Path, defaults: Callable[[], Defaults], *, cache: Path | None = None, progress: Progress | None = None
) -> Plugins:
    """Do as `load` does, and give the plugins with all it takes to follow their files.

    What an earlier call loaded is unloaded. `cache` is a folder in which what was read is kept.
    Raises SettingsError where there is no folder of plugins.
    """
    folder = plugins_folder(root)
    with _without_collection():
        reader = Reader(defaults().markers, cache)
        found = _Survey(folder, reader, defaults())
        unload()
        finder = PluginFinder(folder, reader)
        finder.install()
        try:
            bindings = _execute(found, finder, progress)
            reader.keep()
            return Plugins(defaults, finder, reader, found.catalog(bindings))
        except BaseException:
            unload()
            raise


def unload() -> None:
    """Take out of the import system what `load` put there; functions at work keep what they hold."""
    remove_finders()


class _Survey(Struct):
    """All files of a folder, read."""

    folder: Path
    reader: Reader
    defaults: Defaults
    files: list[Read] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        files, self.problems = find_files(self.folder)
        binder = Binder(self.defaults, self.problems)
        readings = self.reader.read_all(files)
        self.files = [self._note(file, reading, binder) for file, reading in zip(files, readings, strict=True)]

    def _note(self, file: PluginFile, reading: Reading, binder: Binder) -> Read:
        self.problems.extend(reading.problems)
        return Read(file, reading, tuple([binder.plan(file, declaration) for declaration in reading.declarations]))

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
                import_packages(read.file, finder, found.problems)
            bindings.extend(executed(read, found.problems))
        if progress:
            progress(done, len(found.files))
    finder.forget()
    return bindings


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
