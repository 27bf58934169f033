"""Turn what people write as a file into a path, and a path into what people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slack_alert.core.errors import BadValue
from slack_alert.settings.model import SQLITE
from slack_alert.settings.secret import quoted


def is_there(path: Path) -> bool:
    """Say whether a path exists as far as this user can see; HOME may be a folder of somebody else."""
    try:
        return path.exists()
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the program was started, and by whom."""

    cwd: Path
    home: Path

    def find(self, text: str, folder: Path) -> Path:
        """Resolve a written path; a relative one is in `folder`, `~` is the home folder."""
        if text == "~" or text.startswith(("~/", "~\\")):
            return (self.home / text[2:]).resolve()
        return (folder / text).resolve()

    def show(self, path: Path) -> str:
        """Name a path as shortly as it can be found again from here."""
        if path.is_relative_to(self.cwd):
            return str(path.relative_to(self.cwd))
        if path.is_relative_to(self.home):
            return str("~" / path.relative_to(self.home))
        return str(path)

    def user_conf(self, environ: Mapping[str, str], *, posix: bool) -> Path:
        """Name the user's own configuration file, there or not."""
        if not posix:
            return self.home / ".slack_alert.conf"
        # The XDG rules: a relative XDG_CONFIG_HOME is to be ignored.
        folder = Path(environ.get("XDG_CONFIG_HOME", ""))
        return (folder if folder.is_absolute() else self.home / ".config") / "slack_alert.conf"

    def database(self, text: str, folder: Path) -> str:
        """Make the URL of an SQLite file absolute; a server's stays as it is."""
        if text.startswith(_SERVERS):
            return text
        written = text.removeprefix(SQLITE)
        if written == text or written in {"", ":memory:"}:
            raise BadValue(
                f"{quoted(text)} is not the URL of a database",
                hint="Write sqlite:///FILE (a relative file is below path) or postgresql://HOST/NAME.",
            )
        return f"{SQLITE}{self.find(written, folder).as_posix()}"


_SERVERS = ("postgresql://", "postgres://")
