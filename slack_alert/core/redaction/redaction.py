"""Redact secrets from all text that leaves the program: messages, records, logs.

Secrets are found in plain form and in the usual encodings, and so are the password and the tokens of a URL.
Text has to be redacted before it is cut: half of a secret is not found.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.redaction.credentials import Credentials, credentials, is_address, is_secret
from slack_alert.core.redaction.encodings import Encoding, encoded, escaped, login_forms
from slack_alert.core.structs import Struct

#: The replacement of a secret.
MARK = "[secret]"
#: Number of characters beyond a cut that have to be kept for redaction: no secret is longer in any encoding.
REACH = 4096


class Redaction:
    """Redacts the secrets of the configuration and of commands, and everything that looks like a secret of Slack.

    Any thread may redact and `learn`; `hide` and `reveal` are called on one thread.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._given = _needles(secrets)
        self._needles = self._given
        #: The secrets that were learned later.
        self._learned: dict[str, None] = {}
        #: By the id of what was asked: the secrets among its arguments.
        self._of_asked: dict[int, tuple[str, ...]] = {}
        self._compiled: dict[Encoding, re.Pattern[str]] = {}

    def learn(self, secrets: Iterable[str]) -> None:
        """Redact these secrets as well, from now on."""
        new = dict.fromkeys(secret for secret in secrets if secret not in self._learned)
        if new:
            self._learned.update(new)
            self._rebuild()

    def hide(self, asked: int, secrets: Iterable[str]) -> None:
        """Redact these secrets as well, until what was asked is revealed."""
        before = self._of_asked.get(asked, ())
        together = tuple(dict.fromkeys((*before, *secrets)))
        if together != before:
            self._of_asked[asked] = together
            self._rebuild()

    def reveal(self, asked: int) -> None:
        """Redact the secrets of what was asked no longer, unless somebody else has hidden them, too."""
        if self._of_asked.pop(asked, None):
            self._rebuild()

    def _rebuild(self) -> None:
        """Replace the needles as a whole: another thread may be searching, or replacing them."""
        given, found = self._given, None
        while found != (found := self._added()):
            extra = _needles(found)
            self._needles = _Needles(given.straight + extra.straight, given.wrapped + extra.wrapped)
        if not self._of_asked:
            self._compiled = {}  # A pattern has its secret in it.

    def _added(self) -> tuple[str, ...]:
        """Return the secrets beside those of the configuration; each tuple is made at once, whatever others do."""
        return (*tuple(self._learned), *(secret for secrets in tuple(self._of_asked.values()) for secret in secrets))

    def __call__(self, text: str) -> str:
        """Return a text without secrets."""
        spans = self._spans(text)
        return _without(text, spans, 0, len(text)) if spans else text

    def redact_all(self, texts: Sequence[str]) -> Sequence[str]:
        """Return texts without secrets; for many short ones this is far faster than one by one."""
        whole = _BETWEEN.join(texts)
        if whole.count(_BETWEEN) != len(texts) - 1:
            return [self(text) for text in texts]
        cleaned = self(whole)
        if cleaned == whole:
            return texts
        apart = cleaned.split(_BETWEEN)
        return apart if len(apart) == len(texts) else [self(text) for text in texts]

    def redact_lines(self, lines: Sequence[str]) -> Sequence[str]:
        """Return the lines of a text without secrets, also without one that goes on in the next line."""
        whole = "\n".join(lines)
        if self(whole) == whole:
            return lines
        return [line.removesuffix("\n") for line in self.redact_joined([f"{line}\n" for line in lines])]

    def redact_joined(self, texts: Sequence[str]) -> list[str]:
        """Return texts without secrets that appear when the texts are joined."""
        spans = self._spans("".join(texts))
        cleaned: list[str] = []
        begin = 0
        for text in texts:
            end = begin + len(text)
            inside = [
                SecretSpan(max(at, begin) - begin, min(to, end) - begin) for at, to in spans if at < end and to > begin
            ]
            cleaned.append(_without(text, inside, 0, len(text)) if inside else text)
            begin = end
        return cleaned

    def head(self, text: str, limit: int) -> tuple[str, int]:
        """Return the first `limit` characters of a text without secrets, and the index at which the rest begins.

        A secret across the limit is removed as a whole, and the rest begins after it.
        """
        spans = [span for span in self._spans(text[: limit + REACH]) if span.begin < limit]
        end = min(max(limit, spans[-1].end if spans else 0), len(text))
        return _without(text, spans, 0, end), end

    def tail(self, text: str, limit: int) -> str:
        """Return the last `limit` characters of a text without secrets; one across the limit is removed as a whole."""
        start = max(0, len(text) - limit)
        begin = max(0, start - REACH)
        spans = [SecretSpan(at + begin, to + begin) for at, to in self._spans(text[begin:]) if to + begin > start]
        return _without(text, spans, min(start, spans[0].begin) if spans else start, len(text))

    def redact_ends(self, text: str, limit: int, between: str) -> str:
        """Return a text without secrets; if it is longer than the limit, its beginning, `between` and its end."""
        if len(text) <= limit:
            return self(text)
        return f"{self.head(text, limit // 2)[0]}{between}{self.tail(text, limit // 2)}"

    def _spans(self, text: str) -> list[SecretSpan]:
        """Return the positions of secrets, in order and merged; colour codes within a secret are ignored."""
        spans = self._plain_spans(text)
        colours = [*_COLOUR.finditer(text)] if "[" in text or "%5" in text else []
        if not colours:
            return spans
        begins = [0, *(colour.end() for colour in colours)]
        ends = [*(colour.start() for colour in colours), len(text)]
        shown = self._plain_spans("".join(text[begin:end] for begin, end in zip(begins, ends, strict=True)))
        lengths = accumulate(end - begin for begin, end in zip(begins, ends, strict=True))
        places = _Places(begins, [0, *lengths])
        return _merged([*spans, *(SecretSpan(places.of(span.begin), places.of(span.end - 1) + 1) for span in shown)])

    def _plain_spans(self, text: str) -> list[SecretSpan]:
        needles = self._needles
        found = [needle.form for needle in needles.straight if needle.probe in text and needle.sign in text]
        if needles.wrapped:
            flat = _unwrapped(text)
            found += [needle.form for needle in needles.wrapped if needle.probe in flat]
        matches = [match for form in dict.fromkeys(found) for match in self._pattern(form).finditer(text)]
        for start, pattern in _TOKENS:
            if start in text:
                matches += filter(_is_token, pattern.finditer(text))
        return _merged(SecretSpan(*match.span()) for match in matches) if matches else []

    def _pattern(self, form: Encoding) -> re.Pattern[str]:
        pattern = self._compiled.get(form)
        if pattern is None:
            pattern = self._compiled[form] = re.compile(form.pattern)
        return pattern


class SecretSpan(NamedTuple):
    """The position of a secret in a text."""

    begin: int
    end: int


class _Needle(Struct, frozen=True):
    """Two texts to search for first, and the encoding to search for if both are found."""

    probe: str
    sign: str
    form: Encoding


class _Needles(Struct, frozen=True):
    """What is searched for; the encodings in `wrapped` may contain line ends."""

    straight: tuple[_Needle, ...]
    wrapped: tuple[_Needle, ...]


class _Places(Struct, frozen=True):
    """Maps positions in a text without colour codes to those in the original."""

    begins: Sequence[int]
    #: Number of characters before each part, and finally the total.
    before: Sequence[int]

    def of(self, at: int) -> int:
        part = bisect_right(self.before, at, hi=len(self.begins)) - 1
        return self.begins[part] + at - self.before[part]


#: Colour codes of a terminal, also escaped; in text to be sent the first character has been replaced.
_COLOUR = lazy_pattern(r"(?:[\x1b\ufffd]|\\{1,16}(?:x1[bB]|u001[bB]|033)|%1[bB])(?:\[|%5[bB])[0-9;:]{0,32}[A-Za-z]")
#: Separator that posted text does not contain, because escaping replaces it.
_BETWEEN = "\0"
#: A longer secret is searched for in pieces.
_LONGEST = 256
_SLACK = r"(?:/|%2[fF]|\\{1,4}/)"
#: Slack's tokens and webhook addresses, which are secrets as well, by their beginnings.
_HOOKS = "services|workflows|triggers|commands|actions|app"
_HOOK = rf"hooks\.slack(?:-gov)?\.com{_SLACK}(?:{_HOOKS}){_SLACK}(?:\w|/|%2[fF]|\\{{1,4}}/)+"
_TOKENS = (
    ("xox", lazy_pattern("xox[a-z]-[A-Za-z0-9-]{3,}")),
    ("xapp-", lazy_pattern("xapp-[A-Za-z0-9-]{3,}")),
    ("hooks.slack", lazy_pattern(_HOOK)),
)
#: An escaped line end, or another escaped character, before a token.
_ESCAPE = lazy_pattern(r"(?:\\[abfnrtv]|%[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})\Z")
_MADE_UP = lazy_pattern(r"\w+-\d[A-Za-z0-9-]{9}")


def _is_token(match: re.Match[str]) -> bool:
    """Return whether a match is a token, and not the end of a word such as `foxapp-store`."""
    text, begin = match.string, match.start()
    before = text[max(0, begin - 6) : begin]
    return not before[-1:].isalnum() or bool(_ESCAPE.search(before) or _MADE_UP.match(match.group()))


def _needles(secrets: Iterable[str]) -> _Needles:
    given = tuple(dict.fromkeys(secret.strip() for secret in secrets))
    forms = [*dict.fromkeys(_forms(given))]
    return _Needles(
        tuple([_Needle(probe, form.sign, form) for form in forms if not form.is_wrapped for probe in form.probes]),
        tuple([_Needle(probe, form.sign, form) for form in forms if form.is_wrapped for probe in form.probes]),
    )


def _forms(secrets: Iterable[str]) -> Iterator[Encoding]:
    everything = [*secrets]
    found = [credentials(secret) if is_address(secret) else Credentials() for secret in everything]
    texts = [*everything, *(text for one in found for text in one.texts)]
    parts = list(dict.fromkeys(part for text in texts if is_secret(text) for part in _parts(text)))
    for part in parts:
        yield escaped(part)
        # For a secret that contains another one, removing that is enough.
        if not any(other in part for other in parts if other != part):
            yield from encoded(part)
    for login in dict.fromkeys(login for one in found for login in one.logins):
        yield from login_forms(login)


def _parts(text: str) -> Iterator[str]:
    """Yield a text in pieces of limited length; the last one overlaps to have the same length."""
    for begin in range(0, len(text), _LONGEST):
        part = text[begin : begin + _LONGEST]
        yield part if len(part) == _LONGEST else text[-_LONGEST:]


def _unwrapped(text: str) -> str:
    """Return a text without line ends, escaped ones included: base64 is often wrapped."""
    for sign in (" ", "\n", "\r", "\t", "%5C", "%5c", "%0A", "%0a", "%0D", "%0d") if "%" in text else " \n\r\t":
        text = text.replace(sign, "\\" if sign in ("%5C", "%5c") else "")
    return text.replace("\\n", "").replace("\\r", "").replace("\\", "") if "\\" in text else text


def _merged(found: Iterable[SecretSpan]) -> list[SecretSpan]:
    merged: list[SecretSpan] = []
    for span in sorted(found):
        if merged and span.begin < merged[-1].end:
            merged[-1] = SecretSpan(merged[-1].begin, max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return merged


def _without(text: str, spans: Sequence[SecretSpan], begin: int, end: int) -> str:
    """Return a part of the text with `MARK` for each secret."""
    pieces: list[str] = []
    for span in spans:
        pieces += [text[begin : span.begin], MARK]
        begin = span.end
    return "".join([*pieces, text[begin:end]])
