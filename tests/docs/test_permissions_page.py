"""The page about permissions is held against what is decided."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slack_alert.core.commands.denials import explain
from slack_alert.core.commands.permission_checks import check
from slack_alert.core.commands.permission_lines import Conversation
from slack_alert.core.commands.permissions import Decision, Permissions, decide
from slack_alert.core.commands.roles import BUILT_IN
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.model.asked import AccountStatus, Asker, Identity
from slack_alert.settings import load_settings
from tests.docs.book import ROOT, Block, Page
from tests.fakes.rights import ENV, command

PAGE = Page(ROOT / "docs" / "howto" / "permissions.md")
COMMANDS = {
    each.words: each
    for each in (
        command("deploy", ENV),
        command("cancel"),
        command("run", Parameter("job")),
        command("jobs", is_reading=True),
    )
}
ROWS = [row for row in re.findall(r"^\| (`.*) \|$", PAGE.prose(), re.MULTILINE) if row.endswith(("yes", "no"))]
QUOTES = [" ".join(each.replace(">", "").split()) for each in re.findall(r"(?:^> .*\n)+", PAGE.text, re.MULTILINE)]


CODES = Page(ROOT / "docs" / "reference" / "problem-codes.md")


@pytest.mark.parametrize(
    "block",
    [each for each in CODES.blocks() if each.language == "ini" and each.note.startswith("SA3")],
    ids=lambda each: each.note,
)
def test_examples_of_problems_have_them(block: Block, tmp_path: Path) -> None:
    """The command is `deploy` with `env`; of SA304 its marker names a role, of SA305 it is an alias, too."""
    (tmp_path / "given.conf").write_text(block.text, encoding="utf-8")
    flags = {"config": "given.conf"}
    permissions = load_settings(flags, {"TZ": "UTC"}, cwd=tmp_path, home=tmp_path).settings.permissions
    commands = [command("deploy", ENV, allow=("opps",) if block.note == "SA304" else ())]
    commands += [command("status", aliases=("deploy",))] if block.note == "SA305" else []

    assert [problem.code for problem in check(permissions, commands)] == [block.note]


@pytest.fixture
def given(tmp_path: Path) -> Permissions:
    (block,) = [block for block in PAGE.blocks() if block.note == "permissions.conf"]
    (tmp_path / "permissions.conf").write_text(block.text, encoding="utf-8")
    flags = {"config": "permissions.conf"}
    return load_settings(flags, {"TZ": "UTC"}, cwd=tmp_path, home=tmp_path).settings.permissions


def person(text: str, *, is_unknown: bool = False) -> Asker:
    account, *groups = re.findall(r"`([^`]+)`", text)
    service, _, user = account.rpartition(":")
    standing = AccountStatus.GUEST if "guest" in text else AccountStatus.MEMBER
    found = frozenset(group for group in groups if group.startswith("S"))
    identity = Identity(service or "slack", "", user)
    return Asker(identity, standing, frozenset() if is_unknown else found, found if is_unknown else frozenset())


def decided(given: Permissions, who: Asker, asked: str, where: str) -> Decision:
    words, *arguments = asked.split()
    values = dict(argument.split("=") for argument in arguments)
    return decide(given, who, COMMANDS[words], values, Conversation("slack", "C1", where.removeprefix("#")))


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_the_table_is_decided_so(row: str, given: Permissions) -> None:
    who, asked, where, answer = row.split(" | ")

    decision = decided(given, person(who), asked.replace("`", ""), where.strip("`"))

    assert decision.is_allowed == (answer == "yes")


def test_the_table_was_found() -> None:
    assert len(ROWS) > 10


def test_denials_are_told_as_the_page_says(given: Permissions) -> None:
    in_a_group = person("`U1` of `S789`", is_unknown=True)

    assert [
        explain(decided(given, who, asked, where), given.roles)
        for who, asked, where in (
            (in_a_group, "deploy env=staging", "#ops"),
            (person("`U123`"), "deploy env=prod", "#ops"),
            (person("`U123`"), "cancel", "#random"),
            (person("`U222`"), "run job=report", "#ops"),
        )
    ] == QUOTES


def test_the_built_in_roles_are_in_their_table() -> None:
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \|$", PAGE.prose(), re.MULTILINE) == [*BUILT_IN]
