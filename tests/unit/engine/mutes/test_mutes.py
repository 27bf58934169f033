from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pytest

from slack_alert.core.policy.mutes import EVERY, Mute
from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.core.structs import replace
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.mutes.mutes import Mutes, mark_entry
from slack_alert.engine.requests.apply import MUTES_PACK, WINDOWS_PACK, mute_entry
from tests.fakes.engine_rig import BERLIN, at
from tests.fakes.reasons import why

NIGHT = QuietWindow("night", "22:00-06:00", BERLIN)


def mute(since: str, until: str, by: str = "ann", job: str = "db.lag") -> Mute:
    return Mute(job, at(since), at(until), by)


def held(*mutes: Mute, windows: Iterable[QuietWindow] = ()) -> Mutes:
    """Return mutes from entries, as at the start."""
    return Mutes([mute_entry(each) for each in mutes], windows=tuple(windows), zone=BERLIN)


NOON = mute("16 12:00", "16 13:00")
LONG = Mute("db.size", at("16 15:00"), at("16 12:00").replace(year=2036), "ann")
ALL = mute("16 12:30", "16 14:00", "bob", EVERY)


@pytest.mark.parametrize(
    ("job", "slot", "expected"),
    [
        ("db.lag", "16 11:59:59", ""),
        ("db.lag", "16 12:00", "muted until 13:00 by ann"),
        ("db.size", "16 12:00", ""),
        # The job's own mute says more than that of all.
        ("db.lag", "16 12:45", "muted until 13:00 by ann"),
        ("db.size", "16 12:45", "all jobs muted until 14:00 by bob"),
        ("db.lag", "16 13:00", "all jobs muted until 14:00 by bob"),
        ("db.lag", "16 14:00", ""),
        ("db.size", "16 15:30", "muted until 16 Nov 2036 12:00 by ann"),
        ("db.lag", "16 23:00", "quiet window night, until Tue 17 Nov 06:00"),
        ("db.lag", "17 05:59", "quiet window night, until 06:00"),
        ("db.lag", "17 06:00", ""),
    ],
)
def test_reason_says_what_keeps_a_job_quiet(job: str, slot: str, expected: str) -> None:
    reason = held(NOON, ALL, LONG, windows=[NIGHT]).reason(job, at(slot))

    assert why((reason,) if reason else (), at(slot)) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("16 12:10", at("16 13:00")),
        ("16 12:45", at("16 14:00")),
        ("16 15:00", None),
        ("16 23:00", at("17 06:00")),
    ],
)
def test_job_is_quiet_until_the_last_of_what_keeps_it_so_now(now: str, expected: datetime | None) -> None:
    assert held(NOON, ALL, windows=[NIGHT]).until("db.lag", at(now)) == expected


def test_mutes_in_force_and_those_that_are_over_are_named() -> None:
    mutes = held(NOON, ALL)

    assert mutes.muted(at("16 12:45")) == [ALL, NOON]
    assert mutes.ended(at("16 13:00")) == [NOON]


def test_what_the_store_keeps_of_a_mute_that_is_over_is_forgotten_as_a_whole() -> None:
    mutes = held(NOON, mute("16 12:30", "16 12:50"), mute("16 13:30", "16 14:00"))
    (first,) = mutes.ended(at("16 13:30"))

    for entry in mutes.deletions(first):
        mutes.accept(entry)

    assert first == mute("16 12:00", "16 12:50")
    assert mutes.ended(at("16 15:00")) == [mute("16 13:30", "16 14:00")]


def test_mute_is_kept_for_a_while_beyond_its_end() -> None:
    """Its digest is posted when the program comes back, if not too late."""
    entry = mute_entry(NOON)

    assert (entry.pack, entry.key) == (MUTES_PACK, "mute/db.lag/2026-11-16T11:00:00+00:00")
    assert entry.expires == datetime(2026, 12, 16, 12, tzinfo=at("16 13:00").tzinfo)


def test_pack_of_the_mutes_is_none_of_a_plugin_folder() -> None:
    """The loader passes over folders whose names begin with a dot."""
    assert MUTES_PACK.startswith(".")
    assert Mutes([replace(mute_entry(NOON), pack="db")], zone=BERLIN).muted(at("16 12:10")) == []


@pytest.mark.parametrize(
    "entry",
    [
        StoredValue(MUTES_PACK, "mute/db.lag/then", "{}"),
        StoredValue(MUTES_PACK, "mute/db.lag/then", "nonsense"),
        StoredValue(WINDOWS_PACK, "night", '"then"'),
        StoredValue(WINDOWS_PACK, "night", "1"),
    ],
)
def test_what_cannot_be_read_is_left_alone_and_logged(entry: StoredValue, caplog: pytest.LogCaptureFixture) -> None:
    mutes = Mutes([entry, mute_entry(NOON)], zone=BERLIN)

    assert mutes.muted(at("16 12:10")) == [NOON]
    assert [record.message for record in caplog.records] == ["a mute cannot be read"]


def test_marks_of_windows_are_kept_and_taken_away() -> None:
    mutes = Mutes([mark_entry("night", at("16 06:00"))], zone=BERLIN)

    assert mutes.digested_until() == {"night": at("16 06:00")}
    mutes.accept(mark_entry("night", None))
    assert mutes.digested_until() == {}
