"""Tell members of a robot's own corporation from strangers, by what DingTalk writes of who speaks."""

from __future__ import annotations

from slack_alert.core.model.asked import Identity
from slack_alert.core.patterns import lazy_pattern


def is_staff(user: str) -> bool:
    """Return whether an id can be one that a corporation gives its staff."""
    return bool(_STAFF.fullmatch(user))


def member(corporation: str, staff: str, name: str = "") -> Identity:
    """Return somebody of the robot's own corporation; `staff` is a staff id."""
    return Identity("dingtalk", corporation, staff, name)


def stranger(corporation: str, user: str, name: str = "") -> Identity:
    """Return somebody else; nobody's staff id looks like this, so no role can name it."""
    return Identity("dingtalk", corporation, f"?{user}", name)


_STAFF = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
