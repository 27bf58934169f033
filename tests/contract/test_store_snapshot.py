"""What every store remembers for the next run."""

from __future__ import annotations

from datetime import timedelta

from slack_alert.core.policy import Hold, Quota, State
from slack_alert.engine.ports import Batch, Entry, Limits, Seen, Snapshot, Started
from tests.contract.store_kit import SECOND, Kit, T, message

BIG = 2**62


def test_a_new_store_remembers_nothing(kit: Kit) -> None:
    assert kit.reopen() == Snapshot()
    assert kit.outbox() == []
    assert kit.records() == []


def test_a_snapshot_holds_all_that_was_committed(kit: Kit) -> None:
    state = State(Quota((T, T + SECOND / 3), T + timedelta(hours=1)), Quota((T,)))
    entries = (Entry("git", "b", '{"n": 1}', T), Entry("git", "c", "null"))
    running = (Started(BIG, "a", T, T + SECOND), Started(BIG + 1, "b", T, T))
    kit.store.commit(
        Batch(
            states={"a": state, "b": State()},
            seen={"a": Seen(T, T + SECOND), "b": Seen(T)},
            holds={"a": Hold(), "b": Hold(T)},
            entries=[Entry("git", "a", "1"), *entries, Entry("git", "a", None)],
            running=running,
            pulse='{"at": 1}',
            taken=BIG,
        )
    )

    assert kit.reopen() == Snapshot(
        states={"a": state, "b": State()},
        seen={"a": Seen(T, T + SECOND), "b": Seen(T)},
        holds={"a": Hold(), "b": Hold(T)},
        entries=entries,
        running=running,
        last_run=BIG + 1,
        taken=BIG,
        pulse='{"at": 1}',
    )
    assert kit.reader.snapshot() == kit.reopen()


def test_the_later_word_counts_and_the_rest_stays(kit: Kit) -> None:
    kit.store.commit(
        Batch(
            states={"a": State(Quota((T,)))},
            seen={"a": Seen(T)},
            holds={"a": Hold(), "b": Hold()},
            entries=[Entry("p", "k", "1"), Entry("p", "gone", "1")],
            running=(Started(1, "a", T, T),),
            pulse="1",
            taken=5,
        )
    )
    kit.store.commit(
        Batch(
            states={"a": State()},
            seen={"a": Seen(T, T)},
            holds={"a": None, "b": Hold(T)},
            entries=[Entry("p", "k", "2", T), Entry("p", "gone", None), Entry("p", "never", None)],
            taken=4,
        )
    )

    assert kit.reopen() == Snapshot(
        states={"a": State()},
        seen={"a": Seen(T, T)},
        holds={"b": Hold(T)},
        entries=(Entry("p", "k", "2", T),),
        running=(Started(1, "a", T, T),),
        last_run=1,
        taken=5,
        pulse="1",
    )


def test_an_empty_set_of_runs_replaces_the_former(kit: Kit) -> None:
    kit.store.commit(Batch(running=(Started(1, "a", T, T),)))
    kit.store.commit(Batch(running=()))

    assert kit.reopen().running == ()


def test_run_ids_outlive_their_messages(kit: Kit) -> None:
    (delivery,) = kit.enqueue(message("a", run=41))
    kit.store.commit(Batch(dropped=[delivery.id]))

    assert kit.reopen().last_run == 41


def test_expired_entries_go_when_pruned(kit: Kit) -> None:
    kit.store.commit(
        Batch(entries=[Entry("p", "now", "1", T), Entry("p", "later", "1", T + SECOND), Entry("p", "never", "1")])
    )

    kit.store.prune(T, Limits())

    assert [entry.key for entry in kit.reopen().entries] == ["later", "never"]
