"""Where people talk, as a person writes it: a channel's name, an id, or a person."""

from __future__ import annotations

from unicodedata import category

from slack_alert.core.errors import BadValue
from slack_alert.core.units.names import composed

#: Slack's own limit, in characters.
_LONGEST = 80
_HINT = "Write #ops or ops, an id such as C0123, a person as @ann, or console: for the terminal."


def parse_conversation(text: str) -> str:
    """Read one conversation; raise BadValue where no channel and no person can be called so."""
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
    """Give a bare name its `#`."""
    text = composed(text)
    looks_like_id = len(text) > 4 and text[0] in "CGDUW" and text.isupper() and text.isalnum()
    return text if not text or text[0] in "#@" or looks_like_id else f"#{text}"


def _is_channel(name: str) -> bool:
    """Tell whether this is made of letters, digits, `-` and `_`, in whatever script, as Slack has it."""
    return all(character in "-_" or category(character)[0] in "LMN" for character in name)


def _is_person(name: str) -> bool:
    """Tell whether this may be a person's name; those they choose to be shown by hold almost anything."""
    is_trimmed = name != "" and name == name.strip()
    return is_trimmed and name.isprintable() and not any(character in _NOT_IN_NAMES for character in name)


_NOT_IN_NAMES = frozenset(',;:"`<>@#=')
