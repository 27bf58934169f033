"""Errors for files that this user may not read or write, with a sentence that names the user who may."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from shlex import quote

from slack_alert.core.errors import NotAllowed, StoreError
from slack_alert.stores.files.paths import read_only

#: The words of the sentence for an access.
_VERBS = {"read": "read", "write": "write to"}


def is_there(path: Path) -> bool:
    """Return whether the file exists; raise NotAllowed if this user may not find out."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError as error:
        raise not_allowed(path, "read") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}.") from error
    return True


def not_allowed(path: Path, deed: str) -> NotAllowed:
    """Return the error for an access (`read` or `write`) that this user is denied, with advice.

    It names the outermost obstacle: a folder that may not be entered hides everything in it.
    """
    place = _obstacle(path, deed)
    if deed == "write" and (said := read_only(place)):
        return NotAllowed(f"{place}: it cannot be written. {said}")
    user, owner = user_name(), owner_of(place)
    advice = "Give this user the right to do so"
    if owner is not None and owner != user:
        advice = (
            f"Ask as {owner}, to whom it belongs (sudo -u {quote(owner)} slack-alert ...), or give this user that right"
        )
    return NotAllowed(f"{place}: this user ({user}) may not {_VERBS[deed]} it. {advice}.")


def user_name() -> str:
    """Return the name of the user whose rights count, or `#` and its number where it has none, as in a container."""
    if sys.platform == "win32":
        import getpass

        return getpass.getuser()
    return _name_of(os.geteuid())


def owner_of(path: Path) -> str | None:
    """Return the name of a file's owner, or None where it cannot be found out."""
    if sys.platform == "win32":
        return None
    try:
        return _name_of(path.stat().st_uid)
    except OSError:
        return None


def _name_of(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"#{number}"  # As sudo writes it.


def _obstacle(path: Path, deed: str) -> Path:
    right = os.R_OK if deed == "read" else os.R_OK | os.W_OK
    for parent in reversed(path.absolute().parents):
        if parent.is_dir() and not os.access(parent, os.X_OK):
            return parent
    if path.exists() and not os.access(path, right):
        return path
    # Writing a database includes creating files beside it.
    return path.parent if deed == "write" else path
