"""Refuse and report calls of plugins whose effect on the process could not be undone."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from slack_alert.loader.guard.library_patches import PATCHERS, PatchHook, functions_of

if sys.platform != "win32":
    import resource

#: The whole program needs the resources that these limit.
LIMITS = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC")

HINT = 'Leave it out, or let its functions run in a process of their own: isolation="process".'


class ForbiddenCalls:
    """Replaces functions that would stop all others; made by the main thread before any plugin is executed."""

    def __init__(self, scheduler: str) -> None:
        #: False once the original functions were put back.
        self.is_up = True
        self._scheduler = scheduler
        #: The refused calls, with hints.
        self._said: list[tuple[str, str]] = []
        self._process = os.getpid()
        #: The identifiers of threads that execute plugin files.
        self._loading: set[int] = set()
        #: The descriptors that were open before, with device and inode.
        self._open = dict(_open_descriptors())
        self._real_close, self._real_closerange = os.close, os.closerange
        self._real_signal, self._real_set_wakeup_fd = signal.signal, signal.set_wakeup_fd
        self._hook = PatchHook(self._guard_module, self._restore)
        #: The replaced functions: the module's namespace, the name, the function.
        self._replaced: list[tuple[dict[str, Any], str, Any]] = []

    def install(self) -> None:
        """Replace the functions."""
        self._hook.install()
        self._replace(os, "closerange", self._closerange)
        self._replace(os, "close", self._close)
        self._replace(signal, "signal", self._signal)
        self._replace(signal, "set_wakeup_fd", self._set_wakeup_fd)
        if sys.platform != "win32":
            self._replace(resource, "setrlimit", partial(self._setrlimit, resource.setrlimit))
            if sys.platform == "linux":
                self._replace(resource, "prlimit", partial(self._prlimit, resource.prlimit))

    def _restore(self) -> None:
        self.is_up = False
        while self._replaced:
            names, name, function = self._replaced.pop()
            names[name] = function

    @contextmanager
    def around_file(self) -> Iterator[None]:
        """Treat calls of this thread as those of a plugin file that is being executed."""
        thread = threading.get_ident()
        self._loading.add(thread)
        try:
            yield
        finally:
            self._loading.discard(thread)

    def drain(self) -> list[tuple[str, str]]:
        """Return the calls refused since the last call of this method, with hints."""
        said, self._said = self._said, []
        return list(dict.fromkeys(said))

    def _guard_module(self, module: ModuleType) -> None:
        """Replace the functions of a module that patch the standard library."""
        library, _ = PATCHERS[module.__name__]
        is_wanted = library == "gevent" and self._scheduler == "GeventScheduler"
        if is_wanted and module.is_module_patched("socket"):
            return
        for name in functions_of(module):
            # A short command does not run on the scheduler and needs no patch.
            patch = _nothing if is_wanted else partial(self._patch, library, vars(module)[name])
            self._replace(module, name, patch)

    def _replace(self, module: ModuleType, name: str, function: Callable[..., Any]) -> None:
        names = vars(module)
        self._replaced.append((names, name, names[name]))
        names[name] = function

    def _patch(self, library: str, real: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if os.getpid() != self._process:
            return real(*arguments, **options)
        other = "scheduler = GeventScheduler in slack_alert.conf, or " if library == "gevent" else ""
        self._refuse(
            f"it patches the standard library for {library} while the program runs on {self._scheduler}, which would "
            "stop everybody: not done, its functions run without",
            f'Use {other}isolation="process".',
        )
        return None

    def _closerange(self, low: int, high: int) -> None:
        if os.getpid() != self._process:
            self._real_closerange(low, high)
            return
        self._refuse(f"it closes the descriptors {low} to {high - 1}, which others have opened: not done")

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open and self._is_loading() and self._open[descriptor] == _identity(descriptor):
            self._refuse(f"it closes descriptor {descriptor}, which others have opened: not done")
            return
        self._real_close(descriptor)

    def _signal(self, number: int, handler: Any) -> Any:
        if not self._is_loading():
            return self._real_signal(number, handler)
        name = signal.Signals(number).name
        self._refuse(f"it wants to handle {name}, and signals are the program's: not done")
        return signal.getsignal(number)

    def _set_wakeup_fd(self, descriptor: int, **options: Any) -> int:
        if self._is_loading():
            self._refuse("it calls signal.set_wakeup_fd, and signals are the program's: not done")
            return -1
        return self._real_set_wakeup_fd(descriptor, **options)

    def _setrlimit(self, real: Callable[..., Any], which: int, limits: Any) -> Any:
        return None if self._lowers_hard_limit(which, limits) else real(which, limits)

    def _prlimit(self, real: Callable[..., Any], process: int, which: int, limits: Any = None) -> Any:
        if limits is None:
            return real(process, which)
        if process in (0, self._process) and self._lowers_hard_limit(which, limits):
            return resource.getrlimit(which)
        return real(process, which, limits)

    def _lowers_hard_limit(self, which: int, limits: Any) -> bool:
        """Return whether the hard limit is lowered, which only root could undo; refuse it if so."""
        name = next((each for each in LIMITS if getattr(resource, each, None) == which), None)
        if name is None or os.getpid() != self._process:
            return False
        try:
            _, wanted = limits
            hard = resource.getrlimit(which)[1]
            if wanted == resource.RLIM_INFINITY or (hard != resource.RLIM_INFINITY and wanted >= hard):
                return False
        except (TypeError, ValueError):  # The real function raises the error.
            return False
        self._refuse(f"it lowers the limit {name} for good: not done")
        return True

    def _refuse(self, said: str, hint: str = HINT) -> None:
        self._said.append((said, hint))

    def _is_loading(self) -> bool:
        return threading.get_ident() in self._loading


def _nothing(*_: object, **__: object) -> None:
    """Do nothing in place of a patch that is not needed."""


def _open_descriptors() -> Iterator[tuple[int, tuple[int, int]]]:
    folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    with suppress(OSError):
        for descriptor in [int(each.name) for each in folder.iterdir()]:
            if (identity := _identity(descriptor)) is not None:  # The descriptor of the folder itself is closed by now.
                yield descriptor, identity


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino
