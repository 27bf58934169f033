"""Messages in the middle of runs, of incidents, and notices of the program itself."""

from __future__ import annotations

import logging
from datetime import datetime

from slack_alert.core.bindings import Job
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Piece, Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode, Message, Notice
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import QUIET, Result, Run
from slack_alert.core.pipeline.alert_buttons import without_buttons
from slack_alert.core.pipeline.incident_messages import acknowledgement_messages
from slack_alert.core.pipeline.messages import MOST
from slack_alert.core.pipeline.settle import Settlement, settle
from slack_alert.core.policy.mutes import MuteReason
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Recorder
from slack_alert.engine.runs.job_state import JobState
from slack_alert.engine.runs.run_records import submit_with_starts


def hold_pieces(run: Run, pieces: tuple[Piece, ...], to: Address) -> None:
    """Hold pieces until the end of a run; beyond the limit of a run they are counted only."""
    progress = run.progress
    # One more than the limit is held, so that the message shows that there is more.
    room = max(0, MOST + 1 - len(progress.held))
    progress.held += tuple((to, piece) for piece in pieces[:room])
    progress.withheld += len(pieces[room:])


def with_held_pieces(job: Job, run: Run, result: Result) -> tuple[Job, Result]:
    """Return the job and the result with the held pieces; where all of them go elsewhere, so does the job."""
    progress = run.progress
    if not progress.held:
        return job, result
    held, progress.held = progress.held, ()
    to = job.to if result.pieces or any(each == job.to for each, _ in held) else held[0][0]
    progress.posts = replace(run.posts, elsewhere=tuple((each, piece) for each, piece in held if each != to))
    mine = tuple(piece for each, piece in held if each == to)
    return replace(job, to=to), result._replace(pieces=(*mine, *result.pieces))


log = logging.getLogger(__name__)


class RunMessages:
    """Settles messages and puts them into the outbox; `mute` returns why a job is muted at a slot, or None.

    `has_buttons`: alerts are shown with buttons, which an acknowledgement changes; otherwise none is stored.
    """

    def __init__(self, recorder: Recorder, mark: Markup, mute: MuteReason, *, has_buttons: bool = False) -> None:
        self._recorder = recorder
        self._mark = mark
        self._mute = mute
        self._has_buttons = has_buttons

    def say(self, job_state: JobState, run: Run, pieces: tuple[Piece, ...], to: Address | None) -> None:
        """Post pieces in the middle of a run; a run counts as one alert, however often it posts."""
        if run.progress.is_canceled:  # Its record is written already.
            return
        if job_state.job.policy.repeat_policy.compares:
            hold_pieces(run, pieces, to or job_state.job.to)
            return
        if max(run.posts.said, len(run.progress.texts)) > MOST:
            run.progress.withheld += len(pieces)
            return
        self._settle(job_state, run, pieces, replace(job_state.job, to=to) if to else job_state.job)

    def say_held(self, job_state: JobState, run: Run) -> None:
        """Post the held pieces of a run that does not end normally."""
        if run.progress.held:
            job, kept = with_held_pieces(job_state.job, run, QUIET)
            self._settle(job_state, run, kept.pieces, job)

    def notify(self, origin: Notice, text: str, to: Address) -> None:
        """Post a notice of the program itself; the same one is posted once only."""
        self._recorder.submit(Batch(messages=[self.notice(origin, text, to)]))

    def notice(self, origin: Notice, text: str, to: Address) -> Message:
        """Return the message of a notice of the program itself, and log it."""
        # Where the text itself goes to the terminal, the log need not repeat it.
        level = logging.DEBUG if to.channel == "console" else logging.WARNING
        log.log(level, "told", extra={"to": str(to), "text": text})
        return Message(origin.key, to, Text(self._mark.escape(text)), origin)

    def acknowledgement(self, job_state: JobState, now: datetime) -> tuple[Message, ...]:
        """Return the messages that show who acknowledged a job's incident; only edits while it is muted."""
        if job_state.state.incident is None or not job_state.state.is_alerting:
            return ()
        shown = acknowledgement_messages(
            job_state.job, job_state.state.incident, self._mark, has_buttons=self._has_buttons
        )
        is_muted = bool(self._mute(job_state.job.name, now))
        told = [message for message in shown if message.manner is DeliveryMode.EDIT or not is_muted]
        return tuple(told if self._has_buttons else map(without_buttons, told))

    def of_settlement(self, settlement: Settlement) -> list[Message]:
        """Return the messages of a settlement for the outbox."""
        return list(settlement.messages if self._has_buttons else map(without_buttons, settlement.messages))

    def _settle(self, job_state: JobState, run: Run, pieces: tuple[Piece, ...], job: Job) -> None:
        progress, posts, mute = run.progress, run.posts, self._mute(run.binding, run.slot)
        settlement = job_state.settle(lambda state: settle(job, state, posts, Result(pieces), self._mark, mute=mute))
        progress.texts += (settlement.text,)
        progress.own_texts += (settlement.own_text,)
        progress.withheld += settlement.withheld
        progress.told += tuple(message.to for message in settlement.messages)
        progress.posts = replace(
            posts,
            said=posts.said + len(settlement.messages),
            is_withheld=posts.is_withheld or settlement.verdict is Verdict.MUTED,
            reasons=settlement.reasons,
            is_hushed=settlement.is_hushed,
        )
        if settlement.messages or not (posts.said or posts.is_withheld):
            batch = Batch(
                states={run.binding: settlement.state},
                seen={run.binding: job_state.seen_at(run.slot)},
                messages=self.of_settlement(settlement),
            )
            submit_with_starts(self._recorder, batch, (run,))
