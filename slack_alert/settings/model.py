"""The loaded settings: parsed, checked and frozen; their defaults are in `keys`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from slack_alert.core.errors import SettingsError
from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.core.redaction.credentials import hidden_parts
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import PrivateStruct, Struct, field
from slack_alert.settings.secret import Secret

if TYPE_CHECKING:
    from slack_alert.core.commands.permissions import Permissions
    from slack_alert.core.commands.signature import Parameter
    from slack_alert.core.pack import PackSettings
    from slack_alert.settings.value_sources import GivenValue

TimezoneSource = Literal["set", "machine", "utc fallback"]

SQLITE = "sqlite:///"


class ListenAddress(Struct, frozen=True):
    """An address to listen at."""

    #: A name or an IP address, without the brackets of one of version 6.
    host: str
    #: 0: any free port.
    port: int

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class CommandSection(Struct, frozen=True):
    """A command of the configuration."""

    #: The words that people write.
    name: str
    #: The file and the line of its section.
    file: str
    line: int
    run: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    allow: tuple[str, ...] = ()
    queue: str | None = "default"
    lock: str = ""
    #: None: the folder that holds plugins/.
    cwd: Path | None = None
    timeout: timedelta | None = None
    #: A person has to agree first.
    is_confirmed: bool = False
    help: str = ""


class HookSection(Struct, frozen=True):
    """A hook of the web server, which another system calls."""

    #: Its name in the configuration, and whose it is: `webhook` for any sender's, or a host such as `github`.
    name: str
    sender: str
    secret: Secret
    #: The header that shows that the sender has the secret, and whether that is a signature over the body.
    header: str = ""
    is_signed: bool = False
    #: The header with the id of a delivery; empty: nothing is called a repetition.
    id_header: str = ""


class GitSection(Struct, frozen=True):
    """A repository on a host, whose pull requests people see, approve and merge."""

    name: str
    host: str
    #: Where the API of the host is, without a slash at the end.
    url: str
    #: Its path on the host.
    repo: str
    token: Secret
    #: What `test` starts: `command:NAME`, `github:WORKFLOW`; empty: nothing.
    test: str
    #: Where an approval is kept: `record`, or `review` for the host as well.
    approve: str
    #: Lines of [owners.NAME], as they are written: `db/** = github:ann, release`.
    owners: tuple[str, ...] = ()

    @property
    def plain(self) -> dict[str, str | list[str]]:
        """What the pack reads of it, by key."""
        read: dict[str, str | list[str]] = {
            "host": self.host,
            "url": self.url,
            "repo": self.repo,
            "token": self.token.reveal(),
            "test": self.test,
            "approve": self.approve,
            "owners": [*self.owners],
        }
        return {f"{self.name}.{key}": value for key, value in read.items()}


class DingTalkSection(Struct, frozen=True):
    """A robot of DingTalk: a group's, by its webhook, or an app's, by its client id; or both."""

    name: str
    webhook: Secret | None
    #: What requests to the webhook are signed with; None: they are not.
    secret: Secret | None
    #: A word that the robot asks for in each message; empty: none.
    keyword: str
    client_id: str
    client_secret: Secret | None
    #: How people are heard: `stream`, `http`; empty: they are not.
    door: str
    api_url: str
    #: By which the app's robot is known; the client id, as a rule.
    robot_code: str

    @property
    def every_secret(self) -> tuple[Secret, ...]:
        """Return what must not be shown."""
        return tuple(each for each in (self.webhook, self.secret, self.client_secret) if each is not None)


class Settings(PrivateStruct, frozen=True, kw_only=True):
    """All settings, parsed; None where an optional one is not set."""

    # The URLs of servers may contain passwords, and the heartbeat's URL is all it takes to fake a heartbeat.
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
    #: Empty: any name is a marker.
    markers: tuple[str, ...]
    reload: Literal["auto", "signal", "off"]
    load_timeout: timedelta
    threads: int
    log_level: str
    log_format: Literal["text", "json"]
    #: Empty: there is no web server.
    web_listen: tuple[ListenAddress, ...]
    web_public_url: str | None
    web_forward: str | None
    web_allow_hosts: tuple[str, ...]
    web_token: Secret | None
    web_token_role: tuple[str, ...]
    web_read_token: Secret | None
    #: The hooks of the sections [webhook.NAME] and [git.NAME].
    hooks: tuple[HookSection, ...] = ()
    #: The repositories of the sections [git.NAME], and that which is meant where none is named.
    git: tuple[GitSection, ...] = ()
    git_default: str | None
    #: Robots of DingTalk, and what apprise reaches, by the channels' names.
    dingtalk: tuple[DingTalkSection, ...]
    channels: Mapping[str, Secret]
    #: What a message begins with that is a command, anywhere and in some channels, where an empty text is anything.
    chat_prefix: tuple[str, ...]
    chat_prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chat_poll: timedelta | None
    chat_channels: tuple[str, ...]
    #: As they are written; `permissions` has what they mean.
    chat_admins: tuple[str, ...]
    chat_may_use: tuple[str, ...]
    chat_cli_role: tuple[str, ...]
    #: 0: no limit.
    chat_rate: int
    chat_support: str | None
    chat_tags: Literal["off", "on"]
    #: How many runs of a queue go on at once, where it is not one.
    queues: Mapping[str, int] = field(default_factory=dict)
    #: The permissions of the configuration; None: those that hold where it says nothing.
    rights: Permissions | None = None
    #: Absolute; it need not be there.
    audit_key_file: Path
    store_key_file: Path
    #: None: for ever.
    audit_days: int | None
    audit_sensitive: tuple[str, ...]
    audit_office_hours: WorkingHours
    audit_channel: str | None
    #: The quiet windows of section [quiet].
    quiet: tuple[QuietWindow, ...] = ()
    #: The commands of the sections [command.NAME].
    commands: tuple[CommandSection, ...] = ()
    #: The sections [pack.NAME], which the manifests of the packs explain; None: there are none.
    packs: PackSettings | None = None
    #: Secrets without effect: values that a stronger source overrides, and the environment's proxy.
    other_secrets: tuple[Secret, ...] = ()
    dry_run: bool
    #: The service of the running program that a command runs beside, `slack` or `console`; else None.
    service: str | None = None

    @property
    def permissions(self) -> Permissions:
        """Who may run which command."""
        # Imported only where somebody asks: a program without commands never does.
        from slack_alert.core.commands.permissions import Permissions

        return self.rights or Permissions()

    @property
    def has_doors(self) -> bool:
        """Whether people can write to the program from outside of this machine."""
        return self.has_slack_doors or (not self.dry_run and any(robot.door for robot in self.dingtalk))

    @property
    def has_slack_doors(self) -> bool:
        """Whether people can write to the program from Slack."""
        hears = self.signing_secret is not None and bool(self.web_listen)
        reads = self.chat_poll is not None and bool(self.chat_channels)
        return self.token is not None and not self.dry_run and (self.app_token is not None or hears or reads)

    @property
    def has_api(self) -> bool:
        """Whether programs with a token may read or ask for something over HTTP."""
        has_token = self.web_token is not None or self.web_read_token is not None
        return bool(self.web_listen) and has_token and not self.dry_run

    @property
    def has_served_door(self) -> bool:
        """Whether the web server lets people in from a chat."""
        from_slack = self.token is not None and self.signing_secret is not None
        is_called = from_slack or any(robot.door == "http" for robot in self.dingtalk)
        return is_called and bool(self.web_listen) and not self.dry_run

    @property
    def has_slack_buttons(self) -> bool:
        """Whether a door of Slack takes what is pressed, so that alerts carry buttons there."""
        if self.dry_run or self.token is None:
            return False
        return self.app_token is not None or (self.signing_secret is not None and bool(self.web_listen))

    @property
    def has_buttons(self) -> bool:
        """Whether a door takes what is pressed, so that alerts carry buttons where they are shown."""
        return self.has_slack_buttons or any(robot.door == "stream" for robot in self.dingtalk)

    def secrets(self) -> tuple[str, ...]:
        """Return the secrets that must be redacted wherever text is shown.

        The URLs of Slack, the icon, the database and the web server are no secret, but a password in them is. The parts
        of a secret URL are redacted as well; they need not be listed.
        """
        hooks = (hook.secret for hook in self.hooks)
        hosts = (each.token for each in self.git)
        channels = (*(each for robot in self.dingtalk for each in robot.every_secret), *self.channels.values())
        web = (self.web_token, self.web_read_token)
        given = (self.token, self.app_token, self.signing_secret, *web, *hooks, *hosts, *channels, *self.other_secrets)
        whole = (self.heartbeat_url, self.proxy)
        partly = (self.api_url, self.icon_url, self.database, self.web_public_url)
        return (
            *(secret.reveal() for secret in given if secret is not None),
            *(url for url in whole if url is not None),
            *(part for url in partly if url is not None for part in hidden_parts(url)),
            *(self.packs.find_secrets() if self.packs is not None else ()),
        )

    def missing(self) -> SettingsError | None:
        """Return the error where `run` lacks a setting, or None; commands that post nothing need not call it."""
        if self.token is None or self.channel is not None or self.dry_run:
            return None
        hint = "set `channel = #ops` in slack_alert.conf, SLACK_ALERT_CHANNEL in the environment, or pass --channel."
        return SettingsError("There is a token but no channel to send to:", hint=hint)


class LoadedSettings(Struct, frozen=True):
    """The settings, warnings about them, and the origin of each value that is not a default."""

    settings: Settings
    warnings: tuple[str, ...]
    origins: Mapping[str, str]
    #: The text of each of them, and of the keys of [quiet].
    given: Mapping[str, GivenValue]
