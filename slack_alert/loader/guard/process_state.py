"""Record the state that all parts of the process share, find out what a plugin changed, and put it back."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import is_, itemgetter
from typing import Any, TypeVar

from slack_alert.loader.guard.forbidden_calls import LIMITS

if sys.platform != "win32":
    import resource

T = TypeVar("T")

#: Puts something back if it was changed, and returns its description; None: it was not changed.
Restore = Callable[[], "str | None"]

#: Names that the program, its libraries and other plugins use, and that must keep their objects.
#: Not `asyncio.run` and similar, which nest_asyncio replaces, nor the choice of certificates: these do no harm.
_NAMES = {
    "_thread": "allocate_lock get_ident start_new_thread",
    "asyncio": "create_task gather sleep to_thread wait_for",
    "builtins": "__import__ compile exec getattr isinstance iter len next object open setattr type",
    "datetime": "date datetime timedelta",
    "json": "dumps loads",
    "os": "_exit close environ fork fsync getpid kill open read replace scandir stat urandom waitpid write",
    "queue": "Queue SimpleQueue",
    "select": "select",
    "selectors": "DefaultSelector",
    "signal": "getsignal set_wakeup_fd setitimer signal",
    "socket": "create_connection getaddrinfo socket socketpair",
    "sqlite3": "connect",
    "ssl": "create_default_context",
    "subprocess": "Popen run",
    "threading": "Condition Event Lock RLock Thread Timer current_thread get_ident local",
    "time": "monotonic perf_counter sleep time",
}


class ProcessState:
    """The state of the process when this was made; any thread may restore it, one at a time."""

    def __init__(self) -> None:
        #: State whose change would stop others at any time.
        self._vital: list[Restore] = [*_names(), *_loop_policy(), _logging(), _warnings(), _finders(), *_hooks()]
        #: State that a function may change for a while, but a file must not change for good by being loaded.
        self._others: list[Restore] = [*_settings(), *_signals(), *_limits(), _search_path(), _path()]

    def restored(self, *, is_running: bool = False) -> list[str]:
        """Put back what was changed and return its descriptions; while running, only what would stop it."""
        restores = self._vital if is_running else (*self._vital, *self._others)
        return [changed for restore in restores if (changed := restore()) is not None]


@contextmanager
def own_tracing() -> Iterator[None]:
    """Restore this thread's trace and profile functions afterwards."""
    before = sys.gettrace(), sys.getprofile()
    try:
        yield
    finally:
        if (sys.gettrace(), sys.getprofile()) != before:
            sys.settrace(before[0])
            sys.setprofile(before[1])


def _kept(said: str, read: Callable[[], T], write: Callable[[T], object]) -> Restore:
    before = read()

    def restore() -> str | None:
        found = read()
        if found is before or found == before:
            return None
        with suppress(OSError, ValueError, TypeError):  # A change that cannot be undone is reported all the same.
            write(before)
        return said

    return restore


def _names() -> Iterator[Restore]:
    for module, names in _NAMES.items():
        if module in sys.modules:
            yield _attributes(sys.modules[module].__dict__, module, names.split())


def _attributes(names: dict[str, Any], module: str, wanted: Sequence[str]) -> Restore:
    own = [name for name in wanted if name in names] + [""]  # At least two names: itemgetter then returns a tuple.
    read, before = itemgetter(*own[:-1], own[0]), {name: names[name] for name in own[:-1]}
    kept = read(before)

    def restore() -> str | None:
        try:
            if all(map(is_, read(names), kept)):
                return None
        except KeyError:  # It was deleted.
            pass
        changed = [name for name, value in before.items() if names.get(name) is not value]
        names.update(before)
        return ", ".join(f"`{module}.{name}`" for name in changed)

    return restore


def _loop_policy() -> Iterator[Restore]:
    if not hasattr(asyncio, "set_event_loop_policy"):  # Python 3.16 does not have it.
        return
    before = asyncio.get_event_loop_policy()

    def restore() -> str | None:
        # A policy of the same type makes the same loops.
        if type(asyncio.get_event_loop_policy()) is type(before):
            return None
        asyncio.set_event_loop_policy(before)
        return "asyncio's event loop policy"

    yield restore


def _logging() -> Restore:
    root, own = logging.getLogger(), logging.getLogger("slack_alert")
    handlers, level, disabled = tuple(root.handlers), root.level, root.manager.disable

    def restore() -> str | None:
        is_whole = all(handler in root.handlers for handler in handlers)
        if is_whole and root.level <= level and root.manager.disable <= disabled and not own.disabled:
            return None
        root.handlers[:0] = [handler for handler in handlers if handler not in root.handlers]
        root.setLevel(min(level, root.level))
        logging.disable(min(disabled, root.manager.disable))
        for name, logger in list(root.manager.loggerDict.items()):
            if isinstance(logger, logging.Logger) and name.partition(".")[0] == own.name:
                logger.disabled = False
        return "what is logged, and where"

    return restore


def _warnings() -> Restore:
    """Remove filters that turn warnings into exceptions."""
    before = [each for each in warnings.filters if each[0] == "error"]

    def restore() -> str | None:
        if [each for each in warnings.filters if each[0] == "error"] == before:
            return None
        kept = [each for each in warnings.filters if each[0] != "error" or each in before]
        warnings.filters[:] = kept  # type: ignore[index]  # it is a list
        with warnings.catch_warnings():  # Its exit invalidates the cached results of the former filters.
            pass
        return "warnings into exceptions"

    return restore


def _finders() -> Restore:
    before = tuple(sys.meta_path)

    def restore() -> str | None:
        if all(finder in sys.meta_path for finder in before):
            return None
        sys.meta_path[:] = [*before, *(finder for finder in sys.meta_path if finder not in before)]
        return "`sys.meta_path`"

    return restore


def _hooks() -> Iterator[Restore]:
    """Keep hooks that can be called; without one no thread starts, or nothing reports how the program ended."""
    for module, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        yield _hook(vars(module), f"{module.__name__}.{name}", name)


def _hook(names: dict[str, Any], said: str, name: str) -> Restore:
    before = names[name]

    def restore() -> str | None:
        if callable(names.get(name)):
            return None
        names[name] = before
        return f"`{said}`"

    return restore


def _settings() -> Iterator[Restore]:
    yield _kept("the working directory", _folder, _go_to)
    yield _kept("`sys.stdout`", lambda: sys.stdout, lambda stream: setattr(sys, "stdout", stream))
    yield _kept("`sys.stderr`", lambda: sys.stderr, lambda stream: setattr(sys, "stderr", stream))
    yield _kept("the switch interval", sys.getswitchinterval, sys.setswitchinterval)
    yield _kept("the stack size of threads", threading.stack_size, threading.stack_size)
    yield _kept("`threading.settrace`", threading.gettrace, threading.settrace)
    yield _kept("`threading.setprofile`", threading.getprofile, threading.setprofile)
    yield _umask()
    least = sys.getrecursionlimit()
    # A higher limit does no harm.
    yield _kept("the recursion limit", lambda: min(least, sys.getrecursionlimit()), sys.setrecursionlimit)


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a Path for each file takes longer
    except OSError:  # It was deleted.
        return None


def _go_to(folder: str | None) -> None:
    if folder is not None:
        os.chdir(folder)


def _umask() -> Restore:
    before = os.umask(0o077)
    os.umask(before)
    return lambda: "the umask" if os.umask(before) != before else None


def _signals() -> Iterator[Restore]:
    if sys.platform == "win32":
        return

    def restore() -> str | None:
        faulthandler.cancel_dump_traceback_later()  # It may have been set to end the process.
        # With a handler the alarm ends nothing; during shutdown the program itself uses it against waiting forever.
        if signal.getitimer(signal.ITIMER_REAL)[0] == 0 or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
            return None
        signal.setitimer(signal.ITIMER_REAL, 0)
        return "the alarm clock of the process"

    yield restore


def _limits() -> Iterator[Restore]:
    if sys.platform == "win32":
        return
    for name in LIMITS:
        which = getattr(resource, name, None)
        if which is not None:
            yield _limit(f"the limit {name}", which)


def _limit(said: str, which: int) -> Restore:
    def write(limits: tuple[int, int]) -> None:
        hard = resource.getrlimit(which)[1]
        resource.setrlimit(which, limits if hard == limits[1] else (hard, hard))

    return _kept(said, lambda: resource.getrlimit(which), write)


def _search_path() -> Restore:
    before = list(sys.path)

    def restore() -> str | None:
        missing = [path for path in before if path not in sys.path]
        sys.path += missing
        return "`sys.path`" if missing else None

    return restore


def _path() -> Restore:
    before = os.environ.get("PATH")

    def restore() -> str | None:
        # An extended PATH does no harm.
        if before is None or before in os.environ.get("PATH", ""):
            return None
        os.environ["PATH"] = before
        return "`PATH`"

    return restore
