"""Execute plugin files, and report those that fail as problems."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.error_hints import with_advice
from slack_alert.core.errors import GivenUpError
from slack_alert.core.structs import Struct, replace
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.modules.importer import PluginFinder
from slack_alert.loader.options.binder import BindingPlan
from slack_alert.loader.parsing.declaration import Declaration, FileReading


class DeclaredFile(Struct, frozen=True):
    """A plugin file with its declarations."""

    file: PluginFile
    reading: FileReading
    #: The plans in the order of the declarations; None: the declaration is excluded.
    plans: tuple[BindingPlan | None, ...]

    @property
    def is_executed(self) -> bool:
        """Whether a declaration in it is enabled; other files are only imported by those that need them."""
        if self.file.tree.is_isolated:
            return False
        return self.reading.code is not None and any(one.is_enabled for one in self.reading.declarations)

    def isolated(self) -> list[Binding]:
        """Return the bindings of a file that is executed in processes of another Python only, without functions."""
        if not self.file.tree.is_isolated or self.reading.code is None:
            return []
        return [binding for plan in self.plans if plan for binding in plan.bindings()]


class ExecutedFile(Struct, frozen=True):
    """The result of executing a file."""

    bindings: list[Binding]
    problems: list[Problem]


def import_packages(file: PluginFile, finder: PluginFinder, problems: list[Problem]) -> None:
    """Import the packages around a file; if one fails, its folder stands in for it and the file still runs."""
    for package in file.packages:
        error = attempted(importlib.import_module, package)
        if error:
            problems.append(failure(finder.failed_file(package) or file, error))


def executed(read: DeclaredFile, finder: PluginFinder, problems: list[Problem]) -> list[Binding]:
    """Execute a file and return its bindings with their functions."""
    error = attempted(finder.load, read.file.module)
    if error:
        problems.append(failure(read.file, error))
        return []
    # A module may have replaced itself in `sys.modules` by anything.
    names: dict[str, object] = getattr(sys.modules[read.file.module], "__dict__", {})
    found: list[Binding] = []
    for plan in read.plans:
        function = names.get(plan.declaration.attribute) if plan else None
        if plan and callable(function):
            found += plan.bindings(function)
        elif plan:
            problems.append(_lost(read.file, plan.declaration, function))
    return found


def attempted(load: Callable[[str], object], module: str) -> BaseException | None:
    """Import a module by `load`; return the exception it raised, or None."""
    try:
        load(module)
    except BaseException as error:  # noqa: BLE001 - a plugin's SystemExit, or KeyboardInterrupt, must not end the program
        return error
    return None


def failure(file: PluginFile, error: BaseException) -> Problem:
    """Return the problem of a file that failed: the line where loading ended, and the error."""
    top = str(Path(file.path).parents[len(file.parts) - 1])
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    lines = [line for path, line in frames if path == file.path]
    elsewhere = [
        f" (at {file.tree.shown}{path[len(top) :]}:{line})" for path, line in frames if _is_other(path, file, top)
    ]
    try:
        said = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - the plugin's own code makes this text
        said = ""
    name = type(error).__name__
    said = with_advice(name, said)
    message = f"failed while loading: {name}{': ' if said else ''}{said}{elsewhere[-1] if elsewhere else ''}"
    hint = f"{_lack(error) or 'Correct the line, or install what it needs'}; the other files run meanwhile."
    return Problem(file.shown, lines[-1] if lines else 1, 1, Severity.ERROR, "SA103", message, hint)


def failed_because(file: PluginFile, error: BaseException, *, is_again: bool = False) -> Problem:
    """Return the problem of a file that failed or was given up; `is_again`: it was executed before in this process."""
    if not isinstance(error, GivenUpError):
        problem = failure(file, error)
        # A misspelled name is wrong after a restart, too.
        is_own = isinstance(error, ImportError | NameError | SyntaxError)
        return replace(problem, hint=f"{problem.hint} {_AGAIN}") if is_again and not is_own else problem
    hint = "What takes long, or never ends, belongs into the function; `load_timeout` in slack_alert.conf allows more."
    return Problem(file.shown, 1, 1, Severity.ERROR, "SA103", f"failed while loading: {error}", hint)


def _lack(error: BaseException) -> str:
    try:
        said = machine_lack(error).rstrip(".")
    except Exception:  # noqa: BLE001 - an exception's attributes may be the plugin's own code
        return ""
    return f"{said}, or correct the line" if isinstance(error, ModuleNotFoundError) and said else said


_AGAIN = "Where what it registered or opened before is in the way, it loads after a restart of the program."


def _is_other(path: str, file: PluginFile, top: str) -> bool:
    return path != file.path and path.startswith(top + os.sep)


def _lost(file: PluginFile, declaration: Declaration, value: object) -> Problem:
    said = f"after loading, {declaration.function} is no function but {type(value).__name__}"
    hint = "A decorator must return a function, and nothing else may take the name."
    return Problem(file.shown, declaration.line, declaration.column, Severity.ERROR, "SA103", said, hint)
