"""Find libraries that patch the standard library when they are imported, so that their functions can be replaced."""

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

#: The modules that patch: their library, and the prefix of their patching functions.
PATCHERS = {"gevent.monkey": ("gevent", "patch_"), "eventlet.patcher": ("eventlet", "monkey_patch")}


class PatchHook:
    """An import hook that calls `found` with each of some modules: now, or once it was imported."""

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
        """Start to watch imports, and call `found` for modules that are already imported."""
        sys.meta_path.insert(0, self)
        for name in self.modules:
            if name in sys.modules:
                self._found(sys.modules[name])

    def remove(self) -> None:
        """Stop watching imports."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._removed()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - as above
    ) -> ModuleSpec | None:
        """Find such a module as usual, and call `found` once it is imported."""
        if fullname not in self.modules or self._is_searching:
            return None
        self._is_searching = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._is_searching = False
        if spec is not None and spec.loader is not None:
            spec.loader = _NotifyingLoader(spec.loader, self._found)
        return spec


def remove_hooks() -> None:
    """Remove all hooks that wait for modules that patch."""
    for hook in [found for found in sys.meta_path if isinstance(found, PatchHook)]:
        if not PATCHERS.keys().isdisjoint(hook.modules):
            hook.remove()


def functions_of(module: ModuleType) -> list[str]:
    """Return the names of the functions of such a module that patch."""
    prefix = PATCHERS[module.__name__][1]
    return [name for name, value in vars(module).items() if name.startswith(prefix) and callable(value)]


def allow_while_importing() -> PatchHook:
    """Let a plugin patch during its import although other threads run: gevent corrects import locks only without."""
    hook = PatchHook(_wrap_patchers)
    hook.install()
    return hook


def _wrap_patchers(module: ModuleType) -> None:
    for name in functions_of(module):
        vars(module)[name] = partial(_patch, vars(module)[name])


def _patch(real: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    # The owner of an import lock is stored as its `get_ident`, which the patch changes to another number.
    before = _thread.get_ident()
    result = real(*arguments, **options)
    after = _thread.get_ident()
    for reference in list(getattr(_bootstrap, "_module_locks", {}).values()):
        lock = reference()
        if lock is not None and lock.owner == before:
            lock.owner = after
    return result


class _NotifyingLoader(Loader):
    """Executes a module with its own loader, and calls `found` afterwards."""

    def __init__(self, inner: Loader, found: Callable[[ModuleType], None]) -> None:
        self._inner = inner
        self._found = found

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as usual."""
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module."""
        self._inner.exec_module(module)
        self._found(module)

    def __getattr__(self, name: str) -> Any:  # Any: attributes of the wrapped loader
        """Return any other attribute of the wrapped loader."""
        return getattr(self._inner, name)
