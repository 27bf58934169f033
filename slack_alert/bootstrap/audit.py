"""What the audit needs of the settings: the key outside of the database, and what of it is posted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_alert.bootstrap.addresses import address
from slack_alert.stores.files.audit_key_file import AuditKeyFile

if TYPE_CHECKING:
    from slack_alert.core.commands.audit_notices import AuditNotices
    from slack_alert.settings import Settings


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
