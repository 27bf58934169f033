"""Explanations why a job did or did not run and post."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import Text
from slack_alert.core.explain.facts import JobFacts, RecordWithMessages, quoted
from slack_alert.core.explain.slot import explain_slot, summarize_slot
from slack_alert.core.explain.why import slot_before, why_ahead, why_now, why_then, why_unrecorded
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, DeliveryMode, Message, PostedDelivery, RunPart, Status
from slack_alert.core.model.record import Outcome, Record, Verdict
from slack_alert.core.policy.incidents import Incident, RepeatPolicy
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.core.schedule.absent import Absence
from slack_alert.core.structs import replace
from slack_alert.core.units.humanize import format_run_time
from tests.fakes.engine_rig import BERLIN, OPS, at, make_job, make_policy, make_rule
from tests.fakes.reasons import former, reasons_of

NOW = at("16 14:25")
SLOT = at("16 14:00")
WORDS = make_job(policy=make_policy("mon-fri 9:00-18:00"))
UNSEEN = "It was never seen by a running slack-alert: its times begin with the first start."
SPENT = Quota((at("16 14:02"), at("16 14:12"), at("16 14:20")), at("16 15:20"))


def about(job: Job | None = WORDS, **known: Any) -> JobFacts:  # Any: each test names what differs
    subject = JobFacts("db.lag", NOW, BERLIN, job, first_seen=at("10 00:00"), last=at("16 14:20"))
    return replace(subject, **known)


def record(
    verdict: Verdict,
    *,
    ran: float | None = 0.25,
    reason: str | None = None,
    **more: Any,  # Any: as above
) -> Record:
    line = Record(0, "db.lag", SLOT, verdict)
    if ran is not None:
        line = Record(7, "db.lag", SLOT, verdict, SLOT, timedelta(seconds=ran))
    return former(line._replace(**more), reason)


def outcome(line: Record, subject: JobFacts | None = None) -> str:
    return explain_slot(subject or about(), RecordWithMessages(line), line.slot)[1]


# --- a slot that is recorded


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            record(Verdict.SAID, text="lag 9 s", to="#ops"),
            "It ran for 0.25s and said “lag 9 s” to #ops.",
        ),
        (
            record(Verdict.SAID, text="lag 9 s", to="#ops", reason="reminder after 4h"),
            "It ran for 0.25s and said “lag 9 s” to #ops. Noted with it: reminder after 4h.",
        ),
        (record(Verdict.QUIET), "It ran for 0.25s and had nothing to say."),
        (
            record(Verdict.QUIET, reason="attempt 3 of 3"),
            "It ran for 0.25s and had nothing to say. Noted with it: attempt 3 of 3.",
        ),
        (
            record(
                Verdict.ERROR,
                text="failed",
                to="console:",
                error="Traceback\nKeyError: 'x'\n(attempt 2 of 2)\n",
                outcome=Outcome("", Verdict.ERROR, "KeyError", "'x'", attempt=2),
            ),
            "It ran for 0.25s and failed with “KeyError: 'x'”, which was told to the terminal.",
        ),
        (
            record(Verdict.TIMED_OUT, ran=30, text="TimeoutError: longer than 30s"),
            "Its run was given up after 30s: “TimeoutError: longer than 30s”.",
        ),
        (
            record(Verdict.MUTED, text="lag 9 s", reason="alert 2 in a row, told from 3 on"),
            "It ran for 0.25s and wanted to say “lag 9 s”, which was withheld: alert 2 in a row, told from 3 on.",
        ),
        (
            record(
                Verdict.MUTED, text="failed", error="KeyError: 'x'", reason="3 of 3 errors since 13:12, until 14:12"
            ),
            (
                "It ran for 0.25s and failed with “KeyError: 'x'”. "
                "Nobody was told: 3 of 3 errors since 13:12, until 14:12."
            ),
        ),
        (
            record(
                Verdict.MUTED,
                text="failed",
                error="TimeoutError: took longer than 5s (timeout)",
                reason="3 of 3 errors since 13:12, until 14:12",
                ran=5,
            ),
            (
                "Its run was given up after 5s: “TimeoutError: took longer than 5s (timeout)”. "
                "Nobody was told: 3 of 3 errors since 13:12, until 14:12."
            ),
        ),
        (
            record(Verdict.OFF_HOURS, ran=None, reason="outside 9:00-12:00"),
            "It did not run: off hours until Tue 17 Nov 09:00 (its working hours are 9:00-12:00).",
        ),
        (
            record(Verdict.PAUSED, ran=None, reason="3 of 3 alerts since 13:12, until 14:12"),
            "It did not run: it rested, 3 of 3 alerts since 13:12, until 14:12.",
        ),
        (
            record(Verdict.PAUSED, ran=None, reason="paused until resumed"),
            "It did not run: it was paused until resumed.",
        ),
        (
            record(Verdict.MISSED, ran=None, reason="by 1.2s, because the program stood still"),
            "It did not run: it was missed by 1.2s, because the program stood still.",
        ),
        (
            record(Verdict.OVERLAPPED, ran=None, reason="the run of 13:50 was going on"),
            "It did not run: the run of 13:50 was going on.",
        ),
        (
            record(Verdict.INTERRUPTED, text="half", to="#ops"),
            "Its run was cut off: the program ended, or was killed, before it did. By then it had said “half”.",
        ),
        (
            record(Verdict.INTERRUPTED, text="half", reason="muted until 13:00 by ann"),
            (
                "Its run was cut off: the program ended, or was killed, before it did. "
                "By then it had wanted to say “half”. Noted with it: muted until 13:00 by ann."
            ),
        ),
        (record(Verdict.CANCELED), "Its run was canceled."),
        (record(Verdict.DENIED, ran=None, reason="bob may not"), "It was not allowed to run: bob may not."),
    ],
)
def test_each_verdict_is_told_with_the_rule_behind_it(line: Record, sentence: str) -> None:
    assert outcome(line) == sentence


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            record(Verdict.OFF_HOURS, ran=None, slot=at("16 19:00")),
            "It did not run: off hours until Tue 17 Nov 09:00 (its working hours are mon-fri 9:00-18:00).",
        ),
        (record(Verdict.PAUSED, ran=None, paused_until=at("16 15:00")), "It did not run: it rested until 15:00."),
        (record(Verdict.PAUSED, ran=None), "It did not run: it was paused."),
        (record(Verdict.MISSED, ran=None), "It did not run: it was missed because nobody was there to run it."),
        (record(Verdict.OVERLAPPED, ran=None), "It did not run: its former run was going on."),
        (
            record(Verdict.MUTED, text="9"),
            (
                "It ran for 0.25s and wanted to say “9”, which was withheld: "
                "somebody muted it, a quiet window held, or its quota was used up."
            ),
        ),
        (record(Verdict.DENIED, ran=None), "It was not allowed to run."),
    ],
)
def test_record_of_an_older_version_is_told_without_its_reason(line: Record, sentence: str) -> None:
    assert outcome(line) == sentence


@pytest.mark.parametrize(
    ("line", "job", "sentence"),
    [
        (record(Verdict.SAID, alerts=2), WORDS, "With it, 2 of 3 alerts within 1h are used."),
        (
            record(Verdict.SAID, alerts=3, paused_until=at("16 15:00")),
            WORDS,
            "With it, 3 of 3 alerts within 1h are used: it rests until 15:00.",
        ),
        (
            record(Verdict.SAID, alerts=3, paused_until=at("16 15:00")),
            make_job(policy=make_policy(mutes=True)),
            "With it, 3 of 3 alerts within 1h are used: it runs on and says nothing until 15:00.",
        ),
        (record(Verdict.QUIET, printed="x"), WORDS, "What it printed is in `slack-alert history --json`."),
        (
            record(Verdict.OFF_HOURS, ran=None, count=3, until=at("16 14:20")),
            WORDS,
            "History has it as one line with 3 slots, from 14:00 to 14:20, which all went this way.",
        ),
    ],
)
def test_numbers_behind_a_verdict_are_told(line: Record, job: Job, sentence: str) -> None:
    assert explain_slot(about(job), RecordWithMessages(line), SLOT)[2:] == [sentence]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (record(Verdict.QUIET), "db.lag was due at 14:00 (every 10m)."),
        (
            record(Verdict.QUIET, started=SLOT + timedelta(seconds=2.3)),
            "db.lag was due at 14:00 (every 10m), and began 2.3s later.",
        ),
        (record(Verdict.QUIET, asked_by="ann"), "ann asked for db.lag at 14:00."),
        (record(Verdict.QUIET, slot=at("15 14:00:03")), "db.lag was due at Sun 15 Nov 14:00:03 (every 10m)."),
    ],
)
def test_first_sentence_says_what_was_due(line: Record, sentence: str) -> None:
    subject = about() if line.slot == SLOT else about(make_job())

    assert (
        explain_slot(
            subject, RecordWithMessages(line._replace(started=line.started if line.slot == SLOT else None)), line.slot
        )[0]
        == sentence
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (record(Verdict.SAID, text="lag 9 s\nand more"), "14:00: said “lag 9 s…”."),
        (record(Verdict.OFF_HOURS, ran=None, count=2, until=at("16 14:10")), "14:00 to 14:10 (2 slots): off hours."),
        (record(Verdict.MUTED, text="9", reason="acknowledged by ann"), "14:00: muted “9”; acknowledged by ann."),
    ],
)
def test_summary_is_one_line(line: Record, said: str) -> None:
    assert summarize_slot(about(), RecordWithMessages(line)) == said


def test_slot_of_a_row_is_the_one_asked_about() -> None:
    row = record(Verdict.OFF_HOURS, ran=None, count=3, until=at("16 14:20"))
    answer = why_then(about(), RecordWithMessages(row), None, slot=at("16 14:10"))

    assert (answer.slot, answer.sentences[0]) == (at("16 14:10"), "db.lag was due at 14:10 (every 10m).")


def test_what_came_after_a_slot_is_told_or_what_comes() -> None:
    told = RecordWithMessages(record(Verdict.QUIET))
    later = RecordWithMessages(record(Verdict.SAID, slot=at("16 14:10"), text="up"))

    assert why_then(about(), told, later).sentences[-1] == "After that, 14:10: said “up”."
    assert why_then(about(), told, None).sentences[-1] == "It runs next at 14:30 (every 10m)."
    assert len(why_then(about(None), told, None).sentences) == 2


# --- what became of its messages


def posted(
    status: Status,
    *,
    attempts: int = 1,
    to: Address = OPS,
    manner: DeliveryMode = DeliveryMode.POST,
    in_front: int = 0,
    **more: Any,
) -> PostedDelivery:
    message = Message("k", to, Text("lag"), RunPart("db.lag", SLOT, 7), manner)
    return PostedDelivery(Delivery(12, message, SLOT, attempts, status, **more), at("16 14:24:57"), in_front)


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (posted(Status.SENT, receipt="1.2"), "Its message was delivered to #ops at 14:24:57 (receipt 1.2)."),
        (posted(Status.SENT, attempts=3), "Its message was delivered to #ops at 14:24:57, at the 3rd attempt."),
        (
            posted(Status.SENT, to=Address("console", "")),
            "Its message was delivered to the terminal at 14:24:57.",
        ),
        (
            posted(Status.SENT, manner=DeliveryMode.REPLY),
            "Its message was delivered into the thread of its incident in #ops at 14:24:57.",
        ),
        (posted(Status.SENT, manner=DeliveryMode.EDIT), "The message of its incident in #ops was edited at 14:24:57."),
        (
            posted(Status.QUEUED, attempts=0, in_front=40),
            "Its message is queued behind 40 messages for #ops.",
        ),
        (posted(Status.QUEUED, attempts=0, in_front=1), "Its message is queued behind 1 message for #ops."),
        (posted(Status.QUEUED, attempts=0), "Its message is queued."),
        (
            posted(Status.QUEUED, attempts=0, reason="ratelimited", is_answer=True),
            "Its message is queued: Slack said ratelimited.",
        ),
        (
            posted(Status.QUEUED, attempts=2, reason="ConnectionResetError"),
            (
                "Its message is queued and was tried 2 times, last at 14:24:57: the attempt ended with "
                "ConnectionResetError; the next attempt follows by 14:25:07."
            ),
        ),
        (
            posted(Status.QUEUED, attempts=1, reason="HTTP 503", is_answer=True),
            (
                "Its message is queued and was tried 1 time, last at 14:24:57: Slack said HTTP 503; "
                "the next attempt follows by 14:25:02."
            ),
        ),
        (
            posted(Status.DEAD, reason="channel_not_found: invite the app.", is_answer=True),
            (
                "Its message is dead: Slack said channel_not_found: invite the app. "
                "`slack-alert outbox retry 12` sends it again."
            ),
        ),
        (
            posted(Status.COLLAPSED, reason="40 waited"),
            "It was not said in a message of its own: one message stands for it and others (40 waited).",
        ),
    ],
)
def test_fate_of_a_message_is_told(one: PostedDelivery, sentence: str) -> None:
    assert explain_slot(about(), RecordWithMessages(record(Verdict.QUIET), (one,)), SLOT)[2:] == [sentence]


def test_queued_message_waits_for_a_program_that_is_not_running() -> None:
    told = RecordWithMessages(record(Verdict.QUIET), (posted(Status.QUEUED, attempts=0),))

    assert explain_slot(about(is_running=False), told, SLOT)[-1] == (
        "Its message is queued; slack-alert is not running, it goes out when it runs."
    )


def test_messages_of_one_run_that_arrived_are_counted_and_the_others_named() -> None:
    parts = [posted(Status.SENT)] * 3 + [posted(Status.QUEUED, attempts=0)] * 5

    said = explain_slot(about(), RecordWithMessages(record(Verdict.QUIET), tuple(parts)), SLOT)[2:]
    assert said[0] == "Its 3 messages were delivered to #ops at 14:24:57."
    assert said[1:4] == ["Its message is queued."] * 3
    assert said[4:] == ["So it is with 2 more of its messages: see `slack-alert outbox`."]


# --- a slot without a record


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        (about(last=at("16 15:00")), "Its time is over, and it was folded with others or is no longer kept"),
        (about(first_seen=at("16 14:10")), "It was first seen at 14:10, after that."),
        (about(last=at("16 13:50")), "Its run waits for its turn, goes on, or ended just now."),
        (about(last=at("16 13:50"), going=(SLOT, at("16 14:00:02"))), "Its run goes on, since 14:00:02."),
        (
            about(last=at("16 14:10"), going=(at("16 14:10"), at("16 14:10:02"))),
            "Its time is over, and it was folded with others or is no longer kept",
        ),
        (
            about(last=at("16 13:50"), going=(at("16 13:50"), at("16 13:50:02"))),
            "The run of 13:50 goes on, since 13:50:02, or ended just now.",
        ),
        (
            about(last=at("16 13:50"), is_running=False),
            "slack-alert is not running: at its start the last slot of the interval runs, and the others are recorded",
        ),
        (
            about(last=at("16 13:50"), is_running=False, pause=Pause()),
            "slack-alert is not running: at its start it is recorded as paused.",
        ),
        (
            about(make_job(every={"cron": "0 14 * * *"}), last=at("16 13:50"), is_running=False),
            "slack-alert is not running: at its start it is recorded as missed.",
        ),
        (
            about(
                replace(make_job(every={"cron": "0 14 * * *"}), catch_up=timedelta(hours=2)),
                last=at("16 13:50"),
                is_running=False,
            ),
            "slack-alert is not running: at its start it still runs, before 16:00 (catch_up).",
        ),
    ],
)
def test_missing_record_is_explained(subject: JobFacts, sentence: str) -> None:
    answer = why_unrecorded(subject, at("16 14:05"), SLOT)

    assert answer.sentences[0].endswith("was due at 14:00, and there is no record of it.")
    assert answer.sentences[1].startswith(sentence)
    assert answer.sentences[2].startswith("It runs next at") or subject.pause


def test_time_before_any_slot_names_the_next_one() -> None:
    following = RecordWithMessages(record(Verdict.QUIET))

    assert why_unrecorded(about(), at("09 12:00"), None, following=following).sentences == (
        "No slot of db.lag is known at Mon 09 Nov 12:00 or before it.",
        "It was first seen at Tue 10 Nov 00:00.",
        "After that, 14:00: quiet.",
    )
    assert "never seen by a running slack-alert" in why_unrecorded(about(first_seen=None), NOW, None).sentences[1]


@pytest.mark.parametrize("every", [{"cron": "0 14 * * *"}, {"minutes": 10, "start": "2026-11-16T12:00"}])
@pytest.mark.parametrize("is_running", [True, False])
def test_nothing_is_promised_of_a_slot_before_the_job_was_ever_seen(
    every: dict[str, object], *, is_running: bool
) -> None:
    missed_ticks = about(make_job(every=every), first_seen=None, last=None, is_running=is_running)

    first, second, third = why_unrecorded(missed_ticks, at("16 14:05"), SLOT).sentences
    assert first == "db.lag has a slot at 14:00, and nothing will be recorded of it."
    assert second == UNSEEN
    assert third.startswith("It runs next at ")


def test_slot_to_come_of_a_job_that_was_never_seen_is_as_if_it_were_seen_now() -> None:
    missed_ticks = about(first_seen=None, last=None, is_running=False)

    due, *_, last = why_ahead(missed_ticks, at("16 14:35")).sentences
    assert due == "db.lag is due at 14:35 (every 10m)."
    assert last == f"{UNSEEN} This is as if that were now."


def test_slot_to_come_at_a_time_of_its_own_is_the_same_whenever_the_job_is_first_seen() -> None:
    missed_ticks = about(make_job(every={"cron": "0 15 * * *"}), first_seen=None, last=None, is_running=False)

    assert UNSEEN not in " ".join(why_ahead(missed_ticks, at("16 15:00")).sentences)


def test_what_an_event_moves_on_was_perhaps_seen_before() -> None:
    day = timedelta(days=1)
    awaited = replace(make_rule(), trigger=Absence(day, day, WORDS.policy.hours))

    assert why_unrecorded(about(awaited), at("09 12:00"), None).sentences[1] == (
        "What it waits for came last, or it was first seen, at Tue 10 Nov 00:00."
    )


def test_what_an_event_moved_on_since_is_told_after_what_came_before_that() -> None:
    day = timedelta(days=1)
    awaited = replace(make_rule(), trigger=Absence(day, day, WORDS.policy.hours))
    said = why_unrecorded(
        about(awaited, first_seen=at("16 14:20")),
        at("16 13:00"),
        None,
        following=RecordWithMessages(record(Verdict.QUIET)),
    )

    assert said.sentences == (
        "No slot of db.lag is known at 13:00 or before it.",
        "After that, 14:00: quiet.",
        "What it waits for came last, or it was first seen, at 14:20.",
    )


def test_missing_record_is_told_with_the_one_before() -> None:
    before = RecordWithMessages(record(Verdict.QUIET, slot=at("16 13:50")))

    assert "Before that, 13:50: quiet." in why_unrecorded(about(), NOW, SLOT, before=before).sentences


# --- a slot to come


@pytest.mark.parametrize(
    ("subject", "time", "sentences"),
    [
        (
            about(),
            "16 17:05",
            [
                "db.lag is due at 17:00 (every 10m).",
                (
                    "As things stand it will run, within its working hours mon-fri 9:00-18:00, and may speak: "
                    "0 of 3 alerts are used by then."
                ),
            ],
        ),
        (
            about(),
            "16 18:05",
            [
                "db.lag is due at 18:00 (every 10m).",
                "It will not run: off hours until Tue 17 Nov 09:00 (its working hours are mon-fri 9:00-18:00).",
                "It runs next at 14:30 (every 10m).",
            ],
        ),
        (
            about(state=State(alerts=SPENT)),
            "16 15:00",
            [
                "db.lag is due at 15:00 (every 10m).",
                "It will not run: 3 of 3 alerts since 14:02, until 15:20.",
                "It runs next at 15:20 (every 10m).",
            ],
        ),
        (
            about(pause=Pause()),
            "16 15:00",
            [
                "db.lag is due at 15:00 (every 10m).",
                "It will not run: paused until resumed.",
                "It does not run before it is resumed.",
            ],
        ),
        (
            about(mute=lambda _: reasons_of("muted until 16:00 by ann")[0]),
            "16 15:00",
            ["db.lag is due at 15:00 (every 10m).", "It will run, and say nothing: muted until 16:00 by ann."],
        ),
        (
            about(make_job(policy=make_policy(mutes=True)), state=State(alerts=SPENT)),
            "16 15:00",
            [
                "db.lag is due at 15:00 (every 10m).",
                "It will run, and post nothing: 3 of 3 alerts since 14:02, until 15:20.",
            ],
        ),
        (
            about(make_job(policy=make_policy(max_alert=0))),
            "16 14:26",
            ["db.lag is due at 14:30 (every 10m).", "As things stand it will run, and may speak without a limit."],
        ),
        (
            about(make_job(every={"at": "2026-11-16T12:00"})),
            "16 15:00",
            ["db.lag is never due again, as things stand (at 2026-11-16 12:00)."],
        ),
        (about(make_rule("db.lag")), "16 15:00", ["db.lag runs on disk.full, at no time of its own."]),
        (about(None), "16 15:00", ["No plugin has db.lag any more: it will not run."]),
    ],
)
def test_what_will_decide_about_a_slot_to_come(subject: JobFacts, time: str, sentences: list[str]) -> None:
    assert list(why_ahead(subject, at(time)).sentences) == sentences


# --- now


@pytest.mark.parametrize(
    ("subject", "sentences"),
    [
        (about(), ["db.lag is active.", "It runs next at 14:30 (every 10m)."]),
        (
            about(state=State(alerts=SPENT)),
            [
                "db.lag does not run: it rests, 3 of 3 alerts since 14:02, until 15:20.",
                "It runs next at 15:20 (every 10m).",
            ],
        ),
        (
            about(pause=Pause(at("16 15:00")), mute=lambda _: reasons_of("quiet window move, until 16:00")[0]),
            [
                "db.lag does not run: it is paused until Mon 16 Nov 15:00; `slack-alert resume db.lag` lets it run.",
                "db.lag says nothing: quiet window move, until 16:00.",
                "It runs next at 15:00 (every 10m).",
            ],
        ),
        (
            about(make_job(policy=make_policy("9:00-12:00"))),
            [
                "db.lag does not run: off hours until Tue 17 Nov 09:00 (its working hours are 9:00-12:00).",
                "It runs next at Tue 17 Nov 09:00 (every 10m).",
            ],
        ),
        (
            about(state=State(errors=SPENT), going=(at("16 14:20"), at("16 14:20:01"))),
            [
                "Errors of db.lag are not told: 3 of 3 errors since 14:02, until 15:20.",
                "db.lag is active.",
                "Its run of 14:20 goes on, since 14:20:01.",
                "It runs next at 14:30 (every 10m).",
            ],
        ),
        (
            about(state=State(alerts=Quota((at("16 14:00"),)), withheld=4, withheld_since=at("16 13:02"))),
            [
                "db.lag is active.",
                "1 of 3 alerts within 1h are used.",
                "4 alerts were withheld since 13:02.",
                "It runs next at 14:30 (every 10m).",
            ],
        ),
        (about(None), ["No plugin has db.lag any more, so it does not run."]),
        (
            about(is_running=False),
            [
                "slack-alert is not running: this is as if it were started now.",
                "db.lag is active.",
                "It runs next at 14:30 (every 10m).",
            ],
        ),
    ],
)
def test_how_a_job_stands_is_told_with_everything_that_holds(subject: JobFacts, sentences: list[str]) -> None:
    assert list(why_now(subject, []).sentences) == [*sentences, "No slot of it is recorded."]


LATE = "TimeoutError: took longer than 5s (timeout)"


@pytest.mark.parametrize(
    ("line", "goes_on"),
    [
        (record(Verdict.TIMED_OUT, slot=at("16 14:20"), error=LATE), False),
        (record(Verdict.MUTED, slot=at("16 14:20"), error=LATE), False),
        (record(Verdict.MUTED, slot=at("16 14:10"), error=LATE), True),
        (record(Verdict.QUIET, slot=at("16 14:22"), asked_by="ann"), True),
        (record(Verdict.OVERLAPPED, ran=None, slot=at("16 14:22")), True),
    ],
)
def test_run_that_is_recorded_goes_on_no_more(line: Record, goes_on: bool) -> None:
    subject = about(going=(at("16 14:20"), at("16 14:20:01")))

    assert (
        "Its run of 14:20 goes on, since 14:20:01." in why_now(subject, [RecordWithMessages(line)]).sentences
    ) == goes_on


@pytest.mark.parametrize(
    ("incident", "sentence"),
    [
        (
            Incident(at("16 14:00"), at("16 14:20"), 3, "lag 9 s", told=at("16 14:10")),
            "An incident goes on since 14:00 (20m, 3 alerts), said at 14:10; it last said “lag 9 s”.",
        ),
        (
            Incident(
                at("16 14:00"), at("16 14:20"), 3, told=at("16 14:10"), acknowledged_by="ann",
                acknowledged_at=at("16 14:11"),
            ),
            "An incident goes on since 14:00 (20m, 3 alerts), said at 14:10; acknowledged by ann at 14:11.",
        ),
        (
            Incident(at("16 14:20"), at("16 14:20")),
            "An incident goes on since 14:20 (1s, 1 alert), not told yet: from alert 3 in a row on.",
        ),
        (
            Incident(at("16 14:00"), at("16 14:20"), 3, told=at("16 14:00"), over=at("16 14:25")),
            "Its incident is over since 14:25 (25m, 3 alerts), which is told with its next run that may speak.",
        ),
    ],
)  # fmt: skip
def test_incident_that_goes_on_is_told(incident: Incident, sentence: str) -> None:
    policy = replace(make_policy(), repeat_policy=RepeatPolicy(after=3))

    assert sentence in why_now(about(make_job(policy=policy), state=State(incident=incident)), []).sentences


OUTSIDE = "db.lag is run from outside (`slack-alert exec`): when it runs next is not known here."


def test_what_something_else_runs_is_told_with_its_last_runs() -> None:
    subject = about(None, first_seen=None, last=None, is_running=False)

    assert why_now(subject, [RecordWithMessages(record(Verdict.QUIET))]).sentences == (
        OUTSIDE,
        "Its last runs, the newest first:",
        "14:00: quiet.",
    )
    assert why_ahead(subject, at("16 16:00")).sentences == (OUTSIDE,)
    assert OUTSIDE in why_unrecorded(subject, at("16 13:00"), None).sentences


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (record(Verdict.QUIET), "It ran for 0.25s and had nothing to say."),
        (
            record(Verdict.INTERRUPTED, error="interrupted\n"),
            "Its `exec` was killed, or the machine went down: how it ended is not known.",
        ),
    ],
)
def test_a_run_from_outside_was_not_due(line: Record, sentence: str) -> None:
    first, second, *_ = explain_slot(about(None, first_seen=None), RecordWithMessages(line), line.slot)

    assert (first, second) == ("db.lag was run from outside (`slack-alert exec`) at 14:00.", sentence)


def test_last_slots_are_told_the_newest_first() -> None:
    latest = [RecordWithMessages(record(Verdict.QUIET, slot=at(f"16 14:{minute}"))) for minute in ("00", "10")]

    assert why_now(about(), latest).sentences[-3:] == (
        "Its last slots, the newest first:",
        "14:10: quiet.",
        "14:00: quiet.",
    )


# --- times


@pytest.mark.parametrize(
    ("every", "time", "slot"),
    [
        ({"minutes": 10}, "16 14:05", "16 14:00"),
        ({"minutes": 10}, "16 14:00", "16 14:00"),
        ({"cron": "0 9 * * *"}, "16 08:59", "15 09:00"),
        ({"cron": "0 9 1 1 *"}, "16 08:59", None),
        ({"at": "2026-11-16T09:00"}, "16 08:59", None),
    ],
)
def test_slot_before_a_time_is_found_wherever_it_is(every: dict[str, object], time: str, slot: str | None) -> None:
    found = slot_before(make_job(every=every), at(time), anchor=at("10 00:00"))
    new_year = datetime(2026, 1, 1, 9, tzinfo=BERLIN) if every.get("cron") == "0 9 1 1 *" else None

    assert found == (at(slot) if slot else new_year)


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.0001, "0.001s"), (0.2504, "0.25s"), (1.234, "1.23s"), (61, "1m1s")]
)
def test_duration_of_a_run_is_written_as_exactly_as_it_is_worth(seconds: float, written: str) -> None:
    assert format_run_time(timedelta(seconds=seconds)) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a", "“a”"),
        ("a\nb", "“a…”"),
        ("a\n\n", "“a”"),
        ("x" * 90, f"“{'x' * 80}…”"),
        ("", "“”"),
        ("```\nname  free\n/var  9\n```", "“name  free…”"),
    ],
)
def test_long_text_is_quoted_by_its_beginning(text: str, written: str) -> None:
    assert quoted(text) == written
