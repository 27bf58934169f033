"""Replace running modules by new versions, where these can be executed."""

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
    """The module stays as it was, together with another one that failed."""


#: Returns the modules that must stay as they were if these do.
Holds = Callable[[Collection[str]], Collection[str]]


def succeed(
    modules: Sequence[str],
    execute: Callable[[], dict[str, BaseException]],
    registrations: Registrations,
    holds: Holds,
) -> dict[str, BaseException]:
    """Execute modules again by `execute`; return errors by module. A failed module keeps its former version.

    Registrations of the former versions are undone meanwhile. HeldBackError is returned for a module that stays because
    another one failed.
    """
    former = {name: module for name in modules if (module := _take_out(name)) is not None}
    taken = {name: registrations.take_back(name) for name in modules}
    errors: dict[str, BaseException] = {}
    try:
        errors = execute()
        errors |= {name: HeldBackError() for name in holds(errors) if name in former and name not in errors}
    finally:
        for name in errors:  # A module that was given up may still be there, half executed.
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
    """Remove a module whose file is gone."""
    _take_out(module)
    registrations.retire(registrations.take_back(module))


def dependents(changed: Iterable[str], texts: Mapping[str, ComparedFile]) -> set[str]:
    """Return the loaded modules that import any of these when executed, directly or indirectly."""
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
    """Return the modules that a module imports when it is executed, whether they exist or not."""
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
    """Remove a module from `sys.modules` and from its package, and return it."""
    module = sys.modules.pop(name, None)
    parent, _, last = name.rpartition(".")
    package = vars(sys.modules[parent]) if module is not None and parent in sys.modules else {}
    # The package may have bound the name to something else.
    if last in package and package[last] is module:
        del package[last]
    return module


def _imports_any(module: str, text: ComparedFile, names: set[str]) -> bool:
    # Most files need not be parsed; `from . import x` does not contain the name of the package.
    words = [name.rpartition(".")[2].encode() for name in names]
    if not any(word in text.content for word in (*words, b"from .")):
        return False
    return not names.isdisjoint(imported_by(module, text))


def _settle(name: str, module: ModuleType) -> None:
    """Set a module as an attribute of its package, and its submodules as its own attributes."""
    parent, _, last = name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], last, module)
    for other, part in list(sys.modules.items()):
        if other.rpartition(".")[0] == name and not hasattr(module, other.rpartition(".")[2]):
            setattr(module, other.rpartition(".")[2], part)


class JobSnapshots:
    """The file contents that each job sees, whatever is on the disk by now; used on any thread."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._lock = Lock()
        #: By path. Replaced, never changed, so that holders can compare it by identity.
        self._contents: Mapping[str, bytes] = dict(contents)
        #: The contents for jobs that run as before, because the new version does not have them, or does not load.
        self._held: dict[str, Mapping[str, bytes]] = {}
        #: Files that child processes have imported and this process has not.
        self._found: dict[str, bytes] = {}

    def contents_for(self, job: str) -> Mapping[str, bytes]:
        """Return the file contents of a job by path; the same object as long as nothing changes."""
        return self._held.get(job, self._contents)

    def pin(self, job: str) -> None:
        """Keep the present contents for a job, whatever is accepted later."""
        self._held.setdefault(job, self._contents)

    def release(self, job: str) -> None:
        """Let a job see the accepted contents again."""
        self._held.pop(job, None)

    def renew(self, contents: Mapping[str, bytes]) -> None:
        """Accept the present contents of these files."""
        with self._lock:
            new = {**self._found, **contents}
            if new != self._contents:
                self._contents = new

    def add_found(self, contents: Mapping[str, bytes]) -> None:
        """Add files that a process has read, so that all processes see the same contents."""
        with self._lock:
            new = {path: content for path, content in contents.items() if path not in self._contents}
            if new:
                self._found |= new
                self._contents = {**self._contents, **new}

    def drain_found(self) -> dict[str, bytes]:
        """Return the files that were added since the last call."""
        with self._lock:
            found, self._found = self._found, {}
        return found
