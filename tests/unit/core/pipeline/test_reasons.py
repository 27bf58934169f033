"""The sentences of reasons: each code has one, with its numbers."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.pipeline.reasons import reason_text
from tests.fakes.engine_rig import BERLIN, at
from tests.fakes.reasons import reasons_of, why

SLOT = at("16 14:00")
MINUTE = timedelta(minutes=1)
NOON, ONE = at("16 12:00"), at("16 13:00")

SENTENCES = [
    (Reason(ReasonCode.OFF_HOURS, what="mon-fri 9:00-18:00; sat 9:00-12:00"),
     "outside mon-fri 9:00-18:00; sat 9:00-12:00"),
    (Reason(ReasonCode.QUOTA, NOON, ONE, count=3, limit=3), "3 of 3 alerts since 12:00, until 13:00"),
    (Reason(ReasonCode.QUOTA, NOON, at("17 09:00"), count=1, limit=1),
     "1 of 1 alert since Mon 16 Nov 12:00, until Tue 17 Nov 09:00"),
    (Reason(ReasonCode.ERROR_QUOTA, NOON, ONE, count=2, limit=2), "2 of 2 errors since 12:00, until 13:00"),
    (Reason(ReasonCode.THROTTLED, NOON, ONE, count=3, limit=3, length=timedelta(minutes=10)),
     "throttled: 3 of 3 events in 10m, until 13:00"),
    (Reason(ReasonCode.PAUSED, until=ONE, by="ann"), "paused by ann until Mon 16 Nov 13:00"),
    (Reason(ReasonCode.PAUSED), "paused until resumed"),
    (Reason(ReasonCode.OVERLAPPED, NOON), "the run of 12:00 was going on"),
    (Reason(ReasonCode.UNWRITTEN, NOON), "the run of 12:00 was waiting to be written down"),
    (Reason(ReasonCode.STUCK, NOON), "the run of 12:00 was given up, and its function had not returned"),
    (Reason(ReasonCode.MISSED, NOON, ONE, what="down"),
     "because the program was not running from Mon 16 Nov 12:00 to 13:00"),
    (Reason(ReasonCode.MISSED, None, ONE, count=1, what="stalled", length=MINUTE),
     "by 1m, because the program stood still until Mon 16 Nov 13:00"),
    (Reason(ReasonCode.MISSED, NOON, ONE, count=2, what="asleep", length=MINUTE),
     "by up to 1m, because the machine was asleep from Mon 16 Nov 12:00 to 13:00"),
    (Reason(ReasonCode.CAUGHT_UP, NOON, ONE, what="down", length=MINUTE),
     "caught up 1m late, because the program was not running from Mon 16 Nov 12:00 to 13:00"),
    (Reason(ReasonCode.LOST), "a kill came before it was written what became of it"),
    (Reason(ReasonCode.MUTED, until=at("16 15:00"), by="ann"), "muted until 15:00 by ann"),
    (Reason(ReasonCode.ALL_MUTED, until=at("17 15:00"), by="ann"), "all jobs muted until Tue 17 Nov 15:00 by ann"),
    (Reason(ReasonCode.QUIET_WINDOW, until=at("16 15:00"), what="move"), "quiet window move, until 15:00"),
    (Reason(ReasonCode.QUIET_WINDOW, what="move"), "quiet window move,"),
    (Reason(ReasonCode.UNCHANGED), "said already, unchanged"),
    (Reason(ReasonCode.EARLY, count=1, limit=3), "alert 1 in a row, told from 3 on"),
    (Reason(ReasonCode.ACKNOWLEDGED, by="ann"), "acknowledged by ann"),
    (Reason(ReasonCode.REMINDER, length=4 * 60 * MINUTE), "reminder after 4h"),
    (Reason(ReasonCode.ESCALATED, what="@lead"), "escalated to @lead"),
    (Reason(ReasonCode.RECOVERED, count=1, length=MINUTE), "recovered after 1m, 1 alert"),
    (Reason(ReasonCode.RETRIED, count=3, limit=3), "attempt 3 of 3"),
    (Reason(ReasonCode.SLOW, length=timedelta(seconds=12.4), usual=timedelta(seconds=3.1)),
     "took 12.4 s, usually 3.1 s"),
    (Reason(ReasonCode.ABSENT, NOON, what="backup.done"), "no backup.done since Mon 16 Nov 12:00"),
    (Reason(ReasonCode.CAME, what="backup.done"), "backup.done came"),
    (Reason(ReasonCode.THROTTLED, NOON, ONE, count=3, limit=3, length=MINUTE),
     "throttled: 3 of 3 events in 1m, until 13:00"),
    (Reason(ReasonCode.RESTARTED, length=MINUTE), "started again after 1 min"),
    (Reason(ReasonCode.GIVEN_UP, count=3), "given up at the failure 3 within a minute"),
    (Reason(ReasonCode.ENDED, what="returned"), "ended: returned"),
    (Reason(ReasonCode.OTHER, what="bob may not"), "bob may not"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "sentence"), SENTENCES)
def test_a_reason_is_one_sentence_with_its_numbers(reason: Reason, sentence: str) -> None:
    assert reason_text(reason, BERLIN, SLOT) == sentence


def test_every_code_has_its_sentence() -> None:
    assert {reason.code for reason, _ in SENTENCES} == set(ReasonCode)


@pytest.mark.parametrize(
    ("zone", "shown"), [("", "12:00"), ("Europe/Berlin", "12:00"), ("Asia/Tokyo", "20:00"), ("Nowhere/Here", "12:00")]
)
def test_times_are_those_of_the_job(zone: str, shown: str) -> None:
    reason = Reason(ReasonCode.OVERLAPPED, NOON, zone=zone)

    assert reason_text(reason, ZoneInfo("Europe/Berlin"), SLOT) == f"the run of {shown} was going on"


# --- what former versions wrote


@pytest.mark.parametrize("sentence", [sentence for _, sentence in SENTENCES])
@pytest.mark.parametrize(
    "more", ["", "; attempt 2 of 3", "; no backup.done since Mon 16 Nov 12:00; took 2 s, usually 1 s"]
)
def test_a_sentence_of_a_former_version_is_told_as_it_was_written(sentence: str, more: str) -> None:
    assert why(reasons_of(sentence + more)) == sentence + more


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("outside 9:00-12:00; sat 9:00-10:00", [(ReasonCode.OFF_HOURS, "", "9:00-12:00; sat 9:00-10:00")]),
        ("paused by ann until Mon 23 Nov 14:00", [(ReasonCode.PAUSED, "ann", "")]),
        ("paused until resumed", [(ReasonCode.PAUSED, "", "")]),
        ("muted until 13:00 by until by ann", [(ReasonCode.MUTED, "until by ann", "")]),
        ("muted until 13:00:30 by ann; attempt 2 of 3", [(ReasonCode.MUTED, "ann", ""), (ReasonCode.OTHER, "", "")]),
        ("all jobs muted until 13:00 by bob", [(ReasonCode.ALL_MUTED, "bob", "")]),
        ("quiet window night, until 06:00", [(ReasonCode.QUIET_WINDOW, "", "night")]),
        ("said already, unchanged", [(ReasonCode.UNCHANGED, "", "")]),
        (
            "acknowledged by ann; took 2 s, usually 1 s",
            [(ReasonCode.ACKNOWLEDGED, "ann", ""), (ReasonCode.OTHER, "", "")],
        ),
        (
            "recovered after 10m, 1 alert; muted until 13:00 by ann",
            [(ReasonCode.RECOVERED, "", ""), (ReasonCode.MUTED, "ann", "")],
        ),
        (
            "recovered after 10m, 1 alert; quiet window move, until 13:00",
            [(ReasonCode.RECOVERED, "", ""), (ReasonCode.QUIET_WINDOW, "", "move")],
        ),
        ("3 of 3 alerts since 12:00, until 13:00", [(ReasonCode.OTHER, "", "")]),
        ("bob may not", [(ReasonCode.OTHER, "", "")]),
        ("", []),
    ],
)
def test_what_programs_ask_of_a_reason_is_read_from_a_former_sentence(
    sentence: str, expected: list[tuple[ReasonCode, str, str]]
) -> None:
    assert [(reason.code, reason.by, reason.what) for reason in reasons_of(sentence)] == expected
