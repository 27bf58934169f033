"""Circles: sets of jobs that share lines of history, written down once.

A line that many jobs share is one row, in which the key of their circle stands where else the name of a job does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from sqlite3 import Connection

from slack_alert.stores.sql import statements
from slack_alert.stores.sql.rows import clean

#: What keys begin with, and nobody would call a job.
_SIGN = "\x1d"
#: So many are kept in mind.
_MOST = 4096


class JobGroups:
    """The circles that were written down last, for the one who writes; inside the caller's transaction."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, ...], str] = {}

    def forget(self) -> None:
        """Forget all, because a transaction was rolled back; what is asked for again is written down again."""
        self._keys.clear()

    def key(self, connection: Connection, jobs: tuple[str, ...], number: int) -> str:
        """Return the key of a circle; a new one is written down, under the number of its first row."""
        if jobs not in self._keys:
            if len(self._keys) >= _MOST:
                self.forget()
            connection.execute(statements.ADD_CIRCLE, (f"{_SIGN}{number}", json.dumps([clean(job) for job in jobs])))
            self._keys[jobs] = f"{_SIGN}{number}"
        return self._keys[jobs]

    def prune(self, connection: Connection) -> None:
        """Delete those of which no row is left."""
        if connection.execute(statements.FORGET_CIRCLES).rowcount > 0:
            self.forget()


class GroupMembers:
    """Who is in which circle, for whoever reads; each is asked for once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, Sequence[str]] = {}

    def jobs_of(self, job: str) -> Sequence[str]:
        """Return the jobs that stand behind what a row has as its job: most often that one alone."""
        if not is_circle(job):
            return (job,)
        if job not in self._known:
            found = self._connection.execute(statements.CIRCLE, (job,)).fetchone()
            # It goes after its rows: one that was read just before is gone as well.
            self._known[job] = () if found is None else json.loads(found[0])
        return self._known[job]


def is_circle(job: str) -> bool:
    """Return whether what a row has as its job is the key of a circle."""
    return job.startswith(_SIGN)


def keys_of(connection: Connection, job: str) -> list[str]:
    """Find the circles of a job."""
    rows = connection.execute(statements.CIRCLES_WITH, (json.dumps(job),))
    # What is found may be no more than a part of the text.
    return [key for key, names in rows if job in json.loads(names)]


def unfolded(connection: Connection, reached: Mapping[str, int]) -> dict[str, int]:
    """Return the greatest number of each job, from those of jobs and circles."""
    members = GroupMembers(connection)
    found = {job: number for job, number in reached.items() if not is_circle(job)}
    for key, number in reached.items():
        for job in members.jobs_of(key) if is_circle(key) else ():
            if number > found.get(job, number - 1):
                found[job] = number
    return found
