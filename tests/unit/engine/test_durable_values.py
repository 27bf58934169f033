"""Setting a value or a pause returns once it is durable, and raises where it cannot be kept."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.quota import Pause
from slack_alert.engine import durable_values
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.engine.durable_values import number_of, submit_durably
from slack_alert.engine.recording.writer import Writer
from slack_alert.engine.simulation.doubles import VirtualClock
from slack_alert.stores import FileJournal, SqliteStore, journal_path
from slack_alert.stores.memory import MemoryStore
from tests.fakes.engine_rig import at

PATIENCE = 20.0
BATCHES: list[Callable[[], Batch]] = [
    lambda: Batch(entries=[StoredValue("db", "seen", "1")]),
    lambda: Batch(entries=[StoredValue("db", "seen", None)]),
    lambda: Batch(holds={"db.lag": Pause()}),
    lambda: Batch(holds={"db.lag": None}),
]


class Journal:
    """A journal that accepts everything, or nothing."""

    def __init__(self, *, is_full: bool = False) -> None:
        self.kept: list[Batch] = []
        self._is_full = is_full

    def append(self, said: Batch | Returned) -> bool:
        assert isinstance(said, Batch)
        if not self._is_full:
            self.kept.append(said)
        return not self._is_full

    def release(self, count: int) -> None: ...

    def close(self) -> None: ...


class Full(MemoryStore):
    """A store whose disk is full until there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.has_room = threading.Event()

    def commit(self, batch: Batch) -> list[Delivery]:
        if not self.has_room.is_set():
            raise StoreError("the disk is full")
        return super().commit(batch)


def make_writer(store: MemoryStore, journal: Journal | None = None) -> Writer:
    return Writer(store, VirtualClock(at("16 12:00")), journal=journal, retry=0.001)


def make_pocket(writer: Writer) -> KeyValueStore:
    return KeyValueStore(
        "db", (), write=lambda entries: submit_durably(writer, Batch(entries=[*entries])), now=lambda: at("16 12:00")
    )


def values(entries: Iterable[StoredValue]) -> list[str]:
    return [entry.value for entry in entries if entry.pack == "db" and entry.value]


@pytest.mark.parametrize("make", BATCHES)
def test_what_a_journal_has_taken_is_not_waited_for(make: Callable[[], Batch]) -> None:
    journal = Journal()
    submit_durably(make_writer(MemoryStore(), journal), make())()  # Nobody commits.

    assert len(journal.kept) == 1


@pytest.mark.parametrize("journal", [None, Journal(is_full=True)], ids=["without a journal", "a full journal"])
@pytest.mark.parametrize("make", BATCHES)
def test_without_a_journal_the_commit_is_waited_for(make: Callable[[], Batch], journal: Journal | None) -> None:
    store = MemoryStore()
    writer = make_writer(store, journal)
    committed: list[bool] = []
    writer.start(lambda _: None)
    batch = make()
    writer.submit(Batch(), lambda: committed.append(True))
    submit_durably(writer, batch)()

    assert committed == [True]
    found = store.snapshot()
    assert values(found.entries) == values(batch.entries)
    assert found.holds == {job: hold for job, hold in batch.holds.items() if hold}
    assert writer.stop(PATIENCE)


def test_a_coroutine_function_that_sets_a_value_needs_no_turn_of_its_loop_for_it() -> None:
    """Progress of the sender and callbacks of commits need the loop, which is blocked meanwhile."""
    store = MemoryStore()
    writer = make_writer(store)

    async def job() -> object:
        loop = asyncio.get_running_loop()
        marked = asyncio.Event()
        writer.start(lambda _: None)
        writer.submit(Batch(entries=[StoredValue("db", "x", None)]), partial(loop.call_soon_threadsafe, marked.set))
        key_value_store = make_pocket(writer)
        key_value_store.set("seen", 1)
        await marked.wait()
        return key_value_store.get("seen")

    assert asyncio.run(job()) == 1
    assert values(store.snapshot().entries) == ["1"]
    assert writer.stop(PATIENCE)


@pytest.mark.parametrize("is_on_loop", [False, True])
def test_what_can_be_kept_nowhere_is_raised_and_a_loop_does_not_stand_still_for_long(
    is_on_loop: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long = timedelta(milliseconds=1), timedelta(hours=1)
    monkeypatch.setattr(durable_values, "_PATIENCE", long if is_on_loop else short)
    monkeypatch.setattr(durable_values, "_PATIENCE_ON_LOOP", short if is_on_loop else long)
    store = Full()
    writer = make_writer(store, Journal(is_full=True))
    writer.start(lambda _: None)
    key_value_store = make_pocket(writer)

    async def on_loop() -> None:
        key_value_store.set("seen", 1)

    def call() -> None:
        if is_on_loop:
            asyncio.run(on_loop())
        key_value_store.set("seen", 1)

    with pytest.raises(StoreError, match="cannot be kept now"):
        call()

    store.has_room.set()
    assert writer.stop(PATIENCE)
    assert values(store.snapshot().entries) == ["1"]


@pytest.mark.slow
def test_what_many_threads_set_at_once_is_kept_and_committed_in_one_order(tmp_path: Path) -> None:
    place = tmp_path / "state.db"
    store, journal = SqliteStore(place), Journal()
    store.open()
    writer = Writer(store, VirtualClock(at("16 12:00")), journal=journal)
    key_value_store = make_pocket(writer)
    writer.start(lambda _: None)

    def count(thread: int) -> None:
        for number in range(50):
            key_value_store.set("seen", (thread, number))

    threads = [threading.Thread(target=count, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.stop(PATIENCE)

    assert [number_of(batch.entries) for batch in journal.kept] == list(range(1, 401))
    (value,) = values(store.open().entries)
    assert value == journal.kept[-1].entries[0].value == json.dumps(key_value_store.get("seen"))
    store.close()


def test_numbers_go_on_where_the_last_program_ended(tmp_path: Path) -> None:
    place = tmp_path / "state.db"
    for value in range(3):
        store = SqliteStore(place)
        before = number_of(store.open().entries)
        journal = FileJournal(journal_path(place))
        writer = Writer(store, VirtualClock(at("16 12:00")), journal=journal, numbered=before)
        writer.start(lambda _: None)
        make_pocket(writer).set("seen", value)
        assert writer.stop(PATIENCE)
        assert before == value
        store.close()
