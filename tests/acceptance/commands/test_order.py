"""Every option stands before or after the command, also those that only one command knows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import click
import pytest

from slack_alert.cli.main import COMMANDS, cli
from slack_alert.cli.option_order import move_options
from slack_alert.core.model.record import Record, Verdict
from slack_alert.engine.batches import Batch
from tests.fakes.project import Project, ago


def arranged(*words: str) -> list[str]:
    return move_options(cli, COMMANDS, lambda name: cli.get_command(click.Context(cli), name), words)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--since 1h history", "history --since 1h"),
        ("--limit 3 history lag", "history --limit 3 lag"),
        ("--limit=3 --path x history", "--path x history --limit=3"),
        ("--post trigger day", "trigger --post day"),
        ("--load check", "check --load"),
        ("--to x send hi", "send --to x hi"),
        ("--to send send hi", "send --to send hi"),
        ("--for 1h pause day", "pause --for 1h day"),
        ("--outcome a=quiet --execute --until 9:00 simulate", "simulate --outcome a=quiet --execute --until 9:00"),
        ("--all outbox", "outbox --all"),
        ("--all outbox retry 1", "outbox --all retry 1"),
        ("--channel run --since 1h history", "--channel run history --since 1h"),
        ("-cx.conf -s NAME --since 1h history", "-cx.conf -s NAME history --since 1h"),
        ("history --since 1h", "history --since 1h"),
        ("--json --path x check", "--json --path x check"),
        ("--path check", "--path check"),
        ("--since 1h check", "--since 1h check"),
        ("--bogus history", "--bogus history"),
        ("--since 1h", "--since 1h"),
        ("send -- --to", "send -- --to"),
        ("", ""),
    ],
)
def test_options_only_the_command_knows_are_moved_behind_its_name(words: str, expected: str) -> None:
    assert arranged(*words.split()) == expected.split()


@pytest.mark.parametrize(
    ("options", "command"),
    [
        (("--since", "90m"), ("history", "--json")),
        (("--limit", "1"), ("history", "--json")),
        (("--load",), ("check", "--json")),
        (("--since", "2026-03-02T09:00", "--until", "2026-03-02T10:00"), ("simulate",)),
        (("--since", "2026-03-02T09:00", "--outcome", "lag=quiet", "--limit", "1"), ("simulate",)),
        (("--all",), ("outbox",)),
        (("--for", "0"), ("pause", "lag")),
    ],
)
def test_both_orders_mean_the_same(options: tuple[str, ...], command: tuple[str, ...], project: Project) -> None:
    records = [Record(number, "db.lag", ago(hours=3 - number), Verdict.SAID) for number in (1, 2)]
    project.remember(Batch(records=records))

    before, after = project.run(*options, *command), project.run(*command, *options)

    assert (before.code, before.out) == (after.code, after.out)


def test_a_message_goes_where_an_option_before_the_command_says(project: Project) -> None:
    assert project.run("--to", "#dev", "send", "hello").code == 0
    assert [line["to"] for line in project.run("outbox", "--json").json_lines] == ["#dev"]


def test_a_pause_lasts_as_an_option_before_the_command_says(project: Project) -> None:
    project.run("--for", "1h", "pause", "lag")

    lag = next(job for job in project.run("jobs", "--json").json["jobs"] if job["name"] == "db.lag")
    end = datetime.fromisoformat(lag["paused_until"])
    assert timedelta(minutes=59) < end - datetime.now(timezone.utc) < timedelta(minutes=61)


@pytest.mark.parametrize("words", [("--bogus", "history"), ("--since", "1h", "check"), ("--since", "1h")])
def test_an_option_nobody_knows_is_still_refused(words: tuple[str, ...], project: Project) -> None:
    done = project.run(*words)

    assert (done.code, done.out) == (2, "")
    assert f"No such option: {words[0]}" in done.err or f"No such option '{words[0]}'" in done.err
