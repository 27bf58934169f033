"""What becomes of a call of a hook: an event, a repetition, or a refusal; also after a restart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from slack_alert.core.events import Emitted, HookAnswer, HookCall
from slack_alert.engine.batches import Batch, Snapshot
from slack_alert.engine.requests.hook_calls import HookCalls
from slack_alert.engine.simulation.doubles import MemoryRecorder
from tests.fakes.engine_rig import Rig, at, make_rule

NOW = at("16 09:00")


def call(*marks: str, digest: str = "a", name: str = "webhook.shop") -> HookCall:
    return HookCall(Emitted(name, NOW, {"id": 5}, by="shop"), marks, digest)


def handled(rig: Rig, *calls: HookCall) -> list[HookAnswer]:
    answers: list[HookAnswer] = []
    for each in calls:
        rig.engine.handle(each, answers.append)
    return answers


def test_a_call_becomes_an_event_that_rules_answer() -> None:
    rig = Rig(make_rule("shop.order", on="webhook.shop"))

    (answer,) = handled(rig, call("m"))

    (run,) = rig.executor.runs
    assert (run.binding, dict(run.event or {})) == ("shop.order", {"id": 5})
    assert answer == HookAnswer(1)


def test_what_comes_again_has_the_first_events_id_and_runs_nothing() -> None:
    rig = Rig(make_rule("shop.order", on="webhook.shop"))

    first, again, by_another_mark = handled(rig, call("id", "signature"), call("id"), call("signature"))

    assert again == by_another_mark == HookAnswer(first.event, is_repeated=True)
    assert len(rig.executor.runs) == 1


def test_another_body_under_the_same_mark_is_refused() -> None:
    rig = Rig(make_rule("shop.order", on="webhook.shop"))

    _, other = handled(rig, call("m"), call("m", digest="b"))

    assert other.is_refused
    assert len(rig.executor.runs) == 1


def test_calls_without_marks_are_all_events() -> None:
    rig = Rig(make_rule("shop.order", on="webhook.shop"))

    assert [answer.event for answer in handled(rig, call(), call())] == [1, 2]


def test_a_call_that_no_rule_wants_is_answered_and_remembered() -> None:
    rig = Rig()

    first, again = handled(rig, call("m"), call("m"))

    assert again == HookAnswer(first.event, is_repeated=True)


class Batches(MemoryRecorder):
    """A recorder that keeps the batches."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        self.batches.append(batch)
        super().submit(batch, then)


def test_a_call_is_kept_together_with_its_event() -> None:
    recorder = Batches()
    rig = Rig(make_rule("shop.order", on="webhook.shop"), recorder=recorder)

    handled(rig, call("m"))

    (batch,) = [batch for batch in recorder.batches if batch.accepted]
    assert [entry.key for entry in batch.entries] == ["m"]


def test_a_restart_remembers_the_calls_of_a_day() -> None:
    calls = HookCalls()
    entries = calls.remember(call("m"), 7)
    rig = Rig(snapshot=Snapshot(entries=tuple(entries), last_event=7))

    known, new = handled(rig, call("m"), call("n"))

    assert known == HookAnswer(7, is_repeated=True)
    assert new == HookAnswer(8)


def test_after_a_day_a_call_is_forgotten() -> None:
    calls = HookCalls()
    calls.remember(call("m"), 7)
    event = Emitted("webhook.shop", NOW + timedelta(days=1, seconds=1), {})

    assert calls.find(HookCall(event, ("m",), "a")) is None
    calls.remember(HookCall(event, ("n",), "a"), 8)
    assert list(calls._made) == ["n"]
