"""Make objects that a module creates at its top level usable in its functions, which run on other threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from slack_alert.loader.guard.library_patches import PatchHook
from slack_alert.loader.modules.registrations import executing_module

_Connect = Callable[..., Any]  # Any: the arguments of `sqlite3.connect`.

_DBAPI = "sqlite3.dbapi2"
#: The position of `check_same_thread` among the arguments of `connect`.
_POSITION = 4
#: The compile option of SQLite when threads may share a connection.
_SERIALIZED = "THREADSAFE=1"
#: References to a module's object besides the names of the module: a list, a variable, an argument.
_OWN_REFERENCES = 3


class SharedConnections:
    """Replaces `sqlite3.connect`: a connection that a plugin module makes may be used on any thread."""

    def __init__(self) -> None:
        self._real: _Connect | None = None
        self._is_serialized: bool | None = None
        self._hook = PatchHook(self._replace_connect, self._restore_connect, modules=(_DBAPI,))

    def install(self) -> None:
        """Replace `connect` now, or once sqlite3 is imported."""
        self._hook.install()

    def remove(self) -> None:
        """Undo `install`."""
        self._hook.remove()

    def _replace_connect(self, module: ModuleType) -> None:
        self._real = module.connect
        self._set(self._connect)

    def _restore_connect(self) -> None:
        if self._real is not None:
            self._set(self._real)

    def _set(self, connect: _Connect) -> None:
        # The package copies its names from the module once; while it is being imported, it has none yet.
        for name in (_DBAPI, "sqlite3"):
            module = sys.modules.get(name)
            if module is not None and hasattr(module, "connect"):
                vars(module)["connect"] = connect

    def _connect(self, *arguments: Any, **options: Any) -> Any:
        assert self._real is not None, "it replaces something"
        is_said = len(arguments) > _POSITION or "check_same_thread" in options
        if not is_said and executing_module() is not None and self._may_be_shared(self._real):
            options["check_same_thread"] = False
        return self._real(*arguments, **options)

    def _may_be_shared(self, real: _Connect) -> bool:
        """Return whether SQLite was compiled to be used by several threads in turn, as it nearly always is."""
        if self._is_serialized is None:
            connection = real(":memory:")
            self._is_serialized = (_SERIALIZED,) in connection.execute("pragma compile_options").fetchall()
            connection.close()
        return self._is_serialized


def share_locals(module: ModuleType) -> None:
    """Make the values that a module has put into its `threading.local`s visible on every thread.

    Call it on the thread that has executed the module. An object that something else refers to as well is left as it
    is: it would exist twice.
    """
    kind, names = threading.local, vars(module)
    own = {id(value): value for value in names.values() if type(value) is kind and vars(value)}
    for value in own.values():
        places = [name for name, each in names.items() if each is value]
        if sys.getrefcount(value) <= _OWN_REFERENCES + len(places):
            names.update(dict.fromkeys(places, _local_with(dict(vars(value)))))


def _local_with(values: Mapping[str, object]) -> threading.local:
    class LocalWith(threading.local):
        """A `threading.local` that has these values on each thread at first; `__init__` runs on each."""

        def __init__(self) -> None:
            vars(self).update(values)

    return LocalWith()
