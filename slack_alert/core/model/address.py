"""Addresses of messages: a channel and a conversation in it."""

from __future__ import annotations

from collections.abc import Collection
from unicodedata import category

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import composed, nearest

#: Slack's own limit, in characters.
_LONGEST = 80
_HINT = "Write #ops or ops, an id such as C0123, a person as @ann, or console: for the terminal."


def parse_conversation(text: str) -> str:
    """Return a conversation as a person wrote it; raise BadValue if no channel or person can have that name."""
    conversation = complete(text)
    name = conversation.removeprefix("#")
    if not name:
        raise BadValue(f"{text!r} names no channel", hint=_HINT)
    if len(name) > _LONGEST:
        raise BadValue(f"{text[:_LONGEST]!r}… is longer than the {_LONGEST} characters of a channel's name", hint=_HINT)
    is_name = _is_person(name[1:]) if conversation[0] == "@" else _is_channel(name)
    if not is_name:
        raise BadValue(f"{text!r} is not one channel", hint=_HINT)
    return conversation


def complete(text: str) -> str:
    """Return a conversation with `#` added to a bare name."""
    text = composed(text)
    looks_like_id = len(text) > 4 and text[0] in "CGDUW" and text.isupper() and text.isalnum()
    return text if not text or text[0] in "#@" or looks_like_id else f"#{text}"


def _is_channel(name: str) -> bool:
    """Return whether a name consists of letters, digits, `-` and `_` of any script, as Slack allows."""
    return all(character in "-_" or category(character)[0] in "LMN" for character in name)


def _is_person(name: str) -> bool:
    """Return whether this can be a person's name; display names may contain almost anything."""
    is_trimmed = name != "" and name == name.strip()
    return is_trimmed and name.isprintable() and not any(character in _NOT_IN_NAMES for character in name)


_NOT_IN_NAMES = frozenset(',;:"`<>@#=')


#: Where those who ask are answered, and that no address can name.
_ANSWERS_ONLY = frozenset({"terminal", "web"})
#: Services that an address can name; a configuration has channels with names of its own besides.
SERVICES = ("slack", "console", "dingtalk")
#: Those of them whose conversations are shown without the service.
UNNAMED = ("slack", "console")
#: A robot, and perhaps a conversation of it: a group, or a person.
_OF_ROBOT = lazy_pattern(r"[a-z0-9][a-z0-9_-]*(/(cid[A-Za-z0-9+/=_-]{1,200}|@[^\s/,;]{1,200}))?")


class Address(Struct, frozen=True):
    """A conversation in a channel, the port to a service: `slack:#ops`, `console:`."""

    channel: str
    conversation: str

    def __str__(self) -> str:
        """Return the unambiguous form that is stored."""
        return f"{self.channel}:{self.conversation}"

    @classmethod
    def parse(cls, text: str, channel: str, services: Collection[str] | None = SERVICES) -> Address:
        """Return the address that a person wrote; `channel` is the default. Raise BadValue if it is not valid.

        A conversation given as a bare word is a channel's name (`ops` is `#ops`); ids and people stay as they are.
        `console:` may be followed by anything, and an empty text is the channel's default conversation. The service
        must be among `services`; None: it is checked elsewhere.
        """
        written = text.strip()
        service, colon, rest = written.partition(":")
        if not colon or not service.isidentifier():
            parse = _robot if channel == "dingtalk" else parse_conversation
            return cls(channel, parse(written) if written else "")
        if services is not None:
            _check_service(written, service, services)
        return cls(service, _PARSERS.get(service, complete)(rest.strip()))

    @property
    def shown(self) -> str:
        """The form for people: without the channel if the conversation is enough."""
        if self.channel in _ANSWERS_ONLY:  # Their conversations say nothing, or are a secret.
            return self.channel
        return self.conversation if self.conversation and self.channel in UNNAMED else str(self)


def check_address(text: str, services: Collection[str], robots: Collection[str]) -> None:
    """Raise BadValue for an address that names a service, or a robot of DingTalk, that is not among these."""
    service, colon, rest = text.strip().partition(":")
    if not colon or not service.isidentifier():
        return
    _check_service(text, service, services)
    robot = rest.strip().partition("/")[0]
    if service == "dingtalk" and robot not in robots:
        known = f"There are: {', '.join(robots)}." if robots else f"Write a section [dingtalk.{robot}]."
        raise BadValue(f"{text!r}: there is no robot {robot!r}", hint=known)


def _check_service(text: str, service: str, services: Collection[str]) -> None:
    if service not in services:
        meant = nearest(service, services)
        question = f"Did you mean {meant}? " if meant else ""
        hint = f"{question}Allowed services: {', '.join(services)}."
        raise BadValue(f"{text!r}: there is no service {service!r}", hint=hint)


def _robot(text: str) -> str:
    """Return a robot of DingTalk, and perhaps a conversation of it; raise BadValue if none can have that name."""
    robot = text.removeprefix("#")
    if not _OF_ROBOT.fullmatch(robot):
        raise BadValue(f"{text!r} is not a robot of DingTalk", hint="Write dingtalk:ops, as in [dingtalk.ops].")
    return robot


_PARSERS = {"slack": parse_conversation, "dingtalk": _robot}
