"""Read Slack's listings strictly: an incomplete answer is an error, never proof that something is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slack_alert.channels.slack.errors import RefusedError, SlackResult, classify


def unreadable() -> RefusedError:
    """Return the error for an answer that is not as Slack documents it; a retry may help."""
    return RefusedError(classify(SlackResult(200))).before_posting()


def items_of(content: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Return a list of objects; raise `RefusedError` if it is missing or of another type."""
    items = content.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise unreadable()
    return items


def part_of(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object, empty where it is missing or null; raise `RefusedError` if it is of another type."""
    part = content.get(name)
    if part is not None and not isinstance(part, dict):
        raise unreadable()
    return part or {}


def text_of(content: Mapping[str, Any], name: str, *, is_needed: bool = False) -> str:
    """Return a text, empty where it is missing or null; raise `RefusedError` if it is of another type, or needed."""
    text = content.get(name)
    if (text is not None and not isinstance(text, str)) or (is_needed and not text):
        raise unreadable()
    return text or ""


def cursor_of(content: Mapping[str, Any]) -> str:
    """Return the cursor of the next page, empty on the last page; raise `RefusedError` if it is no text."""
    return text_of(part_of(content, "response_metadata"), "next_cursor")
