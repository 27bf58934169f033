"""Order the arguments: options may stand before a command's name or behind it, but not in another program's."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

import click

Find = Callable[[str], click.Command | None]


def move_options(group: click.Command, names: Container[str], find: Find, words: Sequence[str]) -> list[str]:
    """Return the arguments with a command's options moved behind its name; unchanged if there is no command."""
    known = _options(group)
    place, is_strange = 0, False
    while place < len(words) and _is_option(words[place]):
        is_strange = is_strange or _name(words[place]) not in known
        place += _length(words[place], known)
    if not is_strange:  # Nothing to move, and no command to import.
        return list(words)
    for place, word in enumerate(words):
        command = find(word) if word in names else None
        split = _split(words[:place], known, _options(command)) if command is not None else None
        if split is not None:
            own, moved = split
            return [*own, word, *moved, *words[place + 1 :]]
    return list(words)


class PassThroughCommand(click.Command):
    """A command with a name and another program's command line, in which no option is ours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options up to the other program's first word, or up to `--`."""
        known = _options(self)
        name = _after_options(args, 0, known)
        if args[name : name + 1] == ["--"]:
            return super().parse_args(ctx, args)
        command = _after_options(args, name + 1, known)
        if command > len(args):  # Nothing at all, or an option without its value.
            return super().parse_args(ctx, args)
        words = args[command + 1 :] if args[command : command + 1] == ["--"] else args[command:]
        return super().parse_args(ctx, [*args[:name], *args[name + 1 : command], "--", args[name], *words])


def _after_options(words: Sequence[str], place: int, known: Mapping[str, click.Option]) -> int:
    """Return the first place, from `place` on, of a word that is neither an option nor its value."""
    while place < len(words) and _is_option(words[place]):
        place += _length(words[place], known)
    return place


def _split(
    words: Sequence[str], known: Mapping[str, click.Option], more: Mapping[str, click.Option]
) -> tuple[list[str], list[str]] | None:
    """Return the group's options and the command's; None if the words are not all options with their values."""
    own: list[str] = []
    moved: list[str] = []
    place = 0
    while place < len(words):
        name = _name(words[place])
        if not _is_option(words[place]) or not (name in known or name in more):
            return None
        length = _length(words[place], known if name in known else more)
        (own if name in known else moved).extend(words[place : place + length])
        place += length
    return (own, moved) if place == len(words) else None


def _options(command: click.Command) -> dict[str, click.Option]:
    parameters = command.get_params(click.Context(command))
    options = [parameter for parameter in parameters if isinstance(parameter, click.Option)]
    return {name: option for option in options for name in (*option.opts, *option.secondary_opts)}


def _is_option(word: str) -> bool:
    return word.startswith("-") and word not in ("-", "--")


def _name(word: str) -> str:
    """Return the name of an option: `--since` of `--since=1h`, `-s` of `-sNAME`."""
    return word.partition("=")[0] if word.startswith("--") else word[:2]


def _length(word: str, options: Mapping[str, click.Option]) -> int:
    """Return the number of words of an option: 1 if it has no value or contains it."""
    option = options.get(_name(word))
    if option is None or option.is_flag or option.count or word != _name(word):
        return 1
    return 1 + option.nargs
