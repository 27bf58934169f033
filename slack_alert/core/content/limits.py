"""Size limits of posted content, and the notices of what was cut: more would hold up all other jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from slack_alert.core.content.markup import entities
from slack_alert.core.content.pieces import CUT, Piece, Text, Upload
from slack_alert.core.content.values.file_types import decoded
from slack_alert.core.redaction.redaction import REACH, Redaction

#: Maximum length of a text, in characters.
LONGEST = 4_000_000
#: Maximum size of a file, in bytes.
GREATEST = 16_000_000
#: Maximum size of all that one run posts, in escaped characters and bytes: enough for the longest text or file.
ROOM = 20_000_000
#: Maximum length of Slack's own form, in characters; Slack accepts far less in a message.
_FORM = 1_000_000
#: A text is cut at white space, if there is any within this number of characters.
_WORD = 1_000


def cut_text(text: str, escape: Callable[[str], str]) -> str:
    """Return a text, canonical and within the limit, with a notice of the cut.

    A text that is too long keeps a little more, for `shorten`: half of a secret would not be found.
    """
    if len(text) <= LONGEST:
        return escape(text)
    end = max(text.rfind(space, LONGEST - _WORD, LONGEST) for space in " \n")
    return _too_long(text, end if end > 0 else LONGEST, f"{len(text):,} characters", escape)


def cut_bytes(content: bytes | bytearray | memoryview, escape: Callable[[str], str]) -> str:
    """Return bytes decoded as text, canonical and within the limit, as `cut_text` does."""
    if len(content) <= LONGEST:
        return escape(decoded(bytes(content)))
    text = decoded(bytes(content[: LONGEST + 4 * REACH]))
    end = len(decoded(bytes(content[:LONGEST])))
    return _too_long(text, end, f"{len(content):,} bytes", escape, kept=LONGEST)


def shorten(canonical: str, redaction: Redaction) -> str:
    """Return a result of `cut_text` or `cut_bytes`, cut to its final length, without secrets at the cut."""
    text, _, rest = canonical.rpartition(_EDGE)
    length, _, notice = rest.partition(_EDGE_END)
    if not (text and length.isdecimal()):
        return canonical
    return f"{redaction.head(text, int(length))[0]}\n{notice}"


def cut_lines(lines: Iterable[str], count: int) -> list[str]:
    """Return the first of `count` lines within the limit, with a notice as the last line if some were cut."""
    said: list[str] = []
    length = 0
    for line in lines:
        length += len(line) + 1
        if said and length > LONGEST:
            return [*said, f"{CUT} the first {len(said):,} of {count:,} lines"]
        said.append(line)
    return said


def too_great(name: str, size: int | None) -> Text:
    """Return the notice that a file is too large to be sent; a size of None is unknown."""
    known = f"of {size / 1_000_000:,.0f} MB" if size else f"of more than {GREATEST // 1_000_000} MB"
    return Text(
        f"{entities(name)}: a file {known} is not sent, {GREATEST // 1_000_000} MB is the most. "
        "Send a part of it, or say where it lies."
    )


def empty_file(name: str) -> Text:
    """Return the notice of an empty file: Slack refuses empty files, and posting nothing would hide it."""
    return Text(f"{entities(name)}: an empty file")


def check_form(payload: Mapping[str, object]) -> None:
    """Raise ValueError if Slack's own form is longer than Slack would ever accept."""
    length = sum(_lengths(payload))
    if length > _FORM:
        raise ValueError(
            f"Slack's own form has {length:,} characters, {_FORM:,} is the most: "
            "return the text itself, a long one becomes a file"
        )


def fit(pieces: Iterable[Piece], said: int) -> tuple[tuple[Piece, ...], int]:
    """Return the pieces that a run may still post after `said`, and the new total; a notice tells of the cut once."""
    kept: list[Piece] = []
    for piece in pieces:
        if said > ROOM:
            break
        said += _weight(piece)
        kept.append(piece if said <= ROOM else _LEFT_OUT)
    return tuple(kept), said


_LEFT_OUT = Text(f"{CUT} one run says {ROOM // 1_000_000} MB at most, what is beyond is left out")


# Noncharacters, which escaping removes from all that a function posts.
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
