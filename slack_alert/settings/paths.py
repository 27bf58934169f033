"""Turn what people write as a file into a path, and a path into what people read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from slack_alert.core.errors import BadValue, SettingsError
from slack_alert.core.structs import Struct
from slack_alert.settings.model import SQLITE
from slack_alert.settings.secret import quoted


def is_there(path: Path) -> bool:
    """Return whether there is such a name as far as this user can see; HOME may be a folder of somebody else.

    A link that leads nowhere is there: what it was to lead to is missing, and nobody shall take that for nothing said.
    """
    try:
        return path.is_symlink() or path.exists()
    except OSError:
        return False


def read_file(path: Path) -> bytes:
    """Read a file that ends; anything else raises OSError, because a pipe or a device may keep its reader for ever."""
    with open(path, "rb", opener=_opened) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) and not os.path.samestat(found, os.stat(os.devnull)):  # noqa: PTH116 - as its neighbour
            raise OSError(errno.EINVAL, "Not a regular file")
        return file.read()


class StartPlace(Struct, frozen=True):
    """Where the program was started, and by whom."""

    cwd: Path
    #: None: this user has none, as in a container whose user has neither HOME nor a name.
    home: Path | None
    #: The same as `cwd`, with the links by which one got there.
    here: Path | None = None

    def locate(self, text: str) -> Path:
        """Return a written folder with its links as they are: what one leads to may change while the program runs.

        A relative one is in the folder in which the program was started.
        """
        path = self._expand(text, self.here or self.cwd)
        # What `..` means depends on where the link before it leads now.
        return self.resolve(text, self.cwd) if ".." in path.parts else path

    def resolve(self, text: str, folder: Path) -> Path:
        """Resolve a written path; a relative one is in `folder`, `~` is the home folder."""
        # Unlike `resolve` it has an answer also where a link leads to itself.
        return Path(os.path.realpath(self._expand(text, folder)))

    def _expand(self, text: str, folder: Path) -> Path:
        if text != "~" and not text.startswith(("~/", "~\\")):
            return folder / text
        if self.home is None:
            raise BadValue(
                f"{quoted(text)} is in no folder: this user has no home", hint="Set HOME, or write the whole path."
            )
        return self.home / text[2:]

    def show(self, path: Path) -> str:
        """Name a path as shortly as it can be found again from here."""
        for folder in (self.cwd, self.here):
            if folder is not None and path.is_relative_to(folder):
                return str(path.relative_to(folder))
        if self.home is not None and path.is_relative_to(self.home):
            return str("~" / path.relative_to(self.home))
        return str(path)

    def user_conf(self, environ: Mapping[str, str], *, posix: bool) -> Path | None:
        """Name the user's own configuration file, there or not; None: this user can have none."""
        if not posix:
            return self.home and self.home / ".slack_alert.conf"
        # The XDG rules: a relative XDG_CONFIG_HOME is to be ignored.
        folder = Path(environ.get("XDG_CONFIG_HOME", ""))
        if folder.is_absolute():
            return folder / "slack_alert.conf"
        return self.home and self.home / ".config" / "slack_alert.conf"

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
        return f"{SQLITE}{self.resolve(written, folder).as_posix()}"


def logical_folder(cwd: Path, environ: Mapping[str, str]) -> Path:
    """Return the folder in which the program was started as the shell names it: with its links, as `pwd` does."""
    path = Path(environ.get("PWD", ""))
    if not path.is_absolute() or ".." in path.parts:
        return cwd
    try:
        return path if path.samefile(cwd) else cwd
    except OSError:
        return cwd


_SERVERS = ("postgresql://", "postgres://")


def _opened(path: str, flags: int) -> int:
    # A pipe is opened without waiting for somebody to write into it; the flag is unknown to Windows.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


_FORM = "Write sqlite:///relative/state.db or sqlite:////absolute/state.db."


def sqlite_path(url: str) -> Path:
    """Read the file from `sqlite:///relative.db` or `sqlite:////absolute/state.db`."""
    scheme, colon, _ = url.partition(":")
    if not colon or not scheme.partition("+")[0].isalnum():
        raise SettingsError("database is not a URL.", hint=_FORM)
    if scheme != "sqlite":
        # The rest may hold a password.
        raise SettingsError(f"database: {scheme}: is unknown; this version knows sqlite only.", hint=_FORM)
    path = url.removeprefix(SQLITE)
    if path == url or path in {"", ":memory:"}:
        raise SettingsError(f"database: {url} names no file.", hint=_FORM)
    return Path(path)
