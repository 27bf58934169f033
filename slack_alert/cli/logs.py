"""Configure logging: a line per event on standard error, as text or JSON, without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone, tzinfo
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

import click

from slack_alert.cli.output.json_stderr import JsonStream, log_unhandled
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.settings import Settings

#: The attributes of every record; all others were given as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(settings: Settings, redaction: Redaction | None = None) -> logging.Logger:
    """Configure logging without secrets; return the program's own logger."""
    # A log line that cannot be written must not fail the code that logs it.
    logging.raiseExceptions = False
    stream = JsonStream.beneath(sys.stderr)
    handler = LogStream(stream)
    redaction, zone = redaction or Redaction(settings.secrets()), settings.timezone
    is_json = settings.log_format == "json"
    is_ascii = not str(getattr(stream, "encoding", "")).lower().startswith("utf")
    handler.setFormatter(JsonForm(redaction, zone, is_ascii=is_ascii) if is_json else TextForm(redaction, zone))
    sys.stderr = JsonStream(stream, handler) if is_json else stream
    sys.excepthook = partial(_print_unhandled, redaction)
    if is_json:
        log_unhandled()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # APScheduler logs every slot; ours are in the history.
    logging.getLogger("apscheduler").setLevel(max(logging.WARNING, root.level))
    # Tornado logs each malformed request, with parts of it.
    logging.getLogger("tornado.general").setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    return logging.getLogger("slack_alert")


def is_json() -> bool:
    """Return whether standard error is JSON only."""
    return any(isinstance(handler.formatter, JsonForm) for handler in logging.getLogger().handlers)


def report_error(text: str) -> None:
    """Write an error to standard error: as a sentence for people, or as a line of the JSON log."""
    if is_json():
        logging.getLogger("slack_alert").error(text)
    else:
        click.echo(f"slack-alert: {text}", err=True)


def report_problem(problem: Problem) -> None:
    """Write a problem of a plugin file to standard error."""
    if not is_json():
        click.echo(str(problem), err=True)
        return
    level = _LEVELS[problem.severity.value]
    place = {"file": problem.file, "line": problem.line, "column": problem.column}
    logging.getLogger("slack_alert").log(
        level, "%s", problem.message, extra={**place, "code": problem.code, "hint": problem.hint}
    )


def report_failure(job: str, trace: str) -> None:
    """Write the traceback of a triggered run to standard error."""
    if is_json():
        error = trace.rstrip().rpartition("\n")[2]
        logging.getLogger("slack_alert").error("run failed", extra={"job": job, "error": error, "traceback": trace})
    else:
        click.echo(trace, err=True)


_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "notice": logging.INFO}


def _print_unhandled(
    redaction: Redaction, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an unhandled exception as Python does, without secrets."""
    told = redaction("".join(traceback.format_exception(kind, error, trace)))
    with suppress(OSError, ValueError, AttributeError):  # Without a standard error it cannot be printed.
        sys.stderr.write(told)


if TYPE_CHECKING:
    from slack_alert.core.catalog import Problem

    _Lines = logging.StreamHandler[TextIO]
else:  # Python 3.10 knows the type only when it is checked.
    _Lines = logging.StreamHandler


class LogStream(_Lines):
    """A handler that reopens descriptor 2 where a plugin has closed the stream."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or nothing if there is no descriptor left to write to."""
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
    """Formats `12:00:01 warning delivery waits  to=#ops reason=ratelimited`, in the configured time zone."""

    def __init__(self, redaction: Redaction, zone: tzinfo) -> None:
        super().__init__()
        self._redaction = redaction
        self._zone = zone

    def format(self, record: logging.LogRecord) -> str:
        """Return a line, and the traceback of an exception that is not in the history."""
        extra = " ".join(f"{name}={_shown(value)}" for name, value in _extra(record).items() if name != "traceback")
        line = f"{self.at(record):%H:%M:%S} {record.levelname.lower()} {record.getMessage()}"
        line += f"  {extra}" if extra else ""
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return self._redaction(line)

    def at(self, record: logging.LogRecord) -> datetime:
        """Return the record's time in the configured time zone."""
        return datetime.fromtimestamp(record.created, timezone.utc).astimezone(self._zone)


class JsonForm(TextForm):
    """Formats a JSON object per line; `job` and `run` name the run that wrote it, where known."""

    def __init__(self, redaction: Redaction, zone: tzinfo, *, is_ascii: bool = False) -> None:
        super().__init__(redaction, zone)
        # Imported here: it needs the model of a run, which most commands can do without.
        from slack_alert.executors.calling.output import current

        self._current = current
        self._is_ascii = is_ascii

    def format(self, record: logging.LogRecord) -> str:
        """Return a line of JSON."""
        line: dict[str, object] = {
            "ts": self.at(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        run, extra = self._current.get(), _extra(record)
        if run is not None:
            extra = {"job": run.binding, "run": run.id or None, **extra}
        line |= {f"{name}_" if name in line else name: value for name, value in extra.items() if value is not None}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return self._redaction(self._dumped(line))

    def _dumped(self, line: Mapping[str, object]) -> str:
        try:
            text = json.dumps(line, default=str, ensure_ascii=self._is_ascii, allow_nan=False)
            text.encode()
        except (ValueError, TypeError, RecursionError):
            # NaN, keys that are no strings, or lone surrogates.
            return json.dumps({name: value if type(value) is int else str(value) for name, value in line.items()})
        return text


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and value not in (None, "")}


def _shown(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[\s="]', text) else text
