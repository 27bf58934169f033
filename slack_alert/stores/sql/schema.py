"""The schema as numbered migrations; a released step is never edited.

`{identity}` (an id that the database assigns and never reuses), `{key}` (an id that we assign) and `{bytes}` are
placeholders for the type names of the database.
"""

from __future__ import annotations

# S608 is silenced below: only constants of ours are put into statements, never a value.

_FIRST = (
    """CREATE TABLE book (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        last_run BIGINT NOT NULL,
        taken BIGINT NOT NULL,
        pulse TEXT
    )""",
    "INSERT INTO book (id, last_run, taken, pulse) VALUES (1, 0, 0, NULL)",
    """CREATE TABLE state (
        job TEXT PRIMARY KEY,
        alerts TEXT NOT NULL,
        alerts_until BIGINT,
        errors TEXT NOT NULL,
        errors_until BIGINT
    )""",
    "CREATE TABLE seen (job TEXT PRIMARY KEY, first_slot BIGINT NOT NULL, last_slot BIGINT)",
    "CREATE TABLE hold (job TEXT PRIMARY KEY, until BIGINT)",
    """CREATE TABLE entry (
        pack TEXT NOT NULL,
        name TEXT NOT NULL,
        content TEXT NOT NULL,
        expires BIGINT,
        PRIMARY KEY (pack, name)
    )""",
    "CREATE TABLE running (run BIGINT PRIMARY KEY, job TEXT NOT NULL, slot BIGINT NOT NULL, started BIGINT NOT NULL)",
    """CREATE TABLE record (
        id {identity},
        run BIGINT NOT NULL,
        job TEXT NOT NULL,
        slot BIGINT NOT NULL,
        verdict TEXT NOT NULL,
        started BIGINT,
        duration BIGINT,
        text TEXT NOT NULL,
        address TEXT,
        alerts BIGINT NOT NULL,
        paused_until BIGINT,
        error TEXT,
        printed TEXT,
        count BIGINT NOT NULL,
        until BIGINT NOT NULL
    )""",
    "CREATE INDEX record_slot ON record (slot, id)",
    "CREATE INDEX record_until ON record (until)",
    "CREATE INDEX record_job ON record (job, slot)",
    """CREATE TABLE delivery (
        id {identity},
        key TEXT NOT NULL UNIQUE,
        address TEXT NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        content {bytes},
        slot BIGINT,
        run BIGINT,
        created BIGINT NOT NULL,
        status TEXT NOT NULL DEFAULT 'queued',
        attempts BIGINT NOT NULL DEFAULT 0,
        receipt TEXT,
        reason TEXT,
        changed BIGINT
    )""",
    "CREATE INDEX delivery_run ON delivery (run)",
    "CREATE INDEX delivery_created ON delivery (created) WHERE status <> 'queued'",
    "CREATE INDEX delivery_queued ON delivery (id) WHERE status = 'queued'",
    "CREATE INDEX delivery_waiting ON delivery (address, id) WHERE status = 'queued'",
    "CREATE INDEX delivery_accepted ON delivery (address, changed, id) WHERE status = 'sent'",
)

_SECOND = ("ALTER TABLE record ADD COLUMN asked_by TEXT",)

_RECORD_COLUMNS = (
    "id, run, job, slot, verdict, started, duration, text, address, alerts, paused_until, error, printed, count, "
    "until, asked_by"
)
#: Most records are of one slot and need no index over `until`; ids are assigned by the program.
_THIRD = (
    "ALTER TABLE book ADD COLUMN reached BIGINT NOT NULL DEFAULT 0",
    "UPDATE book SET reached = (SELECT coalesce(max(id), 0) FROM record)",
    "DROP INDEX record_slot",
    "DROP INDEX record_until",
    "DROP INDEX record_job",
    "ALTER TABLE record RENAME TO former",
    """CREATE TABLE record (
        id {key},
        run BIGINT NOT NULL,
        job TEXT NOT NULL,
        slot BIGINT NOT NULL,
        verdict TEXT NOT NULL,
        started BIGINT,
        duration BIGINT,
        text TEXT NOT NULL,
        address TEXT,
        alerts BIGINT NOT NULL,
        paused_until BIGINT,
        error TEXT,
        printed TEXT,
        count BIGINT NOT NULL,
        until BIGINT NOT NULL,
        asked_by TEXT
    )""",
    f"INSERT INTO record ({_RECORD_COLUMNS}) SELECT {_RECORD_COLUMNS} FROM former ORDER BY id",  # noqa: S608
    "DROP TABLE former",
    "CREATE INDEX record_slot ON record (slot, id)",
    "CREATE INDEX record_until ON record (until) WHERE count > 1",
    "CREATE INDEX record_job ON record (job, slot)",
)

#: The reason of a verdict, measurements, and which alerts belong to an incident.
_FOURTH = (
    "ALTER TABLE record ADD COLUMN reason TEXT",
    "ALTER TABLE record ADD COLUMN numbers TEXT",
    "ALTER TABLE record ADD COLUMN cpu BIGINT",
    "ALTER TABLE record ADD COLUMN memory BIGINT",
    "ALTER TABLE delivery ADD COLUMN manner TEXT NOT NULL DEFAULT 'post'",
    "ALTER TABLE delivery ADD COLUMN root TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE state ADD COLUMN incident TEXT",
    "ALTER TABLE state ADD COLUMN withheld BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE state ADD COLUMN withheld_since BIGINT",
)

_FIFTH = ("ALTER TABLE hold ADD COLUMN author TEXT NOT NULL DEFAULT ''",)

#: Slots that several jobs missed at once are one row for all of them.
_SIXTH = ("CREATE TABLE circle (key TEXT PRIMARY KEY, jobs TEXT NOT NULL)",)

#: What the start after a kill found in the journal, until it is in the history.
_SEVENTH = (
    "CREATE TABLE returned (run BIGINT PRIMARY KEY, job TEXT NOT NULL, slot BIGINT NOT NULL, content {bytes} NOT NULL)",
    "CREATE TABLE unaccounted (job TEXT NOT NULL, after_slot BIGINT NOT NULL, until_slot BIGINT NOT NULL)",
)

#: Where a message comes from, of a run (job and part) or of another (notice, about and part); NULL: its key tells it.
_EIGHTH = (
    "ALTER TABLE delivery ADD COLUMN job TEXT",
    "ALTER TABLE delivery ADD COLUMN notice TEXT",
    "ALTER TABLE delivery ADD COLUMN about TEXT",
    "ALTER TABLE delivery ADD COLUMN part BIGINT",
    "ALTER TABLE delivery ADD COLUMN severity TEXT",
)

#: What happened and was not answered by all jobs that want it: their names are in `jobs`, each between line ends.
_NINTH = (
    """CREATE TABLE event (
        id {key},
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        at BIGINT NOT NULL,
        fields TEXT NOT NULL,
        author TEXT NOT NULL,
        reply_to TEXT NOT NULL,
        cause BIGINT NOT NULL,
        depth BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        jobs TEXT NOT NULL
    )""",
    "ALTER TABLE book ADD COLUMN last_event BIGINT NOT NULL DEFAULT 0",
)

#: The reasons of a record as data, empty where it has none and NULL in rows that were written with sentences, and what
#: its function itself said and how it failed.
_TENTH = ("ALTER TABLE record ADD COLUMN reasons TEXT", "ALTER TABLE record ADD COLUMN outcome TEXT")

#: Whether the service itself said the reason of a delivery; NULL: the reason tells it. The marks of quiet windows are a
#: pack of their own, with the names of windows as keys.
_ELEVENTH = (
    "ALTER TABLE delivery ADD COLUMN is_answer BIGINT",
    "UPDATE entry SET pack = '.windows', name = substr(name, 8) WHERE pack = '.quiet' AND name LIKE 'window/%'",
)

#: What came in from chats within a day, by its ids, and the thread of somebody else that a message is posted in.
_TWELFTH = (
    "CREATE TABLE inbound (id TEXT PRIMARY KEY, at BIGINT NOT NULL)",
    "ALTER TABLE delivery ADD COLUMN thread TEXT NOT NULL DEFAULT ''",
)

#: The record of what people asked for, each entry chained to the one before, and where it begins after pruning.
_THIRTEENTH = (
    """CREATE TABLE audit (
        id {key},
        at BIGINT NOT NULL,
        author TEXT NOT NULL,
        name TEXT NOT NULL,
        chat TEXT NOT NULL,
        channel TEXT NOT NULL,
        door TEXT NOT NULL,
        session TEXT NOT NULL,
        ip TEXT NOT NULL,
        command TEXT NOT NULL,
        params TEXT NOT NULL,
        verdict TEXT NOT NULL,
        reason TEXT NOT NULL,
        run BIGINT,
        duration BIGINT,
        hash TEXT NOT NULL
    )""",
    "CREATE INDEX audit_at ON audit (at)",
    "CREATE TABLE audit_anchor (id BIGINT NOT NULL, hash TEXT NOT NULL, at BIGINT NOT NULL, seal TEXT NOT NULL)",
)

#: The buttons of a message, as JSON, empty where it has none; and the address at which one person is answered.
_FOURTEENTH = (
    "ALTER TABLE delivery ADD COLUMN buttons TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE delivery ADD COLUMN response_url TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE delivery ADD COLUMN is_private BIGINT NOT NULL DEFAULT 0",
)

#: An event stays in the history once it is answered: with what was decided about it for each rule, as JSON, and with
#: the runs that answered it, a line each. The indexes are for those that wait, for what is pruned, and for chains.
_FIFTEENTH = (
    "ALTER TABLE event ADD COLUMN decisions TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE event ADD COLUMN answers TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX event_waiting ON event (id) WHERE jobs <> ''",
    "CREATE INDEX event_asked ON event (id) WHERE kind = 'asked'",
    "CREATE INDEX event_at ON event (at) WHERE kind = 'emitted'",
    "CREATE INDEX event_cause ON event (cause) WHERE cause <> 0",
)

#: The step at position n leads from version n to n + 1.
STEPS: tuple[tuple[str, ...], ...] = (
    _FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH, _SEVENTH, _EIGHTH, _NINTH, _TENTH,
    _ELEVENTH, _TWELFTH, _THIRTEENTH, _FOURTEENTH, _FIFTEENTH,
)  # fmt: skip
VERSION = len(STEPS)

_SENTENCES = "NULL AS reasons, NULL AS outcome"
_MEASURED = f"NULL AS reason, NULL AS numbers, NULL AS cpu, NULL AS memory, {_SENTENCES}"
_NO_BUTTONS = "'' AS buttons, '' AS response_url, 0 AS is_private"
_NO_THREAD = f"'' AS thread, {_NO_BUTTONS}"
_NO_ORIGIN = (
    "NULL AS job, NULL AS notice, NULL AS about, NULL AS part, NULL AS severity, NULL AS is_answer, " + _NO_THREAD
)
#: What stands for a table of an older version: of each table's lines, the first up to whose version the file is.
_FORMER: dict[str, dict[int, str]] = {
    "record": {
        1: f"*, NULL AS asked_by, {_MEASURED} FROM main.record",
        3: f"*, {_MEASURED} FROM main.record",
        9: f"*, {_SENTENCES} FROM main.record",
    },
    "book": {
        2: "*, (SELECT max(id) FROM main.record) AS reached, 0 AS last_event FROM main.book",
        8: "*, 0 AS last_event FROM main.book",
    },
    "delivery": {
        3: f"*, 'post' AS manner, '' AS root, {_NO_ORIGIN} FROM main.delivery",
        7: f"*, {_NO_ORIGIN} FROM main.delivery",
        10: f"*, NULL AS is_answer, {_NO_THREAD} FROM main.delivery",
        11: f"*, {_NO_THREAD} FROM main.delivery",
        13: f"*, {_NO_BUTTONS} FROM main.delivery",
    },
    "state": {3: "*, NULL AS incident, 0 AS withheld, NULL AS withheld_since FROM main.state"},
    "hold": {4: "*, '' AS author FROM main.hold"},
    "circle": {5: "NULL AS key, NULL AS jobs WHERE 1 = 0"},
    "returned": {6: "NULL AS run, NULL AS job, NULL AS slot, NULL AS content WHERE 1 = 0"},
    "unaccounted": {6: "NULL AS job, NULL AS after_slot, NULL AS until_slot WHERE 1 = 0"},
    "event": {
        8: "NULL AS id, NULL AS name, NULL AS at, NULL AS fields, NULL AS author, NULL AS reply_to, NULL AS cause, "
        "NULL AS depth, NULL AS attempts, NULL AS jobs, NULL AS kind, NULL AS decisions, NULL AS answers WHERE 1 = 0",
        14: "*, '' AS decisions, '' AS answers FROM main.event",
    },
    "inbound": {11: "NULL AS id, NULL AS at WHERE 1 = 0"},
    "audit": {
        12: "NULL AS id, NULL AS at, NULL AS author, NULL AS name, NULL AS chat, NULL AS channel, NULL AS door, "
        "NULL AS session, NULL AS ip, NULL AS command, NULL AS params, NULL AS verdict, NULL AS reason, NULL AS run, "
        "NULL AS duration, NULL AS hash WHERE 1 = 0"
    },
    "audit_anchor": {12: "NULL AS id, NULL AS hash, NULL AS at, NULL AS seal WHERE 1 = 0"},
    # Readers need no marks of quiet windows.
    "entry": {10: "* FROM main.entry WHERE pack <> '.quiet' OR name NOT LIKE 'window/%'"},
}


def views(version: int) -> list[str]:
    """Return temporary views over the tables of an older version, for readers, which must not migrate the file."""
    found = ((table, [select for last, select in lines.items() if version <= last]) for table, lines in _FORMER.items())
    return [f"CREATE TEMP VIEW {table} AS SELECT {fitting[0]}" for table, fitting in found if fitting]
