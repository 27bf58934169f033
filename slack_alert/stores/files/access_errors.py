"""What this user may not do with a file, and whom to ask instead: a StoreError whose sentence says so."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from shlex import quote

from slack_alert.core.errors import NotAllowed, StoreError
from slack_alert.stores.files.paths import read_only

#: What is done with a file or in a folder.
_DEEDS = {"read": "read", "write": "write to"}


def is_there(path: Path) -> bool:
    """Return whether there is such a file; raise NotAllowed where this user may not look."""
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
    """Return the error that says what this user may not do (`read`, `write`), where, and how he may.

    The obstacle that is named is the outermost one: a folder that cannot be passed hides all that is in it.
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
    return NotAllowed(f"{place}: this user ({user}) may not {_DEEDS[deed]} it. {advice}.")


def user_name() -> str:
    """Return the name of the user whose rights count; in a container nobody may have a name."""
    if sys.platform == "win32":
        return getpass.getuser()
    return _name_of(os.geteuid())


def owner_of(path: Path) -> str | None:
    """Return the name of the user to whom a file belongs, or None where that cannot be told."""
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
        return f"#{number}"  # As sudo has it.


def _obstacle(path: Path, deed: str) -> Path:
    right = os.R_OK if deed == "read" else os.R_OK | os.W_OK
    for parent in reversed(path.absolute().parents):
        if parent.is_dir() and not os.access(parent, os.X_OK):
            return parent
    if path.exists() and not os.access(path, right):
        return path
    # To write is also to make files beside it.
    return path.parent if deed == "write" else path
