"""Turn the plugins folder into a catalog; a faulty file is a problem and never stops the others."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timezone, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Catalog, Problem
from slack_alert.core.commands.command import Guard
from slack_alert.core.structs import Struct
from slack_alert.loader.files.discovery import PACKAGE, PluginFile, plugins_folder
from slack_alert.loader.guard.library_patches import remove_hooks
from slack_alert.loader.guard.process_guard import ProcessGuard
from slack_alert.loader.modules.background_loading import LoadOptions
from slack_alert.loader.modules.execute import DeclaredFile
from slack_alert.loader.modules.importer import PluginFinder, remove_finders
from slack_alert.loader.modules.startup import Enough, Progress, StartupExecution
from slack_alert.loader.modules.unavailable_guards import unavailable_guards
from slack_alert.loader.options.binder import Binder
from slack_alert.loader.options.resolve import OptionDefaults
from slack_alert.loader.reading.file_reader import FileReader
from slack_alert.loader.reload.plugins import Discovered, Plugins
from slack_alert.loader.search import PluginSearch

if TYPE_CHECKING:
    from slack_alert.core.pack import Pack, PackSettings

_DEFAULT = LoadOptions()


class FoundFiles(Struct, frozen=True):
    """The files of a plugins folder, which are being read or will be."""

    search: PluginSearch
    reader: FileReader
    files: list[PluginFile]
    #: The problems of the folders and packs; those of the files are added.
    problems: list[Problem]
    #: Those of the folders and packs alone.
    discovered: tuple[Problem, ...]


def survey(root: Path, defaults: OptionDefaults, *, cache: Path | None = None) -> Catalog:
    """Read every plugin below `root` without executing any; actions have no function.

    What the cache has of unchanged files is taken from there; it is left as it is. Raises SettingsError if there is no
    plugins folder.
    """
    with _without_collection():
        found = _find(root, defaults.markers, cache, defaults.packs, defaults.zone)
        binder = Binder(defaults, found.problems, found.search.packs)
        plans = [plan for read in _read(found, binder) for plan in read.plans if plan]
        bindings = [*(binding for plan in plans for binding in plan.bindings()), *_declared(found, binder)]
        return _catalog([*defaults.commands, *bindings], found.problems, found.search.every)


def load(
    root: Path,
    defaults: OptionDefaults,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    options: LoadOptions = _DEFAULT,
    is_enough: Enough = lambda _: False,
    pack: Path | None = None,
) -> Catalog:
    """Read every plugin below `root` and execute those with markers; a file that fails keeps its bindings out.

    `pack` is the folder of the only pack to load, with nothing else. For the other arguments and the errors see
    `find_plugins` and `open_plugins`.
    """
    with _without_collection():
        found = (
            _searched(PluginSearch(root.absolute() / PACKAGE, defaults.zone, defaults.packs, pack), defaults.markers)
            if pack is not None
            else find_plugins(root, defaults.markers, cache, packs=defaults.packs, zone=defaults.zone)
        )
        plugins = open_plugins(found, lambda: defaults, progress, options=options, is_enough=is_enough)
    plugins.save_cache()
    return plugins.catalog


def find_plugins(
    root: Path,
    markers: tuple[str, ...] = (),
    cache: Path | None = None,
    *,
    packs: PackSettings | None = None,
    zone: tzinfo = timezone.utc,
) -> FoundFiles:
    """Find the files below `root`; if many are new, a second process starts to read them at once.

    `cache` is a folder that keeps the results of reading; `packs` is what the configuration says of packs, `zone` that
    of its times. Raises SettingsError if there is neither a plugins folder nor one of packs.
    """
    found = _find(root, markers, cache, packs, zone)
    found.reader.prefetch(found.files)
    return found


def open_plugins(
    found: FoundFiles,
    defaults: Callable[[], OptionDefaults],
    progress: Progress | None = None,
    *,
    options: LoadOptions = _DEFAULT,
    is_enough: Enough = bool,
) -> Plugins:
    """Load the plugins and return them with everything needed to follow their files.

    What an earlier call loaded is unloaded. A slow file is taken up later, once there is anything to run.
    """
    with _without_collection():
        binder = Binder(defaults(), found.problems, found.search.packs)
        reads = _read(found, binder)
        unload()
        finder = PluginFinder(found.search.folder, found.reader, found.search.trees)
        finder.install()
        try:
            start = StartupExecution(reads, finder, options, ProcessGuard(options.scheduler), progress)
            elsewhere = [binding for read in reads for binding in read.isolated()] if found.search.trees else []
            elsewhere += _declared(found, binder)
            bindings = [*elsewhere, *start.run(found.problems, lambda done: is_enough([*elsewhere, *done]))]
            catalog = _catalog([*defaults().commands, *bindings], found.problems, found.search.every)
            unavailable = _unavailable_guards(found, reads, bindings)
            return Plugins(
                defaults, start, found.reader, catalog, unavailable, Discovered(found.search, found.discovered)
            )
        except BaseException:
            unload()
            raise


def unload() -> None:
    """Remove from the import system what `load` put there; running functions keep what they hold."""
    remove_hooks()
    remove_finders()


def _find(
    root: Path, markers: tuple[str, ...], cache: Path | None, packs: PackSettings | None, zone: tzinfo
) -> FoundFiles:
    return _searched(PluginSearch(plugins_folder(root), zone, packs), markers, cache)


def _searched(search: PluginSearch, markers: tuple[str, ...], cache: Path | None = None) -> FoundFiles:
    files, problems = search.run()
    return FoundFiles(search, FileReader(markers, cache), files, problems, tuple(problems))


def _declared(found: FoundFiles, binder: Binder) -> list[Binding]:
    """Return the actions that manifests declare."""
    if not any(pack.manifest.actions for pack in found.search.packs.values()):
        return []
    from slack_alert.loader.packs.declared_actions import declared_bindings

    return declared_bindings(found.search.packs, binder)


def _read(found: FoundFiles, binder: Binder) -> list[DeclaredFile]:
    reads: list[DeclaredFile] = []
    for file, reading in zip(found.files, found.reader.read_all(found.files), strict=True):
        found.problems.extend(reading.problems)
        plans = tuple([binder.plan(file, declaration) for declaration in reading.declarations])
        reads.append(DeclaredFile(file, reading, plans))
    return reads


def _unavailable_guards(
    found: FoundFiles, reads: Iterable[DeclaredFile], bindings: Iterable[Binding]
) -> dict[str, tuple[Guard, ...]]:
    """Return the guards that did not load, by file, as shown to people."""
    guards = [binding for binding in bindings if isinstance(binding, Guard)]
    contents, problems = found.reader.contents, found.problems
    missing = {
        read.file.shown: unavailable_guards(read.file, read.reading, contents.get(read.file.path), guards, problems)
        for read in reads
    }
    return {shown: each for shown, each in missing.items() if each}


def _catalog(bindings: Iterable[Binding], problems: Iterable[Problem], packs: Iterable[Pack]) -> Catalog:
    """Return a catalog with its problems sorted."""
    ordered = sorted(problems, key=lambda one: (one.file, one.line, one.column, one.code))
    return Catalog(tuple(bindings), tuple(ordered), packs=tuple(packs))


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
