"""Print text and JSON to standard output, encodable and without secrets."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

import click
from click.exceptions import Exit

from slack_alert.cli import exit_codes
from slack_alert.cli.output.standard_streams import failure
from slack_alert.core.redaction.redaction import Redaction

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def echo(text: str, out: TextIO | None = None) -> None:
    """Print text for people; colours are kept on a terminal only."""
    stream = out or sys.stdout
    click.echo(redacted(encodable(text, stream)), file=stream)


def echo_change(text: str, settings: Settings) -> None:
    """Print a change; in a dry run, as one that would be made."""
    echo(f"Dry run, nothing is changed; without it: {text}" if settings.dry_run else text)


def echo_json(document: object, out: TextIO | None = None) -> None:
    """Print a JSON document on a line; values that JSON does not support are printed as text."""
    stream = out or sys.stdout
    is_unicode = (stream.encoding or "").lower().startswith("utf")
    line = json.dumps(document, ensure_ascii=not is_unicode, default=_json_default)
    click.echo(redacted(line), file=stream)


def echo_json_line(document: object, out: TextIO | None = None) -> None:
    """Print one of many JSON documents; end the command if standard output cannot be written any more."""
    echo_json(document, out)
    if failure(out or sys.stdout):
        raise Exit(exit_codes.FINE)


def use_redaction(redaction: Redaction) -> None:
    """Remove these secrets from all further output of the running command."""
    if ctx := click.get_current_context(silent=True):
        ctx.meta[_REDACTION] = redaction


def redacted(text: str) -> str:
    """Return the text without the configuration's secrets; what is printed above needs it only before it is cut."""
    return all_redacted([text])[0]


def all_redacted(texts: Sequence[str]) -> Sequence[str]:
    """Return many texts without the configuration's secrets."""
    ctx = click.get_current_context(silent=True)
    redaction: Redaction | None = ctx.meta.get(_REDACTION) if ctx else None
    return redaction.redact_all(texts) if redaction else texts


_REDACTION = "slack_alert.redaction"


def encodable(text: str, stream: TextIO) -> str:
    """Replace characters that the stream cannot encode."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _json_default(value: object) -> object:
    return list(value) if isinstance(value, Iterable) else str(value)
