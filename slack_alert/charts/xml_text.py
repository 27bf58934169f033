"""Text for XML; a module of its own, because `picture` must not import `panels`, and with it pygal, at once."""

from __future__ import annotations

from slack_alert.core.patterns import lazy_pattern

# Characters that XML does not allow, not even escaped.
_NOT_XML = lazy_pattern("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_safe(text: str) -> str:
    """Return the text with characters that XML does not allow replaced by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)
