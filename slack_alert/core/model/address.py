"""Addresses of messages: a channel and a conversation in it."""

from __future__ import annotations

from unicodedata import category

from slack_alert.core.errors import BadValue
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
#: Channels that an address can name.
SERVICES = ("slack", "console")


class Address(Struct, frozen=True):
    """A conversation in a channel, the port to a service: `slack:#ops`, `console:`."""

    channel: str
    conversation: str

    def __str__(self) -> str:
        """Return the unambiguous form that is stored."""
        return f"{self.channel}:{self.conversation}"

    @classmethod
    def parse(cls, text: str, channel: str) -> Address:
        """Return the address that a person wrote; `channel` is the default. Raise BadValue if it is not valid.

        A conversation given as a bare word is a channel's name (`ops` is `#ops`); ids and people stay as they are.
        `console:` may be followed by anything, and an empty text is the channel's default conversation.
        """
        written = text.strip()
        service, colon, rest = written.partition(":")
        if not colon or not service.isidentifier():
            return cls(channel, parse_conversation(written) if written else "")
        if service not in SERVICES:
            meant = nearest(service, SERVICES)
            question = f"Did you mean {meant}? " if meant else ""
            hint = f"{question}Allowed services: {', '.join(SERVICES)}."
            raise BadValue(f"{written!r}: there is no service {service!r}", hint=hint)
        return cls(service, complete(rest.strip()) if service == "console" else parse_conversation(rest.strip()))

    @property
    def shown(self) -> str:
        """The form for people: without the channel if the conversation is enough."""
        if self.channel in _ANSWERS_ONLY:  # Their conversations say nothing, or are a secret.
            return self.channel
        return self.conversation if self.conversation and self.channel in SERVICES else str(self)
