"""All statements over the schema, in the SQL that SQLite and PostgreSQL share.

Parameters are `?` by position and no statement has a `?` in a literal: for psycopg each becomes `%s`.
"""

from __future__ import annotations

# S608 is silenced below: only constants of ours are put into statements, never a value.
from slack_alert.core.policy.overflow import AGAIN
from slack_alert.stores.folding import FOLDABLE

# --- batches

PUT_STATE = """
    INSERT INTO state (job, alerts, alerts_until, errors, errors_until, incident, withheld, withheld_since)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (job) DO UPDATE SET alerts = excluded.alerts, alerts_until = excluded.alerts_until,
        errors = excluded.errors, errors_until = excluded.errors_until, incident = excluded.incident,
        withheld = excluded.withheld, withheld_since = excluded.withheld_since"""
#: A lower value counts only where the stored one lies in the future, which means that a wrong clock wrote it.
PUT_SEEN = """
    INSERT INTO seen (job, first_slot, last_slot) VALUES (?, ?, ?)
    ON CONFLICT (job) DO UPDATE SET first_slot = excluded.first_slot, last_slot = CASE
        WHEN excluded.last_slot IS NULL OR (seen.last_slot > excluded.last_slot AND seen.last_slot <= ?)
        THEN seen.last_slot ELSE excluded.last_slot END"""
MOVE_SEEN = "UPDATE seen SET last_slot = ? WHERE job = ? AND (last_slot IS NULL OR last_slot < ?)"
#: The newest slots of the records since `book.reached`; a run that a person asked for has no slot of its job.
#: Grouped by an expression: with the index over jobs all other records would be read as well.
REACHED = """
    SELECT job, max(until), EXISTS (SELECT 1 FROM circle WHERE key = job) FROM record
    WHERE id > (SELECT reached FROM book) AND asked_by IS NULL GROUP BY job || ''"""
PUT_REACHED = "UPDATE book SET reached = ?"
PUT_HOLD = """
    INSERT INTO hold (job, until, author) VALUES (?, ?, ?)
    ON CONFLICT (job) DO UPDATE SET until = excluded.until, author = excluded.author"""
CLEAR_HOLD = "DELETE FROM hold WHERE job = ?"
PUT_ENTRY = """
    INSERT INTO entry (pack, name, content, expires) VALUES (?, ?, ?, ?)
    ON CONFLICT (pack, name) DO UPDATE SET content = excluded.content, expires = excluded.expires"""
ENTRY = "SELECT content FROM entry WHERE pack = ? AND name = ?"
CLEAR_ENTRY = "DELETE FROM entry WHERE pack = ? AND name = ?"
CLEAR_RUNNING = "DELETE FROM running"
PUT_RUNNING = "INSERT INTO running (run, job, slot, started) VALUES (?, ?, ?, ?) ON CONFLICT (run) DO NOTHING"
DROP_RUNNING = "DELETE FROM running WHERE run = ?"
PUT_RETURNED = "INSERT INTO returned (run, job, slot, content) VALUES (?, ?, ?, ?) ON CONFLICT (run) DO NOTHING"
PUT_UNACCOUNTED = "INSERT INTO unaccounted (job, after_slot, until_slot) VALUES (?, ?, ?)"
CLEAR_UNACCOUNTED = "DELETE FROM unaccounted WHERE job = ?"
EVENT_COLUMNS = "id, name, at, fields, author, reply_to, cause, depth, attempts, jobs, decisions"
_KEPT_COLUMNS = f"{EVENT_COLUMNS}, answers"
PUT_EVENT = f"""
    INSERT INTO event ({EVENT_COLUMNS}, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'emitted')
    ON CONFLICT (id) DO UPDATE SET attempts = excluded.attempts"""  # noqa: S608
ANSWER_EVENT = "UPDATE event SET jobs = replace(jobs, ?, ''), answers = answers || ? WHERE id = ? AND kind = 'emitted'"
PUT_ASKED = """
    INSERT INTO event (id, name, at, fields, author, reply_to, cause, depth, attempts, jobs, kind)
    VALUES (?, '', ?, ?, ?, '', 0, 0, 0, '', 'asked')
    ON CONFLICT (id) DO UPDATE SET fields = excluded.fields"""
SETTLE_ASKED = "DELETE FROM event WHERE id = ? AND kind = 'asked'"
#: The first time counts, for a day: an older one may not be pruned yet.
PUT_INBOUND = """
    INSERT INTO inbound (id, at) VALUES (?, ?)
    ON CONFLICT (id) DO UPDATE SET at = excluded.at WHERE excluded.at - inbound.at > 86400000000"""
FORGET_INBOUND = "DELETE FROM inbound WHERE at < ?"
PUT_LAST_EVENT = "UPDATE book SET last_event = ? WHERE last_event < ?"
PUT_PULSE = "UPDATE book SET pulse = ?"
PUT_TAKEN = "UPDATE book SET taken = ? WHERE taken < ?"
PUT_LAST_RUN = "UPDATE book SET last_run = ? WHERE last_run < ?"

# --- history

RECORD_COLUMNS = (
    "run, job, slot, verdict, started, duration, text, address, alerts, paused_until, error, printed, count, until, "
    "asked_by, numbers, cpu, memory, reasons, outcome"
)
#: With the sentence that former versions wrote.
_READ_COLUMNS = f"{RECORD_COLUMNS}, reason"
ADD_RECORD = f"""
    INSERT INTO record (id, {RECORD_COLUMNS}) VALUES ({", ".join("?" * 21)})"""  # noqa: S608
LAST_RECORD = "SELECT reached, (SELECT coalesce(max(id), 0) FROM record) FROM book"
EXTEND_RECORD = "UPDATE record SET count = ?, until = ? WHERE id = ? AND count = ? AND until = ?"

#: A row that several jobs share has the key of their group as its job.
_ROW = f"""
    SELECT id, EXISTS (SELECT 1 FROM delivery WHERE delivery.run = record.run),
        EXISTS (SELECT 1 FROM circle WHERE key = job), {_READ_COLUMNS} FROM record"""  # noqa: S608
# Most rows are of one slot, which is their end as well: only the others are in the index over `until`.
# The plus keeps it from being used: pages follow the index over slots, or each page sorts everything.
_PAGE = f"{_ROW} WHERE (slot, id) > (?, ?) AND +until >= ?"
HISTORY_PAGE = f"{_PAGE} ORDER BY slot, id LIMIT ?"
HISTORY_PAGE_OF_JOB = f"{_PAGE} AND job = ? ORDER BY slot, id LIMIT ?"
#: Where the first page begins; with the plus only the wanted rows are searched, not all rows before them.
FIRST_SLOT = """
    SELECT min(slot) FROM (SELECT min(slot) AS slot FROM record WHERE slot >= ?
        UNION ALL SELECT min(+slot) FROM record WHERE count > 1 AND until >= ?) AS firsts"""
#: The rows with the newest ends; of rows of one slot these are the newest slots.
NEWEST = """
    SELECT id FROM (
        SELECT * FROM (SELECT id, until FROM record WHERE slot >= ? ORDER BY slot DESC, id DESC LIMIT ?) AS short
        UNION SELECT * FROM (
            SELECT id, until FROM record WHERE count > 1 AND until >= ? ORDER BY until DESC, id DESC LIMIT ?) AS long
    ) AS newest ORDER BY until DESC, id DESC LIMIT ?"""
NEWEST_OF_JOB = "SELECT id FROM record WHERE job = ? AND +until >= ? ORDER BY slot DESC, id DESC LIMIT ?"
HISTORY_NEWEST = f"{_ROW} WHERE id IN ({NEWEST}) ORDER BY slot, id"
HISTORY_NEWEST_OF_JOB = f"{_ROW} WHERE id IN ({NEWEST_OF_JOB}) ORDER BY slot, id"
ADD_GROUP = "INSERT INTO circle (key, jobs) VALUES (?, ?)"
GROUP = "SELECT jobs FROM circle WHERE key = ?"
GROUPS_WITH = "SELECT key, jobs FROM circle WHERE replace(jobs, ?, '') <> jobs"
FORGET_GROUPS = "DELETE FROM circle WHERE NOT EXISTS (SELECT 1 FROM record WHERE record.job = circle.key)"
PARTS = "SELECT status, attempts, receipt FROM delivery WHERE run = ? ORDER BY id"

FORGET_RECORDS = """
    DELETE FROM record WHERE id IN (SELECT id FROM record WHERE slot < ? AND +until < ? ORDER BY slot LIMIT ?)"""
#: The newest row beyond the limit.
BOUNDARY = "SELECT slot, id FROM record ORDER BY slot DESC, id DESC LIMIT 1 OFFSET ?"
_FOLDABLE = ", ".join(f"'{verdict}'" for verdict in sorted(FOLDABLE, key=str))
FOLD_PAGE = f"""
    SELECT id, job, verdict, slot, count, until FROM record
    WHERE (slot, id) > (?, ?) AND (slot, id) <= (?, ?) AND verdict IN ({_FOLDABLE})
    ORDER BY slot, id LIMIT ?"""  # noqa: S608
GROW_RECORD = """
    UPDATE record SET run = 0, started = NULL, duration = NULL, text = '', error = NULL, printed = NULL,
        asked_by = NULL, reason = NULL, numbers = NULL, cpu = NULL, memory = NULL, reasons = '', outcome = NULL,
        count = ?, until = ? WHERE id = ?"""
DROP_RECORD = "DELETE FROM record WHERE id = ?"

# --- outbox

DELIVERY_COLUMNS = (
    "id, key, address, kind, body, content, slot, run, manner, root, job, notice, about, part, severity, thread, "
    "buttons, response_url, is_private, created, status, attempts, receipt, reason, is_answer"
)
ADD_DELIVERY = """
    INSERT INTO delivery (
        key, address, kind, body, content, slot, run, manner, root, job, notice, about, part, severity, thread,
        buttons, response_url, is_private, created)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO NOTHING"""
#: A message that counts others is replaced while it is queued.
PUT_SUMMARY = ADD_DELIVERY.replace(
    "DO NOTHING",
    """DO UPDATE SET kind = excluded.kind, body = excluded.body, content = excluded.content
        WHERE delivery.status = 'queued'""",
)
HAS_RECORD = "SELECT 1 FROM record WHERE job = ? AND slot = ? AND run = ?"
END_OF_RUN = "SELECT verdict FROM record WHERE job = ? AND slot = ? AND run = ?"
HAS_KEY = "SELECT 1 FROM delivery WHERE key = ?"
LAST_DELIVERY = "SELECT coalesce(max(id), 0) FROM delivery"
#: A delivery that is sent, dead or collapsed into another keeps its status.
PUT_PROGRESS = """
    UPDATE delivery SET status = ?, attempts = ?, receipt = ?, reason = ?, is_answer = ?, changed = ?
    WHERE id = ? AND status = 'queued'"""
DROP_DELIVERY = "DELETE FROM delivery WHERE id = ? AND status <> 'sent'"
#: The time until giving up is counted from `created`, which therefore begins anew.
RETRY_DELIVERY = f"""
    UPDATE delivery SET status = 'queued', attempts = 0, reason = '{AGAIN}', is_answer = 0, changed = NULL,
        created = coalesce(?, created)
    WHERE id = ? AND status IN ('dead', 'collapsed')"""  # noqa: S608
DELIVERY = f"SELECT {DELIVERY_COLUMNS} FROM delivery WHERE id = ?"  # noqa: S608
DELIVERIES = f"SELECT {DELIVERY_COLUMNS} FROM delivery WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
#: With the time of the last change, and how many deliveries to the same address are queued before it.
POSTED = f"""
    SELECT {DELIVERY_COLUMNS}, changed, CASE WHEN status = 'queued' THEN (
        SELECT count(*) FROM delivery AS other
        WHERE other.status = 'queued' AND other.address = delivery.address AND other.id < delivery.id) ELSE 0 END
    FROM delivery WHERE run = ? ORDER BY id"""  # noqa: S608
WAITING = f"""
    SELECT {DELIVERY_COLUMNS} FROM delivery WHERE status = 'queued' AND id > ? ORDER BY id LIMIT ?"""  # noqa: S608
WAITING_AT = f"""
    SELECT {DELIVERY_COLUMNS} FROM delivery WHERE status = 'queued' AND address = ? AND id > ?
    ORDER BY id LIMIT ?"""  # noqa: S608
LAST_RECEIPT = """
    SELECT receipt FROM delivery WHERE status = 'sent' AND address = ? AND receipt IS NOT NULL
    ORDER BY changed DESC, id DESC LIMIT 1"""
#: The receipt by which a message that was accepted can be edited and replied to.
RECEIPT = "SELECT receipt FROM delivery WHERE key = ? AND status = 'sent'"
FORGET_DELIVERIES = """
    DELETE FROM delivery WHERE id IN
        (SELECT id FROM delivery WHERE status <> 'queued' AND created < ? ORDER BY created LIMIT ?)"""

# --- state

STATES = """
    SELECT job, alerts, alerts_until, errors, errors_until, incident, withheld, withheld_since FROM state
    ORDER BY job"""
SEEN = "SELECT job, first_slot, last_slot FROM seen ORDER BY job"
HOLDS = "SELECT job, until, author FROM hold ORDER BY job"
ENTRIES = "SELECT pack, name, content, expires FROM entry ORDER BY pack, name"
FORGET_ENTRIES = "DELETE FROM entry WHERE expires <= ?"
_ON_RECORD = """EXISTS (
        SELECT 1 FROM record WHERE record.job = {0}.job AND record.slot = {0}.slot AND record.run = {0}.run)"""
#: A run with a record has ended, though its row in `running` was not deleted yet.
RUNNING = f"""
    SELECT run, job, slot, started FROM running WHERE NOT {_ON_RECORD.format("running")}
        AND NOT EXISTS (SELECT 1 FROM returned WHERE returned.run = running.run)
    ORDER BY run"""  # noqa: S608
RETURNED = f"""
    SELECT content FROM returned WHERE NOT {_ON_RECORD.format("returned")} ORDER BY slot, run"""  # noqa: S608
UNACCOUNTED = "SELECT job, after_slot, until_slot FROM unaccounted ORDER BY job, until_slot, after_slot"
#: To be executed before records are folded or deleted, because only the record tells that a run has ended.
FORGET_ENDED = (
    f"DELETE FROM running WHERE {_ON_RECORD.format('running')}",  # noqa: S608
    f"DELETE FROM returned WHERE {_ON_RECORD.format('returned')}",  # noqa: S608
)
#: What is left of jobs that never came back.
FORGET_LEFT = (
    "DELETE FROM returned WHERE slot < ?",
    "DELETE FROM unaccounted WHERE until_slot < ?",
)
FORGET_EVENTS = """
    DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at < ? AND kind = 'emitted' ORDER BY at LIMIT ?)"""
#: Those that wait stay, however many there are.
FORGET_MANY_EVENTS = """
    DELETE FROM event WHERE id IN (
        SELECT id FROM event WHERE id <= (SELECT last_event FROM book) - ? AND kind = 'emitted' AND jobs = ''
        ORDER BY id LIMIT ?)"""
BOOK = "SELECT last_run, last_event, taken, pulse FROM book"
EVENTS = f"SELECT {EVENT_COLUMNS} FROM event WHERE jobs <> '' ORDER BY id"  # noqa: S608
ASKED = "SELECT fields FROM event WHERE kind = 'asked' ORDER BY id"
INBOUND = "SELECT id, at FROM inbound ORDER BY at, id"

# --- events

EVENT = f"SELECT {_KEPT_COLUMNS} FROM event WHERE id = ? AND kind = 'emitted'"  # noqa: S608
CAUSED_EVENTS = f"""
    SELECT {_KEPT_COLUMNS} FROM event WHERE cause = ? AND cause <> 0 AND kind = 'emitted' ORDER BY id"""  # noqa: S608
#: The newest of those above an id, from a moment on.
NEWEST_EVENTS = f"""
    SELECT {_KEPT_COLUMNS} FROM event WHERE id > ? AND at >= ? AND kind = 'emitted'
    ORDER BY id DESC LIMIT ?"""  # noqa: S608

# --- what people asked for

_AUDIT_COLUMNS = (
    "id, at, author, name, chat, channel, door, session, ip, command, params, verdict, reason, run, duration, hash"
)
ADD_AUDIT = f"INSERT INTO audit ({_AUDIT_COLUMNS}) VALUES ({', '.join('?' * 16)})"  # noqa: S608
_AUDIT = f"SELECT {_AUDIT_COLUMNS} FROM audit"  # noqa: S608
LAST_AUDIT = f"{_AUDIT} ORDER BY id DESC LIMIT 1"
AUDIT_PAGE = f"{_AUDIT} WHERE id > ? ORDER BY id LIMIT ?"
#: Newest first; an empty text stands for anybody, and for any command.
AUDIT_NEWEST = f"""
    {_AUDIT} WHERE id < ? AND at >= ? AND (? = '' OR author = ? OR name = ?)
        AND (? = '' OR command = ? OR substr(command, 1, length(?) + 1) = ? || ' ')
    ORDER BY id DESC LIMIT ?"""
FIRST_AUDIT = "SELECT id FROM audit ORDER BY id LIMIT 1"
FIRST_AUDIT_SINCE = "SELECT id FROM audit WHERE at >= ? ORDER BY id LIMIT 1"
AUDIT_HEAD_UP_TO = "SELECT id, hash, at FROM audit WHERE id <= ? ORDER BY id DESC LIMIT 1"
PRUNE_AUDIT = "DELETE FROM audit WHERE id <= ?"
ANCHOR = "SELECT id, hash, at, seal FROM audit_anchor"
DROP_ANCHOR = "DELETE FROM audit_anchor"
PUT_ANCHOR = "INSERT INTO audit_anchor (id, hash, at, seal) VALUES (?, ?, ?, ?)"
