"""One life of the program in this process, on a virtual clock and real files, of which a kill at any moment is tried.

What a `kill -9` leaves are the files as they are at that moment. So they are photographed before and after every write,
and each picture is a life that ended there; the next life begins with it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import cast

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.answers import AnswerOptions
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.decision import Decider
from slack_alert.core.commands.progress import EditBudget
from slack_alert.core.commands.rate import Rate
from slack_alert.core.content.render import Piece, Text, fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Identity, ReplyTo
from slack_alert.core.model.audit import AuditEntry, AuditHead
from slack_alert.core.model.message import Delivery
from slack_alert.core.model.record import Record
from slack_alert.core.model.run import Result, Returned, Run
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.schedule.triggers import parse_trigger
from slack_alert.engine.app.app import App, AppConfig
from slack_alert.engine.app.components import Chat, Components, PluginFiles, Stores
from slack_alert.engine.app.liveness import EVERY, PULSE_NAME
from slack_alert.engine.batches import Batch, HistoryLimits, Snapshot
from slack_alert.engine.commands.answers import Answers
from slack_alert.engine.commands.commands import Commands
from slack_alert.engine.commands.guard_rounds import GuardRounds
from slack_alert.engine.commands.intake import ChatIntake
from slack_alert.engine.commands.past_runs import PastRuns
from slack_alert.engine.context.context import ContextServices
from slack_alert.engine.context.key_value import key_value_stores
from slack_alert.engine.delivery.sender import Sender
from slack_alert.engine.durable_values import number_of
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Clock, Due, Emit, Journal, RunHost, Store
from slack_alert.engine.recording.writer import _WAKE, Accept, Then, Writer
from slack_alert.engine.simulation.doubles import VirtualClock
from slack_alert.schedulers.plan import PlannedJob, SlotPlan
from slack_alert.stores import FileJournal, SqliteInbox, SqliteReader, SqliteStore, inbox_path, journal_path
from slack_alert.stores.files.audit_key_file import AuditKeyFile
from slack_alert.stores.files.paths import audit_key_path
from tests.fakes.audit import entry
from tests.fakes.chat_rig import KnownPeople, everybody_may
from tests.fakes.engine_rig import BERLIN, ERRORS, MARK, OPS, failed

#: What a function does so many seconds after it began: say, emit, return or fail; the last one ends it.
Act = tuple[float, str]
#: What the function of a run does.
Script = Callable[[Run], Sequence[Act]]

#: When somebody writes a line, in seconds; `cancel LINE` cancels what another one asked for.
Ask = tuple[float, str]

#: A job, and what it said.
Said = tuple[str, str]
#: A job, and the slot of a run whose function has begun.
Begun = tuple[str, datetime]

TURN = 0.5
LAG = 0.45


@dataclass(frozen=True)
class Picture:
    """All that a kill at one moment leaves, and what is known of that moment."""

    place: str
    files: Mapping[str, bytes]
    now: datetime
    #: What was said by then, the oldest first.
    said: tuple[Said, ...]
    #: The functions that had begun by then.
    begun: frozenset[Begun]
    #: The jobs that were to answer an event by then, and the events' times.
    accepted: frozenset[Begun]
    #: The entries of the audit that were kept by then, the oldest first.
    audited: tuple[AuditEntry, ...] = ()
    #: The lines of people that were acknowledged by then, and those whose functions were called, as often as they were.
    acknowledged: frozenset[str] = frozenset()
    called: tuple[str, ...] = ()


@dataclass
class Camera:
    """Takes a picture of a folder wherever it is asked to, unless nothing has changed."""

    folder: Path
    clock: VirtualClock
    #: What was said, in all lives up to this one.
    said: list[Said]
    begun: set[Begun]
    accepted: set[Begun]
    audited: list[AuditEntry] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    called: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    is_on: bool = True

    def take(self, place: str) -> None:
        if not self.is_on:
            return
        files = {file.name: file.read_bytes() for file in self.folder.iterdir() if not file.name.endswith("-shm")}
        picture = Picture(
            place, files, self.clock.now(), tuple(self.said), frozenset(self.begun), frozenset(self.accepted),
            tuple(self.audited), frozenset(self.acknowledged), tuple(self.called),
        )  # fmt: skip
        before = self.pictures[-1] if self.pictures else None
        if before is None or before != replace(picture, place=before.place, now=before.now):
            self.pictures.append(picture)

    def hear(self, said: Batch | Returned) -> None:
        """Note what is kept now: from this moment on it has been said."""
        if isinstance(said, Returned):
            told = [(said.binding, first_line(piece)) for piece in said.pieces]
        else:
            told = [(each.key.partition("@")[0], first_line(each.piece)) for each in said.messages]
            self.audited += said.audit
        self.said += [each for each in told if each not in self.said]


class PhotographedAuditKey(AuditKeyFile):
    """A key of whose head pictures are taken."""

    def __init__(self, path: Path, camera: Camera) -> None:
        super().__init__(path)
        self._camera = camera

    def keep(self, head: AuditHead) -> None:
        self._camera.take("before keeping the head")
        super().keep(head)
        self._camera.take("after keeping the head")


class PhotographedStore(SqliteStore):
    """A store of whose writes pictures are taken; it waits for no disk."""

    def __init__(self, path: Path, camera: Camera) -> None:
        super().__init__(path, PhotographedAuditKey(audit_key_path(path), camera))
        self._camera = camera

    def open(self) -> Snapshot:
        snapshot = super().open()
        self._camera.take("opened")
        return snapshot

    def commit(self, batch: Batch) -> list[Delivery]:
        self._camera.take("before a commit")
        try:
            return super().commit(batch)
        finally:
            self._camera.take("after a commit")

    def prune(self, now: datetime, limits: HistoryLimits) -> None:
        super().prune(now, limits)
        self._camera.take("after pruning")

    def _sync(self, connection: sqlite3.Connection, *, is_full: bool) -> None:  # noqa: ARG002 - as it is called
        if self._is_full_sync is None:
            connection.execute("PRAGMA synchronous = OFF")
            self._is_full_sync = True


class PhotographedJournal(FileJournal):
    """A journal of whose writes pictures are taken, also in the middle of an entry."""

    def __init__(self, path: Path, camera: Camera) -> None:
        super().__init__(path)
        self._camera = camera

    def append(self, said: Batch | Returned) -> bool:
        self._camera.take("before keeping")
        is_kept = super().append(said)
        if is_kept:
            self._camera.hear(said)
        self._camera.take("after keeping")
        return is_kept

    def release(self, count: int) -> None:
        super().release(count)
        self._camera.take("after releasing")

    def _append(self, entry: bytes) -> bool:
        if self._camera.is_on and super()._append(entry[: len(entry) // 2]):
            self._camera.take("half an entry")
            self._end -= len(entry) // 2
        return super()._append(entry)


class PhotographedInbox(SqliteInbox):
    """An inbox of whose changes pictures are taken."""

    def __init__(self, path: Path, camera: Camera) -> None:
        super().__init__(path)
        self._camera = camera

    def remove(self, ids: Iterable[int]) -> None:
        super().remove(ids)
        self._camera.take("after a request")


class Pace(Enum):
    """When the writer's thread comes to its turn; each order of what it does is one that may happen."""

    #: Between two events.
    BETWEEN = "between events"
    #: Long after what was put.
    LATE = "late"
    #: As soon as anything is put or noted.
    AT_ONCE = "at once"
    #: As soon as anything is put.
    PUTS = "puts at once"
    #: As soon as anything is noted, with a group of before: what was put last comes late.
    NOTES = "notes at once"


class SteppedWriter(Writer):
    """A writer that comes to its turn when its pace says so, on the caller's thread."""

    def __init__(self, store: Store, clock: Clock, journal: Journal, pace: Pace, numbered: int) -> None:
        super().__init__(store, clock, journal=journal, numbered=numbered)
        self._pace = pace
        self._is_open = self._is_writing = False

    def start(self, accept: Accept) -> None:
        self._accept = accept
        self._is_open = True

    def submit(self, batch: Batch, then: Then | None = None) -> None:
        super().submit(batch, then)
        if self._pace in (Pace.AT_ONCE, Pace.PUTS):
            self.write(is_quiet_due=False)

    def record_quiet(self, record: Record) -> None:
        super().record_quiet(record)
        if self._pace is Pace.AT_ONCE:
            self.write(is_quiet_due=True)
        if self._pace is Pace.NOTES and self._is_open and not self._is_writing:
            self._write_group([])

    def write(self, *, is_quiet_due: bool) -> None:
        """Write what was put; quiet lines alone wait until they are due."""
        if self._is_writing or not self._is_open:
            return
        self._is_writing = True
        while not self._puts.empty():
            group = self._gather(self._puts.get())
            if is_quiet_due or self._progress or any(put is not _WAKE for put in group):
                self._write_group(group)
        if is_quiet_due and self._quiet:
            self._write_group([])
        self._is_writing = False


class Post:
    """A sender that lets everything lie in the outbox."""

    queued = 0
    troubles: Mapping[str, str] = {}
    stalls: Mapping[str, str] = {}

    def restore(self) -> None:
        pass

    def accept(self, deliveries: Sequence[Delivery]) -> None:
        pass

    def forget(self, ids: Iterable[int]) -> None:
        pass


class Acting:
    """An executor whose functions do what the script says, at its time."""

    def __init__(self, life: Life, script: Script) -> None:
        self._life = life
        self._script = script
        self._hosts: dict[int, RunHost] = {}
        self._canceled: set[int] = set()

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        for run in runs:
            self._hosts[run.id] = host
            run.progress.started = self._life.clock.now()
            self._life.camera.begun.add((run.binding, run.slot))
            if run.arguments is not None:
                self._life.camera.called.append(f"{run.binding} {' '.join(map(str, run.arguments.values.values()))}")
            self._life.camera.take("a function begins")
            *acts, (last, end) = self._script(run)
            for after, act in acts:
                self._life.after(after, partial(_do, self._life, run, host, act))
            self._life.after(last, partial(self._end, run, host, _result(run, end, last)))

    def _end(self, run: Run, host: RunHost, result: Result) -> None:
        if run.id not in self._canceled:
            host.done(run, result)

    def cancel(self, run: Run, *, grace: timedelta) -> None:  # noqa: ARG002 - as the port has it
        self._canceled.add(run.id)
        self._hosts[run.id].done(run, Result(duration=timedelta(seconds=1)))

    def stop(self) -> None:
        pass


def _do(life: Life, run: Run, host: RunHost, act: str) -> None:
    if act.startswith("emit"):
        host.emit(run, {"n": run.slot.isoformat()})
        names = [each.job.name for each in life.engine.jobs() if each.job.rule is not None]
        life.camera.accepted |= {(name, life.clock.now()) for name in names}
    elif act.startswith("audit"):
        life.writer.submit(Batch(audit=[entry(run.id, at=life.clock.now())]))
    else:
        host.say(run, (Text(f"{run.binding} {run.id} {act}"),))


def _result(run: Run, end: str, seconds: float) -> Result:
    took = timedelta(seconds=seconds)
    if end == "fail":
        return failed(f"{run.binding} {run.id}")._replace(duration=took)
    return Result((Text(f"{run.binding} {run.id} {end}"),) if end else (), None, took)


class Source:
    """The clock's plan, which stands still while it is told to."""

    def __init__(self, life: Life, now: datetime) -> None:
        beat = parse_trigger({"seconds": EVERY.total_seconds()}, zone=BERLIN, name=PULSE_NAME)
        assert beat is not None
        planned = [
            PlannedJob(
                job_state.job.name,
                job_state.job.trigger,
                job_state.anchor,
                max(now, job_state.last or now),
                job_state.moved,
            )
            for job_state in life.engine.jobs()
        ]
        self._plan = SlotPlan([*planned, PlannedJob(PULSE_NAME, beat, now, now)])
        self._life = life
        self._is_running = False

    def start(self, emit: Emit) -> None:
        self._is_running = True
        self._wait(emit)

    def stop(self) -> None:
        self._is_running = False

    def _wait(self, emit: Emit) -> None:
        following = self._plan.next
        if following is not None:
            self._life.at(max(following, self._life.stall_after(following)), lambda: self._look(emit))

    def _look(self, emit: Emit) -> None:
        if self._is_running:
            due: Sequence[Due] = self._plan.pop_due(self._life.clock.now())
            if due:
                emit(due)
            self._wait(emit)


class Beside:
    """Awaits when the event that began it is over, as a loop does, and has the life call what is to be called later."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._alarm: object = None

    def begin(self, coroutine: Coroutine[object, object, object]) -> None:
        awaited = cast("Coroutine[object, object, None]", coroutine)
        self._life.at(self._life.clock.now(), lambda: asyncio.run(awaited))

    def wake(self, at: datetime, call: Callable[[], object]) -> None:
        self._alarm = alarm = object()
        self._life.at(at, lambda: call() if self._alarm is alarm else None)


class Life:
    """One life, from the first read of the files to whatever ends it."""

    def __init__(
        self,
        folder: Path,
        jobs: Sequence[Job],
        script: Script,
        begin: datetime,
        *,
        said: Iterable[Said] = (),
        begun: Iterable[Begun] = (),
        accepted: Iterable[Begun] = (),
        audited: Iterable[AuditEntry] = (),
        pace: Pace = Pace.BETWEEN,
        stall: tuple[float, float] = (0.0, 0.0),
        is_filmed: bool = True,
        commands: Sequence[Command] = (),
        asks: Sequence[Ask] = (),
        acknowledged: Iterable[str] = (),
        called: Iterable[str] = (),
    ) -> None:
        self.clock = VirtualClock(begin)
        self.begun = self.stopped = begin
        self.camera = Camera(
            folder, self.clock, list(said), set(begun), set(accepted), list(audited), set(acknowledged), list(called),
            is_on=is_filmed,
        )  # fmt: skip
        self._pace = pace
        self._stall = tuple(begin + timedelta(seconds=each) for each in stall)
        self._events: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = count()
        self._is_late = False
        place = folder / "state.db"
        self.store = PhotographedStore(place, self.camera)
        journal = PhotographedJournal(journal_path(place), self.camera)
        self.journal = journal
        self.reader = SqliteReader(place)
        snapshot = self.store.open()
        self.writer = SteppedWriter(self.store, self.clock, journal, pace, number_of(snapshot.entries))
        executor = Acting(self, script)
        catalog = Catalog(tuple(jobs))
        self.engine = Engine(
            catalog, recorder=self.writer, executor=executor, clock=self.clock, mark=MARK, journal=journal
        )
        parts = Components(
            stores=Stores(self.store, PhotographedInbox(inbox_path(place), self.camera), lambda: self.reader),
            plugins=PluginFiles(catalog), reader=self.reader, snapshot=snapshot, channels={}, clock=self.clock,
            writer=self.writer,
            executor=executor, engine=self.engine, sender=cast("Sender", Post()),
            make_source=lambda now: Source(self, now), accept_mute=lambda _: None,
            make_chat=partial(self._chat, commands, executor) if commands else None, has_doors=bool(commands),
        )  # fmt: skip
        self._asks = asks
        self._app = App(parts, AppConfig(OPS, ERRORS, BERLIN, timedelta(seconds=1), HistoryLimits()))

    def _chat(self, commands: Sequence[Command], executor: Acting) -> Chat:
        services = ContextServices(
            mark=MARK,
            path=Path(),
            render=lambda _run, value: (Text(str(value)),),
            address=lambda text: Address.parse(text, "slack"),
            now=self.clock.now,
            key_value_store=key_value_stores((), write=lambda _: None, now=self.clock.now),
        )
        past = PastRuns(self.reader)
        self.commands = Commands(
            self.engine, self.writer, executor, self.clock,
            decide=Decider(lambda: commands, everybody_may(), zone=BERLIN, rate=Rate(1000)),
            people=KnownPeople(), limits={}, answers=Answers(AnswerOptions(MARK, BERLIN), past), past=past,
            budget=EditBudget(), services=services, beside=Beside(self),
            redaction=Redaction(),
            guards=GuardRounds(executor, self.clock, guards=tuple, services=services, post=self.engine.post),
        )  # fmt: skip
        return Chat(self.commands, cast("ChatIntake", None), ())

    def ask(self, line: str, at: datetime) -> None:
        """Let somebody write a line, or do so once more; a line is known by itself."""
        if line.startswith("cancel "):
            numbers = [one.number for one in self.commands.open if one.asked.text == line.removeprefix("cancel ")]
            for number in numbers:
                self.engine.cancel(number, "ann")
            return
        by, to = Identity("slack", "T1", "U0ANN", "ann"), ReplyTo(OPS, f"{line}.0")
        asked = AskedCommand((line,), at, by, to, line, "slack.socket")
        self.engine.handle(asked, partial(self._acknowledge, line))

    def _acknowledge(self, line: str) -> None:
        self.camera.acknowledged.add(line)
        self.camera.take("acknowledged")

    def at(self, moment: datetime, event: Callable[[], object]) -> None:
        heappush(self._events, (moment, next(self._order), event))

    def after(self, seconds: float, event: Callable[[], object]) -> None:
        self.at(self.clock.now() + timedelta(seconds=seconds), event)

    def stall_after(self, moment: datetime) -> datetime:
        """Return when the clock is looked at that should be looked at then."""
        begin, end = self._stall
        return end if begin <= moment < end else moment

    def run(self, seconds: float) -> None:
        """Start, and let so much time pass."""
        self._app._start()
        self._written()
        for after, line in self._asks:
            at = self.begun + timedelta(seconds=after)
            self.at(at, partial(self.ask, line, at))
        self._turn()
        self._let_pass(self.begun + timedelta(seconds=seconds))

    def end(self) -> None:
        """Let what goes on come to its end, with no further slot, and write all."""
        self.stopped = self.clock.now()
        self._app._stop_source()
        self.camera.is_on = False
        self._turn = lambda: None  # type: ignore[method-assign]
        while self._events:
            self._let_pass(self._events[0][0])
        self.writer.write(is_quiet_due=True)
        self.close()

    def close(self) -> None:
        """Let go of the files, as they are."""
        self.reader.close()
        self.camera.is_on = False
        self.journal._unmap()
        self.store.close()

    def _turn(self) -> None:
        self._app._check()
        self.after(TURN, self._turn_again)

    def _turn_again(self) -> None:
        self._turn()
        self.writer.write(is_quiet_due=True)

    def _let_pass(self, until: datetime) -> None:
        while self._events and self._events[0][0] <= until:
            moment, _, event = heappop(self._events)
            self.clock.set(max(moment, self.clock.now()))
            event()
            self._written()
        self.clock.set(max(until, self.clock.now()))

    def _written(self) -> None:
        if self._pace not in (Pace.LATE, Pace.NOTES):
            self.writer.write(is_quiet_due=False)
        elif not self._is_late:
            self._is_late = True
            self.after(LAG, self._write_late)

    def _write_late(self) -> None:
        self._is_late = False
        self.writer.write(is_quiet_due=False)


def first_line(piece: Piece) -> str:
    """Return what a function said: what is told of its quota stands on a line of its own."""
    return fallback(piece).splitlines()[0]


def restore(picture: Picture, folder: Path) -> None:
    """Put the files as a kill left them into an empty folder."""
    for file in folder.iterdir():
        file.unlink()
    for name, content in picture.files.items():
        (folder / name).write_bytes(content)
