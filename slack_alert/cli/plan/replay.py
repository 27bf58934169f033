"""Show how the present configuration would have changed recorded messages: `slack-alert simulate --replay`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, TextIO

from slack_alert.cli import exit_codes
from slack_alert.cli.logs import report_problem
from slack_alert.cli.output.streams import echo, echo_json_line
from slack_alert.cli.output.text_tables import Cell, paint, shortened, table
from slack_alert.cli.session import own_output
from slack_alert.core.errors import BadValue
from slack_alert.core.model.message import DeliveryMode
from slack_alert.core.pipeline.reasons import reasons_text
from slack_alert.core.units.humanize import counted, format_distance, format_stamp, format_time, plural
from slack_alert.core.units.moments import parse_moment
from slack_alert.operations.as_json import instant

if TYPE_CHECKING:
    from slack_alert.core.whatif.replay import ChangedRun, FirstNotice, ReplayDifference
    from slack_alert.settings import Settings

#: The number of rows that are shown; `--json` has all.
SHOWN = 50
_DAY = timedelta(days=1)
_NAMED = 5
_NOUNS = {DeliveryMode.POST: "message", DeliveryMode.REPLY: "reply", DeliveryMode.EDIT: "edit"}


def replay_span(since: str | None, until: str | None, settings: Settings) -> tuple[datetime, datetime]:
    """Return the begin and end of the replay, by default the last day; raise BadValue if it is empty."""
    now = datetime.now(timezone.utc)
    end = parse_moment(until, zone=settings.timezone, now=now) if until else now
    begin = parse_moment(since, zone=settings.timezone, now=now) if since else end - _DAY
    if end <= begin:
        raise BadValue(f"--until {until or 'now'} is not after --since {since}.", hint="Only what has passed is known.")
    return begin, end


def print_replay(settings: Settings, since: datetime, until: datetime, *, as_json: bool) -> int:
    """Replay this time under the present configuration and print the difference; return the exit code."""
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.bootstrap.oneshot import simulate

    with own_output(settings) as out:
        catalog = plugin_loading.survey_plugins(settings)
        for problem in catalog.problems:
            report_problem(problem)
        show_difference(simulate.replay_history(settings, catalog, since, until), settings, out, as_json=as_json)
    return exit_codes.FINE if catalog.jobs else exit_codes.FOUND


def show_difference(found: ReplayDifference, settings: Settings, out: TextIO, *, as_json: bool) -> None:
    """Print the changed messages, then the sums, then what remains unknown."""
    if as_json:
        for document in _documents(found, settings.timezone):
            echo_json_line(document, out)
        return
    zone = settings.timezone
    for part in (_changed_runs(found.changed_runs, zone, out), _incidents(found.incidents, zone, out)):
        if part:
            echo(f"{part}\n", out)
    for line in _sums(found):
        echo(line, out)
    for line in _unknowns(found):
        echo(paint(line, "yellow", out), out)


def _changed_runs(turns: list[ChangedRun], zone: tzinfo, out: TextIO) -> str:
    rows = [
        (
            Cell(format_stamp(turn.slot, zone), "dim"),
            turn.job,
            _message_cell(turn.was_said, str(turn.was)),
            _message_cell(turn.now_said, str(turn.now)),
            shortened(" | ".join(filter(None, (_why(turn, zone), *turn.text.splitlines()))), out),
        )
        for turn in turns[:SHOWN]
    ]
    head = (f"AT ({zone})", "JOB", "WAS", "WOULD BE", "TEXT")
    return "\n".join([*([table(head, rows, out, flexible=(4, 1))] if rows else []), *_more(len(turns))])


def _why(turn: ChangedRun, zone: tzinfo) -> str:
    return reasons_text(turn.reasons, zone, turn.slot)


def _message_cell(manner: DeliveryMode | None, verdict: str) -> Cell:
    if manner is None:
        return Cell(verdict, "dim")
    # An error is shown as an error.
    return Cell(verdict if manner is DeliveryMode.POST and verdict != "said" else _NOUNS[manner], "green")


def _incidents(incidents: list[FirstNotice], zone: tzinfo, out: TextIO) -> str:
    moved = [incident for incident in incidents if incident.was != incident.now]
    rows = [
        (
            Cell(format_stamp(incident.since, zone), "dim"),
            incident.job,
            counted(incident.count, "alert"),
            format_time(incident.was, zone, incident.since, seconds="today") if incident.was else "never",
            format_time(incident.now, zone, incident.since, seconds="today") if incident.now else "never",
            _moved(incident),
        )
        for incident in moved[:SHOWN]
    ]
    head = (f"INCIDENT SINCE ({zone})", "JOB", "ALERTS", "FIRST TOLD", "WOULD BE", "")
    return "\n".join([*([table(head, rows, out, flexible=(1,))] if rows else []), *_more(len(moved))])


def _more(number: int) -> list[str]:
    return [f"… and {number - SHOWN:,} more: --json has them."] if number > SHOWN else []


def _moved(incident: FirstNotice) -> str:
    if incident.was is None or incident.now is None:
        return "not told any more" if incident.now is None else "told after all"
    return f"{format_distance(incident.now - incident.was)} {'later' if incident.now > incident.was else 'earlier'}"


def _sums(found: ReplayDifference) -> Iterator[str]:
    runs, jobs = sum(found.runs.values()), len(found.runs)
    if not runs:
        yield "No recorded run in this time: `slack-alert history` lists what there is."
        return
    yield f"{counted(runs, 'recorded run')} of {counted(jobs, 'job')} replayed: {_compared_sums(found)}."
    moved = sum(turn.was_said is not None and turn.now_said is not None for turn in found.changed_runs)
    other = f", {counted(moved, 'message')} told in another form" if moved else ""
    difference = f"{counted(found.saved, 'message')} saved, {found.added:,} added{other}."
    yield difference if found.changed_runs else "Nothing of it would be told otherwise."
    yield f"First notice of {counted(len(found.incidents), 'incident')}: {_notices(found.incidents)}."


def _compared_sums(found: ReplayDifference) -> str:
    """Return the sums compared: `12 messages then, 3 now; no edits then, 4 now`."""
    told = [
        f"{_number(found.was[manner], noun)} then, {_figure(found.now[manner], 'none')} now"
        for manner, noun in _NOUNS.items()
        if manner is DeliveryMode.POST or found.was[manner] or found.now[manner]
    ]
    return "; ".join(told)


def _number(number: int, noun: str) -> str:
    return f"{_figure(number, 'no')} {plural(number, noun, 'replies' if noun == 'reply' else '')}"


def _figure(number: int, none: str) -> str:
    return f"{number:,}" if number else none


def _notices(incidents: list[FirstNotice]) -> str:
    told = [(incident.was, incident.now) for incident in incidents if incident.was != incident.now]
    kinds = {
        "as it was": len(incidents) - len(told),
        "earlier": sum(was is not None and now is not None and now < was for was, now in told),
        "later": sum(was is not None and now is not None and now > was for was, now in told),
        "not told any more": sum(now is None for _, now in told),
        "told after all": sum(was is None for was, _ in told),
    }
    return ", ".join(f"{number:,} {kind}" for kind, number in kinds.items() if number) or "none"


def _unknowns(found: ReplayDifference) -> Iterator[str]:
    """Yield what the figures leave out or do not know."""
    if found.unknown:
        number = counted(sum(found.unknown.values()), "slot")
        yield (
            f"Unknown: {number} that did not run then and would now ({_listed(found.unknown)}). "
            "What they would have said, nobody knows; the figures leave them out."
        )
    if found.not_run:
        verdicts = {verdict.value: number for verdict, number in found.not_run.items()}
        yield f"Not replayed: {counted(sum(verdicts.values()), 'slot')} without an outcome ({_listed(verdicts)})."
    if found.folded:
        number = counted(sum(found.blurred.values()), "quiet run")
        yield (
            f"Not exact: {counted(sum(found.folded.values()), 'folded hour')} ({_listed(found.folded)}), "
            f"in which the times of {number} are gone."
        )
    if found.dead:
        dead = sum(found.dead.values())
        them = plural(dead, "it", "them")
        yield (
            f"Not delivered: {counted(dead, 'message')} that slack-alert gave up then ({_listed(found.dead)}). "
            f"Nobody read {them}, and the figures leave {them} out."
        )
    if found.gone:
        number = counted(sum(found.gone.values()), "message")
        yield f"Left out: {number} of jobs that are not there any more ({_listed(found.gone)})."


def _listed(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    named = [f"{name} {number:,}" for name, number in ranked[:_NAMED]]
    return ", ".join([*named, *([f"{len(ranked) - _NAMED} more jobs"] if len(ranked) > _NAMED else [])])


def _documents(found: ReplayDifference, zone: tzinfo) -> Iterator[dict[str, object]]:
    for turn in found.changed_runs:
        yield {
            "item": "run",
            "at": instant(turn.slot, zone),
            "job": turn.job,
            "was": turn.was.value,
            "was_said": turn.was_said and turn.was_said.value,
            "would_be": turn.now.value,
            "would_say": turn.now_said and turn.now_said.value,
            "text": turn.text or None,
            "reason": _why(turn, zone) or None,
        }
    for incident in found.incidents:
        yield {
            "item": "incident",
            "since": instant(incident.since, zone),
            "last": instant(incident.last, zone),
            "job": incident.job,
            "alerts": incident.count,
            "told": instant(incident.was, zone),
            "would_be_told": instant(incident.now, zone),
        }
    yield _sum(found)


def _sum(found: ReplayDifference) -> dict[str, object]:
    return {
        "item": "sum",
        "runs": sum(found.runs.values()),
        "said": {manner.value: found.was[manner] for manner in DeliveryMode},
        "would_say": {manner.value: found.now[manner] for manner in DeliveryMode},
        "saved": found.saved,
        "added": found.added,
        "unknown": dict(found.unknown),
        "not_replayed": {verdict.value: number for verdict, number in found.not_run.items()},
        "folded_hours": dict(found.folded),
        "folded_runs": dict(found.blurred),
        "dead": dict(found.dead),
        "gone": dict(found.gone),
    }
