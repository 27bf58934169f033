"""Resolve paths that people write in settings, and shorten paths to show them."""

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
    """Return whether a path exists, as far as this user can see; HOME may be another user's folder.

    A broken link exists: its missing target is an error to report, not an absent file.
    """
    try:
        return path.is_symlink() or path.exists()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder, as far as this user can see; a name that is too long is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def read_file(path: Path) -> bytes:
    """Return the content of a regular file; raise OSError for others, as reading a pipe or a device may never end."""
    with open(path, "rb", opener=_opened) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) and not os.path.samestat(found, os.stat(os.devnull)):  # noqa: PTH116 - like fstat
            raise OSError(errno.EINVAL, "Not a regular file")
        return file.read()


class StartPlace(Struct, frozen=True):
    """The folder in which the program was started, and the user's home."""

    cwd: Path
    #: None: the user has none, as in a container where it has neither HOME nor a name.
    home: Path | None
    #: The same folder as `cwd`, with the links in its path unresolved.
    here: Path | None = None

    def locate(self, text: str) -> Path:
        """Return a written folder with its links unresolved: their targets may change while the program runs.

        A relative path is in the folder in which the program was started.
        """
        path = self._expand(text, self.here or self.cwd)
        # The meaning of `..` depends on the current target of the link before it.
        return self.resolve(text, self.cwd) if ".." in path.parts else path

    def resolve(self, text: str, folder: Path) -> Path:
        """Return a written path with its links resolved; a relative one is in `folder`, `~` is the home folder."""
        # Unlike Path.resolve it does not raise where a link leads to itself.
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
        """Return the shortest text for a path: relative to the start folder or to `~`, else absolute."""
        for folder in (self.cwd, self.here):
            if folder is not None and path.is_relative_to(folder):
                return str(path.relative_to(folder))
        if self.home is not None and path.is_relative_to(self.home):
            return str("~" / path.relative_to(self.home))
        return str(path)

    def user_conf(self, environ: Mapping[str, str], *, posix: bool) -> Path | None:
        """Return the path of the user's configuration file, existing or not; None: the user has no home."""
        if not posix:
            return self.home and self.home / ".slack_alert.conf"
        # XDG: a relative XDG_CONFIG_HOME is to be ignored.
        folder = Path(environ.get("XDG_CONFIG_HOME", ""))
        if folder.is_absolute():
            return folder / "slack_alert.conf"
        return self.home and self.home / ".config" / "slack_alert.conf"

    def database(self, text: str, folder: Path) -> str:
        """Return the URL of a database, that of an SQLite file with an absolute path; raise BadValue for others."""
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
    """Return the start folder as the shell names it, with links unresolved, like `pwd`."""
    path = Path(environ.get("PWD", ""))
    if not path.is_absolute() or ".." in path.parts:
        return cwd
    try:
        return path if path.samefile(cwd) else cwd
    except OSError:
        return cwd


_SERVERS = ("postgresql://", "postgres://")


def _opened(path: str, flags: int) -> int:
    # Without the flag, opening a pipe waits for a writer; Windows does not have it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


_FORM = "Write sqlite:///relative/state.db or sqlite:////absolute/state.db."


def sqlite_path(url: str) -> Path:
    """Return the path in `sqlite:///relative.db` or `sqlite:////absolute/state.db`; raise SettingsError for others."""
    scheme, colon, _ = url.partition(":")
    if not colon or not scheme.partition("+")[0].isalnum():
        raise SettingsError("database is not a URL.", hint=_FORM)
    if scheme != "sqlite":
        # The rest may contain a password.
        raise SettingsError(f"database: {scheme}: is unknown; this version knows sqlite only.", hint=_FORM)
    path = url.removeprefix(SQLITE)
    if path == url or path in {"", ":memory:"}:
        raise SettingsError(f"database: {url} names no file.", hint=_FORM)
    return Path(path)
