"""The table of keys with their defaults; parsing, environment, reference page and slack_alert.conf are made from it."""

from __future__ import annotations

from typing import Literal

from slack_alert.core.structs import Struct

Kind = Literal[
    "text", "address", "secret", "url", "whole", "number", "duration", "choice", "names",
    "size", "hours", "zone", "folder", "file", "database", "listen", "hosts", "prefixes", "conversations",
    "members", "path", "words", "repository",
]  # fmt: skip


#: The beginning of the names of sections with a command, and their keys; see `command_sections`.
COMMAND = "command."
COMMAND_KEYS = ("run", "params", "allow", "queue", "lock", "cwd", "timeout", "confirm", "help")
#: The keys of sections such as [command.deploy], of which there may be any number.
NAMED_SECTIONS = {
    "command": COMMAND_KEYS,
    "webhook": ("secret", "secret_file", "signature", "id"),
    "git": (
        "host",
        "url",
        "repo",
        "token",
        "token_file",
        "test",
        "approve",
        "hook_secret",
        "hook_secret_file",
    ),
    "dingtalk": (
        "webhook",
        "webhook_file",
        "secret",
        "secret_file",
        "keyword",
        "client_id",
        "client_secret",
        "client_secret_file",
        "door",
        "api_url",
        "robot_code",
    ),
}


#: The beginning of the names of sections of packs, whose manifests say which keys there are.
PACK = "pack."
#: Packs that come along, and whose sections are written without that: [jenkins], [jenkins.services].
PACK_SECTIONS = ("jenkins",)
#: The beginning of the names of sections with the owners of files in a repository; their keys are globs.
OWNERS = "owners."


class Key(Struct, frozen=True, kw_only=True):
    """A setting: how it is written, parsed and documented."""

    #: The field of Settings; outside [slack] it starts with the section.
    name: str
    kind: Kind
    meaning: str
    section: str = "slack"
    #: As it would stand in the file; empty where the key need not be set.
    default: str = ""
    #: What an unset key means, where the default is empty.
    unset: str = "none"
    #: An example of a value, where the default is empty.
    example: str = ""
    flag: str | None = None
    #: A variable of Slack's own tools, which is read where ours is not set.
    also: str = ""
    choices: tuple[str, ...] = ()
    #: The unit of a duration without one: "s" or "m".
    unit: str = "s"
    #: The bounds of a number; the lower bound of a duration, in seconds.
    least: float = 0
    #: The least value above 0, where 0 is allowed.
    finest: float = 0
    most: float | None = None

    @property
    def variable(self) -> str:
        """Return the name of its environment variable."""
        return f"SLACK_ALERT_{self.name}".upper()

    @property
    def written(self) -> str:
        """Return its name in a file, without the section."""
        return self.name.removeprefix(f"{self.section}_")

    @property
    def spellings(self) -> tuple[str, ...]:
        """Return its names in a file: a secret also has one for the path of a file that holds it."""
        return (self.name, f"{self.name}_file") if self.kind == "secret" else (self.name,)


KEYS: tuple[Key, ...] = (
    Key(
        name="token",
        kind="secret",
        unset="none, messages go to the terminal",
        example="xoxb-...",
        also="SLACK_BOT_TOKEN",
        meaning="The bot token of the Slack app.",
    ),
    Key(
        name="app_token",
        kind="secret",
        example="xapp-...",
        also="SLACK_APP_TOKEN",
        meaning="The app-level token of the Slack app, for Socket Mode.",
    ),
    Key(
        name="signing_secret",
        kind="secret",
        example="...",
        also="SLACK_SIGNING_SECRET",
        meaning="The signing secret of the Slack app, for what Slack sends over HTTP.",
    ),
    Key(
        name="channel",
        kind="address",
        unset="none, with a token it is required",
        example="#ops",
        flag="--channel",
        meaning="Where messages go: #ops or ops, an id such as C0123, a person as @ann or U0123.",
    ),
    Key(
        name="errors_to",
        kind="address",
        unset="the channel",
        example="#ops-errors",
        meaning="Where exceptions of jobs go instead.",
    ),
    Key(name="username", kind="text", example="slack-alert", meaning="The name messages are posted under."),
    Key(name="icon_emoji", kind="text", example=":fire:", meaning="The emoji shown beside messages."),
    Key(
        name="icon_url",
        kind="url",
        example="https://example.com/icon.png",
        meaning="The picture shown beside messages.",
    ),
    Key(
        name="api_url",
        kind="url",
        unset="Slack's",
        example="https://slack-gov.com/api/",
        meaning="Another address of Slack's API: GovSlack, or a server for tests.",
    ),
    Key(
        name="working_hours",
        kind="hours",
        unset="always",
        example="mon-fri 9:30-19:00; sat 10:00-14:00",
        flag="--working-hours",
        meaning="When jobs run: 9:30-19:00, or 9:00-12:00,13:00-18:00, or windows for days; always. 19:00 itself is "
        "outside; 22:00-06:00 crosses midnight and belongs to the day it begins; fri-mon wraps.",
    ),
    Key(
        name="max_alert",
        kind="whole",
        default="3",
        flag="--max-alert",
        meaning="How many alerts a job may send within pause_time before it is paused; 0: no limit.",
    ),
    Key(
        name="pause_time",
        kind="duration",
        default="60",
        unit="m",
        flag="--pause-time",
        least=1,
        meaning="How long the pause is, in minutes, or with a unit: 90s, 1h30m, 2d.",
    ),
    Key(
        name="while_paused",
        kind="choice",
        default="skip",
        choices=("skip", "mute"),
        meaning="skip: a paused job does not run; mute: it runs, and what it says is withheld.",
    ),
    Key(
        name="timezone",
        kind="zone",
        unset="the machine's",
        example="Europe/Berlin",
        flag="--timezone",
        meaning="The time zone of working hours and of cron and day triggers.",
    ),
    Key(
        name="timeout",
        kind="duration",
        example="5m",
        least=0.001,
        meaning="How long a run may take, in seconds, or with a unit.",
    ),
    Key(
        name="isolation",
        kind="choice",
        default="none",
        choices=("none", "process"),
        meaning="none: functions are called in this process; process: in processes of their own, which can be killed.",
    ),
    Key(
        name="memory_limit",
        kind="size",
        example="512MB",
        least=32 * 1024 * 1024,
        meaning="How much memory a function may have that is called in a process of its own.",
    ),
    Key(
        name="cpu_limit",
        kind="duration",
        example="1m",
        least=1,
        meaning="How much time of the processor one run of such a function may use, in seconds, or with a unit.",
    ),
    Key(
        name="scheduler",
        kind="choice",
        default="AsyncIOScheduler",
        choices=("AsyncIOScheduler", "BackgroundScheduler", "GeventScheduler", "TornadoScheduler"),
        flag="--scheduler",
        meaning="What keeps the time and runs the jobs: AsyncIOScheduler, BackgroundScheduler, GeventScheduler or "
        "TornadoScheduler.",
    ),
    Key(
        name="path",
        kind="folder",
        default=".",
        flag="--path",
        meaning="The folder that holds plugins/. Not in the slack_alert.conf of that folder itself.",
    ),
    Key(
        name="database",
        kind="database",
        default="sqlite:///.slack_alert/state.db",
        flag="--database",
        meaning="Where state, history and messages are kept; a relative file is below path.",
    ),
    Key(name="history_days", kind="whole", default="30", least=1, most=36500, meaning="How many days history is kept."),
    Key(
        name="history_rows",
        kind="whole",
        default="1000000",
        least=1,
        meaning="Beyond how many rows quiet runs and runs that did not happen are folded into one row per job, "
        "verdict and hour.",
    ),
    Key(
        name="messages_per_second",
        kind="number",
        default="1",
        most=1000,
        finest=0.001,
        meaning="How fast messages are sent to one address; 0: unpaced.",
    ),
    Key(name="burst", kind="whole", default="3", least=1, meaning="How many messages may go out at once before that."),
    Key(
        name="give_up",
        kind="duration",
        default="24h",
        least=1,
        meaning="How long an undeliverable message is tried again, in seconds, or with a unit.",
    ),
    Key(
        name="drain_timeout",
        kind="duration",
        default="8s",
        meaning="How long running jobs and queued messages are waited for at the end, in seconds, or with a unit.",
    ),
    Key(
        name="heartbeat_url",
        kind="url",
        example="https://hc-ping.com/your-check",
        meaning="An address fetched every minute while clock and delivery are both healthy.",
    ),
    Key(name="proxy", kind="url", example="http://proxy.example.com:3128", meaning="The HTTP proxy to Slack."),
    Key(
        name="ca_file",
        kind="file",
        example="/etc/ssl/certs/company.pem",
        meaning="A file of certificates to trust; a relative one is beside the file that names it.",
    ),
    Key(
        name="markers",
        kind="names",
        unset="any name",
        example="deco, alert",
        meaning="The only names of decorators that make a function a job.",
    ),
    Key(
        name="reload",
        kind="choice",
        default="auto",
        choices=("auto", "signal", "off"),
        meaning="auto: an edited plugin file takes effect while the program runs; signal: when it gets SIGHUP; off: at "
        "the next start.",
    ),
    Key(
        name="load_timeout",
        kind="duration",
        default="30s",
        least=1,
        meaning="How long a plugin file may load before it is given up and told, in seconds, or with a unit; after 5 s "
        "it is named in the log, and the others run meanwhile.",
    ),
    Key(
        name="threads",
        kind="whole",
        default="32",
        least=1,
        most=1000,
        meaning="How many plain functions may run at the same time.",
    ),
    Key(
        name="log_level",
        kind="choice",
        default="info",
        choices=("debug", "info", "warning", "error", "critical"),
        flag="--log-level",
        meaning="What is worth a line on standard error: debug, info, warning, error or critical.",
    ),
    Key(
        name="log_format",
        kind="choice",
        default="text",
        choices=("text", "json"),
        flag="--log-format",
        meaning="How such a line is written: text or json.",
    ),
    Key(
        name="web_listen",
        section="web",
        kind="listen",
        unset="off",
        example="127.0.0.1:8080",
        meaning="Where the web server listens: 127.0.0.1:8080 for this machine only, 0.0.0.0:8080 for all of its "
        "addresses, [::1]:8080; a comma between several.",
    ),
    Key(
        name="web_public_url",
        section="web",
        kind="url",
        example="https://alerts.example.com",
        meaning="The address at which others reach the web server, through a proxy or a tunnel.",
    ),
    Key(
        name="web_allow_hosts",
        section="web",
        kind="hosts",
        unset="this machine, the addresses of listen, and the host of public_url",
        example="alerts.internal, *.example.com",
        meaning="Further names by which the web server may be called, without port; * for any.",
    ),
    Key(
        name="web_forward",
        section="web",
        kind="url",
        example="https://alerts.internal:8080",
        meaning="Where a function of a platform passes calls of hooks on to, once it has checked them: the program's "
        "own web server. The program itself makes nothing of it.",
    ),
    Key(
        name="web_token",
        section="web",
        kind="secret",
        example="another-long-random-text",
        meaning="What a caller of the HTTP API shows (Authorization: Bearer ...) to ask for commands; it may read as "
        "well.",
    ),
    Key(
        name="web_token_role",
        section="web",
        kind="members",
        default="nobody",
        meaning="The roles of who shows that token: what it may ask for.",
    ),
    Key(
        name="web_read_token",
        section="web",
        kind="secret",
        example="a-long-random-text",
        meaning="What a caller from another machine shows (Authorization: Bearer ...) to read names and reasons at "
        "/readyz and /metrics, and to read by the HTTP API.",
    ),
    Key(
        name="chat_prefix",
        section="chat",
        kind="prefixes",
        default="!",
        meaning="What a message begins with that is a command, one or several; prefix.#deploys = is for a channel, and "
        "empty there: each message of it is a command where its first words are one.",
    ),
    Key(
        name="chat_poll",
        section="chat",
        kind="duration",
        example="5s",
        least=1,
        meaning="How often the channels of `channels` are read for commands, where Slack can send nothing here.",
    ),
    Key(
        name="chat_channels",
        section="chat",
        kind="conversations",
        example="#ops, C0123",
        meaning="The channels that are read with `poll`.",
    ),
    Key(
        name="chat_admins",
        section="chat",
        kind="members",
        unset="nobody",
        example="U123",
        meaning="Who may do everything: ids of people (U123), of user groups (S789), or roles.",
    ),
    Key(
        name="chat_may_use",
        section="chat",
        kind="members",
        default="members",
        meaning="Who may talk to the bot at all: roles or ids. members are those of the workspace, without guests, "
        "bots, disabled accounts and strangers.",
    ),
    Key(
        name="chat_cli_role",
        section="chat",
        kind="members",
        default="admins",
        meaning="The roles of whoever sits at the terminal of this machine.",
    ),
    Key(
        name="chat_rate",
        section="chat",
        kind="whole",
        default="20",
        meaning="How many commands a person may ask for in a minute; 0: no limit.",
    ),
    Key(
        name="chat_support",
        section="chat",
        kind="address",
        example="#help",
        meaning="Where people are sent who need help with a command that failed or was refused.",
    ),
    Key(
        name="chat_tags",
        section="chat",
        kind="choice",
        default="off",
        choices=("off", "on"),
        meaning="on: a command is found inside a sentence, too, where it has a slash in front: /test 233.",
    ),
    Key(
        name="git_default",
        section="git",
        kind="repository",
        unset="the only one there is",
        example="shop",
        meaning="The repository that commands such as pr 12 are about where none is named: the NAME of a [git.NAME].",
    ),
    Key(
        name="store_key_file",
        section="store",
        kind="path",
        default=".slack_alert/store.key",
        meaning="Where the key lies that encrypted values of ctx.store are encrypted with; a relative file is below "
        "path. It is made with the first such value.",
    ),
    Key(
        name="audit_key_file",
        section="audit",
        kind="path",
        default=".slack_alert/audit.key",
        meaning="Where the key lies that entries of the audit are chained with; a relative file is below path. It is "
        "made with the first entry.",
    ),
    Key(
        name="audit_days",
        section="audit",
        kind="whole",
        unset="for ever",
        example="365",
        least=1,
        most=36500,
        meaning="How many days entries of the audit are kept; history_days does not concern them.",
    ),
    Key(
        name="audit_sensitive",
        section="audit",
        kind="words",
        example="deploy, jenkins log",
        meaning="Commands that begin with these words are posted as well, at once, in the channel of the audit.",
    ),
    Key(
        name="audit_office_hours",
        section="audit",
        kind="hours",
        unset="always",
        example="mon-fri 8:00-19:00",
        meaning="Outside of these hours every entry of the audit is posted, at once.",
    ),
    Key(
        name="audit_channel",
        section="audit",
        kind="address",
        unset="none, nothing of the audit is posted",
        example="#audit",
        meaning="Where entries of the audit are posted, and every day its head, by which a change is noticed later.",
    ),
)

BY_NAME = {key.name: key for key in KEYS}
