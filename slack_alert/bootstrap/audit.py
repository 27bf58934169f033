"""What the audit needs of the settings: the key outside of the database, and what of it is posted."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from slack_alert.bootstrap.addresses import address
from slack_alert.core.model.message import Notice
from slack_alert.engine.system.loop_runner import in_own_thread
from slack_alert.stores.files.audit_key_file import AuditKeyFile

if TYPE_CHECKING:
    from slack_alert.bootstrap.runtime import Runtime
    from slack_alert.core.commands.audit_notices import AuditNotices
    from slack_alert.core.model.audit import AuditHead
    from slack_alert.engine.app.components import Stores
    from slack_alert.settings import Settings

#: How often it is looked whether a day has begun.
_LOOK_SECONDS = 600.0


def audit_key(settings: Settings) -> AuditKeyFile:
    """Return the key, which is neither read nor made before the first entry."""
    return AuditKeyFile(settings.audit_key_file)


def audit_notices(settings: Settings) -> AuditNotices | None:
    """Return which entries are posted and where, or None where no channel is set for them."""
    from slack_alert.core.commands.audit_notices import AuditNotices

    if settings.audit_channel is None:
        return None
    to = address(settings, settings.audit_channel)
    return AuditNotices(to, settings.audit_sensitive, settings.audit_office_hours, settings.timezone)


async def post_heads(settings: Settings, runtime: Runtime, stores: Stores) -> None:
    """Post every day what the last entry is, where entries are posted, until cancelled."""
    from slack_alert.core.commands.audit_notices import head_notice

    notices, clock = audit_notices(settings), runtime.clock
    posted: date | None = None
    while notices is not None:
        day = clock.now().astimezone(settings.timezone).date()
        head = await in_own_thread(partial(_last, stores)) if day != posted else None
        if head is not None:
            posted = day
            text = head_notice(head, settings.timezone)
            runtime.engine.notify(Notice("audit-head", str(day)), text.text, notices.to)
        await clock.sleep(_LOOK_SECONDS)


def _last(stores: Stores) -> AuditHead | None:
    from slack_alert.core.commands.audit_chain import head_of

    with closing(stores.read()) as reader:
        return next((head_of(entry) for entry in reader.audit(since=None, limit=1)), None)
