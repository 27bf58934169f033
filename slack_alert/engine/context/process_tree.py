"""End a process with everything it has started, also what has moved into a session of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

#: Handed down in the environment with a sign for every process, by which those are found whose parent is gone. No
#: name of a setting or a secret, which are kept from what a function starts.
_SIGNS = "SLACKALERT_KINSHIP"

Popen = subprocess.Popen[Any]  # Any: bytes or text, it does not matter here
#: A process and when it began, because its id may be another's later.
Member = tuple[int, bytes]


def signed(environ: Mapping[str, str], sign: str) -> dict[str, str]:
    """Return an environment with one more sign: what carries it is kin also of those who carry the former ones."""
    return {**environ, _SIGNS: f"{environ.get(_SIGNS, '')} {sign}".lstrip()}


def own_sign() -> str:
    """Return the sign that this process was started with; empty: it has none."""
    return os.environ.get(_SIGNS, "").rpartition(" ")[2]


if sys.platform == "win32":
    APART = subprocess.CREATE_NEW_PROCESS_GROUP

    def ask_to_end(child: Popen) -> None:
        """Do nothing: here a process can only be killed."""

    def has_ended(child: Popen, seconds: float) -> bool:
        """Return whether it ends by itself within some time."""
        with suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
        return child.returncode is not None

    def family(pid: int) -> list[Member]:  # noqa: ARG001 - elsewhere it is needed
        """Return nothing: here they are found when they are killed."""
        return []

    def kill(child: Popen, sign: str, known: Iterable[Member] = ()) -> None:  # noqa: ARG001 - as above
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
    #: Where in its line the system says when a process began, behind its parent.
    _BEGAN = 17

    def ask_to_end(child: Popen) -> None:
        """Ask it to say where it is, and to go."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child.pid, signal.SIGTERM)

    def has_ended(child: Popen, seconds: float) -> bool:
        """Return whether it ends by itself within some time, and take no note of its end."""
        until = monotonic() + seconds
        while child.returncode is None and not _is_dead(child.pid):
            if monotonic() > until:
                return False
            sleep(_LOOK)
        return True

    def family(pid: int) -> list[Member]:
        """Return all that a process has started, and what those have, as far as they are known to be its own."""
        return list(_below(pid))

    def kill(child: Popen, sign: str, known: Iterable[Member] = ()) -> None:
        """Kill it, and what it has started; `known` is what it had started while it was there."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                # While it is there it is the parent of all it has started; it starts nothing more.
                os.kill(child.pid, signal.SIGSTOP)
                kill_below(child.pid)
                os.killpg(child.pid, signal.SIGKILL)
        for pid, began in known:
            if _stat(pid)[1] == began:
                _kill(pid)
        kill_kin(sign)

    def kill_kin(sign: str) -> None:
        """Kill everything that carries the sign, but not whoever calls this."""
        # Twice: one may have been starting another.
        for _ in range(2):
            for kin in _kin(sign):
                _kill(kin)

    def kill_below(pid: int) -> None:
        """Kill all that a process has started, and what those have."""
        # One may be starting another; killed ones are seen until they are gone.
        for _ in range(_ROUNDS):
            below = list(_below(pid))
            for each, _ in below:
                _kill(each)
            if not below:
                return

    def _kill(pid: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)

    def _is_dead(pid: int) -> bool:
        if not hasattr(os, "waitid"):  # Nobody can tell, and most are.
            return True
        with suppress(ChildProcessError):
            return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return True

    def _kin(sign: str) -> Iterator[int]:
        own = os.getpid()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            # Most belong to somebody else, or are gone by now.
            with suppress(OSError):
                kin = int(entry.parent.name)
                if kin != own and sign.encode() in _signs(entry.read_bytes()):
                    yield kin

    def _signs(environ: bytes) -> list[bytes]:
        name = f"{_SIGNS}=".encode()
        return [sign for line in environ.split(b"\0") if line.startswith(name) for sign in line[len(name) :].split()]

    def _below(pid: int) -> Iterator[Member]:
        children: dict[int, list[Member]] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            each = int(entry.name)
            parent, began = _stat(each)
            if began:
                children.setdefault(parent, []).append((each, began))
        found = children.get(pid, [])
        while found:
            yield from found
            found = [child for each, _ in found for child in children.get(each, [])]

    def _stat(pid: int) -> tuple[int, bytes]:
        """Return a process's parent, and when it began; nothing for one that is gone or dead."""
        with suppress(OSError, ValueError):
            # In front stands the name in brackets, which may hold anything.
            state, parent, *rest = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            if state not in _DEAD:
                return int(parent), rest[_BEGAN]
        return 0, b""
