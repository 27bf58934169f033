"""Play a page through: write the files it shows, run the commands it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.docs.book import Block, Exchange, Page, exchanges
from tests.docs.project import Project
from tests.fakes.slack import FakeSlack

_TOKEN, _APP_TOKEN = re.compile(r"xoxb-[\w-]+"), re.compile(r"xapp-[\w-]+")
FILES = frozenset({"python", "ini", "toml"})


def performed(page: Page, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[Block, str]]:
    """Yield each console block with what it would show now; equal to its text where nothing that matters differs."""
    token = _TOKEN.search(page.text)
    with FakeSlack(token=token[0]) if token else nullcontext() as slack:
        if slack is not None and (app_token := _APP_TOKEN.search(page.text)):
            slack.workspace.app_token = app_token[0]
        project = Project(folder, patch, slack.url if slack else "")
        for block in page.blocks():
            if block.language in FILES and block.note.endswith((".py", ".conf", ".toml")):
                project.write(block.note, block.text)
            elif block.language == "console":
                yield block, "".join(_played(project, each) for each in exchanges(block.text))


def _played(project: Project, exchange: Exchange) -> str:
    likeness = project.likeness(exchange.command)
    printed = project.run(exchange.command, exchange.output)
    shown = exchange.output if likeness.agrees(exchange.output, printed) else likeness.for_page(printed)
    return f"$ {exchange.command}\n{shown}" + ("" if shown.endswith("\n") or not shown else "\n")
