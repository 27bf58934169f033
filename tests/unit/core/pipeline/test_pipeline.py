from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import Blocks, Text, Upload, fallback
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import QUIET, Result, RunPosts
from slack_alert.core.pipeline.gate import gate, pause_status
from slack_alert.core.pipeline.messages import messages
from slack_alert.core.pipeline.settle import Settlement, settle, settle_asked
from slack_alert.core.policy.quota import Pause, Policy, Quota, State
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import ERRORS, MARK, OPS, at, failed, make_job, make_policy, said
from tests.fakes.reasons import why

JOB = make_job()
TWO = Quota((at("16 13:12"), at("16 13:22")))
OVER = Quota((at("16 13:12"), at("16 13:22"), at("16 13:32")), until=at("16 14:32"))


def make_run(slot: str = "16 13:32", *, said: int = 0, is_withheld: bool = False) -> RunPosts:
    return RunPosts(7, "db.lag", at(slot), said=said, is_withheld=is_withheld)


def settled(result: Result, state: State | None = None, *, job: Job = JOB, run: RunPosts | None = None) -> Settlement:
    return settle(job, state or State(), run or make_run(), result, MARK)


def texts(settlement: Settlement) -> list[str]:
    return [fallback(message.piece) for message in settlement.messages]


@pytest.mark.parametrize(
    ("slot", "hold", "is_running", "verdict"),
    [
        ("16 08:00", Pause(), True, Verdict.OFF_HOURS),
        ("16 14:00", Pause(), True, Verdict.PAUSED),
        ("16 15:00", Pause(), True, Verdict.PAUSED),
        ("16 15:00", Pause(at("16 15:00")), True, Verdict.OVERLAPPED),
        ("16 15:00", Pause(at("16 15:00")), False, Verdict.GO),
        ("16 15:00", None, True, Verdict.OVERLAPPED),
        ("16 14:32", None, False, Verdict.GO),
    ],
)
def test_gate_names_the_first_reason_that_holds(
    slot: str, hold: Pause | None, is_running: bool, verdict: Verdict
) -> None:
    job = make_job(policy=make_policy("9:00-17:00"))

    assert verdict == gate(job, State(alerts=OVER), at(slot), pause=hold, is_running=is_running)


def test_quiet_run_leaves_the_very_same_state() -> None:
    state = State(alerts=TWO)

    settlement = settled(QUIET, state)

    assert Settlement(state, Verdict.QUIET) == settlement
    assert state is settlement.state


def test_alert_goes_to_the_channel_of_the_job_and_spends() -> None:
    settlement = settled(said("lag 9s"))

    assert settlement.verdict is Verdict.SAID
    assert settlement.text == "lag 9s"
    assert [message.to for message in settlement.messages] == [OPS]
    assert settlement.state.alerts == Quota((at("16 13:32"),))


def test_alert_that_starts_the_pause_says_so_on_its_own_last_line() -> None:
    settlement = settled(said("lag 9s"), State(alerts=TWO))

    assert texts(settlement) == ["lag 9s\n3 alerts: paused for 60 min, until 14:32"]
    assert settlement.text == "lag 9s\n3 alerts: paused for 60 min, until 14:32"
    assert settlement.state.alerts == OVER


def test_end_of_the_pause_is_told_in_the_zone_of_the_job() -> None:
    job = replace(JOB, zone=ZoneInfo("Asia/Shanghai"))

    assert texts(settled(said("lag 9s"), State(alerts=TWO), job=job)) == [
        "lag 9s\n3 alerts: paused for 60 min, until 21:32"
    ]


@pytest.mark.parametrize(
    ("policy", "notice"),
    [
        (make_policy(max_alert=1, pause=timedelta(hours=25)), "1 alert: paused for 1500 min, until 14:32"),
        (make_policy(max_alert=1, pause=timedelta(seconds=90)), "1 alert: paused for 1.5 min, until 13:33:30"),
        (make_policy(max_alert=1, mutes=True), "1 alert: muted for 60 min, until 14:32"),
    ],
)
def test_notice_counts_in_minutes_and_names_what_happens(policy: Policy, notice: str) -> None:
    assert texts(settled(said("lag"), job=make_job(policy=policy))) == [f"lag\n{notice}"]


def test_pause_of_no_length_is_not_announced() -> None:
    job = make_job(policy=make_policy(max_alert=1, pause=timedelta()))

    assert texts(settled(said("lag"), job=job)) == ["lag"]


def test_notice_stands_in_the_last_of_several_pieces() -> None:
    pieces = Result((Upload("lag.png", b"png"), Text("look")))

    assert texts(settled(pieces, State(alerts=TWO)))[-1] == "look\n3 alerts: paused for 60 min, until 14:32"


def test_notice_of_blocks_is_one_more_block() -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "lag"}}

    [message] = settled(Result((Blocks({"blocks": [block]}),)), State(alerts=TWO)).messages

    assert isinstance(message.piece, Blocks)
    blocks = message.piece.payload["blocks"]
    assert isinstance(blocks, list)
    assert blocks[0] == block
    assert "3 alerts: paused for 60 min, until 14:32" in str(blocks[1])


def test_muted_run_says_nothing_and_spends_nothing_but_is_told_in_history() -> None:
    job = make_job(policy=make_policy(mutes=True))
    state = State(alerts=OVER)

    settlement = settled(said("lag 9s"), state, job=job, run=make_run("16 14:00"))

    assert (settlement.verdict, settlement.messages, settlement.text) == (Verdict.MUTED, (), "lag 9s")
    assert settlement.state.alerts == OVER
    assert why(settlement.reasons) == "3 of 3 alerts since 13:12, until 14:32"


def test_run_that_spoke_before_spends_nothing_more() -> None:
    state = State(alerts=OVER)
    settlement = settled(said("more"), state, run=make_run(said=2))

    assert (settlement.state, settlement.verdict, settlement.text) == (state, Verdict.SAID, "more")
    assert [message.key for message in settlement.messages] == ["db.lag@2026-11-16T12:32:00+00:00/7#2"]


def test_run_that_spoke_and_ends_quietly_was_said() -> None:
    assert settled(QUIET, run=make_run(said=1)).verdict is Verdict.SAID


def test_run_that_was_withheld_and_ends_quietly_was_muted() -> None:
    assert settled(QUIET, run=make_run(is_withheld=True)).verdict is Verdict.MUTED


def test_error_goes_to_its_own_channel_and_leaves_the_alerts_alone() -> None:
    settlement = settled(failed(), State(alerts=TWO))

    assert settlement.verdict is Verdict.ERROR
    assert [message.to for message in settlement.messages] == [ERRORS]
    assert texts(settlement) == [":rotating_light: *db.lag* failed: OSError: no route\n`plugins/db.py:12`"]
    assert settlement.state == State(alerts=TWO, errors=Quota((at("16 13:32"),)))


def test_error_that_uses_up_the_quota_says_that_errors_are_muted() -> None:
    settlement = settled(failed(), State(errors=TWO))

    assert texts(settlement)[0].splitlines()[-1] == "3 errors: muted for 60 min, until 14:32"
    assert gate(JOB, settlement.state, at("16 13:42")) is Verdict.GO


def test_further_error_is_muted() -> None:
    state = State(errors=OVER)
    settlement = settled(failed(), state, run=make_run("16 14:00"))

    assert (settlement.state, settlement.verdict, settlement.messages) == (state, Verdict.MUTED, ())
    assert "OSError: no route" in settlement.text


def test_error_in_a_pause_of_alerts_is_told() -> None:
    job = make_job(policy=make_policy(mutes=True))

    assert settled(failed(), State(alerts=OVER), job=job).verdict is Verdict.ERROR


def test_parts_of_a_long_text_have_keys_in_their_order() -> None:
    long = "\n".join(f"line {number} " + "x" * 90 for number in range(100))

    told = messages(make_run(), (Text(long),), OPS)

    assert len(told) > 1
    assert [message.key.rpartition("#")[2] for message in told] == [str(number) for number in range(len(told))]
    assert "".join(fallback(message.piece) for message in told) == long


def test_same_slot_run_again_has_other_keys() -> None:
    again = replace(make_run(), id=8)

    assert messages(make_run(), (Text("lag"),), OPS)[0].key != messages(again, (Text("lag"),), OPS)[0].key


@pytest.mark.parametrize(
    ("result", "before", "told", "verdict"),
    [
        (said("ok"), 0, ["ok"], Verdict.SAID),
        (QUIET, 0, ["done"], Verdict.QUIET),
        (QUIET, 1, [], Verdict.SAID),
    ],
)
def test_person_who_asked_gets_an_answer(result: Result, before: int, told: list[str], verdict: Verdict) -> None:
    settlement = settle_asked(make_run(said=before), result, OPS, MARK)

    assert told == texts(settlement)
    assert verdict is settlement.verdict


def test_person_who_asked_sees_what_was_said_before_the_error() -> None:
    settlement = settle_asked(make_run(), failed()._replace(pieces=(Text("half way"),)), OPS, MARK)

    assert texts(settlement)[0] == "half way"
    assert "OSError: no route" in texts(settlement)[1]
    assert settlement.text.startswith("half way\n")
    assert settlement.verdict is Verdict.ERROR
    assert [message.to for message in settlement.messages] == [OPS, OPS]


def test_an_error_of_an_asked_run_goes_where_errors_go() -> None:
    settlement = settle_asked(make_run(), failed()._replace(pieces=(Text("half way"),)), OPS, MARK, errors_to=ERRORS)

    assert [message.to for message in settlement.messages] == [OPS, ERRORS]
    assert len({message.key for message in settlement.messages}) == 2


@pytest.mark.parametrize(
    ("quota", "hold", "slot", "expected"),
    [
        (TWO, None, "16 13:32", (2, None)),
        (TWO, None, "16 14:15", (1, None)),
        (OVER, None, "16 14:31", (3, at("16 14:32"))),
        (OVER, None, "16 14:32", (0, None)),
        (Quota(), Pause(at("16 15:00")), "16 14:00", (0, at("16 15:00"))),
        (Quota(), Pause(at("16 15:00")), "16 15:00", (0, None)),
        (OVER, Pause(at("16 15:00")), "16 14:00", (3, at("16 15:00"))),
        (OVER, Pause(at("16 14:10")), "16 14:00", (3, at("16 14:32"))),
        (OVER, Pause(at("16 14:00")), "16 14:10", (3, at("16 14:32"))),
        (OVER, Pause(), "16 14:00", (3, None)),
    ],
)
def test_job_rests_until_the_later_of_both_pauses(
    quota: Quota, hold: Pause | None, slot: str, expected: tuple[int, datetime | None]
) -> None:
    assert expected == pause_status(JOB, State(alerts=quota), at(slot), pause=hold)
