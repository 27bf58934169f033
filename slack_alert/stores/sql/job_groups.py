"""Groups of jobs that share rows of history (table `circle`); each group is stored once.

A line of history that several jobs share is one row, whose column `job` holds the key of the group.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from sqlite3 import Connection

from slack_alert.stores.sql import statements
from slack_alert.stores.sql.rows import clean

#: The first character of keys, so that no name of a job is one.
_KEY_MARK = "\x1d"
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
            self._keys[jobs] = f"{_KEY_MARK}{number}"
            connection.execute(statements.ADD_GROUP, (self._keys[jobs], json.dumps([clean(job) for job in jobs])))
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

    def jobs_of(self, key: str) -> Sequence[str]:
        """Return the jobs of the group with this key."""
        if key not in self._known:
            found = self._connection.execute(statements.GROUP, (key,)).fetchone()
            # A group is deleted after its rows: the row that was read just before is gone as well.
            self._known[key] = () if found is None else json.loads(found[0])
        return self._known[key]


def group_keys_of(connection: Connection, job: str) -> list[str]:
    """Return the keys of the groups that a job is in."""
    rows = connection.execute(statements.GROUPS_WITH, (json.dumps(job),))
    # The statement finds any part of the text, such as a part of a longer name.
    return [key for key, names in rows if job in json.loads(names)]


def read_newest(connection: Connection) -> dict[str, int]:
    """Return the newest slot of each job, in microseconds, in the records that are not in table `seen` yet."""
    newest: tuple[dict[str, int], dict[str, int]] = {}, {}
    for job, until, is_group in connection.execute(statements.REACHED).fetchall():
        newest[is_group][job] = until
    return expand_groups(connection, *newest)


def expand_groups(connection: Connection, jobs: Mapping[str, int], groups: Mapping[str, int]) -> dict[str, int]:
    """Return the greatest number of each job, from numbers of jobs and of groups."""
    members = GroupMembers(connection)
    found = dict(jobs)
    for key, number in groups.items():
        for job in members.jobs_of(key):
            if number > found.get(job, number - 1):
                found[job] = number
    return found
