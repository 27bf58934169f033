"""Set up a command: read the configuration, print its warnings, start the log, divert other output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from slack_alert.cli.output.standard_streams import StandardOutput, are_prepared, as_text, copy_failure
from slack_alert.cli.output.streams import use_redaction
from slack_alert.core.excerpts import abridged
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.settings import LoadedSettings, Settings, load_settings


def configured(flags: Mapping[str, object]) -> LoadedSettings:
    """Return the configuration for these flags; raise SettingsError if it is invalid."""
    return with_pack_secrets(load_settings(flags, os.environ, cwd=current_folder(), home=home_folder()))


def with_pack_secrets(loaded: LoadedSettings) -> LoadedSettings:
    """Return a configuration that also knows what is secret in the sections of packs, which their manifests say."""
    settings, packs = loaded.settings, loaded.settings.packs
    if packs is None:
        return loaded

    def find_secrets() -> tuple[str, ...]:
        # Imported once it is asked for: gevent's patch comes before.
        from slack_alert.bootstrap.pack_secrets import read_pack_secrets

        return read_pack_secrets(settings)

    return replace(loaded, settings=replace(settings, packs=replace(packs, find_secrets=find_secrets)))


def current_folder() -> Path:
    """Return the current folder; if it was deleted, its path in the shell's PWD."""
    try:
        return Path.cwd()
    except OSError:
        # Absolute paths still work, and a relative path is reported as missing. It may also have been created again.
        shell = Path(os.environ.get("PWD", ""))
        return shell if shell.is_absolute() else Path("/")


def home_folder() -> Path | None:
    """Return this user's home folder, or None if neither the environment nor the system knows it."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def begin_log(loaded: LoadedSettings) -> Redaction:
    """Start logging as configured, and log the configuration's warnings; return what takes secrets out of the log."""
    # Imported here: gevent's patch has to come before logging.
    from slack_alert.cli.logs import configure

    redaction = Redaction(loaded.settings.secrets())
    use_redaction(redaction)
    log = configure(loaded.settings, redaction)
    for warning in loaded.warnings:
        log.warning(abridged(warning))
    return redaction


@contextmanager
def own_output(settings: Settings, *, redaction: Redaction | None = None, is_lasting: bool = False) -> Iterator[TextIO]:
    """Yield the real standard output for the command's own text, while all other output to it is diverted.

    Output of plugins and of their child programs goes to standard error: `--json` stays JSON. If they read standard
    input, they find its end: a prompt that nobody sees would wait for ever. In a program that goes on (`is_lasting`),
    a failed write may succeed later.
    """
    # Imported here: it needs the model of a run, and gevent's patch comes before.
    from slack_alert.cli.output.json_stderr import filtered
    from slack_alert.executors.calling.output import captured
    from slack_alert.loader.modules.spawning import become_spawnable, spawnable

    if are_prepared():
        become_spawnable()
    told, plugins = filtered(sys.stderr, settings.timezone), spawnable(settings.path, settings.markers)
    printed = captured(sys.stderr, redaction or Redaction(settings.secrets()))
    with told, _diverted(is_lasting=is_lasting) as out, _without_input(), plugins, printed:
        yield out


@contextmanager
def _diverted(*, is_lasting: bool) -> Iterator[TextIO]:
    """Redirect descriptor 1 to standard error, so that even a subprocess cannot write into our output."""
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
        with suppress(OSError):  # Failed writes were logged when they happened.
            out.close()
        copy_failure(out, sys.stdout)
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def _without_input() -> Iterator[None]:
    """Replace standard input by an empty one, also for programs that plugins start."""
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
