"""Faults to plant in the program, each of which the simulation must find: they show that its laws bite.

`python -m tests.simulation --mutants` plants each of them, and prints which seed finds it by which law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_alert.channels.slack.channel import SlackChannel
from slack_alert.core.bindings import Job
from slack_alert.core.model.message import Delivery, DeliveryProgress, Status
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.request import Request
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.missed import SlotRange
from slack_alert.core.policy.quota import State
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import replace
from slack_alert.engine import engine
from slack_alert.engine.app import liveness
from slack_alert.engine.app.inbox import InboxPoller
from slack_alert.engine.app.liveness import Liveness
from slack_alert.engine.batches import Batch, Snapshot, StoredValue
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.delivery.sender import Sender
from slack_alert.engine.engine import Engine
from slack_alert.engine.recording.writer import Writer
from slack_alert.engine.runs import admission, recovery
from slack_alert.engine.runs.event_queues import EventQueues
from slack_alert.engine.runs.job_state import JobState
from slack_alert.engine.runs.missed_slots import MissedSlots
from slack_alert.executors.retries import Retries
from slack_alert.stores.files.journal import FileJournal
from tests.simulation.chat_mutants import CHAT_MUTANTS, rights_are_looked_at_once
from tests.simulation.chat_plugins import COMMANDS

_KILLS = "kills,early_kills,kills_at_writes,rows_of_kills,kills_of_runs"


@dataclass(frozen=True)
class Mutant:
    """A planted fault, and the seeds within which it has to be found."""

    plant: Callable[[], None]
    #: It is found by one of the seeds from 1 to here: about three times as many as it takes at present, because each
    #: change of the program or of what seeds draw makes other runs of them.
    most: int
    #: The faults and the plugins that show it soonest.
    faults: str = _KILLS
    only: str = "quick"
    hours: float = 0.25

    @property
    def words(self) -> list[str]:
        """What plays its seeds on the command line."""
        seeds = ["--seeds", str(self.most), "--hours", str(self.hours)]
        return [*seeds, "--faults", self.faults, "--only", self.only]


def _no_journal() -> None:
    """Nothing is kept before it is committed, and the journal says that it was."""
    FileJournal._append = lambda _, __: True  # type: ignore[method-assign,assignment]


def _doubt_is_delivery() -> None:
    """What may have arrived counts as sent."""
    send = SlackChannel.send

    async def sent(self: SlackChannel, delivery: Delivery, text: str | None) -> SendResult:
        outcome = await send(self, delivery, text)
        return SendResult(SendStatus.SENT, "C0OPS/1.0") if outcome.status is SendStatus.AMBIGUOUS else outcome

    SlackChannel.send = sent  # type: ignore[method-assign]


def _doubt_is_loss() -> None:
    """What may have arrived is said to be missing, without a look."""

    async def lookup(_: SlackChannel, __: Sequence[Delivery], ___: str | None) -> Mapping[int, str]:
        return {}

    SlackChannel.lookup = lookup  # type: ignore[method-assign,assignment]


def _quiet_rows_later() -> None:
    """Quiet lines are committed after what was said later."""
    commit = Writer._commit

    def apart(self: Writer, group: Any, quiet: list[Record]) -> None:
        if group and quiet:
            commit(self, group, [])
            commit(self, [], quiet)
        else:
            commit(self, group, quiet)

    Writer._commit = apart  # type: ignore[method-assign]


def _interrupted_is_forgotten() -> None:
    """A run that a kill cut off leaves no line."""
    found = recovery.recover

    def without(*words: Any, **named: Any) -> list[Record]:
        return found(*words, **{**named, "is_late": True})

    recovery.recover = engine.recover = without  # type: ignore[attr-defined]


def _events_are_forgotten() -> None:
    """Events that wait are gone after a kill."""
    EventQueues.restore = lambda *_: None  # type: ignore[method-assign]


def _values_are_late() -> None:
    """`ctx.store.set` returns before its value is kept anywhere."""
    keep = Engine.keep_values

    def early(engine: Engine, entries: Sequence[StoredValue], run: Run | None = None) -> Callable[[], None]:
        keep(engine, entries, run)
        return lambda: None

    FileJournal.append = lambda _, __: False  # type: ignore[method-assign,assignment]
    Engine.keep_values = early  # type: ignore[method-assign,assignment]


def _mark_before_send() -> None:
    """A message counts as sent before it is."""
    deliver = Sender._deliver

    async def marked(self: Sender, lane: Any, channel: Any, breaker: Any) -> None:
        delivery = lane.queue[0]
        self._progress.add(DeliveryProgress(delivery.id, Status.SENT, delivery.attempts + 1, SystemClock().now()))
        self._progress.flush()
        await deliver(self, lane, channel, breaker)

    Sender._deliver = marked  # type: ignore[method-assign]


def _journal_is_never_released() -> None:
    """What was committed stays in the journal."""
    FileJournal.release = lambda _, __: None  # type: ignore[method-assign,assignment]


def _journal_is_released_early() -> None:
    """The journal is free again before the commit of what it holds."""
    commit = Writer._commit

    def early(self: Writer, group: Any, quiet: list[Record]) -> None:
        assert self._journal is not None
        self._journal.release(sum(batch.is_kept for batch, _ in group))
        for batch, _ in group:
            batch.is_kept = False
        commit(self, group, quiet)

    Writer._commit = early  # type: ignore[method-assign]


def _pulse_without_runs() -> None:
    """A sign of life, which says that all before is on record, is written without the runs that go on."""
    Liveness.record_running = lambda _, __: None  # type: ignore[method-assign,assignment]
    liveness.going_on = lambda _, __: []  # type: ignore[attr-defined, assignment]


def _requests_are_removed_early() -> None:
    """What another process asks for is taken out of the inbox before it is committed."""
    take = InboxPoller._take

    def early(self: InboxPoller, request: Request, now: datetime) -> None:
        self._components.stores.inbox.remove([request.id])
        take(self, request, now)

    InboxPoller._take = early  # type: ignore[method-assign]


def _quotas_end_with_the_program() -> None:
    """A start knows nothing of the alerts before it."""
    create = engine.create_job_states  # type: ignore[attr-defined]

    def anew(jobs: Iterable[Job], snapshot: Snapshot, now: datetime) -> dict[str, JobState]:
        states: dict[str, JobState] = create(jobs, replace(snapshot, states={}), now)
        return states

    engine.create_job_states = anew  # type: ignore[attr-defined]


def _last_is_sent_first() -> None:
    """Of messages that were committed together the last is sent first."""
    accept = Sender.accept
    Sender.accept = lambda self, deliveries: accept(self, deliveries[::-1])  # type: ignore[method-assign]


def _overlaps_run() -> None:
    """A slot runs while the former run goes on."""
    gate = admission.gate  # type: ignore[attr-defined]

    def without(job: Job, state: State, slot: datetime, **named: Any) -> Verdict:
        verdict: Verdict = gate(job, state, slot, **{**named, "is_running": False})
        return verdict

    admission.gate = without  # type: ignore[attr-defined]


def _hours_are_no_matter() -> None:
    """A slot runs outside of its job's working hours."""
    gate = admission.gate  # type: ignore[attr-defined]

    def without(job: Job, state: State, slot: datetime, **named: Any) -> Verdict:
        policy = replace(job.policy, hours=WorkingHours("", job.zone))
        verdict: Verdict = gate(replace(job, policy=policy), state, slot, **named)
        return verdict

    admission.gate = without  # type: ignore[attr-defined]


def _missed_rows_are_left_out() -> None:
    """Of slots that passed nothing is written down."""

    def record_range(_: MissedSlots, job_state: JobState, gap: SlotRange, *_others: object) -> None:
        job_state.mark_accounted(gap.last)

    MissedSlots.record_range = record_range  # type: ignore[method-assign,assignment]


def _retries_forget() -> None:
    """It is forgotten how often a run was tried already."""
    add = Retries.add

    def forgetful(self: Retries, run: Any, host: Any, result: Any) -> None:
        if (trial := self._called.get(run.id)) is not None:
            trial.attempt = 1
        add(self, run, host, result)

    Retries.add = forgetful  # type: ignore[method-assign]


def _events_of_one_slot_are_one() -> None:
    """Of events that were emitted together, a kill during the first answer drops all."""
    restore = EventQueues.restore

    def together(self: EventQueues, job_states: Any, accepted: Iterable[Any], running: Any) -> None:
        for one in accepted:
            restore(self, job_states, [one], running)

    EventQueues.restore = together  # type: ignore[method-assign]


def _state_apart_from_its_message() -> None:
    """A message is kept, and that it counts in a quota is written by itself."""
    submit = Writer.submit

    def apart(self: Writer, batch: Batch, then: Any = None) -> None:
        if batch.states and batch.messages:
            states, batch.states = batch.states, {}
            submit(self, batch, None)
            submit(self, Batch(states=states), then)
        else:
            submit(self, batch, then)

    Writer.submit = apart  # type: ignore[method-assign]


#: By name; the option `--mutant` takes one.
MUTANTS: Mapping[str, Mutant] = {
    "no_journal": Mutant(_no_journal, 100, f"slow_disk,{_KILLS}", "pair,unlimited"),
    "doubt_is_delivery": Mutant(_doubt_is_delivery, 15, "lost_before,lost_after"),
    "doubt_is_loss": Mutant(_doubt_is_loss, 40, "lost_after"),
    "mark_before_send": Mutant(_mark_before_send, 15),
    "last_is_sent_first": Mutant(_last_is_sent_first, 15, "slow_disk", "quick,stream"),
    "quiet_rows_later": Mutant(_quiet_rows_later, 120, f"full_disk,{_KILLS}", "unlimited"),
    "journal_is_never_released": Mutant(_journal_is_never_released, 5, "none"),
    "journal_is_released_early": Mutant(_journal_is_released_early, 30, f"slow_disk,{_KILLS}", "quick,stream"),
    "values_are_late": Mutant(_values_are_late, 30, f"slow_disk,{_KILLS}", "pair,quick"),
    "interrupted_is_forgotten": Mutant(_interrupted_is_forgotten, 10, only="slow"),
    "pulse_without_runs": Mutant(_pulse_without_runs, 40, only="slow"),
    "missed_rows_are_left_out": Mutant(_missed_rows_are_left_out, 5),
    "requests_are_removed_early": Mutant(_requests_are_removed_early, 10, f"requests,{_KILLS}", "quick"),
    "events_are_forgotten": Mutant(_events_are_forgotten, 5, only="sensor"),
    "events_of_one_slot_are_one": Mutant(_events_of_one_slot_are_one, 10, "kills_of_runs", "sensor"),
    "quotas_end_with_the_program": Mutant(_quotas_end_with_the_program, 10),
    "state_apart_from_its_message": Mutant(_state_apart_from_its_message, 20, f"slow_disk,{_KILLS}"),
    "overlaps_run": Mutant(_overlaps_run, 5, "none", "slow"),
    "hours_are_no_matter": Mutant(_hours_are_no_matter, 5, "none", "hours"),
    "retries_forget": Mutant(_retries_forget, 10, "none", "retried"),
    **{
        name: Mutant(plant, 40, "chat_kills,crowds,kills,lateness,repeats,rights", ",".join(COMMANDS), 0.1)
        for name, plant in CHAT_MUTANTS.items()
    },
    "rights_are_looked_at_once": Mutant(rights_are_looked_at_once, 40, "rights", "deploy", 0.5),
}
