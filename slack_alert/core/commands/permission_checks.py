"""Problems of what says who may: lines, markers and guards that name what is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.commands.command import ANY, Command, Guard
from slack_alert.core.commands.permission_lines import PermissionLine, line_fault, lines_for
from slack_alert.core.commands.permissions import Permissions
from slack_alert.core.commands.roles import MemberKind, Roles, parse_members
from slack_alert.core.commands.suggestions import spelling, spellings
from slack_alert.core.errors import BadValue
from slack_alert.core.units.names import suggestion


def check(permissions: Permissions, commands: Iterable[Command]) -> list[Problem]:
    """Return a problem for each line that grants nothing, and for each marker with a role that there is not."""
    known = list(commands)
    lines = (problem for line in permissions.lines for problem in _line_problems(line, known))
    markers = (problem for command in known for problem in _marker_problems(command, permissions.roles))
    return [*lines, *markers]


def check_guards(guards: Iterable[Guard], commands: Sequence[Command]) -> list[Problem]:
    """Return a problem for all words of guards that no command has: they guard nothing."""
    known = {words for command in commands for words in spellings(command)}
    names = list(dict.fromkeys(command.words for command in commands))
    return [
        _guard_problem(guard, words, suggestion(words, names))
        for guard in guards
        for words in guard.words
        if words != ANY and tuple(spelling(words).split()) not in known
    ]


def _guard_problem(guard: Guard, words: str, hint: str) -> Problem:
    action, said = guard.action, f"guard: `{words}` is not a command, so nothing asks {guard.name} for it"
    return Problem(action.file, action.line, 1, Severity.ERROR, "SA215", said, hint)


def _line_problems(line: PermissionLine, commands: Sequence[Command]) -> Iterator[Problem]:
    concerned = [command for command in commands if lines_for([line], command)]
    if not concerned:
        names = list(dict.fromkeys(command.words for command in commands))
        hint = suggestion(line.words, names) if names else "There are no commands."
        yield _problem(line, "SA301", f"`{line.words}` is not a command, so this line grants nothing", hint)
    if len(concerned) > 1:
        full = ", ".join(command.name for command in concerned)
        hint = "Write the full name of the one that is meant."
        said = f"`{line.words}` names several commands, and this line is about each: {full}"
        yield _problem(line, "SA305", said, hint, Severity.WARNING)
    for command in concerned:
        fault = line_fault(line, command)
        if fault is not None:
            said = f"{fault.message}, so this line grants nothing, and `{command.words}` is for admins only"
            yield _problem(line, fault.code, said, fault.hint)


def _problem(line: PermissionLine, code: str, message: str, hint: str, severity: Severity = Severity.ERROR) -> Problem:
    return Problem(line.file, line.line or 1, 1, severity, code, message, hint)


def _marker_problems(command: Command, roles: Roles) -> Iterator[Problem]:
    for word in command.allow:
        try:
            members = parse_members(word)
        except BadValue as error:
            yield _marker_problem(command, f"allow: {error}", error.hint)
            continue
        for member in members:
            if member.kind is MemberKind.ROLE and not roles.has(member.id):
                said = f"allow: there is no role `{member.id}`, so that it lets in nobody but admins"
                yield _marker_problem(command, said, roles.nearest(member.id))


def _marker_problem(command: Command, message: str, hint: str) -> Problem:
    action = command.action
    return Problem(action.file, action.line, 1, Severity.ERROR, "SA304", message, hint)
