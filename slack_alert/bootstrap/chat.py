"""Assemble what takes commands from people: doors, the decision who may, the queue, and the verbs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from slack_alert.bootstrap.addresses import address
from slack_alert.bootstrap.audit import audit_notices, post_heads
from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.dingtalk_side import DingTalkSide, dingtalk_side
from slack_alert.bootstrap.oneshot.status import read_vitals
from slack_alert.bootstrap.plugin_loading import defaults, job_lookup
from slack_alert.bootstrap.slack_side import NO_SLACK, SlackSide, slack_side
from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.addressing import Addressing, asked_text, first_words, pressed_text
from slack_alert.core.commands.answers import AnswerOptions
from slack_alert.core.commands.audit_notices import entry_notice
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.decision import Accepted, Decider, Refused
from slack_alert.core.commands.progress import EditBudget
from slack_alert.core.commands.rate import Rate
from slack_alert.core.memo import Memo
from slack_alert.core.model.asked import AskedCommand, Asker, ButtonPress, ChatMessage, Identity
from slack_alert.core.model.audit import AuditEntry
from slack_alert.core.model.message import Message, Notice
from slack_alert.core.model.request import Request
from slack_alert.core.structs import replace
from slack_alert.engine.app.components import Chat, Stores
from slack_alert.engine.batches import Batch
from slack_alert.engine.commands.answers import Answers
from slack_alert.engine.commands.beside import LoopBeside
from slack_alert.engine.commands.commands import Beside, Commands
from slack_alert.engine.commands.guard_rounds import GuardRounds
from slack_alert.engine.commands.intake import ChatIntake
from slack_alert.engine.commands.past_runs import PastRuns
from slack_alert.engine.commands.people import PeopleOfServices
from slack_alert.engine.commands.subscriptions import CHAT_PACK, Subscriptions
from slack_alert.engine.context.key_value import Wait
from slack_alert.engine.durable_values import durably
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Channel, Door, Reader, Submit, WebRoutes
from slack_alert.engine.requests.apply import MUTES_PACK, TAKING
from slack_alert.loader.shipped import load_shipped
from slack_alert.operations.program import Program
from slack_alert.operations.status import Vitals

if TYPE_CHECKING:
    from slack_alert.bootstrap.runtime import Runtime
    from slack_alert.settings import Settings

#: A change is in the database within this, as a rule.
_VISIBLE = timedelta(seconds=2)


def make_chat(
    settings: Settings,
    runtime: Runtime,
    stores: Stores,
    *,
    channels: Mapping[str, Channel] | None = None,
    side: SlackSide | None = None,
    beside: Beside | None = None,
    idle: Sequence[Job] | None = None,
    vitals: Callable[[], Vitals] | None = None,
) -> Chat:
    """Make what takes commands; without `beside` it must be called on the loop on which it will run.

    `idle` are jobs that do not run by themselves, but that people may ask for; None: all jobs run.
    """
    engine, clock = runtime.engine, runtime.clock
    verbs = [each for each in load_shipped("chat", defaults(settings)) if isinstance(each, Command)]

    of_catalog = Memo[Catalog, Sequence[Command]](
        lambda present: [*(each for each in present.bindings if isinstance(each, Command)), *verbs]
    )
    words_of = Memo[Sequence[Command], Mapping[tuple[str, ...], int]](first_words)

    def commands() -> Sequence[Command]:
        return of_catalog(engine.catalog)

    def catalog() -> Catalog:
        present = engine.catalog
        return replace(present, bindings=(*present.bindings, *idle)) if idle else present

    def line_of(said: ChatMessage | ButtonPress) -> str | None:
        words = words_of(commands())
        if isinstance(said, ButtonPress):
            return pressed_text(said, words)
        own = {slack.names.id_of(name) or name: prefixes for name, prefixes in settings.chat_prefixes.items()}
        return asked_text(said, Addressing(settings.chat_prefix, own, settings.chat_tags == "on", words))

    def whose(number: int) -> Identity | None:
        return next((one.asked.by for one in runner.open if one.number == number), None)

    past = PastRuns(runtime.reader)
    slack = side or (slack_side(settings, runtime) if settings.has_slack_doors else NO_SLACK)
    robots = _robots(settings, runtime, channels or {})
    decider = Decider(
        commands,
        settings.permissions,
        zone=settings.timezone,
        rate=Rate(settings.chat_rate),
        channel_name=slack.names.name_of,
        whose=whose,
        catalog=catalog,
    )
    options = AnswerOptions(
        runtime.mark,
        settings.timezone,
        runtime.redaction,
        support=settings.chat_support or "",
        prefix=next(iter(settings.chat_prefix), ""),
    )
    subscriptions = Subscriptions(runtime.services.key_value_store(CHAT_PACK))
    program = _program(
        settings, runtime, stores, lambda: runner,
        submit=partial(_made_at_once, runtime), vitals=vitals or partial(read_vitals, settings),
        is_without_jobs=idle is not None, catalog=catalog, commands=commands,
        answers=options, decide=decider.decide, channel_name=slack.names.name_of, subscriptions=subscriptions,
    )  # fmt: skip
    services = replace(runtime.services, program=program)
    if runtime.api is not None:
        runtime.api.attach(program, engine, runtime.recorder)
    guards = GuardRounds(
        runtime.executor,
        clock,
        guards=lambda: engine.catalog.guards,
        services=services,
        post=engine.post,
        channel_name=slack.names.name_of,
    )
    runner = Commands(
        engine,
        runtime.recorder,
        runtime.executor,
        clock,
        decide=decider,
        people=PeopleOfServices({**slack.people, **robots.people}),
        limits=settings.queues,
        answers=Answers(options, past),
        past=past,
        budget=EditBudget(),
        services=services,
        beside=beside or LoopBeside(asyncio.get_running_loop(), clock),
        guards=guards,
        redaction=runtime.redaction,
        notice=_notice(settings, runtime, commands),
        subscribers=subscriptions,
    )
    return Chat(
        runner,
        ChatIntake(engine, line_of),
        (*slack.doors, *robots.doors, *_served(settings, runtime, (*slack.served, *robots.served))),
        (*slack.beside, partial(post_heads, settings, runtime, stores)),
        slack.close,
    )


def _robots(settings: Settings, runtime: Runtime, channels: Mapping[str, Channel]) -> DingTalkSide:
    """Return the doors of DingTalk's robots, where some listen."""
    if settings.dry_run or not any(robot.door for robot in settings.dingtalk):
        return DingTalkSide()
    from slack_alert.channels.dingtalk.channel import DingTalkChannel

    channel = channels.get("dingtalk")
    return dingtalk_side(settings, runtime, channel) if isinstance(channel, DingTalkChannel) else DingTalkSide()


def _served(settings: Settings, runtime: Runtime, hooks: Sequence[tuple[Door, WebRoutes]]) -> Iterator[Door]:
    """Yield the doors that the web server serves; with the first of them it opens and closes."""
    if not hooks:
        return
    from slack_alert.bootstrap.web_side import web_routes
    from slack_alert.web.served_door import ServedDoor
    from slack_alert.web.server import web_server

    routes = web_routes(settings, runtime)
    for _, own in hooks:
        routes = {**routes, **own}
    yield ServedDoor(hooks[0][0], web_server(settings, routes))
    yield from [door for door, _ in hooks[1:]]


def _notice(
    settings: Settings, runtime: Runtime, commands: Callable[[], Sequence[Command]]
) -> Callable[[AuditEntry, str], Message | None]:
    """Return what makes the message about an entry of the audit that is posted at once."""
    notices = audit_notices(settings)
    if notices is None:
        return lambda _entry, _command: None

    def notice(entry: AuditEntry, command: str) -> Message | None:
        own = next((each.words for each in commands() if each.name == command), "")
        text = entry_notice(entry, notices, runtime.mark, runtime.redaction, own=own)
        origin = Notice("audit", uuid4().hex)
        return None if text is None else Message(origin.key, notices.to, text, origin)

    return notice


def _made_at_once(runtime: Runtime, *requests: Request) -> bool:
    """Make changes, durable and to be read when this returns: the next question finds them."""
    now, waits = runtime.clock.now(), dict[str, Wait]()
    for request in requests:
        batch, wait = _handled(runtime.engine, request, now)
        for entry in batch.entries:
            if entry.pack == MUTES_PACK:
                runtime.mutes.accept(entry)
        waits[request.kind] = wait  # They are committed in order: the last of each kind is the last of all.
    for wait in waits.values():
        wait()
    return True


def _call_both(first: Callable[[], object], second: Callable[[], object]) -> None:
    first()
    second()


def _handled(engine: Engine, request: Request, now: datetime) -> tuple[Batch, Wait]:
    """Apply a request, and return its batch and the wait for that: what is asked next finds it done."""
    made: list[Batch] = []
    committed = threading.Event()

    def submit(then: Callable[[], object]) -> Batch:
        made.append(engine.handle(request, partial(_call_both, then, committed.set), now=now))
        return made[0]

    durable = durably(submit)

    def wait() -> None:
        durable()
        # A journal may hold what the database does not take yet: it is durable, and is read a little later.
        committed.wait(_VISIBLE.total_seconds())
        if request.kind == "mute":
            threading.Event().wait(TAKING.total_seconds())

    return made[0], wait


def _program(
    settings: Settings,
    runtime: Runtime,
    stores: Stores,
    runner: Callable[[], Commands],
    *,
    submit: Submit,
    vitals: Callable[[], Vitals],
    is_without_jobs: bool,
    catalog: Callable[[], Catalog],
    commands: Callable[[], Sequence[Command]],
    answers: AnswerOptions,
    decide: Callable[[AskedCommand, Asker], Accepted | Refused],
    channel_name: Callable[[str], str],
    subscriptions: Subscriptions,
) -> Program:
    """Return the running program, for the verbs; a change is made and durable when they answer."""

    @contextmanager
    def read() -> Iterator[Reader]:
        reader = stores.read()
        try:
            yield reader
        finally:
            reader.close()

    return Program(
        zone=settings.timezone,
        now=runtime.clock.now,
        catalog=catalog,
        commands=commands,
        lookup=lambda: job_lookup(settings, catalog(), listing="jobs"),
        read=read,
        submit=submit,
        mutes=lambda snapshot: make_mutes(settings, snapshot.entries),
        vitals=vitals,
        is_without_jobs=is_without_jobs,
        queue=lambda: runner().queue,
        open=lambda: [one.asked for one in runner().open],
        cancel=lambda number, by: runner().cancel(number, by),
        permissions=settings.permissions,
        progress=lambda: runner().progress,
        limits=settings.queues,
        answers=answers,
        decide=decide,
        channel_name=channel_name,
        address=partial(address, settings),
        subscriptions=subscriptions,
    )
