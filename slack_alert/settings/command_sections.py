"""Read commands from the configuration: [command.NAME] with the program that it runs, for people without Python."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar

from slack_alert.core.commands.arguments import parse_arguments
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.commands.words import QuotedWord, parse_command_words
from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import replace
from slack_alert.core.units.names import composed, suggestion
from slack_alert.core.units.quantities import parse_duration
from slack_alert.settings.keys import COMMAND
from slack_alert.settings.model import CommandSection
from slack_alert.settings.paths import is_folder
from slack_alert.settings.secret import quoted

_T = TypeVar("_T")
_TYPES = {
    "str": ValueKind.TEXT,
    "int": ValueKind.WHOLE,
    "float": ValueKind.NUMBER,
    "bool": ValueKind.FLAG,
    "datetime": ValueKind.DATETIME,
    "date": ValueKind.DATE,
    "duration": ValueKind.DURATION,
    "path": ValueKind.PATH,
    "secret": ValueKind.TEXT,
    "dash": ValueKind.TEXT,
}
_PARAMS = "Write params = app, env: staging|prod = staging, version?, n: int = 3, *rest."
#: A moment for defaults such as `tomorrow`, which only have to be readable.
_SOME_TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)


class SectionFault(BadValue):
    """The value of a key of such a section cannot be used."""

    def __init__(self, key: str, error: BadValue) -> None:
        super().__init__(str(error), hint=error.hint)
        #: Empty: the section itself.
        self.key = key


def read_section(
    name: str, texts: Mapping[str, str], *, place: tuple[str, int], folder: Callable[[str], Path]
) -> CommandSection:
    """Return the command of a section; raise SectionFault. `folder` finds a written folder."""
    words = _checked("", lambda: parse_command_words(name, "parameters are in params, such as params = app"))
    if not texts.get("run"):
        raise SectionFault("", BadValue(f"[{COMMAND}{name}] has no run", hint="Write run = ./deploy.sh {app}."))
    parameters = _checked("params", lambda: parse_parameters(texts.get("params", "")))
    section = CommandSection(
        words,
        *place,
        _checked("run", lambda: _program(texts["run"], parameters)),
        parameters,
        _checked("allow", lambda: tuple(role.strip() for role in texts.get("allow", "").split(",") if role.strip())),
        texts.get("queue", "default") or None,
        _checked("lock", lambda: _lock(texts.get("lock", ""), parameters)),
        is_confirmed=_checked("confirm", lambda: _is_confirmed(texts.get("confirm", ""))),
        help=texts.get("help", ""),
    )
    cwd, timeout = texts.get("cwd"), texts.get("timeout")
    return replace(
        section,
        cwd=_checked("cwd", lambda: _existing(folder(cwd), cwd)) if cwd else None,
        timeout=_checked("timeout", lambda: _timeout(timeout)) if timeout else None,
    )


def parse_parameters(text: str) -> tuple[Parameter, ...]:
    """Return the parameters in a text such as `app, env: staging|prod = staging, version?, *rest`."""
    parameters = tuple(_parameter(part.strip()) for part in text.split(",") if part.strip())
    for place, parameter in enumerate(parameters):
        before = parameters[:place]
        optional = next((one for one in before if not one.is_required), None)
        if any(one.name == parameter.name for one in before):
            raise BadValue(f"{parameter.name} is there twice", hint="Keep one of the two.")
        if parameter.is_required and optional is not None:
            hint = f"Write {parameter.name} before {optional.name}, or {parameter.name}? where it may be left out."
            raise BadValue(f"{parameter.name} is required and stands after {optional.name}, which is not", hint=hint)
        if any(one.is_variadic for one in before):
            raise BadValue(f"{parameter.name} stands after *{before[-1].name}, which takes all words", hint=_PARAMS)
    return parameters


def placeholders(word: str) -> Iterator[str]:
    """Yield the names of the parameters in a word of a program."""
    yield from (found[1] for found in PLACEHOLDER.finditer(word))


def _checked(key: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except BadValue as error:
        raise SectionFault(key, error) from None


def _parameter(text: str) -> Parameter:
    found = _PARAMETER.fullmatch(text)
    name = composed(found[2]) if found else ""
    if found is None or not name.isidentifier() or name == "ctx":
        raise BadValue(f"{quoted(text)} is not a parameter", hint=_PARAMS)
    stars, _, mark, type_, default = found.groups()
    parameter = _typed(Parameter(name, is_required=not (mark or stars) and default is None), (type_ or "str").strip())
    if stars:
        if default is not None:
            raise BadValue(f"*{name} has no default: it takes what is left", hint=_PARAMS)
        return replace(parameter, is_list=True, is_variadic=True)
    return parameter if default is None else replace(parameter, default=_default(parameter, default.strip()))


def _typed(parameter: Parameter, text: str) -> Parameter:
    if "|" in text:
        choices = tuple(choice.strip() for choice in text.split("|"))
        if not all(choices):
            raise BadValue(f"{quoted(text)} has an empty choice", hint="Write env: staging|prod.")
        return replace(parameter, kind=ValueKind.CHOICE, choices=choices)
    if text not in _TYPES:
        hint = f"{suggestion(text, list(_TYPES))} Or choices: staging|prod."
        raise BadValue(f"{quoted(text)} is not a type of {parameter.name}", hint=hint)
    return replace(parameter, kind=_TYPES[text], is_secret=text == "secret", takes_dash=text == "dash")


def _default(parameter: Parameter, text: str) -> str:
    """Return a default as Python source, after reading it as if somebody had typed it."""
    value = parse_arguments([QuotedWord(text)], [parameter], zone=timezone.utc, now=_SOME_TIME).values[parameter.name]
    return repr(value if isinstance(value, str | int | float) else text)


def _program(text: str, parameters: Sequence[Parameter]) -> tuple[str, ...]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BadValue(f"the quotes do not fit ({error})", hint="Close them, or take them out.") from None
    if not words or not words[0]:
        raise BadValue("it names no program", hint="Write run = ./deploy.sh {app}.")
    if next(placeholders(words[0]), None) is not None:
        raise BadValue("the program itself cannot be a parameter", hint="Name the program: it is what people may run.")
    several = {one.name for one in parameters if one.is_variadic}
    for word in words:
        for name in placeholders(word):
            _check_name(name, parameters)
            if name in several and word != f"{{{name}}}":
                raise BadValue(f"{{{name}}} is several words", hint=f"Let it stand alone: {{{name}}}.")
    return tuple(words)


def _lock(text: str, parameters: Sequence[Parameter]) -> str:
    for name in placeholders(text):
        _check_name(name, parameters)
    return text


def _check_name(name: str, parameters: Sequence[Parameter]) -> None:
    known = [one.name for one in parameters]
    if name not in known:
        hint = suggestion(name, known) if known else f"Write params = {name}."
        raise BadValue(f"{{{name}}} is not in params", hint=hint)


def _is_confirmed(text: str) -> bool:
    """Return whether a person has to agree: a text that is neither yes nor no is the question."""
    return text.lower() not in ("", "no", "off", "false", "0")


def _existing(folder: Path, text: str) -> Path:
    if not is_folder(folder):
        raise BadValue(f"{quoted(text)} is not a folder", hint="Check the path, or take the setting out.")
    return folder


def _timeout(text: str) -> timedelta:
    timeout = parse_duration(text)
    if not timeout:
        raise BadValue("the time is nothing", hint="Take the setting out for no limit.")
    return timeout


PLACEHOLDER = lazy_pattern(r"\{([^\W\d]\w*)\}")
_PARAMETER = lazy_pattern(r"(\*?)\s*(\w+)\s*(\?)?\s*(?::([^=]*))?(?:=(.*))?")
