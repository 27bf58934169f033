from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import click
import pytest

from slack_alert.channels.slack.errors import TABLE
from slack_alert.channels.slack.manifest import CHAT_SCOPES, SCOPES
from slack_alert.cli import exit_codes
from slack_alert.cli.main import COMMANDS, cli
from slack_alert.core.catalog import Severity
from slack_alert.core.explain.job_status import JobStatus
from slack_alert.core.model.message import Status
from slack_alert.core.model.record import Verdict
from slack_alert.core.retry import SendStatus
from slack_alert.engine.context.context import Context
from slack_alert.loader.parsing.literals import KEYWORDS, LATER_KEYWORDS
from slack_alert.schedulers import MODULES
from slack_alert.settings import KEYS
from tests.docs.book import ROOT, Page

DOCS = ROOT / "docs"
SOURCE = ROOT / "slack_alert"
CONTEXT = SOURCE / "engine" / "context" / "context.py"


def page(name: str) -> str:
    return Page(DOCS / name).text


def quoted(text: str) -> set[str]:
    """Find what stands between backticks, one word or several."""
    return {word for span in re.findall(r"`([^`\n]+)`", text) for word in (span, *re.split(r"[\s,=(]+", span))}


def first_cells(text: str) -> list[str]:
    """Return the first cell of each row of the tables in a text."""
    rows = re.findall(r"^\| (.*?) \|", text, flags=re.MULTILINE)
    return [row for row in rows if row != "---"]


def missing(names: Iterable[str], text: str) -> list[str]:
    return sorted(set(names) - quoted(text))


def flags() -> dict[str, list[str]]:
    """Return the spellings of every option, by command."""
    found: dict[str, list[str]] = {"": _spellings(cli)}
    waiting: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        waiting.append((name, command))
    while waiting:
        name, command = waiting.pop()
        found[name] = _spellings(command)
        if isinstance(command, click.Group):
            waiting += [(f"{name} {verb}", inner) for verb, inner in command.commands.items()]
    return found


def _spellings(command: click.Command) -> list[str]:
    return [spelling for each in command.params if isinstance(each, click.Option) for spelling in each.opts]


FLAGS: Mapping[str, list[str]] = flags()


@pytest.mark.parametrize("command", sorted(FLAGS))
def test_every_command_and_flag_is_documented(command: str) -> None:
    text = page("reference/cli.md")
    _, found, section = text.partition(f"# {command}\n") if command else ("", "yes", text)
    own = section.partition("\n### ")[0] if command else section
    shared = text.partition("## Commands")[0]

    assert found
    assert missing(FLAGS[command], own + shared) == []


def test_every_setting_is_documented_with_its_flag() -> None:
    text = page("reference/settings.md")

    assert missing((name.removeprefix(f"{key.section}_") for key in KEYS for name in key.spellings), text) == []
    assert missing((key.flag for key in KEYS if key.flag), text) == []
    assert missing((key.also for key in KEYS if key.also), text) == []


def test_settings_without_effect_are_named() -> None:
    """Who reads a setting says `settings.NAME`; members are read as permissions, repositories by the pack of Git."""
    outside = [path for path in SOURCE.rglob("*.py") if "settings" not in path.relative_to(SOURCE).parts]
    source = "".join(path.read_text(encoding="utf-8") for path in outside)
    of_others = {"members": "permissions", "repository": "packs"}
    read = {key: of_others.get(key.kind, key.name) for key in KEYS}
    idle = {key.written for key, name in read.items() if not re.search(rf"settings\.{name}\b", source)}
    told = re.findall(r"^.* no effect in this version: .*$", page("reference/settings.md"), re.MULTILINE)

    assert quoted("\n".join(told)) == idle


def test_every_exit_code_is_documented() -> None:
    known = sorted(value for value in vars(exit_codes).values() if isinstance(value, int))

    assert sorted(int(cell) for cell in first_cells(page("reference/exit-codes.md")) if cell.isdigit()) == known


def test_every_problem_code_is_documented_with_an_example() -> None:
    text = page("reference/problem-codes.md")
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py")))
    known = sorted(set(re.findall(r'"(SA\d{3})"', source)))

    assert re.findall(r"^### (SA\d{3})$", text, flags=re.MULTILINE) == known
    assert re.findall(r"^```(?:python|ini|toml) (SA\d{3})$", text, flags=re.MULTILINE) == known
    assert [severity for severity in Severity if severity.value not in text] == []


def test_every_verdict_is_documented() -> None:
    shown = [cell.strip("`") for cell in first_cells(page("reference/verdicts.md"))[1:]]

    assert sorted(shown) == sorted(verdict.value for verdict in Verdict if verdict is not Verdict.GO)


def test_every_keyword_is_documented() -> None:
    assert missing(KEYWORDS, page("reference/keywords.md")) == []


def test_keywords_without_effect_are_listed_apart() -> None:
    before, _, after = page("reference/keywords.md").partition("\n## Not there yet\n")
    listed = quoted("\n".join(first_cells(after.partition("\n## ")[0])))

    assert sorted(LATER_KEYWORDS) == sorted(listed & set(KEYWORDS))
    assert quoted("\n".join(first_cells(before))) & LATER_KEYWORDS == set()


def test_every_word_of_slack_is_documented() -> None:
    assert missing(TABLE, page("howto/troubleshoot.md")) == []
    assert missing({*SCOPES, *CHAT_SCOPES}, page("reference/slack.md")) == []


def test_every_fate_of_a_message_is_documented() -> None:
    refused = [fate.value for fate in SendStatus if fate is not SendStatus.SENT]

    assert sorted(first_cells(page("reference/slack.md").partition("## What a refusal")[2])[1:]) == sorted(refused)


def test_every_state_is_documented() -> None:
    assert missing((state.value for state in JobStatus), page("reference/json.md")) == []
    assert missing((status.value for status in Status), page("howto/history-and-outbox.md")) == []


def test_everything_of_ctx_is_documented() -> None:
    public = {name for name in vars(Context) if not name.startswith("_")}
    given = set(re.findall(r"self\.([a-z]\w*)\b.* = ", CONTEXT.read_text(encoding="utf-8")))

    assert given == {"by", "config", "event", "log", "now", "program", "reply_to", "store"}
    assert missing((f"ctx.{name}" for name in public | given), page("howto/use-ctx.md")) == []


def test_every_scheduler_is_documented() -> None:
    assert missing(MODULES, page("howto/choose-a-scheduler.md")) == []


def test_every_json_command_is_documented() -> None:
    reading = sorted(name for name, spellings in FLAGS.items() if name and "--json" in spellings)

    assert sorted(re.findall(r"^## (\w+(?: \w+)?)$", page("reference/json.md"), flags=re.MULTILINE)) == reading


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("0*.md")), ids=lambda path: path.stem)
def test_decisions_say_what_why_instead_of_what_and_what_follows(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"^\*\*(What follows|What|Why|Instead of what)\b", text, flags=re.MULTILINE) == [
        "What",
        "Why",
        "Instead of what",
        "What follows",
    ]
    assert 20 <= len(text.splitlines()) <= 40
    assert path.name in page("decisions/index.md")
