"""Detect the file type of bytes by their first bytes."""

from __future__ import annotations

import re

from slack_alert.core.patterns import lazy_pattern


def ending_of(content: bytes) -> str:
    """Return the file extension for bytes: `bin` if the type is unknown, an empty string for text."""
    beginning = content[:_BEGINNING]
    is_binary = not _is_text(beginning)
    if _SVG.match(beginning):
        return "svg"
    for place, signature, ending, is_always in _SIGNATURES:
        if beginning.startswith(signature, place) and (is_binary or is_always):
            return _office(beginning) if ending == "zip" else ending
    return "bin" if is_binary else ""


def decoded(content: bytes) -> str:
    """Return bytes decoded as UTF-8, or by their byte order mark."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    return content.decode("utf-8", "replace")


#: Number of bytes that are examined.
_BEGINNING = 65_536
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
#: Control characters that text does not contain; bell, backspace and escape occur in terminal output.
_CONTROL = lazy_pattern(r"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_SVG = lazy_pattern(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.{0,2000}?-->\s*)?(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]",
    re.DOTALL,
)
#: Text may have one undecodable character in this number of characters.
_READABLE = 2
#: Offset and signature, the extension, and whether it applies even to bytes that are valid text.
_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "png", True),
    (0, b"\xff\xd8\xff", "jpg", True),
    (0, b"%PDF-", "pdf", True),
    (0, b"GIF87a", "gif", False),
    (0, b"GIF89a", "gif", False),
    (8, b"WEBP", "webp", False),
    (8, b"WAVE", "wav", False),
    (0, b"PK\x03\x04", "zip", True),
    (0, b"PK\x05\x06", "zip", True),
    (0, b"\x1f\x8b", "gz", True),
    (0, b"BZh", "bz2", False),
    (0, b"\xfd7zXZ\x00", "xz", True),
    (0, b"7z\xbc\xaf\x27\x1c", "7z", True),
    (0, b"\x28\xb5\x2f\xfd", "zst", True),
    (0, b"SQLite format 3\x00", "db", True),
    (0, b"PAR1", "parquet", False),
    (0, b"II*\x00", "tiff", True),
    (0, b"MM\x00*", "tiff", True),
    (0, b"\x00\x00\x01\x00", "ico", True),
    (0, b"BM", "bmp", False),
    (0, b"OggS", "ogg", False),
    (0, b"fLaC", "flac", False),
    (0, b"ID3", "mp3", False),
    (4, b"ftypavif", "avif", False),
    (4, b"ftypheic", "heic", False),
    (4, b"ftyp", "mp4", False),
    (257, b"ustar", "tar", False),
)


def _is_text(beginning: bytes) -> bool:
    text = decoded(beginning)
    if _CONTROL.search(text):
        return False
    # The last character may be cut.
    return (text[:-1] if len(beginning) == _BEGINNING else text).count("\ufffd") * _READABLE <= len(text)


def _office(beginning: bytes) -> str:
    """Return the extension of a zip archive, which may be an office document."""
    for sign, ending in ((b"xl/", "xlsx"), (b"word/", "docx"), (b"ppt/", "pptx")):
        if sign in beginning:
            return ending
    return "zip"
