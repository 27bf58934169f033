"""Find the binding that a person wants to run, or the reason why it cannot run."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Catalog, Problem, Severity
from slack_alert.core.errors import BadValue, SlackAlertError
from slack_alert.core.model.run import Action
from slack_alert.core.units.humanize import plural

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: The number of a file's problems that are shown with a name that was not found because of them.
_TOLD = 3


def find_binding(settings: Settings, catalog: Catalog, name: str) -> Binding:
    """Find a binding by its full name or its last part.

    Raise BadValue if there is none, and SlackAlertError if a file that may define it does not load.
    """
    try:
        return catalog.lookup(name)
    except BadValue:
        check_files(settings, catalog, name)
        raise


def check_files(settings: Settings, catalog: Catalog, name: str) -> None:
    """Raise SlackAlertError if no binding has this name and a file that may define it has errors."""
    if any(binding.name == name or binding.name.endswith(f".{name}") for binding in catalog.bindings):
        return
    if found := list(_obstacles(settings, catalog, name)):
        told = "\n".join(map(str, found[:_TOLD]))
        raise SlackAlertError(f"{name} is in no file that can be used:\n{told}")


def require_fields(binding: Binding, fields: Mapping[str, object]) -> None:
    """Raise BadValue if a function requires a field of its event that is not among these."""
    missing = [name for name in _required(binding.action) if name not in fields]
    if missing:
        names = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
        wanted = " ".join(f"--event {name}=..." for name in missing)
        raise BadValue(
            f"{binding.name} needs the {plural(len(missing), 'field')} {names}.",
            hint=f"Write `slack-alert trigger {binding.name} {wanted}`.",
        )


def plain_fields(fields: Mapping[str, object]) -> Mapping[str, object]:
    """Return fields as another process can read them: values that JSON does not support as text."""
    try:
        found: Mapping[str, object] = json.loads(json.dumps(dict(fields), default=str))
    except (TypeError, ValueError, RecursionError):  # A key of some other kind, or a value within itself.
        return {name: str(value) for name, value in fields.items()}
    return found


def _required(action: Action) -> Iterator[str]:
    with suppress(TypeError, ValueError):  # A callable without a signature raises by itself when it is called.
        for parameter in inspect.signature(action.function or (lambda: None)).parameters.values():
            is_named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if is_named and parameter.default is parameter.empty and parameter.name in action.parameters:
                yield parameter.name


def _obstacles(settings: Settings, catalog: Catalog, name: str) -> Iterator[Problem]:
    """Yield the errors of files that may define a function of this name."""
    last = re.escape(name.rpartition(".")[2])
    defined = re.compile(rf"""\bdef\s+{last}\b|['\"]{last}['\"]""")
    for problem in catalog.problems:
        module = problem.file.removeprefix("plugins/").removesuffix(".py").replace("/", ".")
        is_its = name.startswith(f"{module}.") or (
            "." not in name and defined.search(_text(settings, problem.file)) is not None
        )
        if problem.severity is Severity.ERROR and is_its:
            yield problem


def _text(settings: Settings, file: str) -> str:
    try:
        return (settings.path / file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
