"""Messages in the middle of a run are admitted, withheld and counted like its return value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from re import findall

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import Text
from slack_alert.core.model.message import DeliveryMode
from slack_alert.core.model.reason import Reason
from slack_alert.core.model.run import QUIET
from slack_alert.core.policy.incidents import Incident, Repeat, RepeatPolicy, digest_of
from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import replace
from slack_alert.engine.mutes.mutes import Mutes
from tests.fakes.engine_rig import BERLIN, MINUTE, Kept, Rig, at, make_job, make_policy, said
from tests.fakes.reasons import why

#: How a run says two things: it returns them, says them on its way, or says one and returns the other.
WAYS = {"returned": 0, "said": 2, "said and returned": 1}
ways = pytest.mark.parametrize("ahead", WAYS.values(), ids=WAYS)


def speaking(repeat_policy: RepeatPolicy, *, max_alert: int = 0) -> Job:
    return make_job(
        policy=replace(make_policy(max_alert=max_alert, pause=30 * MINUTE, mutes=True), repeat_policy=repeat_policy)
    )


def play(rig: Rig, time: str, *texts: str, ahead: int) -> None:
    """Run a job that posts the first so many pieces on its way, and returns the others."""
    rig.due(time)
    for text in texts[:ahead]:
        rig.engine.say(rig.executor.runs[0], (Text(text),))
    rig.executor.finish(said(*texts[ahead:]) if texts[ahead:] else QUIET)


def lines(rig: Rig) -> Sequence[tuple[str, str, str | None]]:
    return [(row.verdict.value, row.text, why(row.reasons) or None) for row in rig.rows()]


def state(rig: Rig) -> State:
    return rig.engine.state_of("db.lag")


def maintenance(job: str, slot: datetime) -> Reason | None:
    return Mutes(windows=[QuietWindow("maintenance", "mon 9:05-9:25", BERLIN)], zone=BERLIN).reason(job, slot)


# --- from the n-th alert in a row on


@ways
def test_the_third_run_in_a_row_speaks_where_the_job_speaks_from_the_third_alert_on(ahead: int) -> None:
    rig = Rig(speaking(RepeatPolicy(after=3)))
    for minute in (10, 20, 30, 40):
        play(rig, f"16 09:{minute}", "a", "b", ahead=ahead)

    assert rig.texts == ["a", "b", "a", "b"]
    assert lines(rig) == [
        ("muted", "a\nb", "alert 1 in a row, told from 3 on"),
        ("muted", "a\nb", "alert 2 in a row, told from 3 on"),
        ("said", "a\nb", None),
        ("said", "a\nb", None),
    ]


def test_what_the_third_run_says_is_said_while_it_goes_on() -> None:
    rig = Rig(speaking(RepeatPolicy(after=3)))
    for minute in (10, 20):
        play(rig, f"16 09:{minute}", "a", "b", ahead=2)
    rig.due("16 09:30")
    rig.engine.say(rig.executor.runs[0], (Text("a"),))

    assert rig.texts == ["a"]


@ways
def test_a_quiet_run_begins_the_row_anew(ahead: int) -> None:
    rig = Rig(speaking(RepeatPolicy(after=2)))
    for minute, texts in ((10, "ab"), (20, ""), (30, "ab"), (40, "ab")):
        play(rig, f"16 09:{minute}", *texts, ahead=ahead)

    assert [row[0] for row in lines(rig)] == ["muted", "quiet", "muted", "said"]


def test_a_run_that_ends_an_incident_and_begins_another_says_no_more_than_that() -> None:
    rig = Rig(speaking(RepeatPolicy(after=2, recovers=True)), mute=maintenance)
    for time, texts in (("09:01", "a"), ("09:02", "a"), ("09:10", ""), ("09:30", "ab")):
        play(rig, f"16 {time}", *texts, ahead=len(texts))

    assert rig.texts == ["a", ":white_check_mark: *db.lag* recovered after 9m, 2 alerts, at 09:10"]


# --- while nothing may be said


@ways
def test_what_a_quiet_window_withholds_says_so_and_counts_for_the_incident(ahead: int) -> None:
    rig = Rig(speaking(RepeatPolicy(recovers=True)), mute=maintenance)
    for time, texts in (("09:02", "ab"), ("09:10", "ab"), ("09:20", "ab"), ("09:30", "")):
        play(rig, f"16 {time}", *texts, ahead=ahead)

    assert rig.texts == ["a", "b", ":white_check_mark: *db.lag* recovered after 28m, 3 alerts"]
    assert lines(rig)[1] == ("muted", "a\nb", "quiet window maintenance, until 09:25")


@ways
def test_each_run_that_the_quota_withholds_is_counted_once_and_told_after_it(ahead: int) -> None:
    rig = Rig(speaking(RepeatPolicy(), max_alert=1))
    for minute in (10, 20, 30, 40):
        play(rig, f"16 09:{minute}", "a", "b", ahead=ahead)

    assert findall(r".* withheld .*", "\n".join(rig.texts)) == ["2 alerts were withheld since 09:20"]
    assert lines(rig)[1] == ("muted", "a\nb", "1 of 1 alert since 09:10, until 09:40")


@ways
def test_what_was_taken_care_of_is_withheld_for_that_reason(ahead: int) -> None:
    rig = Rig(speaking(RepeatPolicy()))
    play(rig, "16 09:10", "a", "b", ahead=ahead)
    incident = state(rig).incident
    assert incident is not None
    taken = replace(incident, acknowledged_by="ann", acknowledged_at=at("16 09:15"))
    rig.engine.update_state("db.lag", lambda state: replace(state, incident=taken))
    play(rig, "16 09:20", "a", "b", ahead=ahead)

    assert lines(rig)[1] == ("muted", "a\nb", "acknowledged by ann")


def test_an_alert_that_was_withheld_counts_where_the_program_ends_under_its_run() -> None:
    recorder = Kept()
    rig = Rig(speaking(RepeatPolicy(after=3)))
    rig.through.recorder = recorder
    rig.due("16 09:10")
    rig.engine.say(rig.executor.runs[0], (Text("a"),))
    rig.engine.say(rig.executor.runs[0], (Text("b"),))
    rig.engine.interrupt_runs()

    assert [batch.states["db.lag"].incident for batch in recorder.batches if batch.states] == [
        Incident(at("16 09:10"), at("16 09:10"), text="a", digest=digest_of((Text("a"),)))
    ]
    assert [(row.verdict.value, row.text, why(row.reasons) or None) for row in recorder.drain()] == [
        ("interrupted", "a\nb", "alert 1 in a row, told from 3 on")
    ]


# --- what was said already


def test_a_list_that_is_unchanged_does_not_keep_the_run_from_saying_more() -> None:
    rig = Rig(speaking(RepeatPolicy(repeat=Repeat.THREAD)))
    names = Text("a\nb", (("a", "a"), ("b", "b")))
    for minute in (10, 20):
        rig.due(f"16 09:{minute}")
        rig.engine.say(rig.executor.runs[0], (names,))
        rig.engine.say(rig.executor.runs[0], (Text("and more"),))
        rig.executor.finish(QUIET)

    assert rig.texts == ["a\nb", "and more", "and more"]
    assert [message.manner for message in rig.recorder.messages] == [
        DeliveryMode.POST,
        DeliveryMode.REPLY,
        DeliveryMode.REPLY,
    ]
    assert lines(rig) == [("said", "a\nb\nand more", None)] * 2


def test_an_unchanged_list_says_so_whether_it_was_returned_or_said() -> None:
    rig = Rig(speaking(RepeatPolicy(repeat=Repeat.THREAD)))
    names = Text("a\nb", (("a", "a"), ("b", "b")))
    for minute in (10, 20):
        rig.due(f"16 09:{minute}")
        rig.engine.say(rig.executor.runs[0], (names,))
        rig.executor.finish(QUIET)

    assert lines(rig)[1] == ("muted", "a\nb", "said already, unchanged")
