"""Run a function because a person asked for it."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

from slack_alert.bootstrap.addresses import address, errors_address
from slack_alert.bootstrap.oneshot.job_lookup import find_binding, plain_fields, require_fields
from slack_alert.bootstrap.oneshot.requests import submit
from slack_alert.bootstrap.plugin_files import database
from slack_alert.bootstrap.plugin_loading import check_can_submit, load_plugins, read_snapshot
from slack_alert.bootstrap.runtime import make_key_value_stores, new_mark
from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.render import Piece
from slack_alert.core.events import Event, fields_of
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record
from slack_alert.core.model.run import Result, Run
from slack_alert.core.pipeline.messages import as_text, messages
from slack_alert.core.pipeline.settle import Settlement, settle_asked
from slack_alert.core.policy.quota import Pause
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import Struct, field, replace
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.context.context import Context, ContextServices
from slack_alert.engine.recording.redacting import redacted_message, redacted_record
from slack_alert.engine.requests import build
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.direct import DirectExecutor
from slack_alert.stores import read_shared_values

if TYPE_CHECKING:
    from slack_alert.settings import Settings


class AskedRun(Struct, frozen=True):
    """A run that a person asked for, with its messages and events."""

    record: Record
    #: The messages that are posted.
    messages: tuple[Message, ...]
    #: The events that a sensor emitted.
    events: tuple[Event, ...]
    #: Whether a running program sends them; else they were sent from here as far as their channels took them.
    is_taken: bool


def trigger(settings: Settings, job: str, *, is_posted: bool, fields: Mapping[str, object]) -> AskedRun:
    """Call a function in this process because a person asked; its run is recorded, and posted if `is_posted`.

    `fields` are those of the event it answers. Raise BadValue if a required field is missing.
    """
    if not settings.dry_run:
        check_can_submit(settings)
    catalog = load_plugins(settings, wanted=job)
    binding = find_binding(settings, catalog, job)
    require_fields(binding, fields)
    to = binding.to if isinstance(binding, Job) else address(settings)
    errors_to = binding.errors_to if isinstance(binding, Job) else errors_address(settings)
    run = Run(0, binding.name, binding.action, SystemClock().now(), asked_by=person(), event=fields or None)
    run.emits = binding.emits if isinstance(binding, Job) else None
    output = _RunCollector(to)
    result = _call(settings, catalog, run, output)
    settlement = settle_asked(run, result, to, new_mark(), errors_to=errors_to)
    redaction = Redaction(settings.secrets())
    is_answered = run.emits is None or result.failure is not None  # What a sensor returns is not posted.
    told = (
        _redacted_messages((*output.said, *(settlement.messages if is_answered else ())), redaction)
        if is_posted
        else ()
    )
    record = redacted_record(_record(run, result, settlement, told), redaction)
    left = [*(build.keep_value(entry, run.slot) for entry in output.entries), *map(build.emit, output.events)]
    is_taken = submit(settings, build.record_run(record, told, run.slot), *left)
    return AskedRun(record, told, tuple(output.events), is_taken)


def person() -> str:
    """Return the name of the user who asks; in a container there may be none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"


class _RunCollector(Struct):
    """Collects what a run posts, emits and stores while it goes on."""

    to: Address
    said: list[Message] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    #: What was set in `ctx.store` and is not submitted yet.
    entries: list[StoredValue] = field(default_factory=list)

    def say(self, run: Run, more: tuple[Piece, ...], other: Address | None = None) -> None:
        """Collect a message to the job's channel or to another."""
        told = messages(run, more, other or self.to)
        run.said += len(told)
        run.texts = [*(run.texts or ()), as_text(more)]
        self.said.extend(told)

    def notice(self, run: Run, value: object) -> None:
        """Collect an event that a sensor emits."""
        self.events.append(Event(run.emits or "", SystemClock().now(), plain_fields(fields_of(value))))


def _redacted_messages(told: Sequence[Message], redaction: Redaction) -> tuple[Message, ...]:
    """Return the messages without secrets, with unique keys: the run's number is not known yet."""
    key = uuid4().hex
    return tuple(
        redacted_message(replace(message, key=f"{key}#{number}"), redaction) for number, message in enumerate(told)
    )


def _record(run: Run, result: Result, settlement: Settlement, told: Sequence[Message]) -> Record:
    texts = [*(run.texts or ()), *([settlement.text] if settlement.text else ())]
    return Record(
        0,
        run.binding,
        run.slot,
        settlement.verdict,
        run.started,
        result.duration,
        "\n".join(texts),
        ", ".join(dict.fromkeys(message.to.shown for message in told)) or None,
        error=result.failure.traceback if result.failure else None,
        printed="".join(run.printed) if run.printed else None,
        asked_by=run.asked_by,
        numbers=result.numbers,
    )


def _call(settings: Settings, catalog: Catalog, run: Run, output: _RunCollector) -> Result:
    """Call the run's function."""
    clock = SystemClock()
    render = Render(new_mark(), Redaction(settings.secrets()))

    def hold(name: str, hold: Pause | None) -> None:
        full = catalog.lookup(name).name
        now = clock.now()
        submit(settings, build.pause(full, hold.until, now, by=hold.by) if hold else build.resume(full, now))

    def keep(entries: Sequence[StoredValue]) -> None:
        # What a sensor stores is submitted with its events; a dry run stores nothing.
        if run.emits is not None or settings.dry_run:
            output.entries.extend(entries)
        else:
            submit(settings, *(build.keep_value(entry, clock.now()) for entry in entries))

    def look() -> list[StoredValue]:
        place = database(settings)
        return [*read_shared_values(place, is_traceless=settings.dry_run), *output.entries]

    def say_value(run: Run, value: object, to: str | None) -> None:
        if more := render(run, value):
            output.say(run, more, address(settings, to) if to else None)

    services = ContextServices(
        mark=render.mark,
        path=settings.path,
        say=say_value,
        hold=hold,
        now=clock.now,
        key_value_store=make_key_value_stores(read_snapshot(settings).entries, keep, clock, look),
    )
    caller = Caller(
        clock=clock, render=render, say=output.say, context=lambda run: Context(run, services), notice=output.notice
    )
    return DirectExecutor(caller).call(run)
