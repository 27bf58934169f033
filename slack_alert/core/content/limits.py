"""How much may be said: what is beyond would hold up every other job, so it is cut, and the cut is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from slack_alert.core.content.markup import entities
from slack_alert.core.content.pieces import CUT, Piece, Text, Upload
from slack_alert.core.content.values.file_types import decoded
from slack_alert.core.redaction.redaction import REACH, Redaction

#: So many characters one text may have; as a file they are what fills a shelf.
LONGEST = 4_000_000
#: So many bytes one file may have.
GREATEST = 16_000_000
#: So much all of what one run says may have, in escaped characters and bytes: any text that may be said, or any file.
ROOM = 20_000_000
#: So many characters Slack's own form may have; of a message Slack takes far less.
_FORM = 1_000_000
#: A text is cut at a white space where there is one among so many characters.
_WORD = 1_000


def cut_text(text: str, escape: Callable[[str], str]) -> str:
    """Return as much of a text as may be said, canonical, with a notice of what was cut.

    A text that is too long still has a little more, for `shorten`: half of a secret would not be found.
    """
    if len(text) <= LONGEST:
        return escape(text)
    end = max(text.rfind(space, LONGEST - _WORD, LONGEST) for space in " \n")
    return _too_long(text, end if end > 0 else LONGEST, f"{len(text):,} characters", escape)


def cut_bytes(content: bytes | bytearray | memoryview, escape: Callable[[str], str]) -> str:
    """Return as much of bytes that are read as text as may be said, as for a text."""
    if len(content) <= LONGEST:
        return escape(decoded(bytes(content)))
    text = decoded(bytes(content[: LONGEST + 4 * REACH]))
    end = len(decoded(bytes(content[:LONGEST])))
    return _too_long(text, end, f"{len(content):,} bytes", escape, kept=LONGEST)


def shorten(canonical: str, redaction: Redaction) -> str:
    """Return what `cut_text` or `cut_bytes` made, cut where it is to be, without the secrets at the cut."""
    text, _, rest = canonical.rpartition(_EDGE)
    length, _, notice = rest.partition(_EDGE_END)
    if not (text and length.isdecimal()):
        return canonical
    return f"{redaction.head(text, int(length))[0]}\n{notice}"


def cut_lines(lines: Iterable[str], count: int) -> list[str]:
    """Return as many of `count` lines as may be said together, and say on the last one how many there are."""
    said: list[str] = []
    length = 0
    for line in lines:
        length += len(line) + 1
        if said and length > LONGEST:
            return [*said, f"{CUT} the first {len(said):,} of {count:,} lines"]
        said.append(line)
    return said


def too_great(name: str, size: int | None) -> Text:
    """Say that a file is not sent; a size of None: it has no end that anybody knows."""
    known = f"of {size / 1_000_000:,.0f} MB" if size else f"of more than {GREATEST // 1_000_000} MB"
    return Text(
        f"{entities(name)}: a file {known} is not sent, {GREATEST // 1_000_000} MB is the most. "
        "Send a part of it, or say where it lies."
    )


def empty_file(name: str) -> Text:
    """Return what is said of a file without content: Slack refuses one, and saying nothing would hide it."""
    return Text(f"{entities(name)}: an empty file")


def check_form(payload: Mapping[str, object]) -> None:
    """Raise ValueError where Slack's own form is longer than Slack would ever take."""
    length = sum(_lengths(payload))
    if length > _FORM:
        raise ValueError(
            f"Slack's own form has {length:,} characters, {_FORM:,} is the most: "
            "return the text itself, a long one becomes a file"
        )


def fit(pieces: Iterable[Piece], said: int) -> tuple[tuple[Piece, ...], int]:
    """Return what a run may still say after it has said so much, and how much that is then; the cut is told once."""
    kept: list[Piece] = []
    for piece in pieces:
        if said > ROOM:
            break
        said += _weight(piece)
        kept.append(piece if said <= ROOM else _LEFT_OUT)
    return tuple(kept), said


_LEFT_OUT = Text(f"{CUT} one run says {ROOM // 1_000_000} MB at most, what is beyond is left out")


# Noncharacters, which escaping takes out of whatever a function says.
_EDGE, _EDGE_END = "\ufdd0", "\ufdd1"


def _too_long(text: str, end: int, whole: str, escape: Callable[[str], str], kept: int = 0) -> str:
    length = len(escape(text[:end]))
    notice = f"{CUT} the first {kept or end:,} of {whole}"
    return f"{escape(text[: end + REACH])}{_EDGE}{length}{_EDGE_END}{notice}"


def _weight(piece: Piece) -> int:
    if isinstance(piece, Text):
        return piece.size
    if isinstance(piece, Upload):
        return len(piece.content) if isinstance(piece.content, bytes) else 0
    return sum(_lengths(piece.payload))


def _lengths(node: object) -> Iterator[int]:
    if isinstance(node, str):
        yield len(node)
    children: Iterable[object] = ()
    if isinstance(node, Mapping):
        children = node.values()
    elif isinstance(node, (list, tuple)):
        children = node
    for child in children:
        yield 1
        yield from _lengths(child)
