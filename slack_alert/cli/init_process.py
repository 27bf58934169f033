"""Do what is expected of process 1, as which containers start a program: reap orphans, and pass signals on.

The program itself runs in a child: to reap everything that ends would take the exit codes from the plugins that wait
for them. And the system ignores what a process 1 gets and has no handler for, such as SIGTERM in most commands.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def stand_in() -> None:
    """Return at once, unless this is process 1: then in a child, whose end becomes the end of process 1."""
    if sys.platform == "win32" or os.getpid() != 1:
        return
    # Blocked, they are kept for whoever waits for them, also where nothing handles them.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    child = os.fork()
    if child:
        os._exit(_look_after(child))
    _take_terminal()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


if sys.platform != "win32":

    def _take_terminal() -> None:
        """Let this process have the terminal for itself, if there is one: Ctrl+C shall not come a second time."""
        os.setpgid(0, 0)
        with suppress(OSError):
            os.tcsetpgrp(0, os.getpgrp())

    def _look_after(child: int) -> int:
        """Reap what ends, and pass on what is asked of this process, until the child ends; return its exit code."""
        while (code := _reaped(child)) is None:
            number = signal.sigwait(signal.valid_signals())
            if number != signal.SIGCHLD:
                with suppress(ProcessLookupError):
                    os.kill(child, number)
        return code

    def _reaped(child: int) -> int | None:
        """Reap what has ended; return the child's exit code, as a shell gives it, once it is among that."""
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return None
            if pid == child:
                ended = os.waitstatus_to_exitcode(status)
                return ended if ended >= 0 else 128 - ended
