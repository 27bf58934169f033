"""Logging: one line per event on standard error, as text or JSON, without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from slack_alert.core.redaction import Redaction
from slack_alert.settings import Settings

#: Attributes every record has; what is beyond them was given as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(settings: Settings, redaction: Redaction | None = None) -> logging.Logger:
    """Begin logging as configured, without secrets; return the program's own log."""
    # A log line that cannot be written must not fail what it tells of.
    logging.raiseExceptions = False
    handler = Lines(sys.stderr)
    form = JsonForm if settings.log_format == "json" else TextForm
    redaction = redaction or Redaction(settings.secrets())
    handler.setFormatter(form(redaction))
    sys.excepthook = partial(_tell_last, redaction)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # The clock tells of every slot; ours are in the history.
    logging.getLogger("apscheduler").setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    return logging.getLogger("slack_alert")


def _tell_last(
    redaction: Redaction, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Tell what ends the program as Python does, without secrets."""
    told = redaction("".join(traceback.format_exception(kind, error, trace)))
    with suppress(OSError, ValueError, AttributeError):  # Without a standard error there is nobody to tell.
        sys.stderr.write(told)


if TYPE_CHECKING:
    _Lines = logging.StreamHandler[TextIO]
else:  # Python 3.10 knows the type only when it is checked.
    _Lines = logging.StreamHandler


class Lines(_Lines):
    """Writes to a stream; where a plugin closed it, to what it stood for."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, or nothing where there is nothing left to write to."""
        if _is_closed(self.stream):
            with suppress(OSError):
                # Only the object is closed: descriptor 2 belongs to the process, and stays open with this one, too.
                self.stream = open(  # noqa: SIM115 - it stays open
                    2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
                )
        super().emit(record)


def _is_closed(stream: TextIO) -> bool:
    try:
        return stream.closed
    except ValueError:  # Its buffer was taken away.
        return True


class TextForm(logging.Formatter):
    """`12:00:01 warning delivery waits  to=#ops reason=ratelimited`."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, and a traceback where there is one."""
        at = datetime.fromtimestamp(record.created, timezone.utc).astimezone()
        extra = " ".join(f"{name}={_shown(value)}" for name, value in _extra(record).items())
        line = f"{at:%H:%M:%S} {record.levelname.lower()} {record.getMessage()}" + (f"  {extra}" if extra else "")
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return self._redaction(line)


class JsonForm(TextForm):
    """One JSON object a line, times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        at = datetime.fromtimestamp(record.created, timezone.utc)
        line = {
            "ts": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return self._redaction(json.dumps(line, default=str, ensure_ascii=False))


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and value not in (None, "")}


def _shown(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[\s="]', text) else text
