from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, Notice
from slack_alert.core.model.record import Record, Verdict
from slack_alert.engine.batches import Batch
from slack_alert.stores.memory import MemoryStore

T = datetime(2026, 11, 21, 9, 30, tzinfo=timezone.utc)
OPS = Address("console", "#ops")


def said(number: int) -> Batch:
    slot = T + timedelta(seconds=number)
    message = Message(str(number), OPS, Text("late"), Notice("test", str(number)))
    return Batch(records=[Record(number, "db.lag", slot, Verdict.SAID)], messages=[message], at=slot)


def test_it_is_read_while_another_thread_writes() -> None:
    """Connections that share a cache would refuse each other."""
    store = MemoryStore()
    store.open()

    with ThreadPoolExecutor(1) as writer:
        written = [writer.submit(store.commit, said(number)) for number in range(1, 100)]
        while not written[-1].done():
            assert len(list(store.history(job=None, since=None, limit=None))) <= 99
            assert len(store.waiting(None, 0, 1000)) <= 99

    assert [len(each.result()) for each in written] == [1] * 99
    assert len(store.waiting(None, 0, 1000)) == 99


def test_each_has_what_was_written_to_it_and_no_other() -> None:
    one, other = MemoryStore(), MemoryStore()
    one.open()
    other.open()

    one.commit(said(1))

    assert [len(store.waiting(None, 0, 10)) for store in (one, other)] == [1, 0]
