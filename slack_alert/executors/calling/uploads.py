"""Read the files that a function returns while they exist; whatever is not a regular file must not block."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from slack_alert.core.content.limits import GREATEST, empty_file, too_great
from slack_alert.core.content.pieces import Piece, Upload
from slack_alert.core.structs import replace


def with_content(piece: Upload) -> Piece:
    """Return a piece with its file read; raise OSError if the file cannot be sent."""
    if isinstance(piece.content, Path):
        return _opened(piece, piece.content)
    return piece if len(piece.content) <= GREATEST else too_great(piece.name, len(piece.content))


def _opened(piece: Upload, path: Path) -> Piece:
    if type(path).open is not Path.open:  # A subclass with its own `open`, whose file may lie elsewhere.
        with path.open("rb") as opened:
            return _with(piece, opened.read(GREATEST + 1), None)
    _check_kind(os.stat(path).st_mode, path)  # noqa: PTH116 - pathlib's frames would be in the traceback
    # The file may have been replaced by now: a pipe is opened without waiting for a writer.
    file = os.open(path, os.O_RDONLY | _AT_ONCE)
    try:
        status = os.fstat(file)
        _check_kind(status.st_mode, path)
        content = _read(file, path)
    finally:
        os.close(file)
    return _with(piece, content, status.st_size)


def _with(piece: Upload, content: bytes, size: int | None) -> Piece:
    if len(content) > GREATEST:
        return too_great(piece.name, size)
    return replace(piece, content=content) if content else empty_file(piece.name)


#: Windows has none of the first three, and needs O_BINARY.
_AT_ONCE = (
    getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
_CHUNK = 1024 * 1024
_NO_FILES = (
    (stat.S_ISDIR, "a folder: send one of its files, or an archive of it"),
    (stat.S_ISFIFO, "a pipe, which may never end: read it, and return what came"),
    (stat.S_ISSOCK, "a socket: ask it, and return what it answers"),
    (stat.S_ISBLK, "a device, and no file that could be sent"),
)


def _check_kind(mode: int, path: Path) -> None:
    for is_kind, said in _NO_FILES:
        if is_kind(mode):
            raise (IsADirectoryError if is_kind is stat.S_ISDIR else OSError)(f"{path} is {said}")


def _read(file: int, path: Path) -> bytes:
    """Read at most what may be sent: some files have no end, and some have nothing yet."""
    content = bytearray()
    try:
        while len(content) <= GREATEST and (chunk := os.read(file, min(_CHUNK, GREATEST + 1 - len(content)))):
            content += chunk
    except BlockingIOError:
        raise OSError(f"{path} has nothing to read at the moment, and may never have") from None
    return bytes(content)
