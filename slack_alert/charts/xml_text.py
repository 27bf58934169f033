"""Text that XML can hold."""

from __future__ import annotations

import re

# What XML cannot hold, however it is escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def readable(text: str) -> str:
    """Replace what no picture can hold."""
    return _NOT_XML.sub("\ufffd", text)
