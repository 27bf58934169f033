"""Read the words after a command by its parameters, and write them again as a person would."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

from slack_alert.core.commands.schedule_words import parse_day, parse_moment, takes_next
from slack_alert.core.commands.signature import CommandSignature, Parameter, ValueKind
from slack_alert.core.commands.words import QuotedWord, quote_word
from slack_alert.core.errors import BadValue
from slack_alert.core.excerpts import excerpt
from slack_alert.core.model.run import Arguments
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct, field
from slack_alert.core.units.names import composed, nearest
from slack_alert.core.units.quantities import format_duration, parse_duration

#: What is shown instead of a secret.
MASK = "***"
_YES = ("yes", "on", "true", "1", "y")
_NO = ("no", "off", "false", "0", "n")
#: The numbers that every store, channel and language can hold.
_LARGEST = 2**63 - 1


def parse_arguments(words: Sequence[str], parameters: Sequence[Parameter], *, zone: tzinfo, now: datetime) -> Arguments:
    """Return the values of a command's words; raise BadValue with a sentence for what is missing, wrong or too much.

    Words are taken in the order of the parameters, or by name: `--env prod`, `--env=prod`, `env=prod`; `--force` and
    `--no-force` for yes and no; `--no` is no option otherwise. A parameter that is given by name only, and whose name
    ends with `_`, may be written as in a sentence: `for_` as `for 2h`. After `--` no word is an option, and neither is
    a quoted one. Text that begins with `-` is refused where the parameter does not take it: no value becomes an option
    of a program that is called with it. `color=red` is text where a text is due and no parameter has nearly that name,
    and refused elsewhere. A list takes words, or one word with commas. Values are in the order of the parameters; a
    parameter that is not given has none, and the function's default applies. No error shows a secret.
    """
    given = _Given(parameters)
    _Reader(given, list(words)).read()
    given.distribute()
    reading = _Reading(zone, now)
    missing = [one for one in parameters if one.is_required and one.name not in given.words]
    if missing:
        raise BadValue(_missing(missing), hint=_hint_for(missing[0]))
    values = {one.name: reading.value(one, given.words[one.name]) for one in parameters if one.name in given.words}
    rest = next((one.name for one in parameters if one.is_variadic), "")
    several = values.pop(rest, None)
    enums = {one.name: one.enum for one in parameters if one.enum and (one.name in values or several)}
    return Arguments(values, tuple(several) if isinstance(several, list) else (), enums)


def changed_arguments(
    arguments: Arguments,
    texts: Mapping[str, str | Sequence[str] | None],
    parameters: Sequence[Parameter],
    *,
    zone: tzinfo,
    now: datetime,
) -> Arguments:
    """Return arguments with others in their place, given as texts; None takes one out. Raise BadValue for a wrong one.

    Each text is one value, whatever is in it.
    """
    reading = _Reading(zone, now)
    values, rest = dict(arguments.values), arguments.rest
    for parameter in parameters:
        if parameter.name not in texts:
            continue
        given = texts[parameter.name]
        words = () if given is None else tuple(map(QuotedWord, [given] if isinstance(given, str) else given))
        value = reading.value(parameter, words) if given is not None else None
        if parameter.is_variadic:
            rest = tuple(value) if isinstance(value, list) else ()
        elif value is None:
            values.pop(parameter.name, None)
        else:
            values[parameter.name] = value
    in_order = {one.name: values[one.name] for one in parameters if one.name in values}
    enums = {
        one.name: one.enum for one in parameters if one.enum and (one.name in values or (one.is_variadic and rest))
    }
    return Arguments(in_order, rest, enums)


def masked(arguments: Arguments, parameters: Sequence[Parameter]) -> dict[str, object]:
    """Return the values as JSON has them, for records, by the names of their parameters; secrets are masked."""
    shown: dict[str, object] = {}
    for parameter in parameters:
        value = list(arguments.rest) if parameter.is_variadic else arguments.values.get(parameter.name)
        if parameter.name in arguments.values or (parameter.is_variadic and arguments.rest):
            shown[parameter.name] = MASK if parameter.is_secret else _plain(value)
    return shown


def secrets_of(arguments: Arguments, parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """Return the texts of the secrets among the values, also of those in lists."""
    texts: list[str] = []
    for parameter in parameters:
        value = arguments.rest if parameter.is_variadic else arguments.values.get(parameter.name)
        if parameter.is_secret and value is not None:
            texts += map(text_of, value if isinstance(value, list | tuple) else [value])
    return tuple(texts)


def canonical(command: CommandSignature, arguments: Arguments) -> str:
    """Return the exact command as one would type it: its line is read as the same arguments, but for masked secrets."""
    return _line(command, arguments)


def to_fill_in(command: CommandSignature, arguments: Arguments) -> str:
    """Return the exact command with `token=<token>` for each secret; empty: it has none, and `canonical` will do."""
    return _line(command, arguments, is_to_fill_in=True) if secrets_of(arguments, command.parameters) else ""


def _line(command: CommandSignature, arguments: Arguments, *, is_to_fill_in: bool = False) -> str:
    parts = [command.words]
    is_in_order = True
    for parameter in command.parameters:
        is_given = bool(arguments.rest) if parameter.is_variadic else parameter.name in arguments.values
        if is_to_fill_in and parameter.is_secret and is_given:
            parts.append(_gap(parameter))
        elif parameter.is_variadic:
            parts += [_written(parameter, value) for value in arguments.rest]
        elif parameter.name not in arguments.values:
            is_in_order = False
        else:
            is_in_order = is_in_order and not (parameter.is_named or parameter.is_list)
            parts += _with_name(parameter, arguments.values[parameter.name], is_in_order)
    return " ".join(parts)


def usage(command: CommandSignature) -> str:
    """Return a command with its parameters in one line: `deploy APP [ENV=staging|prod] [VERSION]`."""
    return " ".join([command.words, *(_usage_of(parameter) for parameter in command.parameters)])


def text_of(value: object) -> str:
    """Return a value as a person would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ",".join(map(text_of, value))
    return str(value)


class _Given(Struct):
    """The words for each parameter, by its name."""

    parameters: Sequence[Parameter]
    words: dict[str, list[str]] = field(default_factory=dict)
    #: Words without a name, and those of them that look like an option and are none.
    unnamed: list[str] = field(default_factory=list)
    dashed: list[str] = field(default_factory=list)
    #: Those with `=` behind a name that no parameter has, or behind none.
    keyed: list[str] = field(default_factory=list)

    def find(self, name: str) -> Parameter | None:
        """Return the parameter of a name, in any case and with `-` for `_`."""
        named = [one for one in self.parameters if not one.is_variadic]
        exact = next((one for one in named if one.name == name), None)
        return exact or next((one for one in named if _spelling(one.name) == _spelling(name)), None)

    def add(self, parameter: Parameter, word: str) -> None:
        """Add a word that was given by name."""
        if parameter.name in self.words and not parameter.is_list:
            raise BadValue(f"{parameter.name} is given twice.", hint="Keep one of the two.")
        self.words.setdefault(parameter.name, []).append(word)

    def distribute(self) -> None:
        """Give the words without a name to the parameters without a value, in order."""
        open_ = [one for one in self.parameters if not one.is_named and one.name not in self.words]
        taken = [one.name for one in self.parameters if not one.is_named and one.name in self.words]
        words = self.unnamed
        for place, parameter in enumerate(open_):
            if not words:
                break
            count = _count(parameter, words, open_[place + 1 :])
            if count:
                self.words[parameter.name] = [" ".join(words[:count])] if not parameter.is_list else words[:count]
                self._check_dashes(parameter, words[:count])
                self._check_names(parameter, words[:count])
            words = words[count:]
        if words:
            self._refuse_rest(words, taken)

    def _check_dashes(self, parameter: Parameter, words: Sequence[str]) -> None:
        if not parameter.takes_dash:
            for word in words:
                if any(word is one for one in self.dashed):
                    self.refuse_option(word)

    def _check_names(self, parameter: Parameter, words: Sequence[str]) -> None:
        if parameter.is_variadic:
            return
        for word in words:
            if any(word is one for one in self.keyed) and (
                parameter.kind is not ValueKind.TEXT or word == "=" or self._nearest_name(word)
            ):
                self.refuse_name(word)

    def _refuse_rest(self, words: Sequence[str], taken: Sequence[str]) -> None:
        """Raise BadValue for the words that no parameter takes; `taken` are given by name, and would take some else."""
        for word in words:
            if any(word is one for one in self.dashed):
                self.refuse_option(word)
            if any(word is one for one in self.keyed):
                self.refuse_name(word)
        last = next((one for one in reversed(self.parameters) if not one.is_named), None)
        is_shown = not any(one.is_secret for one in self.parameters)
        shown = f": {excerpt(' '.join(words), 80)}." if is_shown else "."
        count = "one word" if len(words) == 1 else f"{len(words)} words"
        is_text = last is not None and last.kind is ValueKind.TEXT
        hint = "Put a text of several words in quotes." if is_text else "Take the rest out."
        hint = f"{_listed(taken)} given by name already." if taken and len(words) <= len(taken) else hint
        # On one line: no line of the answer begins with what somebody typed.
        told = " ".join(f"There {'is' if len(words) == 1 else 'are'} {count} too many{shown}".split())
        raise BadValue(told, hint=hint)

    def refuse_option(self, word: str) -> None:
        """Raise BadValue for an option that no parameter has."""
        name = word.partition("=")[0]
        known = [_option(one) for one in self.parameters if not one.is_variadic]
        meant = nearest(name, known, likeness=0.6)
        allowed = f"Allowed: {', '.join(known)}." if known else "There are none."
        hint = f"Did you mean {meant}?" if meant else allowed
        # What follows `=`, or a single dash, may be a secret.
        shown = excerpt(name, 60) if name.startswith("--") or not any(one.is_secret for one in self.parameters) else "-"
        raise BadValue(f"There is no option {shown}.", hint=hint)

    def refuse_name(self, word: str) -> None:
        """Raise BadValue for a word such as `color=red` whose name no parameter has."""
        name, _, value = word.partition("=")
        is_shown = not any(one.is_secret for one in self.parameters)
        known = [_option(one)[2:] for one in self.parameters if not one.is_variadic]
        allowed = f"Allowed: {', '.join(f'{one}=' for one in known)}." if known else "It takes none."
        if not name:
            behind = excerpt(word, 60) if is_shown else "="
            raise BadValue(f"There is no name in front of {behind}.", hint=f"Write no blanks around it. {allowed}")
        meant = self._nearest_name(word)
        hint = f"Did you mean {meant}={excerpt(value, 60) if is_shown else ''}?" if meant else allowed
        shown = excerpt(name, 60) if is_shown or meant else "of that name"
        raise BadValue(f"There is no parameter {shown}.", hint=hint)

    def _nearest_name(self, word: str) -> str | None:
        known = [_option(one)[2:] for one in self.parameters if not one.is_variadic]
        name = word.partition("=")[0]
        return nearest(name, known, likeness=0.6) if name else None


class _Reader(Struct):
    """Sorts words into those with a name and those without."""

    given: _Given
    words: list[str]
    has_ended: bool = False

    def read(self) -> None:
        while self.words:
            word = self.words.pop(0)
            if self.has_ended or isinstance(word, QuotedWord):
                self.given.unnamed.append(word)
            elif word == "--":
                self.has_ended = True
            elif word.startswith("--"):
                self._read_option(word)
            elif word.startswith("-") and len(word) > 1 and not _NUMBER.fullmatch(word):
                self._keep_dashed(word)
            else:
                self._read_word(word)

    def _read_option(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        parameter = self.given.find(name)
        if parameter is None:
            self._read_negation(word, name, equals)
        elif equals:
            self._add(parameter, value)
        elif parameter.kind is ValueKind.FLAG and not parameter.is_list:
            self.given.add(parameter, _YES[0])
        elif not self.words or (self.words[0].startswith("--") and not isinstance(self.words[0], QuotedWord)):
            raise BadValue(f"--{name} needs a value.", hint=_hint_for(parameter))
        else:
            self._add(parameter, self.words.pop(0))

    def _read_negation(self, word: str, name: str, equals: str) -> None:
        negated = self.given.find(name[3:]) if name[:3].lower() == "no-" and not equals else None
        if negated is not None and negated.kind is ValueKind.FLAG:
            self.given.add(negated, _NO[0])
        else:
            self._keep_dashed(word)

    def _keep_dashed(self, word: str) -> None:
        """Keep a word that begins with a dash: the parameter that gets it decides."""
        self.given.dashed.append(word)
        self.given.unnamed.append(word)

    def _read_word(self, word: str) -> None:
        name, equals, value = word.partition("=")
        parameter = self.given.find(name) if equals else None
        in_sentence = next((one for one in self.given.parameters if _word_of(one) == _spelling(word)), None)
        if parameter is not None:
            self._add(parameter, value)
        elif in_sentence is not None and self.words:
            self._add(in_sentence, self.words.pop(0))
        else:
            if equals and (not name or (_NAME.fullmatch(name) and value.strip("="))):
                self.given.keyed.append(word)
            self.given.unnamed.append(word)

    def _add(self, parameter: Parameter, word: str) -> None:
        """Add a word by name; a moment may have its time of day in the next word."""
        is_moment = parameter.kind is ValueKind.DATETIME and not parameter.is_list
        if is_moment and self.words and takes_next(word, self.words[0]):
            word = f"{word} {self.words.pop(0)}"
        self.given.add(parameter, word)


class _Reading(Struct, frozen=True):
    """Makes values of words."""

    zone: tzinfo
    now: datetime

    def value(self, parameter: Parameter, words: Sequence[str]) -> object:
        if not parameter.is_list:
            return self._one(parameter, words[0])
        return [self._one(parameter, item) for word in words for item in _items(parameter, word)]

    def _one(self, parameter: Parameter, word: str) -> object:
        text = composed(str(word)) if parameter.kind is ValueKind.CHOICE else str(word)
        try:
            return self._read(parameter, text)
        except BadValue as error:
            said = "its value cannot be used" if parameter.is_secret else str(error).removesuffix(".")
            # `from None`: the cause holds the value.
            raise BadValue(f"{parameter.name}: {said}.", hint=error.hint) from None

    def _read(self, parameter: Parameter, text: str) -> object:
        if parameter.kind is ValueKind.TEXT:
            return _text(parameter, text)
        if parameter.kind is ValueKind.CHOICE:
            return _choice(parameter, text)
        if parameter.kind is ValueKind.DATETIME:
            return parse_moment(text, zone=self.zone, now=self.now).astimezone(self.zone)
        if parameter.kind is ValueKind.DATE:
            return parse_day(text, zone=self.zone, now=self.now)
        return _READ[parameter.kind](parameter, text)


def _count(parameter: Parameter, words: Sequence[str], following: Sequence[Parameter]) -> int:
    """Return how many of the words without a name a parameter takes."""
    if parameter.is_variadic:
        return len(words)
    if parameter.is_list:
        # By commas where more lists follow; else all words but those that others require.
        several = any(one.is_list for one in following)
        return 1 if several else max(1, len(words) - sum(one.is_required for one in following))
    is_moment = parameter.kind is ValueKind.DATETIME and len(words) > 1 and not isinstance(words[0], QuotedWord)
    return 2 if is_moment and takes_next(words[0], words[1]) else 1


def _items(parameter: Parameter, word: str) -> Iterator[str]:
    if isinstance(word, QuotedWord) or parameter.is_variadic:
        yield word
    else:
        yield from (item for item in _COMMA.split(word) if item)


def _text(parameter: Parameter, text: str) -> str:
    if text.startswith("-") and not parameter.takes_dash:
        raise BadValue(f"{_shown(text)} begins with -", hint="Write it without: a program could take it for an option.")
    return text


def _choice(parameter: Parameter, text: str) -> object:
    known = {str(choice): choice for choice in parameter.choices}
    lowered = {spelled.casefold(): choice for spelled, choice in reversed(known.items())}
    if text in known:
        return known[text]
    if text.casefold() in lowered:
        return lowered[text.casefold()]
    meant = nearest(text, known)
    question = f"Did you mean {meant}? " if meant else ""
    raise BadValue(f"{_shown(text)} is not allowed", hint=f"{question}Allowed: {', '.join(known)}.")


def _whole(_: Parameter, text: str) -> int:
    text = _with_hyphen(text)
    if not _WHOLE.fullmatch(text):
        raise BadValue(f"{_shown(text)} is not a whole number", hint="Write 3, for example.")
    number = int(text) if len(text) < len(str(_LARGEST)) + 2 else _LARGEST + 1
    if abs(number) > _LARGEST:
        raise BadValue(f"{_shown(text)} is too large", hint="18 digits are always possible.")
    return number


def _number(_: Parameter, text: str) -> float:
    text = _with_hyphen(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise BadValue(f"{_shown(text)} is not a number", hint="Write 2.5, for example.")
    return number


def _with_hyphen(text: str) -> str:
    """Return a number with the minus sign that programs know."""
    return f"-{text[1:]}" if text[:1] in _MINUS else text


def _flag(_: Parameter, text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise BadValue(
        f"{_shown(text)} is neither yes nor no", hint="Write yes or no; on, off, true, false, 1 and 0 will do."
    )


def _duration(_: Parameter, text: str) -> timedelta:
    return parse_duration(text)


def _path(parameter: Parameter, text: str) -> Path:
    if ".." in _SEPARATOR.split(text):
        raise BadValue(f"{_shown(text)} leads out of its folder", hint="Write the path without .. in it.")
    if not text:
        raise BadValue("the path is empty", hint="Write a path such as logs/today.txt.")
    return Path(_text(parameter, text))


_READ: Mapping[ValueKind, Callable[[Parameter, str], object]] = {
    ValueKind.WHOLE: _whole,
    ValueKind.NUMBER: _number,
    ValueKind.FLAG: _flag,
    ValueKind.DURATION: _duration,
    ValueKind.PATH: _path,
}


def _with_name(parameter: Parameter, value: object, is_in_order: bool) -> list[str]:
    if is_in_order:
        return [_written(parameter, value)]
    if isinstance(value, list):
        name = _option(parameter)
        # Quoted, because a comma would make two items of one.
        return [f"{name} {_quoted(parameter, item)}" for item in value] or [f"{name}="]
    if isinstance(value, bool) and parameter.kind is ValueKind.FLAG:
        return [_option(parameter) if value else f"--no-{_option(parameter)[2:]}"]
    written = _written(parameter, value)
    return [_word_of(parameter), written] if _word_of(parameter) else [f"{_option(parameter)}={written}"]


def _gap(parameter: Parameter) -> str:
    """Return what stands for a value that has to be typed again."""
    name = _option(parameter)[2:]
    if parameter.is_variadic:
        return f"<{name}>"
    word = _word_of(parameter)
    return f"{word} <{name}>" if word else f"{name}=<{name}>"


def _written(parameter: Parameter, value: object) -> str:
    return MASK if parameter.is_secret else quote_word(text_of(value))


def _quoted(parameter: Parameter, value: object) -> str:
    written = _written(parameter, value)
    return f'"{written}"' if "," in written and written[0] != '"' else written


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float) else text_of(value)


def _missing(parameters: Sequence[Parameter]) -> str:
    names = [parameter.name for parameter in parameters]
    return f"{_listed(names)} missing."


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]} are" if len(names) > 1 else f"{names[0]} is"


def _hint_for(parameter: Parameter) -> str:
    if parameter.choices:
        return f"Allowed for {parameter.name}: {', '.join(map(str, parameter.choices))}."
    return f"Write {_usage_of(parameter).strip('[]')} after it." if parameter.is_named else ""


def _usage_of(parameter: Parameter) -> str:
    name = parameter.name.rstrip("_").upper().replace("_", "-")
    if parameter.kind is ValueKind.FLAG and not parameter.is_list:
        shown = f"--no-{_option(parameter)[2:]}" if parameter.default == "True" else _option(parameter)
        shown = shown if not parameter.is_required else f"{name}=yes|no"
    else:
        values = "|".join(map(str, parameter.choices))
        shown = f"{name}={values}" if values else name
        if word := _word_of(parameter):
            shown = f"{word} {_SHORT.get(parameter.kind, values or name)}"
        elif parameter.is_named:
            shown = f"{_option(parameter)} {values or name}"
        shown += "..." if parameter.is_list else ""
    return shown if parameter.is_required else f"[{shown}]"


def _option(parameter: Parameter) -> str:
    return f"--{parameter.name.rstrip('_').replace('_', '-')}"


def _word_of(parameter: Parameter) -> str:
    """Return the word that a parameter's value follows in a sentence; empty: there is none."""
    return parameter.name[:-1] if parameter.is_named and parameter.name.endswith("_") else ""


def _spelling(name: str) -> str:
    spelled = composed(name).casefold().replace("-", "_")
    return spelled.rstrip("_") or spelled


def _shown(text: str) -> str:
    return repr(excerpt(text, 60))


#: What stands for a value whose word says what it is.
_SHORT: Mapping[ValueKind, str] = {ValueKind.DURATION: "D", ValueKind.DATETIME: "T"}
_MINUS = ("\u2212", "\u2013")
#: Of a parameter; a value with padding behind it, as base64 has it, is no name, and no address is one.
_NAME = lazy_pattern(r"[^\W\d][\w-]*")
_WHOLE = lazy_pattern(r"[+-]?[0-9]+")
_NUMBER = lazy_pattern(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMMA = lazy_pattern("[,，、]")
_SEPARATOR = lazy_pattern(r"[/\\]")
