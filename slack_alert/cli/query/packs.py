"""`slack-alert packs`, `actions` and `sensors`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.plan.check import problem_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.units.humanize import counted
from slack_alert.operations.as_json import job_json, trigger

if TYPE_CHECKING:
    from slack_alert.core.catalog import Catalog
    from slack_alert.operations.packs import ActionLine, PackLine
    from slack_alert.settings import Settings


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def packs(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """List the packs: what is in them, where they are from, and whether they are loaded."""
    from slack_alert.operations.packs import list_packs

    settings, catalog = _catalog(ctx, flags)
    lines = list_packs(catalog)
    if as_json:
        echo_json({"packs": [_pack_json(line) for line in lines]})
    elif lines:
        _show_packs(lines)
    else:
        echo(f"No packs in {settings.path / 'packs'}. `slack-alert pack new NAME` writes one.")
    return exit_codes.FINE if all(line.is_loaded for line in lines) else exit_codes.FOUND


@click.command()
@common
@click.option("--pack", "pack", default="", metavar="NAME", help="Only those of this pack.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def actions(ctx: click.Context, /, *, pack: str, as_json: bool, **flags: object) -> int:
    """List the functions that `slack-alert trigger` runs by hand, with what they take."""
    from slack_alert.operations.packs import list_actions

    _, catalog = _catalog(ctx, flags)
    lines = list_actions(catalog, pack)
    if as_json:
        echo_json({"actions": [_action_json(line) for line in lines]})
    elif lines:
        _show_actions(lines)
    else:
        echo("No functions in plugins/ or packs/ that could be run.")
    return exit_codes.FINE


def _catalog(ctx: click.Context, flags: dict[str, object]) -> tuple[Settings, Catalog]:
    from slack_alert.bootstrap import plugin_loading

    settings = effective_settings(remember(ctx, flags))
    return settings, plugin_loading.survey_plugins(settings)


def _pack_json(line: PackLine) -> dict[str, object]:
    pack, manifest = line.pack, line.pack.manifest
    return {
        "name": pack.name,
        "version": manifest.version,
        "description": manifest.description,
        "origin": pack.origin,
        "source": pack.source or None,
        "folder": pack.shown,
        "is_loaded": line.is_loaded,
        "fault": dict(zip(("code", "message"), pack.fault, strict=True)) if pack.fault else None,
        "config": {each.name: _field_json(line, each.name) for each in manifest.config},
        "events": sorted(f"{pack.name}.{name}" for name in manifest.events),
        "functions": [each[0].name for each in line.functions],
        "problems": [problem_json(problem) for problem in line.problems],
    }


def _field_json(line: PackLine, name: str) -> dict[str, object]:
    (found,) = (each for each in line.pack.manifest.config if each.name == name)
    return {"type": str(found.type), "required": found.is_required, "is_set": name in line.pack.config}


def _action_json(line: ActionLine) -> dict[str, object]:
    action = line.bindings[0].action
    return {**job_json(line.bindings), "parameters": list(action.parameters), "summary": line.summary}


def _show_packs(lines: Sequence[PackLine]) -> None:
    from slack_alert.cli.output.text_tables import Cell, table

    rows = [
        (
            Cell(line.pack.name, "bold"),
            line.pack.manifest.version or "-",
            line.pack.source or line.pack.origin,
            ", ".join(counted(number, kind) for kind, number in line.kinds.items()) or "-",
            Cell("loaded", "green") if line.is_loaded else Cell("not loaded", "red"),
            line.pack.manifest.description,
        )
        for line in lines
    ]
    echo(table(("PACK", "VERSION", "FROM", "FUNCTIONS", "STATE", "DESCRIPTION"), rows, sys.stdout, flexible=(5, 2, 3)))
    for line in lines:
        if line.pack.fault:
            echo(f"{line.pack.name}: {': '.join(line.pack.fault)}. See `slack-alert check`.", sys.stderr)


def _show_actions(lines: Sequence[ActionLine]) -> None:
    from slack_alert.cli.output.text_tables import Cell, table

    rows = [
        (
            Cell(line.bindings[0].name, "bold"),
            trigger(line.bindings),
            " ".join(line.bindings[0].action.parameters) or "-",
            line.summary,
        )
        for line in lines
    ]
    echo(table(("ACTION", "RUNS BY ITSELF", "TAKES", "WHAT IT DOES"), rows, sys.stdout, flexible=(3, 1)))
