"""What a command begins with: the configuration, told warnings, a log."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from slack_alert.cli.output import conceal
from slack_alert.core.excerpts import abridged
from slack_alert.core.redaction import Redaction
from slack_alert.settings import Loaded, Settings, load_settings


def configured(flags: Mapping[str, object]) -> Loaded:
    """Read the configuration for these flags; raise SettingsError for what cannot be used."""
    return load_settings(flags, os.environ, cwd=Path.cwd(), home=Path.home())


def settings_of(flags: Mapping[str, object]) -> Settings:
    """Read the configuration and begin logging; warnings go to standard error."""
    loaded = configured(flags)
    begin_log(loaded)
    return loaded.settings


def begin_log(loaded: Loaded) -> None:
    """Begin logging as configured, and say what is odd about the configuration."""
    # Imported here: gevent's patch has to come before logging.
    from slack_alert.cli.logs import configure

    redaction = Redaction(loaded.settings.secrets())
    conceal(redaction)
    log = configure(loaded.settings, redaction)
    for warning in loaded.warnings:
        log.warning(abridged(warning))


@contextmanager
def own_output(settings: Settings) -> Iterator[TextIO]:
    """Give the real standard output for this program's own words, while everything else that writes to it is diverted.

    What plugins print, and what the programs they start print, goes to standard error: `--json` stays JSON.
    """
    # Imported here: it needs the model of a run, and the patch comes before.
    from slack_alert.cli.json_stderr import filtered
    from slack_alert.executors.capture import captured

    redaction = Redaction(settings.secrets())
    with filtered(sys.stderr, settings.timezone), _diverted() as out, captured(sys.stderr, redaction):
        yield out


@contextmanager
def _diverted() -> Iterator[TextIO]:
    """Let descriptor 1 be standard error meanwhile, so that even a subprocess cannot write into our output."""
    sys.stdout.flush()
    try:
        is_real = sys.stdout.fileno() == 1
    except (OSError, AttributeError):
        is_real = False
    if not is_real:  # called from a test, or embedded
        yield sys.stdout
        return
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        out = open(kept, "w", encoding=sys.stdout.encoding, errors="replace", buffering=1, closefd=False)  # noqa: SIM115 - closed below, where that may fail
        try:
            yield out
        finally:
            _close(out)
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _close(out: TextIO) -> None:
    try:
        out.close()
    except OSError as error:
        # The terminal is gone, and with it whoever would read the rest.
        if error.errno != errno.EIO:
            raise
