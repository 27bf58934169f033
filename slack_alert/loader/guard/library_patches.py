"""Libraries that patch the standard library: found when somebody imports them, so that one may stand before that."""

from __future__ import annotations

import _thread
import importlib.util
import sys
from collections.abc import Callable, Collection, Sequence
from functools import partial
from importlib import _bootstrap
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

#: The module that does it: for which library, and the first letters of its functions.
PATCHERS = {"gevent.monkey": ("gevent", "patch_"), "eventlet.patcher": ("eventlet", "monkey_patch")}


class PatchHook:
    """Calls `found` with each of some modules: now, or when it was imported."""

    def __init__(
        self,
        found: Callable[[ModuleType], None],
        removed: Callable[[], None] = lambda: None,
        *,
        modules: Collection[str] = tuple(PATCHERS),
    ) -> None:
        self._found = found
        self._removed = removed
        self.modules = modules
        self._is_searching = False

    def install(self) -> None:
        """Begin."""
        sys.meta_path.insert(0, self)
        for name in self.modules:
            if name in sys.modules:
                self._found(sys.modules[name])

    def remove(self) -> None:
        """Look no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._removed()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - as above
    ) -> ModuleSpec | None:
        """Find such a module as ever, and call for it once it is there."""
        if fullname not in self.modules or self._is_searching:
            return None
        self._is_searching = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._is_searching = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Calling(spec.loader, self._found)
        return spec


def remove_hooks() -> None:
    """Take out all that wait for what patches."""
    for hook in [found for found in sys.meta_path if isinstance(found, PatchHook)]:
        if not PATCHERS.keys().isdisjoint(hook.modules):
            hook.remove()


def functions_of(module: ModuleType) -> list[str]:
    """Return the names of the functions of such a module that patch."""
    prefix = PATCHERS[module.__name__][1]
    return [name for name, value in vars(module).items() if name.startswith(prefix) and callable(value)]


def allow_while_importing() -> PatchHook:
    """Let a plugin patch while it is imported, where other threads run: gevent mends the import locks only without."""
    hook = PatchHook(_mend)
    hook.install()
    return hook


def _mend(module: ModuleType) -> None:
    for name in functions_of(module):
        vars(module)[name] = partial(_patch, vars(module)[name])


def _patch(real: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    # Who holds an import lock is known by what `get_ident` gave, and the patch makes that another number.
    before = _thread.get_ident()
    result = real(*arguments, **options)
    after = _thread.get_ident()
    for reference in list(getattr(_bootstrap, "_module_locks", {}).values()):
        lock = reference()
        if lock is not None and lock.owner == before:
            lock.owner = after
    return result


class _Calling(Loader):
    """Executes a module as its own loader does, and calls for it then."""

    def __init__(self, inner: Loader, found: Callable[[ModuleType], None]) -> None:
        self._inner = inner
        self._found = found

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create it as ever."""
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute it."""
        self._inner.exec_module(module)
        self._found(module)

    def __getattr__(self, name: str) -> Any:  # Any: what the other loader has
        """Be in all else as the other loader is."""
        return getattr(self._inner, name)
