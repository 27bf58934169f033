"""What is decided about a command that a person asked for: it is accepted, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo

from slack_alert.core.commands.arguments import canonical, changed_arguments, masked, parse_arguments, text_of, usage
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.denials import explain
from slack_alert.core.commands.permission_lines import Conversation
from slack_alert.core.commands.permissions import Decision, Permissions, argument_texts, decide, default_texts
from slack_alert.core.commands.rate import Rate
from slack_alert.core.commands.roles import is_same_person, person_of, roles_of
from slack_alert.core.commands.schedule_words import split_time
from slack_alert.core.commands.suggestions import find_command
from slack_alert.core.commands.words import split_line
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import AskedCommand, Asker, Identity
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.model.run import Arguments, AskedBy
from slack_alert.core.structs import Struct, field, replace
from slack_alert.core.units.humanize import format_distance
from slack_alert.core.units.names import composed

#: The verbs whose rights depend on what they are about.
RUN, CANCEL = "chat.run", "chat.cancel"


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
    #: What guards have changed, for the record.
    remark: str = ""


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
    #: It may be allowed once a service answers again.
    is_uncertain: bool = False


class Decider:
    """Decides about commands; every door, every later run and every button comes here."""

    def __init__(
        self,
        commands: Callable[[], Sequence[Command]],
        permissions: Permissions,
        *,
        zone: tzinfo,
        rate: Rate,
        channel_name: Callable[[str], str] = lambda _: "",
        whose: Callable[[int], Identity | None] = lambda _: None,
    ) -> None:
        self._commands = commands
        self._permissions = permissions
        self._zone = zone
        self._rate = rate
        #: Returns the name of a conversation, without `#`; empty where it is not known.
        self._channel_name = channel_name
        #: Returns who asked for a run that has not ended.
        self._whose = whose

    def __call__(self, asked: AskedCommand, asker: Asker, now: datetime) -> Accepted | Refused:
        """Return what is decided about what somebody asks for now."""
        person = person_of(self._permissions.roles, asker.identity)
        if not asked.run and not self._rate.take(now, person):
            wait = format_distance(self._rate.wait(now, person))
            return Refused(AuditVerdict.REFUSED, "You asked for too much in a minute.", f"Ask again in {wait}.")
        command: Command | None = None
        try:
            words = split_line(asked.text) or ["help"]
            command, rest = find_command(words, self._commands())
            # As of when it was asked for: what runs later means the same as on that day.
            left, later = _split_time(command, rest, zone=self._zone, now=asked.at)
            arguments = parse_arguments(left, command.parameters, zone=self._zone, now=asked.at)
        except BadValue as error:
            written = (command.words, usage(command)) if command is not None else ("", "")
            return Refused(AuditVerdict.REFUSED, str(error), error.hint, written[0], usage=written[1])
        shown, params = canonical(command, arguments), masked(arguments, command.parameters)
        denied = self._denied(asked, asker, command, arguments)
        if denied is not None:
            return self._refused(denied, shown, params)
        identity = asker.identity
        by = AskedBy(
            identity.user, identity.key, identity.name, identity.service, roles_of(self._permissions.roles, asker)
        )
        lock = _filled(command, arguments)
        return Accepted(command, arguments, shown, usage(command), params, lock, by, later)

    def changed(
        self,
        asked: AskedCommand,
        asker: Asker,
        accepted: Accepted,
        texts: Mapping[str, str | Sequence[str] | None],
    ) -> Accepted | Refused:
        """Return what is decided once guards have changed arguments; it is not counted as asked once more."""
        command = accepted.command
        try:
            arguments = changed_arguments(accepted.arguments, texts, command.parameters, zone=self._zone, now=asked.at)
        except BadValue as error:
            said = f"A guard gives an argument a value it cannot have: {error}"
            return Refused(AuditVerdict.REFUSED, said, error.hint, accepted.words, accepted.params)
        shown, params = canonical(command, arguments), masked(arguments, command.parameters)
        denied = self._denied(asked, asker, command, arguments)
        if denied is not None:
            return self._refused(denied, shown, params)
        lock = _filled(command, arguments)
        return replace(accepted, arguments=arguments, words=shown, params=params, lock=lock)

    def _refused(self, denied: Decision, shown: str, params: Mapping[str, object]) -> Refused:
        said = explain(denied, self._permissions.roles)
        return Refused(AuditVerdict.DENIED, said, words=shown, params=params, is_uncertain=denied.is_uncertain)

    def _denied(self, asked: AskedCommand, asker: Asker, command: Command, arguments: Arguments) -> Decision | None:
        """Return the decision by which somebody may not; None: he may."""
        to = asked.reply_to.to
        conversation = Conversation.of(to, self._channel_name(to.conversation))
        roles = self._permissions.roles
        if command.name == CANCEL and isinstance(number := arguments.values.get("run"), int):
            owner = self._whose(number)
            if owner is not None and is_same_person(roles, owner, asker.identity):
                return None
        for each, texts in self._rights(command, arguments):
            decision = decide(self._permissions, asker, each, texts, conversation)
            if not decision.is_allowed:
                return decision
        return None

    def _rights(
        self, command: Command, arguments: Arguments
    ) -> Sequence[tuple[Command, Mapping[str, str | Sequence[str]]]]:
        """Return the commands whose rights it takes: to run a job that is a command, too, takes both."""
        asked = [(command, argument_texts(command, arguments))]
        if command.name == RUN:
            # As the job itself is found: by its full name, or the last part of it.
            job = composed(str(arguments.values.get("job", "")))
            asked += [(each, {}) for each in self._commands() if f".{composed(each.name)}".endswith(f".{job}")]
        return asked


def _split_time(
    command: Command, words: Sequence[str], *, zone: tzinfo, now: datetime
) -> tuple[list[str], datetime | None]:
    """Return the words after a command without the time at their end, and the instant it means."""
    if command.is_reading:
        return list(words), None
    (_, *rest), later = split_time([command.words, *words], zone=zone, now=now)
    return rest, later


def _filled(command: Command, arguments: Arguments) -> str:
    """Return the lock of a run, with the arguments, or their defaults, in place of the parameters' names."""
    lock = command.lock
    for parameter in command.parameters:
        value = arguments.values.get(parameter.name)
        default = default_texts(parameter)
        text = text_of(value) if value is not None else ",".join(default or (parameter.default,))
        lock = lock.replace(f"{{{parameter.name}}}", text)
    return lock
