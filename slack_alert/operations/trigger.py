"""Check the fields of an event with which a person triggers a function."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import suppress

from slack_alert.core.bindings import Binding
from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import Action
from slack_alert.core.units.humanize import plural


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


def _required(action: Action) -> Iterator[str]:
    with suppress(TypeError, ValueError):  # A callable without a signature raises by itself when it is called.
        for parameter in inspect.signature(action.function or (lambda: None)).parameters.values():
            is_named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if is_named and parameter.default is parameter.empty and parameter.name in action.parameters:
                yield parameter.name
