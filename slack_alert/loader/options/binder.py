"""Turn the declarations of markers into bindings: jobs and commands with everything they need to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.model.run import Action
from slack_alert.core.structs import Struct
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.options.resolve import OptionDefaults, OptionResolver, ResolvedOptions
from slack_alert.loader.parsing.declaration import Declaration


class BindingPlan(Struct, frozen=True):
    """A sound declaration, which becomes bindings once its function is loaded."""

    name: str
    file: PluginFile
    declaration: Declaration
    options: ResolvedOptions

    def bindings(self, function: Callable[..., Any] | None = None) -> tuple[Binding, ...]:  # Any: it is the plugin's
        """Return the job and the command of the function."""
        declaration = self.declaration
        action = Action(
            self.name,
            self.file.shown,
            declaration.line,
            declaration.doc,
            function,
            declaration.takes_context,
            declaration.is_async,
            declaration.parameters,
        )
        return tuple([make(self.name, action) for make in self.options.makers])


class Binder:
    """Makes the bindings of all files, and adds what is wrong with them to `problems`."""

    def __init__(self, defaults: OptionDefaults, problems: list[Problem]) -> None:
        self.problems = problems
        self._resolver = OptionResolver(defaults)
        #: The file and line where each full name was taken.
        self._places: dict[str, tuple[str, int]] = {}

    def bind(self, file: PluginFile, declaration: Declaration) -> tuple[Binding, ...]:
        """Return the bindings of a declaration, without its function; none if `plan` returns None."""
        plan = self.plan(file, declaration)
        return plan.bindings() if plan else ()

    def plan(self, file: PluginFile, declaration: Declaration) -> BindingPlan | None:
        """Prepare the bindings of a declaration; return None if a problem or its author excludes it."""
        options = self._resolver.resolve(declaration)
        if not declaration.is_sound or options.faults or (declaration.required and declaration.is_called_alone):
            self.problems.extend(_faults(file, declaration, options))
            return None
        if options.later or options.never:
            self.problems.extend(_remarks(file, declaration, options))
        name = declaration.name_in(file.name)
        if not declaration.is_enabled or self._is_taken(name, file, declaration):
            return None
        return BindingPlan(name, file, declaration, options)

    def reserve(self, bindings: Iterable[Binding]) -> None:
        """Reserve the names of existing bindings."""
        for binding in bindings:
            self._places.setdefault(binding.name, (binding.action.file, binding.action.line))

    def _is_taken(self, name: str, file: PluginFile, declaration: Declaration) -> bool:
        place = file.shown, declaration.line
        first = self._places.setdefault(name, place)
        if first is place or first == place:
            return False
        said = f"the name {name} is taken by {first[0]}:{first[1]}"
        hint = 'Rename the function, or give it a name of its own: name="...".'
        self.problems.append(_fault(file, declaration, "SA206", said, hint))
        return True


def _faults(file: PluginFile, declaration: Declaration, options: ResolvedOptions) -> Iterator[Problem]:
    for said, hint in options.faults:
        yield _fault(file, declaration, "SA201", said, hint)
    if declaration.required and declaration.is_called_alone:
        yield _required(file, declaration)


def _required(file: PluginFile, declaration: Declaration) -> Problem:
    names = ", ".join(declaration.required)
    said = f"{declaration.function} requires {names}, and a job is called with nothing but ctx, by its name"
    return _fault(file, declaration, "SA207", said, f"Give a default: {declaration.required[0]}=None.")


def _remarks(file: PluginFile, declaration: Declaration, options: ResolvedOptions) -> Iterator[Problem]:
    """Yield warnings about keywords without effect and about a job that never runs."""
    meanwhile = "the job runs without it" if declaration.is_timed else f"{declaration.function} does not run"
    for keyword in options.later:
        said = f"`{keyword}` is not there yet in this version: {meanwhile}"
        yield _fault(file, declaration, "SA209", said, "Leave it, or take it out.", severity=Severity.WARNING)
    if options.never:
        hint = 'Correct the time or the hours (working_hours="always": at all times), or write enabled=False.'
        yield _fault(file, declaration, "SA210", options.never, hint, severity=Severity.WARNING)


def _fault(
    file: PluginFile, declaration: Declaration, code: str, said: str, hint: str, *, severity: Severity = Severity.ERROR
) -> Problem:
    return Problem(file.shown, declaration.line, declaration.column, severity, code, said, hint)
