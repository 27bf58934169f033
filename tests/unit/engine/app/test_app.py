"""The periodic checks of the running program."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.render import Text, fallback
from slack_alert.core.errors import SetAside, StoreError
from slack_alert.core.model.message import Delivery, Message, Notice
from slack_alert.core.model.request import AskLine, CancelRun, MuteJob, PauseJob, Request
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.rules.rule import Rule
from slack_alert.core.schedule.absent import Absence
from slack_alert.core.structs import replace
from slack_alert.engine.app.app import App, AppConfig
from slack_alert.engine.app.components import Chat, Components, PluginFiles, Stores
from slack_alert.engine.app.liveness import EVERY, Liveness, down_since, last_alive, last_slots
from slack_alert.engine.batches import Batch, HistoryLimits
from slack_alert.engine.commands.commands import Commands
from slack_alert.engine.delivery.refusing import RefusingChannel
from slack_alert.engine.delivery.sender import Sender, SendRate
from slack_alert.engine.engine import Engine
from slack_alert.engine.monitoring.clock_watch import ClockSteps
from slack_alert.engine.ports import DoorState, Emit, Intake, Tick
from slack_alert.engine.recording.writer import Writer
from slack_alert.engine.simulation.doubles import VirtualClock
from slack_alert.stores import MemoryInbox
from slack_alert.stores.memory import MemoryStore
from slack_alert.testing import RecordingChannel
from tests.fakes.engine_rig import BERLIN, ERRORS, MARK, OPS, Held, at, make_job
from tests.fakes.project import signals_given_back

NOON = at("16 12:00")
HOUR = timedelta(hours=1)


class TwoClocks(VirtualClock):
    """A wall clock that can be set while monotonic time passes normally."""

    passed = 0.0
    #: So much time passes whenever somebody looks.
    step = timedelta()

    def now(self) -> datetime:
        self.set(super().now() + self.step)
        return super().now()

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)
        await asyncio.sleep(0)

    def pass_by(self, seconds: float) -> None:
        self.passed += seconds
        self.set(self.now() + timedelta(seconds=seconds))


class Source:
    """A source that emits slots on demand."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.is_running = False

    def start(self, emit: Emit) -> None:  # noqa: ARG002 - as the port has it
        self.is_running = True

    def stop(self) -> None:
        self.is_running = False


class CountedInbox(MemoryInbox):
    """An inbox that counts its writes, and that can be made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.removals: list[list[int]] = []
        self.fault: Exception | None = None

    def peek(self) -> list[Request]:
        if (fault := self.fault) is not None:
            # What was set aside is gone at the next look.
            self.fault = None if isinstance(fault, SetAside) else fault
            raise fault
        return super().peek()

    def remove(self, ids: Iterable[int]) -> None:
        self.removals.append(list(ids))
        super().remove(self.removals[-1])


class Rig:
    """An app whose periodic checks the test runs itself."""

    def __init__(self, job: Job | None = None) -> None:
        self.clock = TwoClocks(NOON)
        self.store = MemoryStore()
        self.inbox = CountedInbox()
        self.sources: list[Source] = []
        writer = Writer(self.store, self.clock)
        catalog, executor = Catalog((job or make_job(),)), Held()
        self.engine = Engine(catalog, recorder=writer, executor=executor, clock=self.clock, mark=MARK)
        sender = Sender(
            {}, recorder=writer, waiting=self.store.waiting, last_receipt=self.store.last_receipt, clock=self.clock,
            rates={"slack": SendRate(0, 1)}, give_up=HOUR, zone=BERLIN, undeliverable=lambda *_: None,
        )  # fmt: skip
        self.parts = Components(
            stores=Stores(self.store, self.inbox, lambda: self.store), plugins=PluginFiles(catalog), reader=self.store,
            snapshot=self.store.open(),
            channels={}, clock=self.clock, writer=writer, executor=executor, engine=self.engine, sender=sender,
            make_source=self._make_source, accept_mute=lambda _: None,
        )  # fmt: skip
        self.manners = AppConfig(OPS, ERRORS, BERLIN, timedelta(seconds=1), HistoryLimits())
        self.app = App(self.parts, self.manners)

    def _make_source(self, now: datetime) -> Source:
        self.sources.append(Source(now))
        return self.sources[-1]

    async def begin(self) -> None:
        self.app._start()

    async def turn(self, seconds: float = 0.5) -> None:
        """Advance the time and run the checks, after all submitted batches are written."""
        await self.written()
        self.clock.pass_by(seconds)
        self.app._check()

    async def written(self) -> None:
        done, loop = asyncio.Event(), asyncio.get_running_loop()
        self.parts.writer.submit(Batch(), lambda: loop.call_soon_threadsafe(done.set))
        await done.wait()

    async def end(self) -> None:
        await self.app._drain()


def test_clock_that_is_set_back_makes_the_source_anew(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()

    async def main() -> None:
        await rig.begin()
        rig.engine.handle(Tick([(("db.lag",), (NOON,))]))
        await rig.turn()
        rig.clock.set(NOON - HOUR)
        await rig.turn()
        await rig.turn()
        await rig.end()

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    [job_state] = rig.engine.jobs()

    assert [source.now for source in rig.sources] == [NOON, NOON - HOUR + timedelta(seconds=0.5)]
    assert [source.is_running for source in rig.sources] == [False, True]
    assert job_state.last == NOON - HOUR + timedelta(seconds=0.5)
    assert [record.__dict__["seconds"] for record in caplog.records if record.message == "the clock was set back"] == [
        3600.5
    ]


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (25, ["Standing still from Mon 16 Nov 12:00 to Mon 16 Nov 12:25: 1 run missed: db.lag (1)."]),
        (15, []),
    ],
)
def test_runs_missed_while_the_clock_stood_still_are_told_in_one_message(minutes: int, told: list[str]) -> None:
    rig = Rig()

    async def main() -> None:
        await rig.begin()
        rig.clock.pass_by(minutes * 60)
        slots = [at("16 12:10"), at("16 12:20")][: minutes // 10]
        rig.app._due([(("db.lag",), slots)])
        await rig.written()
        await rig.end()

    asyncio.run(main())

    assert [fallback(delivery.message.piece) for delivery in rig.store.deliveries()] == told


@pytest.mark.parametrize(
    ("slots", "told"),
    [
        (
            ["16 13:00", "16 14:00", "16 15:00"],
            (
                "Standing still from Mon 16 Nov 12:00 to Mon 16 Nov 15:30: 2 runs missed: backup.none (2). "
                "Absences that are looked into now, late: backup.none."
            ),
        ),
        (
            ["16 13:00"],
            (
                "Standing still from Mon 16 Nov 12:00 to Mon 16 Nov 15:30: no run missed. "
                "Absences that are looked into now, late: backup.none."
            ),
        ),
    ],
)
def test_deadlines_that_passed_while_the_clock_stood_still_are_told(slots: list[str], told: str) -> None:
    job = make_job("backup.none")
    rig = Rig(replace(job, trigger=Absence(HOUR, HOUR, job.policy.hours), rule=Rule(("backup.*",), {})))

    async def main() -> None:
        await rig.begin()
        rig.clock.pass_by(210 * 60)
        rig.app._due([(("backup.none",), [at(slot) for slot in slots])])
        await rig.written()
        await rig.end()

    asyncio.run(main())

    assert [fallback(delivery.message.piece) for delivery in rig.store.deliveries()] == [told]


@pytest.mark.parametrize(("step", "back"), [(-1, None), (-3600, 3600), (3600, None)])
def test_only_a_step_back_is_noticed(step: float, back: float | None) -> None:
    clock = TwoClocks(NOON)
    steps = ClockSteps(clock)
    clock.pass_by(0.5)
    clock.set(clock.now() + timedelta(seconds=step))

    assert steps.back() == (None if back is None else timedelta(seconds=back))
    assert steps.back() is None


def test_requests_carried_out_leave_the_inbox_together() -> None:
    rig = Rig()

    async def main() -> None:
        await rig.begin()
        for _ in range(50):
            rig.inbox.add(Request("pause", {"job": "db.lag"}, NOON))
        await rig.turn()
        await rig.turn()
        await rig.end()

    asyncio.run(main())

    assert [ids for ids in rig.inbox.removals if ids] == [list(range(1, 51))]
    assert rig.inbox.peek() == []


def test_request_nobody_can_use_stops_neither_a_start_nor_those_behind_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig()

    def refuse(*_: object) -> None:
        raise RuntimeError("on purpose")

    async def main() -> None:
        rig.inbox.add(
            Request("mute", {"job": "db.lag", "until": "9999-12-31T23:59:00+00:00", "by": "ann"}, NOON),
            Request("emit", {"name": "disk.full", "fields": {}}, NOON),
            Request("pause", {"job": "db.lag", "until": None, "by": "ann"}, NOON),
        )
        monkeypatch.setattr(rig.engine.absences, "reset", refuse)
        await rig.begin()
        await rig.turn()
        await rig.turn()
        await rig.end()

    asyncio.run(main())

    assert list(rig.store.snapshot().holds) == ["db.lag"]
    assert rig.inbox.peek() == []
    assert [record.message for record in caplog.records if "request" in record.message] == [
        "request refused", "request left out",
    ]  # fmt: skip


def test_what_was_muted_together_begins_together() -> None:
    """Else there would be a digest for every job."""
    rig = Rig()

    async def main() -> None:
        await rig.begin()
        rig.inbox.add(*(Request.of(MuteJob(job, NOON + HOUR, "ann"), NOON) for job in ("db.lag", "db.size")))
        rig.clock.step = timedelta(milliseconds=1)
        await rig.turn()
        await rig.end()

    asyncio.run(main())
    begins = {entry.key.rpartition("/")[2] for entry in rig.store.snapshot().entries}

    assert len(begins) == 1


def test_part_of_a_turn_that_fails_stops_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.inbox.add(Request("pause", {"job": "db.lag"}, NOON))

    async def main() -> None:
        await rig.begin()
        rig.inbox.fault = RuntimeError("on purpose")
        rig.engine.handle(Tick([(("db.lag",), (NOON,))]))
        await rig.turn(1)
        await rig.written()
        assert len(rig.store.snapshot().running) == 1
        rig.inbox.fault = None
        await rig.turn()
        await rig.end()

    asyncio.run(main())

    assert [record.message for record in caplog.records if record.exc_info] == ["a turn failed"]
    assert rig.inbox.peek() == []


def test_clock_that_ticks_is_not_well_while_an_address_takes_nothing() -> None:
    """So the heartbeat stops."""
    rig = Rig()
    pulse, sender = Liveness(rig.parts), rig.parts.sender
    lane = sender._lane(OPS)
    lane.add(Delivery(1, Message("m", OPS, Text("hi")), NOON))
    lane.stall.record_failure(SendResult(SendStatus.RETRY, reason="ConnectionRefusedError"), rig.clock.monotonic())
    pulse.tick(rig.clock.now())
    assert pulse.is_well(rig.clock.now())

    rig.clock.pass_by(60)
    pulse.tick(rig.clock.now())

    assert not pulse.is_well(rig.clock.now())
    assert sender.stalls == ["slack:#ops: nothing accepted for 1m: ConnectionRefusedError"]


def test_end_in_order_says_when_the_clock_ticked_last() -> None:
    rig = Rig()

    async def main() -> None:
        await rig.begin()
        await rig.written()
        await rig.written()  # The sign of life comes after all that came due before it.
        assert down_since(rig.store.snapshot()) == NOON - EVERY
        rig.clock.pass_by(30)
        await rig.end()

    asyncio.run(main())

    assert down_since(rig.store.snapshot()) == NOON


def test_drain_is_part_of_the_downtime() -> None:
    """Its slots are missed, and lie in the reported downtime."""
    rig = Rig()

    async def main() -> None:
        await rig.begin()
        rig.engine.handle(Tick([(("db.lag",), (NOON,))]))
        rig.clock.pass_by(3)
        await rig.end()

    asyncio.run(main())
    snapshot = rig.store.snapshot()

    assert last_slots(snapshot) == NOON + timedelta(seconds=3)
    assert last_alive(snapshot) == rig.clock.now() > NOON + timedelta(seconds=3)


class Unopened(RefusingChannel):
    """A channel whose vendor library cannot be imported at first."""

    async def open(self) -> None:
        raise OSError(24, "Too many open files")


def test_a_channel_that_cannot_be_opened_yet_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    unopened = Unopened("slack", SendResult(SendStatus.CREDENTIALS))
    app = App(replace(rig.parts, channels={"slack": unopened}), rig.manners)

    with signals_given_back():
        code = asyncio.run(app.run(app.stop))

    assert code == 0
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["channel not opened yet"]


class SlowDoor:
    """A door that still has to take something, and that needs for it what the program is made of."""

    name = "slow"

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.has_taken = self.is_closed = False

    def state(self) -> DoorState:
        return DoorState(is_open=True, since=NOON)

    async def run(self, intake: Intake) -> None:  # noqa: ARG002 - as the port has it
        try:
            await asyncio.Event().wait()
        finally:
            await self._rig.written()  # Before the writer stops, or it would wait for ever.
            self.has_taken = True

    async def close(self) -> None:
        assert self.has_taken
        self.is_closed = True


def test_what_a_door_has_in_its_hands_at_the_end_is_still_committed() -> None:
    rig = Rig()
    door = SlowDoor(rig)
    commands = cast(
        "Commands",
        SimpleNamespace(
            restore=lambda _: None, refresh=lambda: None, stop=lambda: None, running=[], interrupt=lambda: 0
        ),
    )
    chat = Chat(commands, cast("Intake", None), (door,), close=door.close)
    app = App(replace(rig.parts, make_chat=lambda: chat, has_doors=True), rig.manners)

    async def main() -> int:
        asyncio.get_running_loop().call_later(0.05, app.stop)
        return await app.run()

    with signals_given_back():
        assert asyncio.run(main()) == 0
    assert (door.has_taken, door.is_closed) == (True, True)


class DoorOfOneLine:
    """A door of somebody who asks once, and can be answered as long as it is open."""

    name = "terminal"

    def __init__(self, ask: Callable[[], object], ended: Callable[[], Coroutine[object, object, None]]) -> None:
        self._ask = ask
        self._ended = ended
        self.is_open = True

    def state(self) -> DoorState:
        return DoorState(is_open=self.is_open, since=NOON)

    async def run(self, intake: Intake) -> None:  # noqa: ARG002 - as the port has it
        try:
            self._ask()
            await self._ended()
        finally:
            self.is_open = False


class ChannelBehindADoor(RecordingChannel):
    """A channel that takes a while for a message."""

    def __init__(self, is_open: Callable[[], bool]) -> None:
        super().__init__()
        self._is_open = is_open
        self.taken: list[bool] = []

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        await asyncio.sleep(0.01)
        self.taken.append(self._is_open())
        return await super().send(delivery, text)


def test_a_terminal_stays_until_its_last_answer_is_shown_however_long_that_takes() -> None:
    rig = Rig()
    door = DoorOfOneLine(
        lambda: rig.engine.notify(Notice("answer", "1"), "done", OPS),
        lambda: app.end_answered(),  # noqa: PLW0108 - it is made below
    )
    channel = ChannelBehindADoor(lambda: door.is_open)
    sender = Sender(
        {"slack": channel}, recorder=rig.parts.writer, waiting=rig.store.waiting, last_receipt=rig.store.last_receipt,
        clock=rig.clock, rates={"slack": SendRate(0, 1)}, give_up=HOUR, zone=BERLIN, undeliverable=lambda *_: None,
    )  # fmt: skip
    commands = cast(
        "Commands",
        SimpleNamespace(
            restore=lambda _: None,
            refresh=lambda: None,
            stop=lambda: None,
            running=[],
            interrupt=lambda: 0,
            is_busy=False,
        ),
    )
    chat = Chat(commands, cast("Intake", None), (door,))
    parts = replace(rig.parts, sender=sender, channels={"slack": channel}, make_chat=lambda: chat, has_doors=True)
    app = App(parts, rig.manners)

    with signals_given_back():
        assert asyncio.run(app.run()) == 0
    assert (channel.taken, channel.texts) == ([True], ["done"])


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        ([None, None], []),
        (["Asia/Tokyo", None, None], ["WARNING the machine's time zone was changed"]),
        (
            ["Asia/Tokyo", None, "Europe/Berlin"],
            ["WARNING the machine's time zone was changed", "INFO the machine's time zone is that of the start again"],
        ),
    ],
)
def test_another_zone_of_the_machine_is_told_once(
    zones: list[str | None], told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig()
    found = iter([zone and ZoneInfo(zone) for zone in zones])
    rig.app._components = replace(rig.parts, changed_zone=lambda: next(found, None))

    async def main() -> None:
        await rig.begin()
        for _ in range(4 * len(zones)):  # Not at each turn is it looked at.
            await rig.turn()
        await rig.end()

    with caplog.at_level(logging.INFO):
        asyncio.run(main())

    said = [f"{one.levelname} {one.message.partition(';')[0]}" for one in caplog.records if "zone" in one.message]
    assert said == told


@pytest.mark.parametrize("fault", [StoreError("inbox: Permission denied"), SetAside("The inbox is kept as x.")])
def test_inbox_that_cannot_be_read_keeps_nobody_from_starting_and_is_told_once(
    fault: StoreError, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig()
    rig.inbox.fault = fault

    async def main() -> None:
        await rig.begin()
        for _ in range(3):
            await rig.turn()
        rig.inbox.fault = None
        rig.inbox.add(Request.of(PauseJob("db.lag", None, "ann"), NOON))
        await rig.turn()
        await rig.written()
        await rig.end()

    asyncio.run(main())

    [job_state] = rig.engine.jobs()
    told = [fallback(delivery.message.piece) for delivery in rig.store.deliveries()]
    assert job_state.hold is not None
    assert told == (["The inbox is kept as x."] if isinstance(fault, SetAside) else [])
    said = "the inbox was damaged" if isinstance(fault, SetAside) else "inbox not readable"
    assert [one.message for one in caplog.records if "inbox" in one.message] == [said]


def test_what_anybody_could_have_asked_for_in_another_name_is_turned_away(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    made: list[object] = []
    stores = replace(rig.parts.stores, exposure=lambda: "everybody may write it.")
    app = App(
        replace(rig.parts, stores=stores, make_chat=cast("Callable[[], Chat]", lambda: made.append(1))), rig.manners
    )
    rig.inbox.add(Request.of(AskLine("deploy", "root", "1-a"), NOON), Request.of(CancelRun(1, "root"), NOON))
    rig.inbox.add(Request.of(PauseJob("db.lag", NOON + HOUR, "ann"), NOON))

    async def main() -> None:
        app._start()
        await rig.written()
        app._inbox_poller.poll()
        await app._drain()

    asyncio.run(main())

    assert made == []
    assert rig.inbox.peek() == []
    assert [fallback(one.message.piece) for one in rig.store.deliveries()] == ["not run: everybody may write it."]
    assert [one.message.to.conversation for one in rig.store.deliveries()] == ["1-a"]
    kinds = [vars(record)["kind"] for record in caplog.records if record.message == "nobody is known by the inbox"]
    assert kinds == ["line", "cancel"]
