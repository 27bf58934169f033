"""`slack-alert check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import DISPLAY_SETTINGS, effective_settings
from slack_alert.cli.session import own_output
from slack_alert.core.structs import asdict
from slack_alert.core.units.humanize import counted
from slack_alert.operations.as_json import job_json, trigger

if TYPE_CHECKING:
    from slack_alert.cli.plan.budget import Budget
    from slack_alert.core.bindings import Binding
    from slack_alert.core.catalog import Catalog, Problem
    from slack_alert.settings import Settings


@click.command()
@common
@click.option("--load", "is_loaded", is_flag=True, help="Compile and execute the modules as well.")
@click.option("--budget", "is_weighed", is_flag=True, help="Fail where more may be said in a minute than can be.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def check(ctx: click.Context, /, *, is_loaded: bool, is_weighed: bool, as_json: bool, **flags: object) -> int:
    """Read every plugin without executing any; print jobs and problems. Exit 1 when any problem is an error."""
    settings = effective_settings(remember(ctx, flags), concerns=None if is_weighed else DISPLAY_SETTINGS, plans=True)
    with own_output(settings) as out:
        catalog = _read(settings, is_loaded=is_loaded)
        budget = None
        if is_weighed:
            from slack_alert.cli.plan.budget import make_budget

            budget = make_budget(settings, catalog)
        if as_json:
            echo_json({**document(catalog), **(budget.json() if budget else {})}, out)
        else:
            show_catalog(catalog, out)
            _show_budget(budget, out)
    is_over = budget is not None and budget.is_over
    return exit_codes.FOUND if catalog.has_errors or is_over else exit_codes.FINE


def document(catalog: Catalog) -> dict[str, object]:
    """Return the document of `check --json`."""
    return {
        "jobs": [job_json(bindings) for bindings in catalog.functions()],
        "problems": [problem_json(problem) for problem in catalog.problems],
    }


def problem_json(problem: Problem) -> Mapping[str, object]:
    """Return a problem as JSON."""
    fields = asdict(problem)
    order = ("file", "line", "column", "severity", "code", "message", "hint")
    return {name: str(fields[name]) if name == "severity" else fields[name] for name in order}


def _read(settings: Settings, *, is_loaded: bool) -> Catalog:
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.cli.output.progress_bar import loading

    if not is_loaded:
        return plugin_loading.survey_plugins(settings)
    with loading() as progress:
        return plugin_loading.load_plugins(settings, progress)


def show_catalog(catalog: Catalog, out: TextIO) -> None:
    """Print what a catalog has, and what is wrong with it, for people."""
    from slack_alert.cli.output.text_tables import Cell, table

    found = catalog.functions()
    if found:
        rows = [
            (Cell(each[0].name, "bold"), each[0].kind, trigger(each), f"{each[0].action.file}:{each[0].action.line}")
            for each in found
        ]
        echo(table(("NAME", "KIND", "TRIGGER", "PLACE"), rows, out, flexible=(2,)) + "\n", out)
    for problem in catalog.problems:
        echo(_painted(problem, out), out)
    echo(_summary(catalog, found), out)


def _show_budget(budget: Budget | None, out: TextIO) -> None:
    from slack_alert.cli.output.text_tables import paint

    if budget is not None:
        for line in budget.over_lines():
            echo(paint(line, "red", out), out)
        for line in budget.other_lines():
            echo(line, out)


def _painted(problem: Problem, out: TextIO) -> str:
    from slack_alert.cli.output.text_tables import Style, paint

    styles: dict[str, Style] = {"error": "red", "warning": "yellow"}
    return paint(str(problem), styles.get(str(problem.severity), ""), out)


def _summary(catalog: Catalog, found: Sequence[Sequence[Binding]]) -> str:
    kinds = Counter(each[0].kind for each in found) or Counter({"job": 0})
    severities = Counter(str(problem.severity) for problem in catalog.problems)
    parts = [counted(number, kind) for kind, number in kinds.items()]
    parts += [counted(severities[level], level) for level in ("error", "warning", "notice") if severities[level]]
    return ", ".join(parts if severities else [*parts, "no problems"]) + "."
