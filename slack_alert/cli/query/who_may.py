"""Who may run a command, as a table or as JSON: for `slack-alert audit --who-may`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

from slack_alert.cli.output.text_tables import Cell, table
from slack_alert.core.commands.command import Command

if TYPE_CHECKING:
    from slack_alert.core.catalog import Catalog
    from slack_alert.operations.who_may import MayLine, WhoMay
    from slack_alert.settings import Settings


def who_may_table(settings: Settings, catalog: Catalog, text: str, out: TextIO) -> str:
    """Return who may do what a text such as `deploy env:prod` asks for; raise BadValue if it asks for nothing."""
    return "\n".join(_shown(_found(settings, catalog, text), out))


def who_may_json(settings: Settings, catalog: Catalog, text: str) -> Mapping[str, object]:
    """Return the same as one document: command, params, rules, who."""
    found = _found(settings, catalog, text)
    return {
        "command": found.command,
        "params": dict(found.arguments),
        "rules": list(found.rules),
        "who": [_json(line) for line in found.lines],
    }


def _found(settings: Settings, catalog: Catalog, text: str) -> WhoMay:
    from slack_alert.operations.who_may import who_may

    commands = [binding for binding in catalog.bindings if isinstance(binding, Command)]
    return who_may(settings.permissions, commands, text)


def _shown(found: WhoMay, out: TextIO) -> Iterator[str]:
    yield "These rules must all hold:" if len(found.rules) > 1 else "This rule must hold:"
    yield from (f"  {rule}" for rule in found.rules)
    yield ""
    rows = [(line.who, _may(line), ", ".join(line.roles), "; ".join(line.refused_by)) for line in found.lines]
    yield table(("WHO", "MAY", "ROLES", "REFUSED BY"), rows, out, flexible=(3, 2))


def _may(line: MayLine) -> Cell:
    if line.places:
        return Cell(f"in {', '.join(line.places)}", "green")
    return Cell("yes", "green") if line.may else Cell("no", "red")


def _json(line: MayLine) -> dict[str, object]:
    return {
        "who": line.who,
        "roles": list(line.roles),
        "may": line.may,
        "in": list(line.places),
        "refused_by": list(line.refused_by),
    }
