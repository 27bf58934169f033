"""The lines of the log: by the clock of the configuration, with the run that is going on."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from slack_alert.cli.logs import JsonForm, TextForm
from slack_alert.core.model.run import Action, Run
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.executors.calling.output import current

AT = datetime(2026, 7, 1, 20, 30, 15, 123456, tzinfo=timezone.utc)
#: Of the same clock, before and after it is put back.
SUMMER, WINTER = datetime(2026, 10, 25, 0, 59, tzinfo=timezone.utc), datetime(2026, 10, 25, 1, 1, tzinfo=timezone.utc)


def record(at: datetime = AT, **words: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "x", "levelname": "WARNING", "levelno": 30, "msg": "said", **words})
    made.created = at.timestamp()
    return made


@pytest.mark.parametrize(
    ("zone", "at", "text", "stamp"),
    [
        ("Asia/Tokyo", AT, "05:30:15", "2026-07-02T05:30:15.123+09:00"),
        ("UTC", AT, "20:30:15", "2026-07-01T20:30:15.123+00:00"),
        ("Europe/Berlin", SUMMER, "02:59:00", "2026-10-25T02:59:00.000+02:00"),
        ("Europe/Berlin", WINTER, "02:01:00", "2026-10-25T02:01:00.000+01:00"),
    ],
)
def test_times_are_in_the_zone_of_the_configuration(zone: str, at: datetime, text: str, stamp: str) -> None:
    forms = [form(Redaction(), ZoneInfo(zone)) for form in (TextForm, JsonForm)]
    lines = [form.format(record(at)) for form in forms]

    assert lines[0] == f"{text} warning said"
    assert json.loads(lines[1])["ts"] == stamp


def test_a_line_names_the_run_that_writes_it() -> None:
    form = JsonForm(Redaction(), timezone.utc)
    token = current.set(Run(7, "db.lag", Action("db.lag", "", 0), AT))
    try:
        written, own = json.loads(form.format(record())), json.loads(form.format(record(job="other", run=1)))
    finally:
        current.reset(token)

    assert (written["job"], written["run"]) == ("db.lag", 7)
    assert (own["job"], own["run"]) == ("other", 1)
    assert "job" not in json.loads(form.format(record()))


@pytest.mark.parametrize(
    "extra",
    [
        {"ts": "x"},
        {"level": "x"},
        {"logger": "x"},
        {"event": "x"},
        {"a": object()},
        {"a": float("nan")},
        {"a": {1: {2}}},
    ],
)
def test_whatever_is_added_to_a_line_it_stays_one_object_with_its_own_fields(extra: dict[str, object]) -> None:
    line = JsonForm(Redaction(), timezone.utc).format(record(AT, **extra))
    read = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    assert (read["level"], read["logger"], read["event"]) == ("warning", "x", "said")
    assert read["ts"].startswith("2026")
    assert "\n" not in line


def test_what_unicode_has_no_character_for_is_spelled() -> None:
    line = JsonForm(Redaction(), timezone.utc).format(record(msg="half \ud800"))

    assert json.loads(line.encode())["event"] == "half \ud800"


def test_a_traceback_is_a_field_and_in_text_the_history_has_it() -> None:
    try:
        raise OSError("on purpose")
    except OSError:
        raised = sys.exc_info()
    line = json.loads(JsonForm(Redaction(["purpose"]), timezone.utc).format(record(exc_info=raised)))

    assert line["traceback"].endswith("OSError: on [secret]")
    assert TextForm(Redaction(), timezone.utc).format(record(traceback="a\nb")) == "20:30:15 warning said"
