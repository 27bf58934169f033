"""End this process with its exit code, whatever threads and child processes plugins have left."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from _thread import start_new_thread  # bound now, like `sleep`: gevent's patch replaces both
from contextlib import suppress
from time import sleep
from typing import Any, NoReturn

#: The time for threads and exit handlers; `docker stop` waits ten seconds, of which a drain may take eight.
_SECONDS = 1.5


def end_process(code: int) -> NoReturn:
    """Wait a moment for threads, run the exit handlers, and exit, even if they block.

    Python's own exit waits for all threads that are no daemons, for the workers of all executors and for child
    processes of `multiprocessing`, however long they take, and calls `__del__` of the remaining objects.
    """
    with suppress(RuntimeError):  # Without a thread to limit the time nothing is waited for.
        start_new_thread(_end_later, (code,))
        _run_exit_steps()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # A plugin may have put anything there.
            stream.flush()
    os._exit(code)


def _run_exit_steps() -> None:
    """Run the steps of Python's own exit, before the interpreter is torn down; they have no public names."""
    for module, name in ((threading, "_shutdown"), (atexit, "_run_exitfuncs")):
        step: Any = getattr(module, name, None)  # Any: it is not public
        with suppress(BaseException):  # An exception of a plugin's handler must not change the exit code.
            if step is not None:
                step()


def _end_later(code: int) -> None:
    sleep(_SECONDS)
    try:
        _end_processes()
        if "gevent" not in sys.modules:  # A thread of the system must not take gevent's locks.
            _log_left_threads()
    finally:
        os._exit(code)


def _end_processes() -> None:
    """Terminate the processes of `multiprocessing` for which Python would go on waiting."""
    multiprocessing = sys.modules.get("multiprocessing")
    for child in multiprocessing.active_children() if multiprocessing is not None else ():
        with suppress(OSError):
            child.terminate()


def _log_left_threads() -> None:
    import logging  # Rarely needed, and `--help` does without.

    main = threading.main_thread()
    left = [thread.name for thread in threading.enumerate() if not thread.daemon and thread is not main]
    logging.getLogger("slack_alert").warning(
        "ended without waiting for what plugins left behind", extra={"threads": ", ".join(left) or "exit handlers"}
    )
