"""`slack-alert doctor`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from slack_alert.channels.console import has_colour
from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.structs import asdict

if TYPE_CHECKING:
    from slack_alert.cli.setup.finding import Finding


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def doctor(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """Look at Python, plugins, database, clock, token, scopes and channels; exit 1 when something must be done."""
    from slack_alert.cli.setup.doctor_checks import examine

    settings = effective_settings(remember(ctx, flags), concerns=None)
    findings = examine(settings, sys.path)
    has_failed = any(finding.status == "fail" for finding in findings)
    if as_json:
        echo_json({"ok": not has_failed, "checks": [asdict(finding) for finding in findings]})
    else:
        echo("\n".join(_lines(findings)))
    return exit_codes.FOUND if has_failed else exit_codes.FINE


def _lines(findings: Sequence[Finding]) -> Iterable[str]:
    from slack_alert.cli.output.text_tables import Style, paint

    styles: dict[str, Style] = {"ok": "green", "warn": "yellow", "fail": "red"}
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        status = paint(f"{finding.status:<4}", styles[finding.status], sys.stdout)
        yield f"{status}  {finding.check:<{width}}  {finding.message}"
        if finding.action:
            arrow = "→" if has_colour(sys.stdout) else "->"
            yield f"{'':<{width + 8}}{arrow} {finding.action}"
    counts = Counter(finding.status for finding in findings)
    yield ""
    yield "All is well." if counts["ok"] == len(findings) else f"{counts['fail']} failed, {counts['warn']} warned."
