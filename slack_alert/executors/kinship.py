"""End a process with everything it has started, also what has moved into a session of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

#: Handed down in the environment, and different for every process: by it those are found whose parent is gone. No
#: name of a setting or a secret, which are kept from what a function starts.
SIGN = "SLACKALERT_KINSHIP"

Popen = subprocess.Popen[Any]  # Any: bytes or text, it does not matter here

if sys.platform == "win32":
    APART = subprocess.CREATE_NEW_PROCESS_GROUP

    def ask_to_end(child: Popen) -> None:
        """Do nothing: here a process can only be killed."""

    def has_ended(child: Popen, seconds: float) -> bool:
        """Tell whether it ends by itself within some time."""
        with suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
        return child.returncode is not None

    def kill(child: Popen, sign: str) -> None:  # noqa: ARG001 - elsewhere it is needed
        """Kill it, and what it has started."""
        subprocess.run(  # noqa: S603 - words, never a shell
            ["taskkill", "/F", "/T", "/PID", str(child.pid)],  # noqa: S607 - the system's own
            check=False,
            capture_output=True,
        )

    def kill_kin(sign: str) -> None:
        """Do nothing: here they are found as what the process has started."""

    def kill_below(pid: int) -> None:
        """Do nothing, as above."""

else:
    APART = 0
    _DEAD = (b"Z", b"X")
    _ROUNDS = 10
    _LOOK = 0.01

    def ask_to_end(child: Popen) -> None:
        """Ask it to say where it is, and to go."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child.pid, signal.SIGTERM)

    def has_ended(child: Popen, seconds: float) -> bool:
        """Tell whether it ends by itself within some time, and take no note of its end."""
        until = monotonic() + seconds
        while child.returncode is None and not _is_dead(child.pid):
            if monotonic() > until:
                return False
            sleep(_LOOK)
        return True

    def kill(child: Popen, sign: str) -> None:
        """Kill it, and what it has started; its end must not have been taken note of, else its id may be another's."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                # While it is there it is the parent of all it has started; it starts nothing more.
                os.kill(child.pid, signal.SIGSTOP)
                kill_below(child.pid)
                os.killpg(child.pid, signal.SIGKILL)
        kill_kin(sign)

    def kill_kin(sign: str) -> None:
        """Kill everything that carries the sign, but not whoever calls this."""
        # Twice: one may have been starting another.
        for _ in range(2):
            for kin in _kin(sign):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(kin, signal.SIGKILL)

    def kill_below(pid: int) -> None:
        """Kill all that a process has started, and what those have."""
        # One may be starting another; killed ones are seen until they are gone.
        for _ in range(_ROUNDS):
            below = list(_below(pid))
            for each in below:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(each, signal.SIGKILL)
            if not below:
                return

    def _is_dead(pid: int) -> bool:
        if not hasattr(os, "waitid"):  # Nobody can tell, and most are.
            return True
        with suppress(ChildProcessError):
            return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return True

    def _kin(sign: str) -> Iterator[int]:
        mark = f"{SIGN}={sign}".encode()
        own = os.getpid()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            # Most belong to somebody else, or are gone by now.
            with suppress(OSError):
                kin = int(entry.parent.name)
                if kin != own and mark in entry.read_bytes().split(b"\0"):
                    yield kin

    def _below(pid: int) -> Iterator[int]:
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, ValueError):
                # In front stands the name in brackets, which may hold anything.
                state, parent = entry.read_bytes().rpartition(b")")[2].split()[:2]
                if state not in _DEAD:
                    children.setdefault(int(parent), []).append(int(entry.parent.name))
        found = children.get(pid, [])
        while found:
            yield from found
            found = [child for each in found for child in children.get(each, [])]
