"""Groups of jobs that share rows of history (table `circle`); each group is stored once.

A line of history that several jobs share is one row, whose column `job` holds the key of the group.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from sqlite3 import Connection

from slack_alert.stores.sql import statements
from slack_alert.stores.sql.rows import clean

#: The first character of keys, which no name of a job begins with.
_KEY_PREFIX = "\x1d"
#: So many groups are cached.
_CACHE_SIZE = 4096


class JobGroups:
    """The writer's cache of stored groups; its methods run inside the caller's transaction."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, ...], str] = {}

    def forget(self) -> None:
        """Empty the cache after a rollback; groups are stored again when they are needed."""
        self._keys.clear()

    def key(self, connection: Connection, jobs: tuple[str, ...], number: int) -> str:
        """Return the key of a group; a new group is stored, with `number`, the id of its first row, in its key."""
        if jobs not in self._keys:
            if len(self._keys) >= _CACHE_SIZE:
                self.forget()
            connection.execute(
                statements.ADD_GROUP, (f"{_KEY_PREFIX}{number}", json.dumps([clean(job) for job in jobs]))
            )
            self._keys[jobs] = f"{_KEY_PREFIX}{number}"
        return self._keys[jobs]

    def prune(self, connection: Connection) -> None:
        """Delete the groups of which no row is left."""
        if connection.execute(statements.FORGET_GROUPS).rowcount > 0:
            self.forget()


class GroupMembers:
    """The members of groups, for readers; each group is read from the database once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, Sequence[str]] = {}

    def jobs_of(self, job: str) -> Sequence[str]:
        """Return the jobs that share a row whose column `job` is this: most often that job alone."""
        if not is_group_key(job):
            return (job,)
        if job not in self._known:
            found = self._connection.execute(statements.GROUP, (job,)).fetchone()
            # A group is deleted after its rows: the row that was read just before is gone as well.
            self._known[job] = () if found is None else json.loads(found[0])
        return self._known[job]


def is_group_key(job: str) -> bool:
    """Return whether the value of a row's column `job` is the key of a group."""
    return job.startswith(_KEY_PREFIX)


def group_keys_of(connection: Connection, job: str) -> list[str]:
    """Return the keys of the groups that a job is in."""
    rows = connection.execute(statements.GROUPS_WITH, (json.dumps(job),))
    # The statement finds any part of the text, such as a part of a longer name.
    return [key for key, names in rows if job in json.loads(names)]


def expand_groups(connection: Connection, reached: Mapping[str, int]) -> dict[str, int]:
    """Return the greatest number of each job, from numbers of jobs and of groups."""
    members = GroupMembers(connection)
    found = {job: number for job, number in reached.items() if not is_group_key(job)}
    for key, number in reached.items():
        for job in members.jobs_of(key) if is_group_key(key) else ():
            if number > found.get(job, number - 1):
                found[job] = number
    return found
