"""What people ask for in a chat, who they are, and where they are answered."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from slack_alert.core.model.address import Address
from slack_alert.core.structs import Int64, PrivateStruct, Struct


class Identity(Struct, frozen=True):
    """An account of a chat service; names change, so nothing is decided by them."""

    #: `slack`, `dingtalk`, `cli`, `web`.
    service: str
    #: The workspace; empty where the service has one only.
    team: str
    user: str
    #: The name for people.
    name: str = ""

    @property
    def key(self) -> str:
        """Return the form that is compared and stored: `slack:T1/U1`, `cli:ann`."""
        return f"{self.service}:{self.team}/{self.user}" if self.team else f"{self.service}:{self.user}"


class AccountStatus(str, Enum):
    """What a chat service says of an account."""

    #: A full member of the workspace of this installation.
    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    DISABLED = "disabled"
    #: Of another workspace.
    STRANGER = "stranger"
    #: Somebody at the terminal of this machine.
    TERMINAL = "terminal"
    #: The service does not answer at present.
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        """Return the word users see."""
        return self.value


class Asker(Struct, frozen=True):
    """Who asks, as far as the chat service tells at this moment."""

    identity: Identity
    standing: AccountStatus
    #: The ids of the user groups that have this member, of those that the roles name.
    groups: frozenset[str] = frozenset()
    #: The ids of user groups whose members are not known at present.
    unknown_groups: frozenset[str] = frozenset()


class ReplyTo(PrivateStruct, frozen=True):
    """Where an answer goes."""

    hidden = frozenset({"response_url"})

    to: Address
    #: The receipt of the message in whose thread it goes; empty: a message of its own.
    thread: str = ""
    #: Where it goes if the conversation is closed to us; a secret, and good for a few answers only.
    response_url: str = ""


class ChatMessage(Struct, frozen=True):
    """A message that somebody wrote in a chat, as a door has read it; edits and what bots wrote are none."""

    #: What it is known by; a message with an id that was seen within a day is the same message.
    ids: tuple[str, ...]
    #: When it was written.
    at: datetime
    by: Identity
    reply_to: ReplyTo
    #: What was written, without the mention of the bot that it began with.
    text: str
    #: The door that it came by, such as `slack.socket`.
    door: str
    is_direct: bool = False
    is_mention: bool = False
    #: A slash command: the text is the line of the command.
    is_slash: bool = False


class ButtonPress(Struct, frozen=True):
    """A button that somebody pressed."""

    ids: tuple[str, ...]
    at: datetime
    by: Identity
    #: The thread is that of the message with the button, or that which this message is in.
    reply_to: ReplyTo
    door: str
    #: What the button does, and to what: `ack`, `disk.usage`.
    action: str
    value: str
    #: The receipt of the message with the button, by which it is edited; empty where it cannot be.
    message: str = ""


class AskedCommand(Struct, frozen=True):
    """A command that a person asked for; kept from the moment it is accepted until its run has ended."""

    ids: tuple[str, ...]
    at: datetime
    by: Identity
    reply_to: ReplyTo
    #: The line of words, without prefix or mention.
    text: str
    door: str
    #: Given when it is accepted.
    id: Int64 = 0
    #: The number of its run, which people type; 0: nothing was decided yet.
    run: Int64 = 0
    #: The full name of the command; empty: nothing was decided yet.
    command: str = ""
    #: The exact command without secrets, as one would type it; empty: nothing was decided yet.
    words: str = ""
    #: No message in the channel shows what was asked: a slash command, or a button.
    is_bare: bool = False
    #: It begins no sooner than this.
    not_before: datetime | None = None
    #: The words with a gap for each secret, to be filled in when it is typed again; empty: it has none.
    again: str = ""
    #: The address of a caller over HTTP, for the record; empty: it came otherwise.
    ip: str = ""
