"""List the packs, and what functions can do in them: actions, and sensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Catalog, Problem
from slack_alert.core.pack import Pack
from slack_alert.core.structs import Struct


class PackLine(Struct, frozen=True):
    """A pack with what it declares, and what is wrong with it."""

    pack: Pack
    #: The bindings of its functions, grouped by function.
    functions: Sequence[Sequence[Binding]]
    #: What is wrong with its files; a fault that keeps all of it out may also be in the configuration.
    problems: Sequence[Problem]

    @property
    def is_loaded(self) -> bool:
        """Whether its functions are there, as far as their files are sound."""
        return self.pack.fault is None

    @property
    def kinds(self) -> Counter[str]:
        """The number of its functions of each kind."""
        return Counter(each[0].kind for each in self.functions)


class ActionLine(Struct, frozen=True):
    """A function that can be run by hand, with all its bindings."""

    bindings: Sequence[Binding]

    @property
    def summary(self) -> str:
        """The first line of its docstring; empty if there is none."""
        return next(iter((self.bindings[0].action.doc or "").strip().splitlines()), "")


def list_packs(catalog: Catalog) -> list[PackLine]:
    """Return the packs, loaded or not, in the order of their names."""
    functions = catalog.functions()
    return [_line(pack, functions, catalog.problems) for pack in sorted(catalog.packs, key=lambda pack: pack.name)]


def list_actions(catalog: Catalog, pack: str = "") -> list[ActionLine]:
    """Return the functions that can be run by hand, of one pack or (empty) of all files; guards cannot."""
    functions = (each for each in catalog.functions() if each[0].kind != "guard")
    return [ActionLine(each) for each in functions if not pack or _is_of(pack, each)]


def _line(pack: Pack, functions: Sequence[Sequence[Binding]], problems: Sequence[Problem]) -> PackLine:
    own = [each for each in functions if _is_of(pack.name, each)]
    return PackLine(pack, own, [each for each in problems if each.file.startswith(f"{pack.shown}/")])


def _is_of(pack: str, bindings: Sequence[Binding]) -> bool:
    found = bindings[0].action.pack
    return found is not None and found.name == pack
