"""What `queue` shows: the runs that go on, those in line, and those for later; as text for a chat and as JSON."""

from __future__ import annotations

from datetime import datetime, tzinfo

from slack_alert.core.commands.answers import (
    AnswerOptions,
    CommandProgress,
    RunView,
    format_wait,
    ordinal,
    percent,
)
from slack_alert.core.content.pieces import LIMIT, Text, split
from slack_alert.core.content.tables import table
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.humanize import format_distance, format_time

#: In characters; a cell of a table is cut to fewer columns, but a character may have none.
_CELL = 120
#: So many rows are tried, until they fit into a message.
_ROWS = (200, 100, 50, 30, 20, 10, 5, 2)


class QueueView(Struct, frozen=True):
    """All runs that have not ended, each kind in the order in which it goes on."""

    now: datetime
    running: tuple[RunView, ...] = ()
    waiting: tuple[RunView, ...] = ()
    #: They join the line when their time comes.
    later: tuple[RunView, ...] = ()


def concealed(view: RunView) -> RunView:
    """Return a run as it is shown to who may not read the texts of its channel: the command's name and no more."""
    run = replace(view.run, words=view.run.command, lock="")
    return replace(view, run=run, progress=CommandProgress(view.progress.fraction), held_by=None)


def queue_text(view: QueueView, options: AnswerOptions) -> Text:
    """Return the list for people, within a message; what does not fit is counted."""
    views = (*view.running, *view.waiting, *view.later)
    if not views:
        return Text("Nothing runs, and nothing waits.")
    rows = [_cells(each, options) for each in views[: _ROWS[0]]]
    text = ""
    for most in _ROWS:
        left = len(views) - len(rows[:most])
        more = f"\n… and {left:,} more" if left else ""
        text = f"{_title(view)}\n{table(_HEAD, rows[:most])}{more}"
        if len(text) <= LIMIT:
            return Text(text)
    return Text(split(text, LIMIT)[0])


def queue_json(view: QueueView, zone: tzinfo) -> dict[str, object]:
    """Return the document of `queue --json`."""
    return {
        "running": [
            {
                **_named(each),
                "queue": each.run.queue,
                "since": _instant(each.run.started, zone),
                "progress": each.progress.fraction,
                "text": each.progress.step or None,
            }
            for each in view.running
        ],
        "waiting": [
            {
                **_named(each),
                "asked": _instant(each.run.asked, zone),
                "queue": each.run.queue,
                "position": each.position,
                "expected_start": _instant(each.expected, zone),
            }
            for each in view.waiting
        ],
        "later": [
            {
                **_named(each),
                "asked": _instant(each.run.asked, zone),
                "queue": each.run.queue,
                "at": _instant(each.run.not_before, zone),
                "expected_start": _instant(each.expected, zone),
            }
            for each in view.later
        ],
    }


def state_text(view: RunView, zone: tzinfo) -> str:
    """Return how far a run is in a few words, as plain text: `running for 2 min, 40 % pulling`."""
    run, now = view.run, view.now
    if run.started is not None:
        reached = f"{percent(view.progress.fraction)} {view.progress.step}".strip()
        return ", ".join(filter(None, (f"running for {format_distance(now - run.started)}", reached)))
    if run.not_before is not None and not run.is_in_line(now):
        return f"at {format_time(run.not_before, zone, now)}, in {format_distance(run.not_before - now)}"
    place = ordinal(view.position) if view.position else "waiting"
    line = f" of {run.queue}" if run.queue is not None and view.position else f" for {run.lock}" if run.lock else ""
    held = f"{view.held_by.run} has {run.lock}" if view.held_by is not None else ""
    return ", ".join(filter(None, (f"{place}{line}", format_wait(view.expected, now) if view.expected else "", held)))


_HEAD = ("RUN", "COMMAND", "BY", "STATE")


def _title(view: QueueView) -> str:
    parts = ((len(view.running), "running"), (len(view.waiting), "waiting"), (len(view.later), "for later"))
    return ", ".join(f"{count:,} {what}" for count, what in parts if count)


def _cells(view: RunView, options: AnswerOptions) -> tuple[str, str, str, str]:
    run = view.run
    said = (run.words or run.command, run.name or run.by, state_text(view, options.zone))
    words, name, state = (options.mark.escape(options.redaction.head(cell, _CELL)[0]) for cell in said)
    return (str(run.run), words, name, state)


def _named(view: RunView) -> dict[str, object]:
    run = view.run
    return {"run": run.run, "command": run.command, "words": run.words, "by": run.by, "name": run.name}


def _instant(at: datetime | None, zone: tzinfo) -> str | None:
    return at.astimezone(zone).isoformat() if at is not None else None
