"""Read the answers of hosts: what is not as it should be is told, and never taken as fine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NoReturn, TypeVar

from slack_alert.core.patterns import lazy_pattern
from slack_alert.packs.git._hosts.http import HostError

T = TypeVar("T")


class HostAnswer:
    """An object in an answer of a host; a path of names leads to each value."""

    def __init__(self, host: str, content: object) -> None:
        if not isinstance(content, Mapping):
            raise HostError(f"{host} answers something else than an object.")
        self._host = host
        self._content = content

    def text(self, *path: str) -> str:
        """Return a text; empty where there is none."""
        found = self._at(path)
        return found if isinstance(found, str) else ""

    def needed(self, *path: str) -> str:
        """Return a text that must be there."""
        return self.text(*path) or self._lacks(path)

    def number(self, *path: str) -> int:
        """Return a whole number that must be there."""
        found = self._at(path)
        return found if type(found) is int else self._lacks(path)

    def sha(self, *path: str) -> str:
        """Return the full name of a commit, which must be there."""
        found = self.text(*path).lower()
        return found if _SHA.fullmatch(found) else self._lacks(path)

    def flag(self, *path: str) -> bool:
        """Return whether something is so; what is not there is not so."""
        return self._at(path) is True

    def time(self, *path: str) -> datetime:
        """Return an instant that must be there."""
        try:
            found = datetime.fromisoformat(self.text(*path).replace("Z", "+00:00"))
        except ValueError:
            self._lacks(path)
        return found if found.tzinfo else found.replace(tzinfo=timezone.utc)

    def one_of(self, known: Mapping[object, T], *path: str) -> T | None:
        """Return what a value means; None where it is none of those that are known."""
        found = self._at(path)
        return known.get(found) if found is None or isinstance(found, str | bool) else None

    def value(self, *path: str) -> Any:  # Any: what is in the JSON
        """Return a value as it is; None where there is none."""
        return self._at(path)

    def each(self, *path: str, is_needed: bool = False) -> list[HostAnswer]:
        """Return the objects of a list; no list is an empty one, unless it is needed."""
        found = self._at(path)
        if found is None and not is_needed:
            return []
        if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
            self._lacks(path)
        return [HostAnswer(self._host, one) for one in found]

    def texts(self, *path: str) -> tuple[str, ...]:
        """Return the texts of a list; no list is an empty one."""
        found = self._at(path)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self._lacks(path)
        return tuple(found)

    def check_number(self, number: int, *path: str) -> None:
        """Raise HostError where the answer is about another one."""
        if self.number(*path) != number:
            raise HostError(f"{self._host} was asked for #{number}, and answers about another one.")

    def _at(self, path: tuple[str, ...]) -> object:
        found: object = self._content
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def _lacks(self, path: tuple[str, ...]) -> NoReturn:
        raise HostError(f"{self._host} answers without {'.'.join(path)}, or with something strange there.")


_SHA = lazy_pattern(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
