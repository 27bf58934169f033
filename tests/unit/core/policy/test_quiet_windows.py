from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.errors import BadValue
from slack_alert.core.pipeline.reasons import reason_text
from slack_alert.core.policy.mutes import EVERY, Mute, active_mute, merge_adjoining, mute_reason
from slack_alert.core.policy.quiet_windows import FORMS, QuietWindow, window_reason
from tests.fakes.engine_rig import BERLIN, at
from tests.fakes.reasons import why


def window(text: str, zone: ZoneInfo = BERLIN) -> QuietWindow:
    return QuietWindow("maintenance", text, zone)


def turns(text: str, since: str, number: int = 3) -> list[str]:
    """Return the first occurrences from an instant on, in wall time with the UTC offset."""
    begin = datetime.fromisoformat(since).replace(tzinfo=BERLIN)
    found = islice(window(text).occurrences(begin), number)
    return [" to ".join(edge.astimezone(BERLIN).strftime("%a %d %b %H:%M%z") for edge in turn) for turn in found]


@pytest.mark.parametrize(
    ("text", "since", "expected"),
    [
        (
            "sat 02:00-04:00",
            "2026-11-16",
            ["Sat 21 Nov 02:00+0100 to Sat 21 Nov 04:00+0100", "Sat 28 Nov 02:00+0100 to Sat 28 Nov 04:00+0100"],
        ),
        ("2026-12-24", "2026-11-16", ["Thu 24 Dec 00:00+0100 to Fri 25 Dec 00:00+0100"]),
        ("2026-12-24..2026-12-26", "2026-11-16", ["Thu 24 Dec 00:00+0100 to Sun 27 Dec 00:00+0100"]),
        ("2026-12-24 .. 2026-12-26", "2026-11-16", ["Thu 24 Dec 00:00+0100 to Sun 27 Dec 00:00+0100"]),
        ("2026-12-24 10:00-12:00", "2026-11-16", ["Thu 24 Dec 10:00+0100 to Thu 24 Dec 12:00+0100"]),
        ("2026-12-24 22:00-06:00", "2026-11-16", ["Thu 24 Dec 22:00+0100 to Fri 25 Dec 06:00+0100"]),
        ("2026-12-24 0:00-24:00", "2026-11-16", ["Thu 24 Dec 00:00+0100 to Fri 25 Dec 00:00+0100"]),
        (
            "2026-12-24..2026-12-25 10:00-12:00",
            "2026-11-16",
            ["Thu 24 Dec 10:00+0100 to Thu 24 Dec 12:00+0100", "Fri 25 Dec 10:00+0100 to Fri 25 Dec 12:00+0100"],
        ),
        # Parts that touch are one.
        ("2026-12-24; 2026-12-25 0:00-1:00", "2026-11-16", ["Thu 24 Dec 00:00+0100 to Fri 25 Dec 01:00+0100"]),
        # It has begun already.
        ("2026-11-16..2026-11-17", "2026-11-17", ["Tue 17 Nov 00:00+0100 to Wed 18 Nov 00:00+0100"]),
        # The hour that comes twice, and the one that never comes.
        ("2026-10-25 2:00-3:00", "2026-10-24", ["Sun 25 Oct 02:00+0200 to Sun 25 Oct 03:00+0100"]),
        ("sun 2:00-3:00", "2026-10-24", ["Sun 25 Oct 02:00+0200 to Sun 25 Oct 03:00+0100"]),
        ("2026-03-29 2:00-3:00", "2026-03-28", []),
        ("2026-03-29 1:30-2:30", "2026-03-28", ["Sun 29 Mar 01:30+0100 to Sun 29 Mar 03:00+0200"]),
        ("2026-03-29", "2026-03-28", ["Sun 29 Mar 00:00+0100 to Mon 30 Mar 00:00+0200"]),
    ],
)
def test_window_holds_when_its_parts_say(text: str, since: str, expected: list[str]) -> None:
    assert turns(text, since, len(expected) or 1) == expected


def test_weekly_and_dated_parts_add_up() -> None:
    """Thursday's night adjoins the day that is quiet as a whole."""
    assert turns("thu 22:00-06:00; 2026-12-25", "2026-12-22", 2) == [
        "Thu 24 Dec 22:00+0100 to Sat 26 Dec 00:00+0100",
        "Thu 31 Dec 22:00+0100 to Fri 01 Jan 06:00+0100",
    ]


def test_window_ends_where_its_end_is() -> None:
    quiet = window("mon 9:00-10:00")

    assert [quiet.contains(at(time)) for time in ("16 08:59:59", "16 09:00", "16 09:59:59", "16 10:00")] == [
        False, True, True, False,
    ]  # fmt: skip


def test_window_in_the_past_never_changes_again() -> None:
    assert window("2026-11-15").next_change(at("16 00:00")) is None


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("", "'': there is an empty part (a semicolon too many)", FORMS),
        ("sat 02:00-04:00;", "'sat 02:00-04:00;': there is an empty part (a semicolon too many)", FORMS),
        ("sat", "'sat' has no window", FORMS),
        ("always", "'always': it never ends", FORMS),
        ("mon-sun 0:00-24:00", "'mon-sun 0:00-24:00': it never ends", FORMS),
        ("sat 2-4", "'sat 2-4': '2-4' is not a window", FORMS),
        (
            "sta 02:00-04:00",
            "'sta 02:00-04:00': 'sta' is not a day of the week",
            "Did you mean sat? Allowed: mon, tue, wed, thu, fri, sat, sun.",
        ),
        ("christmas", "'christmas' has no window", FORMS),
        ("2026-02-30", "'2026-02-30': there is no day 2026-02-30", FORMS),
        ("24.12.2026", "'24.12.2026': it is neither a weekly nor a dated window", FORMS),
        ("12/24/2026", "'12/24/2026': it is neither a weekly nor a dated window", FORMS),
        ("2026-12-24 - 2026-12-26", "'2026-12-24 - 2026-12-26': it is neither a weekly nor a dated window", FORMS),
        ("2026-12-24 mon 9:00-10:00", "'2026-12-24 mon 9:00-10:00': it is neither a weekly nor a dated window", FORMS),
        ("2026-12-26..2026-12-24", "'2026-12-26..2026-12-24': its days run backwards", FORMS),
        ("2026-01-01..2028-01-01", "'2026-01-01..2028-01-01': it is longer than a year", FORMS),
        ("9999-12-31", "'9999-12-31': the calendar ends there", FORMS),
        ("2026-12-24 10-12", "'10-12' is not a window", FORMS),
        ("2026-12-24 9:00-10:00,", "'2026-12-24 9:00-10:00,': there is an empty window (a comma too many)", FORMS),
        (
            "2026-12-24 25:00-26:00",
            "'25:00-26:00' holds a time that no clock shows",
            "A window begins between 0:00 and 23:59 and ends by 24:00; 22:00-06:00 crosses midnight.",
        ),
    ],
)
def test_window_that_means_nothing_is_refused_with_what_to_write(text: str, said: str, hint: str) -> None:
    with pytest.raises(BadValue) as raised:
        window(text)

    assert (str(raised.value), raised.value.hint) == (f"quiet window maintenance: {said}", hint)


def mute(since: str, until: str, by: str = "ann", job: str = "db.lag") -> Mute:
    return Mute(job, at(since), at(until), by)


TWICE = [mute("16 12:00", "16 13:00"), mute("16 12:30", "16 14:00", "bob")]
SHORTENED = [mute("16 12:00", "16 15:00"), mute("16 12:30", "16 13:00", "bob")]
ENDED = [mute("16 12:00", "16 15:00"), mute("16 12:30", "16 12:30", "bob")]
APART = [mute("16 12:00", "16 13:00"), mute("16 14:00", "16 15:00", "bob")]


@pytest.mark.parametrize(
    ("mutes", "instant", "by"),
    [
        (TWICE, "16 11:59", None),
        (TWICE, "16 12:00", "ann"),
        (TWICE, "16 12:30", "bob"),
        (TWICE, "16 13:30", "bob"),
        (TWICE, "16 14:00", None),
        (SHORTENED, "16 13:00", None),
        (ENDED, "16 12:29", "ann"),
        (ENDED, "16 12:30", None),
        (APART, "16 13:30", None),
    ],
)
def test_later_mute_takes_the_place_of_the_earlier_one(mutes: list[Mute], instant: str, by: str | None) -> None:
    found = active_mute(mutes, at(instant))

    assert (found.by if found else None) == by


@pytest.mark.parametrize(
    ("mutes", "expected"),
    [
        (TWICE, [mute("16 12:00", "16 14:00", "bob")]),
        (SHORTENED, [mute("16 12:00", "16 13:00", "bob")]),
        (ENDED, [mute("16 12:00", "16 12:30", "ann")]),
        (APART, APART),
        ([mute("16 12:00", "16 12:00")], [mute("16 12:00", "16 12:00")]),
    ],
)
def test_mutes_that_follow_upon_each_other_are_one_silence(mutes: list[Mute], expected: list[Mute]) -> None:
    assert merge_adjoining(mutes) == expected


@pytest.mark.parametrize(
    ("given", "slot", "expected"),
    [
        (mute("16 12:00", "16 13:00"), "16 12:10", "muted until 13:00 by ann"),
        (mute("16 12:00", "16 13:00:30"), "16 12:10", "muted until 13:00:30 by ann"),
        (mute("16 12:00", "17 09:00"), "16 12:10", "muted until Tue 17 Nov 09:00 by ann"),
        (mute("16 12:00", "16 13:00", job=EVERY), "16 12:10", "all jobs muted until 13:00 by ann"),
    ],
)
def test_reason_of_a_mute_says_until_when_and_by_whom(given: Mute, slot: str, expected: str) -> None:
    assert why((mute_reason(given),), at(slot)) == expected


def test_reason_of_a_window_says_which_and_until_when() -> None:
    reason = window_reason(window("mon 2:00-4:00"), at("16 02:10"))

    assert why((reason,), at("16 02:10")) == "quiet window maintenance, until 04:00"


def test_times_are_those_of_the_zone() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    quiet = window("mon 2:00-4:00", tokyo)
    slot = datetime(2026, 11, 16, 3, 59, tzinfo=tokyo)

    assert (quiet.contains(slot), quiet.contains(slot + timedelta(minutes=1))) == (True, False)
    assert reason_text(window_reason(quiet, slot), tokyo, slot) == "quiet window maintenance, until 04:00"
