"""Ends a process with all its descendants, also those that moved into a session of their own."""

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

#: An environment variable, inherited by descendants, that holds a sign for every process we start; it finds those
#: whose parent is gone. Not named like a setting or a secret, which are removed from what a function starts.
_SIGNS = "SLACKALERT_KINSHIP"

Popen = subprocess.Popen[Any]  # Any: bytes or text
#: The id and the start time of a process, because ids are reused.
Member = tuple[int, bytes]


def signed_environ(environ: Mapping[str, str], sign: str) -> dict[str, str]:
    """Return an environment with a further sign; a process that carries it is also kin of the signs before it."""
    return {**environ, _SIGNS: f"{environ.get(_SIGNS, '')} {sign}".lstrip()}


def own_sign() -> str:
    """Return the sign with which this process was started; empty: it has none."""
    return os.environ.get(_SIGNS, "").rpartition(" ")[2]


if sys.platform == "win32":
    APART = subprocess.CREATE_NEW_PROCESS_GROUP

    def ask_to_end(child: Popen) -> None:
        """Do nothing: on Windows a process can only be killed."""

    def has_ended(child: Popen, seconds: float) -> bool:
        """Return whether it ends by itself within some time."""
        with suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
        return child.returncode is not None

    def descendants(pid: int) -> list[Member]:  # noqa: ARG001 - as on other systems
        """Return nothing: on Windows descendants are found by `taskkill`."""
        return []

    def kill(child: Popen, sign: str, known: Iterable[Member] = ()) -> None:  # noqa: ARG001 - as above
        """Kill a process and its descendants."""
        subprocess.run(  # noqa: S603 - words, never a shell
            ["taskkill", "/F", "/T", "/PID", str(child.pid)],  # noqa: S607 - the system's own
            check=False,
            capture_output=True,
        )

    def kill_signed(sign: str) -> None:
        """Do nothing: on Windows descendants are found by `taskkill`."""

    def end_signed(signs: Iterable[str], seconds: float) -> int:  # noqa: ARG001 - as on other systems
        """Return 0: on Windows descendants of a process that is gone are not found."""
        return 0

    def kill_descendants(pid: int) -> None:
        """Do nothing, as above."""

else:
    APART = 0
    _DEAD = (b"Z", b"X")
    _ROUNDS = 10
    _LOOK = 0.01
    #: The index of the start time among the fields of /proc/PID/stat after the parent.
    _BEGAN = 17

    def ask_to_end(child: Popen) -> None:
        """Send SIGTERM, on which a process writes its stack and ends."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child.pid, signal.SIGTERM)

    def has_ended(child: Popen, seconds: float) -> bool:
        """Return whether a process ends by itself within a time, without reaping it."""
        until = monotonic() + seconds
        while child.returncode is None and not _is_dead(child.pid):
            if monotonic() > until:
                return False
            sleep(_LOOK)
        return True

    def descendants(pid: int) -> list[Member]:
        """Return the descendants of a process that are found through their parents."""
        return list(_below(pid))

    def kill(child: Popen, sign: str, known: Iterable[Member] = ()) -> None:
        """Kill a process and its descendants; `known` are those found while it was alive."""
        if child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                # While it is stopped it starts nothing more, and is still the parent of its children.
                os.kill(child.pid, signal.SIGSTOP)
                kill_descendants(child.pid)
                os.killpg(child.pid, signal.SIGKILL)
        for pid, began in known:
            if _stat(pid)[1] == began:
                _kill(pid)
        kill_signed(sign)

    def kill_signed(sign: str) -> None:
        """Kill all processes that carry the sign, except for the calling process."""
        # Twice: a process may have been starting another.
        for _ in range(2):
            for kin in _kin(sign):
                _kill(kin)

    def end_signed(signs: Iterable[str], seconds: float) -> int:
        """End all processes that carry one of the signs, and their descendants; return how many there were.

        Those that do not end within a time on SIGTERM are killed. The calling process and what it has started go on.
        """
        wanted = {sign.encode() for sign in signs}
        found = _signed_members(wanted)
        for pid, _ in found:
            _send(pid, signal.SIGTERM)
        until = monotonic() + seconds
        while any(_stat(pid)[1] == began for pid, began in found) and monotonic() < until:
            sleep(_LOOK)
        # Once more: they may have started others meanwhile.
        for pid, began in (*found, *(_signed_members(wanted) if found else ())):
            if _stat(pid)[1] == began:
                _kill(pid)
        return len(found)

    def kill_descendants(pid: int) -> None:
        """Kill the descendants of a process."""
        # A process may be starting another; killed processes are listed until they are gone.
        for _ in range(_ROUNDS):
            below = list(_below(pid))
            for each, _ in below:
                _kill(each)
            if not below:
                return

    def _kill(pid: int) -> None:
        _send(pid, signal.SIGKILL)

    def _send(pid: int, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)

    def _is_dead(pid: int) -> bool:
        if not hasattr(os, "waitid"):  # It cannot be found out, and most are.
            return True
        with suppress(ChildProcessError):
            return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return True

    def _signed_members(wanted: set[bytes]) -> list[Member]:
        """Return the processes with one of the signs and their descendants, without this process and its own."""
        own = {os.getpid(), *(pid for pid, _ in _below(os.getpid()))}
        kin = list(_carriers(wanted))
        found = dict([(pid, _stat(pid)[1]) for pid in kin] + [member for pid in kin for member in _below(pid)])
        return [(pid, began) for pid, began in found.items() if began and pid not in own]

    def _kin(sign: str) -> Iterator[int]:
        return _carriers({sign.encode()})

    def _carriers(wanted: set[bytes]) -> Iterator[int]:
        own = os.getpid()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            # Most belong to other users, or are gone by now.
            with suppress(OSError):
                kin = int(entry.parent.name)
                if kin != own and not wanted.isdisjoint(_signs(entry.read_bytes())):
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
        """Return the parent and the start time of a process; (0, b"") where it is gone or dead."""
        with suppress(OSError, ValueError):
            # The name before them, in brackets, may contain any characters.
            state, parent, *rest = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            if state not in _DEAD:
                return int(parent), rest[_BEGAN]
        return 0, b""
