"""Texts with the fields of an event in them: `{event.path}`, `{host.name}:{time}`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from string import Formatter

from slack_alert.core.errors import BadValue, SlackAlertError
from slack_alert.core.rules.fields import ABSENT, find_field
from slack_alert.core.structs import Struct

_EVENT = "event."


class MissingField(SlackAlertError):
    """An event has not the field that is needed of it."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"the event has no field {field}, of which {what} is made")
        self.field = field


class Placeholder(Struct, frozen=True):
    """A part of a text that stands for a field."""

    path: str


def parse_template(text: str) -> tuple[str | Placeholder, ...]:
    """Return the parts of a text; raise BadValue if its braces do not fit, or have anything but a field."""
    hint = 'Write "{event.path}", and {{ for a brace.'
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise BadValue(f"the braces do not fit ({error})", hint=hint) from error
    found = list[str | Placeholder]()
    for before, named, form, conversion in parts:
        found += [before] if before else []
        if named is None:
            continue
        path = named.strip().removeprefix(_EVENT)
        if not path or form or conversion:
            raise BadValue("between braces stands a field alone", hint=hint)
        found.append(Placeholder(path))
    return tuple(found)


def filled(template: object, fields: Mapping[str, object], what: str) -> object:
    """Return a value with the fields that a text names; a text that is nothing but a field is the field's value.

    Raise MissingField for one that is not there; `what` is made of it.
    """
    if isinstance(template, dict):
        return {name: filled(each, fields, what) for name, each in template.items()}
    if isinstance(template, list):
        return [filled(each, fields, what) for each in template]
    if not isinstance(template, str) or ("{" not in template and "}" not in template):
        return template
    parts = _parts(template)
    if len(parts) == 1 and isinstance(parts[0], Placeholder):
        return _value(parts[0], fields, what)
    return "".join(part if isinstance(part, str) else str(_value(part, fields, what)) for part in parts)


def check_template(template: object) -> None:
    """Raise BadValue if a text within a value is not valid."""
    for each in template.values() if isinstance(template, dict) else template if isinstance(template, list) else ():
        check_template(each)
    if isinstance(template, str):
        parse_template(template)


def _value(placeholder: Placeholder, fields: Mapping[str, object], what: str) -> object:
    value = find_field(fields, placeholder.path)
    if value is ABSENT:
        raise MissingField(placeholder.path, what)
    return value


_parts = lru_cache(1024)(parse_template)
