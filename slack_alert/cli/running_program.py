"""Read the settings of the running program, for commands that report on it or send through it.

Another user, time zone, environment or folder must not change what they report.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import click

from slack_alert.cli.session import begin_log, configured, current_folder, home_folder, with_pack_secrets
from slack_alert.core.errors import NotAllowed, StoreError
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import Struct, replace
from slack_alert.settings import (
    KEYS,
    QUIET,
    LoadedSettings,
    PublishedSettings,
    Settings,
    UnreadableFile,
    decode_published,
    load_settings,
)

#: The settings that decide how instants are shown, and where the plugins are.
DISPLAY_SETTINGS = frozenset({"timezone", "path"})
#: The settings that decide where messages are posted.
POSTING_SETTINGS = frozenset({"path", "channel", "errors_to"})
#: The settings of a command that only passes a request on.
REQUEST_SETTINGS = frozenset({"path"})

#: The flags that decide which files are read.
_FILES = frozenset({"config", "ignore_global_config"})


def effective_settings(
    flags: Mapping[str, object], *, concerns: frozenset[str] | None = DISPLAY_SETTINGS, plans: bool = False
) -> Settings:
    """Return the settings of the program that runs with the same database, overridden by flags, and start logging.

    If none runs, they are the command's own. Differences among the settings in `concerns` (None: all) are printed to
    standard error. A command that `plans` ahead uses the files as they are now.
    """
    found = effective_config(flags, plans=plans)
    begin_log(found.loaded)
    for remark in found.remarks(concerns):
        click.echo(f"slack-alert: {remark}", err=True)
    return found.loaded.settings


class RunningConfig(Struct, frozen=True):
    """The configuration that a command uses."""

    loaded: LoadedSettings
    #: Yields remarks on differences among the named settings, or (None) among all.
    remarks: Callable[[frozenset[str] | None], Iterator[str]] = lambda _: iter(())


def effective_config(flags: Mapping[str, object], *, plans: bool = False) -> RunningConfig:
    """Read the configuration of the program that runs with the same database, or the command's own if none runs."""
    own, fault = _own(flags)
    try:
        found = None if own.settings.dry_run else _found(own.settings)
    except NotAllowed as error:
        # A command that needs the program fails with this sentence; a plan can be made without it.
        blind = f"{error} So this goes by the settings that are here, not by those of a program that may be running."
        found, remarks = None, [blind] if plans else []
    else:
        remarks = []
    if found is None:
        if fault is not None:
            raise fault
        return RunningConfig(own, lambda _: iter(remarks))
    # `--path` only leads to the database, as a changed link would; the program keeps its own plugins.
    counting = {name: value for name, value in flags.items() if plans or name != "path"}
    its = _load(counting, own, found.running, plans=plans)
    if fault is not None:
        return RunningConfig(its, lambda _: iter([f"{fault.where} cannot be read here; this is what {found} has."]))
    program = _load({name: flags[name] for name in _FILES & flags.keys()}, own, found.running, plans=False)
    return RunningConfig(its, partial(_remarks, _Views(own, its, program), found, frozenset(flags)))


class _Found(Struct, frozen=True):
    """A running program and its settings."""

    pid: int
    running: PublishedSettings

    def __str__(self) -> str:
        return f"the running program (process {self.pid})"


class _Views(Struct, frozen=True):
    """The configuration as the command reads it, as its answer uses it, and as the program runs."""

    own: LoadedSettings
    its: LoadedSettings
    program: LoadedSettings


def _own(flags: Mapping[str, object]) -> tuple[LoadedSettings, UnreadableFile | None]:
    try:
        return configured(flags), None
    except UnreadableFile as error:
        found = load_settings(flags, os.environ, cwd=current_folder(), home=home_folder(), skip_unreadable=True)
        return with_pack_secrets(found), error


def _found(settings: Settings) -> _Found | None:
    from slack_alert.bootstrap.plugin_files import database
    from slack_alert.stores.files.lock import owner

    try:
        holder = owner(database(settings))
    except NotAllowed:
        raise
    except StoreError:  # A command that needs more than the settings meets the error again.
        return None
    running = decode_published(holder.note) if holder is not None else None
    return _Found(holder.pid, running) if holder is not None and running is not None else None


def _load(
    flags: Mapping[str, object], own: LoadedSettings, running: PublishedSettings, *, plans: bool
) -> LoadedSettings:
    layer = running.layer(own, plans=plans)
    loaded = load_settings(
        flags, os.environ, cwd=current_folder(), home=home_folder(), running=layer, skip_unreadable=True
    )
    loaded = with_pack_secrets(loaded)
    source = running.timezone_source if "timezone" in layer.keys() - flags.keys() else loaded.settings.timezone_source
    return replace(loaded, settings=replace(loaded.settings, service=running.service, timezone_source=source))


def _remarks(views: _Views, found: _Found, flags: frozenset[str], concerns: frozenset[str] | None) -> Iterator[str]:
    """Yield the settings that differ in the program, and which value counts."""
    known = [*found.running.texts, *(name for name in views.own.given if name.startswith(QUIET))]
    names = [name for name in dict.fromkeys(known) if concerns is None or name in concerns]
    only_here = [name for name in names if _value(views.its, name) != _value(views.program, name)]
    if given := [name for name in only_here if name in flags]:
        yield f"{found} has {_listed(given, views.program)}; what the command line says counts for this answer alone."
    if edited := [name for name in only_here if name not in flags]:
        said = _listed(edited, views.program)
        yield f"{found} still has {said}; this is as after a restart, with {_listed(edited, views.its)}."
    rest = [name for name in names if name not in only_here]
    if others := [name for name in rest if _value(views.own, name) != _value(views.program, name)]:
        said = _listed(others, views.program)
        yield f"{found} has {said}, and that counts; here it would be {_listed(others, views.own)}."


def _listed(names: list[str], loaded: LoadedSettings) -> str:
    return ", ".join(f"{name} = {_text(loaded, name) or '(not set)'}" for name in names)


def _value(loaded: LoadedSettings, name: str) -> object:
    """Return a comparable value; working hours as text, because parsed they contain the zone, another setting."""
    value = _text(loaded, name) if name.startswith(QUIET) else getattr(loaded.settings, name)
    return value.text if isinstance(value, WorkingHours) else value


def _text(loaded: LoadedSettings, name: str) -> str:
    if name in DISPLAY_SETTINGS:
        return str(getattr(loaded.settings, name))
    return loaded.given[name].text if name in loaded.given else _DEFAULTS.get(name, "")


_DEFAULTS = {key.name: key.default for key in KEYS}
