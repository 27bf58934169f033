"""Act as the init process of a container (process 1): reap orphans, and forward signals.

The program itself runs in a child: reaping every process would take the exit codes from the plugins that wait for
them. And the system ignores signals to process 1 that have no handler, such as SIGTERM in most commands.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def fork_if_init() -> None:
    """Fork if this is process 1, and return in the child, whose exit code process 1 takes over; else just return."""
    if sys.platform == "win32" or os.getpid() != 1:
        return
    # Blocked signals stay pending for `sigwait`, even those without a handler.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    child = os.fork()
    if child:
        os._exit(_supervise(child))
    _take_terminal()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


if sys.platform != "win32":

    def _take_terminal() -> None:
        """Make this process the terminal's foreground group, if there is one: Ctrl+C must not arrive twice."""
        os.setpgid(0, 0)
        with suppress(OSError):
            os.tcsetpgrp(0, os.getpgrp())

    def _supervise(child: int) -> int:
        """Reap processes and forward signals until the child ends; return its exit code."""
        while (code := _reap(child)) is None:
            number = signal.sigwait(signal.valid_signals())
            if number != signal.SIGCHLD:
                with suppress(ProcessLookupError):
                    os.kill(child, number)
        return code

    def _reap(child: int) -> int | None:
        """Reap all ended processes; return the child's exit code, as a shell gives it, or None while it runs."""
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return None
            if pid == child:
                ended = os.waitstatus_to_exitcode(status)
                return ended if ended >= 0 else 128 - ended
