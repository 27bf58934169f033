"""The package of 2015 had the same name: find what is left of it, because it would be imported or run instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import slack_alert

if TYPE_CHECKING:
    from slack_alert.cli.findings import Finding

_ADVICE = (
    "run `pip uninstall slack-alert` until nothing is left, then install this one again from its source: "
    "on PyPI the name is still the 2015 package's"
)


def shadows(search_path: Sequence[str]) -> Iterator[Finding]:
    """Look along the import path for the old module and for the old distribution."""
    from slack_alert.cli.findings import Finding

    found = [f"{module}: the module of 2015" for module in _modules(search_path)]
    found += [f"slack-alert {version}: the package of 2015" for version in _versions(search_path)]
    for message in found:
        yield Finding("installation", "fail", message, _ADVICE)
    if not found:
        yield Finding("installation", "ok", f"{Path(slack_alert.__file__).parent}, nothing shadows it")


def _modules(search_path: Sequence[str]) -> Iterator[Path]:
    for folder in dict.fromkeys(search_path):
        module = Path(folder or ".") / "slack_alert.py"
        if module.is_file():
            yield module


def _versions(search_path: Sequence[str]) -> list[str]:
    installed = metadata.distributions(path=list(search_path))
    # Broken installations have no name.
    named = [each for each in installed if re.sub(r"[-_.]+", "-", each.metadata["Name"] or "").lower() == "slack-alert"]
    return sorted({each.version for each in named if each.version.startswith("0.")})
