"""A text stream in the place of a standard one: it answers what plugins ask of such a stream, and stays open."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any


class StandInStream(io.TextIOBase):
    """Passes each text to a function; it is no terminal, and its descriptor is standard error's."""

    encoding = "utf-8"
    errors = "replace"
    #: Whether it adds the job to each line by itself.
    names_jobs = False

    def __init__(
        self, take: Callable[[str], object], *, flush: Callable[[], object], fileno: Callable[[], int] = lambda: 2
    ) -> None:
        self.buffer = _ByteStream(self)
        self._take = take
        self._flush = flush
        self._fileno = fileno

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return a descriptor: what a plugin's subprocess writes there is not changed."""
        return self._fileno()

    def reconfigure(self, **_: object) -> None:
        """Ignore the request; scripts set an encoding here."""

    def write(self, text: str) -> int:
        """Pass the text on; return its length."""
        if not isinstance(text, str):
            raise TypeError(f"a text is needed, not {type(text).__name__}")
        self._take(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what is held back."""
        self._flush()

    def close(self) -> None:
        """Stay open: whoever writes next writes here as well."""


class _ByteStream(io.RawIOBase):
    """The `buffer` of a stream."""

    def __init__(self, text: StandInStream) -> None:
        self._text = text

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, raw: Any) -> int:  # Any: whatever has bytes
        """Write the bytes as text."""
        self._text.write(bytes(raw).decode("utf-8", "replace"))
        return len(raw)

    def close(self) -> None:
        """Stay open."""
