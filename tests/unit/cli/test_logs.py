"""Logging goes on whatever becomes of its stream."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import logging, os, sys
from pathlib import Path
from slack_alert.cli.logs import configure
from slack_alert.settings import load_settings

log = configure(load_settings({}, {}, cwd=Path.cwd(), home=Path.cwd()).settings)
log.warning("before")
HARM
log.warning("after")
log.warning("%d", "no number")
log.warning("last")
print("alive")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "seen"),
    [
        pytest.param("pass", ["before", "after", "last"], marks=pytest.mark.thorough),
        ("sys.stderr.close()", ["before", "after", "last"]),
        pytest.param("sys.stderr.detach(); sys.stderr = None", ["before", "after", "last"], marks=pytest.mark.thorough),
        ("sys.stderr = None", ["before", "after", "last"]),
        ("os.close(2)", ["before"]),
        pytest.param("sys.stderr.close(); os.close(2)", ["before"], marks=pytest.mark.thorough),
    ],
)
def test_no_log_call_fails_whatever_a_plugin_does_to_the_stream(harm: str, seen: list[str]) -> None:
    program = [sys.executable, "-c", _PROGRAM.replace("HARM", harm)]
    ended = subprocess.run(program, capture_output=True, text=True, check=True, timeout=20)

    assert ended.stdout == "alive\n"
    assert [line.split(" ", 2)[-1] for line in ended.stderr.splitlines()] == seen
