"""Pieces of messages: texts, Slack's own blocks and uploaded files; and splitting long texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from slack_alert.core.content.markup import entities, plain
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct

#: Slack's recommended limit for `text`; longer messages may be cut.
LIMIT = 4000
PARTS = 10
#: Beginning of a line that tells what was left out.
CUT = "… cut:"


#: The entries of a list, a dict or a table: key and full text of each.
Entries = tuple[tuple[str, str], ...]


class Text(Struct, frozen=True, tag="text", omit_defaults=True):
    """A text; equality ignores the entries."""

    #: Canonical: Slack's mrkdwn with `&`, `<`, `>` escaped, except in mentions and links.
    text: str
    #: The entries it lists, to compare the next text with.
    entries: Entries = ()

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Text) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def size(self) -> int:
        """The length in characters."""
        return len(self.text)


class Blocks(Struct, frozen=True, tag="blocks"):
    #: Slack's own form, JSON values only: `blocks` and other arguments of `chat.postMessage`, or only `text`.
    payload: Mapping[str, object]


if TYPE_CHECKING:
    Content: TypeAlias = bytes | Path
else:
    # A file is packed once it is read, and what is unpacked is never a path.
    Content = bytes


class Upload(Struct, frozen=True, tag="upload"):
    name: str
    #: A path is read when it is sent.
    content: Content
    title: str = ""
    #: Canonical text posted with the file.
    comment: str = ""


Piece = Text | Blocks | Upload


def with_tag(packed: object) -> object:
    """Return a packed piece that says what it is: what former versions wrote, and what lies in the inbox, does not."""
    if not isinstance(packed, dict) or "type" in packed:
        return packed
    return {"type": "text" if "text" in packed else "blocks" if "payload" in packed else "upload", **packed}


def split(text: str, limit: int = LIMIT) -> list[str]:
    """Return canonical text in parts of at most `limit` characters, cut at line ends if there are any.

    The line end stays with the part before the cut, so the joined parts are the text again. A longer line is cut at a
    space or anywhere, but never inside `&amp;` or `<...>` (except if one alone exceeds the limit). If a cut falls
    inside a ``` fence, the part is closed and the next one opened: nothing but these fences is added.
    """
    assert limit >= 20, "a part needs room for its fences"
    parts: list[str] = []
    start, head = 0, ""
    while len(head) + len(text) - start > limit:
        end, tail = _next_cut(text, start, limit - len(head), is_open=bool(head))
        parts.append(head + text[start:end] + tail)
        start, head = end, _FENCE + "\n" if tail else ""
    return [*parts, head + text[start:]] if start < len(text) or not parts else parts


def deliverable(piece: Piece, *, name: str = "message", limit: int = LIMIT, parts: int = PARTS) -> tuple[Piece, ...]:
    """Return a piece as pieces that can be sent: a text in parts, or as the file `<name>.txt` if it has too many."""
    if not isinstance(piece, Text) or len(piece.text) <= limit:
        return (piece,)
    if len(piece.text) <= limit * parts:
        texts = [part for part in split(piece.text, limit) if part.strip()]
        if len(texts) <= parts:
            return tuple(Text(part) for part in texts)
    return (_as_file(piece.text, name),)


def fallback(piece: Piece) -> str:
    """Return a piece as canonical text for history, notifications and terminals."""
    if isinstance(piece, Text):
        return piece.text
    if isinstance(piece, Upload):
        line = entities(piece.title or piece.name) + _size(piece.content)
        return f"{line}\n{piece.comment}" if piece.comment else line
    said = piece.payload.get("text")
    if isinstance(said, str) and said.strip():
        return said
    drawn = "\n".join(line for line in _block_texts(piece.payload.get("blocks")) if line.strip())
    return split(drawn)[0] if drawn else "a message without text"


_FENCE = "```"
#: Sequences that must not be cut.
_ATOM = lazy_pattern(r"&(?:amp|lt|gt);|<[^<>\n]*>|```")


def _next_cut(text: str, start: int, room: int, *, is_open: bool) -> tuple[int, str]:
    """Return where to cut, and the fence that closes the part."""
    if not is_open and text.find(_FENCE, start, start + room) < 0:
        return _best_end(text, start, start + room), ""
    end = _best_end(text, start, start + room - len(_FENCE) - 1)
    if not _opens(text[start:end], is_open=is_open):
        return end, ""
    if text.startswith(_FENCE, end):
        # The fence ends here anyway: room was kept for it.
        return end + len(_FENCE), ""
    opened = text.rfind(_FENCE, start, end)
    if opened > start and not text[opened + len(_FENCE) : end].strip():
        # Nothing but the opening fence fits: it belongs to the next part.
        return opened, ""
    return end, _FENCE if text[end - 1] == "\n" else "\n" + _FENCE


def _opens(text: str, *, is_open: bool) -> bool:
    return is_open ^ (text.count(_FENCE) % 2 == 1)


def _best_end(text: str, start: int, end: int) -> int:
    line_end = text.rfind("\n", start, end) + 1
    if text[start:line_end].strip("`\n "):
        return line_end
    space = text.rfind(" ", start + (end - start) // 2, end) + 1
    return _outside_atoms(text, start, space or end)


def _outside_atoms(text: str, start: int, end: int) -> int:
    for atom in _ATOM.finditer(text, start):
        if atom.end() > end:
            return atom.start() if start < atom.start() < end else end
    return end


#: Number of characters in which the first line is looked for.
_FIRST = 10_000


def _as_file(text: str, name: str) -> Upload:
    """Return a text as a file with the first line as its comment, so that the chat still shows what happened."""
    readable = plain(text)
    first = next((line for line in readable[:_FIRST].splitlines() if line.strip("` ")), "")
    count = readable.count("\n") + 1
    comment = f"{entities(first[:200])}\n… {count} {'line' if count == 1 else 'lines'}, in the file"
    last = readable[readable.rfind("\n") + 1 :]
    if last.startswith(CUT):
        comment += f"\n{entities(last)}"
    return Upload(f"{name}.txt", readable.encode(), comment=comment)


def _size(content: bytes | Path) -> str:
    if isinstance(content, Path):
        return ""
    size = len(content)
    for unit, step in (("MB", 1_000_000), ("KB", 1_000)):
        if size >= step:
            return f" ({size / step:.0f} {unit})"
    return f" ({size} B)"


def _block_texts(node: object) -> Iterator[str]:
    """Yield the text of each text object in a tree of blocks."""
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from _block_texts(child)
    if not isinstance(node, Mapping):
        return
    for key, child in node.items():
        if isinstance(child, str):
            if key in {"text", "alt_text"}:
                yield child if node.get("type") in {"mrkdwn", "markdown"} else entities(child)
        else:
            yield from _block_texts(child)
