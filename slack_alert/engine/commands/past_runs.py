"""How the last runs of a command went: how long they usually take, and how many of them succeeded."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from datetime import timedelta

from slack_alert.core.commands.answers import FormerRuns
from slack_alert.core.errors import SlackAlertError
from slack_alert.core.model.record import Record, Verdict
from slack_alert.engine.ports import HistoryReader

#: So many runs are looked at; fewer than the least tell nothing usual.
WINDOW, _LEAST = 50, 3
_SUCCESS = frozenset({Verdict.SAID, Verdict.QUIET})
#: These say nothing about the command.
_NO_END = frozenset({Verdict.CANCELED, Verdict.INTERRUPTED})


class PastRuns:
    """Knows the last runs of commands, read from the history once; used on the engine's own thread."""

    def __init__(self, reader: HistoryReader) -> None:
        self._reader = reader
        #: Whether each run succeeded, and how long it took; newest last.
        self._runs: dict[str, deque[tuple[bool, timedelta]]] = {}

    def add(self, record: Record) -> None:
        """Count a run that has ended."""
        self._count(self._of(record.binding), record)

    def usual(self, command: str) -> timedelta | None:
        """Return how long a run usually takes, or None while too few are known."""
        lengths = sorted([length for is_success, length in self._of(command) if is_success])
        middle = len(lengths) // 2
        return (lengths[middle] + lengths[~middle]) / 2 if len(lengths) >= _LEAST else None

    def former(self, command: str) -> FormerRuns:
        """Return how the last runs went."""
        runs = self._of(command)
        succeeded = sum(is_success for is_success, _ in runs)
        return FormerRuns(self.usual(command), succeeded, len(runs)) if len(runs) >= _LEAST else FormerRuns()

    def _of(self, command: str) -> deque[tuple[bool, timedelta]]:
        if command not in self._runs:
            self._runs[command] = deque(maxlen=WINDOW)
            with suppress(SlackAlertError):  # Without history nothing is usual yet.
                for line in self._reader.history(job=command, since=None, limit=WINDOW):
                    self._count(self._runs[command], line.record)
        return self._runs[command]

    def _count(self, runs: deque[tuple[bool, timedelta]], record: Record) -> None:
        if record.duration is not None and record.asked_by is not None and record.verdict not in _NO_END:
            runs.append((record.verdict in _SUCCESS, record.duration))
