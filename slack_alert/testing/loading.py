"""Load a plugin file, or a folder of them, for a test."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from types import ModuleType

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Catalog, Problem, Severity
from slack_alert.core.errors import SlackAlertError
from slack_alert.core.pack import GivenText, PackSection, PackSettings
from slack_alert.core.structs import replace
from slack_alert.core.units.quantities import format_duration
from slack_alert.loader import OptionDefaults, load, unload
from slack_alert.loader.files.discovery import PACKAGE, PACKS, PluginFile
from slack_alert.loader.modules.importer import PluginFinder
from slack_alert.loader.options.binder import Binder
from slack_alert.loader.packs.folders import name_in
from slack_alert.loader.packs.manifest import MANIFEST
from slack_alert.loader.parsing.declaration import Declaration
from slack_alert.loader.reading.file_reader import FileReader


class FaultyPluginError(SlackAlertError):
    """The loaded plugins have errors; a real run would leave them out and report them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = [problem for problem in problems if problem.severity is Severity.ERROR]
        super().__init__("\n".join(["What was loaded has faults:", *map(str, self.problems)]))


class PluginSource:
    """Finds what a test loads, and keeps the files that it makes of texts until `close`."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._temporary: TemporaryDirectory[str] | None = None

    def find(self, source: str | Path, name: str) -> Path:
        """Return the path of a plugin file or folder; a text becomes the file `plugins/<name>.py`."""
        return self._write(source, name) if is_text(source) else find_source(source, self._folders)

    def text(self, source: str | Path) -> str:
        """Return a text, or that of a file."""
        if is_text(source):
            return dedent(str(source)).lstrip("\n")
        return find_source(source, self._folders).read_text(encoding="utf-8")

    def close(self) -> None:
        """Delete the files that were made."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def _write(self, source: str | Path, name: str) -> Path:
        self._temporary = TemporaryDirectory(prefix="slack-alert-")
        file = Path(self._temporary.name).resolve() / PACKAGE / f"{name}.py"
        file.parent.mkdir(parents=True)
        file.write_text(dedent(str(source)).lstrip("\n"), encoding="utf-8")
        return file


def is_text(source: str | Path) -> bool:
    """Return whether this is the text of a file, not its place."""
    return isinstance(source, str) and "\n" in source


def find_source(written: str | Path, folders: Sequence[Path]) -> Path:
    """Return the path in the first of `folders` that has it; raise FileNotFoundError with the searched paths."""
    places = list(dict.fromkeys((folder / written).absolute() for folder in folders))
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(f"There is no plugin {str(written)!r}: looked for {' and '.join(map(str, places))}.")


def is_pack(path: Path) -> bool:
    """Return whether this is the folder of a pack."""
    return (path / MANIFEST).is_file()


def pack_settings(path: Path, config: Mapping[str, object], root: Path) -> PackSettings:
    """Return a configuration of the pack in a folder with these values, which need not be texts."""
    texts = {key: GivenText(_text(value), "config", root) for key, value in config.items() if value is not None}
    name = name_in(path)
    return PackSettings({name: PackSection(name, "config", texts)})


def _text(value: object) -> str:
    """Return a value as it stands in a configuration."""
    if isinstance(value, list | tuple | set):
        return ", ".join(f'"{_text(one)}"' for one in value)
    return format_duration(value) if isinstance(value, timedelta) else str(value)


def root_of(path: Path) -> Path:
    """Return the folder whose `plugins` or `packs` holds this file or folder; raise ValueError if there is none."""
    if is_pack(path):
        return path.parent.parent if path.parent.name == PACKS else path
    for folder in (path, *path.parents):
        if folder.name == PACKAGE and folder.is_dir():
            return folder.parent
    if (path / PACKAGE).is_dir():
        return path
    raise ValueError(
        f"{path} is not below a folder called {PACKAGE}, where slack-alert would look for it: move it there, or load "
        "its text."
    )


def load_path(path: Path, defaults: OptionDefaults) -> Catalog:
    """Load a file, or all files of a folder; earlier plugins are unloaded.

    A single file is loaded with its imports only, and an exception of its code reaches the test with its traceback.
    """
    if is_pack(path):
        return load(root_of(path), defaults, pack=path)
    return load(root_of(path), defaults) if path.is_dir() else _load_file(path, defaults)


def _load_file(path: Path, defaults: OptionDefaults) -> Catalog:
    folder = root_of(path) / PACKAGE
    file = PluginFile.at(path, folder)
    reader = FileReader(defaults.markers)
    reading = reader.read(file)
    problems = list(reading.problems)
    binder = Binder(defaults, problems)
    bound = [(declaration, binder.bind(file, declaration)) for declaration in reading.declarations]
    unload()
    if reading.code is None:
        return Catalog((), tuple(problems))
    finder = PluginFinder(folder, reader)
    finder.expect(file, reading)
    finder.install()
    try:
        module = importlib.import_module(file.module)
    except BaseException:
        unload()
        raise
    bindings = [one for declaration, made in bound for one in _with_function(made, declaration, module)]
    return Catalog(tuple(bindings), tuple(sorted(problems, key=lambda problem: (problem.line, problem.column))))


def _with_function(made: Sequence[Binding], declaration: Declaration, module: ModuleType) -> list[Binding]:
    function = getattr(module, declaration.attribute)
    return [replace(one, action=replace(one.action, function=function)) for one in made]
