"""Wrong clocks, floods, full pools and changed jobs do not silence, blame or flood other jobs."""

from __future__ import annotations

from datetime import datetime

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import QUIET, Result
from slack_alert.core.pipeline.messages import KEPT, MOST
from slack_alert.core.policy.quota import Quota, State
from slack_alert.engine.batches import JobProgress, Snapshot, StartedRun
from tests.fakes.engine_rig import ERRORS, Rig, at, failed, make_job, make_policy, said, verdicts

FUTURE = at("16 09:00").replace(year=2046)


# --- clocks


def test_what_a_clock_ahead_left_behind_is_forgotten_at_the_start() -> None:
    states = {"db.lag": State(Quota((FUTURE,) * 3, until=FUTURE.replace(hour=23)))}
    running = (StartedRun(7, "db.lag", FUTURE, FUTURE),)
    rig = Rig(snapshot=Snapshot(states=states, seen={"db.lag": JobProgress(FUTURE, FUTURE)}, running=running))
    [job_state] = rig.engine.jobs()

    assert job_state.seen == JobProgress(at("16 09:00"), at("16 09:00"))
    assert job_state.state == State()
    rig.play("16 09:10", said("lag"))
    assert rig.texts == ["lag"]


@pytest.mark.parametrize(
    ("quota", "kept"),
    [
        (Quota((at("16 08:50"),)), Quota((at("16 08:50"),))),
        (Quota((at("16 08:50"), at("16 09:01"))), Quota((at("16 08:50"),))),
        (Quota((at("16 08:50"),), until=at("16 10:00")), Quota((at("16 08:50"),), until=at("16 10:00"))),
        (Quota((at("16 08:50"),), until=at("16 10:01")), Quota((at("16 08:50"),))),
    ],
)
def test_only_what_cannot_have_happened_yet_is_forgotten_of_a_quota(quota: Quota, kept: Quota) -> None:
    rig = Rig(snapshot=Snapshot(states={"db.lag": State(alerts=quota)}))

    assert rig.engine.state_of("db.lag") == State(alerts=kept)


def test_clock_that_is_set_back_takes_the_job_along() -> None:
    rig = Rig(make_job(policy=make_policy(max_alert=1)), start="16 10:00")
    rig.play("16 10:10", said("lag"))
    rig.engine.rewind(at("16 09:10"))
    [job_state] = rig.engine.jobs()

    assert (job_state.anchor, job_state.last, job_state.state) == (at("16 09:10"), at("16 09:10"), State())


# --- floods


def test_run_says_so_much_and_the_rest_is_withheld_and_counted() -> None:
    rig = Rig()
    rig.due("16 09:10")
    [run] = rig.executor.runs
    for number in range(MOST + 50):
        rig.engine.say(run, (Text(str(number)),))
    rig.executor.finish(said("the end"))
    [row] = rig.rows()

    assert rig.texts == [*map(str, range(MOST)), "… and more of this run is withheld"]
    assert row.verdict is Verdict.SAID
    assert row.text.endswith("\n… 51 more messages of this run were withheld")


def test_long_list_is_cut_like_a_flood_and_keeps_the_notice_of_the_pause() -> None:
    rig = Rig(make_job(policy=make_policy(max_alert=1)))
    rig.play("16 09:10", said(*map(str, range(MOST + 50))))

    assert len(rig.texts) == MOST + 1
    assert rig.texts[-1].startswith("… and more of this run is withheld\n1 alert: paused")
    assert rig.rows()[0].text.endswith("\n… 50 more messages of this run were withheld")


def test_muted_flood_is_kept_in_part_and_counted() -> None:
    state = State(alerts=Quota((at("16 09:00"),) * 3, until=at("16 10:00")))
    rig = Rig(make_job(policy=make_policy(mutes=True)), snapshot=Snapshot(states={"db.lag": state}))
    rig.due("16 09:10")
    [run] = rig.executor.runs
    for _ in range(MOST + 50):
        rig.engine.say(run, (Text("x"),))
    rig.executor.finish(QUIET)
    [row] = rig.rows()

    assert row.verdict is Verdict.MUTED
    assert row.text.endswith("\n… 49 more messages of this run were withheld")


def test_run_that_was_cut_off_says_nothing_more() -> None:
    rig = Rig()
    rig.due("16 09:10")
    [run] = rig.executor.runs
    rig.engine.interrupt_runs()
    rig.engine.say(run, (Text("too late"),))

    assert rig.texts == []


def test_history_keeps_the_beginning_of_a_huge_value() -> None:
    rig = Rig()
    rig.play("16 09:10", said("x" * (KEPT + 1234)))

    assert rig.rows()[0].text == "x" * KEPT + "… 1,234 more characters"


# --- full pools


def test_full_pool_is_told_once_and_accuses_who_keeps_it_busy() -> None:
    rig = Rig(make_job("db.slow"), make_job("a.one"), make_job("a.two"))
    rig.due("16 09:10", name="db.slow")
    rig.executor.runs[0].progress.started = at("16 09:10")
    for minute in range(10, 60, 10):
        rig.due(f"16 09:{minute}", name="a.one")
        rig.due(f"16 09:{minute}", name="a.two")

    assert [message.to for message in rig.recorder.messages] == [ERRORS]
    [text] = rig.texts
    assert text.startswith("The thread is busy with db.slow; other jobs wait, a.one among them. Raise `threads`")


def test_slots_that_found_the_run_waiting_do_not_make_it_slow() -> None:
    rig = Rig()
    for minute in (10, 20, 30):
        rig.due(f"16 09:{minute}")
    rig.executor.runs[0].progress.started = at("16 09:35")
    rig.due("16 09:40")
    rig.due("16 09:50")

    assert rig.texts == []
    rig.due("16 10:00")
    assert rig.texts == ["db.lag is still running: 3 slots in a row found its run 1 going on."]


def test_full_pool_is_told_again_after_nobody_waited() -> None:
    rig = Rig(make_job("db.slow"), make_job("a.one"))
    for hour in (9, 10):
        rig.due(f"16 {hour:02}:00", name="db.slow")
        rig.executor.runs[0].progress.started = at(f"16 {hour:02}:00")
        for minute in range(10, 50, 10):
            rig.due(f"16 {hour:02}:{minute}", name="a.one")
        rig.executor.finish(QUIET)
        rig.executor.runs[0].progress.started = at(f"16 {hour:02}:50")
        rig.executor.finish(QUIET)

    assert len(rig.texts) == 2


# --- downtimes


@pytest.mark.parametrize(
    ("since", "missed"), [(None, 6), (at("16 08:35"), 3), (at("16 08:00"), 6), (at("16 09:30"), 6)]
)
def test_only_slots_since_the_last_sign_of_life_are_missed(since: datetime | None, missed: int) -> None:
    rig = Rig(snapshot=Snapshot(seen={"db.lag": JobProgress(at("16 00:00"), at("16 08:00"))}))

    assert sum(rig.engine.catch_up(at("16 09:05"), since).values()) == missed - 1
    assert [run.slot for run in rig.executor.runs] == [at("16 09:00")]


def test_job_at_start_is_not_made_up_for_as_well() -> None:
    seen = {"db.lag": JobProgress(at("16 00:00"), at("16 08:40"))}
    rig = Rig(make_job(at_start=True), snapshot=Snapshot(seen=seen), start="16 09:05")
    rig.engine.catch_up(at("16 09:05"))
    rig.engine.start(at("16 09:05"))

    assert [run.slot for run in rig.executor.runs] == [at("16 09:05")]
    assert verdicts(rig.rows()) == [("missed", 2)]


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("returned", [said("value"), failed()], ids=["value", "failure"])
def test_what_a_thread_says_after_the_end_of_its_run_has_a_key_of_its_own(before: int, returned: Result) -> None:
    """The outbox takes each key once, so another message with the same key would be lost."""
    rig = Rig()
    rig.due("16 09:10")
    (run,) = rig.executor.runs
    for _ in range(before):
        rig.engine.say(run, (Text("before"),))
    rig.executor.finish(returned)
    rig.engine.say(run, (Text("late"),))
    rig.engine.say(run, (Text("later"),))

    assert rig.texts[-2:] == ["late", "later"]
    keys = [message.key for message in rig.recorder.messages]
    assert len(keys) == len({*keys}) == before + 3
