"""What a database holds, row by row."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

from tests.golden.terminal import Terminal

#: Of longer values the rest is told by its digest.
_WIDE = 300
#: So many rows of one kind show how they are.
_ENOUGH = 5
_KIND = re.compile(r"(?:(?<=job=')|(?<=verdict=')|(?<=key=')|(?<=status='))[^'@]*")


class Rows:
    """The rows of the database, each written down once."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._kinds: Counter[tuple[str, ...]] = Counter()

    def note(self, terminal: Terminal, name: str) -> None:
        """Write down what is there now and was not, or was otherwise, the last time."""
        for file in sorted((terminal.folder / ".slack_alert").glob("*.db")):
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as base:
                for table, rows in _tables(base, terminal):
                    fresh = [row for row in rows if row not in self._known]
                    self._known.update(fresh)
                    fresh = [row for row in fresh if self._is_news(row)]
                    terminal.note(name, "\n".join([f"== {table}", *fresh]))

    def _is_news(self, row: str) -> bool:
        """Return whether there are not enough of its kind yet: of one job, with one verdict."""
        kind = _KIND.findall(row)
        if not kind:
            return True
        name = (row.partition(":")[0], *kind)
        self._kinds[name] += 1
        return self._kinds[name] <= _ENOUGH


def _tables(base: sqlite3.Connection, terminal: Terminal) -> Iterator[tuple[str, list[str]]]:
    tables = base.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    for table, statement in tables:
        cursor = base.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2')
        columns = [column[0] for column in cursor.description]
        rows = [_shown(table, columns, row, terminal) for row in cursor]
        yield table, [*statement.splitlines(), *rows]


def _shown(table: str, columns: list[str], row: tuple[object, ...], terminal: Terminal) -> str:
    told = ((name, value) for name, value in zip(columns, row, strict=True) if value is not None)
    return f"{table}: {' '.join(f'{name}={_cut(value, terminal)}' for name, value in told)}"


def _cut(value: object, terminal: Terminal) -> str:
    if isinstance(value, bytes) and value.startswith(b"\x89PNG") and len(value) > _WIDE:
        return "a picture"  # Its letters are this machine's.
    shown = repr(value)
    shown = shown if len(shown) <= _WIDE else terminal.normal(shown).rstrip()
    return shown if len(shown) <= _WIDE else f"{shown[:_WIDE]}… {len(shown)} {sha256(shown.encode()).hexdigest()[:12]}"
