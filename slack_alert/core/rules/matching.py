"""Which rules an event meets: only those are judged whose events can have its name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from slack_alert.core.rules.built_in import BUILT_IN
from slack_alert.core.rules.criteria import Finding
from slack_alert.core.rules.rule import Matchable, Rule
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import composed

_WILDCARDS = frozenset("*?[")


class Ruled(Protocol):
    """What may have a rule."""

    @property
    def name(self) -> str:
        """Its full name."""

    @property
    def rule(self) -> Rule | None:
        """Its rule."""

    @property
    def is_absence(self) -> bool:
        """Whether it only waits for events to come, and answers none."""

    @property
    def pack(self) -> str:
        """The pack that it is in; empty: none."""


R = TypeVar("R", bound=Ruled)


class Decision(Struct, frozen=True, omit_defaults=True):
    """What was decided for a rule about an event."""

    rule: str
    is_matched: bool
    #: The criterion that did not hold; None: all did, or none was judged.
    because: Finding | None = None
    #: The rule that matched in the place of one that reacts otherwise.
    instead: str = ""


class RuleIndex(Generic[R]):
    """Finds the rules for an event by its name: those of one name by a look-up, patterns by the part before a dot."""

    def __init__(self, ruled: Iterable[R]) -> None:
        self._by_name: dict[str, list[tuple[int, R]]] = {}
        #: Patterns by what stands before their first dot, where that has no wildcard; else by an empty text.
        self._by_head: dict[str, list[tuple[int, R]]] = {}
        for place, each in enumerate(ruled):
            for name in dict.fromkeys(map(composed, each.rule.on)) if each.rule is not None else ():
                table, key = (self._by_head, _head(name)) if _WILDCARDS & {*name} else (self._by_name, name)
                table.setdefault(key, []).append((place, each))

    def named(self, name: str) -> list[R]:
        """Return those whose rule may match an event of this name, in their order.

        Built-in events are for the rules that name them, `run.*` included.
        """
        name = composed(name)
        found = dict(self._by_name.get(name, ()))
        # Who wants all that is noticed does not want the end of each run as well.
        anything = () if name in BUILT_IN else self._by_head.get("", ())
        for place, each in (*anything, *self._by_head.get(_head(name), ())):
            if place not in found and each.rule is not None and each.rule.matches_name(name):
                found[place] = each
        return [found[place] for place in sorted(found)]

    def matched(self, event: Matchable, now: datetime | None = None) -> list[R]:
        """Return those whose rule matches, in their order."""
        return [each for each, decision in self.decide(event, now) if decision.is_matched]

    def decide(self, event: Matchable, now: datetime | None = None) -> list[tuple[R, Decision]]:
        """Return what is decided about an event for each rule that may match, in their order.

        A rule that reacts otherwise matches where no other one of its pack does.
        """
        decided = [(each, _decision(each, event, now)) for each in self.named(event.name)]
        if not any(each.rule is not None and each.rule.is_otherwise for each, _ in decided):
            return decided
        first = dict[str, str]()
        for each, decision in decided:
            if decision.is_matched and not (each.is_absence or each.rule is None or each.rule.is_otherwise):
                first.setdefault(each.pack, each.name)
        return [(each, _unless_matched(each, decision, first.get(each.pack))) for each, decision in decided]


def _decision(ruled: Ruled, event: Matchable, now: datetime | None) -> Decision:
    rule = ruled.rule
    assert rule is not None, "only rules are indexed"
    if rule.holds_for(event, now):
        return Decision(ruled.name, True)
    return Decision(ruled.name, False, next((each for each in rule.findings(event, now) if not each.holds), None))


def _unless_matched(ruled: Ruled, decision: Decision, other: str | None) -> Decision:
    if other is None or not decision.is_matched or ruled.rule is None or not ruled.rule.is_otherwise:
        return decision
    return Decision(ruled.name, False, instead=other)


def _head(name: str) -> str:
    head = name.partition(".")[0]
    return "" if _WILDCARDS & {*head} else head
