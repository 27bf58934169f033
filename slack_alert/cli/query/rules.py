"""`slack-alert rules`, and `slack-alert rule test EVENT.json`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.operations.as_json import instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slack_alert.core.rules.criteria import Finding
    from slack_alert.operations.rules import JudgedRule


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def rules(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """List the rules: the events that each wants, and its criteria."""
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.operations.rules import rules as find
    from slack_alert.operations.rules import shown_criteria

    settings = effective_settings(remember(ctx, flags), concerns=None)
    found = [(job, job.rule) for job in find(plugin_loading.survey_plugins(settings)) if job.rule is not None]
    if as_json:
        documents = [
            {
                "name": job.name,
                "file": job.action.file,
                "line": job.action.line,
                "on": list(rule.on),
                "options": dict(job.options),
            }
            for job, rule in found
        ]
        echo_json({"rules": documents})
        return exit_codes.FINE
    if not found:
        echo('No rules: a function with @deco(on="disk.full") is one.')
        return exit_codes.FINE
    from slack_alert.cli.output.text_tables import Cell, table

    rows = [
        (
            Cell(job.name, "bold"),
            f"no {', '.join(rule.on)}" if job.is_absence else ", ".join(rule.on),
            shown_criteria(rule) or "-",
        )
        for job, rule in found
    ]
    echo(table(("RULE", "EVENT", "CRITERIA"), rows, sys.stdout, flexible=(2,)))
    return exit_codes.FINE


@click.command()
@common
@click.argument("action", type=click.Choice(["test"]), expose_value=False)
@click.argument("event", type=click.File(encoding="utf-8"), metavar="EVENT.json")
@click.option("--rule", "name", metavar="NAME", shell_complete=complete_job, help="Judge by this rule alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def rule(ctx: click.Context, /, *, event: TextIO, name: str | None, as_json: bool, **flags: object) -> int:
    """Judge an event by the rules, and print what each criterion finds; nothing is run, and nothing is kept.

    EVENT.json is a document such as {"name": "disk.full", "fields": {"mount": "/var"}}, a line of `events --json`, or
    with --rule the fields alone; - is standard input. Exit 1 where no rule matches.
    """
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.core.errors import BadValue
    from slack_alert.engine.clock import SystemClock
    from slack_alert.operations.rules import judge, read_event

    settings = effective_settings(remember(ctx, flags), concerns=None)
    lookup, now = plugin_loading.job_lookup(settings), SystemClock().now()
    only = None
    if name is not None:
        found = lookup.jobs(name)
        if len(found) != 1 or found[0].rule is None:
            raise BadValue(f"{name!r} is no rule.", hint="`slack-alert rules` lists them.")
        only = found[0]
    read = read_event(event.read(), now, settings.timezone, only.rule if only is not None else None)
    judged = judge(lookup.catalog, read, now, only)
    is_matched = any(each.decision.is_matched for each in judged)
    if as_json:
        at = instant(read.at, settings.timezone)
        echo_json(
            {"event": read.name, "at": at, "fields": dict(read.fields), "rules": [_json(each) for each in judged]}
        )
    else:
        echo("\n".join(_lines(read.name, judged)))
    return exit_codes.FINE if is_matched else exit_codes.FOUND


def _lines(event: str, judged: Sequence[JudgedRule]) -> Iterator[str]:
    if not judged:
        yield f"No rule waits for {event}."
    for each in judged:
        yield f"{each.job.name}: {_outcome(event, each)}"
        for found in each.findings:
            yield from _finding_lines(found, "  ")


def _outcome(event: str, judged: JudgedRule) -> str:
    if judged.is_other_event and judged.job.rule is not None:
        return f"does not match, as it waits for {', '.join(judged.job.rule.on)} and not for {event}"
    if judged.decision.instead:
        return f"does not match, as {judged.decision.instead} does"
    if judged.job.is_absence:
        return "waited for it" if judged.decision.is_matched else "did not wait for it"
    return "matches" if judged.decision.is_matched else "does not match"


def _finding_lines(found: Finding, indent: str) -> Iterator[str]:
    if found.parts or found.field in ("any", "not", "all"):
        yield f"{indent}{'holds' if found.holds else 'fails'}  {found.field} ({found.wanted})"
        for part in found.parts:
            yield from _finding_lines(part, f"{indent}  ")
        return
    fault = f" ({found.fault})" if found.fault else ""
    actual = "not there" if found.actual is None else found.actual
    yield f"{indent}{'holds' if found.holds else 'fails'}  {found.field} {found.wanted}: {actual}{fault}"


def _json(judged: JudgedRule) -> dict[str, object]:
    decision = judged.decision
    return {
        "rule": judged.job.name,
        "matches": decision.is_matched,
        "instead": decision.instead or None,
        "criteria": [_finding_json(found) for found in judged.findings],
    }


def _finding_json(found: Finding) -> dict[str, object]:
    return {
        "field": found.field,
        "wanted": found.wanted,
        "actual": found.actual,
        "holds": found.holds,
        "fault": found.fault or None,
        **({"parts": [_finding_json(part) for part in found.parts]} if found.parts else {}),
    }
