"""The ways in which a secret is written elsewhere: escaped, percent-encoded, as base64, as hexadecimal digits."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from slack_alert.core.redaction.credentials import SHORTEST, Login


class Encoding(NamedTuple):
    """One way of writing a secret."""

    #: What every text holds one of that holds the secret in this form: they are looked for first, it is far cheaper.
    probes: tuple[str, ...]
    #: What is written, and how: a regular expression without anything that repeats without end.
    text: str
    write: Callable[[str], str]
    #: Line ends may stand in it.
    is_wrapped: bool = False
    #: Where this is not in the text, it is not worth looking.
    sign: str = ""

    @property
    def pattern(self) -> str:
        """The regular expression; few are ever needed."""
        return self.write(self.text)


def encoded(secret: str) -> Iterator[Encoding]:
    """Yield how a secret looks within what was encoded as a whole, whatever stands around it there."""
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
    """Yield how a user and a password are written together, before the name of a host and in a header."""
    pair = f"{login.user}:{login.password}"
    yield Encoding(probes_of(pair), pair, _before_host)
    header = b64encode(pair.encode("utf-8", "surrogatepass")).decode()
    yield Encoding((header,), header, _in_header)


def escaped(secret: str) -> Encoding:
    """Return how a secret looks as it is, and escaped for JSON, Python, HTML, a shell or a URL."""
    return Encoding(probes_of(secret), secret, _pattern)


def probes_of(secret: str) -> tuple[str, ...]:
    """Return what a text holds one of that holds the secret: the longest part that is written alike everywhere."""
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


_ALIKE = re.compile("[A-Za-z0-9]+")
#: So long is a part that says enough.
_TELLING = 2
_PROBE = 24
#: A header so short could be a word.
_SHORT_HEADER = 10
#: The first character of base64 that the bytes behind so many others decide alone.
_FIRST = (0, 2, 3)
#: A backslash, also in what was percent-encoded as a whole; each time a text is quoted they are twice as many.
_BACKSLASH = r"(?:\\|%5[cC])"
_SOME = f"{_BACKSLASH}{{1,16}}"
#: A line end within base64, with what may stand before the next line; also where it is escaped, or a blank by now.
_WRAP = rf"(?:(?:[\r\n \t]|{_SOME}[rn]|%0[aAdD]){{1,4}}[ \t]{{0,16}})?"
_BASE64 = {"+": r"(?:[+\-]|%2[bB])", "/": rf"(?:[/_]|%2[fF]|{_SOME}/)"}
_NAMED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\0": "0", "\a": "a"}
_HTML = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
#: What our own messages write for it.
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
    # Backslashes before all of it are left: looking behind each of many would take long.
    return _sign(secret[0], "") + "".join(_sign(sign, f"{_BACKSLASH}{{0,16}}") for sign in secret[1:])


def _sign(sign: str, before: str) -> str:
    """Return a pattern for one character in whatever way it is written."""
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
