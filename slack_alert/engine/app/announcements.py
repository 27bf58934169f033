"""Texts of the program's own notices: faulty plugin files, and runs missed while it was down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.catalog import Problem
from slack_alert.core.pipeline.outages import Outage
from slack_alert.core.units.humanize import Seconds, counted, format_time
from slack_alert.engine.runs.overlaps import first_names

#: A downtime shorter than this is shown to the second.
_BRIEF = timedelta(minutes=2)


def faults_text(problems: Sequence[Problem], *, is_edit: bool = False) -> str:
    """Return the text of the problems that exclude functions or files, or keep an edit of them from taking effect."""
    where = "edited plugin files; what ran before runs on" if is_edit else "plugin files; everything else runs"
    return "\n".join([f"{counted(len(problems), 'problem')} in {where}:", *map(str, problems)])


def downtime_text(
    missed: Mapping[str, int],
    interrupted: Sequence[str],
    outage: Outage,
    zone: tzinfo,
    *,
    late_absences: Sequence[str] = (),
) -> str:
    """Return a line about the runs missed in an outage; absences in `late_absences` are checked only now."""
    text = f"{outage.cause} {_span(outage.since, outage.until, zone)}: {_missed(missed)}."
    if interrupted:
        text += f" Cut off: {', '.join(sorted(interrupted))}."
    if late_absences:
        text += f" Absences that are looked into now, late: {first_names(sorted(late_absences), 'jobs')}."
    return text


def _missed(missed: Mapping[str, int]) -> str:
    if not missed:
        return "no run missed"
    names = [f"{name} ({number})" for name, number in sorted(missed.items(), key=lambda item: (-item[1], item[0]))]
    return f"{counted(sum(missed.values()), 'run')} missed: {first_names(names, 'jobs')}"


def _span(since: datetime | None, now: datetime, zone: tzinfo) -> str:
    """Return the span as text; with seconds where its minutes are the same, or nearly."""
    seconds: Seconds = "always" if since is not None and now - since < _BRIEF else "never"
    end = format_time(now, zone, seconds=seconds)
    return f"from {format_time(since, zone, seconds=seconds)} to {end}" if since is not None else f"until {end}"
