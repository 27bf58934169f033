"""The outbox against a tiny reference: no loss, order within an address, sent and dead for good."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, DeliveryProgress, Message, Status
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Reader, Store
from slack_alert.stores import SqliteReader, SqliteStore
from slack_alert.stores.memory import MemoryStore

T = datetime(2026, 11, 21, 9, 30, tzinfo=timezone.utc)
ADDRESSES = [Address("slack", "#ops"), Address("slack", "#dev"), Address("console", "")]

keys = st.integers(0, 12).map(str)
messages = st.lists(st.tuples(keys, st.sampled_from(ADDRESSES)), min_size=1, max_size=4)
#: Which of the deliveries that were ever given; also one that is no more.
picks = st.integers(0, 1_000)
Line = tuple[str, str, Status, int]


class OutboxMachine(RuleBasedStateMachine):
    """Does to a store what sender and people do, and writes down in a dictionary what must come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.reader = self.make()
        self.store.open()
        self.expected: dict[int, Line] = {}
        self.given: list[int] = []

    def make(self) -> tuple[Store, Reader]:
        store = MemoryStore()
        return store, store

    @rule(said=messages)
    def enqueue(self, said: list[tuple[str, Address]]) -> None:
        taken = {line[0] for line in self.expected.values()}
        new: dict[str, Address] = {}
        for key, to in said:
            if key not in taken:
                new.setdefault(key, to)

        given = self.commit(Batch(messages=[Message(key, to, Text(key)) for key, to in said], at=T))

        assert [(delivery.message.key, delivery.message.to) for delivery in given] == list(new.items())
        for delivery in given:
            assert delivery.id > max(self.given, default=0)
            self.given.append(delivery.id)
            self.expected[delivery.id] = (delivery.message.key, str(delivery.message.to), Status.QUEUED, 0)

    @precondition(lambda self: self.given)
    @rule(pick=picks, status=st.sampled_from(Status), attempts=st.integers(1, 9))
    def mark(self, pick: int, status: Status, attempts: int) -> None:
        number = self.pick(pick)
        self.commit(Batch(progress=[DeliveryProgress(number, status, attempts, T)]))

        key, to, before, _ = self.expected.get(number, ("", "", Status.DEAD, 0))
        if before is Status.QUEUED:
            self.expected[number] = (key, to, status, attempts)

    @precondition(lambda self: self.given)
    @rule(chosen=st.lists(picks, min_size=1, max_size=3))
    def retry(self, chosen: list[int]) -> None:
        ids = [self.pick(pick) for pick in chosen]
        given_up = (Status.DEAD, Status.COLLAPSED)
        dead = sorted({n for n in ids if n in self.expected and self.expected[n][2] in given_up})

        given = self.commit(Batch(retried=ids, at=T))

        assert [delivery.id for delivery in given] == dead
        for number in dead:
            key, to, _, _ = self.expected[number]
            self.expected[number] = (key, to, Status.QUEUED, 0)

    @precondition(lambda self: self.given)
    @rule(pick=picks)
    def drop(self, pick: int) -> None:
        number = self.pick(pick)
        self.commit(Batch(dropped=[number]))

        if number in self.expected and self.expected[number][2] is not Status.SENT:
            del self.expected[number]

    @precondition(lambda self: self.given)
    @rule(key=keys, chosen=st.lists(picks, min_size=1, max_size=3), to=st.sampled_from(ADDRESSES))
    def collapse(self, key: str, chosen: list[int], to: Address) -> None:
        """Count some in a message, which may wait already, or be gone."""
        name, ids = f"storm/{key}", [self.pick(pick) for pick in chosen]
        known = {line[0] for line in self.expected.values()}
        marks = [DeliveryProgress(number, Status.COLLAPSED, 0, T) for number in ids]

        given = self.commit(Batch(progress=marks, summaries=[Message(name, to, Text(name))], at=T))

        assert [delivery.message.key for delivery in given] == ([] if name in known else [name])
        for number in ids:
            if number in self.expected and self.expected[number][2] is Status.QUEUED:
                self.expected[number] = (*self.expected[number][:2], Status.COLLAPSED, 0)
        for delivery in given:
            self.given.append(delivery.id)
            self.expected[delivery.id] = (name, str(to), Status.QUEUED, 0)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.reader.close()
        self.store.open()

    @rule(said=messages)
    def fail(self, said: list[tuple[str, Address]]) -> None:
        """Refuse a batch as a whole: one instant in it has no zone."""
        batch = Batch(messages=[Message(key, to, Text(key)) for key, to in said], dropped=self.given[:], at=T)
        batch.progress = [
            DeliveryProgress(number, Status.SENT, 1, T.replace(tzinfo=None)) for number in (*self.given, 1)
        ]
        with pytest.raises(TypeError):
            self.store.commit(batch)

    @invariant()
    def everything_is_there(self) -> None:
        found = {
            one.id: (one.message.key, str(one.message.to), one.status, one.attempts) for one in self.reader.deliveries()
        }
        assert found == self.expected
        assert list(found) == sorted(found)

    @invariant()
    def what_waits_is_in_order(self) -> None:
        for address in [None, *map(str, ADDRESSES)]:
            waiting = [delivery.id for delivery in self.reader.waiting(address, 0, 1000)]
            expected = [
                number
                for number, (_, to, status, _) in sorted(self.expected.items())
                if status is Status.QUEUED and address in (None, to)
            ]
            assert waiting == expected

    def commit(self, batch: Batch) -> list[Delivery]:
        return self.store.commit(batch)

    def pick(self, pick: int) -> int:
        return self.given[pick % len(self.given)]

    def teardown(self) -> None:
        self.store.close()
        self.reader.close()


class SqliteOutboxMachine(OutboxMachine):
    """The same with a file."""

    def make(self) -> tuple[Store, Reader]:
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "state.db"
        return SqliteStore(path), SqliteReader(path)

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


_SETTINGS = settings(
    stateful_step_count=25,
    deadline=timedelta(seconds=5),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [pytest.param(OutboxMachine, marks=pytest.mark.thorough), SqliteOutboxMachine])
def test_no_message_is_lost_doubled_or_out_of_order(machine: type[OutboxMachine]) -> None:
    run_state_machine_as_test(machine, settings=_SETTINGS)
