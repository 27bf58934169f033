"""Calls that block, made in a native thread so that greenlets go on."""

from __future__ import annotations

import pytest

from slack_alert.core.errors import StoreError
from slack_alert.schedulers.greenlets import blocking


def test_a_call_gives_what_it_gives() -> None:
    assert blocking(max, 1, 2) == 2


def test_what_a_call_raises_is_raised_here_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """A full disk is one line of the log, as elsewhere; gevent's pool would print a traceback into it."""

    def fail() -> None:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError, match="the disk is full"):
        blocking(fail)

    assert capfd.readouterr().err == ""
