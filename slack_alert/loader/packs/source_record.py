"""Where an installed pack is from: a file beside its own, which goes with it."""

from __future__ import annotations

import json
from pathlib import Path

from slack_alert.core.structs import Struct

SOURCE = ".source.json"


class PackSource(Struct, frozen=True):
    """The origin of an installed pack."""

    #: A folder, or the address of a repository, without a password.
    source: str
    #: Of a repository; empty for a folder.
    commit: str = ""

    def __str__(self) -> str:
        """Return it as text for people."""
        return f"{self.source}@{self.commit[:12]}" if self.commit else self.source


def source_of(folder: Path) -> PackSource | None:
    """Return where the pack in a folder is from; None if it was not installed."""
    try:
        found = json.loads((folder / SOURCE).read_text(encoding="utf-8"))
        return PackSource(str(found["source"]), str(found["commit"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def record_source(folder: Path, source: PackSource) -> None:
    """Write where the pack in a folder is from."""
    content = json.dumps({"source": source.source, "commit": source.commit})
    (folder / SOURCE).write_text(f"{content}\n", encoding="utf-8")
