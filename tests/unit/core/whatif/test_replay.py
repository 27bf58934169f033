from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import fallback
from slack_alert.core.model.message import DeliveryMode, Status
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.pipeline.reasons import pause_reason
from slack_alert.core.policy.incidents import Repeat, RepeatPolicy
from slack_alert.core.policy.mutes import MuteReason, never_muted
from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.core.policy.quota import Pause
from slack_alert.core.rules.rule import Rule
from slack_alert.core.schedule.absent import Absence
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import replace
from slack_alert.core.whatif.recorded import recorded_result
from slack_alert.core.whatif.replay import FirstNotice, RecordedLine, ReplayDifference, loudest, recorded_line, replay
from slack_alert.engine.mutes.mutes import Mutes
from tests.fakes.acts import Speaks, lived
from tests.fakes.engine_rig import BERLIN, HOUR, MARK, MINUTE, at, make_job, make_policy
from tests.fakes.reasons import former, reasons_of, why

BEGIN = at("16 09:00")
LAG = "db2 is behind"


def speaking(
    repeat_policy: RepeatPolicy | None = None, *, hours: str = "always", max_alert: int = 3, mutes: bool = False
) -> Job:
    policy = make_policy(hours, max_alert=max_alert, mutes=mutes)
    return make_job(policy=replace(policy, repeat_policy=repeat_policy or RepeatPolicy()))


def slots(*values: object) -> dict[datetime, object]:
    return {BEGIN + number * 10 * MINUTE: value for number, value in enumerate(values, 1)}


def happened(job: Job, *values: object) -> list[RecordedLine]:
    return lived(job, slots(*values), BEGIN, BEGIN + (10 * len(values) + 1) * MINUTE)


def compared(job: Job, pasts: Sequence[RecordedLine], since: datetime = BEGIN) -> ReplayDifference:
    return replay([job], pasts, since=since, mark=MARK)


def manners(found: ReplayDifference) -> list[tuple[str, str, str]]:
    return [
        (f"{turn.slot.astimezone(BERLIN):%H:%M}", turn.was_said or "-", turn.now_said or "-")
        for turn in found.changed_runs
    ]


def first_notices(found: ReplayDifference) -> list[tuple[int, timedelta | None, timedelta | None]]:
    return [(each.count, _after(each, each.was), _after(each, each.now)) for each in found.incidents]


def _after(notice: FirstNotice, at: datetime | None) -> timedelta | None:
    return at - notice.since if at is not None else None


# --- what would be said otherwise


def test_speaking_from_the_third_alert_on_saves_the_first_two_and_tells_later() -> None:
    pasts = happened(speaking(max_alert=0), LAG, LAG, LAG, "", LAG, "")

    found = compared(speaking(RepeatPolicy(after=3), max_alert=0), pasts)

    assert manners(found) == [("09:10", "post", "-"), ("09:20", "post", "-"), ("09:50", "post", "-")]
    assert (found.saved, found.added) == (3, 0)
    assert first_notices(found) == [(3, timedelta(), 20 * MINUTE), (1, timedelta(), None)]
    assert why(found.changed_runs[0].reasons) == "alert 1 in a row, told from 3 on"


def test_telling_the_recovery_adds_a_message() -> None:
    found = compared(speaking(RepeatPolicy(recovers=True)), happened(speaking(), LAG, ""))

    assert manners(found) == [("09:20", "-", "post")]
    assert (found.saved, found.added) == (0, 1)


def test_an_edit_in_place_of_a_message_is_neither_saved_nor_added() -> None:
    found = compared(speaking(RepeatPolicy(repeat=Repeat.UPDATE)), happened(speaking(), LAG, LAG))

    assert manners(found) == [("09:20", "post", "edit")]
    assert (found.saved, found.added) == (0, 0)
    assert (found.was, found.now) == ({DeliveryMode.POST: 2}, {DeliveryMode.POST: 1, DeliveryMode.EDIT: 1})


def test_saying_each_time_what_was_said_on_change_only_tells_what_was_withheld() -> None:
    pasts = happened(speaking(RepeatPolicy(repeat=Repeat.CHANGE)), LAG, LAG, "db3 is behind")

    assert manners(compared(speaking(), pasts)) == [("09:20", "-", "post")]


def test_errors_keep_their_own_quota() -> None:
    pasts = happened(speaking(), "!", "!", "!", "!")

    found = compared(speaking(max_alert=1), pasts)

    assert [(turn.was, turn.now) for turn in found.changed_runs] == [(Verdict.ERROR, Verdict.MUTED)] * 2
    assert found.incidents == []


def test_quiet_windows_of_now_withhold_what_was_said() -> None:
    window = Mutes(windows=[QuietWindow("backup", "mon 9:15-9:25", BERLIN)], zone=BERLIN)

    found = replay([speaking()], happened(speaking(), LAG, LAG, LAG), since=BEGIN, mark=MARK, mute=window.reason)

    assert [(turn.now, why(turn.reasons, turn.slot)) for turn in found.changed_runs] == [
        (Verdict.MUTED, "quiet window backup, until 09:25"),
    ]


# --- what reached nobody


def lost(past: RecordedLine) -> RecordedLine:
    return past._replace(manner=None, dead=1)


@pytest.mark.parametrize(
    ("verdict", "messages", "expected"),
    [
        (Verdict.SAID, [], (DeliveryMode.POST, 0)),
        (Verdict.MUTED, [], (None, 0)),
        (Verdict.SAID, [(DeliveryMode.EDIT, Status.SENT)], (DeliveryMode.EDIT, 0)),
        (Verdict.SAID, [(DeliveryMode.POST, Status.QUEUED)], (DeliveryMode.POST, 0)),
        (Verdict.SAID, [(DeliveryMode.POST, Status.DEAD)], (None, 1)),
        (Verdict.SAID, [(DeliveryMode.POST, Status.DEAD), (DeliveryMode.REPLY, Status.SENT)], (DeliveryMode.REPLY, 1)),
    ],
)
def test_only_what_was_not_given_up_was_said(
    verdict: Verdict, messages: list[tuple[DeliveryMode, Status]], expected: tuple[DeliveryMode | None, int]
) -> None:
    record = Record(1, "db.lag", BEGIN, verdict)

    assert recorded_line(record, messages) == RecordedLine(record, *expected)


def test_a_message_that_was_given_up_was_not_said_and_makes_no_difference() -> None:
    first, second, third = happened(speaking(max_alert=0), LAG, LAG, LAG)

    found = compared(speaking(max_alert=0), [first, lost(second), third])

    assert (found.dead, found.changed_runs) == ({"db.lag": 1}, [])
    assert (found.was, found.now) == ({DeliveryMode.POST: 2}, {DeliveryMode.POST: 2})


def test_an_incident_was_heard_of_by_the_first_message_that_arrived() -> None:
    first, second = happened(speaking(max_alert=0), LAG, LAG)

    assert first_notices(compared(speaking(max_alert=0), [lost(first), second])) == [(2, 10 * MINUTE, 10 * MINUTE)]


def test_a_run_of_which_some_messages_arrived_was_heard_of() -> None:
    [past] = happened(speaking(), LAG)

    found = compared(speaking(), [past._replace(dead=2)])

    assert (found.dead, found.was) == ({"db.lag": 2}, {DeliveryMode.POST: 1})


def test_what_was_given_up_before_the_time_or_of_a_job_that_is_gone_is_told_of_as_such() -> None:
    first, second = (lost(past) for past in happened(speaking(max_alert=0), LAG, LAG))

    assert compared(speaking(), [first, second], since=at("16 09:20")).dead == {"db.lag": 1}
    found = replay([], [first, second], since=BEGIN, mark=MARK)
    assert (found.dead, found.gone) == ({"db.lag": 2}, {})


# --- what nobody knows


def test_a_slot_that_rested_is_unknown_where_it_would_run_now() -> None:
    pasts = happened(speaking(max_alert=1), LAG, LAG, LAG, LAG)

    found = compared(speaking(max_alert=0), pasts)

    assert found.unknown == {"db.lag": 3}
    assert found.changed_runs == []


def test_a_slot_that_rested_ends_no_incident() -> None:
    pasts = happened(speaking(max_alert=1), LAG, *[LAG] * 6)

    found = compared(speaking(max_alert=0), pasts)

    assert first_notices(found) == [(2, timedelta(), timedelta())]


@pytest.mark.parametrize(
    ("hours", "since", "expected"),
    [
        ("always", "15 00:00", 24),
        ("always", "16 07:30", 15),
        ("9:30-19:00", "15 00:00", 3),
        ("9:35-19:00", "15 00:00", 2),
        ("6:00-6:30,9:30-19:00", "15 00:00", 6),
        ("20:00-21:00", "15 00:00", 0),
    ],
)
def test_of_a_row_outside_the_hours_the_slots_within_those_of_now_are_unknown(
    hours: str, since: str, expected: int
) -> None:
    row = Record(0, "db.lag", at("16 06:00"), Verdict.OFF_HOURS, count=24, until=at("16 09:50"))

    assert compared(speaking(hours=hours), [RecordedLine(row)], since=at(since)).unknown.total() == expected


@pytest.mark.parametrize("by", ["", "ann"])
@pytest.mark.parametrize("until", [None, at("16 12:00")])
def test_what_a_person_paused_stays_paused(by: str, until: datetime | None) -> None:
    held = Record(0, "db.lag", BEGIN, Verdict.PAUSED, reasons=(pause_reason(Pause(until, by=by), BERLIN),))

    assert compared(speaking(), [RecordedLine(held)]).unknown == {}


@pytest.mark.parametrize("verdict", [Verdict.MISSED, Verdict.OVERLAPPED, Verdict.INTERRUPTED, Verdict.CANCELED])
def test_a_slot_that_did_not_run_for_another_reason_is_counted_apart(verdict: Verdict) -> None:
    found = compared(speaking(), [RecordedLine(Record(0, "db.lag", BEGIN, verdict))])

    assert (found.unknown, found.not_run, found.runs) == ({}, {verdict: 1}, {})


def test_a_folded_hour_keeps_its_ends_and_counts_what_is_lost() -> None:
    before, after = happened(speaking(max_alert=0), LAG, "", "", "", LAG, "")[::4]
    hour = Record(0, "db.lag", at("16 09:20"), Verdict.QUIET, count=3, until=at("16 09:40"))
    late = Record(0, "db.lag", at("16 10:00"), Verdict.QUIET, count=2, until=at("16 10:50"))

    found = compared(speaking(RepeatPolicy(recovers=True)), [before, RecordedLine(hour), after, RecordedLine(late)])

    assert manners(found) == [("09:20", "-", "post"), ("10:00", "-", "post")]
    assert (found.folded, found.blurred, found.runs) == ({"db.lag": 2}, {"db.lag": 1}, {"db.lag": 6})


def test_the_end_of_a_folded_hour_comes_after_what_lies_within_it() -> None:
    hour = RecordedLine(Record(0, "db.lag", at("16 09:00"), Verdict.QUIET, count=4, until=at("16 09:40")))

    found = compared(speaking(RepeatPolicy(recovers=True)), [hour, *happened(speaking(), LAG, LAG)])

    assert manners(found) == [("09:40", "-", "post")]


# --- what people did


def test_a_mute_by_a_person_still_holds() -> None:
    muted = Record(1, "db.lag", BEGIN, Verdict.MUTED, text=LAG, reasons=reasons_of("muted until 13:00 by ann"))

    assert compared(speaking(), [RecordedLine(muted)]).changed_runs == []


def test_a_recovery_inside_a_mute_is_told_after_it_under_other_rules_too() -> None:
    first, over, later = happened(speaking(), LAG, "", "")
    muted = over.record._replace(reasons=reasons_of("recovered after 10m, 1 alert; muted until 13:00 by ann"))
    (turn,) = compared(speaking(RepeatPolicy(recovers=True)), [first, RecordedLine(muted), later]).changed_runs

    assert turn.slot == later.record.slot


def test_an_acknowledgement_still_holds() -> None:
    first, second = happened(speaking(), LAG, LAG)
    taken = second.record._replace(verdict=Verdict.MUTED, reasons=reasons_of("acknowledged by ann"))

    assert compared(speaking(), [first, RecordedLine(taken)]).changed_runs == []


def test_what_was_missing_ends_an_incident_also_out_of_hours() -> None:
    job = replace(
        speaking(RepeatPolicy(recovers=True), hours="9:00-9:15"),
        trigger=Absence(HOUR, HOUR, WorkingHours.parse("always", BERLIN)),
        rule=Rule(("backup.done",), {}),
    )
    first, came = happened(speaking(), LAG, "")

    assert manners(compared(job, [first, came])) == [("09:20", "-", "post")]
    assert manners(compared(speaking(RepeatPolicy(recovers=True), hours="9:00-9:15"), [first, came])) == []


def test_what_a_person_asked_for_is_left_alone() -> None:
    asked = Record(1, "db.lag", BEGIN, Verdict.SAID, text=LAG, asked_by="ann")

    assert compared(speaking(RepeatPolicy(after=9)), [RecordedLine(asked, DeliveryMode.POST)]) == ReplayDifference()


def test_a_job_that_is_gone_is_counted() -> None:
    found = replay([], happened(speaking(), LAG, LAG, ""), since=BEGIN, mark=MARK)

    assert (found.gone, found.runs) == ({"db.lag": 2}, {})


def test_what_lies_before_the_beginning_sets_the_scene() -> None:
    pasts = happened(speaking(max_alert=0), LAG, LAG, LAG, LAG)

    found = compared(speaking(max_alert=2), pasts, since=at("16 09:25"))

    assert manners(found) == [("09:30", "post", "-"), ("09:40", "post", "-")]
    assert found.runs == {"db.lag": 2}


# --- outcomes


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        (LAG, "", LAG),
        (f"{LAG}\n3 alerts: paused for 60 min, until 10:30", "", LAG),
        (f"{LAG}\n1 alert: muted for 1.5 min, until 10:30:15", "", LAG),
        (f"{LAG}\n2 alerts were withheld since 09:10\n3 alerts: paused for 60 min, until 10:30", "", LAG),
        (f"{LAG}\ntook 3.2 s, usually 1.1 s\n3 alerts: paused for 60 min, until 10:30", "", LAG),
        (f"{LAG}\n4 alerts since 09:10, last 09:40", "", LAG),
        (f"{LAG}\n2 alerts were seen", "", f"{LAG}\n2 alerts were seen"),
        (":white_check_mark: *db.lag* recovered after 20m, 2 alerts", "recovered after 20m, 2 alerts", None),
        ("*db.lag*: 2 alerts were withheld since 09:10", "", None),
        ("*db.locks*: 2 alerts were withheld since 09:10", "", "*db.locks*: 2 alerts were withheld since 09:10"),
    ],
)
def test_what_the_rules_added_is_no_part_of_the_outcome(text: str, reason: str, expected: str | None) -> None:
    result = recorded_result(former(Record(1, "db.lag", BEGIN, Verdict.SAID, text=text), reason or None))

    assert result is not None
    assert [fallback(piece) for piece in result.pieces] == ([expected] if expected else [])


def test_a_failure_is_read_back_from_its_traceback() -> None:
    record = Record(1, "db.lag", BEGIN, Verdict.TIMED_OUT, error="Traceback:\n  db.py\nOSError: no route: db2\n")

    result = recorded_result(former(record, None))

    assert result is not None
    assert result.failure is not None
    assert (result.failure.kind, result.failure.message, result.failure.verdict) == (
        "OSError",
        "no route: db2",
        Verdict.TIMED_OUT,
    )


def test_loudest_manner_of_a_run_counts() -> None:
    assert loudest([DeliveryMode.EDIT, DeliveryMode.POST, DeliveryMode.REPLY]) is DeliveryMode.POST
    assert loudest([]) is None


# --- the law


@st.composite
def policies(draw: st.DrawFn) -> Job:
    repeat_policy = RepeatPolicy(
        after=draw(st.integers(1, 3)),
        repeat=draw(st.sampled_from(Repeat)),
        remind=draw(st.none() | st.just(30 * MINUTE)),
        recovers=draw(st.booleans()),
    )
    # As the loader has it: who tells of an incident's end has to see it.
    mutes = draw(st.booleans()) or repeat_policy.keeps_running
    hours = draw(st.sampled_from(["always", "9:30-10:30", "9:00-9:20,10:00-19:00"]))
    return speaking(repeat_policy, hours=hours, max_alert=draw(st.integers(0, 3)), mutes=mutes)


NAMES = ["db2", "db3"]
#: What runs return, or say one by one.
values = st.sampled_from(
    [None, "one", "two", "two\nthree", "!", NAMES, ["db3"], {"k": 1}, {"k": 2}, [{"name": "db2", "lag": 9}]]
)
words = st.lists(values.filter(lambda value: value != "!"), max_size=3).map(tuple)
acts = st.none() | values | st.builds(Speaks, words, values)


BACKUP = Mutes(windows=[QuietWindow("backup", "mon 9:35-9:55,11:00-12:05", BERLIN)], zone=BERLIN).reason


@pytest.mark.slow
@given(policies(), st.lists(acts, min_size=6, max_size=40), st.sampled_from([BACKUP, never_muted]))
def test_replaying_under_the_same_rules_changes_nothing_and_leaves_nothing_open(
    job: Job, course: list[object], mute: MuteReason
) -> None:
    pasts = lived(job, slots(*course), BEGIN, BEGIN + (10 * len(course) + 1) * MINUTE, mute=mute)

    found = replay([job], pasts, since=BEGIN, mark=MARK, mute=mute)

    assert (found.changed_runs, found.unknown, found.was) == ([], {}, found.now)
    assert [each for each in found.incidents if each.was != each.now] == []


@pytest.mark.parametrize("value", [NAMES, {"k": 1}])
def test_what_was_unchanged_is_no_reply_under_the_same_rules(value: object) -> None:
    job = speaking(RepeatPolicy(repeat=Repeat.THREAD))

    assert compared(job, happened(job, value, value, value)).changed_runs == []


def test_what_was_unchanged_in_a_thread_is_a_message_where_each_is() -> None:
    pasts = happened(speaking(RepeatPolicy(repeat=Repeat.THREAD)), NAMES, NAMES)

    assert manners(compared(speaking(), pasts)) == [("09:20", "-", "post")]


def test_what_a_run_said_before_it_failed_is_an_alert_and_the_failure_an_error() -> None:
    job = speaking(RepeatPolicy(after=2), max_alert=0)

    assert compared(job, happened(job, "one", Speaks(("one",), "!"), "one")).changed_runs == []
    assert manners(compared(speaking(RepeatPolicy(after=9)), happened(job, "one", Speaks(("one",), "!"), "one"))) == [
        ("09:30", "post", "-")
    ]
