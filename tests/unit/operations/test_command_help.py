"""What `help` says: by what somebody may run, and by what he uses most."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.core.commands.answers import FormerRuns
from slack_alert.core.commands.command import Command
from slack_alert.core.errors import BadValue
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.structs import replace
from slack_alert.operations.command_help import details, found_by, often_used, overview, runnable_commands
from tests.fakes.rights import APP, ENV, OPS, asker, command, permissions

T = datetime(2026, 11, 21, 9, 0, tzinfo=timezone.utc)


def said(made: Command, doc: str, *, name: str = "") -> Command:
    return replace(made, name=name or made.name, action=replace(made.action, doc=doc))


DEPLOY = said(command("deploy", APP, ENV), "Put an application somewhere.\n\nExample: deploy shop prod")
DEPLOY = replace(DEPLOY, examples=("deploy shop prod",))
MERGE = said(command("pr merge"), "Merge a pull request.")
STATUS = said(command("status", is_reading=True), "Tell how the program is.", name="chat.status")
VAULT = replace(command("vault"), is_hidden=True)
EVERY = [STATUS, DEPLOY, MERGE, VAULT]


def test_only_what_somebody_may_run_with_some_arguments_is_listed_and_nothing_hidden() -> None:
    given = permissions({"deploy env:prod": "U1", "deploy": "U1, U2", "vault": "members"})

    def listed(user: str) -> list[str]:
        return [each.words for each in runnable_commands(EVERY, given, asker(user), OPS)]

    assert listed("U1") == ["status", "deploy"]
    assert listed("U2") == ["status", "deploy"]
    assert listed("U3") == ["status"]


def test_what_is_used_most_stands_in_front_and_verbs_behind() -> None:
    used = often_used(["pr merge 12", "status", "status", "PR merge 3", "deploy shop", "nothing known"], EVERY)

    assert used == {"app.pr_merge": 2, "chat.status": 2, "app.deploy": 1}
    assert overview([STATUS, DEPLOY, MERGE], used).splitlines() == [
        "`pr merge` Merge a pull request.",
        "`deploy` Put an application somewhere.",
        "",
        "`status` Tell how the program is.",
        "",
        "`help WORD` has more about one.",
    ]


def test_a_long_list_is_cut_and_says_so() -> None:
    many = [command(f"do{number}") for number in range(50)]

    lines = overview(many, {}).splitlines()

    assert len(lines) == 20 + 3
    assert lines[20] == "… and 30 more: `help WORD` finds them."


def test_a_verb_whose_words_a_plugin_has_is_listed_by_its_full_name() -> None:
    own = said(command("status"), "Ours.")

    assert overview([STATUS, own], {}).splitlines()[:3] == [
        "`status` Ours.", "", "`chat.status` Tell how the program is.",
    ]  # fmt: skip


def test_who_may_run_nothing_reads_that() -> None:
    assert overview([], {}) == "There is nothing you may run here."


@pytest.mark.parametrize(
    ("text", "expected"),
    [("deploy", [DEPLOY]), ("app.deploy", [DEPLOY]), ("Pull request", [MERGE]), ("prod", [DEPLOY]), ("merge", [MERGE])],
)
def test_names_docstrings_examples_and_choices_are_searched(text: str, expected: list[Command]) -> None:
    found = found_by(text, EVERY)

    assert (found if isinstance(found, list) else [found]) == expected


def test_a_word_that_is_nowhere_is_answered_with_the_nearest_command() -> None:
    with pytest.raises(BadValue, match="No command that you may run is about 'deplyo'") as raised:
        found_by("deplyo", EVERY)

    assert raised.value.hint == "Did you mean deploy?"


def test_a_command_is_told_with_its_usage_who_may_and_how_it_went() -> None:
    given = permissions({"deploy": "U1"})
    last = [
        Record(n, "app.deploy", T + timedelta(minutes=n), verdict)
        for n, verdict in enumerate([Verdict.SAID, Verdict.ERROR])
    ]
    former = FormerRuns(timedelta(seconds=58), 47, 50)

    assert details(DEPLOY, given, EVERY, former=former, last=last, zone=timezone.utc, now=T).splitlines() == [
        "`deploy APP [ENV=staging|prod]`",
        "Put an application somewhere.",
        "Example: `deploy shop prod`",
        "Who may: U1, the terminal",
        "How it goes: usually 58 s, 47 of the last 50 succeeded",
        "Last runs: 09:01 error, 09:00 said",
    ]


def test_where_it_depends_on_arguments_the_lines_are_told() -> None:
    given = permissions({"deploy app:shop": "U1"})

    told = details(DEPLOY, given, EVERY, former=FormerRuns(), last=[], zone=timezone.utc, now=T)

    assert "Who may: `deploy app:shop = U1`" in told
