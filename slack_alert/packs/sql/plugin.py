"""Ask a database; what it answers is told as a table."""

from __future__ import annotations

import importlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slack_alert import deco

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slack_alert import Context

#: In seconds: how long a database of sqlite3 is waited for.
_BUSY = 10.0

Row = dict[str, Any]


@deco(minutes=1, timeout="50s", repeat="update", recover=True)
def standing(ctx: Context) -> list[Row] | None:
    """Tell the rows that the query gives, as long as there are some."""
    return None if ctx.config["key"] else _told(_rows(ctx.config), ctx.config["rows"])


@deco(minutes=1, timeout="50s", max_alert=0)
def new(ctx: Context) -> list[Row] | None:
    """Tell each row once, by the key that grows."""
    key = ctx.config["key"]
    if not key:
        return None
    rows = _rows(ctx.config)
    if rows and key not in rows[0]:
        raise ValueError(f"the query gives no column {key!r}: it gives {', '.join(rows[0])}")
    last = ctx.store.get("last")
    if last is None:  # What is there at first is no news.
        ctx.store.set("last", max((row[key] for row in rows), default=0))
        return None
    fresh = sorted((row for row in rows if row[key] > last), key=lambda row: row[key])
    if fresh:
        ctx.store.set("last", fresh[-1][key])
    return _told(fresh, ctx.config["rows"])


def _told(rows: Sequence[Row], most: int) -> list[Row]:
    shown = [*rows[:most]]
    if len(rows) > most:
        first = next(iter(shown[0]))
        shown.append({first: f"and {len(rows) - most} more"})
    return shown


def _rows(config: Mapping[str, Any]) -> list[Row]:
    with closing(_connect(config["driver"], config["connect"])) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(config["query"])
        names = [column[0] for column in cursor.description or ()]
        if not names:
            raise ValueError("the query gives no rows: it must be a SELECT")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _connect(driver: str, target: str) -> Any:  # Any: a connection of PEP 249
    if driver == "sqlite3":
        # Read only: a query that changes something is refused, and a file that is not there is not made.
        place = Path(target).expanduser().absolute().as_uri()
        return sqlite3.connect(f"{place}?mode=ro", uri=True, timeout=_BUSY)
    try:
        module = importlib.import_module(driver)
    except ImportError:
        raise RuntimeError(f"the driver {driver} is not installed: pip install {driver}") from None
    return module.connect(target)
