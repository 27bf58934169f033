from __future__ import annotations

import io

import click

from slack_alert.cli.output.streams import use_redaction
from slack_alert.cli.output.text_tables import Cell, table
from slack_alert.core.redaction.redaction import Redaction


def test_a_secret_is_removed_from_its_cell_alone_before_the_widths_are_measured() -> None:
    rows: list[tuple[str, str | Cell]] = [
        ("a", Cell("uses swordfish99,\nthen b", "bold")),
        ("with \0", "swordfish98"),
        ("", "c"),
    ]
    with click.Context(click.Command("jobs")):
        use_redaction(Redaction(["swordfish99"]))
        shown = table(("JOB", "TEXT"), rows, io.StringIO(), flexible=())

    assert shown.splitlines() == [
        "JOB     TEXT",
        "a       uses [secret], then b",
        "with \ufffd  swordfish98",
        "        c",
    ]
