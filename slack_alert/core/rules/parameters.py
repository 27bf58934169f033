"""The parameters that a function takes of an event."""

from __future__ import annotations

from collections.abc import Mapping

from slack_alert.core.errors import SlackAlertError
from slack_alert.core.model.run import Action
from slack_alert.core.rules.templates import filled
from slack_alert.core.units.humanize import plural


class MissingParameters(SlackAlertError):
    """An event has not the fields that a function requires."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(
            f"the event has no {plural(len(names), 'field')} {', '.join(names)}, which the function requires"
        )
        self.names = names


def parameters_of(action: Action, event: Mapping[str, object]) -> dict[str, object]:
    """Return what a function is called with for an event.

    Raise MissingField or MissingParameters where the event has not what it needs.
    """
    made = action.params or {}
    given = {name: event[name] for name in action.parameters if name in event and name not in made}
    for name, template in made.items():
        given[name] = filled(template, event, f"the parameter {name}")
    missing = tuple(name for name in action.required if name not in given)
    if missing:
        raise MissingParameters(missing)
    return given
