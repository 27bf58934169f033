"""The reserve of file descriptors for the program itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT, MOST))
from slack_alert.engine.system.descriptors import reserve_descriptors, spare_descriptors

def fill():
    opened = []
    while True:
        try:
            opened.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            return opened

reserve_descriptors()
fill()
assert not fill()
with spare_descriptors():
    with spare_descriptors():
        own = os.open(os.devnull, os.O_RDONLY)
    os.close(os.dup(own))
assert not fill(), "it was given back"
os.dup2(own, own)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")]


@pytest.mark.parametrize(("limit", "hard", "left"), [(128, 128, 96), (128, 256, 128), (64, 64, 48)])
def test_what_is_set_aside_is_there_when_all_else_is_taken(limit: int, hard: int, left: int) -> None:
    program = _PROGRAM.replace("SOFT", str(limit)).replace("MOST", str(hard))
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=20)

    assert (ended.stdout, ended.stderr) == (f"{left}\n", "")
