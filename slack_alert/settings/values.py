"""Parse the text of a setting; errors do not contain its key and place, which the caller adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import msgspec

from slack_alert.core.errors import BadValue
from slack_alert.core.model.address import SERVICES, Address
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.units.names import nearest
from slack_alert.core.units.quantities import format_duration, format_size, parse_duration, parse_size
from slack_alert.settings.keys import Key, Kind
from slack_alert.settings.secret import Secret, quoted
from slack_alert.settings.timezones import parse_zone

_N = TypeVar("_N", int, float)


def parse_value(key: Key, text: str) -> object:
    """Return the value of a text; raise BadValue. Kinds that need a folder or a zone are left to the caller."""
    if text:
        return _PARSERS[key.kind](key, text)
    if key.default:
        raise BadValue("the value is empty", hint=f"Write a value such as {key.default}, or take the line out.")
    return () if key.kind in _LISTS else None


def _text(key: Key, text: str) -> str:
    del key
    if not text.isprintable():
        raise BadValue(f"{text!r} has characters that cannot be printed")
    return text


def _address(key: Key, text: str) -> str:
    _text(key, text)
    # The default service depends on the token; whether the text is valid does not.
    Address.parse(text, SERVICES[0], None)
    return text


def _secret(key: Key, text: str) -> Secret:
    if not _TOKEN.fullmatch(text):
        raise BadValue(
            "there are quotes, white space or other characters in it that no secret of Slack has",
            hint=f"Copy {key.name} again from the page of the Slack app.",
        )
    return Secret(text)


def _url(key: Key, text: str) -> str:
    try:
        parts = urlsplit(text)
        is_complete = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or _SPACE.search(text):
        example = key.example or "https://example.com/"
        # The heartbeat's URL is all it takes to fake a heartbeat.
        shown = "it" if key.name == "heartbeat_url" else quoted(text)
        raise BadValue(f"{shown} is not an http:// or https:// address", hint=f"Write one such as {example}.")
    return text


def _whole(key: Key, text: str) -> int:
    return _within(key, text, int, "a whole number")


def _number(key: Key, text: str) -> float:
    value = _within(key, text, float, "a number")
    if 0 < value < key.finest:
        raise BadValue(f"{quoted(text)} is too little", hint=f"Write {key.finest:g} or more, or 0 for no limit.")
    return value


def _within(key: Key, text: str, kind: type[_N], noun: str) -> _N:
    meta = msgspec.Meta(ge=key.least, le=key.most)
    try:
        value: _N = msgspec.convert(text, Annotated[kind, meta], strict=False)
    except msgspec.ValidationError:
        raise BadValue(f"{quoted(text)} is not {noun} {_bounds(key)}") from None
    return value


def _bounds(key: Key) -> str:
    return f"of at least {key.least:g}" if key.most is None else f"from {key.least:g} to {key.most:g}"


def _duration(key: Key, text: str) -> timedelta:
    least = timedelta(seconds=key.least)
    value = parse_duration(text, unit=key.unit)
    if value < least:
        raise BadValue(f"{quoted(text)} is too short", hint=f"Write {format_duration(least)} or more.")
    return value


def _size(key: Key, text: str) -> int:
    value = parse_size(text)
    if value < key.least:
        raise BadValue(f"{quoted(text)} is too little", hint=f"Write {format_size(int(key.least))} or more.")
    return value


def _choice(key: Key, text: str) -> str:
    # `gevent` means `GeventScheduler`; case does not matter.
    names = {choice.lower(): choice for choice in key.choices}
    short = {name.removesuffix("scheduler"): choice for name, choice in names.items()}
    choice = (short | names).get(text.lower())
    if choice is None:
        meant = nearest(text, key.choices)
        question = f"Did you mean {meant}? " if meant else ""
        raise BadValue(f"{quoted(text)} is not known", hint=f"{question}Allowed: {', '.join(key.choices)}.")
    return choice


def _names(key: Key, text: str) -> tuple[str, ...]:
    names = tuple(part.removeprefix("@") for part in _SEPARATOR.split(text) if part)
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise BadValue(f"{quoted(name)} cannot be the name of a decorator", hint=f"Write {key.example}.")
    return names


def _phrases(key: Key, text: str) -> tuple[str, ...]:
    """Return what stands between commas, each as words with single spaces."""
    _text(key, text)
    return tuple(dict.fromkeys(" ".join(part.split()) for part in text.split(",") if part.strip()))


def _listen(key: Key, text: str) -> object:
    # Late, as in most programs there is nothing to read.
    from slack_alert.settings.listening import parse_hosts, parse_listen

    return parse_listen(text) if key.kind == "listen" else parse_hosts(text)


def _conversations(key: Key, text: str) -> tuple[str, ...]:
    return tuple(_address(key, word) for word in _words(key, text))


def _words(key: Key, text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word for word in _SEPARATOR.split(_text(key, text)) if word))
    if not words:
        raise BadValue(f"{quoted(text)} names nothing", hint=f"Write {key.default or key.example}.")
    return words


_LISTS = frozenset({"names", "conversations", "members", "listen", "hosts", "words"})
_TOKEN = lazy_pattern(r"[!#-&(-~]+")
_SPACE = lazy_pattern(r"\s")
_SEPARATOR = lazy_pattern(r"[\s,]+")

_PARSERS: Mapping[Kind, Callable[[Key, str], object]] = {
    "text": _text,
    "repository": _text,
    "address": _address,
    "secret": _secret,
    "url": _url,
    "whole": _whole,
    "number": _number,
    "duration": _duration,
    "size": _size,
    "choice": _choice,
    "names": _names,
    "prefixes": _words,
    "conversations": _conversations,
    # Whether there are such roles is known when all are read.
    "members": _words,
    "zone": lambda _key, text: parse_zone(text),
    "listen": _listen,
    "hosts": _listen,
    "words": _phrases,
}
