"""Tell people which commands there are: those they may run, found by words, and each in detail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from slack_alert.core.commands.answers import FormerRuns, format_took
from slack_alert.core.commands.arguments import usage
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.permission_lines import Conversation, lines_for
from slack_alert.core.commands.permissions import Permissions, may_sometimes
from slack_alert.core.commands.suggestions import BUILT_IN, spelling, spellings
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import Asker
from slack_alert.core.model.record import Record
from slack_alert.core.units.humanize import format_time
from slack_alert.core.units.names import alike, composed
from slack_alert.operations.who_may import MayLine, who_may

#: The most commands that are listed, and characters of a line about one: it is read on a phone.
_MOST, _LINE = 20, 60
#: The most people who are named.
_PEOPLE = 6


def runnable_commands(
    commands: Iterable[Command], permissions: Permissions, asker: Asker, conversation: Conversation
) -> list[Command]:
    """Return the commands that somebody may run with some arguments, without hidden ones."""
    visible = [command for command in commands if not command.is_hidden]
    return [each for each in visible if may_sometimes(permissions, asker, each, conversation)]


def often_used(lines: Iterable[str], commands: Sequence[Command]) -> Counter[str]:
    """Return how often the commands are used in these lines, by their names."""
    known = {words: each.name for each in reversed(commands) for words in spellings(each)}
    longest = max(map(len, known), default=0)
    found = Counter[str]()
    for line in lines:
        words = spelling(line).split()
        begun = (tuple(words[:count]) for count in range(longest, 0, -1))
        found.update([name for name in [next((known[each] for each in begun if each in known), None)] if name])
    return found


def overview(commands: Sequence[Command], used: Mapping[str, int]) -> str:
    """Return the list of commands, a line each: the team's first, and in front those that are used most."""
    ordered = sorted(commands, key=lambda command: -used.get(command.name, 0))
    own = [command for command in ordered if not _is_verb(command)]
    verbs = [command for command in ordered if _is_verb(command)]
    more = [f"… and {len(own) - _MOST} more: `help WORD` finds them."] if len(own) > _MOST else []
    parts = [*_lines(own[:_MOST], commands), *more, *([""] if own and verbs else []), *_lines(verbs, commands)]
    return "\n".join([*parts, "", "`help WORD` has more about one."]) if parts else "There is nothing you may run here."


def found_by(text: str, commands: Sequence[Command]) -> Command | list[Command]:
    """Return the command that is called so, or those that say so of themselves; raise BadValue with the nearest ones.

    Names, docstrings, examples and parameters are searched, for all the words.
    """
    wanted = tuple(spelling(text).split())
    in_order = sorted(commands, key=_is_verb)
    if (called := next((each for each in in_order if wanted in spellings(each)), None)) is not None:
        return called
    if found := [each for each in in_order if all(word in _said(each) for word in wanted)]:
        return found
    near = alike(" ".join(wanted), [each.words for each in in_order], most=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`help` lists all that you may run."
    raise BadValue(f"No command that you may run is about {composed(text)!r}.", hint=hint)


def listed(found: Sequence[Command], commands: Sequence[Command]) -> str:
    """Return some commands, a line each."""
    return "\n".join(_lines(found[:_MOST], commands))


def details(
    command: Command,
    permissions: Permissions,
    commands: Iterable[Command],
    *,
    former: FormerRuns,
    last: Iterable[Record],
    zone: tzinfo,
    now: datetime,
) -> str:
    """Return all about a command: how it is written, what it does, who may, and how it went."""
    runs = [f"{format_time(each.slot, zone, now, seconds='never')} {each.verdict}" for each in last]
    took = f"usually {format_took(former.usual)}" if former.usual is not None else ""
    went = f"{former.succeeded:,} of the last {former.count:,} succeeded" if former.count else ""
    parts = [
        f"`{usage(command)}`",
        _description(command),
        *(f"Example: `{example}`" for example in command.examples),
        f"Also: {', '.join(f'`{alias}`' for alias in command.aliases)}" if command.aliases else "",
        f"Who may: {', '.join(_who(command, permissions, list(commands)))}",
        f"How it goes: {', '.join(filter(None, (took, went)))}" if took or went else "",
        f"Last runs: {', '.join(reversed(runs))}" if runs else "",
    ]
    return "\n".join(filter(None, parts))


def _is_verb(command: Command) -> bool:
    return command.name.startswith(BUILT_IN)


def _lines(shown: Iterable[Command], commands: Sequence[Command]) -> Iterator[str]:
    taken = {spelling(each.words) for each in commands if not _is_verb(each)}
    for command in shown:
        # A plugin's command of the same words keeps them.
        words = command.name if _is_verb(command) and spelling(command.words) in taken else command.words
        said = _summary(command)
        yield f"`{words}` {said}".rstrip()


def _summary(command: Command) -> str:
    line = (command.action.doc or "").strip().partition("\n")[0].strip()
    return line if len(line) <= _LINE else f"{line[:_LINE].rsplit(' ', 1)[0]} …"


def _description(command: Command) -> str:
    """Return the docstring up to its examples."""
    lines = [line.strip() for line in (command.action.doc or "").strip().splitlines()]
    end = next((at for at, line in enumerate(lines) if line.lower().startswith("example")), len(lines))
    return "\n".join(line for line in lines[:end] if line)


def _said(command: Command) -> str:
    parameters = " ".join(f"{each.name} {' '.join(map(str, each.choices))}" for each in command.parameters)
    texts = (command.name, command.words, *command.aliases, command.action.doc or "", *command.examples, parameters)
    return spelling(" ".join(texts))


def _who(command: Command, permissions: Permissions, commands: Sequence[Command]) -> list[str]:
    """Return who may, one by one; of a command whose lines ask for arguments, the lines."""
    try:
        found = [_shown(line) for line in who_may(permissions, commands, command.name).lines if line.may]
    except BadValue:
        found = [f"`{line.shown}`" for line in lines_for(permissions.lines, command)]
    more = [f"{len(found) - _PEOPLE} more"] if len(found) > _PEOPLE else []
    return [*found[:_PEOPLE], *more] or ["nobody"]


def _shown(line: MayLine) -> str:
    return f"{line.who} in {' or '.join(line.places)}" if line.places else line.who
