"""The state behind the fake Slack: who and what exists, what was posted, how fast a channel may be posted to."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict

from tests.fakes.slack_rules import Json, SlackError

BOT_USER, BOT, APP, TEAM = "U0BOT", "B0ALERT", "A0ALERT", "T0TEST"
ALL_SCOPES = frozenset(
    {
        "app_mentions:read", "channels:history", "channels:read", "chat:write",
        "chat:write.customize", "chat:write.public", "commands", "files:write",
        "groups:history", "groups:read", "im:history", "im:read", "im:write", "metadata.message:read", "mpim:write",
        "reactions:write",
        "usergroups:read", "users:read", "users:read.email",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that Slack has accepted, as it stands now."""

    channel: str
    text: str
    ts: str
    at: float
    blocks: list[Json] | None = None
    thread_ts: str | None = None
    metadata: Json | None = None
    username: str | None = None
    icon_emoji: str | None = None
    icon_url: str | None = None
    attachments: list[Json] | None = None
    broadcast: bool = False
    edited: bool = False
    files: tuple[str, ...] = ()
    user: str = BOT_USER


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way: the URL was asked for, the bytes have come, or it was completed."""

    id: str
    filename: str
    length: int
    content: bytes | None = None
    title: str | None = None
    channel: str | None = None


class WorkspaceOptions(TypedDict, total=False):
    token: str
    scopes: Collection[str]
    channels: Mapping[str, str]
    archived: Collection[str]
    private: Collection[str]
    absent: Collection[str]
    users: Mapping[str, str]
    accounts: Mapping[str, Json]
    hidden: Collection[str]
    groups: Mapping[str, Collection[str]]
    app_token: str
    rate: float
    burst: int
    now: Callable[[], float]


@dataclass(slots=True)
class ResponseUrl:
    """An address for answers to an interaction: good for a few, for half an hour."""

    channel: str
    since: float
    answers: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Workspace:
    """One workspace. `absent` are the channels the bot has not joined; `rate` is messages a second and channel."""

    token: str = "xoxb-test"
    scopes: Collection[str] = ALL_SCOPES
    channels: Mapping[str, str] = field(
        default_factory=lambda: {
            "C0OPS": "ops",
            "C0TEST": "test",
            "C0ERR": "errors",
            "C0OLD": "old",
            "C0OPEN": "open",
            "G0TEAM": "team",
            "G0SECRET": "secret",
        }
    )
    archived: Collection[str] = ("C0OLD",)
    private: Collection[str] = ("G0TEAM", "G0SECRET")
    absent: Collection[str] = ("C0OPEN", "G0SECRET")
    users: Mapping[str, str] = field(default_factory=lambda: {"U0ANN": "ann", "U0BOB": "bob"})
    #: What is out of the ordinary with a user, as fields of `users.info`: a guest, a bot, somebody of another team.
    accounts: Mapping[str, Json] = field(default_factory=dict)
    #: Users that exist and that the bot may not see.
    hidden: Collection[str] = ()
    #: The members of user groups by the group's id; None: the plan of the workspace has no user groups.
    groups: Mapping[str, Collection[str]] | None = field(default_factory=lambda: {"S0OPS": ("U0ANN",)})
    app_token: str = "xapp-1-A0ALERT-test"
    app_scopes: Collection[str] = ("connections:write",)
    #: Whether the app is set to Socket Mode.
    socket_mode: bool = True
    enterprise: str | None = None
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    rate: float = 0.0
    burst: int = 1
    now: Callable[[], float] = time.time
    messages: list[Posted] = field(default_factory=list)
    uploads: dict[str, Upload] = field(default_factory=dict)
    conversations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    replies: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    reactions: set[tuple[str, str, str]] = field(default_factory=set)
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    _last_ts: int = 0

    def find(self, channel: str) -> str | None:
        """Return the id of a channel named by id, name, #name or a direct conversation's id."""
        if channel in self.channels or channel in self.conversations:
            return channel
        name = channel.removeprefix("#")
        return next((known for known, its_name in self.channels.items() if its_name == name), None)

    def identify(self, channel: str) -> str:
        """Return the id behind whatever a caller wrote, without opening or refusing anything."""
        return self.find(channel) or (_direct(channel) if channel in self.users else channel)

    def address(self, channel: str) -> str:
        """Return the id of what chat.postMessage takes: a user's id too, which opens a direct conversation."""
        if re.match(r"[UW]", channel) and channel in self.users:
            return self.open((channel,))[0]
        return self.visible(self.find(channel) or "")

    def visible(self, channel: str) -> str:
        """Refuse what does not exist and private channels without the bot, which Slack does not tell apart."""
        hidden = channel in self.private and channel in self.absent
        if hidden or (channel not in self.channels and channel not in self.conversations):
            raise SlackError("channel_not_found")
        return channel

    def readable(self, channel: str) -> str:
        if self.visible(channel) in self.absent:
            raise SlackError("not_in_channel")
        return channel

    def writable(self, channel: str) -> str:
        if channel in self.archived:
            raise SlackError("is_archived")
        if channel in self.absent and "chat:write.public" not in self.scopes:
            raise SlackError("not_in_channel")
        return channel

    def open(self, users: tuple[str, ...]) -> tuple[str, bool]:
        """Open a direct conversation; also say whether it was open before."""
        for known, its_users in self.conversations.items():
            if its_users == users:
                return known, True
        new = _direct(users[0]) if len(users) == 1 else f"G0MPIM{len(self.conversations)}"
        self.conversations[new] = users
        return new, False

    def next_ts(self) -> str:
        """Return a timestamp no other message has, by the wall clock and always greater than the last."""
        self._last_ts = max(int(self.now() * 1_000_000), self._last_ts + 100)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def post(self, message: Posted) -> Posted:
        self.messages.append(message)
        if message.thread_ts:
            self.replies.setdefault((message.channel, message.thread_ts), []).append(message.ts)
        return message

    def message(self, channel: str, ts: str) -> Posted | None:
        return next((each for each in self.messages if (each.channel, each.ts) == (channel, ts)), None)

    def edit(self, message: Posted, changed: Posted) -> Posted:
        edited = replace(changed, edited=True)
        self.messages[self.messages.index(message)] = edited
        return edited

    def open_response_url(self, channel: str) -> str:
        """Return the path of a new one."""
        path = f"{TEAM}/{len(self.response_urls) + 1}"
        self.response_urls[path] = ResponseUrl(channel, self.now())
        return path

    def seconds_until_allowed(self, channel: str) -> float:
        """Take a token from the channel's bucket: zero when there was one, else how long until the next."""
        return self._seconds_until(channel, self.rate, self.burst) if self.rate else 0.0

    def seconds_until_callable(self, method: str, a_minute: int) -> float:
        """Take a token from the method's bucket, as for a channel."""
        return self._seconds_until(f"method {method}", a_minute / 60, a_minute)

    def _seconds_until(self, bucket: str, rate: float, burst: int) -> float:
        now = self.now()
        level, since = self._levels.get(bucket, (float(burst), now))
        level = min(float(burst), level + (now - since) * rate)
        allowed = level >= 1.0 - 1e-9
        self._levels[bucket] = (level - 1.0 if allowed else level, now)
        return 0.0 if allowed else (1.0 - level) / rate


def _direct(user: str) -> str:
    return f"D0{user[2:]}"
