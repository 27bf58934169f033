"""The benchmarks run: a tiny one, of the program alone, so that their code does not rot unseen."""

from __future__ import annotations

import sys
import time
from random import Random

import pytest

from benchmarks import trip
from benchmarks.fire import watched
from benchmarks.killing.check import findings, slots, words
from benchmarks.killing.lives import perform
from benchmarks.report import Row
from benchmarks.site import SPEAKING, Jobs, site
from benchmarks.slack import Slack
from benchmarks.subjects import product

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read the kernel's clock of a process")


@pytest.mark.slow
def test_what_functions_return_is_noted_and_reaches_the_fake_slack() -> None:
    with Slack() as slack, site(Jobs(3, SPEAKING, "seconds=0.2"), url=slack.url) as place:
        microseconds = watched(place, product(), "AsyncIOScheduler", 0.5, settle_seconds=0.3)
        said = place.notes[-1].said()

    assert microseconds > 0
    assert {text for _, text in slack.received} == said
    assert len(said) >= 6


@pytest.mark.slow
@pytest.mark.thorough
def test_a_program_that_is_killed_twice_loses_nothing_it_said_or_set() -> None:
    story = perform("AsyncIOScheduler", 3, 2, last_seconds=0.5)

    assert story.kills == 2
    assert words(story) >= 6
    assert slots(story) >= 20
    assert {one.kind: str(one) for one in findings(story) if not one.kind.startswith("slots")} == {}


@pytest.mark.slow
def test_all_of_it_arrives_once_while_calls_to_the_fake_slack_fail_at_random() -> None:
    with Slack() as slack:
        slack.flaky, slack.chance = 0.3, Random(2)
        with site(Jobs(1, SPEAKING, "seconds=0.2"), url=slack.url) as place:
            with place.start(product(), "AsyncIOScheduler"):
                while len(slack.received) < 4:
                    time.sleep(0.01)
                place.notes[-1].silence()
            said = place.notes[-1].said()  # it ends when everything is sent

    assert sorted(text for _, text in slack.received) == sorted(said)
    assert slack.posts > len(said)


@pytest.mark.parametrize(
    ("figure", "bar", "is_floor", "expected"),
    [
        (0.5, 0.5, False, True),
        (0.6, 0.5, False, False),
        (4.0, 4, True, True),
        (3.9, 4, True, False),
        (9, None, False, True),
    ],
)
def test_a_row_says_whether_its_bar_is_met(figure: float, bar: float | None, *, is_floor: bool, expected: bool) -> None:
    assert Row("rate", figure, bar, "", is_floor=is_floor).is_met == expected


@pytest.mark.slow
@pytest.mark.thorough
def test_the_way_of_a_slot_leads_from_the_scheduler_to_slack_by_the_engine_and_the_store() -> None:
    called = [line.partition(":")[0] for line in trip.files("AsyncIOScheduler")]

    assert {"  schedulers/base.py", "* engine/engine.py", "* stores/sqlite/store.py", "* channels/slack/channel.py"} < {
        *called
    }
    assert not [name for name in called if name[2:].startswith(("cli/", "loader/"))]
