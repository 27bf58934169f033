"""Read TOML, with the line of each key, for which problems need a place.

The standard library reads TOML from Python 3.11 on; before that it is done by tomli, which is the extra `packs`.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from slack_alert.core.errors import BadValue

if sys.version_info >= (3, 11):
    from tomllib import TOMLDecodeError, loads
else:  # pragma: no cover - of another version of Python
    try:
        from tomli import TOMLDecodeError, loads
    except ImportError:
        TOMLDecodeError = ValueError

        def loads(_text: str, /) -> dict[str, Any]:
            raise BadValue(
                "this Python cannot read TOML", hint='Install the extra: pip install "slack-alert[packs]", or use 3.11.'
            )


class TomlFault(BadValue):
    """The text is not TOML."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message, hint="Correct the line.")
        self.line = line
        self.column = column


def read_toml(text: str) -> dict[str, Any]:  # Any: values of TOML
    """Return the tables of a text; raise TomlFault for what is not TOML, and BadValue where nothing can read it."""
    try:
        return loads(text.replace("\r\n", "\n"))
    except TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        has_place = found is not None and found[1] is not None
        line, column = (int(found[1]), int(found[2])) if found and has_place else (len(text.splitlines()), 1)
        raise TomlFault(_PLACE.sub("", str(error)).strip(), line, column) from None
    except RecursionError:
        raise TomlFault("it is nested too deeply", 1, 1) from None


def line_of(text: str, table: str, key: str = "") -> int:
    """Return the line of a table, or of a key in it, from 1; 1 where it is not found, such as in an inline table."""
    lines = text.splitlines()
    start = 0
    if table:
        header = re.compile(rf"\s*\[\s*{_spelled(table)}\s*\]")
        start = next((number for number, line in enumerate(lines) if header.match(line)), -1)
        if start < 0:  # As `table = {...}` in the one above.
            above, _, own = table.rpartition(".")
            return line_of(text, above, own) if own and table != own else 1
        start += 1
    if not key:
        return start or 1
    wanted = re.compile(rf"\s*{_spelled(key)}\s*[.=]")
    for number, line in enumerate(lines[start:], start + 1):
        if line.lstrip().startswith("["):
            break
        if wanted.match(line):
            return number
    return start or 1


def _spelled(name: str) -> str:
    """Return a pattern for a dotted name, whose parts may be in quotes."""
    return r"\s*\.\s*".join(rf"""["']?{re.escape(part)}["']?""" for part in name.split("."))


_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)| \(at end of document\)")
