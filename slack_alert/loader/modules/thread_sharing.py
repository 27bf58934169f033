"""Let what a module makes at its top level work in its functions, which run on other threads than the module did."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from slack_alert.loader.guard.library_patches import PatchHook
from slack_alert.loader.modules.registrations import executing_module

_Connect = Callable[..., Any]  # Any: it takes what sqlite3 takes.

_DBAPI = "sqlite3.dbapi2"
#: Where `connect` takes `check_same_thread` without its name.
_POSITION = 4
#: What sqlite3 says of itself where threads may share a connection.
_SERIALIZED = "THREADSAFE=1"
#: What refers to an object of a module besides the names of the module: a list, a variable, an argument.
_OWN_REFERENCES = 3


class SharedConnections:
    """Stands before `sqlite3.connect`: a connection that a plugin module makes may be used on any thread."""

    def __init__(self) -> None:
        self._real: _Connect | None = None
        self._is_serialized: bool | None = None
        self._hook = PatchHook(self._stand_before, self._give_back, modules=(_DBAPI,))

    def install(self) -> None:
        """Begin."""
        self._hook.install()

    def remove(self) -> None:
        """Undo `install`."""
        self._hook.remove()

    def _stand_before(self, module: ModuleType) -> None:
        self._real = module.connect
        self._set(self._connect)

    def _give_back(self) -> None:
        if self._real is not None:
            self._set(self._real)

    def _set(self, connect: _Connect) -> None:
        # The package takes its names from the module once; while it is imported, it has none yet.
        for name in (_DBAPI, "sqlite3"):
            module = sys.modules.get(name)
            if module is not None and hasattr(module, "connect"):
                vars(module)["connect"] = connect

    def _connect(self, *arguments: Any, **options: Any) -> Any:
        assert self._real is not None, "it stands before something"
        is_said = len(arguments) > _POSITION or "check_same_thread" in options
        if not is_said and executing_module() is not None and self._may_be_shared(self._real):
            options["check_same_thread"] = False
        return self._real(*arguments, **options)

    def _may_be_shared(self, real: _Connect) -> bool:
        """Return whether SQLite itself lets one thread after the other use a connection, as it nearly always does."""
        if self._is_serialized is None:
            connection = real(":memory:")
            self._is_serialized = (_SERIALIZED,) in connection.execute("pragma compile_options").fetchall()
            connection.close()
        return self._is_serialized


def share_locals(module: ModuleType) -> None:
    """Let every thread find in a module's `threading.local`s what the module has put into them.

    To be called on the thread that has executed the module. One that something else refers to as well stays as it is:
    two would be there in place of one.
    """
    kind, names = threading.local, vars(module)
    own = {id(value): value for value in names.values() if type(value) is kind and vars(value)}
    for value in own.values():
        places = [name for name, each in names.items() if each is value]
        if sys.getrefcount(value) <= _OWN_REFERENCES + len(places):
            names.update(dict.fromkeys(places, _begun_with(dict(vars(value)))))


def _begun_with(values: Mapping[str, object]) -> threading.local:
    class Begun(threading.local):
        """Has these values on each thread at first; this is called on each."""

        def __init__(self) -> None:
            vars(self).update(values)

    return Begun()
