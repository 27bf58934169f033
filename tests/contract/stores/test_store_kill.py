"""A process that commits is killed at any moment: what was acknowledged is stored, and the file is whole."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from slack_alert.core.model.message import Status
from slack_alert.core.model.record import Verdict
from slack_alert.stores import SqliteInbox, SqliteReader, SqliteStore, is_held
from tests.contract.store_kit import integrity

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

_WRITER = """
import sys
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, DeliveryProgress, RunPart, Status
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.content.render import Text
from slack_alert.engine.batches import Batch
from slack_alert.stores import DatabaseLock, SqliteStore

T = datetime(2026, 11, 21, tzinfo=timezone.utc)
path = Path(sys.argv[1])
assert DatabaseLock(path).acquire()
store = SqliteStore(path)
for n in count(store.open().last_run + 1):
    slot = T + timedelta(seconds=n)
    origins = [RunPart("a", slot, n, part) for part in range(2)]
    told = [Message(f"{n}#{one.n}", Address("slack", "#ops"), Text("x" * 500), one) for one in origins]
    new = store.commit(Batch(messages=told, records=[Record(n, "a", slot, Verdict.SAID)], at=slot))
    store.commit(Batch(progress=[DeliveryProgress(new[0].id, Status.SENT, 1, slot, str(n))]))
    store.commit(Batch(records=[Record(0, "b", slot, Verdict.PAUSED)]))
    print(n, flush=True)
"""
_SAYER = """
import sys
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, RunPart
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.content.render import Text
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.batches import Batch
from slack_alert.engine.recording.writer import Writer
from slack_alert.stores import DatabaseLock, FileJournal, SqliteStore, journal_path

T = datetime(2026, 11, 21, tzinfo=timezone.utc)
path = Path(sys.argv[1])
assert DatabaseLock(path).acquire()
store = SqliteStore(path)
first = store.open().last_run + 1
writer = Writer(store, SystemClock(), journal=FileJournal(journal_path(path)))
writer.start(lambda _: None)
for n in count(first):
    slot = T + timedelta(seconds=n)
    told = [Message(f"{n}#0", Address("slack", "#ops"), Text("x" * 500), origin=RunPart("a", slot, n))]
    writer.submit(Batch(messages=told, records=[Record(n, "a", slot, Verdict.SAID)]))
    print(n, flush=True)
"""
_SETTER = """
import sys
import threading
from itertools import count
from pathlib import Path
from slack_alert.core.policy.quota import Pause
from slack_alert.engine.batches import Batch
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.durable_values import number_of, submit_durably
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.engine.recording.writer import Writer
from slack_alert.stores import DatabaseLock, FileJournal, SqliteStore, journal_path

path = Path(sys.argv[1])
assert DatabaseLock(path).acquire()
store = SqliteStore(path)
found = store.open()
clock, journal = SystemClock(), FileJournal(journal_path(path))
writer = Writer(store, clock, journal=journal, numbered=number_of(found.entries))
writer.start(lambda _: None)
entries = [entry for entry in found.entries if entry.pack == "db"]
pocket = KeyValueStore("db", entries, write=lambda new: submit_durably(writer, Batch(entries=[*new])), now=clock.now)
for n in count(pocket.get("n", 0) + 1):
    if n % 3:
        pocket.delete("m")
    else:
        pocket.set("m", n)
    submit_durably(writer, Batch(holds={"job": Pause(None, str(n))}))()
    pocket.set("n", n)
    print(n, flush=True)
"""
_PUTTER = """
import sys
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from slack_alert.core.model.request import Request
from slack_alert.stores import SqliteInbox

inbox = SqliteInbox(Path(sys.argv[1]))
for n in count(int(sys.argv[2])):
    inbox.add(Request("send", {"n": n}, datetime(2026, 11, 21, tzinfo=timezone.utc)))
    print(n, flush=True)
"""


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """The number of kills; each process starts with the file of the one before."""
    return 4 if request.config.getoption("thorough") else 2


@pytest.fixture
def longest(request: pytest.FixtureRequest) -> float:
    """The longest time from a process's first output to its kill, in seconds."""
    return 0.15 if request.config.getoption("thorough") else 0.03


def acknowledged(program: str, *arguments: str, after: float) -> list[int]:
    """Run a program, kill it some time after its first output, and return what it reported as committed."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        time.sleep(after)  # The moment of the kill is what is tried here.
        process.kill()
        said += process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    return [int(line) for line in said.split("\n")[:-1]]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path, rounds: int, longest: float) -> None:
    chance = random.Random(20261121)
    path = tmp_path / "state.db"
    done: list[int] = []
    for _ in range(rounds):
        done += acknowledged(_WRITER, str(path), after=chance.uniform(0, longest))
        reader = SqliteReader(path)  # Reads beside what the killed one left, before anybody has put it in order.
        lines = [line for line in reader.history(job="a", since=None, limit=None) if line.record.run in set(done)]
        paused = sum(line.record.count for line in reader.history(job="b", since=None, limit=None))
        sent = {one.message.key: one.receipt for one in reader.deliveries() if one.status is Status.SENT}
        reader.close()

        assert not is_held(path)
        assert [(line.record.run, line.record.verdict, line.delivery) for line in lines] == [
            (n, Verdict.SAID, "queued") for n in done
        ]
        assert paused >= len(done)
        assert {key: sent.get(key) for key in (f"{n}#0" for n in done)} == {f"{n}#0": str(n) for n in done}

    store = SqliteStore(path)
    assert store.open().last_run >= done[-1]
    store.close()
    assert integrity(path) == "ok"


@pytest.mark.slow
def test_nothing_said_is_lost_when_it_was_not_committed_yet(tmp_path: Path, rounds: int, longest: float) -> None:
    """A message is acknowledged before the disk has been waited for."""
    chance = random.Random(20261123)
    path = tmp_path / "state.db"
    done: list[int] = []
    for _ in range(rounds):
        done += acknowledged(_SAYER, str(path), after=chance.uniform(0, longest))
    store, reader = SqliteStore(path), SqliteReader(path)
    store.open()
    waiting = [one.message.key for one in reader.deliveries()]
    runs = [line.record.run for line in reader.history(job="a", since=None, limit=None)]
    reader.close()
    store.close()

    assert [key for key in waiting if int(key[:-2]) in set(done)] == [f"{n}#0" for n in done]
    assert len(set(waiting)) == len(waiting)
    assert runs == [int(key[:-2]) for key in waiting]
    assert integrity(path) == "ok"


@pytest.mark.slow
def test_nothing_left_in_the_inbox_is_lost_when_who_leaves_it_is_killed(
    tmp_path: Path, rounds: int, longest: float
) -> None:
    chance = random.Random(20261122)
    path = tmp_path / "state.db.inbox"
    inbox = SqliteInbox(path)
    done: list[int] = []
    for number in range(rounds):
        done += acknowledged(_PUTTER, str(path), str(number * 10_000), after=chance.uniform(0, longest))

        assert [n for n in (request.payload["n"] for request in inbox.peek()) if n in set(done)] == done

    assert integrity(path) == "ok"


@pytest.mark.slow
def test_no_value_or_pause_is_older_than_what_returned_before_a_kill(
    tmp_path: Path, rounds: int, longest: float
) -> None:
    chance = random.Random(20261124)
    path = tmp_path / "state.db"
    for _ in range(2 * rounds):
        last = acknowledged(_SETTER, str(path), after=chance.choice((0.0, chance.uniform(0, longest))))[-1]
        store = SqliteStore(path)
        snapshot = store.open()
        store.close()
        values = {entry.key: int(entry.value) for entry in snapshot.entries if entry.pack == "db" and entry.value}

        assert values["n"] in {last, last + 1}
        paused = int(snapshot.holds["job"].by)
        assert paused in {values["n"], values["n"] + 1}
        assert values.get("m") in {n if n % 3 == 0 else None for n in (paused, paused + 1)}
    assert integrity(path) == "ok"
