"""End a process with everything it has started, also what has moved into a session of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Handed down in the environment, and different for every process: by it those are found whose parent is gone.
SIGN = "SLACK_ALERT_KINSHIP"

Popen = subprocess.Popen[Any]  # Any: bytes or text, it does not matter here

if sys.platform == "win32":
    APART = subprocess.CREATE_NEW_PROCESS_GROUP

    def ask_to_end(child: Popen) -> None:
        """Do nothing: here a process can only be killed."""

    def kill(child: Popen, sign: str) -> None:  # noqa: ARG001 - elsewhere it is needed
        """Kill it, and what it has started."""
        subprocess.run(  # noqa: S603 - words, never a shell
            ["taskkill", "/F", "/T", "/PID", str(child.pid)],  # noqa: S607 - the system's own
            check=False,
            capture_output=True,
        )

    def kill_kin(sign: str) -> None:
        """Do nothing: here they are found as what the process has started."""

else:
    APART = 0

    def ask_to_end(child: Popen) -> None:
        """Ask it to say where it is, and to go."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child.pid, signal.SIGTERM)

    def kill(child: Popen, sign: str) -> None:
        """Kill it, and what it has started; its end must not have been taken note of, else its id may be another's."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
        kill_kin(sign)

    def kill_kin(sign: str) -> None:
        """Kill everything that carries the sign, but not whoever calls this."""
        # Twice: one may have been starting another.
        for _ in range(2):
            for kin in _kin(sign):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(kin, signal.SIGKILL)

    def _kin(sign: str) -> Iterator[int]:
        mark = f"{SIGN}={sign}".encode()
        own = os.getpid()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            # Most belong to somebody else, or are gone by now.
            with suppress(OSError):
                kin = int(entry.parent.name)
                if kin != own and mark in entry.read_bytes().split(b"\0"):
                    yield kin
