"""A changed value of `ctx.store` is the event store.changed, for the rules that wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from slack_alert.core.model.address import Address
from slack_alert.core.model.request import KeepValue, Request
from slack_alert.core.model.run import Run
from slack_alert.core.structs import replace
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.context.context import ContextServices
from slack_alert.engine.context.key_value import Wait, key_value_stores
from slack_alert.engine.simulation.doubles import TransparentCipher
from tests.fakes.engine_rig import MARK, Kept, Rig, at, make_job, make_rule

RULE = replace(make_rule(), rule=replace(make_rule().rule, on=("store.changed",)))  # type: ignore[type-var]
JOB = make_job("disk.look")


class Storing:
    """An engine with a rule on store.changed, and the store of a job."""

    def __init__(self, *jobs: object) -> None:
        self.kept = Kept()

        def write(entries: Sequence[StoredValue]) -> Wait:
            return self.rig.engine.keep_values(entries)

        stores = key_value_stores(
            (),
            write=write,
            now=lambda: at("16 09:00"),
            write_of=lambda run: partial(self.rig.engine.keep_values, run=run),
            cipher=TransparentCipher(),
        )
        self.services = ContextServices(
            mark=MARK, path=Path(), render=lambda run, value: (), address=lambda to: Address("slack", to),  # noqa: ARG005
            now=lambda: at("16 09:00"), key_value_store=stores,
        )  # fmt: skip
        self.rig = Rig(*(jobs or (JOB, RULE)), recorder=self.kept, services=self.services)  # type: ignore[arg-type]
        self.store = stores("disk")

    @property
    def answered(self) -> list[object]:
        return [run.event for run in self.rig.executor.runs]


def change(key: str, value: object, **other: object) -> dict[str, object]:
    return {"pack": "disk", "key": key, "value": value, "deleted": False, "encrypted": False, **other}


def test_a_changed_value_is_answered_and_the_same_one_is_not() -> None:
    storing = Storing()
    storing.store.set("level", 1)
    storing.store.set("level", 1)
    storing.store.set("level", 2)

    assert storing.answered == [change("level", 1)]
    assert [one.event.fields for batch in storing.kept.batches for one in batch.accepted] == [
        change("level", 1),
        change("level", 2),
    ]


def test_a_deleted_value_and_an_encrypted_one_are_told_without_it() -> None:
    storing = Storing()
    storing.store.set("token", "hunter2", encrypt=True)
    storing.store.delete("token")
    storing.store.delete("token")

    assert [one.event.fields for batch in storing.kept.batches for one in batch.accepted] == [
        change("token", None, encrypted=True),
        change("token", None, deleted=True),
    ]


def test_the_value_and_its_event_are_one_batch() -> None:
    storing = Storing()
    storing.store.set("level", 1)

    (batch,) = [batch for batch in storing.kept.batches if batch.entries]
    assert (len(batch.entries), len(batch.accepted)) == (1, 1)


def test_where_no_rule_waits_nothing_is_emitted() -> None:
    storing = Storing(JOB)
    storing.store.set("level", 1)

    assert not any(batch.accepted or batch.unmatched for batch in storing.kept.batches)


def test_a_run_that_answers_such_an_event_is_told_by_none() -> None:
    storing = Storing()
    storing.store.set("level", 1)
    (run,) = storing.rig.executor.runs
    storing.rig.engine.context(run).store.set("seen", 1)

    assert len([one for batch in storing.kept.batches for one in batch.accepted]) == 1


def test_a_run_that_answers_another_event_is_its_cause() -> None:
    storing = Storing()
    run = Run(9, "disk.look", JOB.action, at("16 09:00"), event={}, cause=4, depth=2, event_name="disk.full")
    storing.rig.engine.context(run).store.set("level", 1)

    (accepted,) = [one for batch in storing.kept.batches for one in batch.accepted]
    assert (accepted.event.cause, accepted.event.depth, accepted.event.by) == (4, 3, "disk.look")


@pytest.mark.parametrize(
    ("expected", "mark", "is_set"), [(None, "", True), ("1", "m", True), ("2", "m", False), (None, "m", False)]
)
def test_another_process_sets_a_value_in_the_place_of_the_expected_one(
    expected: str | None, mark: str, is_set: bool
) -> None:
    storing = Storing()
    storing.store.set("level", 1)
    asked = KeepValue("disk", "level", "7", None, expected, mark)
    batch = storing.rig.engine.handle(Request.of(asked, at("16 09:00")))

    assert storing.store.get("level") == (7 if is_set else 1)
    found = {(entry.pack, entry.key): entry.value for entry in batch.entries}
    assert found.get(("disk", "level")) == ("7" if is_set else None)
    assert found.get((".swaps", "m")) == ({True: "true", False: "false"}[is_set] if mark else None)
    assert len(batch.accepted) == is_set
