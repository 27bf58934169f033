"""Secrets in every form in which they are written, and what finds a part of one in a text."""

from __future__ import annotations

import html
import json
import re
from base64 import b64decode, b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from urllib.parse import quote, quote_plus, unquote_plus

UUID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
SIGNING = "8f742231b10e8888abcd99yyyzzz85a5"
#: As it is meant; in the address of the proxy it is percent-encoded.
PASSWORD = "Tr0ub4dor&3+x/y<Q>'z\"W\\v|é"
HEARTBEAT = f"https://hc-ping.com/{UUID}"
PROXY = f"http://alerts:{quote(PASSWORD, safe='')}@proxy.example.com:3128"
SECRETS = (SIGNING, HEARTBEAT, PROXY)
#: What must not be seen of them.
PARTS = (UUID, SIGNING, PASSWORD)

CONF = f"heartbeat_url = {HEARTBEAT}\nsigning_secret = {SIGNING}\nproxy = {PROXY}\n"

Encode = Callable[[str], str]


def _within(encode: Callable[[bytes], bytes], before: int) -> Encode:
    return lambda secret: encode(b"~" * before + secret.encode() + b"~~").decode()


def _lower(text: str) -> str:
    return re.sub("%..", lambda found: found.group().lower(), text)


FORMS: dict[str, Encode] = {
    "as it is": str,
    "percent": quote,
    "percent, all of it": lambda secret: quote(secret, safe=""),
    "percent, lower case": lambda secret: _lower(quote(secret, safe="")),
    "percent, every byte": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "form": quote_plus,
    "percent twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "JSON in Python": lambda secret: repr([json.dumps({secret: 1})]),
    "Python": repr,
    "Python, bytes": lambda secret: repr(secret.encode()),
    "Python in Python": lambda secret: repr(repr(secret)),
    "HTML": html.escape,
    "hexadecimal": lambda secret: secret.encode().hex(),
    "hexadecimal, upper case": lambda secret: secret.encode().hex().upper(),
    "in colours": lambda secret: f"\x1b[1m{secret[:7]}\x1b[0;31m{secret[7:20]}\x1b[m{secret[20:]}\x1b[0m",
    "header": lambda secret: "Basic " + b64encode(f"alerts:{secret}".encode()).decode(),
    **{f"base64 behind {count}": _within(b64encode, count) for count in (0, 1, 2, 100)},
    **{f"base64 for URLs behind {count}": _within(urlsafe_b64encode, count) for count in (0, 1, 2)},
    **{f"base64 in lines behind {count}": _within(encodebytes, count) for count in (0, 37, 50, 56)},
    "base64 in lines in JSON": lambda secret: json.dumps(encodebytes(b"~" * 50 + secret.encode()).decode())[1:-1],
}


_ANSI = re.compile(r"(?:[\x1b\ufffd]|\\+(?:x1b|u001b)|%1B)(?:\[|%5B)[0-9;]*m")


def leaked(text: str, shortest: int = 6) -> str:
    """Return a part of a secret that can be read in a text, in whatever form; an empty one: nothing can."""
    for read in set(_readings(text)):  # Most readings of a text are the same.
        for window in _windows(shortest):
            if window in read:
                return f"{window!r} in {text[:300]!r}"
    return ""


@cache
def _windows(length: int) -> frozenset[str]:
    return frozenset(part[at : at + length] for part in PARTS for at in range(len(part) - length + 1))


def _readings(text: str) -> Iterator[str]:
    flat = re.sub(r"(?:\\{1,4}n|\s)+", "", text)
    for plain in (text, re.sub(r"\\+", "", text), flat, _ANSI.sub("", text)):
        yield plain
        yield html.unescape(plain)
        yield unquote_plus(plain)
        yield unquote_plus(unquote_plus(plain))
    for run in re.findall("[A-Za-z0-9+/_-]{8,}", flat):
        for start in range(4):
            part = run[start:].translate(str.maketrans("-_", "+/"))
            with suppress(ValueError):
                yield b64decode(part[: len(part) // 4 * 4]).decode("utf-8", "replace")
    for run in re.findall("[0-9A-Fa-f]{12,}", flat):
        for start in range(2):
            yield bytes.fromhex(run[start : start + (len(run) - start) // 2 * 2]).decode("utf-8", "replace")
