from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from slack_alert.core.content.render import Text, Upload
from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery, DeliveryProgress, Message, RunPart, Status
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.quota import Pause, State
from slack_alert.engine.batches import Batch, HistoryLimits, Snapshot, StartedRun, StoredValue
from slack_alert.engine.ports import Clock
from slack_alert.engine.recording.writer import DirectRecorder, Writer, join
from slack_alert.engine.simulation.doubles import VirtualClock
from slack_alert.stores import SqliteStore
from slack_alert.stores.memory import MemoryStore
from tests.fakes.engine_rig import OPS, at

#: Long enough for any machine; nothing here waits so long unless something is broken.
PATIENCE = 20.0
NOTE = Record(1, "db.lag", at("16 09:10"), Verdict.QUIET)


class Disk:
    """A store that records its batches and fails as often as configured."""

    def __init__(self, failures: int = 0) -> None:
        self.memory = MemoryStore()
        self.batches: list[Batch] = []
        self.attempts = 0
        self.pruned: list[HistoryLimits] = []
        self.failures = failures
        self.prune_fails = False
        self.committed = threading.Event()

    def open(self) -> Snapshot:
        return self.memory.open()

    def commit(self, batch: Batch) -> list[Delivery]:
        self.attempts += 1
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        deliveries = self.memory.commit(batch)
        self.batches.append(batch)
        self.committed.set()
        return deliveries

    def prune(self, now: datetime, limits: HistoryLimits) -> None:  # noqa: ARG002
        if self.prune_fails:
            raise StoreError("the disk is full")
        self.pruned.append(limits)

    def close(self) -> None:
        pass


def make_writer(disk: Disk) -> Writer:
    return Writer(disk, VirtualClock(at("16 12:00")), retry=0.0)


@contextmanager
def writing(disk: Disk) -> Iterator[tuple[Writer, list[Delivery]]]:
    """Run a writer until the block ends and all is written."""
    writer = make_writer(disk)
    accepted: list[Delivery] = []
    writer.start(accepted.extend)
    yield writer, accepted
    assert writer.stop(PATIENCE)


def message(key: str) -> Message:
    return Message(key, OPS, Text(key))


def quiet(slot: str, verdict: Verdict = Verdict.QUIET) -> Record:
    return Record(1, "db.lag", at(slot), verdict)


def slots(disk: Disk) -> list[datetime]:
    return [record.slot for batch in disk.batches for record in batch.records]


def test_everything_that_waits_is_one_transaction_in_its_order() -> None:
    disk = Disk()
    writer = make_writer(disk)
    done: list[str] = []
    accepted: list[Delivery] = []
    for key in "abc":
        writer.submit(Batch(messages=[message(key)]), partial(done.append, key))
    writer.start(accepted.extend)

    assert writer.stop(PATIENCE)
    assert len(disk.batches) == 1
    assert [delivery.message.key for delivery in accepted] == ["a", "b", "c"]
    assert done == ["a", "b", "c"]


def test_a_call_without_anything_to_write_is_made_in_its_turn_and_costs_no_commit() -> None:
    disk = Disk()
    made: list[int] = []

    with writing(disk) as (writer, _):
        writer.submit(Batch(messages=[message("a")]), lambda: made.append(len(disk.batches)))
        assert disk.committed.wait(PATIENCE)
        writer.submit(Batch(), lambda: made.append(len(disk.batches)))

    assert made == [1, 1]
    assert len(disk.batches) == 1


class Page:
    """A journal that only records its calls."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def append(self, said: Batch | Returned) -> bool:
        assert isinstance(said, Batch)
        self.asked.append([message.key for message in said.messages])
        return "unkept" not in self.asked[-1]  # type: ignore[operator]

    def release(self, count: int) -> None:
        self.asked.append(count)

    def close(self) -> None:
        self.asked.append("closed")


def test_what_is_said_is_kept_at_once_and_forgotten_when_it_is_committed() -> None:
    page = Page()
    writer = Writer(Disk(), VirtualClock(at("16 12:00")), journal=page)
    for key in ("a", "unkept", "b"):
        writer.submit(Batch(messages=[message(key)]))
    assert page.asked == [["a"], ["unkept"], ["b"]]

    writer.start(lambda _: None)
    assert writer.stop(PATIENCE)
    assert page.asked[3:] == [2, "closed"]


def test_what_is_kept_already_is_forgotten_with_its_commit() -> None:
    page = Page()
    writer = Writer(Disk(), VirtualClock(at("16 12:00")), journal=page)
    writer.submit(Batch(messages=[message("a")], is_kept=True))
    writer.submit(Batch(states={"a": State()}, is_kept=True))
    writer.start(lambda _: None)

    assert writer.stop(PATIENCE)
    assert page.asked == [2, "closed"]


def test_only_what_nobody_would_say_again_is_kept() -> None:
    """A request that was not committed is applied again, so its messages must not come twice."""
    page = Page()
    writer = Writer(Disk(), VirtualClock(at("16 12:00")), journal=page)
    writer.submit(Batch(messages=[message("an answer")], taken=7))
    writer.submit(Batch(records=[quiet("16 12:00")]))
    writer.submit(Batch(progress=[DeliveryProgress(1, Status.SENT, 1, at("16 12:00"))]))

    assert page.asked == []


def test_nothing_is_kept_while_the_disk_takes_nothing() -> None:
    page = Page()
    writer = Writer(Disk(), VirtualClock(at("16 12:00")), journal=page)
    writer.trouble = "the disk is full"
    writer.submit(Batch(messages=[message("a")]))

    assert page.asked == []


def test_what_can_never_be_written_is_not_kept_for_ever() -> None:
    page = Page()
    writer = Writer(Disk(), VirtualClock(at("16 12:00")), journal=page)
    for each in (message("a"), Message("b", OPS, Upload("lag.png", Path("lag.png"))), message("c")):
        writer.submit(Batch(messages=[each]))
    writer.start(lambda _: None)

    assert writer.stop(PATIENCE)
    assert page.asked[3:] == [1, 1, 1, "closed"]


def test_marks_go_before_what_waits() -> None:
    """A lane with so many uncommitted messages sends nothing until they are committed, however much waits."""
    disk = Disk()
    writer = make_writer(disk)
    for number in range(600):
        writer.submit(Batch(messages=[message(str(number))]))
    marks = [DeliveryProgress(number, Status.SENT, 1, at("16 12:00")) for number in (1, 2)]
    done: list[int] = []
    for mark in marks:
        writer.submit(Batch(progress=[mark]), partial(done.append, len(disk.batches)))
    writer.start(lambda _: None)

    assert writer.stop(PATIENCE)
    assert disk.batches[0].progress == marks
    assert len(disk.batches) > 1
    assert len(done) == 2


def test_group_has_a_greatest_size() -> None:
    disk = Disk()
    writer = make_writer(disk)
    for number in range(600):
        writer.submit(Batch(messages=[message(str(number))]))
    writer.start(lambda _: None)

    assert writer.stop(PATIENCE)
    assert [len(batch.messages) for batch in disk.batches] == [256, 256, 88]


def test_batch_is_dated_with_the_instant_it_is_written() -> None:
    disk = Disk()
    with writing(disk) as (writer, _):
        writer.submit(Batch(messages=[message("a")], at=at("16 11:00")))

    assert [at("16 12:00")] == [batch.at for batch in disk.batches]


def test_quiet_line_is_written_without_being_asked_for() -> None:
    disk = Disk()
    with writing(disk) as (writer, _):
        writer.record_quiet(quiet("16 09:10"))

        assert disk.committed.wait(PATIENCE)
    assert slots(disk) == [at("16 09:10")]


def test_quiet_lines_wait_for_company() -> None:
    disk = Disk()
    with writing(disk) as (writer, _):
        writer.submit(Batch(pulse="{}"))
        assert disk.committed.wait(PATIENCE)
        writer.record_quiet(quiet("16 09:10"))
        writer.record_quiet(quiet("16 09:20"))

    assert [len(batch.records) for batch in disk.batches] == [0, 2]


def test_quiet_line_is_written_before_what_was_said_after_it() -> None:
    disk = Disk()
    writer = make_writer(disk)
    writer.record_quiet(quiet("16 09:10"))
    writer.submit(Batch(records=[quiet("16 09:20", Verdict.SAID)]))
    writer.start(lambda _: None)

    assert writer.stop(PATIENCE)
    assert slots(disk) == [at("16 09:10"), at("16 09:20")]


def test_quiet_line_is_written_after_rows_of_slots_before_it() -> None:
    """Else a row of former slots, which the next one makes longer, would reach over it."""
    disk = Disk()
    writer = make_writer(disk)
    writer.submit(Batch(records=[quiet("16 09:00", Verdict.PAUSED), quiet("16 09:05", Verdict.SAID)]))
    writer.record_quiet(quiet("16 09:10", Verdict.PAUSED))
    writer.start(lambda _: None)

    assert writer.stop(PATIENCE)
    assert slots(disk) == [at("16 09:00"), at("16 09:05"), at("16 09:10")]


def test_stopping_writes_what_was_noted_last() -> None:
    disk = Disk()
    with writing(disk) as (writer, _):
        for minute in range(10, 60):
            writer.record_quiet(quiet(f"16 09:{minute}"))

    assert slots(disk) == [at(f"16 09:{minute}") for minute in range(10, 60)]


@pytest.fixture
def backlog(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make a writer count as behind sooner than in production."""
    monkeypatch.setattr("slack_alert.engine.recording.writer.BACKLOG", 100)
    return 100


def test_backlog_is_over_when_it_is_written(backlog: int) -> None:
    disk = Disk()
    writer = make_writer(disk)
    for _ in range(backlog):
        writer.record_quiet(NOTE)
    assert not writer.is_behind()
    writer.record_quiet(NOTE)
    assert writer.is_behind()

    writer.start(lambda _: None)
    assert writer.stop(PATIENCE)
    assert not writer.is_behind()
    assert sum(len(batch.records) for batch in disk.batches) == backlog + 1


def test_lines_that_are_being_written_count_as_waiting(backlog: int) -> None:
    begun, done = threading.Event(), threading.Event()

    class Slow(Disk):
        def commit(self, batch: Batch) -> list[Delivery]:
            begun.set()
            assert done.wait(PATIENCE)
            return super().commit(batch)

    writer = make_writer(Slow())
    for _ in range(backlog + 1):
        writer.record_quiet(NOTE)
    writer.start(lambda _: None)
    assert begun.wait(PATIENCE)
    assert writer.is_behind()
    done.set()
    assert writer.stop(PATIENCE)


def test_runs_that_wait_to_begin_count_as_lines_for_a_moment(backlog: int) -> None:
    """For no longer, because their queue may stand still, and others are due."""
    clock = VirtualClock(at("16 12:00"))
    writer, waiting = Writer(Disk(), clock), [backlog]
    writer.expect(lambda: waiting[0])
    assert not writer.is_behind()

    writer.record_quiet(NOTE)
    assert writer.is_behind()
    waiting[0] -= 1
    assert not writer.is_behind()
    waiting[0] += 10 * backlog
    assert writer.is_behind()
    clock.set(at("16 12:00:02"))
    assert not writer.is_behind()


def test_lines_that_are_many_wait_for_no_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slack_alert.engine.recording.writer._MANY_QUIET", 9)
    monkeypatch.setattr("slack_alert.engine.recording.writer.QUIET_LATENCY", timedelta(seconds=2 * PATIENCE))
    begun, done, written = threading.Event(), threading.Event(), threading.Event()

    class Slow(Disk):
        def commit(self, batch: Batch) -> list[Delivery]:
            begun.set()
            assert done.wait(PATIENCE)
            if len(batch.records) > 1:
                written.set()
            return super().commit(batch)

    writer = make_writer(Slow())
    writer.record_quiet(NOTE)
    writer.start(lambda _: None)
    assert begun.wait(PATIENCE)
    for _ in range(10):
        writer.record_quiet(NOTE)
    done.set()

    assert written.wait(PATIENCE)
    assert writer.stop(PATIENCE)


def test_lines_noted_on_many_threads_all_arrive() -> None:
    disk = Disk()
    with writing(disk) as (writer, _):

        def note() -> None:
            for _ in range(200):
                writer.record_quiet(quiet("16 09:10"))

        threads = [threading.Thread(target=note) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(slots(disk)) == 1600


def test_commit_is_tried_until_it_works_and_nothing_follows_before() -> None:
    disk = Disk(failures=3)
    troubles: list[str | None] = []
    with writing(disk) as (writer, accepted):
        writer.submit(Batch(messages=[message("a")]), lambda: troubles.append(writer.trouble))

    assert disk.attempts == 4
    assert len(disk.batches) == 1
    assert [delivery.message.key for delivery in accepted] == ["a"]
    assert troubles == [None]


def test_trouble_is_shown_while_it_lasts() -> None:
    disk = Disk(failures=1)
    seen: list[str | None] = []

    def look(call: Callable[..., Any], *given: object) -> object:
        seen.append(writer.trouble)
        return call(*given)

    writer = Writer(disk, VirtualClock(at("16 12:00")), retry=0.0, blocking=look)
    writer.submit(Batch(pulse="{}"))
    writer.start(lambda _: None)

    assert writer.stop(PATIENCE)
    assert seen == [None, "the disk is full"]
    assert writer.trouble is None


def test_stop_tells_when_not_all_was_written_in_time() -> None:
    gate = threading.Event()
    disk = Disk()
    writer = Writer(disk, VirtualClock(at("16 12:00")), blocking=lambda call, *given: (gate.wait(), call(*given))[1])
    writer.submit(Batch(pulse="{}"))
    writer.start(lambda _: None)

    assert not writer.stop(0.0)
    gate.set()
    assert writer.stop(PATIENCE)


def test_failing_follow_up_does_not_end_the_writer() -> None:
    def fail() -> None:
        raise StoreError("the inbox is locked")

    disk = Disk()
    done: list[str] = []
    with writing(disk) as (writer, accepted):
        writer.submit(Batch(messages=[message("a")]), fail)
        writer.submit(Batch(messages=[message("b")]), lambda: done.append("b"))

    assert done == ["b"]
    assert [delivery.message.key for delivery in accepted] == ["a", "b"]


def test_what_cannot_be_written_at_all_is_left_out_alone_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """A file piece without its content is a bug of the program; everything else must still be written."""
    disk = Disk()
    writer = make_writer(disk)
    done: list[str] = []
    accepted: list[Delivery] = []
    unread = Message("b", OPS, Upload("lag.png", Path("lag.png")))
    for each in (message("a"), unread, message("c")):
        writer.submit(Batch(messages=[each]), partial(done.append, each.key))
    writer.record_quiet(quiet("16 09:10"))
    writer.start(accepted.extend)

    assert writer.stop(PATIENCE)
    assert [delivery.message.key for delivery in accepted] == ["a", "c"]
    assert done == ["a", "b", "c"]
    assert slots(disk)[-1:] == [at("16 09:10")]
    assert [record.message for record in caplog.records] == ["left out what cannot be written"]


@pytest.mark.parametrize("fails", [False, True])
def test_history_is_cut_after_the_commit_and_failing_at_that_is_no_trouble(fails: bool) -> None:
    disk = Disk()
    disk.prune_fails = fails
    with writing(disk) as (writer, _):
        writer.submit(Batch(limits=HistoryLimits(days=7)))
        writer.submit(Batch(messages=[message("a")]))

    assert disk.pruned == ([] if fails else [HistoryLimits(days=7)])
    assert len(list(disk.memory.deliveries())) == 1


def test_nothing_to_write_is_not_written() -> None:
    disk = Disk()
    with writing(disk):
        pass

    assert disk.batches == []


def test_later_word_counts_where_batches_are_joined() -> None:
    started = StartedRun(7, "db.lag", at("16 09:10"), at("16 09:10"))
    into = Batch(at=at("16 12:00"))
    join(into, Batch(states={"a": State()}, holds={"a": Pause()}, running=(started,), pulse="1", taken=9))
    join(into, Batch(holds={"a": None}, running=(), taken=4, limits=HistoryLimits(1)))
    join(into, Batch(entries=[StoredValue("p", "k", "1")], dropped=[1], retried=[2], limits=HistoryLimits(2)))

    assert into == Batch(
        states={"a": State()},
        holds={"a": None},
        running=(),
        pulse="1",
        taken=9,
        entries=[StoredValue("p", "k", "1")],
        dropped=[1],
        retried=[2],
        limits=HistoryLimits(1),
        at=at("16 12:00"),
    )


def test_direct_books_write_at_once() -> None:
    store = MemoryStore()
    accepted: list[Delivery] = []
    order: list[str] = []
    recorder = DirectRecorder(store, VirtualClock(at("16 12:00")), accepted.extend)
    recorder.submit(Batch(messages=[message("a")]), lambda: order.append("committed"))
    recorder.record_quiet(quiet("16 09:10"))

    assert order == ["committed"]
    assert [delivery.created for delivery in accepted] == [at("16 12:00")]
    assert [line.record for line in store.history(job=None, since=None, limit=None)] == [quiet("16 09:10")]


def test_quiet_line_that_cannot_be_written_is_left_out_alone(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    writer = make_writer(disk)
    writer.submit(Batch(messages=[message("a")]))
    for minute in range(10, 20):
        writer.record_quiet(quiet(f"16 09:{minute}"))
    writer.record_quiet(Record(2, "db.lag", at("16 09:15").replace(tzinfo=None), Verdict.QUIET))
    writer.record_quiet(quiet("16 09:20"))
    writer.start(lambda _: None)

    assert writer.stop(PATIENCE)
    assert slots(disk) == [at(f"16 09:{minute}") for minute in range(10, 21)]
    assert [record.message for record in caplog.records] == ["left out what cannot be written"]


def gone(*_: object) -> None:
    raise RuntimeError("Event loop is closed")


def broken(*_: object) -> None:
    raise KeyError("db.lag")


@pytest.mark.parametrize("fails", [gone, broken])
def test_nobody_there_to_be_told_does_not_end_the_writer(fails: Callable[..., None]) -> None:
    disk = Disk()
    writer = make_writer(disk)
    for key in "ab":
        writer.submit(Batch(messages=[message(key)], limits=HistoryLimits(days=7)), fails)
    writer.start(fails)
    assert disk.committed.wait(PATIENCE)
    writer.submit(Batch(messages=[message("c")]), fails)

    assert writer.stop(PATIENCE)
    assert [each.message.key for each in disk.memory.deliveries()] == ["a", "b", "c"]
    assert disk.pruned == [HistoryLimits(days=7)]


def test_pruning_that_breaks_does_not_end_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk()
    monkeypatch.setattr(disk, "prune", broken)
    with writing(disk) as (writer, _):
        writer.submit(Batch(limits=HistoryLimits(days=7)))
        assert disk.committed.wait(PATIENCE)
        writer.submit(Batch(messages=[message("a")]))

    assert len(list(disk.memory.deliveries())) == 1


def test_message_that_sqlite_refuses_is_left_out_and_the_rest_written(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.open()
    writer = Writer(store, VirtualClock(at("16 12:00")))
    accepted: list[Delivery] = []
    for key, run in (("a", 1), ("b", 2**70), ("c", 3)):
        writer.submit(Batch(messages=[Message(key, OPS, Text(key), RunPart("a", None, run))]))
    writer.start(accepted.extend)

    assert writer.stop(PATIENCE)
    assert [delivery.message.key for delivery in accepted] == ["a", "c"]
    store.close()


def test_commit_that_takes_too_long_and_a_writer_that_is_gone_are_stuck() -> None:
    passed, entered, gate = [0.0], threading.Event(), threading.Event()

    def blocking(call: Callable[[Batch], list[Delivery]], batch: Batch) -> list[Delivery]:
        entered.set()
        gate.wait(10)
        return call(batch)

    clock = SimpleNamespace(now=lambda: at("16 12:00"), monotonic=lambda: passed[0])
    writer = Writer(Disk(), cast("Clock", clock), blocking=blocking)
    assert writer.is_stuck is False
    writer.start(lambda _: None)
    writer.submit(Batch(pulse="{}"))
    entered.wait(10)
    assert writer.is_stuck is False
    passed[0] = 21.0
    assert writer.is_stuck is True

    gate.set()
    assert writer.stop(10) is True
    assert writer.is_stuck is True
