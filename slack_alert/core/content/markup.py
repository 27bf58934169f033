"""Escape Slack text, except for the mentions and links made by ctx.

The canonical text of the whole product is Slack's mrkdwn with `&`, `<`, `>` escaped; `plain` reads it for a terminal.
"""

from __future__ import annotations

import re

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct

#: A longer address stays plain text: Slack would not make a link of it, and it might be split.
MAX_LINK = 3000


class Markup(Struct, frozen=True):
    """Makes mentions and links inside ordinary strings, and keeps only those when text is escaped.

    They are marked with Unicode noncharacters and the nonce, so they survive f-strings, joins, `repr` and JSON, and
    cannot be forged without the nonce: use a fresh random one at each start. Digits are best, because they survive
    `upper()`.
    """

    nonce: str

    def __post_init__(self) -> None:
        if not (self.nonce.isascii() and self.nonce.isalnum()):
            raise BadValue(f"A nonce is ASCII letters and digits, got {self.nonce!r}.")

    def mention(self, who: str) -> str:
        """Return text that mentions a person, a group, a channel, or `here`, `channel`, `everyone`.

        Raises `BadValue` for anything else.
        """
        name = who.strip().lstrip("@!#")
        for pattern, form in _MENTIONS:
            if pattern.fullmatch(name):
                return self._marked(form + name)
        raise BadValue(
            f"ctx.mention cannot call {who!r}: give a person ('@ann', 'U0123'), a group ('S0123'), "
            "a channel ('C0123'), or 'here', 'channel', 'everyone'."
        )

    def link(self, url: str, text: str = "") -> str:
        """Return text that links to an http, https or mailto address; raises `BadValue` for any other."""
        address = url.strip()
        if not _ADDRESS.match(address):
            raise BadValue(f"ctx.link takes an http, https or mailto address, got {url!r}: begin it with 'https://'.")
        target = _coded(_UNSAFE_IN_ADDRESS.sub(_percent, address))
        label = _coded(visible(self.escape(" ".join(text.split())))).replace("|", "¦")
        whole = f"{target}|{label}" if label else target
        return self._marked(whole) if len(whole) <= MAX_LINK else f"{text} {address}".strip()

    def escape(self, text: str) -> str:
        """Return canonical text: everything is escaped except the mentions and links of this markup."""
        if self.nonce not in text:
            return entities(text)
        pieces = self._spans().split(text)
        pieces[::2] = [entities(self._without_remains(piece)) for piece in pieces[::2]]
        pieces[1::2] = [f"<{piece}>" for piece in pieces[1::2]]
        return "".join(pieces)

    def reveal(self, text: str) -> str:
        """Return text that is Slack's markup already, with marked mentions and links inserted and nothing escaped."""
        if self.nonce in text:
            text = self._without_remains(self._spans().sub(r"<\1>", text))
        return _cleaned(text)

    def _marked(self, inside: str) -> str:
        return f"{_OPEN}{self.nonce}{_BODY}{inside}{_CLOSE}"

    def _spans(self) -> re.Pattern[str]:
        # repr() and JSON write a noncharacter as \ufdd0; the nonce proves that this markup made such a span.
        sign = [rf"(?:{mark}|\\u{ord(mark):x})" for mark in (_OPEN, _BODY, _CLOSE)]
        return re.compile(rf"{sign[0]}{self.nonce}{sign[1]}([^<>\s{_OPEN}{_BODY}{_CLOSE}][^<>\n{_MARKS}]*?){sign[2]}")

    def _without_remains(self, text: str) -> str:
        """Return text without the nonce of a span that was cut apart, which must never be readable in the chat."""
        return text.replace(_OPEN + self.nonce, "").replace(self.nonce, "")


def plain(text: str) -> str:
    """Return canonical text as a terminal shows it: `@ann`, `text (url)`, `&`."""
    if "<" not in text and "&" not in text:
        return text
    return _unescaped(_RAW.sub(_terminal_form, text))


def visible(text: str) -> str:
    """Return canonical text as Slack shows it: a link as its label."""
    if "<" not in text and "&" not in text:
        return text
    return _unescaped(_RAW.sub(_slack_form, text))


def unformatted(text: str) -> str:
    """Return text that Slack shows literally: nothing in it becomes bold, italic, struck, code, a quote or an emoji.

    Slack has no escape for its formatting characters, so each that could format something is replaced by a similar
    one. A character inside a word (`snake_case`) or between spaces (`2 * 3`) formats nothing and is kept.
    """
    return _FORMATS.sub(lambda found: _LOOK_ALIKES[found.group()], text)


def entities(text: str) -> str:
    """Return plain text as canonical text: everything is escaped."""
    return _coded(_cleaned(text)) if _SPECIAL.search(text) else text


# Noncharacters: Unicode reserves them for use inside a program, so ordinary text does not contain them.
_OPEN, _BODY, _CLOSE = "\ufdd0", "\ufdd1", "\ufdd2"
_MARKS = _OPEN + _BODY + _CLOSE
_DROPPED = str.maketrans("", "", _MARKS)
_ADDRESS = lazy_pattern(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_UNSAFE_IN_ADDRESS = lazy_pattern(r"[\x00-\x20\x7f-\x9f<>|\"\\^`{}\ud800-\udfff\ufdd0-\ufdd2]")
_MENTIONS = (
    (lazy_pattern(r"here|channel|everyone"), "!"),
    (lazy_pattern(r"[UW][A-Z0-9]{3,}"), "@"),
    (lazy_pattern(r"S(?=\w*\d)[A-Z0-9]{3,}"), "!subteam^"),
    (lazy_pattern(r"[CG](?=\w*\d)[A-Z0-9]{3,}"), "#"),
    # A name; the channel that sends it looks up the id. \w allows names in any script.
    (lazy_pattern(r"\w[\w.'-]{0,79}"), "@"),
)
_UNSENDABLE = lazy_pattern(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SPECIAL = lazy_pattern(rf"[&<>\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_MARKS}]")
_RAW = lazy_pattern(r"<([^<>\n]+)>")
_FORMATS = lazy_pattern(
    r"`"
    r"|(?<![^\W_])[*_~](?!\s)|(?<!\s)[*_~](?![^\W_])"  # before a word, after one
    r"|^>"
    r"|:(?=[\w+'-]+:)(?!\d\d:\d)",  # an emoji, and no time of day
    re.MULTILINE,
)
#: Formatting characters and their replacements.
_LOOK_ALIKES = {"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb", ">": "\uff1e", ":": "\ua789"}
_ENTITY = lazy_pattern(r"&(amp|lt|gt);")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">"}


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found.group().encode("utf-8", "replace"))


def _coded(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cleaned(text: str) -> str:
    """Return text with characters that Slack cannot transmit replaced, and with Unix line ends."""
    return _UNSENDABLE.sub("\ufffd", text.replace("\r\n", "\n").translate(_DROPPED))


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda found: _CHARACTERS[found.group(1)], text)


def _terminal_form(found: re.Match[str]) -> str:
    target, _, label = found.group(1).partition("|")
    if target[0] in "@#!":
        return _slack_form(found)
    address = target.removeprefix("mailto:")
    return f"{label} ({address})" if label and label != address else address


def _slack_form(found: re.Match[str]) -> str:
    target, _, label = found.group(1).partition("|")
    if target[0] not in "@#!":
        return label or target
    if label:
        return label if target[0] == "!" else target[0] + label.lstrip("@#")
    return target if target[0] != "!" else "@" + target[1:].removeprefix("subteam^")
