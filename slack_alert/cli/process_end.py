"""End this process with its exit code, whatever plugins have left behind in it."""

from __future__ import annotations

import atexit
import logging
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
    start_new_thread(_end_later, (code,))
    # What Python does before it takes the interpreter apart. There are no public names for it.
    # Any: as above.
    last_steps: tuple[Any, ...] = (getattr(threading, "_shutdown", None), getattr(atexit, "_run_exitfuncs", None))
    for step in last_steps:
        with suppress(BaseException):  # Whatever a plugin's handler raises, the exit code stays.
            if step is not None:
                step()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # A plugin may have put anything there.
            stream.flush()
    os._exit(code)


def _end_later(code: int) -> None:
    sleep(_SECONDS)
    try:
        if "gevent" not in sys.modules:  # Its locks must not be taken by a thread of the system.
            _tell_left()
    finally:
        os._exit(code)


def _tell_left() -> None:
    main = threading.main_thread()
    left = [thread.name for thread in threading.enumerate() if not thread.daemon and thread is not main]
    logging.getLogger("slack_alert").warning(
        "ended without waiting for what plugins left behind", extra={"threads": ", ".join(left) or "exit handlers"}
    )
