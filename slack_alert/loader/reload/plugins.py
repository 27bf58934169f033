"""Hold the running plugins, and replace them when their files change."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Catalog, CatalogChange, Problem
from slack_alert.core.commands.command import Guard
from slack_alert.core.structs import Struct, replace
from slack_alert.loader.files.changes import FolderLook, PluginFolder
from slack_alert.loader.files.discovery import PluginFile, importable_names
from slack_alert.loader.guard.process_guard import blamed
from slack_alert.loader.modules.execute import DeclaredFile, executed, failed_because
from slack_alert.loader.modules.startup import StartupExecution
from slack_alert.loader.modules.unavailable_guards import unavailable_guards
from slack_alert.loader.options.binder import Binder, BindingPlan
from slack_alert.loader.options.resolve import OptionDefaults
from slack_alert.loader.parsing.compiler import read_file
from slack_alert.loader.parsing.declaration import Declaration, FileReading
from slack_alert.loader.reading.file_reader import FileReader
from slack_alert.loader.reload.fingerprint import ComparedFile, Fingerprints
from slack_alert.loader.reload.reimport import HeldBackError, JobSnapshots, dependents, imported_by, remove
from slack_alert.loader.search import PluginSearch

if TYPE_CHECKING:
    from slack_alert.core.pack import Pack

#: Seconds that a vanished file or job stays, because it may be back in a moment if the file is being written.
GRACE = 2.0


class Discovered(Struct, frozen=True):
    """What the search for plugin files has found at the start, and the search itself."""

    search: PluginSearch
    #: What is wrong with folders and packs.
    problems: tuple[Problem, ...]


class Plugins:
    """The loaded plugins by file; a file that fails to load keeps its last good version running."""

    def __init__(
        self,
        defaults: Callable[[], OptionDefaults],
        start: StartupExecution,
        reader: FileReader,
        catalog: Catalog,
        unavailable: dict[str, tuple[Guard, ...]],
        discovered: Discovered,
    ) -> None:
        self._search = discovered.search
        #: The packs that the running files belong to.
        self._packs: Mapping[str, Pack] = discovered.search.packs
        #: The guards that did not load, by file, as shown to people.
        self._unavailable = unavailable
        self.catalog = self._guarded(catalog)
        self.snapshots = JobSnapshots(reader.contents)
        self._defaults = defaults
        self._write: Callable[[], None] | None = reader.packed()
        self._start, self.guard = start, start.guard
        self._finder = finder = start.finder
        self._folder = PluginFolder(self._search.run, finder.file, reader.contents, reader.faults)
        #: The running files, by module. This and the following are filled at the first change.
        self._running: dict[str, ComparedFile] = {}
        self._files: dict[str, PluginFile] = {}
        #: The paths of files that were executed again since the start.
        self._edited: set[str] = set()
        #: By file, as shown to people.
        self._bindings: dict[str, list[Binding]] = {}
        self._problems: dict[str, list[Problem]] = {}
        self._folder_problems = list(discovered.problems)
        #: The time since when jobs, or files, have been missing.
        self._leaving: dict[str, float] = {}
        self._missing: dict[str, float] = {}
        #: The fingerprints of jobs that are missing in the running version of their file.
        self._former: dict[str, str] = {}
        #: Whether actions of manifests have changed since the last look.
        self._is_declared_anew = False

    def save_cache(self) -> None:
        """Write the readings into the cache, once; any thread may call it."""
        write, self._write = self._write, None  # It holds all readings in memory.
        if write is not None:
            write()

    def reload(self, passed: float) -> CatalogChange | None:
        """Scan the files and take up what changed; return None if nothing did.

        `passed` is in seconds, by a monotonic clock. If the returned change is not settled, call it again in a second.
        """
        if not self._running:
            self._begin()
        # Files that a function has imported during a call, here or in a process of its own.
        self._note({**self._finder.contents, **self.snapshots.drain_found()})
        look = self._with_packs(self._folder.scan(passed))
        gone = self._gone(look.missing, passed)
        over = {name for name, since in self._leaving.items() if passed - since >= GRACE}
        is_settled = not (look.is_busy or self._missing or self._leaving.keys() - over)
        is_anew, self._is_declared_anew = self._is_declared_anew, False
        if not (look.changed or gone or over or is_anew or look.problems != self._folder_problems):
            kept = len({binding.name for binding in self.catalog.bindings})
            return None if is_settled else CatalogChange(self.catalog, kept=kept, is_settled=False, has_news=False)
        before = self.catalog
        self._folder_problems = look.problems
        replaced = self._renew(look, gone, passed)
        self._drop(over)
        self.snapshots.renew({self._files[module].path: text.content for module, text in self._running.items()})
        self.catalog = self._assembled()
        is_settled = not (look.is_busy or self._missing or self._leaving)
        change = CatalogChange.between(before, self.catalog, replaced, is_settled=is_settled)
        return replace(change, end_former=self._finder.registrations.take_former())

    def _with_packs(self, look: FolderLook) -> FolderLook:
        """Take up the packs as they are now; all files of a pack count as changed if its manifest has."""
        former, self._packs = self._packs, self._search.packs
        if self._packs:  # Files that have a pack's name are not read any more.
            taken = [file for file in self._files.values() if not file.tree.pack and file.parts[0] in self._packs]
            look = replace(look, missing=[*look.missing, *taken])
        if former == self._packs:
            return look
        self._finder.set_packs(self._search.trees)
        new = {name for name, pack in self._packs.items() if former.get(name) != pack}
        self._declare(new, former.keys() - self._packs.keys())
        contents, changed = self._folder.contents, {file.path for file in look.changed}
        again = [file for file in look.files if file.tree.pack in new and file.path in contents]
        return replace(look, changed=[*look.changed, *(file for file in again if file.path not in changed)])

    def _declare(self, changed: Collection[str], gone: Collection[str]) -> None:
        """Take up the actions that manifests declare."""
        from slack_alert.loader.packs.declared_actions import declared_bindings, manifest_of

        for name in gone:
            self._is_declared_anew |= bool(self._bindings.pop(manifest_of(name), ()))
        for name in changed:
            shown = manifest_of(name)
            former, problems = self._bindings.pop(shown, []), list[Problem]()
            binder = Binder(self._defaults(), problems, self._packs)
            for bindings in self._bindings.values():
                binder.reserve(bindings)
            self._bindings[shown] = declared_bindings({name: self._packs[name]}, binder)
            self._problems[shown] = problems
            self._is_declared_anew |= self._bindings[shown] != former or bool(problems)

    @property
    def is_loaded(self) -> bool:
        """Whether no file is still loading."""
        return self._start.is_over

    def adopt_loaded(self) -> CatalogChange | None:
        """Take up files that were still loading at the start and have ended; return None if there are none."""
        ended = [(read, loaded) for read, loaded in self._start.drain() if read.file.path not in self._edited]
        if not ended:
            return None
        if not self._running:
            self._begin()
        before = self.catalog
        for read, loaded in ended:
            self._bindings[read.file.shown] = loaded.bindings
            self._problems.setdefault(read.file.shown, []).extend(loaded.problems)
            self._note_guards(read.file, read.reading)
        self.catalog = self._assembled()
        return CatalogChange.between(before, self.catalog, (), is_settled=True)

    def _begin(self) -> None:
        for path, content in self._folder.contents.items():
            self._run(self._folder.file(path), content)
        configured = {command.name for command in self._defaults().commands}
        for binding in (one for one in self.catalog.bindings if one.name not in configured):
            self._bindings.setdefault(binding.action.file, []).append(binding)
        for problem in self.catalog.problems:
            if problem not in self._folder_problems:
                self._problems.setdefault(problem.file, []).append(problem)

    def _run(self, file: PluginFile, content: bytes) -> None:
        module = _module(file)
        package = module if module != file.module else module.rpartition(".")[0]
        self._running[module] = ComparedFile(content, package)
        self._files[module] = file

    def _note(self, contents: Mapping[str, bytes]) -> None:
        """Follow further files, which run as they were read."""
        new = contents.keys() - self._folder.contents.keys()
        self._folder.follow(contents)
        for path in new:
            self._run(self._folder.file(path), contents[path])

    def _gone(self, missing: Sequence[PluginFile], passed: float) -> list[PluginFile]:
        """Return the files that have been missing for the grace period."""
        self._missing = {file.path: self._missing.get(file.path, passed) for file in missing}
        gone = [file for file in missing if passed - self._missing[file.path] >= GRACE]
        for file in gone:
            del self._missing[file.path]
        return gone

    def _renew(self, look: FolderLook, gone: list[PluginFile], passed: float) -> set[str]:
        """Execute what changed and what imports it; return the names of changed jobs."""
        before = dict(self._running)
        reader = FileReader(self._defaults().markers)
        self._finder.renew(reader)
        readings = {file: self._read(file) for file in look.changed}
        for file in gone:
            self._forget(file)
        again = self._to_execute(look, readings, gone)
        readings = {file: self._read(file) for file in again} | readings
        failed = self._execute(again, readings, set(look.changed))
        self._note(reader.contents)
        taken = [file for file in look.files if file not in readings and self._has(file, "SA206")]
        readings |= {file: self._read(file) for file in taken}
        renewed = {file: reading for file, reading in readings.items() if file not in failed}
        for file in renewed:
            self._run(file, self._folder.contents[file.path])
        prints = Fingerprints(before.get), Fingerprints(self._running.get)
        known = {binding.name for binding in self.catalog.bindings}
        changed = self._bind(renewed, look, prints, passed) & known
        for file, reading in readings.items():
            # Of a file that failed, the last good version guards on, if there is one.
            if file in renewed or not self._bindings.get(file.shown):
                self._note_guards(file, reading)
        return changed

    def _note_guards(self, file: PluginFile, reading: FileReading) -> None:
        """Remember which guards of a file did not load."""
        shown, content = file.shown, self._folder.contents.get(file.path)
        bindings, problems = self._bindings.get(shown, ()), self._problems.get(shown, ())
        self._unavailable[shown] = unavailable_guards(file, reading, content, bindings, problems)

    def _read(self, file: PluginFile) -> FileReading:
        fault = self._folder.faults.get(file.path)
        if fault is not None:
            return FileReading(problems=(fault,))
        content, beside = self._folder.contents[file.path], importable_names(file.folder)
        return read_file(file, content, markers=self._defaults().markers, neighbours=beside)

    def _has(self, file: PluginFile, code: str) -> bool:
        """Return whether a file, unchanged or never loaded, has a problem with this code."""
        return file.path in self._folder.contents and any(
            one.code == code for one in self._problems.get(file.shown, ())
        )

    def _to_execute(
        self, look: FolderLook, readings: Mapping[PluginFile, FileReading], gone: Iterable[PluginFile]
    ) -> list[PluginFile]:
        """Return the files to execute: changed ones that run, their importers, and those that failed before."""
        again = {file for file, reading in readings.items() if _is_run(file, reading)}
        failed = (file for file in look.files if file not in readings and self._has(file, "SA103"))
        again |= {file for file in failed if file.path not in self._start.given_up}
        for module in self._finder.coupling.affected_by([_module(file) for file in (*again, *gone)], self._running):
            file = self._files[module]
            # A file whose new version does not load keeps its running version.
            if self._folder.contents.get(file.path) == self._running[module].content and file not in readings:
                again.add(file)
        return sorted(again, key=lambda file: file.shown)

    def _execute(
        self, files: Sequence[PluginFile], readings: Mapping[PluginFile, FileReading], changed: Collection[PluginFile]
    ) -> set[PluginFile]:
        """Execute files; return those that stay as they are, because they failed or have no code."""
        for file in files:
            self._finder.expect(file, readings[file])
        self._edited |= {file.path for file in files}
        edited = {_module(file) for file in changed}
        errors = self._start.again({_module(file): file for file in files}, lambda failed: self._held(failed) - edited)
        self._finder.forget()
        failed = {file for file, reading in readings.items() if reading.code is None}
        for file in failed:
            self._problems[file.shown] = list(readings[file].problems)
        failed |= {file for file in files if _module(file) in errors}
        for binding in (one for file in failed for one in self._bindings.get(file.shown, ())):
            self.snapshots.pin(binding.name)
        for file in files:
            error, is_again = errors.get(_module(file)), self._finder.is_again(_module(file))
            # For an importer of a failed file, the fault is reported at that file.
            if isinstance(error, HeldBackError):
                continue
            if error is not None and (file in changed or not self._imports_any(file, errors)):
                self._problems[file.shown] = [failed_because(file, error, is_again=is_again)]
        return failed

    def _held(self, failed: Collection[str]) -> set[str]:
        """Return the modules that would miss the failed ones: those they had changed, and all importers."""
        missing = self._finder.coupling.changed_by(failed)
        return missing | dependents(missing, self._running)

    def _imports_any(self, file: PluginFile, modules: Collection[str]) -> bool:
        text = self._running.get(_module(file))
        return text is not None and not imported_by(_module(file), text).isdisjoint(modules)

    def _bind(
        self,
        readings: Mapping[PluginFile, FileReading],
        look: FolderLook,
        prints: tuple[Fingerprints, Fingerprints],
        passed: float,
    ) -> set[str]:
        """Make the bindings of files that were executed; return the names of changed jobs."""
        shown = {file.shown for file in readings}
        binder = Binder(self._defaults(), [], self._packs)
        for other, bindings in self._bindings.items():
            if other not in shown:
                binder.reserve(bindings)
        changed: set[str] = set()
        for file in (file for file in look.files if file in readings):
            plans = self._bind_file(file, readings[file], binder, passed)
            changed |= self._compare(file, plans, *prints)
        for file in readings.keys() - set(look.files):
            self._problems[file.shown] = list(readings[file].problems)
        return changed

    def _bind_file(self, file: PluginFile, reading: FileReading, binder: Binder, passed: float) -> list[BindingPlan]:
        problems = binder.problems = list(reading.problems)
        plans = tuple(binder.plan(file, declaration) for declaration in reading.declarations)
        read = DeclaredFile(file, reading, plans)
        bindings = executed(read, self._finder, problems) if read.is_executed else read.isolated()
        problems += blamed(read, self._start.done.pop(file.path, ()))
        names = {binding.name for binding in bindings}
        # A faulty marker leaves its job as it was; a missing one may be about to be written.
        faulty = {_name(file, one) for one in reading.declarations if one.is_enabled} - names
        left = [binding for binding in self._bindings.get(file.shown, ()) if binding.name not in names]
        for name in names | faulty:
            self._leaving.pop(name, None)
        for binding in left:
            if binding.name not in faulty:
                self._leaving.setdefault(binding.name, passed)
        self._bindings[file.shown] = [*bindings, *left]
        self._problems[file.shown] = problems
        return [plan for plan in plans if plan and plan.name in names]

    def _compare(
        self, file: PluginFile, plans: Sequence[BindingPlan], old: Fingerprints, new: Fingerprints
    ) -> set[str]:
        """Return the names of changed jobs; remember the fingerprints of jobs that stay without being declared."""
        changed = {
            plan.name
            for plan in plans
            for function in (plan.declaration.function,)
            if new.lookup(file.module, function)
            != (self._former.pop(plan.name, "") or old.lookup(file.module, function))
        }
        names = {plan.name for plan in plans}
        for name in names:
            self.snapshots.release(name)
        for binding in self._bindings[file.shown]:
            if binding.name not in names:
                function = getattr(binding.action.function, "__name__", "")
                self._former.setdefault(binding.name, old.lookup(file.module, function))
                self.snapshots.pin(binding.name)
        return changed

    def _forget(self, file: PluginFile) -> None:
        """Forget a file that is gone."""
        for binding in self._bindings.pop(file.shown, ()):
            self._leaving.pop(binding.name, None)
            self._former.pop(binding.name, None)
            self.snapshots.release(binding.name)
        self._problems.pop(file.shown, None)
        self._unavailable.pop(file.shown, None)
        self._running.pop(_module(file), None)
        self._folder.unfollow(file)
        remove(_module(file), self._finder.registrations)

    def _drop(self, names: Collection[str]) -> None:
        for name in names & self._leaving.keys():
            del self._leaving[name]
            self._former.pop(name, None)
            self.snapshots.release(name)
            for bindings in self._bindings.values():
                bindings[:] = [binding for binding in bindings if binding.name != name]

    def _assembled(self) -> Catalog:
        bindings = [one for shown in sorted(self._bindings) for one in self._bindings[shown]]
        problems = [*self._folder_problems, *(one for found in self._problems.values() for one in found)]
        problems.sort(key=lambda one: (one.file, one.line, one.column, one.code))
        packs = self._search.every
        return self._guarded(Catalog((*self._defaults().commands, *bindings), tuple(problems), packs=packs))

    def _guarded(self, catalog: Catalog) -> Catalog:
        """Return a catalog with the guards that did not load, in the order of the files."""
        guards = [guard for shown in sorted(self._unavailable) for guard in self._unavailable[shown]]
        return replace(catalog, unavailable_guards=tuple(guards)) if guards else catalog


def _module(file: PluginFile) -> str:
    return file.module.removesuffix(".__init__")


def _is_run(file: PluginFile, reading: FileReading) -> bool:
    return reading.code is not None and (_module(file) in sys.modules or DeclaredFile(file, reading, ()).is_executed)


def _name(file: PluginFile, declaration: Declaration) -> str:
    return declaration.name_in(file.name)
