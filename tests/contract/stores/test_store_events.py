"""The history of events: what was decided about them, who answered them, and what they led to."""

from __future__ import annotations

from datetime import timedelta

from slack_alert.core.events import AcceptedEvent, Answer, Emitted, EventState, KeptEvent
from slack_alert.core.rules.criteria import Finding
from slack_alert.core.rules.matching import Decision
from slack_alert.engine.batches import Batch, HistoryLimits
from tests.contract.store_kit import Kit, T

HOUR = timedelta(hours=1)
REFUSED = Decision("a.big", False, Finding("size", "> 10", "3", False, parts=(Finding("x", "1", None, True),)))
DECISIONS = (Decision("a.log", True), REFUSED, Decision("a.rest", False, instead="a.log"))


def emitted(number: int, *, cause: int = 0, name: str = "changed") -> Emitted:
    return Emitted(name, T + number * HOUR, {"n": number}, "a.watch", cause=cause, depth=1 if cause else 0, id=number)


def test_an_event_keeps_its_decisions_and_the_runs_that_answered_it(kit: Kit) -> None:
    kit.store.commit(Batch(accepted=[AcceptedEvent(emitted(1), ("a.log", "a.b"), DECISIONS)]))
    assert (waiting := kit.reader.event(1)) is not None
    kit.store.commit(Batch(answered=[Answer(1, "a.b", 7), Answer(1, "a.log")]))

    answers = (Answer(1, "a.b", 7), Answer(1, "a.log"))
    assert (waiting.state, waiting.waiting) == (EventState.WAITING, ("a.log", "a.b"))
    assert kit.reader.event(1) == KeptEvent(emitted(1), (), answers, DECISIONS)
    assert kit.reopen().events == ()


def test_an_event_that_nobody_wants_is_history_from_the_beginning(kit: Kit) -> None:
    refused, unknown = AcceptedEvent(emitted(1), (), (REFUSED,)), AcceptedEvent(emitted(2), ())
    kit.store.commit(Batch(unmatched=[refused, unknown]))

    assert [one.state for one in kit.reader.events(limit=9)] == [EventState.UNMATCHED, EventState.UNKNOWN]
    assert (kit.reopen().events, kit.reopen().last_event) == ((), 2)


def test_events_are_listed_by_their_ids_and_by_what_caused_them(kit: Kit) -> None:
    kit.store.commit(Batch(unmatched=[AcceptedEvent(emitted(n, cause=n // 2), ()) for n in range(1, 6)]))

    def ids(events: list[KeptEvent]) -> list[int]:
        return [one.event.id for one in events]

    assert ids(kit.reader.events(limit=2)) == [4, 5]
    assert ids(kit.reader.events(after=3, limit=9)) == [4, 5]
    assert ids(kit.reader.events(since=T + 4 * HOUR, limit=9)) == [4, 5]
    assert (ids(kit.reader.caused_events(1)), ids(kit.reader.caused_events(0))) == ([2, 3], [])
    assert kit.reader.event(99) is None


def test_events_are_pruned_with_the_history_and_none_that_waits_for_being_one_of_many(kit: Kit) -> None:
    kit.store.commit(
        Batch(
            accepted=[AcceptedEvent(emitted(n), ("a.log",)) for n in (1, 30)],
            unmatched=[AcceptedEvent(emitted(n), ()) for n in (2, 3, 31, 32)],
        )
    )

    kit.store.prune(T + 28 * HOUR, HistoryLimits(days=1, rows=1))

    assert [one.event.id for one in kit.reader.events(limit=9)] == [30, 32]
