"""The record of what people asked for: appended only, chained, in one transaction with its run."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.core.commands.audit_chain import head_of, keepable
from slack_alert.core.commands.audit_verification import Verification, verify
from slack_alert.core.model.audit import AuditEntry, AuditVerdict, ChainedEntry
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, HistoryLimits
from tests.contract.store_kit import Kit, T, message
from tests.fakes.audit import AT, CHANGES, ENTRY, entry

DAY = timedelta(days=1)


def written(kit: Kit, **chosen: object) -> list[AuditEntry | None]:
    return [one.entry for one in listed(kit, **chosen)]


def listed(kit: Kit, **chosen: object) -> list[ChainedEntry]:
    return list(kit.reader.audit(**{"since": None, "limit": None, **chosen}))  # type: ignore[arg-type]


def verified(kit: Kit) -> Verification:
    key = kit.audit_key
    head = key.head()
    return verify(key.key(is_first=False), *kit.reader.audit_chain(), [head] if head is not None else [])


def add(kit: Kit, *entries: AuditEntry) -> None:
    kit.store.commit(Batch(audit=list(entries)))


def test_an_entry_comes_back_as_it_was_written(kit: Kit) -> None:
    others = [replace(ENTRY, **{name: value}) for name, value in CHANGES.items()]
    bare = replace(ENTRY, run=None, duration=None, params={}, name="", reason="")
    add(kit, ENTRY, *others, bare)

    assert written(kit) == [ENTRY, *others, bare]
    assert [one.id for one in listed(kit)] == list(range(1, len(others) + 3))
    assert not verified(kit).faults


@pytest.mark.parametrize("verdict", AuditVerdict)
def test_every_verdict_can_be_written(kit: Kit, verdict: AuditVerdict) -> None:
    add(kit, replace(ENTRY, verdict=verdict))

    assert written(kit) == [replace(ENTRY, verdict=verdict)]


def test_what_no_database_keeps_is_written_as_what_it_keeps(kit: Kit) -> None:
    odd = replace(ENTRY, name="a\0\ud800", params={"x\0": float("nan"), "path": Path("/a")})
    add(kit, odd)

    assert written(kit) == [keepable(odd)]
    assert not verified(kit).faults


def test_entries_go_on_after_a_restart(kit: Kit) -> None:
    for number in range(1, 4):
        add(kit, entry(number))
        kit.reopen()

    assert written(kit) == [entry(1), entry(2), entry(3)]
    assert verified(kit) == Verification(3, head_of(listed(kit)[-1]))


def test_an_entry_is_written_with_its_run_or_not_at_all(kit: Kit) -> None:
    wrong = Batch(audit=[ENTRY], records=[Record(1, "a", T, Verdict.SAID)], messages=[message("k")])  # without a time
    with pytest.raises(ValueError, match="at"):
        kit.store.commit(wrong)
    assert written(kit) == []

    kit.store.commit(replace(wrong, at=T))
    assert (written(kit), len(kit.records()), len(kit.outbox())) == ([ENTRY], 1, 1)
    assert not verified(kit).faults


def test_the_head_outside_is_the_last_entry(kit: Kit) -> None:
    assert kit.audit_key.head() is None

    add(kit, entry(1), entry(2))

    assert kit.audit_key.head() == head_of(listed(kit)[-1])


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        ({}, [1, 2, 3, 4]),
        ({"limit": 2}, [3, 4]),
        ({"limit": 0}, []),
        ({"since": AT + timedelta(minutes=3)}, [3, 4]),
        ({"since": AT + timedelta(minutes=2), "limit": 1}, [4]),
        ({"by": "slack:T1/U2"}, [2]),
        ({"by": "bob"}, [2]),
        ({"by": "bo"}, []),
        ({"command": "deploy"}, [1, 3]),
        ({"command": "deploy shop"}, [1]),
        ({"command": "dep"}, []),
        ({"command": "%"}, []),
        ({"command": "jobs"}, [4]),
        ({"by": "ann", "command": "deploy", "limit": 1}, [3]),
    ],
)
def test_entries_are_found_by_person_command_and_time(kit: Kit, chosen: dict[str, object], numbers: list[int]) -> None:
    words = ["deploy shop prod", "deployment", "deploy web", "jobs"]
    made = [entry(number, command=line) for number, line in enumerate(words, 1)]
    made[1] = replace(made[1], by="slack:T1/U2", name="bob")
    add(kit, *made)

    assert [one.id for one in listed(kit, **chosen)] == numbers


def test_more_than_a_page_is_read_and_verified(kit: Kit) -> None:
    add(kit, *[entry(number) for number in range(1, 1203)])

    assert [one.id for one in listed(kit)] == list(range(1, 1203))
    assert [one.id for one in listed(kit, limit=700)] == list(range(503, 1203))
    assert verified(kit) == Verification(1202, head_of(listed(kit, limit=1)[0]))


# --- pruning


def test_pruning_of_history_leaves_the_audit_alone(kit: Kit) -> None:
    add(kit, entry(1))

    kit.store.prune(T + 1000 * DAY, HistoryLimits(days=1, rows=0))

    assert written(kit) == [entry(1)]


def test_old_entries_are_pruned_and_the_rest_can_be_verified(kit: Kit) -> None:
    add(kit, *[replace(entry(number), at=AT + number * DAY) for number in range(1, 10)])

    kit.store.prune(AT + 9 * DAY, HistoryLimits(audit_days=4))
    assert [one.id for one in listed(kit)] == [5, 6, 7, 8, 9]
    assert not verified(kit).faults

    kit.store.prune(AT + 9 * DAY, HistoryLimits(audit_days=2))
    add(kit, replace(entry(10), at=AT + 10 * DAY))
    assert [one.id for one in listed(kit)] == [7, 8, 9, 10]
    assert verified(kit) == Verification(4, head_of(listed(kit)[-1]))


def test_the_chain_goes_on_where_all_was_pruned(kit: Kit) -> None:
    add(kit, entry(1), entry(2))
    kit.store.prune(AT + 9 * DAY, HistoryLimits(audit_days=1))
    assert listed(kit) == []
    assert not verified(kit).faults
    kit.reopen()
    add(kit, entry(3))

    assert [one.id for one in listed(kit)] == [3]
    assert not verified(kit).faults


def test_an_entry_that_is_old_but_came_after_younger_ones_waits_for_them(kit: Kit) -> None:
    """A clock that was set back takes nothing out of the middle."""
    add(kit, replace(entry(1), at=AT + 5 * DAY), replace(entry(2), at=AT))

    kit.store.prune(AT + 6 * DAY, HistoryLimits(audit_days=3))

    assert [one.id for one in listed(kit)] == [1, 2]


def test_nothing_is_pruned_where_nothing_is(kit: Kit) -> None:
    kit.store.prune(AT, HistoryLimits(audit_days=1))

    assert verified(kit) == Verification(0, None)


def test_parameters_are_kept_as_data(kit: Kit) -> None:
    params = {"list": ["a", 1, None, True], "x": 0.1, "deep": {"ü": []}}
    add(kit, replace(ENTRY, params=params))

    (found,) = written(kit)
    assert found is not None
    assert json.loads(json.dumps(found.params)) == params
