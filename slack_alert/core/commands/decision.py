"""What is decided about a command that a person asked for: it is accepted, or refused with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from slack_alert.core.commands.command import Command
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.model.run import Arguments, AskedBy
from slack_alert.core.structs import Struct, field


class Accepted(Struct, frozen=True):
    """A command that may run."""

    command: Command
    arguments: Arguments
    #: The exact command, as one would type it, without secrets.
    words: str
    #: How the command is written.
    usage: str
    #: The arguments without secrets, for the record.
    params: Mapping[str, object]
    #: What it excludes other runs from; empty: nothing.
    lock: str = ""
    by: AskedBy | None = None
    #: It begins no sooner than this.
    not_before: datetime | None = None


class Refused(Struct, frozen=True):
    """A command that does not run."""

    verdict: AuditVerdict
    #: What was wrong or who may, in a sentence or two, for the person who asked.
    reason: str
    #: What to write instead, or whom to ask; empty: nothing.
    hint: str = ""
    #: The exact command without secrets, as far as it was understood.
    words: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    #: How the command is written, where its words were wrong.
    usage: str = ""
