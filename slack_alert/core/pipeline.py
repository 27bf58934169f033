"""What happens to a slot and to a run: the gate, and what follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from slack_alert.core.bindings import Job
from slack_alert.core.markup import Markup
from slack_alert.core.model import Address, Message, Result, Run, Verdict
from slack_alert.core.parts import PARTS
from slack_alert.core.policy import Hold, Quota, State, admit, rests, spend_alert, spend_error
from slack_alert.core.values import (
    Piece,
    Text,
    deliverable,
    error_card,
    fallback,
    on_terminal,
    pause_notice,
    with_notice,
)

#: Until when a pause shorter than this lasts is told to the second.
_BRIEF = timedelta(minutes=2)
#: So many messages may come of one run; what it says beyond them is withheld.
MOST = 100
#: Of what was said history keeps so many characters.
KEPT = 20_000
_ENOUGH = Text("… and more of this run is withheld")


class Settlement(NamedTuple):
    """Everything a finished run causes, as data."""

    state: State
    verdict: Verdict
    messages: tuple[Message, ...] = ()
    #: What was said, or withheld, as history shows it.
    text: str = ""
    #: How many messages the run said beyond what one run may.
    withheld: int = 0


def gate(job: Job, state: State, slot: datetime, *, hold: Hold | None = None, is_running: bool = False) -> Verdict:
    """Say whether the slot may run; every reason not to is named, the first that holds wins."""
    verdict = admit(job.policy, state, slot)
    if verdict is not Verdict.GO:
        return verdict
    if hold is not None and not hold.is_over(slot):
        return Verdict.PAUSED
    return Verdict.OVERLAPPED if is_running else Verdict.GO


def settle(job: Job, state: State, run: Run, result: Result, mark: Markup) -> Settlement:
    """Say what a result means: a quiet run leaves the state as it is, an alert or an error spends its quota."""
    if result.failure is not None:
        return _settle_failure(job, state, run, result, mark)
    if not result.pieces:
        return Settlement(state, _spoken(run))
    return _settle_alert(job, state, run, result.pieces)


def was_quiet(run: Run, result: Result) -> bool:
    """Tell whether a run had nothing to say, as most have: it leaves a line in history, and nothing to settle."""
    return not (result.pieces or result.failure or run.said or run.is_withheld)


def answer(run: Run, result: Result, to: Address, mark: Markup, *, errors_to: Address | None = None) -> Settlement:
    """Say what a run that a person asked for means: always an answer, and nothing is spent.

    All of it goes to `to`; with `errors_to`, what an exception is told as goes there.
    """
    if result.failure is not None:
        told = (*result.pieces, _card(run, result, mark))
        *before, card = messages(run, told, to)
        return Settlement(State(), Verdict.ERROR, (*before, replace(card, to=errors_to or to)), as_text(told))
    told = result.pieces or ((Text("done"),) if not run.said else ())
    verdict = Verdict.SAID if result.pieces or run.said else Verdict.QUIET
    return Settlement(State(), verdict, messages(run, told, to), as_text(result.pieces))


def messages(run: Run, pieces: tuple[Piece, ...], to: Address) -> tuple[Message, ...]:
    """Give each deliverable part of what a run says a key of its own."""
    name = run.binding.rpartition(".")[2]
    parts = [part for piece in pieces for part in deliverable(piece, name=name)]
    stem = f"{run.binding}@{run.slot.isoformat()}/{run.id}#"
    return tuple(
        Message(f"{stem}{number}", to, part, slot=run.slot, run=run.id) for number, part in enumerate(parts, run.said)
    )


def as_text(pieces: tuple[Piece, ...]) -> str:
    """Write what is said as history shows it."""
    return shortened("\n".join(on_terminal(fallback(piece)) for piece in pieces))


def standing(job: Job, state: State, slot: datetime, *, hold: Hold | None = None) -> tuple[int, datetime | None]:
    """Give the alerts that weigh at `slot`, and until when the job rests (None: it does not, or for good)."""
    alerts = state.alerts.count(slot, job.policy.pause_time)
    until = state.alerts.until if rests(job.policy, state.alerts, slot) else None
    if hold is not None and not hold.is_over(slot):
        # The later of both counts, and a pause for good is later than any.
        until = max(until or hold.until, hold.until) if hold.until else None
    return alerts, until


def shortened(text: str) -> str:
    """Cut what is too long for a line of history, and say by how much."""
    return text if len(text) <= KEPT else f"{text[:KEPT]}… {len(text) - KEPT:,} more characters"


def _spoken(run: Run) -> Verdict:
    if run.said:
        return Verdict.SAID
    return Verdict.MUTED if run.is_withheld else Verdict.QUIET


def _settle_alert(job: Job, state: State, run: Run, pieces: tuple[Piece, ...]) -> Settlement:
    if not run.said and rests(job.policy, state.alerts, run.slot):
        return Settlement(state, Verdict.MUTED, text=as_text(pieces))
    told, withheld = _within(run, pieces)
    if run.said:  # one run counts as one alert, however often it speaks
        return Settlement(state, Verdict.SAID, messages(run, told, job.to), as_text(told), withheld)
    after = spend_alert(job.policy, state, run.slot)
    told = _noticed(job, after.alerts, run.slot, told, word="alert")
    return Settlement(after, Verdict.SAID, messages(run, told, job.to), as_text(told), withheld)


def _within(run: Run, pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], int]:
    """Keep as much as one run may say, and count the rest; the message that ends it says so."""
    if run.said + len(pieces) * PARTS <= MOST:
        return pieces, 0
    name = run.binding.rpartition(".")[2]
    parts = tuple(part for piece in pieces for part in deliverable(piece, name=name))
    room = MOST - run.said
    if len(parts) <= room:
        return pieces, 0
    return ((*parts[:room], _ENOUGH) if room >= 0 else ()), len(parts) - max(room, 0)


def _settle_failure(job: Job, state: State, run: Run, result: Result, mark: Markup) -> Settlement:
    card = _card(run, result, mark)
    if rests(job.policy, state.errors, run.slot):
        return Settlement(state, Verdict.MUTED, text=as_text((card,)))
    after = spend_error(job.policy, state, run.slot)
    told = _noticed(job, after.errors, run.slot, (card,), word="error")
    return Settlement(after, Verdict.ERROR, messages(run, told, job.errors_to), as_text(told))


def _noticed(job: Job, quota: Quota, slot: datetime, pieces: tuple[Piece, ...], *, word: str) -> tuple[Piece, ...]:
    """Add the notice to the alert that starts the pause; an error never pauses, it mutes."""
    if quota.until is None or not quota.is_over(slot):
        return pieces
    verb = "muted" if word == "error" or job.policy.mutes else "paused"
    local = quota.until.astimezone(job.zone).strftime("%H:%M:%S" if job.policy.pause_time < _BRIEF else "%H:%M")
    return with_notice(pieces, pause_notice(len(quota.spent), job.policy.pause_time, local, word=word, verb=verb))


def _card(run: Run, result: Result, mark: Markup) -> Text:
    assert result.failure is not None
    failure = result.failure
    return error_card(run.binding, failure.kind, failure.message, failure.place, mark=mark)
