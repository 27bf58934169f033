from __future__ import annotations

import ast
from pathlib import Path

import slack_alert

SOURCE = Path(slack_alert.__file__).parent
DOORS = ("slack_alert.web", "slack_alert.channels.slack.inbound", "slack_alert.bootstrap.web_side", "tornado")
#: What is itself imported only where the web server listens.
BEHIND = {"web_side.py"}


def imported_at_once(file: Path) -> set[str]:
    """Return the modules that a module imports when it is imported itself."""
    module = ast.parse(file.read_text(encoding="utf-8"))
    found = {each.module or "" for each in module.body if isinstance(each, ast.ImportFrom)}
    return found | {name.name for each in module.body if isinstance(each, ast.Import) for name in each.names}


def test_a_program_without_doors_imports_none() -> None:
    outside = [
        file
        for file in SOURCE.rglob("*.py")
        if not file.is_relative_to(SOURCE / "web") and "inbound" not in file.parts and file.name not in BEHIND
    ]
    found = {file.name: name for file in outside for name in imported_at_once(file) if name.startswith(DOORS)}

    assert found == {}
