"""Settle a finished run: its verdict, its messages and the next state of its job."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from slack_alert.core.bindings import Job
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Piece, Text, fallback, pause_notice, with_notice
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode, Message, MessageSeverity
from slack_alert.core.model.reason import UNCHANGED, Reason, ReasonCode
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Result, RunPosts
from slack_alert.core.pipeline.alert_buttons import alert_buttons, error_buttons
from slack_alert.core.pipeline.incident_messages import (
    IncidentForm,
    format_alert,
    format_clock,
    recovery_messages,
    shown_name,
)
from slack_alert.core.pipeline.messages import as_text, failure_card, limit_pieces, messages
from slack_alert.core.pipeline.reasons import quota_reason
from slack_alert.core.policy.incidents import (
    Incident,
    Notification,
    count_alert,
    decide_notification,
    digest_of,
    entries_of,
    length_of,
    must_escalate,
    remembered_text,
)
from slack_alert.core.policy.quota import Quota, State, is_quota_used_up, spend_alert, spend_error
from slack_alert.core.structs import replace
from slack_alert.core.units.humanize import plural


class Settlement(NamedTuple):
    """Everything that a finished run causes, as data."""

    state: State
    verdict: Verdict
    messages: tuple[Message, ...] = ()
    #: The text posted or withheld, as the history shows it.
    text: str = ""
    #: Number of messages beyond the limit of one run.
    withheld: int = 0
    #: What the function itself said; None: the text.
    said: str | None = None
    #: The rules behind the verdict, if the verdict alone does not tell.
    reasons: tuple[Reason, ...] = ()
    #: Whether these withhold everything from the run, not only what was posted already.
    is_hushed: bool = False

    @property
    def own_text(self) -> str:
        """What the function itself said, as the history shows it."""
        return self.text if self.said is None else self.said


def settle(
    job: Job, state: State, run: RunPosts, result: Result, mark: Markup, *, mute: Reason | None = None
) -> Settlement:
    """Return the consequences of a run: an alert or an error counts in its quota, a quiet run ends an incident.

    `mute` is the reason why nothing may be posted now (a mute or a quiet window); None: it may.
    """
    if result.failure is not None:
        return _settle_failure(job, state, run, result, mark, mute=mute)
    if not result.pieces:
        return _settle_quiet(job, state, run, mark, mute=mute)
    return _settle_alert(job, state, run, result.pieces, mark, mute=mute)


def was_quiet(state: State, posts: RunPosts | None, result: Result) -> bool:
    """Return whether a run had nothing to say, as most: it leaves a record in the history and nothing to settle."""
    if result.pieces or result.failure or not state.is_calm:
        return False
    return posts is None or not (posts.said or posts.is_withheld)


def settle_asked(
    run: RunPosts, result: Result, to: Address, mark: Markup, *, errors_to: Address | None = None
) -> Settlement:
    """Return the consequences of a run that a person asked for: always a reply, and no quota is charged.

    Everything is posted to `to`, except the card of an exception if there is `errors_to`.
    """
    if result.failure is not None:
        told = (*result.pieces, failure_card(run, result, mark))
        *before, last = messages(run, told, to)
        error = replace(last, to=errors_to or to, severity=MessageSeverity.ERROR)
        text, said = as_text(told, run.binding), as_text(result.pieces, run.binding)
        return Settlement(State(), Verdict.ERROR, (*before, error), text, said=said)
    told = result.pieces or ((Text("done"),) if not run.said else ())
    verdict = Verdict.SAID if result.pieces or run.said else Verdict.QUIET
    return Settlement(State(), verdict, messages(run, told, to), as_text(result.pieces, run.binding))


def _quiet_verdict(run: RunPosts) -> Verdict:
    if run.said:
        return Verdict.SAID
    return Verdict.MUTED if run.is_withheld else Verdict.QUIET


def _settle_quiet(job: Job, state: State, run: RunPosts, mark: Markup, *, mute: Reason | None) -> Settlement:
    """Settle a quiet run: it ends the incident, and what the quota withheld is posted once that is over."""
    verdict, incident = _quiet_verdict(run), state.incident
    if verdict is not Verdict.QUIET or state.is_calm:
        return Settlement(state, verdict, reasons=run.reasons)
    told = recovery_messages(job, incident, run, mark) if incident is not None else ()
    reasons = _recovery_reasons(incident, run.slot, mute) if incident is not None else ()
    # An edit notifies nobody, so it may be made while muted.
    if mute and incident is not None and any(message.manner is not DeliveryMode.EDIT for message in told):
        return _defer_recovery(state, incident, run, reasons)
    after, digest = _withheld_notice(job, replace(state, incident=None), run.slot)
    if digest and not mute:
        told += messages(replace(run, said=len(told)), (Text(f"{shown_name(job, mark)}: {digest}"),), job.to)
    elif digest:
        after = replace(state, incident=None)
    text = as_text(tuple(message.piece for message in told), run.binding)
    return Settlement(after, Verdict.SAID if told else Verdict.QUIET, told, text, said="", reasons=reasons)


def _recovery_reasons(incident: Incident, slot: datetime, mute: Reason | None) -> tuple[Reason, ...]:
    """Return the reason for a recovery, if people know or will know of the incident: a digest tells what was muted."""
    if incident.told is None and not mute:
        return ()
    length = length_of(incident, incident.over or slot)
    recovered = Reason(ReasonCode.RECOVERED, count=incident.count, length=length)
    return (recovered, mute) if mute else (recovered,)


def _defer_recovery(state: State, incident: Incident, run: RunPosts, reasons: tuple[Reason, ...]) -> Settlement:
    """Settle a recovery that may not be posted now: the state remembers it until it may."""
    if incident.over is not None:
        return Settlement(state, Verdict.QUIET)
    return Settlement(replace(state, incident=replace(incident, over=run.slot)), Verdict.QUIET, reasons=reasons)


def _settle_alert(
    job: Job, state: State, run: RunPosts, pieces: tuple[Piece, ...], mark: Markup, *, mute: Reason | None
) -> Settlement:
    """Settle an alert: count it in its incident, and post it as the job's repeat policy says."""
    if run.said or run.is_withheld:  # A run counts as one alert, however many messages it posts.
        return _settle_further(job, state, run, pieces)
    if mute:
        return _withhold(replace(state, incident=count_alert(state.incident, run.slot)), run, pieces, (mute,))
    if state.incident is None or state.incident.over is None:
        return _settle_unmuted(job, state, run, pieces, mark)
    closing = recovery_messages(job, state.incident, run, mark)
    anew = _settle_unmuted(job, replace(state, incident=None), replace(run, said=len(closing)), pieces, mark)
    return anew._replace(messages=(*closing, *anew.messages), verdict=Verdict.SAID if closing else anew.verdict)


def _settle_unmuted(job: Job, state: State, run: RunPosts, pieces: tuple[Piece, ...], mark: Markup) -> Settlement:
    counted = replace(state, incident=(incident := count_alert(state.incident, run.slot)))
    digest = digest_of(_with_elsewhere(run, pieces))
    notification = replace(
        decide_notification(job.policy.repeat_policy, incident, run.slot, digest=digest, to=job.to), digest=digest
    )
    if notification.manner is DeliveryMode.POST and is_quota_used_up(job.policy, state.alerts, run.slot):
        return _withhold_by_quota(job, counted, run, pieces)
    settlement = _post_alert(job, counted, run, pieces, notification)
    return _with_escalation(job, settlement, run, pieces, mark)


def _post_alert(
    job: Job, state: State, run: RunPosts, pieces: tuple[Piece, ...], notification: Notification
) -> Settlement:
    incident = state.incident
    assert incident is not None, "it was counted"
    shown = IncidentForm(notification.manner, pieces)
    if notification.manner is not None and job.policy.repeat_policy.follows_up:
        shown = format_alert(job, incident, run.slot, pieces, notification.manner)
    text, entries = remembered_text(_join_fallbacks(pieces)), entries_of(pieces)
    remembered = replace(incident, text=text, entries=entries, digest=notification.digest)
    if shown.manner is None:
        return _withhold(replace(state, incident=remembered), run, pieces, notification.reasons or (UNCHANGED,))
    told, withheld = limit_pieces(run, _with_remark(run, shown.pieces, shown.manner))
    root, after = incident.root, state
    if shown.manner is DeliveryMode.POST:
        root = ""
        after, told = _charge_alert(job, state, run.slot, told)
    elif shown.manner is DeliveryMode.EDIT:
        root = incident.edit or incident.root
    buttons = () if shown.manner is DeliveryMode.REPLY else alert_buttons(job)
    sent = messages(run, told, job.to, shown.manner, root=root, buttons=buttons)
    placed = _with_message_keys(job, remembered, shown.manner, sent, run.slot)
    if shown.files:
        ahead = replace(run, said=run.said + len(sent))
        files, more = limit_pieces(ahead, shown.files)
        sent, withheld = sent + messages(ahead, files, job.to, DeliveryMode.REPLY, root=placed.root), withheld + more
    if notification.digest != incident.digest:
        for to, piece in run.elsewhere:
            sent += messages(replace(run, said=run.said + len(sent)), (piece,), to)
        told = _with_elsewhere(run, told)
    after = replace(after, incident=placed)
    said = None if told == (whole := _with_elsewhere(run, pieces)) else as_text(whole, run.binding)
    return Settlement(after, Verdict.SAID, sent, _history_text(run, told), withheld, said, notification.reasons)


def _with_remark(
    run: RunPosts, pieces: tuple[Piece, ...], manner: DeliveryMode = DeliveryMode.POST
) -> tuple[Piece, ...]:
    """Return the pieces with the remark that the run was slow; an edit must stay one message."""
    noticed = with_notice(pieces, run.slow) if run.slow else pieces
    return noticed if manner is not DeliveryMode.EDIT or len(noticed) == len(pieces) else pieces


def _history_text(run: RunPosts, told: tuple[Piece, ...]) -> str:
    """Return the posted text for the history, without the remark, which its reason has."""
    text = as_text(told, run.binding)
    return text.replace(f"\n{run.slow}", "") if run.slow else text


def _charge_alert(job: Job, state: State, slot: datetime, pieces: tuple[Piece, ...]) -> tuple[State, tuple[Piece, ...]]:
    """Return the state with an alert counted, and the pieces with the notices about the quota."""
    after, digest = _withheld_notice(job, state, slot)
    after = spend_alert(job.policy, after, slot)
    return after, _with_pause_notice(
        job, after.alerts, slot, with_notice(pieces, digest) if digest else pieces, word="alert"
    )


def _with_message_keys(
    job: Job, incident: Incident, manner: DeliveryMode, sent: tuple[Message, ...], slot: datetime
) -> Incident:
    """Return the incident with the keys of its message and of the last edit of that."""
    if not sent:
        return incident
    if manner is DeliveryMode.POST:
        shown = sent[0].piece.text if len(sent) == 1 and isinstance(sent[0].piece, Text) else ""
        return replace(incident, told=slot, to=str(job.to), root=sent[0].key, edit="", shown=shown)
    return replace(incident, edit=sent[0].key) if manner is DeliveryMode.EDIT else incident


def _settle_further(job: Job, state: State, run: RunPosts, pieces: tuple[Piece, ...]) -> Settlement:
    """Settle what a run posts after its first message: in the incident's thread if it has one; withheld if that was."""
    if run.is_hushed:
        return _withhold(state, run, pieces, run.reasons)
    told, withheld = limit_pieces(run, pieces)
    incident = state.incident
    root = incident.root if incident is not None and incident.to in ("", str(job.to)) else ""
    is_quieter = root and job.policy.repeat_policy.follows_up
    sent = messages(run, told, job.to, DeliveryMode.REPLY, root=root) if is_quieter else messages(run, told, job.to)
    reasons = () if run.reasons == (UNCHANGED,) else run.reasons  # Not all of it was unchanged.
    said = as_text(pieces, run.binding) if withheld else None
    return Settlement(state, Verdict.SAID, sent, as_text(told, run.binding), withheld, said, reasons)


def _withhold(state: State, run: RunPosts, pieces: tuple[Piece, ...], reasons: tuple[Reason, ...]) -> Settlement:
    text = as_text(_with_elsewhere(run, pieces), run.binding)
    return Settlement(state, Verdict.MUTED, text=text, reasons=reasons, is_hushed=reasons != (UNCHANGED,))


def _withhold_by_quota(job: Job, state: State, run: RunPosts, pieces: tuple[Piece, ...]) -> Settlement:
    after = replace(state, withheld=state.withheld + 1, withheld_since=state.withheld_since or run.slot)
    return _withhold(after, run, pieces, quota_reason(job, state.alerts))


def _withheld_notice(job: Job, state: State, slot: datetime) -> tuple[State, str]:
    """Return the state, and a text on what the quota withheld if it is free again."""
    if not state.withheld or state.withheld_since is None or is_quota_used_up(job.policy, state.alerts, slot):
        return state, ""
    count = state.withheld
    alerts = f"{count} {plural(count, 'alert')} {plural(count, 'was', 'were')}"
    told = f"{alerts} withheld since {format_clock(job, state.withheld_since)}"
    return replace(state, withheld=0, withheld_since=None), told


def _with_escalation(
    job: Job, settlement: Settlement, run: RunPosts, pieces: tuple[Piece, ...], mark: Markup
) -> Settlement:
    """Return the settlement with the messages of an escalation, if nobody acknowledged the incident in time."""
    incident, escalation = settlement.state.incident, job.policy.repeat_policy.escalation
    if incident is None or escalation is None or not must_escalate(job.policy.repeat_policy, incident, run.slot):
        return settlement
    head = f"{shown_name(job, mark)}: nobody acknowledged it since {format_clock(job, incident.since)}"
    sent = messages(
        replace(run, said=run.said + len(settlement.messages)),
        (Text(f"{head}\n{_join_fallbacks(pieces)}"),),
        escalation.to,
        buttons=alert_buttons(job),
    )
    return settlement._replace(
        state=replace(settlement.state, incident=replace(incident, is_escalated=True)),
        verdict=Verdict.SAID,
        messages=(*settlement.messages, *sent),
        reasons=(Reason(ReasonCode.ESCALATED, what=escalation.to.shown),),
    )


def _settle_failure(
    job: Job, state: State, run: RunPosts, result: Result, mark: Markup, *, mute: Reason | None
) -> Settlement:
    assert result.failure is not None
    told = failure_card(run, result, mark)
    if mute or is_quota_used_up(job.policy, state.errors, run.slot):
        reasons = (mute,) if mute else quota_reason(job, state.errors, code=ReasonCode.ERROR_QUOTA)
        return Settlement(state, Verdict.MUTED, text=as_text((told,), run.binding), said="", reasons=reasons)
    after = spend_error(job.policy, state, run.slot)
    noticed = _with_pause_notice(job, after.errors, run.slot, _with_remark(run, (told,)), word="error")
    sent = messages(run, noticed, job.errors_to, severity=MessageSeverity.ERROR, buttons=error_buttons(job))
    return Settlement(after, result.failure.verdict, sent, _history_text(run, noticed), said="")


def _with_pause_notice(
    job: Job, quota: Quota, slot: datetime, pieces: tuple[Piece, ...], *, word: str
) -> tuple[Piece, ...]:
    """Return the pieces with a notice if this alert starts the pause; errors never pause a job, they are muted."""
    if quota.until is None or not quota.is_used_up(slot):
        return pieces
    verb = "muted" if word == "error" or job.policy.mutes else "paused"
    until = format_clock(job, quota.until)
    return with_notice(pieces, pause_notice(len(quota.spent), job.policy.pause_time, until, word=word, verb=verb))


def _with_elsewhere(run: RunPosts, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Return the pieces together with those that the run posts to other addresses."""
    return (*pieces, *[piece for _, piece in run.elsewhere]) if run.elsewhere else pieces


def _join_fallbacks(pieces: tuple[Piece, ...]) -> str:
    return "\n".join([fallback(piece) for piece in pieces])
