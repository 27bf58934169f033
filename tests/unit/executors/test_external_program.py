"""The environment that a command under `exec` is started with."""

from __future__ import annotations

import pytest

from slack_alert.executors.external_program import original_environment


@pytest.mark.parametrize(
    ("given", "present", "expected"),
    [
        (b"", {"LC_CTYPE": "C.UTF-8"}, {}),
        (b"HOME=/\0", {"HOME": "/", "LC_CTYPE": "C.UTF-8"}, {"HOME": "/"}),
        (b"LC_CTYPE=C\0", {"LC_CTYPE": "C.UTF-8"}, {"LC_CTYPE": "C"}),
        (b"A=1\0LC_CTYPE=C.UTF-8\0", {"A": "1", "LC_CTYPE": "C.UTF-8"}, {"A": "1", "LC_CTYPE": "C.UTF-8"}),
        (b"NOT_LC_CTYPE=1\0", {"NOT_LC_CTYPE": "1", "LC_CTYPE": "C.UTF-8"}, {"NOT_LC_CTYPE": "1"}),
        (b"HOME=/\0", {"HOME": "/tmp", "LANG": "C"}, {"HOME": "/tmp", "LANG": "C"}),
    ],
)
def test_command_does_not_get_the_locale_that_python_chose_for_itself(
    given: bytes, present: dict[str, str], expected: dict[str, str]
) -> None:
    assert original_environment(present, given) == expected


def test_where_nobody_knows_what_was_given_the_command_gets_what_there_is() -> None:
    assert original_environment({"LC_CTYPE": "C.UTF-8"}, None) == {"LC_CTYPE": "C.UTF-8"}
