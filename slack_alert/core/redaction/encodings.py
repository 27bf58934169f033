"""Encodings in which a secret may appear: escaped, percent-encoded, base64, hexadecimal."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.redaction.credentials import SHORTEST, Login
from slack_alert.core.structs import Struct


class Encoding(Struct, frozen=True):
    """One encoding of a secret, with a pattern to find it."""

    #: A text with the secret in this form contains one of these; they are searched for first, which is far cheaper.
    probes: tuple[str, ...]
    #: The text, and the function that makes a regular expression of it, in which no repetition is unbounded.
    text: str
    write: Callable[[str], str]
    #: It may contain line ends.
    is_wrapped: bool = False
    #: A text without this does not contain the secret in this form.
    sign: str = ""

    @property
    def pattern(self) -> str:
        """The regular expression, made on demand because few are ever needed."""
        return self.write(self.text)


def encoded(secret: str) -> Iterator[Encoding]:
    """Yield the encodings of a secret within a longer text that was encoded as a whole."""
    raw = secret.encode("utf-8", "surrogatepass")
    if len(raw) < SHORTEST:
        return
    for shift in range(3):
        yield _base64(b64encode(bytes(shift) + raw).decode()[_FIRST[shift] : (shift + len(raw)) * 4 // 3])
    digits = raw.hex()
    yield Encoding((digits[:_PROBE], digits[:_PROBE].upper()), digits, _any_case)
    percent = "".join(f"%{byte:02x}" for byte in raw)
    yield Encoding((percent[:_PROBE], percent[:_PROBE].upper()), percent, _any_case, sign="%")


def login_forms(login: Login) -> Iterator[Encoding]:
    """Yield the encodings of a user and a password together: before a host name, and in a header."""
    pair = f"{login.user}:{login.password}"
    yield Encoding(probes_of(pair), pair, _before_host)
    header = b64encode(pair.encode("utf-8", "surrogatepass")).decode()
    yield Encoding((header,), header, _in_header)


def escaped(secret: str) -> Encoding:
    """Return the encoding of a secret in plain form, or escaped for JSON, Python, HTML, a shell or a URL."""
    return Encoding(probes_of(secret), secret, _pattern)


def probes_of(secret: str) -> tuple[str, ...]:
    """Return texts of which one is in every text with the secret: the longest part that is never escaped, if any."""
    longest = max(_ALIKE.findall(secret), key=len, default="")
    if len(longest) >= _TELLING:
        return (longest,)
    entities = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    percent = quote(secret, safe="", errors="replace")
    lower = re.sub("%..", lambda found: found.group().lower(), percent)
    return tuple(
        dict.fromkeys(
            (
                secret,
                percent,
                lower,
                quote_plus(secret, errors="replace"),
                json.dumps(secret)[1:-1],
                json.dumps(secret, ensure_ascii=False)[1:-1],
                repr(secret)[1:-1],
                entities,
                entities.replace('"', "&quot;").replace("'", "&#x27;"),
            )
        )
    )


_ALIKE = lazy_pattern("[A-Za-z0-9]+")
#: Minimum length of a part that is used as a probe.
_TELLING = 2
_PROBE = 24
#: A header of this length or less could be a word.
_SHORT_HEADER = 10
#: Index of the first base64 character that depends on the secret alone, after 0, 1 or 2 other bytes.
_FIRST = (0, 2, 3)
#: A backslash, also percent-encoded; each time a text is quoted, their number doubles.
_BACKSLASH = r"(?:\\|%5[cC])"
_SOME = f"{_BACKSLASH}{{1,16}}"
#: A line end within base64, with the indentation of the next line; it may be escaped, or replaced by a blank.
_WRAP = rf"(?:(?:[\r\n \t]|{_SOME}[rn]|%0[aAdD]){{1,4}}[ \t]{{0,16}})?"
_BASE64 = {"+": r"(?:[+\-]|%2[bB])", "/": rf"(?:[/_]|%2[fF]|{_SOME}/)"}
_NAMED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\0": "0", "\a": "a"}
_HTML = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
#: Replacements in the messages of this program.
_LOOKALIKES = {"*": "∗", "`": "ˋ`\u200b", "~": "∼", "|": "¦"}


def _base64(text: str) -> Encoding:
    longest = max(re.findall("[A-Za-z0-9]+", text), key=len)
    return Encoding((longest[:_PROBE],), text, _wrapped, is_wrapped=True)


def _wrapped(text: str) -> str:
    return _WRAP.join(_BASE64.get(sign, sign) for sign in text)


def _before_host(pair: str) -> str:
    return f"{_pattern(pair)}(?=@|%40)"


def _in_header(header: str) -> str:
    before = "" if len(header) > _SHORT_HEADER else "(?<=asic )"
    return f"{before}{re.escape(header)}(?![A-Za-z0-9+/=])"


def _pattern(secret: str) -> str:
    # Backslashes before the first character are not matched: looking behind each of many would take long.
    return _sign(secret[0], "") + "".join(_sign(sign, f"{_BACKSLASH}{{0,16}}") for sign in secret[1:])


def _sign(sign: str, before: str) -> str:
    """Return a pattern for all forms of one character."""
    if _ALIKE.match(sign):
        return sign
    return f"(?:{'|'.join(dict.fromkeys(_ways(sign, before if sign.isascii() else '')))})"


def _ways(sign: str, before: str) -> Iterator[str]:
    raw = sign.encode("utf-8", "surrogatepass")
    if sign == "\\":
        yield _SOME
    else:
        yield before + re.escape(sign)
    yield before + _bytes("%(?:25){0,2}", raw)
    yield _bytes(f"{_SOME}x", raw)
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    yield "".join(f"{_SOME}u" + _any_case(units[at : at + 4]) for at in range(0, len(units), 4))
    if ord(sign) < 256:
        yield f"{_SOME}x" + _any_case(f"{ord(sign):02x}")
    yield f"&(?:amp;){{0,2}}#(?:0{{0,4}}{ord(sign)}|[xX]0{{0,4}}{_any_case(f'{ord(sign):x}')});"
    if sign in _HTML:
        yield f"&(?:amp;){{0,2}}{_HTML[sign]};"
    if sign in _NAMED:
        yield _SOME + _NAMED[sign]
    if sign < " ":
        yield "\ufffd"
    if sign == " ":
        yield r"[+\s]"
    yield from map(re.escape, _LOOKALIKES.get(sign, ""))


def _bytes(before: str, raw: Iterable[int]) -> str:
    return "".join(before + _any_case(f"{byte:02x}") for byte in raw)


def _any_case(text: str) -> str:
    return "".join(f"[{sign}{sign.upper()}]" if sign.isalpha() else re.escape(sign) for sign in text)
