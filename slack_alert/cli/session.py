"""What a command begins with: the configuration, told warnings, a log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from slack_alert.cli.output.standard_streams import StandardOutput, are_prepared, as_text, hand_on_failure
from slack_alert.cli.output.streams import conceal
from slack_alert.core.excerpts import abridged
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.settings import LoadedSettings, Settings, load_settings


def configured(flags: Mapping[str, object]) -> LoadedSettings:
    """Read the configuration for these flags; raise SettingsError for what cannot be used."""
    return load_settings(flags, os.environ, cwd=current_folder(), home=home_folder())


def current_folder() -> Path:
    """Return the folder this was started in; where that was deleted since, its name as the shell left it."""
    try:
        return Path.cwd()
    except OSError:
        # Whole paths go on working, and a relative one is named as not there. It may also have been made anew.
        shell = Path(os.environ.get("PWD", ""))
        return shell if shell.is_absolute() else Path("/")


def home_folder() -> Path | None:
    """Return this user's home folder; None where the environment names none and the system does not know the user."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def settings_of(flags: Mapping[str, object]) -> Settings:
    """Read the configuration and begin logging; warnings go to standard error."""
    loaded = configured(flags)
    begin_log(loaded)
    return loaded.settings


def begin_log(loaded: LoadedSettings) -> None:
    """Begin logging as configured, and say what is odd about the configuration."""
    # Imported here: gevent's patch has to come before logging.
    from slack_alert.cli.logs import configure

    redaction = Redaction(loaded.settings.secrets())
    conceal(redaction)
    log = configure(loaded.settings, redaction)
    for warning in loaded.warnings:
        log.warning(abridged(warning))


@contextmanager
def own_output(settings: Settings, *, is_lasting: bool = False) -> Iterator[TextIO]:
    """Give the real standard output for this program's own words, while everything else that writes to it is diverted.

    What plugins print, and what the programs they start print, goes to standard error: `--json` stays JSON. Whoever of
    them reads standard input finds its end: a question that nobody sees would wait for ever. A program that goes on
    (`is_lasting`) takes an output that fails for one that may take more later.
    """
    # Imported here: it needs the model of a run, and the patch comes before.
    from slack_alert.cli.output.json_stderr import filtered
    from slack_alert.executors.calling.output import captured
    from slack_alert.loader.modules.spawning import become_spawnable, spawnable

    if are_prepared():
        become_spawnable()
    told, plugins = filtered(sys.stderr, settings.timezone), spawnable(settings.path, settings.markers)
    printed = captured(sys.stderr, Redaction(settings.secrets()))
    with told, _diverted(is_lasting=is_lasting) as out, _without_input(), plugins, printed:
        yield out


@contextmanager
def _diverted(*, is_lasting: bool) -> Iterator[TextIO]:
    """Let descriptor 1 be standard error meanwhile, so that even a subprocess cannot write into our output."""
    sys.stdout.flush()
    if not _is_at(sys.stdout, 1):  # called from a test, or embedded
        yield sys.stdout
        return
    kept = os.dup(1)
    os.dup2(2, 1)
    out = as_text(StandardOutput(kept, is_lasting=is_lasting), sys.stdout, errors="replace")
    try:
        yield out
    finally:
        with suppress(OSError):  # What it did not take while it lasted is told in the log.
            out.close()
        hand_on_failure(out, sys.stdout)
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def _without_input() -> Iterator[None]:
    """Let standard input be at its end meanwhile, also for programs that plugins start."""
    stdin = sys.stdin
    kept = os.dup(0) if _is_at(stdin, 0) else None
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        sys.stdin = nothing
        if kept is not None:
            os.dup2(nothing.fileno(), 0)
        try:
            yield
        finally:
            sys.stdin = stdin
            if kept is not None:
                os.dup2(kept, 0)
                os.close(kept)


def _is_at(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (OSError, ValueError, AttributeError):
        return False
