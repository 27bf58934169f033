"""The messages that answer people: one for each run, edited as it goes on, and its value in the same thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from slack_alert.core.commands.answers import (
    AnswerOptions,
    CommandProgress,
    RunState,
    RunView,
    answer,
    harmless_start,
    one_line,
    refused_text,
)
from slack_alert.core.commands.decision import Refused
from slack_alert.core.commands.queue import QueuedRun, QueueState, expected_starts, positions
from slack_alert.core.commands.suggestions import BUILT_IN
from slack_alert.core.commands.words import first_word
from slack_alert.core.content.pieces import Piece, Text
from slack_alert.core.content.render import deliverable
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.model.message import ANSWERS, DeliveryMode, Message, MessageSeverity, Notice, RunPart
from slack_alert.core.model.run import LOOKED_AT, Failure, Result, Run, RunOutput
from slack_alert.core.pipeline.messages import MOST, as_text, messages
from slack_alert.core.structs import replace
from slack_alert.core.units.humanize import format_distance
from slack_alert.engine.commands.past_runs import PastRuns

#: The parts of a run's own message are numbered apart from what the run says: the first, its edits, and its last.
_FIRST, _LAST = ANSWERS, 2 * ANSWERS
#: In characters: the length of the card for those who are told of a failure besides.
_CARD = 1_000
#: So many of the last texts that a run has printed are looked at for its last lines.
_PIECES = 500
#: Besides the start and the end, as many messages fit into the five uses of an address for answers.
_FURTHER_RESPONSES = 3
#: In characters: so much of a command and of a name is told to subscribers.
_WORDS, _NAME = 500, 80


class Answers:
    """Makes the messages about runs that people asked for."""

    def __init__(self, options: AnswerOptions, past: PastRuns) -> None:
        self._options = options
        self._past = past

    def refused(self, asked: AskedCommand, refused: Refused) -> list[Message]:
        """Return the answer to a command that does not run."""
        if refused.is_silent:
            return []
        asked = replace(asked, text=refused.words or first_word(asked.text))
        text = refused_text(refused, self._options, usage=refused.usage)
        if asked.run:  # A run for later has a message, which says so.
            return [self._part(asked, text, _LAST - _FIRST)]
        message = self._message(asked, f"asked/{asked.id}", text, _FIRST)
        return [_answerable(asked, replace(message, is_private=bool(asked.reply_to.response_url)))]

    def expired_reason(self, asked: AskedCommand, now: datetime) -> str:
        """Return why a command is not run that came too long after it was written."""
        return f"it came {format_distance(now - asked.at)} after it was written, and was not run."

    def waiting(
        self,
        asked: AskedCommand,
        run: QueuedRun,
        queue: QueueState,
        limits: Mapping[str, int],
        now: datetime,
        *,
        edits: int = 0,
    ) -> Message:
        """Return the message about a run that waits in line, or for its time; the first, or its `edits`-th edit."""
        expected = expected_starts(queue.running, queue.waiting, limits, self._past.usual, now)
        held_by = next((each for each in queue.running if run.lock and each.lock == run.lock), None)
        view = RunView(
            run,
            RunState.QUEUED,
            now,
            position=positions(queue.waiting, now).get(run.run),
            expected=expected.get(run.run),
            held_by=held_by,
        )
        return _passing(self._part(asked, answer(view, self._options).edit, edits))

    def running(self, asked: AskedCommand, queued: QueuedRun, run: Run, edits: int, now: datetime, by: str) -> Message:
        """Return the message about a run that goes on, its `edits`-th edit; `by` is who has canceled it."""
        view = RunView(queued, RunState.RUNNING, now, progress=progress_of(run), canceled_by=by)
        return _passing(self._part(asked, answer(view, self._options).edit, edits))

    def said(self, asked: AskedCommand, run: Run, pieces: tuple[Piece, ...], to: Address | None) -> list[Message]:
        """Return the messages of pieces that a run posts on its way; beyond the limit of a run there are none."""
        if run.posts.said > MOST:
            return []
        told = messages(run.posts, pieces, to or asked.reply_to.to)
        run.progress.posts = replace(run.posts, said=run.posts.said + len(told))
        return list(told) if to is not None else [self._in_thread(asked, message) for message in told]

    def ended(
        self,
        asked: AskedCommand,
        queued: QueuedRun,
        run: Run | None,
        result: Result,
        now: datetime,
        *,
        state: RunState,
        usage: str = "",
        canceled_by: str = "",
        is_first: bool,
    ) -> list[Message]:
        """Return the messages that tell the end of a run; `is_first`: nothing was told about it before.

        A verb answers with its value alone: how long it took is of no interest to anybody.
        """
        view = RunView(
            queued,
            state,
            now,
            progress=CommandProgress() if run is None else progress_of(run),
            duration=result.duration if run is not None and result.duration > timedelta() else None,
            former=self._past.former(queued.command),
            failure=result.failure,
            usage=usage,
            canceled_by=canceled_by,
            is_question=queued.command.startswith(BUILT_IN),
        )
        made = answer(view, self._options, result.pieces)
        severity = MessageSeverity.ERROR if result.failure is not None else MessageSeverity.INFO
        last = _answerable(asked, self._part(asked, made.edit, 0 if is_first else _LAST - _FIRST, severity))
        name = queued.command.rpartition(".")[2]
        parts = [part for piece in made.follow for part in deliverable(piece, name=name)]
        follow = [
            self._in_thread(asked, replace(self._part(asked, part, _LAST - _FIRST + n), manner=DeliveryMode.POST))
            for n, part in enumerate(parts, 1)
        ]
        answered = [_answerable(asked, message) for message in follow[:_FURTHER_RESPONSES]]
        return [last, *answered, *follow[_FURTHER_RESPONSES:]]

    def failure_to(self, asked: AskedCommand, failure: Failure, to: Address) -> Message:
        """Return the card of a failed run for those who are told besides."""
        origin = RunPart(asked.command, asked.at, asked.run, _LAST + MOST)
        text = f"{asked.words} failed: {failure.kind}: {failure.message} (E-{asked.run})"
        told = Text(harmless_start(one_line(text, self._options, _CARD)))
        return Message(origin.key, to, told, origin, severity=MessageSeverity.ERROR)

    def refused_by_verb(self, asked: AskedCommand, reason: str, *, is_first: bool) -> list[Message]:
        """Return the answer of a verb that was asked for something that is not there."""
        text = refused_text(Refused(AuditVerdict.REFUSED, reason), self._options)
        return [self._part(asked, text, 0 if is_first else _LAST - _FIRST)]

    def told_of(self, asked: AskedCommand, what: str, subscribers: Iterable[Address]) -> list[Message]:
        """Return the messages to those who want to know when a run starts and ends; elsewhere without its arguments."""
        found = []
        for to in dict.fromkeys(subscribers):
            words = asked.words if to == asked.reply_to.to else asked.command.rpartition(".")[2]
            origin = Notice("subscription", f"{asked.run}/{what.split(maxsplit=1)[0]}/{to}")
            who = one_line(asked.by.name or asked.by.user, self._options, _NAME)
            text = f"{one_line(words, self._options, _WORDS)} of {who} ({asked.run}): {what}"
            found.append(Message(origin.key, to, Text(text), origin))
        return found

    def text(self, run: Run, pieces: tuple[Piece, ...]) -> str:
        """Return the text of what a run said, for the history."""
        return as_text(pieces, run.binding)

    def _part(
        self,
        asked: AskedCommand,
        piece: Piece,
        n: int,
        severity: MessageSeverity = MessageSeverity.INFO,
    ) -> Message:
        """Return a part of a run's own message: the first (0) is posted, all others edit it."""
        first = RunPart(asked.command, asked.at, asked.run, _FIRST)
        if n == 0:
            return _answerable(asked, self._message(asked, first.key, piece, _FIRST, severity))
        part = replace(first, n=_FIRST + n)
        message = self._message(asked, part.key, piece, part.n, severity)
        return replace(message, manner=DeliveryMode.EDIT, root=first.key)

    def _in_thread(self, asked: AskedCommand, message: Message) -> Message:
        if asked.reply_to.thread:
            return replace(message, thread=asked.reply_to.thread)
        root = RunPart(asked.command, asked.at, asked.run, _FIRST).key
        return replace(message, manner=DeliveryMode.REPLY, root=root)

    def _message(
        self, asked: AskedCommand, key: str, piece: Piece, n: int, severity: MessageSeverity = MessageSeverity.INFO
    ) -> Message:
        origin = RunPart(asked.command or asked.words or "chat", asked.at, asked.run, n)
        if isinstance(piece, Text) and asked.is_bare:
            piece = Text(f"{self._asked_line(asked)}\n{piece.text}", piece.entries)
        return Message(key, asked.reply_to.to, piece, origin, severity=severity, thread=asked.reply_to.thread)

    def _asked_line(self, asked: AskedCommand) -> str:
        """Return who asked for what, where the channel does not show that."""
        escape = self._options.mark.escape
        return harmless_start(f"{escape(asked.by.name or asked.by.user)}: {escape(asked.words or asked.text)}")


def _answerable(asked: AskedCommand, message: Message) -> Message:
    """Return a message that reaches who asked even where the conversation is closed to us."""
    url = asked.reply_to.response_url
    return replace(message, response_url=url) if url else message


def progress_of(run: Run) -> CommandProgress:
    """Return how far a run is."""
    progress = run.progress
    return CommandProgress(
        progress.fraction, progress.step, "" if progress.output is None else _last_of(progress.output)
    )


def _last_of(output: RunOutput) -> str:
    """Return the last of what a run and its programs have printed."""
    if output.recent is not None:
        return output.recent.text()
    return "".join(output.printed[-_PIECES:])[-LOOKED_AT:]


def _passing(message: Message) -> Message:
    """Return a message about a run that goes on: only the first is worth a message where nothing can be edited."""
    return replace(message, is_passing=True) if message.manner is DeliveryMode.EDIT else message
