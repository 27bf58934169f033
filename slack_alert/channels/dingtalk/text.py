"""Render canonical text for DingTalk: as plain text, or in its Markdown, with the people that it calls."""

from __future__ import annotations

from slack_alert.core.content.markup import plain, visible
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct

_RAW = lazy_pattern(r"<([^<>\n]+)>")
#: Code stays as it is.
_CODE = lazy_pattern(r"(```.*?```|`[^`\n]*`)", 16)  # re.DOTALL
_BOLD = lazy_pattern(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
#: Everybody in a conversation.
_ALL = frozenset({"here", "channel", "everyone"})
_TITLE = 60


class Rendered(Struct, frozen=True):
    """A text for DingTalk."""

    text: str
    #: What a notification shows: the first line with something in it.
    title: str
    #: The staff ids of the people that it calls, or everybody.
    at: tuple[str, ...] = ()
    at_all: bool = False


def as_text(canonical: str) -> Rendered:
    """Return the text for a message that shows it as it is: links with their addresses behind them."""
    at, at_all = _called(canonical)
    return Rendered(plain(canonical), _title(canonical), at, at_all)


def as_markdown(canonical: str) -> Rendered:
    """Return the text in Markdown as DingTalk has it: bold words, links, and two spaces for the end of a line."""
    at, at_all = _called(canonical)
    parts = _CODE.split(canonical)
    parts[::2] = [_formatted(part) for part in parts[::2]]
    parts[1::2] = [plain(part) for part in parts[1::2]]
    return Rendered("".join(parts), _title(canonical), at, at_all)


def _formatted(text: str) -> str:
    bold = _BOLD.sub(r"**\1**", text)
    linked = _RAW.split(bold)
    linked[::2] = [plain(part) for part in linked[::2]]
    linked[1::2] = [_linked(part) for part in linked[1::2]]
    return "".join(linked).replace("\n", "  \n")


def _linked(inside: str) -> str:
    target, _, label = inside.partition("|")
    if target[:1] in "@#!" or not label:
        return plain(f"<{inside}>")
    return f"[{plain(label).replace('[', '(').replace(']', ')')}]({plain(target).replace(')', '%29')})"


def _called(canonical: str) -> tuple[tuple[str, ...], bool]:
    names = [found[1].partition("|")[0] for found in _RAW.finditer(canonical)]
    people = tuple(dict.fromkeys(name[1:] for name in names if name.startswith("@")))
    return people, any(name[1:] in _ALL for name in names if name.startswith("!"))


def _title(canonical: str) -> str:
    lines = (line.strip("*_~>` ") for line in visible(canonical).splitlines())
    line = next(filter(None, lines), "slack-alert")
    return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"
