"""Read the manifest of a pack, pack.toml: what it is called, its configuration, its events, its actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timezone
from typing import Any

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.errors import BadValue
from slack_alert.core.pack import (
    ConfigField,
    EventSchema,
    Manifest,
    PayloadField,
    ValueType,
    check_pack_name,
    parse_type,
    read_default,
)
from slack_alert.core.structs import Struct, field
from slack_alert.core.units.names import suggestion
from slack_alert.loader.packs.toml_text import TomlFault, line_of, read_toml

MANIFEST = "pack.toml"

#: Texts that a manifest may have besides, which say nothing to the program.
_ABOUT = ("author", "email", "license", "homepage", "keywords", "requires_python")
_KEYS = ("name", "version", "description", "config", "events", "action", *_ABOUT)
_FIELD_KEYS = ("type", "required", "default", "choices", "description")
_PAYLOAD_KEYS = ("type", "required", "choices", "description")


def read_manifest(text: str, folder: str, shown: str) -> tuple[Manifest | None, list[Problem]]:
    """Return the manifest of a pack in `folder`, and what is wrong with it; None if the pack cannot be used.

    `shown` is the manifest's path as shown to people.
    """
    try:
        tables = read_toml(text)
    except TomlFault as error:
        return None, [_problem(shown, error.line, error.column, f"this is not TOML: {error}", error.hint)]
    except BadValue as error:
        return None, [_problem(shown, 1, 1, str(error), error.hint)]
    reading = _Reading(text, shown)
    manifest = reading.manifest(tables, folder)
    return (None if reading.problems else manifest), reading.problems


class _Reading(Struct):
    """Reads the tables of a manifest, and gathers what is wrong with them."""

    text: str
    shown: str
    problems: list[Problem] = field(default_factory=list)

    def manifest(self, tables: Mapping[str, Any], folder: str) -> Manifest:  # Any: values of TOML, here and below
        self._check_keys("", tables, _KEYS)
        name = str(tables.get("name", folder))
        self._attempt("", "name", lambda: check_pack_name(name))
        if name != folder:
            said = f"the name is {name!r}, and the folder {folder!r}"
            self._add("", "name", said, f'Write name = "{folder}", or rename the folder.')
        return Manifest(
            name,
            self._text(tables, "version"),
            self._text(tables, "description"),
            tuple(self._config_field(key, table) for key, table in self._tables(tables, "config").items()),
            {key: self._event(key, table) for key, table in self._tables(tables, "events").items()},
            self._tables(tables, "action"),
        )

    def _text(self, table: Mapping[str, Any], key: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self._add("", key, f"{key} must be a text, got {value!r}", f'Write {key} = "...".')
        return str(value)

    def _tables(self, table: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
        """Return the tables within a table, by name; others are problems."""
        found = table.get(key, {})
        if not isinstance(found, dict):
            self._add("", key, f"{key} must be a table, got {found!r}", f"Write [{key}.NAME].")
            return {}
        for name in [name for name, one in found.items() if not isinstance(one, dict)]:
            self._add(key, name, f"{key}.{name} must be a table, got {found[name]!r}", f"Write [{key}.{name}].")
        return {name: one for name, one in found.items() if isinstance(one, dict)}

    def _config_field(self, name: str, table: Mapping[str, Any]) -> ConfigField:
        place = f"config.{name}"
        self._check_keys(place, table, _FIELD_KEYS)
        if not _is_key(name):
            self._add(place, "", f"{name!r} is no key of a configuration", "Use letters, digits and _, in lower case.")
        kind = self._type(place, table)
        if "default" in table:
            self._attempt(place, "default", lambda: read_default(kind, table["default"], timezone.utc))
        is_required = self._flag(place, table)
        if is_required and "default" in table:
            self._add(place, "default", f"{name} is required and has a default", "Keep one of the two.")
        return ConfigField(name, kind, is_required, table.get("default"), str(table.get("description", "")))

    def _event(self, name: str, table: Mapping[str, Any]) -> EventSchema:
        if "." in name:
            self._add(f"events.{name}", "", f"the event {name!r} has a dot in its name", "Its pack comes before it.")
        fields = tuple(self._payload_field(f"events.{name}", key, value) for key, value in table.items())
        return EventSchema(name, fields)

    def _payload_field(self, place: str, name: str, value: object) -> PayloadField:
        if not isinstance(value, dict):
            return PayloadField(name, self._attempt(place, name, lambda: parse_type(value)) or ValueType())
        self._check_keys(f"{place}.{name}", value, _PAYLOAD_KEYS)
        return PayloadField(name, self._type(f"{place}.{name}", value), self._flag(f"{place}.{name}", value))

    def _type(self, place: str, table: Mapping[str, Any]) -> ValueType:
        written = table.get("type", "str")
        found = self._attempt(place, "type", lambda: parse_type(written, table.get("choices")))
        return found or ValueType()

    def _flag(self, place: str, table: Mapping[str, Any]) -> bool:
        value = table.get("required", False)
        if not isinstance(value, bool):
            self._add(place, "required", f"required must be true or false, got {value!r}", "Write required = true.")
        return value is True

    def _check_keys(self, place: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table.keys() - set(known):
            where = f"[{place}]" if place else MANIFEST
            self._add(place, key, f"{key} is not a key of {where}", suggestion(key, known))

    def _attempt(self, place: str, key: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except BadValue as error:
            self._add(place, key, f"{place}{'.' if place else ''}{key}: {error}", error.hint)
            return None

    def _add(self, place: str, key: str, said: str, hint: str) -> None:
        self.problems.append(_problem(self.shown, line_of(self.text, place, key), 1, said, hint))


def _is_key(name: str) -> bool:
    return name.isidentifier() and name.isascii() and name == name.lower()


def _problem(shown: str, line: int, column: int, said: str, hint: str) -> Problem:
    return Problem(shown, line, column, Severity.ERROR, "SA401", said, hint)
