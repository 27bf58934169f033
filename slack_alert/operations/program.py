"""The running program, as its operations see it from within: what the verbs of the chat work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, tzinfo

from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.answers import AnswerOptions, CommandProgress
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.decision import Accepted, Refused
from slack_alert.core.commands.permissions import Permissions
from slack_alert.core.commands.queue import QueueState
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Asker
from slack_alert.core.model.run import AskedBy
from slack_alert.core.structs import Struct
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.commands.subscriptions import Subscriptions
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.ports import Reader, Submit
from slack_alert.operations.job_lookup import JobLookup
from slack_alert.operations.requester import Requester
from slack_alert.operations.status import Vitals


class Program(Struct, frozen=True):
    """The running program; its functions may be called on any thread."""

    zone: tzinfo
    now: Callable[[], datetime]
    #: What the plugins declare at present.
    catalog: Callable[[], Catalog]
    #: The present commands, the verbs included.
    commands: Callable[[], Sequence[Command]]
    lookup: Callable[[], JobLookup]
    #: Opens a reader of the store.
    read: Callable[[], AbstractContextManager[Reader]]
    submit: Submit
    #: Makes the mutes as they are in a snapshot.
    mutes: Callable[[Snapshot], Mutes]
    vitals: Callable[[], Vitals]
    #: No job runs by itself here: it is the program of a terminal.
    is_without_jobs: bool
    #: What runs, what waits in line, and what is for later.
    queue: Callable[[], QueueState]
    open: Callable[[], Sequence[AskedCommand]]
    #: Cancels a run, on behalf of a person with this name.
    cancel: Callable[[int, str], None]
    permissions: Permissions
    #: How far runs are, by their numbers; and how many of a queue may run at once.
    progress: Callable[[], Mapping[int, CommandProgress]]
    limits: Mapping[str, int]
    answers: AnswerOptions
    #: Decides again about something that was asked, without counting it.
    decide: Callable[[AskedCommand, Asker], Accepted | Refused]
    #: Returns the name of a conversation, without `#`; empty where it is not known.
    channel_name: Callable[[str], str]
    #: Returns the address that a person means; raises BadValue.
    address: Callable[[str], Address]
    subscriptions: Subscriptions

    def requester(self, by: AskedBy) -> Requester:
        """Return the person who asks for changes now."""
        return Requester(by.name or by.key, self.now(), self.submit)
