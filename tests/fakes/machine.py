"""A home folder and a folder to start in, with the settings that are read there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from slack_alert.core.errors import SettingsError
from slack_alert.settings import LoadedSettings, load_settings

#: The user's own configuration file, as `write` takes it.
USER_CONF = "../home/.config/slack_alert.conf"


@dataclass(frozen=True)
class Machine:
    """A home folder and a folder the program is started in, both below one temporary folder."""

    cwd: Path
    home: Path

    def write(self, name: str, text: str, *, mode: int = 0o600) -> Path:
        file = self.cwd / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
        return file

    def load(
        self, environ: Mapping[str, str] | None = None, /, *, posix: bool = True, **flags: object
    ) -> LoadedSettings:
        environ = {"TZ": "Europe/Berlin", **(environ or {})}
        return load_settings(flags, environ, cwd=self.cwd, home=self.home, etc=self.cwd, posix=posix)

    def fault(self, environ: Mapping[str, str] | None = None, /, **flags: object) -> SettingsError:
        with pytest.raises(SettingsError) as raised:
            self.load(environ, posix=True, **flags)
        return raised.value
