"""Commands over a store in memory, with an executor whose runs end when a test says so."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.answers import AnswerOptions
from slack_alert.core.commands.command import Command, Guard
from slack_alert.core.commands.decision import Decider
from slack_alert.core.commands.permissions import Permissions
from slack_alert.core.commands.progress import EditBudget
from slack_alert.core.commands.rate import Rate
from slack_alert.core.commands.roles import Member, MemberKind, Roles
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.content.markup import Markup, plain
from slack_alert.core.content.pieces import Text, fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AccountStatus, AskedCommand, Asker, Identity, ReplyTo
from slack_alert.core.model.message import Delivery, DeliveryMode
from slack_alert.core.model.run import Action, Failure, Result, Run
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.commands.answers import Answers
from slack_alert.engine.commands.commands import Commands
from slack_alert.engine.commands.guard_rounds import GuardRounds
from slack_alert.engine.commands.past_runs import PastRuns
from slack_alert.engine.commands.subscriptions import CHAT_PACK, Subscriptions
from slack_alert.engine.context.context import ContextServices
from slack_alert.engine.context.key_value import KeyValueStore, key_value_stores
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Executor, Recorder, RunHost
from slack_alert.engine.recording.writer import DirectRecorder
from slack_alert.stores.memory import MemoryStore
from slack_alert.testing.manual_clock import FakeClock

START = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
MARK = Markup("123456789012")
OPS = Address("slack", "C0OPS")


class HeldExecutor:
    """An executor whose runs end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[Run] = []
        self.ended: set[int] = set()
        self.canceled: list[int] = []
        self._host: RunHost | None = None

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        self.begun += runs
        self._host = host

    def end(
        self, number: int, *, value: str = "", error: str = "", seconds: float = 3, kind: str = "RuntimeError"
    ) -> None:
        (run,) = [each for each in self.begun if each.id == number]
        assert self._host is not None
        self.ended.add(number)
        failure = Failure(kind, error, "plugins/x.py:1", f"Traceback: {error}") if error else None
        pieces = (Text(value),) if value else ()
        self._host.done(run, Result(pieces, failure, timedelta(seconds=seconds)))

    @property
    def running(self) -> list[int]:
        return [run.id for run in self.begun if run.id not in self.ended]

    def cancel(self, run: Run, *, grace: timedelta) -> None:  # noqa: ARG002 - as the port has it
        self.canceled.append(run.id)

    def stop(self) -> None:
        """Do nothing."""


class Directly:
    """Runs coroutines at once: nothing in the tests really waits."""

    def __init__(self) -> None:
        self.alarm: tuple[datetime, Callable[[], object]] | None = None
        self._begun: deque[Coroutine[object, object, object]] = deque()
        self._is_running = False

    def begin(self, coroutine: Coroutine[object, object, object]) -> None:
        self._begun.append(coroutine)
        if self._is_running:  # On a loop, which is not entered twice.
            return
        self._is_running = True
        try:
            while self._begun:
                asyncio.run(_awaited(self._begun.popleft()))
        finally:
            self._is_running = False

    def wake(self, at: datetime, call: Callable[[], object]) -> None:
        self.alarm = (at, call)


async def _awaited(coroutine: Coroutine[object, object, object]) -> None:
    await coroutine


class KnownPeople:
    """All are members."""

    def __init__(self) -> None:
        self.standings: dict[str, AccountStatus] = {}
        #: Whether the service is asked for each command.
        self.is_forgetful = False

    def known(self, identity: Identity) -> Asker | None:
        return None if self.is_forgetful else self._asker(identity)

    async def asker(self, identity: Identity) -> Asker:
        return self._asker(identity)

    def _asker(self, identity: Identity) -> Asker:
        return Asker(identity, self.standings.get(identity.user, AccountStatus.MEMBER))


def command(words: str, **options: object) -> Command:
    name = f"plugin.{words.replace(' ', '_')}"
    parameters = options.pop("parameters", ())
    assert isinstance(parameters, tuple)
    return Command(name, Action(name, "plugins/plugin.py", 1), words, parameters=parameters, **options)  # type: ignore[arg-type]


def everybody_may() -> Permissions:
    return Permissions(Roles(admins=(Member(MemberKind.ROLE, "members"),)))


class ChatRig:
    """A program with commands; `restart` is a kill and a start."""

    def __init__(
        self,
        *commands: Command,
        limits: Mapping[str, int] | None = None,
        guards: Sequence[Guard] = (),
        jobs: Sequence[Job] = (),
    ) -> None:
        self.commands = commands
        self.guards = guards
        self.jobs = jobs
        self.limits = limits or {}
        self.store = MemoryStore()
        self.clock = FakeClock(START)
        self.people = KnownPeople()
        #: Calls the guards; None: they are runs like others.
        self.guard_executor: Executor | None = None
        self.kept: list[StoredValue] = []
        self._ids = 0
        #: The numbers of the deliveries in the order in which the sender of a program would get them.
        self.handed: list[int] = []
        self.start()

    def make_beside(self) -> Directly:
        """Return what goes on beside the engine."""
        return Directly()

    def recorder(self) -> Recorder:
        """Return what writes."""
        return DirectRecorder(self.store, self.clock, self.hand)

    def hand(self, deliveries: Sequence[Delivery]) -> None:
        """Note what a sender would be handed."""
        self.handed += [delivery.id for delivery in deliveries]

    def start(self) -> None:
        self.executor, self.beside = HeldExecutor(), self.make_beside()
        recorder = self.recorder()
        services = ContextServices(
            mark=MARK,
            path=Path(),
            render=lambda _run, value: (Text(str(value)),),
            address=lambda text: Address.parse(text, "slack"),
            now=self.clock.now,
            key_value_store=key_value_stores((), write=lambda _: None, now=self.clock.now),
        )
        plugins = tuple(each for each in self.commands if not each.name.startswith("chat."))
        catalog = Catalog((*plugins, *self.jobs))
        self.engine = Engine(catalog, recorder=recorder, executor=self.executor, clock=self.clock, mark=MARK)
        kept = {entry.key: entry for entry in self.kept}
        store = KeyValueStore(CHAT_PACK, kept.values(), write=self.kept.extend, now=self.clock.now)
        self.subscriptions = Subscriptions(store)
        past = PastRuns(self.store)
        self.runner = Commands(
            self.engine, recorder, self.executor, self.clock,
            decide=Decider(
                lambda: self.commands, everybody_may(), zone=timezone.utc, rate=Rate(1000), catalog=lambda: catalog
            ),
            people=self.people, limits=self.limits, answers=Answers(AnswerOptions(MARK, timezone.utc), past),
            past=past, budget=EditBudget(), services=services, beside=self.beside,
            guards=GuardRounds(
                self.guard_executor or self.executor, self.clock,
                guards=lambda: self.guards, services=services, post=self.engine.post,
            ),
            redaction=Redaction(), subscribers=self.subscriptions,
        )  # fmt: skip
        snapshot = self.store.open()
        # What goes on beside the engine begins here at once, in a program once both are restored.
        self.engine.restore(snapshot.of_jobs(), self.clock.now())
        self.runner.restore(snapshot)

    def says(self, who: str, text: str, *, ids: tuple[str, ...] = (), at: datetime | None = None) -> None:
        self._ids += 1
        by = Identity("slack", "T1", who, who)
        thread = f"{self._ids}.000000"
        asked = AskedCommand(ids or (thread,), at or self.clock.now(), by, ReplyTo(OPS, thread), text, "slack.socket")
        self.engine.handle(asked, lambda: None)

    def passes(self, **by: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**by))
        if self.beside.alarm is not None and self.beside.alarm[0] <= self.clock.now():
            alarm, self.beside.alarm = self.beside.alarm, None
            alarm[1]()
        self.runner.refresh()

    @property
    def answers(self) -> list[str]:
        """The messages as they are now: edits applied, with the thread they are in."""
        shown: dict[str, str] = {}
        for one in self.store.deliveries():
            message = one.message
            key = message.root if message.manner is DeliveryMode.EDIT else message.key
            shown[key] = f"{message.thread.partition('.')[0]}: {plain(fallback(message.piece))}"
        return list(shown.values())

    @property
    def audited(self) -> list[str]:
        return [str(one.entry.verdict) for one in self.store.audit(since=None, limit=None) if one.entry is not None]

    @property
    def verdicts(self) -> list[tuple[int, str]]:
        return [
            (line.record.run, str(line.record.verdict)) for line in self.store.history(job=None, since=None, limit=None)
        ]


def text_parameter(name: str, **more: object) -> Parameter:
    return Parameter(name, **more)  # type: ignore[arg-type]
