"""What the program says unasked: faulty plugin files, and runs missed while it was down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from slack_alert.core.catalog import Problem

#: Names told in one line; the rest is counted.
_NAMED = 10


def faults_text(problems: Sequence[Problem]) -> str:
    """Tell what keeps functions or files out, all in one message."""
    head = f"{_count(len(problems), 'problem')} in plugin files; everything else runs:"
    return "\n".join([head, *(str(problem) for problem in problems)])


def downtime_text(
    missed: Mapping[str, int], interrupted: Sequence[str], *, since: datetime | None, now: datetime, zone: tzinfo
) -> str:
    """Tell in one line which runs did not happen while the program was down."""
    names = [f"{name} ({number})" for name, number in sorted(missed.items(), key=lambda item: (-item[1], item[0]))]
    if len(names) > _NAMED:
        names = [*names[:_NAMED], f"{len(names) - _NAMED} more jobs"]
    span = f"from {_local(since, zone)} to {_local(now, zone)}" if since is not None else f"until {_local(now, zone)}"
    text = f"Not running {span}: {_count(sum(missed.values()), 'run')} missed: {', '.join(names)}."
    if interrupted:
        text += f" Cut off: {', '.join(sorted(interrupted))}."
    return text


def _local(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%a %d %b %H:%M")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
