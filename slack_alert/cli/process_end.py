"""End this process with its exit code, whatever plugins have left behind in it."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from _thread import start_new_thread  # bound now, as the next: gevent's patch makes a greenlet of it
from contextlib import suppress
from time import sleep
from typing import Any, NoReturn

#: So long threads and exit handlers have; `docker stop` waits ten seconds, of which a drain may take eight.
_SECONDS = 1.5


def end_process(code: int) -> NoReturn:
    """Wait a moment for threads, run the exit handlers, and end; nothing that blocks there keeps the process.

    Python's own end waits for each thread that is no daemon, for the workers of every executor and for child processes
    of `multiprocessing`, however long they take, and calls `__del__` of what is left.
    """
    with suppress(RuntimeError):  # Without a thread to watch it nothing is waited for.
        start_new_thread(_end_later, (code,))
        _take_last_steps()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # A plugin may have put anything there.
            stream.flush()
    os._exit(code)


def _take_last_steps() -> None:
    """Do what Python does before it takes the interpreter apart; there are no public names for it."""
    for module, name in ((threading, "_shutdown"), (atexit, "_run_exitfuncs")):
        step: Any = getattr(module, name, None)  # Any: as said, it is not public
        with suppress(BaseException):  # Whatever a plugin's handler raises, the exit code stays.
            if step is not None:
                step()


def _end_later(code: int) -> None:
    sleep(_SECONDS)
    try:
        _end_processes()
        if "gevent" not in sys.modules:  # Its locks must not be taken by a thread of the system.
            _tell_left()
    finally:
        os._exit(code)


def _end_processes() -> None:
    """Ask the processes of `multiprocessing` to end that Python would go on waiting for."""
    multiprocessing = sys.modules.get("multiprocessing")
    for child in multiprocessing.active_children() if multiprocessing is not None else ():
        with suppress(OSError):
            child.terminate()


def _tell_left() -> None:
    import logging  # Mostly there is nothing to tell, and `--help` does without.

    main = threading.main_thread()
    left = [thread.name for thread in threading.enumerate() if not thread.daemon and thread is not main]
    logging.getLogger("slack_alert").warning(
        "ended without waiting for what plugins left behind", extra={"threads": ", ".join(left) or "exit handlers"}
    )
