"""The buttons of an alert: what people most often do about one, each the line that they could type instead."""

from __future__ import annotations

from functools import lru_cache

from slack_alert.core.bindings import Job
from slack_alert.core.model.message import Button, Message
from slack_alert.core.schedule.triggers import Never
from slack_alert.core.structs import replace


def alert_buttons(job: Job, *, is_acknowledged: bool = False) -> tuple[Button, ...]:
    """Return the buttons of an alert; what is acknowledged is not acknowledged again."""
    if _is_external(job):
        return ()
    buttons = _buttons(job.name)
    return buttons[1:] if is_acknowledged else buttons


def error_buttons(job: Job) -> tuple[Button, ...]:
    """Return the buttons of an error card; it opens no incident, so there is nothing to acknowledge."""
    return alert_buttons(job, is_acknowledged=True)


def without_buttons(message: Message) -> Message:
    """Return the message for a channel without a door that takes what is pressed."""
    return replace(message, buttons=()) if message.buttons else message


def _is_external(job: Job) -> bool:
    """Return whether it is an external program, which is run by nobody but itself."""
    return isinstance(job.trigger, Never) and job.rule is None


@lru_cache(maxsize=1024)
def _buttons(job: str) -> tuple[Button, ...]:
    return (
        Button("Acknowledge", "ack", job),
        Button("Mute 1 h", "mute", job, "for 1h"),
        Button("Run again", "run", job),
        Button("Why", "why", job),
    )
