from __future__ import annotations

import re
import struct
import sys
import zlib
from datetime import timedelta

import pytest

from slack_alert.charts import NoPicture, render_png
from slack_alert.charts.panels import panels
from slack_alert.charts.xml_text import xml_safe
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.report.aggregate import summaries
from slack_alert.core.report.layout import Report
from slack_alert.core.report.statistics import Period
from tests.fakes.engine_rig import BERLIN, MINUTE, at

SPAN = Period(at("16 10:00"), at("16 11:00"))
#: Each chart has a name of its own, which nobody sees.
_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ODD = {"a\x00<b>\ud800": 1.0, **{str(n): 1e308 for n in range(30)}}


def ran(minute: int, job: str = "db.lag", verdict: Verdict = Verdict.SAID, **fields: object) -> Record:
    record = Record(1, job, SPAN.since + minute * MINUTE, verdict, duration=timedelta(seconds=minute / 10))
    return record._replace(**fields)  # type: ignore[arg-type]  # each test names what it is about


def drawn(*records: Record) -> bytes:
    return render_png(Report("All jobs", SPAN, BERLIN, summaries(records, SPAN)))


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def ink(png: bytes) -> int:
    """Return how much of a picture is drawn: an empty one compresses to nearly nothing."""
    packed = png[png.index(b"IDAT") + 4 :]
    return len(zlib.compress(packed))


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize(
    ("records", "height"),
    [
        pytest.param(
            [ran(3, numbers={"": 5}), ran(9, numbers={"": 7})],
            858,
            id="one job with a number",
            marks=pytest.mark.thorough,
        ),
        pytest.param([ran(3, numbers=ODD), ran(4, numbers={"0": -1e308})], 858, id="odd and great numbers"),
        pytest.param([*(ran(n, f"db.job{n}") for n in range(30)), ran(1, "数据.<b>&" * 40)], 1058, id="many jobs"),
        pytest.param(
            [ran(3, verdict=Verdict.PAUSED, duration=None)], 608, id="nothing ran", marks=pytest.mark.thorough
        ),
    ],
)
def test_a_report_is_a_picture_as_tall_as_it_needs(records: list[Record], height: int) -> None:
    png = drawn(*records)

    assert size(png) == (1920, 2 * height)
    assert ink(png) > 10_000


def test_the_same_report_is_the_same_picture_and_drawing_leaves_the_import_of_others_alone() -> None:
    report = Report("All jobs", SPAN, BERLIN, summaries([ran(3)], SPAN))

    one, other = ([_NAME.sub("", svg) for svg, _ in panels(report, width=960, family="Arial")] for _ in range(2))

    assert one == other
    assert [finder for finder in sys.meta_path if type(finder).__module__.startswith("pygal")] == []


def test_where_no_font_is_found_there_is_no_picture_and_a_hint() -> None:
    report = Report("All jobs", SPAN, BERLIN, summaries([ran(3)], SPAN))
    with pytest.raises(NoPicture, match=r"this machine has no font .*: install one"):
        render_png(report, fonts=("No Such Font",))


@pytest.mark.parametrize(
    ("text", "expected"), [("a<b", "a<b"), ("\x00\x1b[1m", "\ufffd\ufffd[1m"), ("\ud800é中🙂", "\ufffdé中🙂")]
)
def test_what_no_picture_can_hold_is_replaced(text: str, expected: str) -> None:
    assert xml_safe(text) == expected
