"""Record which modules changed other modules when they were executed, such as a list they added to.

After a restart a changed module would hold each addition once; so it is executed again with those that changed it.
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
#: These keep internal lists that say nothing about plugins.
_PASSED_OVER = (ModuleType, logging.Logger)


class Coupling:
    """Compares the sizes of containers in the modules that an executed module may reach, around its execution."""

    def __init__(self) -> None:
        self._sizes: dict[str, tuple[int, ...]] = {}
        #: The modules by the last part of their name.
        self._named: dict[str, tuple[str, ...]] = {}
        #: The modules that each module may import; most import none of these.
        self._reached: dict[str, set[str]] = {}
        #: The modules that each module has changed; most change none.
        self._changed: dict[str, set[str]] = {}

    def before(self, name: str, used: Collection[str]) -> None:
        """Measure what a module may reach before it is executed; `used` are the names in its code."""
        for each in self._reach(name, used):
            self._has_changed(each)

    def after(self, name: str, used: Collection[str], *, is_imported: bool, is_whole: bool) -> None:
        """Record what an executed module has changed; a module that was imported by another is compared from now on."""
        last = name.rpartition(".")[2]
        if name not in (alike := self._named.get(last, ())):
            self._named[last] = (*alike, name)
        changed = {each for each in self._reach(name, used) if self._has_changed(each)}
        # If it failed, its former version stays, with what that has changed.
        _put(self._changed, name, changed | (set() if is_whole else self._changed.get(name, set())))
        if is_imported:
            self._has_changed(name)

    def changed_by(self, modules: Iterable[str]) -> set[str]:
        """Return the modules that these have changed."""
        return {each for name in modules for each in self._changed.get(name, ())}

    def affected_by(self, modules: Collection[str], texts: Mapping[str, ComparedFile]) -> set[str]:
        """Return the further modules to execute with these: those they changed, and all importers."""
        found = set(modules)
        while new := (self.changed_by(found) & texts.keys() | dependents(found, texts)) - found:
            found |= new
        return found - set(modules)

    def _reach(self, name: str, used: Collection[str]) -> set[str]:
        if not used:  # As for most of thousands of files, which hold functions alone.
            self._reached.pop(name, None)
            return set()
        # Of several modules of the same name one is meant, and the others do not change.
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
    """Store a set under a name, or remove an empty one: it would take memory for each of thousands of modules."""
    if found:
        sets[name] = found
    else:
        sets.pop(name, None)


def _offers(package: str, used: Iterable[str]) -> bool:
    """Return whether the package itself may be meant, and not one of its modules, which may be thousands."""
    names = vars(sys.modules[package]) if package in sys.modules else {}
    return any(word in names and not isinstance(names[word], ModuleType) for word in used)


def _sizes(module: ModuleType) -> tuple[int, ...]:
    """Return the sizes of all containers that a module holds."""
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
    except TypeError:  # It has no attributes.
        return
    yield from (len(each) for each in list(attributes.values()) if isinstance(each, _CONTAINERS))
