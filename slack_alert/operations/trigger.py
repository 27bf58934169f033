"""Check the fields of an event with which a person triggers a function."""

from __future__ import annotations

from collections.abc import Mapping

from slack_alert.core.bindings import Binding
from slack_alert.core.commands import meant_jobs


def require_fields(binding: Binding, fields: Mapping[str, object]) -> None:
    """Raise BadValue if a function requires a field of its event that is not among these."""
    meant_jobs.require_fields(binding.name, binding.action, fields, "slack-alert trigger", "--event {}=...")
