"""What a configuration is once it has been read: parsed, checked and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.core.redaction.credentials import hidden_parts
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import PrivateStruct, Struct
from slack_alert.settings.secret import Secret

if TYPE_CHECKING:
    from slack_alert.settings.value_sources import GivenValue

TimezoneSource = Literal["set", "machine", "utc fallback"]

SQLITE = "sqlite:///"


class Settings(PrivateStruct, frozen=True, kw_only=True):
    """Every setting, parsed; None where an optional one is not set."""

    # The URLs of servers may hold passwords, and whoever knows the heartbeat's can say that all is well.
    hidden = frozenset({"database", "heartbeat_url", "proxy"})

    token: Secret | None
    app_token: Secret | None
    signing_secret: Secret | None
    channel: str | None
    errors_to: str | None
    username: str | None
    icon_emoji: str | None
    icon_url: str | None
    api_url: str | None
    working_hours: WorkingHours
    #: 0: no limit.
    max_alert: int
    pause_time: timedelta
    while_paused: Literal["skip", "mute"]
    timezone: tzinfo
    timezone_source: TimezoneSource
    timeout: timedelta | None
    isolation: Literal["none", "process"]
    #: In bytes.
    memory_limit: int | None
    cpu_limit: timedelta | None
    scheduler: str
    #: Absolute, with symbolic links resolved.
    path: Path
    #: A URL; of an SQLite file always with an absolute path.
    database: str
    history_days: int
    history_rows: int
    #: 0: unpaced.
    messages_per_second: float
    burst: int
    give_up: timedelta
    drain_timeout: timedelta
    heartbeat_url: str | None
    proxy: str | None
    ca_file: Path | None
    #: Empty: any name.
    markers: tuple[str, ...]
    reload: Literal["auto", "signal", "off"]
    load_timeout: timedelta
    threads: int
    log_level: str
    log_format: Literal["text", "json"]
    #: The windows of [quiet].
    quiet: tuple[QuietWindow, ...] = ()
    #: What has no effect and is secret all the same: values that a stronger source overrides, the environment's proxy.
    other_secrets: tuple[Secret, ...] = ()
    dry_run: bool
    #: Where a running program speaks that this command is beside: `slack` or `console`, whoever has the token.
    service: str | None = None

    def secrets(self) -> tuple[str, ...]:
        """Return what must be taken out of everything that is shown; of an address its parts are found by themselves.

        The addresses of Slack, of its pictures and of the database are no secret, but a password in them is.
        """
        given = (self.token, self.app_token, self.signing_secret, *self.other_secrets)
        whole = (self.heartbeat_url, self.proxy)
        partly = (self.api_url, self.icon_url, self.database)
        return (
            *(secret.reveal() for secret in given if secret is not None),
            *(url for url in whole if url is not None),
            *(part for url in partly if url is not None for part in hidden_parts(url)),
        )

    def missing(self) -> str | None:
        """Return what `run` still needs, in one sentence; commands that post nothing need not ask."""
        if self.token is None or self.channel is not None or self.dry_run:
            return None
        return (
            "There is a token but no channel to send to: set `channel = #ops` in slack_alert.conf, "
            "SLACK_ALERT_CHANNEL in the environment, or pass --channel."
        )


class LoadedSettings(Struct, frozen=True):
    """Settings, what to tell people about them, and where each one that is not a default came from."""

    settings: Settings
    warnings: tuple[str, ...]
    origins: Mapping[str, str]
    #: What was written for each of them, and for the keys of [quiet].
    given: Mapping[str, GivenValue]
