from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import Blocks, Upload, fallback, pieces
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode, Message
from slack_alert.core.model.reason import Reason
from slack_alert.core.model.run import QUIET, Result, RunPosts
from slack_alert.core.pipeline.settle import Settlement, settle
from slack_alert.core.policy.incidents import Escalation, Repeat, RepeatPolicy, diff_entries
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import MARK, at, failed, make_job, make_policy, said
from tests.fakes.reasons import MAINTENANCE, why

LEAD = Address("slack", "@lead")


def speaking(repeat_policy: RepeatPolicy, *, max_alert: int = 0) -> Job:
    return make_job(
        policy=replace(make_policy(max_alert=max_alert, mutes=repeat_policy.keeps_running), repeat_policy=repeat_policy)
    )


def played(
    job: Job, outcomes: Sequence[object], *, state: State | None = None, mute: Reason | None = None
) -> list[Settlement]:
    """Settle a run each minute from 12:00 on: a text, a value, "" for a quiet one, an exception."""
    settlements = []
    state = state or State()
    for minute, outcome in enumerate(outcomes):
        run = RunPosts(minute + 1, job.name, at(f"16 12:{minute:02}"))
        settlement = settle(job, state, run, result(outcome), MARK, mute=mute)
        state = settlement.state
        settlements.append(settlement)
    return settlements


def result(outcome: object) -> Result:
    if isinstance(outcome, Exception):
        return failed(str(outcome))
    return (
        said(outcome)
        if isinstance(outcome, str) and outcome
        else Result(pieces(outcome, mark=MARK, name="f", doc=None))
    )


def told(settlement: Settlement) -> list[tuple[DeliveryMode, str]]:
    return [(message.manner, fallback(message.piece)) for message in settlement.messages]


def verdicts(settlements: Sequence[Settlement]) -> list[str]:
    return [settlement.verdict.value for settlement in settlements]


def message(settlement: Settlement) -> Message:
    (found,) = settlement.messages
    return found


# --- which alert speaks


def test_it_speaks_from_the_alert_in_a_row_that_was_asked_for() -> None:
    rows = played(speaking(RepeatPolicy(after=3)), ["a", "b", "", "c", "d", "e", "f"])

    assert verdicts(rows) == ["muted", "muted", "quiet", "muted", "muted", "said", "said"]
    assert why(rows[3].reasons) == "alert 1 in a row, told from 3 on"


def test_an_error_neither_ends_a_row_nor_counts_in_it() -> None:
    rows = played(speaking(RepeatPolicy(after=2)), ["a", OSError("x"), "b"])

    assert verdicts(rows) == ["muted", "error", "said"]


def test_change_speaks_only_when_the_text_differs() -> None:
    rows = played(speaking(RepeatPolicy(repeat=Repeat.CHANGE)), ["a", "a", "b", "b", "a"])

    assert verdicts(rows) == ["said", "muted", "said", "muted", "said"]
    assert {why(row.reasons) for row in rows if row.verdict.value == "muted"} == {"said already, unchanged"}


def test_long_texts_that_differ_behind_are_different() -> None:
    rows = played(speaking(RepeatPolicy(repeat=Repeat.CHANGE)), ["x" * 9000, "x" * 9000, "x" * 8999 + "y"])

    assert verdicts(rows) == ["said", "muted", "said"]


def test_after_the_recovery_a_new_incident_begins() -> None:
    rows = played(speaking(RepeatPolicy(repeat=Repeat.CHANGE)), ["a", "", "a"])

    assert verdicts(rows) == ["said", "quiet", "said"]


def test_thread_replies_to_the_first_message() -> None:
    first, second, third = played(speaking(RepeatPolicy(repeat=Repeat.THREAD)), ["a", "a", "b"])

    assert [told(row) for row in (first, second, third)] == [
        [(DeliveryMode.POST, "a")],
        [(DeliveryMode.REPLY, "a")],
        [(DeliveryMode.REPLY, "b")],
    ]
    assert {message(second).root, message(third).root} == {message(first).key}


def test_update_edits_one_message_and_each_edit_follows_the_one_before() -> None:
    first, second, third = played(speaking(RepeatPolicy(repeat=Repeat.UPDATE)), ["a", "b", "c"])

    assert told(second) == [(DeliveryMode.EDIT, "b\n2 alerts since 12:00, last 12:01")]
    assert (message(second).root, message(third).root) == (message(first).key, message(second).key)


@pytest.mark.parametrize("repeat", [Repeat.THREAD, Repeat.UPDATE])
def test_edits_and_replies_spend_nothing(repeat: Repeat) -> None:
    rows = played(speaking(RepeatPolicy(repeat=repeat), max_alert=2), ["a", "b", "c", "d"])

    assert verdicts(rows) == ["said"] * 4
    assert len(rows[-1].state.alerts.spent) == 1


@pytest.mark.parametrize("repeat", [Repeat.CHANGE, Repeat.THREAD, Repeat.UPDATE])
def test_a_reminder_is_a_message_of_its_own(repeat: Repeat) -> None:
    rows = played(speaking(RepeatPolicy(repeat=repeat, remind=timedelta(minutes=3))), ["a"] * 5)

    assert told(rows[3])[0][0] is DeliveryMode.POST
    assert why(rows[3].reasons) == "reminder after 3m"
    assert rows[4].state.incident is not None
    assert rows[4].state.incident.told == at("16 12:03")


def test_after_a_reminder_edits_go_to_the_new_message() -> None:
    rows = played(speaking(RepeatPolicy(repeat=Repeat.UPDATE, remind=timedelta(minutes=2))), ["a", "b", "c", "d"])

    assert message(rows[3]).root == message(rows[2]).key


# --- what is no text


BLOCKS = {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*91 %*"}}]}


def test_blocks_are_edited_and_show_how_often() -> None:
    _, second = played(speaking(RepeatPolicy(repeat=Repeat.UPDATE)), [BLOCKS, BLOCKS])

    edit = message(second)
    assert (edit.manner, isinstance(edit.piece, Blocks)) == (DeliveryMode.EDIT, True)
    assert "2 alerts since 12:00, last 12:01" in str(edit.piece)


def test_blocks_are_replied_with() -> None:
    _, second = played(speaking(RepeatPolicy(repeat=Repeat.THREAD)), [BLOCKS, BLOCKS])

    assert told(second) == [(DeliveryMode.REPLY, "*91 %*")]


@pytest.mark.parametrize("repeat", [Repeat.THREAD, Repeat.UPDATE])
def test_a_file_goes_to_the_thread_of_a_message_that_names_it(repeat: Repeat) -> None:
    (first,) = played(speaking(RepeatPolicy(repeat=repeat), max_alert=1), [("lag.txt", b"9")])

    post, file = first.messages
    assert told(first)[0] == (DeliveryMode.POST, "lag.txt (1 B)\n1 alert: muted for 60 min, until 13:00")
    assert (file.manner, file.root, isinstance(file.piece, Upload)) == (DeliveryMode.REPLY, post.key, True)
    assert (first.state.incident and first.state.incident.root) == post.key


def test_a_file_is_put_into_the_thread_again_when_its_content_differs() -> None:
    files = [("lag.txt", b"9"), ("lag.txt", b"9"), ("lag.txt", b"8")]
    rows = played(speaking(RepeatPolicy(repeat=Repeat.UPDATE)), files)

    assert [[manner for manner, _ in told(row)] for row in rows] == [
        [DeliveryMode.POST, DeliveryMode.REPLY],
        [DeliveryMode.EDIT],
        [DeliveryMode.EDIT, DeliveryMode.REPLY],
    ]
    assert {each.root for row in rows for each in row.messages if isinstance(each.piece, Upload)} == {
        rows[0].messages[0].key
    }


def test_the_same_file_is_not_put_into_the_thread_twice() -> None:
    files = [("lag.txt", b"9"), ("lag.txt", b"9"), ("lag.txt", b"8")]

    assert verdicts(played(speaking(RepeatPolicy(repeat=Repeat.THREAD)), files)) == ["said", "muted", "said"]


def test_change_looks_into_files() -> None:
    files = [("lag.txt", b"9"), ("lag.txt", b"9"), ("lag.txt", b"8")]

    assert verdicts(played(speaking(RepeatPolicy(repeat=Repeat.CHANGE)), files)) == ["said", "muted", "said"]


def test_a_long_text_that_is_unchanged_is_not_put_into_the_thread_again() -> None:
    rows = played(speaking(RepeatPolicy(repeat=Repeat.UPDATE)), ["line\n" * 1200, "line\n" * 1200, "line\n" * 1201])

    assert verdicts(rows) == ["said", "muted", "said"]
    assert {manner for manner, _ in told(rows[2])} == {DeliveryMode.REPLY}


# --- where it is told


@pytest.mark.parametrize("repeat", [Repeat.CHANGE, Repeat.THREAD, Repeat.UPDATE])
def test_in_another_conversation_the_incident_is_news(repeat: Repeat) -> None:
    job = speaking(RepeatPolicy(repeat=repeat, recovers=True))
    (first,) = played(job, ["a"])
    moved = replace(job, to=LEAD)
    anew, last = played(moved, ["a", ""], state=first.state)

    assert (told(anew), message(anew).to, message(anew).root) == ([(DeliveryMode.POST, "a")], LEAD, "")
    assert (message(last).to, message(last).root) == (LEAD, message(anew).key)


def test_a_recovery_is_told_where_the_incident_was() -> None:
    job = speaking(RepeatPolicy(repeat=Repeat.THREAD, recovers=True))
    (first,) = played(job, ["a"])
    (last,) = played(replace(job, to=LEAD), [""], state=first.state)

    assert (message(last).to, message(last).root) == (job.to, message(first).key)


# --- the recovery


@pytest.mark.parametrize(
    ("repeat", "manner"),
    [
        (Repeat.POST, DeliveryMode.POST),
        (Repeat.CHANGE, DeliveryMode.POST),
        (Repeat.THREAD, DeliveryMode.REPLY),
        (Repeat.UPDATE, DeliveryMode.EDIT),
    ],
)
def test_the_recovery_is_told_where_the_alert_stands(repeat: Repeat, manner: DeliveryMode) -> None:
    *_, last = played(speaking(RepeatPolicy(repeat=repeat, recovers=True)), ["a", "b", ""])

    ((how, text),) = told(last)
    assert how is manner
    assert text.splitlines()[-1] == ":white_check_mark: *db.lag* recovered after 2m, 2 alerts"
    assert last.state.incident is None
    assert (last.verdict.value, len(last.state.alerts.spent)) == ("said", 0)


def test_what_was_never_told_recovers_in_silence() -> None:
    *_, last = played(speaking(RepeatPolicy(after=3, recovers=True)), ["a", ""])

    assert (last.messages, last.state.is_calm) == ((), True)


def test_without_recover_nothing_is_said_of_it() -> None:
    *_, last = played(speaking(RepeatPolicy(repeat=Repeat.UPDATE)), ["a", ""])

    assert last.messages == ()


# --- lists, dicts and tables


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (["a", "b"], ["b", "c"], ["+ c", "- a"]),
        ({"db1": 5, "db2": 1}, {"db1": 9, "db3": 1}, ["~ db1: 9", "+ db3: 1", "- db2: 1"]),
        (
            [{"host": "db1", "lag": 5}, {"host": "db2", "lag": 1}],
            [{"host": "db1", "lag": 7}, {"host": "db2", "lag": 1}],
            ["~ db1  7"],
        ),
    ],
)
def test_of_a_list_a_dict_or_a_table_a_reply_says_what_is_new(before: object, after: object, lines: list[str]) -> None:
    rows = played(speaking(RepeatPolicy(repeat=Repeat.THREAD)), [before, after])

    assert told(rows[1]) == [(DeliveryMode.REPLY, "\n".join(lines))]


def test_nothing_new_in_a_list_is_not_said() -> None:
    rows = played(speaking(RepeatPolicy(repeat=Repeat.THREAD)), [["a", "b"], ["b", "a"]])

    assert (rows[1].verdict.value, why(rows[1].reasons)) == ("muted", "said already, unchanged")


def test_an_edit_shows_the_whole_and_what_is_new() -> None:
    rows = played(speaking(RepeatPolicy(repeat=Repeat.UPDATE)), [["a"], ["a", "b"]])

    assert told(rows[1]) == [(DeliveryMode.EDIT, "a\nb\n+ b\n2 alerts since 12:00, last 12:01")]


def test_entries_known_by_the_same_are_not_compared() -> None:
    rows = played(speaking(RepeatPolicy(repeat=Repeat.THREAD)), [["a"], ["a", "a"]])

    assert told(rows[1]) == [(DeliveryMode.REPLY, "a\na")]


def test_the_same_entries_are_no_change() -> None:
    assert diff_entries((("a", "1"),), (("a", "1"),)) == []


# --- acknowledged, escalated, muted


def acknowledged(state: State) -> State:
    assert state.incident is not None
    return replace(state, incident=replace(state.incident, acknowledged_by="ann", acknowledged_at=at("16 12:01")))


@pytest.mark.parametrize("repeat", list(Repeat))
def test_an_acknowledged_incident_is_neither_repeated_nor_reminded_of(repeat: Repeat) -> None:
    job = speaking(RepeatPolicy(repeat=repeat, remind=timedelta(minutes=1), recovers=True))
    (first,) = played(job, ["a"])
    rows = played(job, ["b", "c", ""], state=acknowledged(first.state))

    assert verdicts(rows) == ["muted", "muted", "said"]
    assert why(rows[0].reasons) == "acknowledged by ann"
    assert "recovered" in told(rows[2])[0][1]


def test_nobody_acknowledged_so_somebody_else_is_told_once() -> None:
    repeat_policy = RepeatPolicy(repeat=Repeat.CHANGE, escalation=Escalation(LEAD, timedelta(minutes=2)))
    rows = played(speaking(repeat_policy), ["a"] * 5)

    assert verdicts(rows) == ["said", "muted", "said", "muted", "muted"]
    escalated = message(rows[2])
    assert escalated.to == LEAD
    assert fallback(escalated.piece) == "*db.lag*: nobody acknowledged it since 12:00\na"
    assert why(rows[2].reasons) == "escalated to @lead"


@pytest.mark.parametrize("repeat", list(Repeat))
def test_whoever_it_was_escalated_to_hears_that_it_is_over(repeat: Repeat) -> None:
    repeat_policy = RepeatPolicy(repeat=repeat, recovers=True, escalation=Escalation(LEAD, timedelta(minutes=1)))
    *_, last = played(speaking(repeat_policy), ["a", "a", ""])

    assert [each.to for each in last.messages] == [speaking(repeat_policy).to, LEAD]
    assert told(last)[1] == (DeliveryMode.POST, ":white_check_mark: *db.lag* recovered after 2m, 2 alerts")


def test_who_acknowledged_in_time_spares_the_others() -> None:
    job = speaking(RepeatPolicy(escalation=Escalation(LEAD, timedelta(minutes=1))))
    (first,) = played(job, ["a"])

    assert all(row.messages == () for row in played(job, ["a"] * 3, state=acknowledged(first.state)))


def test_what_is_muted_counts_and_spends_nothing() -> None:
    rows = played(speaking(RepeatPolicy(), max_alert=1), ["a", OSError("x"), "b"], mute=MAINTENANCE)

    assert verdicts(rows) == ["muted"] * 3
    assert {row.reasons for row in rows} == {(MAINTENANCE,)}
    assert rows[-1].state.incident is not None
    assert (rows[-1].state.incident.count, rows[-1].state.alerts.spent) == (2, ())


def test_an_incident_that_began_in_silence_is_told_when_there_is_no_more_reason_for_it() -> None:
    job = speaking(RepeatPolicy(repeat=Repeat.UPDATE))
    *_, last = played(job, ["a", "a"], mute=MAINTENANCE)
    (first,) = played(job, ["a"], state=last.state)

    assert told(first) == [(DeliveryMode.POST, "a")]


@pytest.mark.parametrize("repeat", [Repeat.POST, Repeat.CHANGE, Repeat.THREAD])
def test_a_recovery_in_silence_is_told_when_the_silence_is_over(repeat: Repeat) -> None:
    job = speaking(RepeatPolicy(repeat=repeat, recovers=True))
    (first,) = played(job, ["a"])
    silent = played(job, ["", "", ""], state=first.state, mute=MAINTENANCE)
    told_late, last = played(job, ["", ""], state=silent[-1].state)

    assert [(row.verdict.value, row.messages, why(row.reasons)) for row in silent] == [
        ("quiet", (), "recovered after 1s, 1 alert; quiet window maintenance, until 04:00"),
        ("quiet", (), ""),
        ("quiet", (), ""),
    ]
    assert told(told_late)[0][1] == ":white_check_mark: *db.lag* recovered after 1s, 1 alert, at 12:00"
    assert why(told_late.reasons) == "recovered after 1s, 1 alert"
    assert (last.messages, last.state.is_calm) == ((), True)


def test_an_edit_that_closes_an_incident_is_made_in_silence_too() -> None:
    job = speaking(RepeatPolicy(repeat=Repeat.UPDATE, recovers=True))
    (first,) = played(job, ["a"])
    (last,) = played(job, [""], state=first.state, mute=MAINTENANCE)

    ((manner, text),) = told(last)
    assert (manner, text.splitlines()[0], last.state.is_calm) == (DeliveryMode.EDIT, "a", True)


def test_a_recovery_that_waited_is_told_before_the_next_alert() -> None:
    job = speaking(RepeatPolicy(repeat=Repeat.CHANGE, recovers=True))
    (first,) = played(job, ["a"])
    (silent,) = played(job, [""], state=first.state, mute=MAINTENANCE)
    (anew,) = played(job, ["a"], state=silent.state)

    closing, alert = told(anew)
    assert "recovered after" in closing[1]
    assert alert == (DeliveryMode.POST, "a")
    assert (anew.verdict.value, anew.state.is_alerting) == ("said", True)
    assert len({message.key for message in anew.messages}) == 2


def test_what_recovers_and_fails_again_in_silence_was_one_incident_to_everybody() -> None:
    job = speaking(RepeatPolicy(recovers=True))
    (first,) = played(job, ["a"])
    silent = played(job, ["", "b"], state=acknowledged(first.state), mute=MAINTENANCE)
    rows = played(job, ["b", ""], state=silent[-1].state)

    assert [len(row.messages) for row in (*silent, *rows)] == [0, 0, 1, 1]
    assert "recovered after" in told(rows[1])[0][1]


# --- what the quota withheld


def resting(outcomes: Sequence[object]) -> list[Settlement]:
    policy = make_policy(max_alert=1, pause=timedelta(minutes=3), mutes=True)
    return played(make_job(policy=policy), outcomes)


def test_what_the_quota_withheld_is_told_with_the_next_message() -> None:
    rows = resting(["a", "b", "c", "d"])

    assert verdicts(rows) == ["said", "muted", "muted", "said"]
    assert told(rows[3])[0][1].splitlines()[:2] == ["d", "2 alerts were withheld since 12:01"]


def test_or_in_one_line_when_there_is_no_next_one() -> None:
    rows = resting(["a", "b", "", "", ""])

    assert [told(row) for row in rows[2:]] == [
        [],
        [(DeliveryMode.POST, "*db.lag*: 1 alert was withheld since 12:01")],
        [],
    ]
    assert QUIET.pieces == ()
