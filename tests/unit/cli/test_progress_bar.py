"""A long start shows how far it is, on a terminal, also while what plugins print is caught."""

from __future__ import annotations

import io
import sys

import pytest

from slack_alert.cli.output.progress_bar import loading
from slack_alert.executors.calling.output import captured


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_start_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "__stderr__", terminal)
    times = iter([0.0, 0.1, 1.0, 1.0])

    with captured(io.StringIO()), loading(monotonic=lambda: next(times)) as progress:
        assert progress is not None
        progress(1, 4)
        progress(2, 4)
        progress(4, 4)

    assert terminal.getvalue() == "\r\x1b[Kreading plugins [############............] 2/4\r\x1b[K"


def test_where_nobody_could_see_it_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", io.StringIO())

    with loading() as progress:
        assert progress is None
