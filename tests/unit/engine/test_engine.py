from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from slack_alert.core.content.render import Text, fallback
from slack_alert.core.errors import BadValue
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Notice
from slack_alert.core.model.record import Record, Usage, Verdict
from slack_alert.core.model.run import QUIET, Result, output_of
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.core.structs import replace
from slack_alert.engine.batches import JobProgress, Snapshot, StartedRun
from slack_alert.engine.recording.writer import DirectRecorder, Writer
from slack_alert.engine.runs.missed_slots import MissedSlots
from slack_alert.engine.runs.run_records import going_on
from slack_alert.engine.runs.run_records import started as started_note
from slack_alert.stores.memory import MemoryStore
from tests.fakes.engine_rig import (
    ERRORS,
    MARK,
    MINUTE,
    OPS,
    Kept,
    Rig,
    at,
    failed,
    make_job,
    make_policy,
    said,
    verdicts,
)
from tests.fakes.reasons import why

LAG = said("lag 9s")
DEV = Address("slack", "#dev")


def only(rig: Rig) -> Record:
    [row] = rig.rows()
    return row


# --- one slot, one run


def test_slot_runs_and_its_value_is_said() -> None:
    rig = Rig()
    rig.play("16 09:10", LAG)

    [message] = rig.recorder.messages
    assert (message.to, message.piece, message.origin.slot, message.origin.run) == (
        OPS,
        Text("lag 9s"),
        at("16 09:10"),
        1,
    )
    assert only(rig) == Record(
        1, "db.lag", at("16 09:10"), Verdict.SAID, duration=timedelta(), text="lag 9s", to="#ops", alerts=1
    )


def test_quiet_run_is_history_and_changes_nothing() -> None:
    rig = Rig()
    [job_state] = rig.engine.jobs()
    before = job_state.state
    rig.play("16 09:10", QUIET)

    assert job_state.state is before
    assert rig.texts == []
    assert only(rig) == Record(1, "db.lag", at("16 09:10"), Verdict.QUIET, duration=timedelta())


@pytest.mark.parametrize("result", [QUIET, said("lag 9s")])
def test_what_a_run_measured_and_used_is_history(result: Result) -> None:
    rig = Rig()
    used = Usage(timedelta(seconds=0.5), 20_000_000)
    rig.play("16 09:10", result._replace(numbers={"": 9}, usage=used))
    row = only(rig)

    assert (row.numbers, row.usage) == ({"": 9}, used)


def test_error_is_a_card_for_the_errors_channel_with_its_traceback_in_history() -> None:
    rig = Rig()
    rig.play("16 09:10", failed())
    row = only(rig)

    assert [message.to for message in rig.recorder.messages] == [ERRORS]
    assert (row.verdict, row.to, row.error, row.alerts) == (Verdict.ERROR, "#errors", "Traceback: no route", 0)


def test_third_alert_starts_the_pause_and_every_row_says_until_when() -> None:
    rig = Rig()
    for time in ("16 09:10", "16 09:20", "16 09:30"):
        rig.play(time, LAG)
    rig.due("16 09:40")
    rig.due("16 10:20")
    rig.play("16 10:30", QUIET)

    assert rig.texts == ["lag 9s", "lag 9s", "lag 9s\n3 alerts: paused for 60 min, until 10:30"]
    assert [(row.verdict.value, row.count, row.alerts, row.paused_until) for row in rig.rows()] == [
        ("said", 1, 1, None),
        ("said", 1, 2, None),
        ("said", 1, 3, at("16 10:30")),
        ("paused", 2, 3, at("16 10:30")),
        ("quiet", 1, 0, None),
    ]


def test_errors_mute_further_errors_and_leave_the_job_running() -> None:
    rig = Rig()
    for time in ("16 09:10", "16 09:20", "16 09:30", "16 09:40"):
        rig.play(time, failed())
    rig.play("16 09:50", LAG)
    rows = rig.rows()

    assert verdicts(rows) == [("error", 1), ("error", 1), ("error", 1), ("muted", 1), ("said", 1)]
    assert rig.texts[2].splitlines()[-1] == "3 errors: muted for 60 min, until 10:30"
    assert (rows[3].to, rows[3].error) == (None, "Traceback: no route")


def test_job_that_mutes_runs_in_its_pause_and_is_silent() -> None:
    rig = Rig(make_job(policy=make_policy(max_alert=1, mutes=True)))
    rig.play("16 09:10", LAG)
    rig.play("16 09:20", said("lag 8s"))
    muted = rig.rows()[1]

    assert rig.texts == ["lag 9s\n1 alert: muted for 60 min, until 10:10"]
    assert (muted.verdict, muted.text, muted.to, muted.alerts, muted.paused_until) == (
        Verdict.MUTED,
        "lag 8s",
        None,
        1,
        at("16 10:10"),
    )


def test_policy_is_that_of_the_due_time_however_late_the_run_ends() -> None:
    rig = Rig(make_job(policy=make_policy("9:00-10:00")))
    rig.due("16 09:50")
    rig.clock.set(at("16 17:00"))
    rig.executor.finish(LAG)
    [job_state] = rig.engine.jobs()

    assert job_state.state.alerts == Quota((at("16 09:50"),))


# --- saying things on the way


def test_run_that_speaks_often_is_one_alert_with_the_notice_in_its_first_message() -> None:
    rig = Rig(make_job(policy=make_policy(max_alert=1)))
    rig.due("16 09:10")
    [run] = rig.executor.runs
    rig.engine.say(run, (Text("one"),))
    rig.engine.say(run, (Text("two"),))
    rig.executor.finish(said("three"))
    row = only(rig)

    assert rig.texts == ["one\n1 alert: paused for 60 min, until 10:10", "two", "three"]
    assert len({message.key for message in rig.recorder.messages}) == 3
    assert row.text == "one\n1 alert: paused for 60 min, until 10:10\ntwo\nthree"
    assert (row.verdict, row.to, row.alerts) == (Verdict.SAID, "#ops", 1)


def test_state_and_message_of_a_run_that_goes_on_are_committed_together() -> None:
    rig = Rig()
    recorder = Kept()
    rig.through.recorder = recorder
    rig.due("16 09:10")
    rig.engine.say(rig.executor.runs[0], (Text("one"),))

    [batch] = recorder.batches
    assert batch.states["db.lag"].alerts == Quota((at("16 09:10"),))
    assert batch.seen == {"db.lag": JobProgress(at("16 09:00"), at("16 09:10"))}
    assert len(batch.messages) == 1


def test_notice_reaches_the_other_channel_a_run_speaks_in() -> None:
    rig = Rig(make_job(policy=make_policy(max_alert=1)))
    rig.due("16 09:10")
    rig.engine.say(rig.executor.runs[0], (Text("one"),), DEV)
    rig.executor.finish(QUIET)
    row = only(rig)

    assert [(message.to, text) for message, text in zip(rig.recorder.messages, rig.texts, strict=True)] == [
        (DEV, "one\n1 alert: paused for 60 min, until 10:10")
    ]
    assert (row.verdict, row.to, row.text) == (Verdict.SAID, "#dev", rig.texts[0])


def test_history_names_every_channel_a_run_spoke_in() -> None:
    rig = Rig()
    rig.due("16 09:10")
    rig.engine.say(rig.executor.runs[0], (Text("one"),), DEV)
    rig.engine.say(rig.executor.runs[0], (Text("two"),))
    rig.executor.finish(failed())
    row = only(rig)

    assert (row.verdict, row.to) == (Verdict.ERROR, "#dev, #ops, #errors")
    assert row.text.startswith("one\ntwo\n")
    state = rig.engine.jobs()[0].state
    assert (state.alerts, state.errors) == (Quota((at("16 09:10"),)), Quota((at("16 09:10"),)))


def test_error_withheld_after_something_was_said_is_muted_and_went_nowhere_else() -> None:
    state = State(errors=Quota((at("16 09:00"),) * 3, until=at("16 10:00")))
    rig = Rig(snapshot=Snapshot(states={"db.lag": state}))
    rig.due("16 09:10")
    rig.engine.say(rig.executor.runs[0], (Text("one"),))
    rig.executor.finish(failed())
    row = only(rig)

    assert rig.texts == ["one"]
    assert (row.verdict, row.to, row.error) == (Verdict.MUTED, "#ops", "Traceback: no route")


@pytest.mark.parametrize(("ending", "text"), [(QUIET, "one\ntwo"), (said("three"), "one\ntwo\nthree")])
def test_muted_run_that_speaks_on_its_way_is_recorded_with_what_was_withheld(ending: object, text: str) -> None:
    state = State(alerts=Quota((at("16 09:00"),) * 3, until=at("16 10:00")))
    rig = Rig(make_job(policy=make_policy(mutes=True)), snapshot=Snapshot(states={"db.lag": state}))
    rig.due("16 09:10")
    [run] = rig.executor.runs
    rig.engine.say(run, (Text("one"),))
    rig.engine.say(run, (Text("two"),), DEV)
    rig.executor.finish(QUIET if ending is QUIET else said("three"))
    row = only(rig)

    assert rig.texts == []
    assert (row.verdict, row.text, row.to) == (Verdict.MUTED, text, None)


def test_what_a_run_printed_is_in_its_row() -> None:
    rig = Rig()
    rig.due("16 09:10")
    output_of(rig.executor.runs[0]).printed.extend(["looking", "\n"])
    rig.executor.finish(QUIET)

    assert only(rig).printed == "looking\n"


# --- overlap and stalls


def test_slot_that_finds_the_run_going_on_is_overlapped() -> None:
    rig = Rig()
    rig.due("16 09:10")
    rig.due("16 09:20")
    rig.executor.finish(QUIET)
    rig.play("16 09:30", QUIET)

    assert verdicts(rig.rows()) == [("quiet", 1), ("overlapped", 1), ("quiet", 1)]


def test_run_is_going_on_until_what_it_says_is_committed() -> None:
    rig = Rig()
    recorder = Kept()  # never says that a batch is committed
    rig.through.recorder = recorder
    rig.engine.missed_slots = MissedSlots(recorder)
    rig.play("16 09:10", LAG)
    rig.due("16 09:20")

    assert verdicts(recorder.drain()) == [("said", 1), ("overlapped", 1)]


def test_quiet_run_is_over_at_once() -> None:
    rig = Rig()
    rig.through.recorder = Kept()
    rig.play("16 09:10", QUIET)

    assert rig.engine.runs() == []


def test_third_overlap_in_a_row_is_told_once() -> None:
    rig = Rig()
    rig.due("16 09:10")
    rig.executor.runs[0].progress.started = at("16 09:10")
    for minute in range(20, 60, 10):
        rig.due(f"16 09:{minute}")

    assert [message.to for message in rig.recorder.messages] == [ERRORS]
    assert rig.texts == ["db.lag is still running: 3 slots in a row found its run 1 going on."]


def test_run_that_waits_to_be_written_down_is_not_called_slow() -> None:
    rig = Rig()
    recorder = Kept()  # as on a full disk
    rig.through.recorder = recorder
    rig.engine.missed_slots = MissedSlots(recorder)
    rig.due("16 09:10")
    rig.executor.runs[0].progress.started = at("16 09:10")
    rig.executor.finish(LAG)
    for minute in range(20, 60, 10):
        rig.due(f"16 09:{minute}")

    assert [message.piece for message in recorder.messages] == [Text("lag 9s")]
    assert {why(row.reasons) for row in recorder.drain()[1:]} == {"the run of 09:10 was waiting to be written down"}


def test_job_that_is_always_too_slow_is_told_once() -> None:
    rig = Rig()
    for hour in range(9, 12):
        for minute in range(10, 60, 10):
            rig.due(f"16 {hour:02}:{minute}")
            rig.executor.runs[0].progress.started = at(f"16 {hour:02}:10")
        rig.executor.finish(QUIET)

    assert len(rig.texts) == 1


def test_overlap_is_told_again_after_a_run_that_nothing_overlapped() -> None:
    rig = Rig()
    for hour in range(9, 12):
        for minute in range(10, 50, 10):
            rig.due(f"16 {hour:02}:{minute}")
            rig.executor.runs[0].progress.started = at(f"16 {hour:02}:10")
        rig.executor.finish(QUIET)
        rig.play(f"16 {hour:02}:50", QUIET)

    assert len(rig.texts) == 3


def test_slots_folded_by_a_stall_are_missed_and_the_last_one_runs() -> None:
    rig = Rig()
    rig.due("16 09:10", "16 09:20", "16 09:30")
    rig.executor.finish(LAG)

    assert [(row.verdict.value, row.slot, row.count, row.until) for row in rig.rows()] == [
        ("missed", at("16 09:10"), 2, at("16 09:20")),
        ("said", at("16 09:30"), 1, None),
    ]


def test_slots_folded_by_a_stall_that_could_not_run_are_not_missed() -> None:
    rig = Rig(make_job(policy=make_policy("9:30-17:00")))
    rig.due("16 09:10", "16 09:20", "16 09:30", "16 09:40")
    rig.executor.finish(QUIET)

    assert verdicts(rig.rows()) == [("off_hours", 2), ("missed", 1), ("quiet", 1)]


# --- pauses somebody asked for


@pytest.mark.parametrize(
    ("until", "reason"),
    [(None, "paused by ann until resumed"), (at("16 09:30"), "paused by ann until Mon 16 Nov 09:30")],
)
def test_job_that_is_held_rests_until_then(until: datetime | None, reason: str) -> None:
    rig = Rig()
    rig.pause("db.lag", Pause(until, "ann"))
    rig.due("16 09:20")

    row = only(rig)
    assert row._replace(reasons=()) == Record(0, "db.lag", at("16 09:20"), Verdict.PAUSED, paused_until=until)
    assert why(row.reasons) == reason


def test_held_job_runs_again_when_it_is_resumed_or_the_time_has_come() -> None:
    rig = Rig()
    rig.pause("db.lag", Pause(at("16 09:20")))
    rig.due("16 09:10")
    rig.play("16 09:20", QUIET)
    rig.pause("db.lag", Pause())
    rig.due("16 09:30")
    rig.pause("db.lag", None)
    rig.play("16 09:40", QUIET)

    assert verdicts(rig.rows()) == [("paused", 1), ("quiet", 1), ("paused", 1), ("quiet", 1)]


def test_row_of_a_quota_names_its_own_end_after_a_hold_is_over() -> None:
    state = State(alerts=Quota((at("16 08:59"),) * 3, until=at("16 09:59")))
    rig = Rig(snapshot=Snapshot(states={"db.lag": state}, holds={"db.lag": Pause(at("16 09:10"))}))
    rig.due("16 09:20")

    assert only(rig).paused_until == at("16 09:59")


def test_hold_by_a_short_name_is_durable() -> None:
    rig = Rig()
    recorder = Kept()
    rig.through.recorder = recorder
    rig.engine.hold("lag", Pause())
    rig.engine.hold("lag", None)

    assert [{"db.lag": Pause()}, {"db.lag": None}] == [batch.holds for batch in recorder.batches]
    with pytest.raises(BadValue, match="There is no job 'log'"):
        rig.engine.hold("log", None)


def test_hold_of_a_job_that_is_gone_is_left_alone() -> None:
    rig = Rig()
    rig.pause("web.up", Pause())
    rig.play("16 09:10", QUIET)

    assert verdicts(rig.rows()) == [("quiet", 1)]


# --- the start


def test_job_at_start_runs_at_once() -> None:
    rig = Rig(make_job(at_start=True), make_job("web.up"))
    rig.engine.start(at("16 09:00"))

    assert [("db.lag", at("16 09:00"))] == [(run.binding, run.slot) for run in rig.executor.runs]


def test_missed_slots_are_accounted_for_and_the_last_interval_runs_once() -> None:
    seen = {
        "db.lag": JobProgress(at("16 00:00"), at("16 08:00")),
        "db.daily": JobProgress(at("10 00:00"), at("14 12:00")),
    }
    daily = make_job("db.daily", every={"cron": "0 12 * * *"})
    rig = Rig(make_job(), daily, snapshot=Snapshot(seen=seen, last_run=41), start="16 09:05")
    missed = rig.engine.catch_up(at("16 09:05"))
    [run] = rig.executor.runs
    rig.executor.finish(QUIET)

    assert missed == {"db.lag": 5, "db.daily": 1}
    assert (run.id, run.slot) == (42, at("16 09:00"))
    assert [(row.binding, row.verdict.value, row.slot, row.count) for row in rig.rows()] == [
        ("db.daily", "missed", at("15 12:00"), 1),
        ("db.lag", "missed", at("16 08:10"), 5),
        ("db.lag", "quiet", at("16 09:00"), 1),
    ]


def test_paused_slots_of_a_downtime_are_not_missed() -> None:
    rig = Rig(
        snapshot=Snapshot(seen={"db.lag": JobProgress(at("16 00:00"), at("16 08:00"))}, holds={"db.lag": Pause()})
    )

    assert rig.engine.catch_up(at("16 09:00")) == {}
    assert rig.executor.runs == []
    assert verdicts(rig.rows()) == [("paused", 6)]


def test_held_slots_of_a_downtime_say_until_when() -> None:
    holds = {"db.lag": Pause(at("16 09:00"))}
    rig = Rig(snapshot=Snapshot(seen={"db.lag": JobProgress(at("16 00:00"), at("16 08:00"))}, holds=holds))
    rig.engine.catch_up(at("16 08:30"))

    assert only(rig).paused_until == at("16 09:00")


def test_run_that_was_cut_off_is_interrupted_and_not_missed_as_well() -> None:
    started = StartedRun(7, "db.lag", at("16 08:10"), at("16 08:10:01"))
    seen = {"db.lag": JobProgress(at("16 00:00"), at("16 08:00"))}
    rig = Rig(snapshot=Snapshot(seen=seen, running=(started,), last_run=7))

    assert rig.engine.catch_up(at("16 08:19")) == {}
    assert rig.executor.runs == []
    assert only(rig) == Record(7, "db.lag", at("16 08:10"), Verdict.INTERRUPTED, started=at("16 08:10:01"))


def test_beginning_writes_down_what_it_learned_and_nothing_else() -> None:
    known, new, cut = make_job("a.known"), make_job("a.new"), make_job("a.cut")
    seen = {
        "a.known": JobProgress(at("16 00:00"), at("16 08:00")),
        "a.cut": JobProgress(at("16 00:00"), at("16 08:00")),
    }
    running = (
        StartedRun(7, "a.cut", at("16 08:10"), at("16 08:10")),
        StartedRun(8, "gone.job", at("16 08:10"), at("16 08:10")),
    )
    rig = Rig(known, new, cut)
    recorder = Kept()
    rig.through.recorder = recorder
    rig.engine.restore(Snapshot(seen=seen, running=running), at("16 09:00"))

    [batch] = recorder.batches
    assert batch.seen == {"a.new": JobProgress(at("16 09:00")), "a.cut": JobProgress(at("16 00:00"), at("16 08:10"))}
    assert batch.running == ()
    assert [record.run for record in batch.records] == [7, 8]


def test_grid_starts_where_a_job_was_first_seen() -> None:
    rig = Rig(make_job(), make_job("web.up"), snapshot=Snapshot(seen={"db.lag": JobProgress(at("14 00:00"))}))

    assert {job_state.job.name: job_state.anchor for job_state in rig.engine.jobs()} == {
        "db.lag": at("14 00:00"),
        "web.up": at("16 09:00"),
    }


# --- the end


def test_run_that_the_end_cuts_off_is_interrupted_with_what_it_said_so_far() -> None:
    rig = Rig()
    recorder = Kept()
    rig.through.recorder = recorder
    rig.due("16 09:10")
    [run] = rig.executor.runs
    run.progress.started = at("16 09:11")
    rig.engine.say(run, (Text("one"),))

    assert rig.engine.interrupt_runs() == 1
    rig.executor.finish(said("too late"))
    assert run.progress.is_canceled
    assert recorder.batches[-1].seen == {"db.lag": JobProgress(at("16 09:00"), at("16 09:10"))}
    assert recorder.drain() == [
        Record(
            1, "db.lag", at("16 09:10"), Verdict.INTERRUPTED, started=at("16 09:11"), text="one", to="#ops", alerts=1
        )
    ]


def test_ending_without_runs_cuts_off_nothing() -> None:
    rig = Rig()

    assert rig.engine.interrupt_runs() == 0
    assert rig.rows() == []


@pytest.mark.parametrize(
    ("started", "now", "noted"),
    [("16 09:10", "16 09:10", 0), ("16 09:10", "16 09:11", 1), (None, "16 09:10", 0), (None, "16 09:11", 1)],
)
def test_run_that_takes_a_while_or_waits_for_its_turn_is_noted_against_a_crash(
    started: str | None, now: str, noted: int
) -> None:
    rig = Rig()
    rig.due("16 09:10")
    rig.executor.runs[0].progress.started = at(started) if started else None
    note = StartedRun(1, "db.lag", at("16 09:10"), at("16 09:10"))

    assert [note] * noted == [started_note(run) for run in going_on(rig.engine.runs(), at(now))]


def test_told_text_is_escaped_and_said_once() -> None:
    store = MemoryStore()
    rig = Rig()
    rig.through.recorder = DirectRecorder(store, rig.clock)
    rig.engine.notify(Notice("faults", "1"), "<b> & c", ERRORS)
    rig.engine.notify(Notice("faults", "1"), "<b> & c", ERRORS)

    [delivery] = store.deliveries()
    assert delivery.message.piece == Text("&lt;b&gt; &amp; c")


@pytest.mark.parametrize(("channel", "level"), [("slack", "WARNING"), ("console", "DEBUG")])
def test_what_the_terminal_shows_anyway_is_not_logged_on_it(
    channel: str, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        Rig().engine.notify(Notice("faults", "1"), "text", Address(channel, "#ops"))

    assert [record.levelname for record in caplog.records if record.getMessage() == "told"] == [level]


def test_two_jobs_know_nothing_of_each_other() -> None:
    tight = replace(make_job("web.up"), policy=make_policy(max_alert=1))
    rig = Rig(make_job(), tight)
    rig.play("16 09:10", said("down"), name="web.up")
    rig.due("16 09:20", name="web.up")
    rig.play("16 09:20", LAG)

    assert [(row.binding, row.verdict.value) for row in rig.rows()] == [
        ("web.up", "said"),
        ("web.up", "paused"),
        ("db.lag", "said"),
    ]


def test_marks_of_the_context_reach_the_message() -> None:
    rig = Rig()
    rig.play("16 09:10", said(MARK.escape(MARK.mention("U0123"))))

    assert rig.texts == ["<@U0123>"]
    assert rig.rows()[0].text == "@U0123"
    assert at("16 09:10") - at("16 09:00") == MINUTE * 10


def test_what_is_posted_is_called_on_the_writers_thread_after_what_was_submitted_before() -> None:
    rig, store = Rig(), MemoryStore()
    writer = Writer(store, rig.clock)
    rig.through.recorder = writer
    called: list[tuple[str, str]] = []

    def call() -> None:
        called.append((threading.current_thread().name, fallback(next(store.deliveries()).message.piece)))

    rig.engine.notify(Notice("faults", "1"), "text", ERRORS)
    rig.engine.post(call)
    writer.start(lambda _: None)

    assert writer.stop(10)
    assert called == [("writer", "text")]
