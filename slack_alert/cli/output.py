"""The way out to standard output: readable whatever the terminal can show, quiet when nobody reads any more."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import TextIO

import click
from click.exceptions import Exit

from slack_alert.cli import codes


def tell(text: str, out: TextIO | None = None) -> None:
    """Print lines for people; colours stay on a terminal only."""
    stream = out or sys.stdout
    try:
        click.echo(encodable(text, stream), file=stream)
    except BrokenPipeError:
        _leave(stream)


def tell_json(document: object, out: TextIO | None = None) -> None:
    """Print one JSON document on one line; what JSON does not know is written as text."""
    stream = out or sys.stdout
    is_unicode = (stream.encoding or "").lower().replace("-", "").startswith("utf")
    try:
        click.echo(json.dumps(document, ensure_ascii=not is_unicode, default=_plainer), file=stream)
    except BrokenPipeError:
        _leave(stream)


def encodable(text: str, stream: TextIO) -> str:
    """Replace what the stream cannot write."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _plainer(value: object) -> object:
    return list(value) if isinstance(value, Iterable) else str(value)


def _leave(stream: TextIO) -> None:
    """End in peace: whoever reads has seen enough, and the last flush of the interpreter must not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    raise Exit(codes.FINE)
