from __future__ import annotations

from datetime import timedelta

from slack_alert.core.schedule import combining
from slack_alert.core.schedule.combining import AnyOf
from slack_alert.core.schedule.cron import Cron
from slack_alert.core.schedule.intervals import Every
from tests.fakes.engine_rig import BERLIN, at


def test_due_times_of_a_long_stretch_are_counted_from_its_beginning() -> None:
    begin = at("16 12:00")
    both = AnyOf((Every(timedelta(seconds=1)), Cron("* * * * *", BERLIN)))
    span = timedelta(minutes=30 * combining._COMPARED)

    assert both.passed(begin, begin + span, begin).count == 30 * combining._COMPARED * 60
