"""The terminal as a channel: an aligned entry per message, without control characters that could move the cursor."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TextIO

from slack_alert.core.content.pieces import Text, fallback
from slack_alert.core.content.render import on_terminal
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import EVERYTHING, Capabilities
from slack_alert.core.model.message import Delivery, DeliveryMode
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.units.humanize import format_time

log = logging.getLogger(__name__)

#: On terminals with fewer columns the text is printed below the time, not beside it.
NARROW_COLUMNS = 60
#: The greatest width of the column of addresses; a longer address shifts its own entry only.
WIDEST_ADDRESS = 20
_GAP = "  "
_DIM, _BOLD, _PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"
# Control characters and changes of text direction; a tab and a line end are harmless.
_CONTROLS = lazy_pattern(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class ConsoleChannel:
    """Prints messages; a printed message counts as sent."""

    name = "console"

    def __init__(self, stream: TextIO, *, colour: bool, zone: tzinfo, edit_mark: str = "") -> None:
        """Print to a stream; an edit begins with `edit_mark`, as a terminal cannot take back what it printed."""
        self._stream = stream
        self._colour = colour
        self._zone = zone
        self._edit_mark = edit_mark
        self._address_width = 0
        self._is_broken = False

    async def open(self) -> None:
        """Do nothing: the stream is open."""

    async def close(self) -> None:
        """Do nothing: the stream belongs to the caller."""

    def capabilities(self, to: Address) -> Capabilities:  # noqa: ARG002 - the port's
        """Return that everything can be done, or is done in its place by `send`."""
        return EVERYTHING

    async def send(self, delivery: Delivery, text: str | None) -> SendResult:
        """Print an entry; a terminal that is gone is logged once."""
        self._write(self._entry(delivery, text))
        return SendResult(SendStatus.SENT)

    async def lookup(self, deliveries: Sequence[Delivery], last_receipt: str | None) -> Mapping[int, str] | None:  # noqa: ARG002 - the port's
        """Return None: no outcome of printing is ambiguous."""
        return None

    def _entry(self, delivery: Delivery, text: str | None) -> str:
        time = format_time(delivery.created, self._zone, delivery.created, seconds="always")
        address = _without_controls(delivery.message.to.conversation)
        head = self._styled(time, _DIM)
        width = len(time)
        if address:
            self._address_width = max(self._address_width, min(len(address), WIDEST_ADDRESS))
            padding = " " * (self._address_width - len(address))
            head += _GAP + self._styled(address, _BOLD) + padding
            width += len(_GAP) + len(address) + len(padding)
        lines = self._lines(delivery, text)
        if _columns(self._stream) < NARROW_COLUMNS:
            return "\n".join([head, *(_GAP + line for line in lines)]) + "\n"
        indent = "\n" + " " * width + _GAP
        return head + _GAP + indent.join(lines) + "\n"

    def _lines(self, delivery: Delivery, text: str | None) -> list[str]:
        piece = delivery.message.piece
        said = text if text is not None and isinstance(piece, Text) else fallback(piece)
        if delivery.message.manner is DeliveryMode.EDIT:
            said = self._edit_mark + said
        lines = on_terminal(said, delivery.message.origin.job).replace("\r\n", "\n").rstrip("\n").split("\n")
        return [_without_controls(line).rstrip() for line in lines]

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{_PLAIN}" if self._colour else text

    def _write(self, entry: str) -> None:
        try:
            try:
                self._stream.write(entry)
            except UnicodeEncodeError:
                self._stream.write(_encodable(entry, self._stream.encoding))
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            if not self._is_broken:
                self._is_broken = True
                log.warning("terminal gone, messages are no longer shown", extra={"reason": _reason(error)})


def has_colour(out: TextIO) -> bool:
    """Return whether colours are wanted and can be shown."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


def _without_controls(text: str) -> str:
    return _CONTROLS.sub("\ufffd", text)


def _encodable(text: str, encoding: str | None) -> str:
    known = encoding or "ascii"
    return text.encode(known, "replace").decode(known)


def _columns(stream: TextIO) -> int:
    """Return the terminal's width; a pipe or a file counts as wide enough."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or NARROW_COLUMNS
    except (OSError, ValueError, AttributeError):
        return NARROW_COLUMNS
