"""Let new versions of modules take the place of those that run, one by one, where they can be executed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from threading import Lock
from types import ModuleType

from slack_alert.loader.modules.registrations import Registrations
from slack_alert.loader.reload.fingerprint import ComparedFile
from slack_alert.loader.reload.references import import_statements, imports


class HeldBackError(Exception):
    """It stays as it was, with what failed."""


#: Names the modules that stay as they were where these do.
Holds = Callable[[Collection[str]], Collection[str]]


def succeed(
    modules: Sequence[str],
    execute: Callable[[], dict[str, BaseException]],
    registrations: Registrations,
    holds: Holds,
) -> dict[str, BaseException]:
    """Have modules executed anew by `execute`; where that fails, the former one stays, and the error is returned.

    What the former ones have registered is taken back meanwhile. HeldBackError stands for what stays with another.
    """
    former = {name: module for name in modules if (module := _take_out(name)) is not None}
    taken = {name: registrations.take_back(name) for name in modules}
    errors: dict[str, BaseException] = {}
    try:
        errors = execute()
        errors |= {name: HeldBackError() for name in holds(errors) if name in former and name not in errors}
    finally:
        for name in errors:  # One that was given up may be there still, half of it.
            sys.modules.pop(name, None)
            registrations.retire(registrations.take_back(name))
        for name, registered in taken.items():
            if name in errors:
                registrations.put_back(name, registered)
            else:
                registrations.retire(registered)
        for name, module in former.items():
            _settle(name, sys.modules.setdefault(name, module))
    return errors


def remove(module: str, registrations: Registrations) -> None:
    """Take a module out, the file of which is gone."""
    _take_out(module)
    registrations.retire(registrations.take_back(module))


def dependents(changed: Iterable[str], texts: Mapping[str, ComparedFile]) -> set[str]:
    """Find the loaded modules that import one of these when they are executed, at whatever remove."""
    found: set[str] = set()
    waiting = set(changed)
    while waiting:
        new = {
            module
            for module, text in texts.items()
            if module in sys.modules and module not in found and _imports_any(module, text, waiting)
        } - waiting
        found |= new
        waiting = new
    return found


def imported_by(module: str, text: ComparedFile) -> set[str]:
    """Name the modules that a module imports when it is executed, whether they are there or not."""
    try:
        tree = ast.parse(text.content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {
        name
        for statement in import_statements(tree, is_deep=False)
        for alias in statement.names
        for name, _ in imports(statement, alias, module, text.package)
    }


def _take_out(name: str) -> ModuleType | None:
    """Let an import find a module neither by its name nor in its package."""
    module = sys.modules.pop(name, None)
    parent, _, last = name.rpartition(".")
    package = vars(sys.modules[parent]) if module is not None and parent in sys.modules else {}
    # The package may have given the name to something else.
    if last in package and package[last] is module:
        del package[last]
    return module


def _imports_any(module: str, text: ComparedFile, names: set[str]) -> bool:
    # Most files can be told apart without parsing them; `from . import x` does not name the package it means.
    words = [name.rpartition(".")[2].encode() for name in names]
    if not any(word in text.content for word in (*words, b"from .")):
        return False
    return not names.isdisjoint(imported_by(module, text))


def _settle(name: str, module: ModuleType) -> None:
    """Let a module be found in its package, and its own parts in it."""
    parent, _, last = name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], last, module)
    for other, part in list(sys.modules.items()):
        if other.rpartition(".")[0] == name and not hasattr(module, other.rpartition(".")[2]):
            setattr(module, other.rpartition(".")[2], part)


class JobSnapshots:
    """What each job's files hold, whatever lies on the disk by now; used on any thread."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._lock = Lock()
        #: By path. Never changed but replaced: whoever holds it can tell by `is` whether it is still the same.
        self._contents: Mapping[str, bytes] = dict(contents)
        #: Jobs that run as before, because the new version does not have them, or does not load.
        self._held: dict[str, Mapping[str, bytes]] = {}
        #: What processes have imported that nobody did here.
        self._found: dict[str, bytes] = {}

    def contents_for(self, job: str) -> Mapping[str, bytes]:
        """Return the contents of files by their paths, as this job shall see them; the same object while that holds."""
        return self._held.get(job, self._contents)

    def pin(self, job: str) -> None:
        """Let a job see what it sees now, whatever is accepted later."""
        self._held.setdefault(job, self._contents)

    def release(self, job: str) -> None:
        """Let a job see what is accepted."""
        self._held.pop(job, None)

    def renew(self, contents: Mapping[str, bytes]) -> None:
        """Accept what these files hold now."""
        with self._lock:
            new = {**self._found, **contents}
            if new != self._contents:
                self._contents = new

    def find(self, contents: Mapping[str, bytes]) -> None:
        """Have every process see these as the first one found them."""
        with self._lock:
            new = {path: content for path, content in contents.items() if path not in self._contents}
            if new:
                self._found |= new
                self._contents = {**self._contents, **new}

    def take_found(self) -> dict[str, bytes]:
        """Return what was found since this was asked last, to be followed."""
        with self._lock:
            found, self._found = self._found, {}
        return found
