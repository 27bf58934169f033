"""What is decided about a command that a person asked for: it is accepted, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TypeVar

from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.arguments import (
    canonical,
    changed_arguments,
    masked,
    parse_arguments,
    text_of,
    to_fill_in,
    usage,
)
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.denials import explain
from slack_alert.core.commands.meant_jobs import event_fields, meant_jobs, require_fields, runnable_job
from slack_alert.core.commands.permission_lines import Conversation, lines_for
from slack_alert.core.commands.permissions import Decision, Permissions, argument_texts, decide_spelled, default_texts
from slack_alert.core.commands.rate import Rate
from slack_alert.core.commands.roles import is_same_person, person_of, roles_of
from slack_alert.core.commands.schedule_words import last_time, split_time, time_error
from slack_alert.core.commands.signature import ValueKind
from slack_alert.core.commands.suggestions import BUILT_IN, commands_by_words, find_command
from slack_alert.core.commands.words import quote_word, split_line
from slack_alert.core.errors import BadValue
from slack_alert.core.memo import Memo
from slack_alert.core.model.asked import AskedCommand, Asker, Identity
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.model.run import Arguments, AskedBy
from slack_alert.core.structs import Struct, field, replace
from slack_alert.core.units.humanize import format_distance

#: The verbs whose rights depend on what they are about.
RUN, CANCEL = "chat.run", "chat.cancel"
#: The parameter of a verb that names jobs.
JOB = "job"

_Read = TypeVar("_Read")
#: A command, and its arguments in every way in which a line may write them.
_Right = tuple[Command, Sequence[Mapping[str, "str | Sequence[str]"]]]


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
    #: The same with a gap for each secret, to be filled in when it is typed again; empty: it has none.
    again: str = ""
    #: It begins no sooner than this.
    not_before: datetime | None = None
    #: The words by which it was asked for where they are not its own, such as `run deploy`; empty: they are its own.
    typed: str = ""
    #: What guards have changed, for the record.
    remark: str = ""
    #: Of a job, the fields of the event it answers, and the name of the events that its values become.
    event: Mapping[str, object] | None = None
    emits: tuple[str, ...] = ()


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
    #: Of `run JOB`, the full name of the command that it would have run.
    command: str = ""
    #: It may be allowed once a service answers again.
    is_uncertain: bool = False
    #: It is recorded, and nothing is said: another bot would answer that.
    is_silent: bool = False


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
        catalog: Callable[[], Catalog] = Catalog,
    ) -> None:
        self._commands = commands
        self._by_words = Memo[Sequence[Command], Mapping[tuple[str, ...], Command]](commands_by_words)
        self._permissions = permissions
        self._zone = zone
        self._rate = rate
        #: Returns the name of a conversation, without `#`; empty where it is not known.
        self._channel_name = channel_name
        #: Returns who asked for a run that has not ended.
        self._whose = whose
        self._catalog = catalog

    def __call__(self, asked: AskedCommand, asker: Asker, now: datetime) -> Accepted | Refused:
        """Return what is decided about what somebody asks for now."""
        person = person_of(self._permissions.roles, asker.identity)
        if not asked.run and not self._rate.take(now, person):
            wait = format_distance(self._rate.wait(now, person))
            return Refused(AuditVerdict.REFUSED, "You asked for too much in a minute.", f"Ask again in {wait}.")
        decided = self.decide(asked, asker)
        if asked.run and isinstance(decided, Accepted) and decided.command.name != asked.command:
            said = f"`{asked.words}` is gone: by now it would be another command, {decided.command.name}."
            return Refused(AuditVerdict.REFUSED, said, words=asked.words)
        return decided

    def decide(self, asked: AskedCommand, asker: Asker) -> Accepted | Refused:
        """Return the same without counting it, to explain a decision."""
        command: Command | None = None
        try:
            words = split_line(asked.text) or ["help"]
            command, rest = find_command(words, self._by_words(self._commands()))
            # As of when it was asked for: what runs later means the same as on that day.
            left, later = _split_time(command, rest, zone=self._zone, now=asked.at)
            if command.name == RUN and left:
                of_job = self._of_job(asked, asker, command, left, later)
                return replace(of_job, not_before=later) if isinstance(of_job, Accepted) else of_job
            arguments = self._arguments(asked, command, left, later)
        except BadValue as error:
            written = (command.words, usage(command)) if command is not None else ("", "")
            return Refused(AuditVerdict.REFUSED, str(error), error.hint, written[0], usage=written[1])
        shown, params = canonical(command, arguments), masked(arguments, command.parameters)
        again = to_fill_in(command, arguments)
        rights = [] if self._is_own_run(asker, command, arguments) else self._rights(command, arguments)
        if (denied := self._denied(asked, asker, rights)) is not None:
            return self._refused(denied, shown, params)
        lock = _filled(command, arguments)
        by = self._asked_by(asker)
        return Accepted(command, arguments, shown, usage(command), params, lock, by, again, later)

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
        typed = _with_words(command, accepted.typed)
        shown, params = canonical(typed, arguments), masked(arguments, command.parameters)
        denied = self._denied(asked, asker, self._rights(command, arguments))
        if denied is not None:
            return self._refused(denied, shown, params)
        lock = _filled(command, arguments)
        again = to_fill_in(typed, arguments)
        return replace(accepted, arguments=arguments, words=shown, params=params, lock=lock, again=again)

    def _refused(self, denied: Decision, shown: str, params: Mapping[str, object]) -> Refused:
        said = explain(denied, self._permissions.roles)
        return Refused(AuditVerdict.DENIED, said, words=shown, params=params, is_uncertain=denied.is_uncertain)

    def _arguments(
        self, asked: AskedCommand, command: Command, words: Sequence[str], later: datetime | None
    ) -> Arguments:
        """Return the arguments; raise BadValue for words of which a time is the fault, with a sentence about that."""

        def read(given: Sequence[str]) -> Arguments:
            return parse_arguments(given, command.parameters, zone=self._zone, now=asked.at)

        if command.is_reading:
            return read(words)
        arguments = self._read(asked, command, read, words, later)
        place = last_time(words)
        if place is not None and _is_text(words[place], arguments, command):
            raise self._time_error(asked, command, words[place:], later)
        return arguments

    def _read(
        self,
        asked: AskedCommand,
        command: Command,
        read: Callable[[Sequence[str]], _Read],
        words: Sequence[str],
        later: datetime | None,
    ) -> _Read:
        """Return what words mean; raise BadValue about the time at their end where that alone is wrong."""
        try:
            return read(words)
        except BadValue:
            place = last_time(words)
            if place is None or not _is_readable(read, words[:place]):
                raise
        raise self._time_error(asked, command, words[place:], later)

    def _time_error(
        self, asked: AskedCommand, command: Command, words: Sequence[str], later: datetime | None
    ) -> BadValue:
        if later is not None:
            return BadValue("There are two times to run at.", hint="Keep one of the two.")
        is_shown = not any(each.is_secret for each in command.parameters)
        return time_error(words, zone=self._zone, now=asked.at, is_shown=is_shown)

    def _of_job(
        self, asked: AskedCommand, asker: Asker, run: Command, words: Sequence[str], later: datetime | None
    ) -> Accepted | Refused:
        """Decide about `run JOB`: it runs as a command made of the job; raise BadValue for wrong words.

        Of a function that is a command, it is that command: the rights of both are needed, for the arguments given.
        """
        found = runnable_job(words[0], self._catalog())
        command, rest, typed, again = found.command, list(words[1:]), "", ""
        if found.is_command:
            typed = f"{run.words} {quote_word(words[0])}"
            as_typed, event = _with_words(command, typed), {}
            try:
                arguments = self._arguments(asked, command, rest, later)
            except BadValue as error:
                return Refused(
                    AuditVerdict.REFUSED, str(error), error.hint, typed, usage=usage(as_typed), command=command.name
                )
            shown, params = canonical(as_typed, arguments), masked(arguments, command.parameters)
            again = to_fill_in(as_typed, arguments)
        else:
            event, arguments = self._read(asked, command, event_fields, rest, later), Arguments()
            require_fields(command.name, command.action, event, "run")
            rest = [f"{name}={quote_word(text_of(value))}" for name, value in event.items()]
            shown, params = " ".join([command.words, *rest]), {"job": command.name, **event}
        rights = self._rights_for_jobs(run, {"fields": rest}, [command.name])
        rights += [(command, [argument_texts(command, arguments)])] if found.is_command else []
        if (denied := self._denied(asked, asker, rights)) is not None:
            return replace(self._refused(denied, shown, params), command=command.name)
        return Accepted(
            command, arguments, shown, usage(command), params, _filled(command, arguments), self._asked_by(asker),
            again, typed=typed, event=event or None, emits=found.emits,
        )  # fmt: skip

    def _asked_by(self, asker: Asker) -> AskedBy:
        identity = asker.identity
        roles = roles_of(self._permissions.roles, asker)
        return AskedBy(identity.user, identity.key, identity.name, identity.service, roles, asker)

    def _is_own_run(self, asker: Asker, command: Command, arguments: Arguments) -> bool:
        """Return whether somebody cancels a run of his own, which he always may."""
        number = arguments.values.get("run")
        owner = self._whose(number) if command.name == CANCEL and isinstance(number, int) else None
        return owner is not None and is_same_person(self._permissions.roles, owner, asker.identity)

    def _denied(self, asked: AskedCommand, asker: Asker, rights: Sequence[_Right]) -> Decision | None:
        """Return the decision by which somebody may not; None: he may."""
        to = asked.reply_to.to
        conversation = Conversation.of(to, self._channel_name(to.conversation))
        for command, spelled in rights:
            decision = decide_spelled(self._permissions, asker, command, spelled, conversation)
            if not decision.is_allowed:
                return decision
        return None

    def _rights(self, command: Command, arguments: Arguments) -> list[_Right]:
        """Return the rights that a command takes; a verb about jobs takes them for each job that it means."""
        texts = argument_texts(command, arguments)
        is_about_jobs = command.name.startswith(BUILT_IN) and any(each.name == JOB for each in command.parameters)
        if is_about_jobs and any(line.conditions for line in lines_for(self._permissions.lines, command)):
            names = list(dict.fromkeys(each.name for each in self._catalog().bindings))
            if meant := meant_jobs(str(arguments.values.get(JOB, "")), names):
                return self._rights_for_jobs(command, texts, meant)
        return [(command, [texts])]

    def _rights_for_jobs(
        self, command: Command, texts: Mapping[str, str | Sequence[str]], names: Sequence[str]
    ) -> list[_Right]:
        """Return the rights for jobs by whichever name a line has: the full one, or the last part of it."""
        spellings = [dict.fromkeys((name, name.rpartition(".")[2])) for name in names]
        return [(command, [{**texts, JOB: name} for name in spelled]) for spelled in spellings]


def _split_time(
    command: Command, words: Sequence[str], *, zone: tzinfo, now: datetime
) -> tuple[list[str], datetime | None]:
    """Return the words after a command without the time at their end, and the instant it means."""
    if command.is_reading:
        return list(words), None
    (_, *rest), later = split_time([command.words, *words], zone=zone, now=now)
    return rest, later


def _is_readable(read: Callable[[Sequence[str]], object], words: Sequence[str]) -> bool:
    try:
        read(words)
    except BadValue:
        return False
    return True


def _is_text(word: str, arguments: Arguments, command: Command) -> bool:
    """Return whether a word alone is the text of a parameter: `at`, which nobody means."""
    single = [each.name for each in command.parameters if each.kind is ValueKind.TEXT and not each.is_list]
    return any(arguments.values.get(name) == word for name in single)


def _with_words(command: Command, words: str) -> Command:
    """Return a command as it is written by these words; by its own where there are none."""
    return replace(command, words=words) if words else command


def _filled(command: Command, arguments: Arguments) -> str:
    """Return the lock of a run, with the arguments, or their defaults, in place of the parameters' names."""
    lock = command.lock
    for parameter in command.parameters:
        value = arguments.values.get(parameter.name)
        default = default_texts(parameter)
        text = text_of(value) if value is not None else ",".join(default or (parameter.default,))
        lock = lock.replace(f"{{{parameter.name}}}", text)
    return lock
