"""Load single plugin functions on demand; a file is loaded when first needed, and again when it has changed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from slack_alert.core.model.run import Action
from slack_alert.loader.files.discovery import PACKAGE, PACKS, PluginFile, PluginTree
from slack_alert.loader.files.sources import CopiedSources
from slack_alert.loader.guard.library_patches import PatchHook, allow_while_importing
from slack_alert.loader.modules.importer import PluginFinder, remove_finders
from slack_alert.loader.parsing.declaration import FileReading
from slack_alert.loader.reading.file_reader import FileReader


class FunctionLoader:
    """Loads functions by their file and their job's name, for a process that calls few of them."""

    def __init__(self, root: Path, markers: tuple[str, ...]) -> None:
        # The folder need not exist at this moment: the contents were handed over.
        self._folder = root.absolute() / PACKAGE
        #: The packs whose functions were asked for, by name.
        self._packs: dict[str, PluginTree] = {}
        self._markers = markers
        self._copies = CopiedSources()
        self._finder: PluginFinder | None = None
        self._hook: PatchHook | None = None
        self._reader = FileReader(markers)
        self._readings: dict[str, FileReading] = {}

    def update(self, changed: Mapping[str, bytes | None]) -> None:
        """Replace the contents of files, by path; None: the file no longer exists."""
        self._copies.replace(changed)
        self._reader.forget_neighbours()
        if not self._copies.is_as(self._reader.contents):
            self._finder = None

    def newly_read(self) -> Mapping[str, bytes]:
        """Return the files that had to be read from the disk since the last call."""
        return self._copies.newly_read()

    def load(self, action: Action) -> Callable[..., Any]:  # Any: it is the plugin's
        """Return a function; raise the errors of loading its file, or LookupError if the file no longer has it."""
        shown, name = action.file, action.name
        tree = self._tree(action)
        if self._finder is None:
            self._finder = self._begin()
        file = tree.file(str(self._place(shown, tree)))
        reading = self._reading(file)
        module = self._import(file, reading, self._finder)
        for declaration in reading.declarations:
            if declaration.name_in(file.name) == name:
                found: Callable[..., Any] = getattr(module, declaration.attribute)
                return found
        raise LookupError(f"{shown} has no function {name} any more: it was changed since it was loaded; start again")

    def _tree(self, action: Action) -> PluginTree:
        if (pack := action.pack) is None:
            return PluginTree(str(self._folder))
        tree = PluginTree(pack.folder, f"{PACKS}.{pack.name}", pack.shown, pack.name)
        if self._packs.get(pack.name) != tree:
            self._packs[pack.name] = tree
            if self._finder is not None:
                self._finder.set_packs(tuple(self._packs.values()))
        return tree

    def _place(self, shown: str, tree: PluginTree) -> Path:
        place = Path(tree.folder)
        for part in shown.removeprefix(f"{tree.shown}/").split("/"):
            place /= self._copies.spelled(str(place), part)
        return place

    def _begin(self) -> PluginFinder:
        remove_finders()
        self._hook = self._hook or allow_while_importing()
        self._readings = {}
        self._reader = FileReader(self._markers, disk=self._copies)
        finder = PluginFinder(self._folder, self._reader, tuple(self._packs.values()))
        finder.install()
        return finder

    def _reading(self, file: PluginFile) -> FileReading:
        reading = self._readings.get(file.path) or self._reader.read(file)
        if reading.code is not None:
            self._readings[file.path] = reading
        return reading

    def _import(self, file: PluginFile, reading: FileReading, finder: PluginFinder) -> object:
        if file.module not in sys.modules:
            finder.expect(file, reading)
            for package in file.packages:
                # If a package fails, its folder alone stands in for it.
                with suppress(Exception):
                    importlib.import_module(package)
        return importlib.import_module(file.module)
