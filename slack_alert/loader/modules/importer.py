"""Import plugin files as real modules, `plugins.<dotted path>` or `packs.NAME.<dotted path>`, as Python imports."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from slack_alert.loader.files.discovery import PACKAGE, PACKS, PluginFile, PluginTree, tree_of
from slack_alert.loader.files.sources import DiskSources
from slack_alert.loader.modules.coupling import Coupling
from slack_alert.loader.modules.inert import is_inert
from slack_alert.loader.modules.registrations import Registrations, executing_module
from slack_alert.loader.modules.thread_sharing import SharedConnections, share_locals
from slack_alert.loader.parsing.declaration import FileReading
from slack_alert.loader.reading.file_reader import FileReader

#: The number of threads if nobody else imports: the main thread, and the one that executes the files.
_ALONE = 2


class PluginFinder:
    """An import finder for `plugins` and everything below it in one folder, and for the packs."""

    def __init__(self, folder: Path, reader: FileReader, packs: Sequence[PluginTree] = ()) -> None:
        self.folder = folder
        #: The folder of plugins first, then those of the packs.
        self.trees: tuple[PluginTree, ...] = ()
        #: The folders of packages that are no folder in another one's.
        self._roots: dict[str, Path] = {}
        self.set_packs(packs)
        self._reader = reader
        self._readings: dict[str, FileReading] = {}
        #: The paths of those whose code can change nothing but the names of its module.
        self.inert: set[str] = set()
        #: The paths of modules that are known to exist.
        self._expected: dict[str, str] = {}
        #: Files that cannot be run; if such a file is a package's `__init__.py`, the folder alone stands in for it.
        self._failed: dict[str, Path] = {}
        #: The paths of modules whose name differs from their path.
        self._renamed: dict[str, Path] = {}
        self._replaced: dict[str, ModuleType] = {}
        self.registrations = Registrations()
        self.coupling = Coupling()
        self._connections = SharedConnections()
        self._executions: Counter[str] = Counter()
        #: The modules that are being executed and may import others.
        self.importing: set[str] = set()

    def set_packs(self, packs: Sequence[PluginTree]) -> None:
        """Answer imports of these packs from now on."""
        self.trees = (PluginTree(str(self.folder)), *packs)
        self._roots = {tree.package: Path(tree.folder) for tree in self.trees}
        if packs:
            self._roots[PACKS] = self.folder.with_name(PACKS)

    def file(self, path: str) -> PluginFile:
        """Return the plugin file at a path."""
        return tree_of(path, self.trees).file(path)

    def expect(self, file: PluginFile, reading: FileReading) -> None:
        """Use a reading for the next import of its file."""
        self._readings[file.path] = reading
        if reading.code is not None and is_inert(reading.code):
            self.inert.add(file.path)
        else:
            self.inert.discard(file.path)
        self._failed.pop(file.module, None)
        if reading.code is None:
            self._failed[file.module] = Path(file.path)
        if _is_renamed(file):
            self._rename(file)
        elif reading.code is not None:
            self._expected[file.module] = file.path

    def know(self, files: Iterable[PluginFile]) -> None:
        """Register files whose module name differs from their path, so that they can be found."""
        for file in filter(_is_renamed, files):
            self._rename(file)

    def renew(self, reader: FileReader) -> None:
        """Use another reader from now on, which knows the present neighbours of each file."""
        self._reader = reader

    def _rename(self, file: PluginFile) -> None:
        path = Path(file.tree.folder) if file.tree.folder else self.folder
        names = file.module.split(".")
        for depth, part in enumerate(file.parts, len(names) - len(file.parts) + 1):
            path /= part
            if names[depth - 1] != part:
                self._renamed[".".join(names[:depth])] = path

    def install(self) -> None:
        """Start to answer imports; modules of these names that exist already are put aside."""
        self._replaced = _take_out()
        sys.meta_path.insert(0, self)
        self.registrations.install()
        self._connections.install()

    def remove(self) -> None:
        """Undo `install`, and everything that the modules have registered."""
        sys.meta_path.remove(self)
        self._connections.remove()
        self.registrations.remove()
        _take_out()
        sys.modules.update(self._replaced)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> ModuleSpec | None:
        """Return the spec of a plugin module; None if it is not a plugin or is a compiled module."""
        if fullname in self._roots:
            return self._package(fullname, self._roots[fullname])
        if not is_plugin_module(fullname) or fullname.partition(".")[0] not in self._roots or not path:
            return None
        expected = self._expected.get(fullname)
        if expected is not None:
            return self._module(fullname, expected)
        stem = self._renamed.get(fullname) or Path(next(iter(path))) / fullname.rpartition(".")[2]
        here = str(stem.parent)
        file, stem = (
            stem.with_name(self.disk.spelled(here, f"{stem.name}.py")),
            stem.parent / self.disk.spelled(here, stem.name),
        )
        is_folder = self.disk.is_folder(str(stem))
        if self.disk.is_file(str(file)) and not (self._failed.get(fullname) == file and is_folder):
            return self._module(fullname, str(file))
        return self._package(fullname, stem) if is_folder else None

    def load(self, name: str) -> None:
        """Import a module; if no other thread imports, without the locks and the search of `import`.

        These take as long as everything else, and there may be thousands of files. Call it on the thread that executes
        the files, while the main thread waits for it.
        """
        package = sys.modules.get(name.rpartition(".")[0])
        is_plain = package is not None and name not in sys.modules and threading.active_count() <= _ALONE
        spec = self.find_spec(name, package.__path__) if is_plain and package is not None else None
        if spec is None or spec.loader is None:
            importlib.import_module(name)
            return
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            sys.modules.pop(name, None)
            raise
        # Plugins may have replaced their own module, or their package, by anything.
        with suppress(AttributeError):
            setattr(package, name.rpartition(".")[2], sys.modules[name])

    @property
    def disk(self) -> DiskSources:
        """The source of the files."""
        return self._reader.disk

    @property
    def contents(self) -> Mapping[str, bytes]:
        """The contents of the files that were read, by path."""
        return self._reader.contents

    def failed(self, module: str, path: Path) -> None:
        """Record that a module cannot be run."""
        self._failed[module] = path
        self._expected.pop(module, None)

    def failed_file(self, module: str) -> PluginFile | None:
        """Return the file that made a module fail; None if there is none, or none of the plugin files."""
        path = self._failed.get(module)
        return self.file(str(path)) if path and tree_of(str(path), self.trees).holds(str(path)) else None

    def note_execution(self, module: str) -> None:
        """Count an execution of a module, with or without success."""
        self._executions[module] += 1

    def is_again(self, module: str) -> bool:
        """Return whether a module was executed more than once."""
        return self._executions[module] > 1

    def forget(self) -> None:
        """Drop the readings; files that are imported later are read at that time."""
        self._readings.clear()
        self.inert.clear()
        self._expected.clear()

    def code_of(self, path: str) -> CodeType:
        """Return the code of a file; raise SyntaxError if it has none."""
        reading = self._readings.pop(path, None)
        if reading is None:
            self.inert.discard(path)  # That was said of what it held before.
            reading = self._reader.read(self.file(path))
        if reading.code is None:
            fault = reading.problems[-1]
            raise SyntaxError(fault.message, (path, fault.line, fault.column, None))
        return reading.code

    def _module(self, name: str, path: str) -> ModuleSpec | None:
        spec = ModuleSpec(name, PluginLoader(name, path, self), origin=path)
        spec.has_location = True
        # Otherwise a path in `__pycache__` is computed for each file, where nothing ever lies.
        spec.cached = path
        return spec

    def _package(self, name: str, folder: Path) -> ModuleSpec | None:
        init = folder / "__init__.py"
        if self.disk.is_file(str(init)) and self._failed.get(name) != init:
            loader = PluginLoader(name, str(init), self)
            return importlib.util.spec_from_file_location(
                name, init, loader=loader, submodule_search_locations=[str(folder)]
            )
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec


class PluginLoader(SourceFileLoader):
    """Runs a plugin file without its markers; `__pycache__` is neither read nor written."""

    def __init__(self, name: str, path: str, finder: PluginFinder) -> None:
        super().__init__(name, path)
        self._finder = finder
        #: The names that the code uses at module level; none if it is inert.
        self._used: tuple[str, ...] = ()
        #: The checks to make after the code was executed; set during the execution.
        self._around: ExitStack | None = None

    def get_code(self, fullname: str) -> CodeType:
        """Return the code without markers, and start to record what it changes, unless it is inert."""
        code = self._finder.code_of(self.path)
        if self.path not in self._finder.inert and self._around is not None:
            self._used = code.co_names
            self._finder.coupling.before(fullname, self._used)
            self._around.enter_context(self._finder.registrations.around(fullname))
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Run the file in its module."""
        folder = self.path.removesuffix(".py")
        # Beside a.py there may be a/b.py; a.py remains a module of the package above.
        if self._finder.disk.is_folder(folder) and not hasattr(module, "__path__"):
            module.__path__ = [folder]
        self._finder.note_execution(module.__name__)
        is_imported, is_whole = bool(self._finder.importing) and executing_module() is not None, False
        try:
            if self.path in self._finder.inert:
                super().exec_module(module)
            else:
                self._exec_observed(module)
            is_whole = True
        except BaseException:
            self._finder.failed(module.__name__, Path(self.path))
            raise
        finally:
            self._finder.coupling.after(module.__name__, self._used, is_imported=is_imported, is_whole=is_whole)

    def _exec_observed(self, module: ModuleType) -> None:
        """Run the file, and record what it changes."""
        self._finder.importing.add(module.__name__)
        try:
            with ExitStack() as self._around:
                super().exec_module(module)
        finally:
            self._around = None
            self._finder.importing.discard(module.__name__)
        if self._used:
            share_locals(module)


def _is_renamed(file: PluginFile) -> bool:
    return any("." in part for part in file.parts)


def is_plugin_module(name: str) -> bool:
    """Return whether a module is named as those of plugin files are."""
    return name.startswith((f"{PACKAGE}.", f"{PACKS}."))


def remove_finders() -> None:
    """Remove every finder of plugins with its modules."""
    for finder in [found for found in sys.meta_path if isinstance(found, PluginFinder)]:
        finder.remove()


def _take_out() -> dict[str, ModuleType]:
    # A copy: another thread may import meanwhile, and take out what it failed to.
    names = [name for name in list(sys.modules) if name in (PACKAGE, PACKS) or is_plugin_module(name)]
    taken = {name: sys.modules.pop(name, None) for name in names}
    return {name: module for name, module in taken.items() if module is not None}
