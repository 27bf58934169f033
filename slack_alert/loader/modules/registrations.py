"""Record what plugin modules register with the process when they are executed, to undo it with the module.

An edited file is executed again in the same process: what its former version has registered would exist twice, or be
in the way. Only what the module itself does counts, also through functions of libraries; what a library does when it
is imported for the first time belongs to the library, which stays.
"""

from __future__ import annotations

import atexit
import codecs
import gc
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from types import FrameType, ModuleType
from typing import Any

from slack_alert.core.structs import Struct
from slack_alert.loader.files.discovery import PACKAGE, PACKS
from slack_alert.loader.guard.library_patches import PatchHook

log = logging.getLogger(__name__)

_Call = Callable[..., Any]  # Any: registered functions have any signature.

#: Library modules with a class that refuses duplicates: the class, and its methods to register and unregister.
_REGISTRIES = {"prometheus_client.registry": ("CollectorRegistry", "register", "unregister")}
#: Attributes with one value for the whole process, often a wrapper around the value before.
_SINGLE = (
    (sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"), (warnings, "showwarning"),
    (logging, "_logRecordFactory"),
)  # fmt: skip
_LISTS: tuple[list[Any], ...] = (sys.meta_path, sys.path_hooks, gc.callbacks)


def _nothing() -> None:
    """Do nothing."""


class Registration(Struct, frozen=True):
    """Something registered: how to undo it while the next version is tried, redo it, and end it for good."""

    take_back: Callable[[], object] = _nothing
    put_back: Callable[[], object] = _nothing
    end: Callable[[], object] = _nothing


class Registrations:
    """The registrations of each executed module; used on any thread."""

    def __init__(self) -> None:
        self._of: dict[str, list[Registration]] = {}
        #: Registrations that were undone for good and are still to be ended.
        self._former: list[Registration] = []
        #: The `atexit` calls of plugins.
        self._exits: list[_AtExit] = []
        #: Calls that put the replaced functions back.
        self._undo: list[Callable[[], object]] = []
        self._hook = PatchHook(self._watch_library, self._give_back, modules=_REGISTRIES)

    def install(self) -> None:
        """Start recording."""
        self._hook.install()
        self._replace(atexit, "register", self._register_exit)
        self._replace(atexit, "unregister", self._unregister_exit)
        self._replace(codecs, "register", self._register_codec)
        self._replace(logging.Logger, "addHandler", self._add_handler)
        self._replace(logging.Filterer, "addFilter", self._add_filter)
        self._replace(threading.Thread, "start", self._start_thread)

    def remove(self) -> None:
        """Undo all registrations, and stop recording."""
        self._hook.remove()
        for module in list(self._of):
            self.retire(self.take_back(module))
        _end(self._former)

    def take_back(self, module: str) -> list[Registration]:
        """Undo the registrations of a module, and return them to be redone or ended."""
        taken = self._of.pop(module, [])
        for each in reversed(taken):
            _attempt(each.take_back)
        return taken

    def put_back(self, module: str, taken: Iterable[Registration]) -> None:
        """Redo registrations that were undone, because the module stays."""
        for each in taken:
            _attempt(each.put_back)
            self._of.setdefault(module, []).append(each)

    def retire(self, taken: Iterable[Registration]) -> None:
        """Keep undone registrations until the caller of `take_former` ends them."""
        self._former += taken

    def take_former(self) -> Callable[[], None] | None:
        """Return a call that ends the retired registrations, last one first, as at exit; None: there are none."""
        former, self._former = [each for each in self._former if each.end is not _nothing], []
        return partial(_end, former) if former else None

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """Record assignments during an execution as well; if the module fails, undo its registrations."""
        single, path = [getattr(*each, None) for each in _SINGLE], list(sys.path)
        lists = [list(each) for each in _LISTS]
        try:
            yield
        except BaseException:
            _end(self.take_back(name))
            raise
        finally:
            for (owner, attribute), before in zip(_SINGLE, single, strict=True):
                self._note_value(name, owner, attribute, before)
            for each, kept in zip(_LISTS, lists, strict=True):
                self._note_items(name, each, kept)
            _remove_twins(path)

    def _note(self, registration: Registration) -> None:
        """Record a registration by the plugin module that is being executed."""
        module = executing_module()
        if module is not None:
            self._of.setdefault(module, []).append(registration)

    def _note_value(self, module: str, owner: Any, attribute: str, before: Any) -> None:
        now = getattr(owner, attribute, None)  # The attribute may have been deleted.
        if now is before or getattr(now, "__module__", "") != module:
            return

        def take_back() -> None:
            if getattr(owner, attribute, None) is now:  # Somebody may have wrapped it.
                setattr(owner, attribute, before)

        made = Registration(take_back, partial(setattr, owner, attribute, now))
        self._of.setdefault(module, []).append(made)

    def _note_items(self, module: str, items: list[Any], before: list[Any]) -> None:
        for item in items:
            if getattr(item, "__module__", "") == module and not any(item is each for each in before):
                made = Registration(partial(_discard, items, item), partial(items.insert, items.index(item), item))
                self._of.setdefault(module, []).append(made)

    def _register_exit(self, real: _Call, function: _Call, /, *arguments: Any, **options: Any) -> _Call:
        if executing_module() is None:
            real(function, *arguments, **options)
        else:
            call = _AtExit(function, partial(function, *arguments, **options))
            real(call)
            self._exits.append(call)
            self._note(Registration(end=partial(self._end_exit, call)))
        return function

    def _unregister_exit(self, real: _Call, function: _Call, /) -> None:
        real(function)
        # A call is equal to its function, and was unregistered with it.
        self._exits = [call for call in self._exits if call != function]

    def _end_exit(self, call: _AtExit) -> None:
        """Make an exit call now and not at exit, unless the plugin has unregistered it."""
        if any(call is each for each in self._exits):
            atexit.unregister(call)
            call()

    def _register_codec(self, real: _Call, search: _Call, /) -> None:
        real(search)
        # Codecs are cached by name: the search function of the next version would not be called.
        self._note(Registration(partial(codecs.unregister, search), partial(real, search)))

    def _add_handler(self, real: _Call, logger: logging.Logger, hdlr: logging.Handler) -> None:
        is_new = hdlr not in logger.handlers
        real(logger, hdlr)
        if is_new:
            self._note(Registration(partial(logger.removeHandler, hdlr), partial(real, logger, hdlr), hdlr.close))

    def _add_filter(self, real: _Call, owner: logging.Filterer, filter: Any) -> None:  # noqa: A002 - its name there
        is_new = filter not in owner.filters
        real(owner, filter)
        if is_new:
            self._note(Registration(partial(owner.removeFilter, filter), partial(real, owner, filter)))

    def _start_thread(self, real: _Call, thread: threading.Thread) -> None:
        real(thread)
        self._note(Registration(end=partial(_tell_if_alive, thread, executing_module())))

    def _watch_library(self, library: ModuleType) -> None:
        kind, register, unregister = _REGISTRIES[library.__name__]

        def add(real: _Call, registry: Any, item: Any) -> None:
            real(registry, item)
            self._note(Registration(partial(getattr(registry, unregister), item), partial(real, registry, item)))

        self._replace(getattr(library, kind), register, add)

    def _replace(self, owner: Any, name: str, function: _Call) -> None:
        """Replace a function by `function`, which gets the original as its first argument."""
        real = getattr(owner, name)

        @wraps(real)
        def replaced(*arguments: Any, **options: Any) -> Any:
            return function(real, *arguments, **options)

        # Under gevent the thread class inherits the method.
        undo = partial(setattr, owner, name, real) if name in vars(owner) else partial(delattr, owner, name)
        self._undo.append(undo)
        setattr(owner, name, replaced)

    def _give_back(self) -> None:
        while self._undo:
            self._undo.pop()()


class _AtExit:
    """A call at the end of the process; equal to its function, by which plugins unregister it."""

    def __init__(self, function: _Call, call: Callable[[], object]) -> None:
        self._function = function
        self._call = call

    def __call__(self) -> None:
        self._call()

    def __eq__(self, other: object) -> bool:
        return self is other if isinstance(other, _AtExit) else self._function == other

    def __hash__(self) -> int:
        return id(self)


def executing_module() -> str | None:
    """Return the plugin module that the caller is executing; None if it is none, or a library's module."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    name = "" if frame is None else str(frame.f_globals.get("__name__"))
    return name if name.partition(".")[0] in (PACKAGE, PACKS) else None


def _end(taken: Sequence[Registration]) -> None:
    for each in reversed(taken):
        _attempt(each.end)


def _attempt(call: Callable[[], object]) -> None:
    try:
        call()
    except BaseException as error:
        log.warning("a plugin's clearing up failed", exc_info=error)


def _discard(items: list[Any], item: object) -> None:
    items[:] = [each for each in items if each is not item]


def _remove_twins(before: list[str]) -> None:
    """Remove new duplicates from `sys.path`: modules insert the same path with each execution."""
    if sys.path == before:
        return
    for each in set(sys.path):
        while before.count(each) and sys.path.count(each) > before.count(each):
            del sys.path[len(sys.path) - 1 - sys.path[::-1].index(each)]


def _tell_if_alive(thread: threading.Thread, module: str | None) -> None:
    if thread.is_alive():
        said = "a thread that the former version of a plugin started goes on; a restart ends it"
        log.warning(said, extra={"module_name": module, "thread_name": thread.name})
