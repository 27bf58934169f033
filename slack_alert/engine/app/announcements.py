"""What the program says unasked: faulty plugin files, and runs missed while it was down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.catalog import Problem
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.outages import Lapse

#: Names told in one line; the rest is counted.
_NAMED = 10
#: A downtime shorter than this is told to the second.
_BRIEF = timedelta(minutes=2)


def faults_text(problems: Sequence[Problem]) -> str:
    """Tell what keeps functions or files out, all in one message."""
    head = f"{_count(len(problems), 'problem')} in plugin files; everything else runs:"
    return "\n".join([head, *(str(problem) for problem in problems)])


def edit_faults_text(problems: Sequence[Problem]) -> str:
    """Tell what keeps an edit of plugin files from taking effect."""
    head = f"{_count(len(problems), 'problem')} in edited plugin files; what ran before runs on:"
    return "\n".join([head, *(str(problem) for problem in problems)])


def downtime_text(
    missed: Mapping[str, int], interrupted: Sequence[str], lapse: Lapse, zone: tzinfo, *, judged: Sequence[str] = ()
) -> str:
    """Tell in one line which runs did not happen while nobody looked at the clock; `judged` run only now."""
    text = f"{lapse.cause} {_span(lapse.since, lapse.until, zone)}: {_missed(missed)}."
    if interrupted:
        text += f" Cut off: {', '.join(sorted(interrupted))}."
    if judged:
        text += f" Absences that are looked into now, late: {_some(sorted(judged), 'jobs')}."
    return text


def _missed(missed: Mapping[str, int]) -> str:
    if not missed:
        return "no run missed"
    names = [f"{name} ({number})" for name, number in sorted(missed.items(), key=lambda item: (-item[1], item[0]))]
    return f"{_count(sum(missed.values()), 'run')} missed: {_some(names, 'jobs')}"


def _span(since: datetime | None, now: datetime, zone: tzinfo) -> str:
    """Say from when to when; where the minutes would be the same, or nearly, with seconds."""
    form = "%a %d %b %H:%M:%S" if since is not None and now - since < _BRIEF else "%a %d %b %H:%M"
    end = now.astimezone(zone).strftime(form)
    return f"from {since.astimezone(zone).strftime(form)} to {end}" if since is not None else f"until {end}"


def waiting_text(run: Run, going_on: Sequence[Run]) -> str:
    """Tell why a run does not begin: those that go on leave it no thread, or one of them stops the loop."""
    others = [each for each in going_on if each.action.is_async == run.action.is_async]
    if run.action.is_async:
        return (
            f"Coroutine functions wait, {run.binding} among them: a function stops the loop they share "
            f"({_listed(others)}). Make it a plain function, or let it await what takes long."
        )
    return (
        f"{_occupied([each for each in others if not each.is_stuck], [each for each in others if each.is_stuck])}; "
        f"other jobs wait, {run.binding} among them. Raise `threads`, or make these functions quicker."
    )


def _occupied(busy: Sequence[Run], stuck: Sequence[Run]) -> str:
    """Say what the threads do; for one that is stuck another one stands in, up to a number."""
    if not stuck:
        threads = "The thread is" if len(busy) == 1 else f"All {len(busy)} threads are"
        return f"{threads} busy with {_listed(busy)}"
    hang = f"{_count(len(stuck), 'thread')} {'is' if len(stuck) == 1 else 'are'} stuck in what was given up"
    words = f"{hang} ({_listed(stuck)})"
    if not busy:
        return words
    return f"{_count(len(busy), 'thread')} {'is' if len(busy) == 1 else 'are'} busy with {_listed(busy)}, and {words}"


def _listed(runs: Sequence[Run]) -> str:
    return _some(sorted(each.binding for each in runs))


def _some(names: Sequence[str], noun: str = "") -> str:
    """Name the first ones, and count the rest."""
    more = [f"{len(names) - _NAMED} more {noun}".rstrip()] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
