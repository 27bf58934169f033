"""The way out to standard output: readable whatever the terminal can show, quiet when nobody reads any more."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

import click
from click.exceptions import Exit

from slack_alert.cli import codes
from slack_alert.core.errors import SlackAlertError
from slack_alert.core.redaction import Redaction

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def tell(text: str, out: TextIO | None = None) -> None:
    """Print lines for people; colours stay on a terminal only."""
    stream = out or sys.stdout
    _write(encodable(text, stream), stream)


def tell_change(text: str, settings: Settings) -> None:
    """Print what was changed; in a dry run, what would have been."""
    tell(f"Dry run, nothing is changed; without it: {text}" if settings.dry_run else text)


def tell_json(document: object, out: TextIO | None = None) -> None:
    """Print one JSON document on one line; what JSON does not know is written as text."""
    stream = out or sys.stdout
    is_unicode = (stream.encoding or "").lower().startswith("utf")
    _write(json.dumps(document, ensure_ascii=not is_unicode, default=_plainer), stream)


def conceal(redaction: Redaction) -> None:
    """Take these secrets out of whatever the command that is running prints from now on."""
    if ctx := click.get_current_context(silent=True):
        ctx.meta[_REDACTION] = redaction


def concealed(text: str) -> str:
    """Return the text without the secrets of the configuration in use; needed only before it is cut."""
    ctx = click.get_current_context(silent=True)
    redaction: Redaction | None = ctx.meta.get(_REDACTION) if ctx else None
    return redaction(text) if redaction else text


_REDACTION = "slack_alert.redaction"


def encodable(text: str, stream: TextIO) -> str:
    """Replace what the stream cannot write."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _plainer(value: object) -> object:
    return list(value) if isinstance(value, Iterable) else str(value)


def _write(line: str, stream: TextIO) -> None:
    try:
        click.echo(concealed(line), file=stream)
    except OSError as error:
        _silence(stream)
        if isinstance(error, BrokenPipeError):
            # Whoever reads has seen enough.
            raise Exit(codes.FINE) from None
        raise SlackAlertError(f"Standard output cannot be written: {error.strerror}.") from error


def _silence(stream: TextIO) -> None:
    """Lead a stream nowhere, so that the last flush of the interpreter has nothing to complain about."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
