"""Run a function because a person asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

from slack_alert.bootstrap.addresses import address, errors_address
from slack_alert.bootstrap.oneshot.requests import person, submit
from slack_alert.bootstrap.plugin_loading import check_can_submit, job_lookup, load_plugins
from slack_alert.bootstrap.runtime import isolated_in, make_services, new_mark
from slack_alert.bootstrap.stored_values import foreign_values
from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.meant_jobs import check_ends
from slack_alert.core.events import Emitted, plain_fields
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, RunPart
from slack_alert.core.model.record import Record
from slack_alert.core.model.request import Emit, RecordRun, Request
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.settle import settle_asked
from slack_alert.core.policy.quota import Pause
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import Struct, replace
from slack_alert.engine.batches import StoredValue, keep_request
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.recording.redacting import redacted_record
from slack_alert.engine.requests.apply import pause_request
from slack_alert.engine.runs.asked_run import AskedRunHost
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.direct import DirectExecutor
from slack_alert.operations.trigger import require_fields

if TYPE_CHECKING:
    from slack_alert.settings import Settings


class TriggeredRun(Struct, frozen=True):
    """A run that a person asked for, with its messages and events."""

    record: Record
    #: The messages that are posted.
    messages: tuple[Message, ...]
    #: The events that a sensor emitted.
    events: tuple[Emitted, ...]
    #: Whether a running program sends them; else they were sent from here as far as their channels took them.
    is_taken: bool


def trigger(settings: Settings, job: str, *, is_posted: bool, fields: Mapping[str, object]) -> TriggeredRun:
    """Call a function in this process because a person asked; its run is recorded, and posted if `is_posted`.

    `fields` are those of the event it answers. Raise BadValue if a required field is missing.
    """
    if not settings.dry_run:
        check_can_submit(settings)
    catalog = load_plugins(settings, wanted=job)
    binding = job_lookup(settings, catalog).binding(job)
    if isinstance(binding, Job):
        check_ends(binding)
    require_fields(binding, fields)
    to = binding.to if isinstance(binding, Job) else address(settings)
    errors_to = binding.errors_to if isinstance(binding, Job) else errors_address(settings)
    emits = binding.emits if isinstance(binding, Job) else ()
    clock = SystemClock()
    is_collecting = isinstance(binding, Job) and binding.rule is not None and binding.rule.collect is not None
    run = Run(
        0, binding.name, binding.action, clock.now(), asked_by=person(), event=fields or None, emits=emits,
        collected=(fields,) if is_collecting and fields else (),
    )  # fmt: skip
    events, entries = list[Emitted](), list[StoredValue]()
    render = Render(new_mark(), Redaction(settings.secrets()))
    host = _host(settings, catalog, run, to, render, events=events, entries=entries)
    executor = DirectExecutor(Caller(clock, render), isolated_in(settings, binding.action, render.redaction, clock))
    try:
        executor.submit([run], host)
    finally:
        executor.stop()
    settlement = settle_asked(run.posts, host.result, to, render.mark, errors_to=errors_to)
    is_answered = not emits or host.result.failure is not None  # What a sensor returns is not posted.
    said = (*host.messages, *(settlement.messages if is_answered else ())) if is_posted else ()
    told = _with_keys(run, said)
    record = redacted_record(host.record(run, settlement, told), render.redaction)
    left = [
        *(keep_request(entry, run.slot) for entry in entries),
        *(Request.of(Emit(event.name, dict(event.fields)), event.at) for event in events),
    ]
    is_taken = submit(settings, Request.of(RecordRun.of(record, told), run.slot), *left)
    return TriggeredRun(record, told, tuple(events), is_taken)


def _with_keys(run: Run, told: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages with unique keys: no slot caused them, and the run has no number yet."""
    key = uuid4().hex
    origins = [RunPart(run.binding, None, run.id, n) for n in range(len(told))]
    return tuple(replace(each, key=f"{key}#{one.n}", origin=one) for one, each in zip(origins, told, strict=True))


def _host(
    settings: Settings,
    catalog: Catalog,
    run: Run,
    to: Address,
    render: Render,
    *,
    events: list[Emitted],
    entries: list[StoredValue],
) -> AskedRunHost:
    """Return the host of the run, which leaves here what is submitted with the record: events and stored values."""
    clock = SystemClock()

    def hold(name: str, hold: Pause | None) -> None:
        submit(settings, pause_request(catalog.lookup(name).name, hold, clock.now()))

    # What a sensor stores is submitted with its events; a dry run stores nothing.
    keep = entries.extend if run.emits or settings.dry_run else None
    values = foreign_values(settings, render.redaction, clock, keep, entries)

    return AskedRunHost(
        to,
        make_services(settings, render, clock, values),
        hold=hold,
        emit_event=lambda event: events.append(replace(event, fields=plain_fields(event.fields))),
    )
