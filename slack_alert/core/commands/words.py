r"""Split the line of a command into its words, as people type it on phones, in East Asian scripts and in Slack.

A word in quotes is a `QuotedWord`: a value, whatever it looks like. Nothing here is ever given to a shell.

- White space of any kind separates words, but a line end does not: text after it is refused, because a command that
  ran without it would be another one. In quotes a line end is part of the value.
- A quote opens at the beginning of a word, or after `=`; elsewhere it is text (`don't`, `5"`). Double quotes close at
  the next closing quote; the others where one ends a word. In double quotes `\"` is a quotation mark, and backslashes
  before a quotation mark are written twice.
- Characters that nobody sees are left out; control characters, and those that turn the direction of writing, are
  refused: the command that is shown must be the command that runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn
from unicodedata import category

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.units.names import composed

#: In characters; what chats allow is not much more.
LONGEST = 16_000
#: The fence of a block of code.
FENCE = "```"


class QuotedWord(str):
    """A word that was written in quotes: never an option, and never the time of a later run."""

    __slots__ = ()


def split_line(text: str) -> list[str]:
    """Return the words of a line; raise BadValue for control characters, open quotes, and more than one line."""
    return list(_Line(_legible(plain_text(text)).strip()).words())


def first_word(text: str) -> str:
    """Return what is shown of a line that was not read as a command: what follows its first word may be secret."""
    first, *rest = text.split(maxsplit=1) or [""]
    return f"{first} …" if rest else first


def plain_text(text: str) -> str:
    """Return what a person wrote in Slack: mentions as ids, links as addresses, and its escapes undone."""
    if "<" not in text and "&" not in text:
        return text
    return _ESCAPE.sub(lambda found: _ESCAPED[found[0]], _FORM.sub(_resolved, text))


def quote_word(word: str) -> str:
    """Return how a value is written so that `split_line` reads it as a value: as it is where it may be, else quoted."""
    written = _ESCAPE.sub(lambda found: f"&amp;{found[0][1:]}", word)
    if _FORM.search(written):
        written = written.replace("<", "&lt;")
    if _BARE.fullmatch(word) and word.lower() not in _TIME_WORDS:
        return written
    escaped = _BEFORE_QUOTE.sub(lambda found: found[1] * 2 + ('\\"' if found[2] else ""), written)
    return f'"{escaped}"'


def parse_command_words(text: str, parameters: str) -> str:
    """Return the words of a command with single spaces between them and no `/` before them; raise BadValue.

    `parameters` says where those of a command come from, for who writes them among the words: `deploy {app}`.
    """
    words = composed(text).strip().removeprefix("/").split()
    for place, word in enumerate(words or [""]):
        if not (_COMMAND_WORD.fullmatch(word) and any(map(str.isalnum, word))):
            hint = 'Words have letters, digits and any of . / _ -, but no dash in front: "deploy", "pr merge".'
            if place and _PLACEHOLDER.search(word):
                hint = f'Write the words alone, "{" ".join(words[:place])}": {parameters}.'
            raise BadValue(f"{word or text!r} cannot be a word of a command", hint=hint)
    return " ".join(words)


class _Line:
    """Reads the words of a legible line."""

    def __init__(self, text: str) -> None:
        self._text = text
        #: Opening quotes that nothing closes from some place on.
        self._open: set[str] = set()

    def words(self) -> Iterator[str]:
        place = 0
        while place < len(self._text):
            if not self._text[place].isspace():
                word, place = self._word(place)
                yield word
                continue
            if self._text[place] in _LINE_ENDS:
                raise BadValue("A command is one line.", hint="Put a text of several lines in quotes.")
            place += 1

    def _word(self, start: int) -> tuple[str, int]:
        """Return the word that begins at a place, and the place where it ends."""
        text, place, bare = self._text, start, start
        parts: list[str] = []
        while place < len(text) and not text[place].isspace():
            found = self._quoted(place) if place == start or text[place - 1] in _BEFORE_VALUES else None
            if found is None:
                place += 1
                continue
            parts += [_narrow(text[bare:place]), found[0]]
            place = bare = found[1]
        word = "".join([*parts, _narrow(text[bare:place])])
        is_value = bool(parts) and parts[0] == "" and not _is_code_word(text, start, parts[1])
        return (QuotedWord(word) if is_value else _with_dashes(word)), place

    def _quoted(self, place: int) -> tuple[str, int] | None:
        """Return the text of the quotes that open at a place, and where they end; None if it is no such place."""
        opening = FENCE if self._text.startswith(FENCE, place) else self._text[place]
        if opening in _DOUBLE:
            return self._to_first(place + 1, _DOUBLE[opening])
        if opening not in _OTHERS or opening in self._open:
            return None
        found = _OTHERS[opening].match(self._text, place + len(opening))
        if found is not None:
            return found[1], found.end()
        if opening in _CERTAIN:
            _refuse_open_quote(opening)
        self._open.add(opening)
        return None

    def _to_first(self, start: int, closing: re.Pattern[str]) -> tuple[str, int]:
        parts: list[str] = []
        place = start
        for found in closing.finditer(self._text, start):
            backslashes, is_text = divmod(len(found[1]), 2)
            parts += [self._text[place : found.start()], "\\" * backslashes, found[2] if is_text else ""]
            place = found.end()
            if not is_text:
                return "".join(parts), place
        return _refuse_open_quote(self._text[start - 1])


def _resolved(found: re.Match[str]) -> str:
    """Return the id, address or text of one of Slack's forms in angle brackets."""
    target, _, label = found[1].partition("|")
    if target[0] in "@#":
        return target[1:]
    if target[0] != "!":
        return target.removeprefix("mailto:").removeprefix("tel:")
    kind, _, value = target[1:].partition("^")
    return f"@{kind}" if not value else value if kind == "subteam" else label


def _legible(text: str) -> str:
    """Return a line without invisible characters; raise BadValue where one cannot be shown as it is."""
    if len(text) > LONGEST:
        raise BadValue(f"The command has {len(text):,} characters.", hint=f"{LONGEST:,} at most are read.")
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for character in text:
        if (category(character) in _REFUSED or character in _TURNING) and character not in "\t\n":
            hint = "Write the command without it."
            raise BadValue(f"There is a control character in the command, U+{ord(character):04X}.", hint=hint)
    return text


def _refuse_open_quote(opening: str) -> NoReturn:
    # What follows it is not shown: it may be a secret.
    raise BadValue(f"The quote {opening} is never closed.", hint="Close it, or take it out.")


def _is_code_word(text: str, start: int, value: str) -> bool:
    """Return whether a word stands in backticks alone, which mark it as code and quote nothing."""
    is_code = text[start] == "`" and not text.startswith(FENCE, start)
    return is_code and not any(character.isspace() for character in value)


def _narrow(part: str) -> str:
    """Return full-width forms as ASCII: all in a word without other scripts, else those that commands are made of."""
    if part.isascii():
        return part
    return part.translate(_ALL_FORMS if _FORMS_ONLY.fullmatch(part) else _SOME_FORMS)


def _with_dashes(word: str) -> str:
    """Return a word with the dashes of its beginning as they were typed, before a phone made them beautiful."""
    found = _DASHES.match(word)
    if found is None or found[1].isascii():
        return word
    is_option = word[found.end()].isalpha() and (len(found[1]) > 1 or found[1] in _LONG_DASHES)
    return ("--" if is_option else "-") + word[found.end() :]


_COMMAND_WORD = lazy_pattern(r"[\w./][\w./-]*")
_LINE_ENDS = frozenset("\n\u2028\u2029")
_REFUSED = ("Cc", "Cs")
#: They change the order in which characters are shown, so that a command would look like another one.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Soft hyphen, zero-width space, word joiner, byte order mark: left behind by copying from a page.
_INVISIBLE = lazy_pattern("[\u00ad\u200b\u2060\ufeff]")

_FORM = lazy_pattern(
    r"<([@#][A-Z0-9]+(?:\|[^<>]*)?"
    r"|!(?:here|channel|everyone|subteam\^[A-Z0-9]+|date\^[^<>|]*)(?:\|[^<>]*)?"
    r"|(?:mailto:|tel:|[A-Za-z][A-Za-z0-9+.-]*://)[^<>]+)>"
)
_ESCAPE = lazy_pattern("&(?:amp|lt|gt);")
_ESCAPED = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}

#: A quote opens behind these, too: `env="prod"`.
_BEFORE_VALUES = frozenset("=\uff1d")
#: By its opening quote, the closing one with the backslashes before it.
_DOUBLE = {
    '"': lazy_pattern(r'(\\*)(")'),
    "\uff02": lazy_pattern("(\\\\*)(\uff02)"),
    "“": lazy_pattern(r"(\\*)(”)"),
    "„": lazy_pattern(r"(\\*)([“”])"),
    "‟": lazy_pattern(r"(\\*)(”)"),
}


def _ending(closing: str) -> re.Pattern[str]:
    """Return a pattern for a text up to the first closing quote that ends a word."""
    return lazy_pattern(rf"(.*?)[{closing}](?!\S)", re.DOTALL)


#: By its opening quote, a text with the closing one.
_OTHERS = {
    "'": _ending("'"),
    "\uff07": _ending("\uff07"),
    "‘": _ending("’"),
    "‚": _ending("‘’"),
    "‛": _ending("’"),
    "«": _ending("»"),
    "‹": _ending("›"),
    "»": _ending("«"),
    "›": _ending("‹"),
    "”": _ending("”"),
    "’": _ending("’"),
    "「": _ending("」"),
    "『": _ending("』"),
    "〝": _ending("〞〟"),
    "`": lazy_pattern("([^`]+)`"),
    FENCE: lazy_pattern(r"\n*(.*?)\n*```", re.DOTALL),
}
#: Those that open a quote even if nothing closes it; the others are text then.
_CERTAIN = frozenset("'‘‚‛«‹\uff07")

_FORMS = range(0xFF01, 0xFF5F)
_ALL_FORMS = {form: form - 0xFEE0 for form in _FORMS}
_SOME_FORMS = {form: narrow for form, narrow in _ALL_FORMS.items() if chr(narrow).isalnum() or chr(narrow) in "-=/._"}
_FORMS_ONLY = lazy_pattern("[!-~\uff01-\uff5e]*")

#: A run of dashes before a letter or a digit: hyphens, the minus sign, and the dashes that phones make of two hyphens.
_DASHES = lazy_pattern("([-\u2010-\u2015\u2212\ufe58\ufe63]+)(?=[^\\W_])")
_LONG_DASHES = frozenset("\u2013\u2014\u2015\ufe58")

#: Words that need no quotes as values: no option, no `key=value`, nothing that is read as something else.
#: How a parameter is written elsewhere: `{app}`, `<app>`, `[app]`, `$app`, `:app`, `app=`, `*apps`, `app?`.
_PLACEHOLDER = lazy_pattern(r"[{}<>\[\]()$%:=*?]")
_BARE = lazy_pattern(r"[A-Za-z0-9_./][A-Za-z0-9_./:@%+,^~-]*")
#: In front of the time of a later run.
_TIME_WORDS = ("at", "in")
_BEFORE_QUOTE = lazy_pattern(r'(\\*)("|\Z)')
