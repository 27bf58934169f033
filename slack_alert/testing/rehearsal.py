"""The API of the testing kit: load plugins, advance the clock, read the messages."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Literal

from slack_alert.core.catalog import Catalog, Problem
from slack_alert.core.errors import BadValue
from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Record
from slack_alert.core.structs import replace
from slack_alert.loader import OptionDefaults, unload
from slack_alert.loader.files.discovery import PACKAGE, PACKS
from slack_alert.loader.options.option_checks import find_zone, parse_pause_time
from slack_alert.testing.harness import PluginHarness, Said
from slack_alert.testing.loading import FaultyPluginError, PluginSource, is_pack, load_path, pack_settings, root_of
from slack_alert.testing.manual_clock import forward_step, start_of

_CHANNEL = "slack"


class Rehearsal:
    """Runs plugins on a virtual clock: real functions and rules, without a store or a channel behind them.

    No database, no network of the program's own, no waiting. Only one may exist in a process; `close` unloads the
    plugins. The pytest fixture `slack_alert` is a rehearsal.
    """

    def __init__(self, look_in: Sequence[Path] = (Path(),)) -> None:
        self._source = PluginSource(look_in)
        self._harness: PluginHarness | None = None

    def load(
        self,
        source: str | Path,
        *,
        name: str = "plugin",
        start: datetime | str | None = None,
        timezone: str = "UTC",
        working_hours: str = "",
        max_alert: int = 3,
        pause_time: float | str = 60,
        while_paused: Literal["skip", "mute"] = "skip",
        channel: str = "#alerts",
        errors_to: str | None = None,
        config: Mapping[str, object] | None = None,
    ) -> Catalog:
        """Load a plugin file, a folder of them, a pack, or the text of a file; earlier plugins are unloaded.

        A text (a string with a line break) becomes the file `plugins/<name>.py`. Time begins at `start`, by default a
        Monday at 09:00, in `timezone`. `config` are the values of the pack's section, paths below the project; the
        other keywords are those of the configuration. An exception of a file's code while it loads reaches the caller.
        """
        self.close()
        zone = find_zone(timezone)
        defaults = OptionDefaults(
            zone=zone,
            working_hours=working_hours,
            max_alert=max_alert,
            pause_time=parse_pause_time(pause_time),
            mutes=while_paused == "mute",
            to=Address.parse(channel, _CHANNEL),
            errors_to=Address.parse(errors_to or channel, _CHANNEL),
            channel=_CHANNEL,
        )
        path = self._source.find(source, name)
        if is_pack(path):
            defaults = replace(defaults, packs=pack_settings(path, config or {}, root_of(path)))
        catalog = load_path(path, defaults)
        self._harness = PluginHarness(catalog, defaults, start=start_of(start, zone), path=root_of(path))
        return catalog

    def advance(
        self,
        by: timedelta = timedelta(),
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> list[Said]:
        """Advance the clock; return the messages of that time, its last moment included.

        A step of no time returns the messages at the start. Raise FaultyPluginError if the loaded plugins have errors.
        """
        step = forward_step(by, weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self._checked().advance(step)

    def emit(self, event: str, /, **fields: object) -> list[Said]:
        """Emit an event now, as `slack-alert emit` does; return the messages it caused."""
        return self._checked().emit(event, fields)

    def run(self, job: str) -> list[Said]:
        """Run a job now as if a person asked: it always answers, whatever the hours, and spends no quota."""
        harness = self._checked()
        try:
            return harness.run(job)
        except BadValue as error:
            names = ", ".join(binding.name for binding in harness.catalog.bindings) or "nothing"
            raise LookupError(f"{error} {error.hint} Loaded: {names}.") from error

    def module(self, name: str) -> ModuleType:
        """Return a plugin's module by its name, such as `disk` or `packs.mypack.plugin`, to replace its globals."""
        self._loaded()
        return importlib.import_module(name if name.startswith(f"{PACKS}.") else f"{PACKAGE}.{name}")

    def close(self) -> None:
        """Unload the plugins and delete the temporary files."""
        unload()
        self._harness = None
        self._source.close()

    @property
    def now(self) -> datetime:
        """The clock's time, in the time zone given to `load`."""
        harness = self._loaded()
        return harness.clock.now().astimezone(harness.zone)

    @property
    def history(self) -> list[Record]:
        """The records of all slots and of all runs that were asked for, in order."""
        return list(self._loaded().recorder.lines)

    @property
    def problems(self) -> list[Problem]:
        """The problems that `slack-alert check` would list."""
        return list(self._loaded().catalog.problems)

    def _loaded(self) -> PluginHarness:
        if self._harness is None:
            raise LookupError('Nothing is loaded yet: call load("plugins/disk.py"), or load the text of a plugin.')
        return self._harness

    def _checked(self) -> PluginHarness:
        harness = self._loaded()
        if harness.catalog.has_errors:
            raise FaultyPluginError(harness.catalog.problems)
        return harness
