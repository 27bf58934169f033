"""What plugin modules register with the process when they are executed, to be taken back with the module.

An edited file is executed anew in the same process: what its former version has registered would be there twice, or in
the way. Only what the module itself does counts, also through functions of libraries; what a library does when it is
imported for the first time belongs to the library, which stays.
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
from slack_alert.loader.files.discovery import PACKAGE
from slack_alert.loader.guard.library_patches import PatchHook

log = logging.getLogger(__name__)

_Call = Callable[..., Any]  # Any: what is registered takes and gives anything.

#: Modules of libraries with a class whose objects refuse what they have: how that is registered, and unregistered.
_REGISTRIES = {"prometheus_client.registry": ("CollectorRegistry", "register", "unregister")}
#: What has one value for the whole process, often made of the one before.
_SINGLE = (
    (sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"), (warnings, "showwarning"),
    (logging, "_logRecordFactory"),
)  # fmt: skip
_LISTS: tuple[list[Any], ...] = (sys.meta_path, sys.path_hooks, gc.callbacks)


def _nothing() -> None:
    """Leave it as it is."""


class Registration(Struct, frozen=True):
    """Something registered: how it is taken back while the next version is tried, put back, and ended for good."""

    take_back: Callable[[], object] = _nothing
    put_back: Callable[[], object] = _nothing
    end: Callable[[], object] = _nothing


class Registrations:
    """What each module that was executed has registered; used on any thread."""

    def __init__(self) -> None:
        self._of: dict[str, list[Registration]] = {}
        #: What was taken back for good, and is not ended.
        self._former: list[Registration] = []
        #: Calls that are to be made at the end of the process.
        self._exits: list[_AtExit] = []
        #: Puts back what was in the places in which this stands.
        self._undo: list[Callable[[], object]] = []
        self._hook = PatchHook(self._watch_library, self._give_back, modules=_REGISTRIES)

    def install(self) -> None:
        """Begin to take note."""
        self._hook.install()
        self._replace(atexit, "register", self._register_exit)
        self._replace(atexit, "unregister", self._unregister_exit)
        self._replace(codecs, "register", self._register_codec)
        self._replace(logging.Logger, "addHandler", self._add_handler)
        self._replace(logging.Filterer, "addFilter", self._add_filter)
        self._replace(threading.Thread, "start", self._start_thread)

    def remove(self) -> None:
        """Take back everything, and take no note any more."""
        self._hook.remove()
        for module in list(self._of):
            self.retire(self.take_back(module))
        _end(self._former)

    def take_back(self, module: str) -> list[Registration]:
        """Undo what a module has registered, and return it to be put back or ended."""
        taken = self._of.pop(module, [])
        for each in reversed(taken):
            _attempt(each.take_back)
        return taken

    def put_back(self, module: str, taken: Iterable[Registration]) -> None:
        """Redo what was taken back, because the module stays."""
        for each in taken:
            _attempt(each.put_back)
            self._of.setdefault(module, []).append(each)

    def retire(self, taken: Iterable[Registration]) -> None:
        """Have what was taken back ended by who calls `take_former`."""
        self._former += taken

    def take_former(self) -> Callable[[], None] | None:
        """Return what ends all that was retired as the end of the process would, the last one first; None: nothing."""
        former, self._former = [each for each in self._former if each.end is not _nothing], []
        return partial(_end, former) if former else None

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """Take note also of what is put into place without a call; where the module fails, undo what it registered."""
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
        """Take note of what a plugin module registers while it is executed."""
        module = executing_module()
        if module is not None:
            self._of.setdefault(module, []).append(registration)

    def _note_value(self, module: str, owner: Any, attribute: str, before: Any) -> None:
        now = getattr(owner, attribute, None)  # It may have been deleted.
        if now is before or getattr(now, "__module__", "") != module:
            return

        def take_back() -> None:
            if getattr(owner, attribute, None) is now:  # Somebody may have built upon it.
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
        # Each is equal to its function, and was unregistered with it.
        self._exits = [call for call in self._exits if call != function]

    def _end_exit(self, call: _AtExit) -> None:
        """Make a call now, unless the plugin has unregistered it, and not at the end of the process."""
        if any(call is each for each in self._exits):
            atexit.unregister(call)
            call()

    def _register_codec(self, real: _Call, search: _Call, /) -> None:
        real(search)
        # What it has found is remembered by name: the next version would not be asked.
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
        """Have `function` called in place of what is there, with that and what it is given."""
        real = getattr(owner, name)

        @wraps(real)
        def replaced(*arguments: Any, **options: Any) -> Any:
            return function(real, *arguments, **options)

        # Under gevent a thread's class has only inherited it.
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
    """Return the plugin module that is being executed by the caller; None where it is none, or a library's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    name = "" if frame is None else str(frame.f_globals.get("__name__"))
    return name if name.partition(".")[0] == PACKAGE else None


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
    """Let nothing be searched twice that was there once: modules put themselves in front with each execution."""
    if sys.path == before:
        return
    for each in set(sys.path):
        while before.count(each) and sys.path.count(each) > before.count(each):
            del sys.path[len(sys.path) - 1 - sys.path[::-1].index(each)]


def _tell_if_alive(thread: threading.Thread, module: str | None) -> None:
    if thread.is_alive():
        said = "a thread that the former version of a plugin started goes on; a restart ends it"
        log.warning(said, extra={"module_name": module, "thread_name": thread.name})
