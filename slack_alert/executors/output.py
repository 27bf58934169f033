"""What a program wrote, of which the middle may be left out."""

from __future__ import annotations

from slack_alert.core.redaction import REACH, Redaction
from slack_alert.core.structs import Struct


class Output(Struct, frozen=True):
    """All that a program wrote, or of much the beginning and the end, each with `REACH` bytes more than is shown."""

    head: bytes
    tail: bytes = b""
    #: How many bytes it wrote between them.
    left_out: int = 0

    def shown(self, redaction: Redaction) -> str:
        """Return it as text without secrets; of much the middle is left out, and that is said."""
        if not self.left_out:
            return redaction((self.head + self.tail).decode("utf-8", "replace"))
        head, tail = self.head.decode("utf-8", "replace"), self.tail.decode("utf-8", "replace")
        begin = redaction.head(head, max(0, len(head) - REACH))[0]
        end = redaction.tail(tail, max(0, len(tail) - REACH))
        return f"{begin}\n… {self.left_out + 2 * REACH:,} more bytes …\n{end}"
