"""The key of the audit's chain in a file of its own, and its head in another one beside that."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import StoreError
from slack_alert.core.model.audit import AuditHead
from slack_alert.core.structs import Unreadable, from_json, to_json
from slack_alert.stores.files.access_errors import not_allowed
from slack_alert.stores.files.paths import prepare_folder
from slack_alert.stores.files.private_file import replace_private

log = logging.getLogger(__name__)

#: The length of a new key in bytes, which stand in the file in hexadecimal, and the least length of another one.
_LENGTH, _LEAST = 32, 16
#: In bytes: the least length of the file with the head, which takes the next one in its place then.
_HEAD_LENGTH = 160


class AuditKeyFile:
    """A key in a file, which is made for the first entry; only the owner of the database writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: bytes | None = None
        self._has_warned = False

    def key(self, *, is_first: bool) -> bytes:
        """Return the key; where there is none, make one."""
        if self._key is None:
            self._key = self.read() or self._make(is_first=is_first)
        return self._key

    def read(self) -> bytes | None:
        """Return the key, or None where there is no file; raise StoreError if it cannot be read, or holds no key."""
        try:
            if not stat.S_ISREG(self._path.stat().st_mode):
                raise StoreError(
                    f"{self._path}: the key of the audit is not a regular file. Set `key_file` in [audit]."
                )
            found = self._path.read_bytes().strip()
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise not_allowed(self._path, "read") from error
        except OSError as error:
            raise StoreError(
                f"{self._path}: the key of the audit cannot be read: {error.strerror or error}."
            ) from error
        if len(found) < _LEAST:
            raise StoreError(
                f"{self._path}: that is no key of the audit: it has fewer than {_LEAST} characters. "
                "Put the right one back, or remove it, and a new one is made."
            )
        if self.is_open:
            log.warning("others can read the audit's key", extra={"file": str(self._path), "hint": self.advice})
        return found

    @property
    def is_open(self) -> bool:
        """Whether others on this machine may read the key, or write it."""
        if os.name != "posix":
            return False
        try:
            return bool(self._path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
        except OSError:
            return False

    @property
    def advice(self) -> str:
        """What to do about a key that others may read."""
        return f"chmod 600 {self._path}"

    @property
    def head_path(self) -> Path:
        """The path of the file with the head."""
        return self._path.with_name(f"{self._path.name}.head")

    def head(self) -> AuditHead | None:
        """Return the head that was kept; None where there is none, or it cannot be read, which is logged."""
        try:
            return from_json(_read_whole(self.head_path).decode("utf-8"), AuditHead)
        except FileNotFoundError:
            return None
        except (OSError, Unreadable, ValueError) as error:
            log.warning("the audit's head cannot be read", extra={"file": str(self.head_path), "reason": str(error)})
            return None

    def keep(self, head: AuditHead) -> None:
        """Write the head anew."""
        try:
            content = to_json(head).ljust(_HEAD_LENGTH) + b"\n"
            if not _overwrite(self.head_path, content):
                replace_private(self.head_path, content, is_synced=False)
        except OSError as error:
            if not self._has_warned:
                extra = {"file": str(self.head_path), "reason": error.strerror or str(error)}
                log.warning("the audit's head cannot be kept: a cut-off end would not be noticed", extra=extra)
            self._has_warned = True
        else:
            self._has_warned = False

    def _make(self, *, is_first: bool) -> bytes:
        import secrets  # Once in the life of a database.

        made = secrets.token_hex(_LENGTH).encode()
        prepare_folder(self._path)
        try:
            # On the disk before any entry: without it no entry could ever be verified.
            replace_private(self._path, made + b"\n", is_synced=True)
        except OSError as error:
            advice = machine_lack(error) or "Give this user the right to write there, or set `key_file` in [audit]."
            said = f"{self._path}: the key of the audit cannot be made: {error.strerror or error}."
            raise StoreError(f"{said} {advice}") from error
        if not is_first:
            log.error(
                "the audit's key was gone; earlier entries do not fit the new one", extra={"file": str(self._path)}
            )
        return made


def _read_whole(path: Path) -> bytes:
    """Return the content of a file that may be written over at this moment."""
    content = path.read_bytes()
    while (again := path.read_bytes()) != content:
        content = again
    return content


def _overwrite(path: Path, content: bytes) -> bool:
    """Write over a file of the same length, with a single write; return False where there is none.

    It is within one block, so a kill leaves the former content or the new one; a new file for each entry would cost
    more than the rest of its commit.
    """
    try:
        opened = os.open(path, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return False
    try:
        there = os.fstat(opened)
        is_same = stat.S_ISREG(there.st_mode) and there.st_size == len(content)
        return is_same and os.write(opened, content) == len(content)
    finally:
        os.close(opened)
