"""Packs: what a manifest declares, and whether values of the configuration and of events are as it declares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone, tzinfo
from pathlib import Path, PurePath
from typing import Any

from slack_alert.core.errors import BadValue
from slack_alert.core.excerpts import excerpt
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import PrivateStruct, Struct, field, replace
from slack_alert.core.units.local_time import parse_instant
from slack_alert.core.units.names import composed, suggestion
from slack_alert.core.units.quantities import parse_duration

#: The types of values; each also as `list[...]`.
TYPES = ("str", "int", "float", "bool", "datetime", "duration", "path", "url", "secret")
SECRET = TYPES[-1]
#: What is shown instead of a secret.
MASK = "***"


class GivenText(PrivateStruct, frozen=True):
    """A text of the configuration, and its place."""

    hidden = frozenset({"text"})

    text: str
    #: `slack_alert.conf:12`, or a variable.
    where: str
    #: The folder of relative paths.
    folder: Path


class PackSection(Struct, frozen=True):
    """A section [pack.NAME] of the configuration."""

    name: str
    where: str
    values: Mapping[str, GivenText] = field(default_factory=dict)
    #: What was read of further sections, which the manifest does not declare; None: there are none.
    read: PackConfig | None = None


class PackSettings(Struct, frozen=True):
    """What the configuration says of packs."""

    sections: Mapping[str, PackSection] = field(default_factory=dict)
    #: Variables of the environment, which name pack and key, by their names in lower case: `mypack_log`.
    variables: Mapping[str, GivenText] = field(default_factory=dict)
    #: Returns what the manifests declare as secret among all of this; it reads them.
    find_secrets: Callable[[], tuple[str, ...]] = tuple

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.sections or self.variables)

    def of(self, names: Sequence[str]) -> Mapping[str, PackSection]:
        """Return the sections of these packs, of which variables may set keys; a variable is the longest name's."""
        found = {name: self.sections[name] for name in names if name in self.sections}
        by_length = sorted(names, key=len, reverse=True)
        for variable, given in self.variables.items():
            owner = next((name for name in by_length if variable.startswith(f"{_variable(name)}_")), None)
            if owner is not None:
                section = found.get(owner) or PackSection(owner, given.where)
                key = variable.removeprefix(f"{_variable(owner)}_")
                found[owner] = replace(section, values={**section.values, key: given})
        return found


class ValueType(Struct, frozen=True):
    """The type of a value: one of TYPES or a list of that, and the values that are allowed."""

    name: str = "str"
    is_list: bool = False
    choices: tuple[Any, ...] = ()  # Any: values of the type

    def __str__(self) -> str:
        """Return it as it is written."""
        name = f"list[{self.name}]" if self.is_list else self.name
        return f"{name}, one of {', '.join(map(str, self.choices))}" if self.choices else name

    @property
    def is_secret(self) -> bool:
        """Whether its values are shown to nobody."""
        return self.name == SECRET


class ConfigField(Struct, frozen=True):
    """A key of a pack's section in the configuration."""

    name: str
    type: ValueType
    is_required: bool = False
    #: As the manifest has it; None: there is none.
    default: object = None
    description: str = ""


class PayloadField(Struct, frozen=True):
    """A field of an event's payload."""

    name: str
    type: ValueType
    is_required: bool = False


class EventSchema(Struct, frozen=True):
    """The payload of an event: fields are optional unless required, and further ones are allowed."""

    name: str
    fields: tuple[PayloadField, ...] = ()

    def faults(self, payload: Mapping[str, object]) -> Iterator[str]:
        """Yield what is wrong with a payload, a sentence for each field."""
        for each in self.fields:
            value = payload.get(each.name)
            if value is None:
                if each.is_required:
                    yield f"{each.name} is missing"
            elif not fits(each.type, value):
                yield f"{each.name} must be {each.type}, got {_shown(each.type, value)}"


class PackConfig(Mapping[str, Any]):  # Any: values of the declared types
    """The configuration of a pack, as its functions read it; what is secret is not in its repr."""

    __slots__ = ("_pack", "_secret", "_values")

    def __init__(self, pack: str = "", values: Mapping[str, Any] | None = None, secret: Sequence[str] = ()) -> None:
        self._pack = pack
        self._values = dict(values or {})
        self._secret = frozenset(secret)

    def __getitem__(self, key: str) -> Any:
        """Return a value; raise KeyError, with the line to write, for one that is not set."""
        try:
            return self._values[key]
        except KeyError:
            raise KeyError(self._lack(key)) from None

    def __iter__(self) -> Iterator[str]:
        """Yield the keys that have a value."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return the number of keys that have a value."""
        return len(self._values)

    def __repr__(self) -> str:
        """Return the values without secrets."""
        shown = {key: MASK if key in self._secret else value for key, value in self._values.items()}
        return f"PackConfig({shown!r})"

    @property
    def secret_keys(self) -> frozenset[str]:
        """The keys whose values are secret."""
        return self._secret

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must be shown to nobody."""
        values = [self._values[key] for key in sorted(self._secret & self._values.keys())]
        return tuple(text for value in values for text in (value if isinstance(value, list) else [value]))

    def _lack(self, key: str) -> str:
        if not self._pack:
            return f"{key}: a function outside packs has no configuration"
        return f"{key} is not set: write `{key} = ...` into [pack.{self._pack}] of slack_alert.conf"


#: The configuration of what is in no pack.
NO_CONFIG = PackConfig()


class Manifest(Struct, frozen=True):
    """What a pack.toml declares."""

    name: str
    version: str = ""
    description: str = ""
    config: tuple[ConfigField, ...] = ()
    #: By their names within the pack.
    events: Mapping[str, EventSchema] = field(default_factory=dict)
    #: The tables of actions without Python, by name, as they are written.
    actions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Pack(Struct, frozen=True):
    """A pack that was found."""

    manifest: Manifest
    #: The folder as shown to people, and where it is.
    shown: str
    folder: str
    #: `folder`, `shipped` or `installed`.
    origin: str = "folder"
    #: Where it was installed from, for people; empty if it was not.
    source: str = ""
    config: PackConfig = NO_CONFIG
    #: Why it cannot be loaded, as the code and the text of a problem; None: it can.
    fault: tuple[str, str] | None = None
    #: The Python of its own environment, in whose processes its functions run; empty: they run as others do.
    python: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.manifest.name

    def full_name(self, event: str) -> str:
        """Return the full name of an event: within a pack, a name without a dot is one of the pack's."""
        return event if "." in event else f"{self.name}.{event}"


def check_pack_name(name: str) -> str:
    """Return the name of a pack; raise BadValue if it cannot be one."""
    if not _NAME.fullmatch(name):
        raise BadValue(f"{name!r} is no name of a pack", hint="Letters, digits, - and _, a letter first: mypack.")
    if name in _TAKEN:
        raise BadValue(f"{name} is a name of the program itself", hint="Choose another name.")
    return name


def parse_type(written: object, choices: object = None) -> ValueType:
    """Return a type as it is written, `list[path]`; a list of values alone is a choice among them."""
    if isinstance(written, list):
        return ValueType(_type_of(written), choices=tuple(written))
    found = _TYPE.fullmatch(written.strip()) if isinstance(written, str) else None
    name = (found[1] or found[2]) if found else written
    if name not in TYPES:
        raise BadValue(
            f"{written!r} is not a type", hint=suggestion(str(name), [*TYPES, *(f"list[{t}]" for t in TYPES)])
        )
    plain = ValueType(str(name), is_list=bool(found and found[1]))
    if choices is None:
        return plain
    if not isinstance(choices, list) or not choices:
        raise BadValue(f"choices are a list, got {choices!r}", hint='Write choices = ["a", "b"].')
    single = ValueType(plain.name)
    for one in choices:
        if not fits(single, one):
            raise BadValue(f"the choice {one!r} is not a value of type {plain.name}", hint="Correct it.")
    return ValueType(plain.name, plain.is_list, tuple(choices))


def fits(kind: ValueType, value: object) -> bool:
    """Return whether a value of an event, or of a manifest, is of a type."""
    if kind.is_list:
        single = ValueType(kind.name, choices=kind.choices)
        return isinstance(value, list | tuple | set | frozenset) and all(fits(single, one) for one in value)
    if not _FITS[kind.name](value):
        return False
    return not kind.choices or any(_is_same(value, one) for one in kind.choices)


def read_value(kind: ValueType, text: str, zone: tzinfo) -> Any:  # Any: a value of the type
    """Return the value of a text in the configuration; raise BadValue, which shows no secret."""
    if kind.is_list:
        single = ValueType(kind.name, choices=kind.choices)
        return [read_value(single, one, zone) for one in _items(text)]
    value = _READ[kind.name](text, zone)
    if kind.choices and not any(_is_same(value, one) for one in kind.choices):
        known = [str(one) for one in kind.choices]
        raise BadValue(f"{_shown(kind, text)} is not allowed", hint=suggestion(text, known))
    return value


def read_default(kind: ValueType, default: object, zone: tzinfo) -> Any:  # Any: as above
    """Return the value of a default in a manifest; raise BadValue if it is not of the type."""
    if kind.is_list:
        if not isinstance(default, list):
            raise BadValue(f"the default {default!r} is not a list", hint="Write default = [].")
        single = ValueType(kind.name, choices=kind.choices)
        return [read_default(single, one, zone) for one in default]
    if isinstance(default, str):
        return read_value(kind, default, zone)
    if not fits(kind, default):
        raise BadValue(f"the default {default!r} is not of type {kind}", hint="Correct it.")
    return parse_duration(default) if kind.name == "duration" else default


def _variable(name: str) -> str:
    return name.lower().replace("-", "_")


def _type_of(choices: Sequence[object]) -> str:
    for name in ("str", "bool", "int", "float"):
        if choices and all(_FITS[name](one) for one in choices):
            return name
    raise BadValue(f"{list(choices)!r} are no choices", hint='Write values of one type: ["created", "deleted"].')


def _is_same(value: object, choice: object) -> bool:
    if isinstance(value, str) and isinstance(choice, str):
        return composed(value) == composed(choice)
    return value == choice and isinstance(value, bool) == isinstance(choice, bool)


def _shown(kind: ValueType, value: object) -> str:
    return MASK if kind.is_secret else excerpt(repr(value), _LONGEST)


def _items(text: str) -> list[str]:
    """Return the parts of a text between commas; a part in quotes may hold commas."""
    found = (match[1] or match[2] or match[3].strip() for match in _ITEM.finditer(text))
    return [one for one in found if one]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_instant(value: object) -> bool:
    if isinstance(value, datetime):
        return True
    return isinstance(value, str) and _reads(lambda: parse_instant(value, timezone.utc))


def _is_duration(value: object) -> bool:
    return not isinstance(value, bool) and _reads(lambda: parse_duration(value))


def _is_url(value: object) -> bool:
    return isinstance(value, str) and _reads(lambda: _read_url(value))


def _reads(read: Callable[[], object]) -> bool:
    try:
        read()
    except BadValue:
        return False
    return True


def _read_whole(text: str) -> int:
    try:
        return int(text.strip().replace("_", ""))
    except ValueError:
        raise BadValue(f"{excerpt(text, _LONGEST)!r} is not a whole number") from None


def _read_number(text: str) -> float:
    try:
        return float(text.strip())
    except ValueError:
        raise BadValue(f"{excerpt(text, _LONGEST)!r} is not a number") from None


def _read_flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise BadValue(f"{excerpt(text, _LONGEST)!r} is neither yes nor no", hint="Write yes or no.")
    return word in _YES


def _read_url(text: str) -> str:
    from urllib.parse import urlsplit  # It takes longer than all of this, and is hardly ever needed.

    try:
        parts = urlsplit(text.strip())
        is_whole = bool(parts.scheme and parts.netloc)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise BadValue("it is not a URL", hint="Write it whole: https://example.com/path.")
    return text.strip()


_LONGEST = 80
#: The verbs of the chat, the commands of the configuration, and what `slack-alert exec` runs are called so.
_TAKEN = frozenset({"chat", "command", "exec"})
_FITS: Mapping[str, Callable[[object], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": _is_whole,
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "datetime": _is_instant,
    "duration": _is_duration,
    "path": lambda value: isinstance(value, str | PurePath),
    "url": _is_url,
    SECRET: lambda value: isinstance(value, str),
}
_READ: Mapping[str, Callable[[str, tzinfo], Any]] = {  # Any: values of the types
    "str": lambda text, _: text,
    "int": lambda text, _: _read_whole(text),
    "float": lambda text, _: _read_number(text),
    "bool": lambda text, _: _read_flag(text),
    "datetime": parse_instant,
    "duration": lambda text, _: parse_duration(text),
    "path": lambda text, _: Path(text),
    "url": lambda text, _: _read_url(text),
    SECRET: lambda text, _: text,
}
_YES = frozenset({"yes", "on", "true", "1", "y"})
_NO = frozenset({"no", "off", "false", "0", "n"})
_NAME = lazy_pattern(r"[A-Za-z][A-Za-z0-9_-]*")
_TYPE = lazy_pattern(r"list\[\s*(\w+)\s*\]|(\w+)")
_ITEM = lazy_pattern(r"""\s*(?:"([^"]*)"|'([^']*)'|([^,]*))\s*(?:,|$)""")
