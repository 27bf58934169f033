"""Which modules other modules have changed when they were executed: a list they added to, a class they extended.

After a restart such a module would hold what runs now, and once; so it is executed anew with those that changed it.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType, ModuleType

from slack_alert.loader.reload.fingerprint import ComparedFile
from slack_alert.loader.reload.reimport import dependents

_CONTAINERS = (list, dict, set, deque, MappingProxyType)
#: These keep lists of their own, of which nobody knows.
_PASSED_OVER = (ModuleType, logging.Logger)


class Coupling:
    """Compares, around each execution, how much there is in the modules that the executed one may reach."""

    def __init__(self) -> None:
        self._sizes: dict[str, tuple[int, ...]] = {}
        #: The modules by the last part of their names.
        self._named: dict[str, tuple[str, ...]] = {}
        #: What each module may import; most import none of these.
        self._reached: dict[str, set[str]] = {}
        #: What each has changed, which most do not.
        self._changed: dict[str, set[str]] = {}

    def before(self, name: str, used: Iterable[str]) -> None:
        """Look at what a module may reach that is about to be executed, the code of which uses these names."""
        for each in self._reach(name, used):
            self._has_changed(each)

    def after(self, name: str, used: Iterable[str], *, is_imported: bool, is_whole: bool) -> None:
        """Take note of what an executed module has changed; one that another imports is compared from now on."""
        last = name.rpartition(".")[2]
        if name not in (alike := self._named.get(last, ())):
            self._named[last] = (*alike, name)
        changed = {each for each in self._reach(name, used) if self._has_changed(each)}
        # Where it failed, the version of before stays, with what that has changed.
        _put(self._changed, name, changed | (set() if is_whole else self._changed.get(name, set())))
        if is_imported:
            self._has_changed(name)

    def changed_by(self, modules: Iterable[str]) -> set[str]:
        """Name the modules that these have changed."""
        return {each for name in modules for each in self._changed.get(name, ())}

    def affected_by(self, modules: Collection[str], texts: Mapping[str, ComparedFile]) -> set[str]:
        """Name the others to be executed anew with these: what they have changed, and what imports any of all that."""
        found = set(modules)
        while new := (self.changed_by(found) & texts.keys() | dependents(found, texts)) - found:
            found |= new
        return found - set(modules)

    def _reach(self, name: str, used: Iterable[str]) -> set[str]:
        # Of some of the same name one is meant, and the others do not change.
        found = {each for word in used for each in self._named.get(word, ())}
        if _offers(package := name.rpartition(".")[0], used):
            found.add(package)
        _put(self._reached, name, found)
        reached: set[str] = set()
        waiting = list(found)
        while waiting:
            each = waiting.pop()
            if each not in reached:
                reached.add(each)
                waiting += self._reached.get(each, ())
        return reached - {name}

    def _has_changed(self, name: str) -> bool:
        module = sys.modules.get(name)
        if module is None:
            return False
        before, self._sizes[name] = self._sizes.get(name), _sizes(module)
        return before is not None and before != self._sizes[name]


def _put(sets: dict[str, set[str]], name: str, found: set[str]) -> None:
    """Keep what was found under a name; an empty set takes memory for each of thousands of modules."""
    if found:
        sets[name] = found
    else:
        sets.pop(name, None)


def _offers(package: str, used: Iterable[str]) -> bool:
    """Return whether a package may be meant, and not one of the modules in it, which may be thousands."""
    names = vars(sys.modules[package]) if package in sys.modules else {}
    return any(word in names and not isinstance(names[word], ModuleType) for word in used)


def _sizes(module: ModuleType) -> tuple[int, ...]:
    """Return how much there is in everything that a module holds."""
    return tuple(size for value in list(vars(module).values()) for size in _sizes_of(value, module.__name__))


def _sizes_of(value: object, module: str) -> Iterator[int]:
    if isinstance(value, _CONTAINERS):
        yield len(value)
    elif isinstance(value, type):
        if value.__module__ == module:
            yield len(type.__subclasses__(value))
            yield from _lengths(value)
    elif not isinstance(value, _PASSED_OVER):
        yield from _lengths(value)


def _lengths(value: object) -> Iterator[int]:
    try:
        attributes = vars(value)
    except TypeError:  # It has none.
        return
    yield from (len(each) for each in list(attributes.values()) if isinstance(each, _CONTAINERS))
