"""The benchmark's side of `probe`: make the file of notes, read it, ask for silence."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_RECORD = struct.Struct("=qd")
_RECORDS = 4_000_000
_CHUNK = _RECORD.size * 4096


@dataclass(frozen=True, slots=True)
class Note:
    """A job ran at a time (or, with `is_due`, is due then for the first time); `place` names this very note."""

    place: int
    job: int
    at: float
    is_due: bool


class Notes:
    """A file of notes, for one life of one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("wb") as file:
            file.truncate(_RECORDS * _RECORD.size)  # sparse: costs nothing until it is written

    def silence(self) -> None:
        """Let the functions say nothing from now on."""
        with self.path.open("r+b") as file:
            file.write(b"\1")

    def fires(self, since: float = 0.0, until: float = float("inf")) -> Iterator[Note]:
        """Return the runs that began in a span."""
        return (note for note in self._read() if not note.is_due and since <= note.at < until)

    def due_times(self) -> dict[int, float]:
        """Return the first due time of each job that has one noted."""
        return {note.job: note.at for note in self._read() if note.is_due}

    def said(self) -> set[str]:
        """Return the texts the functions returned."""
        return {self._text(note.place) for note in self.fires()}

    def last(self) -> set[str]:
        """Return the last of them: a function notes its text before it returns it, and a kill may come in between."""
        return {self._text(max((note.place for note in self.fires()), default=0))}

    def _text(self, place: int) -> str:
        return f"{self.path.name}:{place}"

    def _read(self) -> Iterator[Note]:
        place = 0
        with self.path.open("rb") as file:
            while any(chunk := file.read(_CHUNK)):
                for job, at in _RECORD.iter_unpack(chunk):
                    if at and place:
                        yield Note(place, job if job >= 0 else -1 - job, at, job < 0)
                    place += 1
