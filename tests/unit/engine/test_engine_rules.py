from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.events import AcceptedEvent, Emitted
from slack_alert.core.model.run import QUIET, Result, Run
from slack_alert.core.rules.rule import Rule
from slack_alert.core.rules.throttling import Rate
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, StartedRun
from tests.fakes.engine_rig import at, failed, make_job, make_rule, verdicts
from tests.unit.engine.test_engine_events import Stored, full

RULE = make_rule()
SELDOM = replace(RULE, rule=Rule(("disk.full",), {}, at_most=Rate(2, timedelta(minutes=10))))


def answer(life: Stored, *times: str) -> None:
    for time in times:
        life.rig.engine.handle(full(time))
        if life.rig.executor.runs:
            life.rig.executor.finish(QUIET)


def history(life: Stored) -> list[tuple[str, str]]:
    lines = life.store.history(job=None, since=None, limit=None)
    return [(f"{line.record.slot:%M}", line.record.verdict.value) for line in lines]


def test_beyond_its_rate_a_rule_is_paused_and_says_so() -> None:
    life = Stored(SELDOM)

    answer(life, "16 09:01", "16 09:02", "16 09:03", "16 09:11", "16 09:12")

    assert history(life) == [("01", "quiet"), ("02", "quiet"), ("03", "paused"), ("11", "quiet"), ("12", "quiet")]
    (line,) = [each for each in life.store.history(job=None, since=None, limit=None) if each.record.reasons]
    (reason,) = line.record.reasons
    assert (reason.code.value, reason.count, reason.until) == ("throttled", 2, at("16 09:11"))
    assert life.kept == []


def test_a_restart_does_not_forget_how_often_a_rule_answered() -> None:
    life = Stored(SELDOM)
    answer(life, "16 09:01", "16 09:02")

    again = life.killed(SELDOM)
    answer(again, "16 09:03")

    assert history(again)[-1] == ("03", "paused")


def test_a_run_knows_the_event_that_it_answers() -> None:
    life = Stored(RULE)

    life.rig.engine.handle(replace(full(), cause=7, depth=2))

    (run,) = life.rig.executor.runs
    assert (run.cause, run.depth) == (1, 2)


def test_ages_are_judged_now_and_not_when_the_event_was_left() -> None:
    young = replace(RULE, rule=Rule(("disk.full",), {"since": {"timediff_lt": 60}}))
    life = Stored(young)
    life.rig.clock.set(at("16 09:05"))

    life.rig.engine.handle(Emitted("disk.full", at("16 09:00"), {"since": at("16 09:00").isoformat()}))

    assert (life.rig.executor.runs, verdicts(life.rig.rows())) == ([], [])


GATHERED = replace(RULE, rule=Rule(("disk.full",), {}, collect=timedelta(seconds=30)))


def release(life: Stored, time: str) -> list[Run]:
    life.rig.clock.set(at(time))
    life.rig.engine.release_collected()
    return life.rig.executor.runs


def test_events_are_collected_from_the_first_one_on_for_one_run() -> None:
    life = Stored(GATHERED)
    for number, time in enumerate(["16 09:01:00", "16 09:01:10", "16 09:01:29"]):
        life.rig.clock.set(at(time))
        life.rig.engine.handle(full(time, number=number))

    assert release(life, "16 09:01:29") == []
    (run,) = release(life, "16 09:01:30")
    assert (run.slot, run.event, run.depth) == (at("16 09:01:30"), {}, 0)
    assert [fields["number"] for fields in run.collected] == [0, 1, 2]
    assert life.kept == [("disk.full", ("disk.full",))] * 3
    life.rig.executor.finish(QUIET)
    assert life.kept == []
    assert [one.answers[0].run for one in life.store.events(limit=9)] == [run.id] * 3


def test_an_event_after_the_time_begins_another_one() -> None:
    life = Stored(GATHERED)
    for time in ["16 09:01:00", "16 09:01:40"]:
        life.rig.engine.handle(full(time))

    (first,) = release(life, "16 09:01:50")
    life.rig.executor.finish(QUIET)
    assert (len(first.collected), life.rig.executor.runs) == (1, [])
    (second,) = release(life, "16 09:02:10")
    assert (len(second.collected), second.slot) == (1, at("16 09:02:10"))


def test_what_was_collected_is_answered_after_a_kill() -> None:
    life = Stored(GATHERED)
    life.rig.engine.handle(full("16 09:01:00"))
    life.rig.engine.handle(full("16 09:01:05"))

    again = life.killed(GATHERED)
    (run,) = release(again, "16 09:01:30")

    assert len(run.collected) == 2


def test_a_run_of_collected_events_that_was_cut_off_is_not_repeated() -> None:
    life = Stored(GATHERED)
    life.rig.engine.handle(full("16 09:01:00"))
    life.rig.engine.handle(full("16 09:01:05"))
    (run,) = release(life, "16 09:01:30")
    life.store.commit(Batch(begun=[StartedRun(run.id, run.binding, run.slot, run.slot)]))
    life.store.commit(Batch(accepted=[replace(one, event=replace(one.event, attempts=1)) for one in kept_events(life)]))

    again = life.killed(GATHERED)

    assert (release(again, "16 09:02:30"), again.kept) == ([], [])
    assert [answer.run for one in again.store.events(limit=9) for answer in one.answers] == [run.id] * 2


def kept_events(life: Stored) -> tuple[AcceptedEvent, ...]:
    return life.store.snapshot().events


SENSOR = replace(make_job("disk.watch"), emits="disk.full", dedup="{path}:{time}")


def notice(life: Stored, **fields: object) -> None:
    run = Run(99, "disk.watch", SENSOR.action, life.rig.clock.now(), emits=("disk.full",))
    life.rig.engine.emit(run, fields)


def test_an_event_that_says_the_same_again_is_none_for_a_day_and_over_a_restart() -> None:
    life = Stored(RULE, SENSOR)
    for time in (1, 1, 2):
        notice(life, path="/etc", time=time, size=time)
    again = life.killed(RULE, SENSOR)
    notice(again, path="/etc", time=2)
    again.rig.clock.set(at("17 09:01"))
    notice(again, path="/etc", time=2)

    assert [one.event.fields["time"] for one in again.store.events(limit=9)] == [1, 2, 2]


def test_an_event_without_the_fields_of_dedup_is_never_a_repetition() -> None:
    life = Stored(RULE, SENSOR)
    for _ in range(2):
        notice(life, path="/etc")

    assert len(life.store.events(limit=9)) == 2


def test_the_history_tells_what_each_rule_decided() -> None:
    big = replace(make_rule("disk.big"), rule=Rule(("disk.*",), {"size": "> 10"}))
    life = Stored(RULE, big)

    life.rig.engine.handle(full(size=3))

    (kept,) = life.store.events(limit=9)
    assert [(each.rule, each.is_matched) for each in kept.decisions] == [("disk.full", True), ("disk.big", False)]
    because = kept.decisions[1].because
    assert because is not None
    assert (because.field, because.wanted, because.actual) == ("size", "> 10", "3")


def chained(life: Stored, name: str, **fields: object) -> None:
    """Let the run that goes on emit an event, and end."""
    (run,) = life.rig.executor.runs
    life.rig.engine.emit_event(run, name, fields)
    life.rig.executor.finish(QUIET)


def test_an_event_knows_the_one_that_led_to_it() -> None:
    life = Stored(RULE, make_rule("disk.next", on="disk.cleaned"))
    life.rig.engine.handle(full())

    chained(life, "disk.cleaned", bytes=7)

    first, second = life.store.events(limit=9)
    assert (second.event.cause, second.event.depth, second.event.by) == (first.event.id, 1, "disk.full")
    assert [one.event.id for one in life.store.caused_events(first.event.id)] == [second.event.id]
    (run,) = life.rig.executor.runs
    assert (run.binding, run.event, run.cause, run.depth) == ("disk.next", {"bytes": 7}, second.event.id, 1)


def test_a_chain_of_events_ends_after_ten_and_somebody_is_told() -> None:
    life = Stored(RULE)
    life.rig.engine.handle(full())

    while life.rig.executor.runs:
        chained(life, "disk.full")

    kept = life.store.events(limit=99)
    assert [one.event.depth for one in kept] == [*range(12)]
    assert [str(one.state) for one in kept[-2:]] == ["answered", "too_deep"]
    (told,) = life.store.deliveries()
    assert "disk.full (event 12) is answered by no rule: 11 events led to it" in fallback(told.message.piece)


@pytest.mark.parametrize(("result", "name"), [(QUIET, "run.succeeded"), (failed(), "run.failed")])
def test_the_end_of_a_run_is_an_event_where_a_rule_waits_for_it(result: Result, name: str) -> None:
    life = Stored(make_job(), make_rule("watch.runs", on="run.*"))
    life.rig.due("16 09:10")
    life.rig.executor.finish(result)

    (kept,) = life.store.events(limit=9)
    assert (kept.event.name, kept.event.by, kept.event.fields["job"]) == (name, "db.lag", "db.lag")
    (run,) = life.rig.executor.runs
    assert run.binding == "watch.runs"
    life.rig.executor.finish(failed())
    assert len(life.store.events(limit=9)) == 1


def test_who_wants_all_that_is_noticed_is_not_told_of_runs() -> None:
    life = Stored(make_job(), make_rule("watch.all", on="*"))

    life.rig.due("16 09:10")
    life.rig.executor.finish(QUIET)

    assert life.store.events(limit=9) == []


def test_a_built_in_event_comes_once_and_where_a_rule_waits_for_it() -> None:
    life = Stored(make_rule("watch.chat", on="chat.message"))

    for _ in range(2):
        life.rig.engine.occurred("chat.message", {"text": "hi"}, ids=("1.1",))
    life.rig.engine.occurred("pack.changed", {"pack": "x"})

    assert [one.event.name for one in life.store.events(limit=9)] == ["chat.message"]


def test_of_runs_only_those_ends_are_events_that_a_rule_waits_for() -> None:
    life = Stored(make_job(), make_rule("watch.failures", on="run.failed"))

    life.rig.due("16 09:10")
    life.rig.executor.finish(QUIET)

    assert life.store.events(limit=9) == []
