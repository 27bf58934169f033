"""Verbs that change nothing; every member may use them unless the configuration says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_alert import deco

if TYPE_CHECKING:
    from slack_alert import Context


@deco(command="whoami")
def whoami(ctx: Context) -> dict[str, str]:
    """Say who you are for this program, and which roles you have."""
    by = ctx.by
    assert by is not None, "a person asked"
    return {"id": by.key, "name": by.name, "roles": ", ".join(by.roles) or "none"}
