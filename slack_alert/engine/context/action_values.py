"""The values of an action without Python: checked against their types, and put where their names stand in braces."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_alert.core.commands.arguments import text_of
from slack_alert.core.errors import BadValue
from slack_alert.core.excerpts import excerpt
from slack_alert.core.pack import ValueType, fits

_SHOWN = 60


def checked_values(
    values: Mapping[str, object], defaults: Mapping[str, Any], types: Mapping[str, ValueType]
) -> dict[str, Any]:  # Any: of the types
    """Return the values with the defaults of those that are not given; raise BadValue for one of another type."""
    known = {**defaults, **{name: value for name, value in values.items() if value is not None}}
    for name, value in known.items():
        kind = types.get(name)
        if kind is not None and kind != ValueType() and name in values and not fits(kind, value):
            shown = "***" if kind.is_secret else excerpt(repr(value), _SHOWN)
            raise BadValue(f"{name} must be {kind}, got {shown}", hint="")
    return known


def filled(text: str, known: Mapping[str, Any], placeholder: re.Pattern[str], put: Callable[[Any], str]) -> str:
    """Return a text with values in the places of their names; one without a value is empty."""
    return placeholder.sub(lambda found: put(known[found[1]]) if found[1] in known else "", text)


def as_word(value: object) -> str:
    """Return a value as part of a word or of a variable; raise BadValue for what neither can hold."""
    text = text_of(value)
    if "\0" in text:
        raise BadValue("a value holds the character NUL, which no program takes", hint="")
    return text
