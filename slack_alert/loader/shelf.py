"""Functions of plugins, one at a time: a file is loaded when it is first wanted, and anew when it has changed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from slack_alert.loader.files import PACKAGE, PluginFile, plugins_folder
from slack_alert.loader.modules import PluginFinder, remove_finders
from slack_alert.loader.reader import Reader

_Stamp = tuple[int, int]


class Shelf:
    """Finds functions by their file and their job's name, for a process that calls few of them."""

    def __init__(self, root: Path, markers: tuple[str, ...]) -> None:
        self._root = root
        self._folder = plugins_folder(root)
        self._markers = markers
        self._finder: PluginFinder | None = None
        self._reader = Reader(markers)
        #: What the loaded files were like, by path.
        self._stamps: dict[str, _Stamp | None] = {}

    def find(self, shown: str, name: str) -> Callable[..., Any]:  # Any: it is the plugin's
        """Give a function; raise what loading its file raises, or LookupError where the file has it no more."""
        if self._finder is None or self._is_changed():
            self._begin()
        file = PluginFile.at(self._folder.joinpath(*Path(shown).parts[1:]), self._folder)
        reading = self._reader.read(file)
        module = self._import(file)
        for declaration in reading.declarations:
            if f"{file.name}.{declaration.keywords.get('name', declaration.function)}" == name:
                found: Callable[..., Any] = getattr(module, declaration.attribute)
                return found
        raise LookupError(f"{shown} has no function {name} any more: it was changed since it was loaded; start again")

    def _begin(self) -> None:
        remove_finders()
        self._stamps = {}
        self._reader = Reader(self._markers)
        self._finder = PluginFinder(self._folder, self._reader)
        self._finder.install()

    def _import(self, file: PluginFile) -> object:
        assert self._finder is not None, "there is a finder by now"
        if file.module not in sys.modules:
            self._finder.expect(file, self._reader.read(file))
            for package in file.packages:
                # Where one fails, the folder alone stands in for it.
                with suppress(Exception):
                    importlib.import_module(package)
        module = importlib.import_module(file.module)
        self._stamps = {path: self._stamps.get(path) or _stamp(path) for path in _loaded()}
        return module

    def _is_changed(self) -> bool:
        return any(_stamp(path) != stamp for path, stamp in self._stamps.items())


def _loaded() -> list[str]:
    modules = [module for name, module in list(sys.modules.items()) if name.startswith(f"{PACKAGE}.")]
    return [path for module in modules if isinstance(path := getattr(module, "__file__", None), str)]


def _stamp(path: str) -> _Stamp | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
