"""Find the command that the first words of a line mean, or say which ones are like them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from slack_alert.core.commands.signature import CommandSignature
from slack_alert.core.errors import BadValue
from slack_alert.core.excerpts import excerpt
from slack_alert.core.units.names import alike, composed

_C = TypeVar("_C", bound=CommandSignature)

#: The pack of the verbs built in, which keep their words: a plugin's command of the same words has its full name.
BUILT_IN = "chat."
#: In characters; half a word is at least as long.
_LEAST_HALF = 2
#: The most commands that an error names.
_MOST = 3


def find_command(words: Sequence[str], known: Mapping[tuple[str, ...], _C]) -> tuple[_C, list[str]]:
    """Return the command that a line begins with, and the words after it; raise BadValue with the nearest ones.

    `known` has the commands by their words, as `commands_by_words` returns them. The longest match wins, by words,
    aliases or the full name, whatever their case. Where nothing matches, words may be written half (`sta`, two letters
    at least) if only one command begins with them, of those that change something too: it is named in the answer, and
    its permission is decided as for whole words.
    """
    if not words:
        raise BadValue("There is no command in it.", hint="`help` lists them.")
    given = [spelling(word).removeprefix("/") for word in words]
    for count in range(min(len(given), _longest(known)), 0, -1):
        found = known.get(tuple(given[:count]))
        if found is not None:
            return found, list(words[count:])
    return _completed(given, words, known)


def spelling(word: str) -> str:
    """Return a word of a command as it is compared."""
    return composed(word).casefold()


def spellings(command: CommandSignature) -> Iterator[tuple[str, ...]]:
    """Yield the words of a command, of its aliases and of its full name, as they are compared."""
    for words in (command.words, *command.aliases, command.name):
        yield tuple(spelling(words).split())


def ranked(commands: Iterable[_C]) -> list[_C]:
    """Return the commands in the order in which they take words: the verbs built in first, then those of plugins."""
    return sorted(commands, key=lambda command: not command.name.startswith(BUILT_IN))


def commands_by_words(commands: Sequence[_C]) -> dict[tuple[str, ...], _C]:
    """Return the commands by all the words that mean them.

    Of two commands with the same words a verb built in goes before a plugin's, and the first one before others.
    """
    known: dict[tuple[str, ...], _C] = {}
    in_order = ranked(commands)
    for command in in_order:
        known.setdefault(tuple(spelling(command.words).split()), command)
    for command in in_order:
        for words in spellings(command):
            known.setdefault(words, command)
    return known


def _longest(known: Iterable[tuple[str, ...]]) -> int:
    return max(map(len, known), default=0)


def _completed(given: list[str], words: Sequence[str], known: Mapping[tuple[str, ...], _C]) -> tuple[_C, list[str]]:
    """Return the only command whose words begin with those given; raise BadValue if it is not the only one."""
    begun = [full for full in known if _is_begun(full, given)]
    names = list(dict.fromkeys(known[full].name for full in begun))
    if len(names) == 1:
        full = max(begun, key=len)
        return known[full], list(words[len(full) :])
    shown = excerpt(" ".join(words[: max(1, *map(len, begun))] if begun else words[:1]), 80)
    if names:
        raise BadValue(f"{shown!r} may be several commands.", hint=f"Write one of: {_listed(begun)}.")
    near = _once(_alike(given, known), known)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`help` lists them."
    raise BadValue(f"There is no command {shown!r}.", hint=hint)


def _once(near: Sequence[str], known: Mapping[tuple[str, ...], _C]) -> list[str]:
    """Return the first spelling of each command."""
    first: dict[str, str] = {}
    for words in near:
        first.setdefault(known[tuple(words.split())].name, words)
    return list(first.values())[:_MOST]


def _is_begun(full: tuple[str, ...], given: Sequence[str]) -> bool:
    if len(given) < len(full) or "." in full[0]:
        return False
    pairs = list(zip(full, given, strict=False))
    return all(word == half or (len(half) >= _LEAST_HALF and word.startswith(half)) for word, half in pairs)


def _listed(begun: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(sorted({" ".join(full) for full in begun}))


def _alike(given: Sequence[str], known: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the words of commands similar to the first ones given, those of more words first."""
    near: list[str] = []
    # Full names are for people who write one.
    known = [full for full in known if "." not in full[0] or "." in given[0]]
    for count in range(min(len(given), _longest(known)), 0, -1):
        same_length = [" ".join(full) for full in known if len(full) == count]
        near += alike(" ".join(given[:count]), same_length, most=_MOST)
    # A word of several may be enough to know what was meant: `merge 12` for `pr merge`.
    near += [" ".join(full) for full in known if len(full) > 1 and given[0] in full]
    return list(dict.fromkeys(near))
