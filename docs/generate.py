"""Write what the pages take from the code: `python docs/generate.py`.

A page says `<!-- made: NAME -->` where something is made, and `<!-- end -->` after it. What stands between is replaced.
"""
# ruff: noqa: INP001

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click

from slack_alert.channels.slack.errors import TABLE
from slack_alert.channels.slack.manifest import CHAT_SCOPES, REQUIRED, SCOPES
from slack_alert.cli.main import COMMANDS, cli
from slack_alert.cli.options import common
from slack_alert.core.retry import SendStatus
from slack_alert.settings.keys import KEYS, Key

DOCS = Path(__file__).parent
PROJECT = DOCS.parent / "pyproject.toml"
MADE = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def pages() -> list[Path]:
    """Find the pages in which something is made."""
    return [path for path in sorted(DOCS.rglob("*.md")) if MADE.search(path.read_text(encoding="utf-8"))]


def made(page: str) -> str:
    """Return a page with everything in it that is made, as the code is now."""
    return MADE.sub(lambda found: f"{found[1]}\n{MAKERS[found[2]]()}\n{found[3]}", page)


def settings() -> str:
    """List every key, section by section."""
    return "\n".join(part for section in dict.fromkeys(key.section for key in KEYS) for part in _settings_of(section))


def commands() -> str:
    """Describe every command, in the order of the overview."""
    return "\n".join("\n".join(_command(name, _found(name))) for name in COMMANDS)


def common_options() -> str:
    """List the options that every command takes."""
    return _options(_common())


def scopes() -> str:
    """List the scopes of the app."""
    rows = ((f"`{scope}`", "yes" if scope in REQUIRED else "", why) for scope, why in SCOPES.items())
    return _table(("scope", "required", "what it is for"), rows)


def chat_scopes() -> str:
    """List the scopes of a program that takes commands."""
    return _table(("scope", "without it"), ((f"`{scope}`", lack) for scope, lack in CHAT_SCOPES.items()))


def slack_errors() -> str:
    """List Slack's codes by what to do about them, the ones a person can do something about first."""
    return "\n".join(part for fate in _ORDER for part in _errors(fate))


def layers() -> str:
    """List the contracts that put packages in an order, each with its ranks."""
    return "\n".join(part for name, within, ranks in _contracts() for part in _order(name, within, ranks))


MAKERS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "chat_scopes": chat_scopes,
    "common_options": common_options,
    "scopes": scopes,
    "slack_errors": slack_errors,
    "layers": layers,
}

_ORDER = {
    SendStatus.CREDENTIALS: "Nothing goes out: the token, the app or the workspace",
    SendStatus.DESTINATION: "One conversation cannot be reached",
    SendStatus.PAYLOAD: "One message is not accepted",
    SendStatus.WAIT: "Slack asks to wait",
    SendStatus.RETRY: "Slack could not do it this time",
    SendStatus.AMBIGUOUS: "Slack's answer leaves it open",
}
_QUOTED = re.compile(r'"([^"]+)"')
_BLANKS = {"{to}": "the conversation", "{needed}": "it names", "; the token has: {provided}": ""}


def _settings_of(section: str) -> Iterator[str]:
    yield f"In the section `[{section}]`:\n"
    yield _table(("key", "default", "flag", "meaning"), (_setting(key) for key in KEYS if key.section == section))


def _setting(key: Key) -> tuple[str, ...]:
    name = f"`{key.written}`"
    if key.kind == "secret":
        name += f", `{key.written}_file`"
    flag = _command_flag(key.flag) if key.flag else ""
    meaning = key.meaning + (f" Also `{key.also}`, more weakly." if key.also else "")
    return name, f"`{key.default}`" if key.default else key.unset, flag, meaning


def _command_flag(flag: str) -> str:
    option = next(option for option in _common() if flag in option.opts)
    return ", ".join(f"`{spelling}`" for spelling in sorted(option.opts, key=len))


def _common() -> list[click.Option]:
    command = click.command()(common(lambda **_: None))
    return [option for option in command.params if isinstance(option, click.Option)]


def _found(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def _command(name: str, command: click.Command, *, level: str = "###") -> Iterator[str]:
    shared = {option.name for option in _common()}
    own = [each for each in command.params if isinstance(each, click.Option) and each.name not in shared]
    yield f"{level} {name}\n"
    yield f"{_usage(name, command)}\n"
    yield f"{_prose(command.help or '')}\n"
    if own:
        yield _options(own)
    if isinstance(command, click.Group):
        for verb, inner in command.commands.items():
            yield from _command(f"{name} {verb}", inner, level=f"{level}#")


def _usage(name: str, command: click.Command) -> str:
    """Return how it is called; the options every command takes are left out."""
    context = click.Context(command)
    names = [each.make_metavar(context) for each in command.params if isinstance(each, click.Argument)]
    return f"`slack-alert {' '.join((name, *names))}`"


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _options(options: Sequence[click.Option]) -> str:
    return _table(("option", "meaning"), ((_spelled(option), option.help or "") for option in options))


def _spelled(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or 'N'}".replace("|", "\\|")
    return ", ".join(f"`{spelling}{value}`" for spelling in sorted(option.opts, key=len))


def _errors(fate: SendStatus) -> Iterator[str]:
    by_hint: dict[str, list[str]] = {}
    for code, (its_fate, hint) in TABLE.items():
        if its_fate is fate:
            by_hint.setdefault(hint, []).append(f"`{code}`")
    if by_hint:
        yield f"### {_ORDER[fate]}\n"
        yield _table(
            ("what Slack says", "what to do"), ((", ".join(codes), _filled(hint)) for hint, codes in by_hint.items())
        )


def _filled(hint: str) -> str:
    for blank, word in _BLANKS.items():
        hint = hint.replace(blank, word)
    return hint


def _contracts() -> Iterator[tuple[str, str, list[str]]]:
    """Yield the name, the package and the ranks of each contract about layers."""
    for contract in PROJECT.read_text(encoding="utf-8").split("[[tool.importlinter.contracts]]")[1:]:
        if ranks := re.search(r"^layers = \[\n(.*?)^\]", contract, re.MULTILINE | re.DOTALL):
            name, within = (_first(key, contract) for key in ("name", "containers"))
            yield name, within.replace(".", "/"), _QUOTED.findall(ranks[1])


def _first(key: str, contract: str) -> str:
    _, _, after = contract.partition(f"\n{key} = ")
    return str(_QUOTED.findall(after)[0])


def _order(name: str, within: str, ranks: Sequence[str]) -> Iterator[str]:
    yield f"**{name}**, in `{within}/`:\n"
    for number, rank in enumerate(ranks, start=1):
        yield f"{number}. {', '.join(f'`{module}`' for module in rank.split(' | '))}"
    yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    for path in pages():
        path.write_text(made(path.read_text(encoding="utf-8")), encoding="utf-8")
