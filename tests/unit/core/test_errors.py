from __future__ import annotations

import pytest

from slack_alert.core.errors import BadValue, SettingsError, SlackAlertError


@pytest.mark.parametrize(
    ("error", "without_hint", "sentences"),
    [
        (SlackAlertError("The disk is full."), "The disk is full.", "The disk is full."),
        (BadValue("no name"), "no name", "no name"),
        (BadValue("no name", hint="Write one."), "no name", "no name. Write one."),
        (BadValue("Is it one?", hint="Write one."), "Is it one?", "Is it one? Write one."),
        (SettingsError("Bad."), "Bad.", "Bad."),
        (SettingsError("Bad.", where="x:1", hint="Write one."), "x:1: Bad.", "x:1: Bad. Write one."),
    ],
)
def test_an_error_is_told_with_its_hint_and_without(error: SlackAlertError, without_hint: str, sentences: str) -> None:
    assert (error.without_hint, error.sentences) == (without_hint, sentences)
