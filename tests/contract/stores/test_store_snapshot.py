"""The contract of stores about the snapshot for the next run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.events import AcceptedEvent, Answer, Emitted
from slack_alert.core.model.reason import UNCHANGED
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.core.structs import replace
from slack_alert.engine.batches import (
    Batch,
    HistoryLimits,
    JobProgress,
    Snapshot,
    StartedRun,
    StoredValue,
    UnaccountedSlots,
)
from tests.contract.store_kit import SECOND, Kit, T, message, slots

BIG = 2**62


def test_a_new_store_remembers_nothing(kit: Kit) -> None:
    assert kit.reopen() == Snapshot()
    assert kit.outbox() == []
    assert kit.records() == []


def test_a_snapshot_holds_all_that_was_committed(kit: Kit) -> None:
    state = State(Quota((T, T + SECOND / 3), T + timedelta(hours=1)), Quota((T,)))
    entries = (StoredValue("git", "b", '{"n": 1}', T), StoredValue("git", "c", "null"))
    running = (StartedRun(BIG, "a", T, T + SECOND), StartedRun(BIG + 1, "b", T, T))
    kit.store.commit(
        Batch(
            states={"a": state, "b": State()},
            seen={"a": JobProgress(T, T + SECOND), "b": JobProgress(T)},
            holds={"a": Pause(), "b": Pause(T, "ann")},
            entries=[StoredValue("git", "a", "1"), *entries, StoredValue("git", "a", None)],
            running=running,
            pulse='{"at": 1}',
            taken=BIG,
        )
    )

    assert kit.reopen() == Snapshot(
        states={"a": state, "b": State()},
        seen={"a": JobProgress(T, T + SECOND), "b": JobProgress(T)},
        holds={"a": Pause(), "b": Pause(T, "ann")},
        entries=entries,
        running=running,
        last_run=BIG + 1,
        taken=BIG,
        pulse='{"at": 1}',
    )
    assert kit.reader.snapshot() == kit.reopen()


def test_an_incident_is_remembered_whole(kit: Kit) -> None:
    incident = Incident(
        T, T, 3, "9 s", (("db1", "db1: 5"),), "digest", T, "slack:#ops", "root", "edit", "ann", T,
        is_escalated=True, over=T,
    )  # fmt: skip
    kit.store.commit(Batch(states={"a": State(incident=incident)}))

    assert kit.reopen().states["a"].incident == incident


def test_the_later_word_counts_and_the_rest_stays(kit: Kit) -> None:
    kit.store.commit(
        Batch(
            states={"a": State(Quota((T,)))},
            seen={"a": JobProgress(T)},
            holds={"a": Pause(), "b": Pause()},
            entries=[StoredValue("p", "k", "1"), StoredValue("p", "gone", "1")],
            running=(StartedRun(1, "a", T, T),),
            pulse="1",
            taken=5,
        )
    )
    kit.store.commit(
        Batch(
            states={"a": State()},
            seen={"a": JobProgress(T, T)},
            holds={"a": None, "b": Pause(T)},
            entries=[StoredValue("p", "k", "2", T), StoredValue("p", "gone", None), StoredValue("p", "never", None)],
            taken=4,
        )
    )

    assert kit.reopen() == Snapshot(
        states={"a": State()},
        seen={"a": JobProgress(T, T)},
        holds={"b": Pause(T)},
        entries=(StoredValue("p", "k", "2", T),),
        running=(StartedRun(1, "a", T, T),),
        last_run=1,
        taken=5,
        pulse="1",
    )


def test_an_empty_set_of_runs_replaces_the_former(kit: Kit) -> None:
    kit.store.commit(Batch(running=(StartedRun(1, "a", T, T),)))
    kit.store.commit(Batch(running=()))

    assert kit.reopen().running == ()


def test_a_run_that_is_on_record_goes_on_no_more(kit: Kit) -> None:
    """It ended, and the program was killed before its row in `running` was deleted."""
    going_on = StartedRun(2, "a", T + SECOND, T + SECOND)
    kit.store.commit(Batch(running=(StartedRun(1, "a", T, T), going_on)))
    kit.record(Record(1, "a", T, Verdict.SAID))

    assert kit.reopen().running == (going_on,)


def test_runs_join_and_leave_those_that_go_on(kit: Kit) -> None:
    first, second, third = (StartedRun(run, "a", T + run * SECOND, T) for run in (1, 2, 3))
    kit.store.commit(Batch(begun=[first, second]))
    kit.store.commit(Batch(begun=[replace(first, started=T + SECOND), third], ended=[2]))

    assert kit.reopen().running == (first, third)
    assert kit.reopen().last_run == 3


def test_what_runs_returned_waits_for_their_records(kit: Kit) -> None:
    one, other = (Returned(run, "a", T + run * SECOND, T, SECOND, (Text(f"{run}"),)) for run in (1, 2))
    kit.store.commit(Batch(begun=[StartedRun(1, "a", T + SECOND, T)], returned=[one, other]))
    kit.store.commit(Batch(returned=[replace(one, remarks=(UNCHANGED,))]))

    assert kit.reopen().returned == (one, other)
    assert kit.reopen().running == ()  # It is known what they returned.

    kit.record(Record(1, "a", T + SECOND, Verdict.SAID))
    assert kit.reopen().returned == (other,)


def test_where_rows_may_be_missing_is_remembered_until_it_is_accounted_for(kit: Kit) -> None:
    one, other = UnaccountedSlots("a", T, T + SECOND), UnaccountedSlots("b", T, T + 2 * SECOND)
    kit.store.commit(Batch(unaccounted=[other]))
    kit.store.commit(Batch(unaccounted=[one]))
    assert kit.reopen().unaccounted == (one, other)

    kit.store.commit(Batch(accounted=["b", "c"]))
    assert kit.reopen().unaccounted == (one,)

    kit.store.prune(T + timedelta(days=31), HistoryLimits())
    assert kit.reopen().unaccounted == ()


@pytest.mark.parametrize("limits", [HistoryLimits(days=0), HistoryLimits(rows=0)])
def test_run_whose_record_is_gone_has_ended_all_the_same(kit: Kit, limits: HistoryLimits) -> None:
    kit.store.commit(
        Batch(begun=[StartedRun(1, "a", T, T)], returned=[Returned(2, "a", T + SECOND, T, SECOND, (Text("2"),))])
    )
    kit.record(Record(1, "a", T, Verdict.QUIET), Record(2, "a", T + SECOND, Verdict.SAID))

    kit.store.prune(T + timedelta(days=2), limits)

    assert kit.reopen().running == ()
    assert kit.reopen().returned == ()


def test_run_ids_outlive_their_messages(kit: Kit) -> None:
    (delivery,) = kit.enqueue(message("a", run=41))
    kit.store.commit(Batch(dropped=[delivery.id]))

    assert kit.reopen().last_run == 41


# --- how far a job is accounted for


def seen(kit: Kit) -> JobProgress:
    """Return the progress in the file, which holds no more than after a crash."""
    return kit.reader.snapshot().seen["a"]


@pytest.mark.parametrize("records", [1, 25])
def test_records_tell_how_far_their_job_is_accounted_for(kit: Kit, records: int) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T), "idle": JobProgress(T)}))
    for second in range(1, records + 1):
        kit.record(*slots(Verdict.QUIET, second, second))

    assert kit.reader.snapshot().seen == {"a": JobProgress(T, T + records * SECOND), "idle": JobProgress(T)}
    assert kit.reopen().seen == {"a": JobProgress(T, T + records * SECOND), "idle": JobProgress(T)}


def test_row_that_becomes_longer_moves_its_job_on(kit: Kit) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T)}))
    for second in range(1, 40):
        kit.record(*slots(Verdict.PAUSED, second, second))

    assert [record.count for record in kit.records()] == [39]
    assert seen(kit) == JobProgress(T, T + 39 * SECOND)


def test_run_that_ends_late_does_not_move_its_job_back(kit: Kit) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T)}))
    kit.record(*slots(Verdict.OVERLAPPED, 2, 3))
    kit.record(*slots(Verdict.QUIET, 1, 1))

    assert seen(kit) == JobProgress(T, T + 3 * SECOND)


def test_run_that_somebody_asked_for_accounts_for_no_slot(kit: Kit) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T, T)}))
    kit.record(*(record._replace(asked_by="ann") for record in slots(Verdict.QUIET, 1, 1)))

    assert seen(kit) == JobProgress(T, T)


def test_job_that_was_never_met_is_none_for_its_records(kit: Kit) -> None:
    kit.record(*slots(Verdict.QUIET, 1, 3))

    assert kit.reader.snapshot().seen == {}


@pytest.mark.parametrize("limits", [HistoryLimits(days=0), HistoryLimits(rows=0)])
def test_job_stays_accounted_for_when_its_records_are_gone(kit: Kit, limits: HistoryLimits) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T)}))
    kit.record(*slots(Verdict.QUIET, 1, 3))

    kit.store.prune(T + timedelta(days=2), limits)

    assert seen(kit) == JobProgress(T, T + 3 * SECOND)
    kit.reopen()
    kit.record(*slots(Verdict.QUIET, 4, 4))
    assert seen(kit) == JobProgress(T, T + 4 * SECOND)


def test_word_that_comes_late_does_not_move_a_job_back(kit: Kit) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T)}))
    kit.record(*slots(Verdict.QUIET, 1, 3))
    kit.store.commit(Batch(seen={"a": JobProgress(T, T + SECOND)}, at=T + 5 * SECOND))

    assert seen(kit) == JobProgress(T, T + 3 * SECOND)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_a_wrong_clock_noted_gives_way(kit: Kit, is_restarted: bool) -> None:
    kit.store.commit(Batch(seen={"a": JobProgress(T + SECOND)}))
    kit.record(*slots(Verdict.QUIET, 60, 61))
    if is_restarted:
        kit.reopen()

    kit.store.commit(Batch(seen={"a": JobProgress(T, T)}, at=T + SECOND))

    assert seen(kit) == JobProgress(T, T)
    kit.record(*slots(Verdict.QUIET, 2, 2))
    assert kit.reopen().seen == {"a": JobProgress(T, T + 2 * SECOND)}


def test_expired_entries_go_when_pruned(kit: Kit) -> None:
    kit.store.commit(
        Batch(
            entries=[
                StoredValue("p", "now", "1", T),
                StoredValue("p", "later", "1", T + SECOND),
                StoredValue("p", "never", "1"),
            ]
        )
    )

    kit.store.prune(T, HistoryLimits())

    assert [entry.key for entry in kit.reopen().entries] == ["later", "never"]


def accepted(number: int, *jobs: str, fields: dict[str, object] | None = None) -> AcceptedEvent:
    event = Emitted(
        "disk.full", T, fields or {"mount": "/var", "deep": [1, None]}, "disk.probe", "slack:#ops", 2, 1, number
    )
    return AcceptedEvent(event, jobs)


def test_an_event_is_kept_until_all_its_jobs_have_answered_it(kit: Kit) -> None:
    """Names that are a part of each other are told apart."""
    kit.store.commit(Batch(accepted=[accepted(BIG, "b.a", "a", "a.b"), accepted(7, "a")]))
    assert kit.reopen().events == (accepted(7, "a"), accepted(BIG, "b.a", "a", "a.b"))

    kit.store.commit(Batch(answered=[Answer(BIG, "a"), Answer(7, "a")]))
    assert kit.reopen().events == (accepted(BIG, "b.a", "a.b"),)

    kit.store.commit(Batch(answered=[Answer(BIG, "a.b"), Answer(BIG, "b.a"), Answer(9, "a")]))
    assert (kit.reopen().events, kit.reopen().last_event) == ((), BIG)


def test_an_event_that_is_answered_in_the_same_group_leaves_nothing_but_its_number(kit: Kit) -> None:
    kit.store.commit(Batch(accepted=[accepted(1, "a")], answered=[Answer(1, "a")]))

    assert kit.reopen() == Snapshot(last_event=1)


def test_an_event_that_is_committed_again_is_as_it_was_but_for_its_attempts(kit: Kit) -> None:
    kit.store.commit(Batch(accepted=[accepted(1, "a", "b")]))
    kit.store.commit(Batch(answered=[Answer(1, "a")]))
    again = accepted(1, "a", "b")
    kit.store.commit(Batch(accepted=[replace(again, event=replace(again.event, attempts=2, name="other"))]))

    (kept,) = kit.reopen().events
    assert kept == replace(accepted(1, "b"), event=replace(again.event, attempts=2))


def test_an_event_that_no_database_takes_as_it_is_loses_no_other(kit: Kit) -> None:
    odd: dict[str, object] = {"text": "\ud800\x00", "big": 2**80, "none": None}
    kit.store.commit(Batch(accepted=[accepted(1, "a", fields=odd), accepted(2, "a")]))

    assert [one.event.fields for one in kit.reopen().events] == [odd, accepted(2, "a").event.fields]


def test_events_whose_jobs_never_came_back_are_forgotten_with_the_history(kit: Kit) -> None:
    kit.store.commit(Batch(accepted=[accepted(1, "a")]))

    kit.store.prune(T + timedelta(days=29), HistoryLimits(days=30))
    assert kit.reopen().events == (accepted(1, "a"),)
    kit.store.prune(T + timedelta(days=31), HistoryLimits(days=30))
    assert kit.reopen().events == ()
