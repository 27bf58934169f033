"""The example of the documentation, run as it stands; and what a restart and a crash make of it."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from slack_alert.core.model.record import Verdict
from tests.fakes.program import Program, running
from tests.fakes.slack import FakeSlack

EXAMPLE = """
    import os

    @deco(seconds=2)                 # a job: the outermost decorator is a call with a trigger keyword
    def a():
        return 1                     # goes to the channel

    def b():                         # not a job
        return 2

    @deco2(xx=1)                     # not a job: the marker is not the outermost decorator
    @deco(minutes=2, seconds=30)
    def c():
        return 3
"""
#: As it came with the original, but for the token and the address.
ORIGINAL = """
token = xoxb-test            # your token
channel = test  # where to
username = slack-alert
icon_url = ''
icon_emoji = ':fire:'
working_hours = 9:30-19:00
max_alert = 3
pause_time = 60
api_url = {url}
"""
#: The test runs at any time of day.
ALWAYS = ("--working-hours", "0:00-24:00")
NOTICE = re.compile(r"1\n3 alerts: paused for 60 min, until (\d\d:\d\d)")
KEPT = ("C0TEST", "slack-alert", ":fire:", None)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@dataclass(frozen=True)
class Lived:
    """What became of the example."""

    program: Program
    code: int


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("example") / "program"
    with running(folder, EXAMPLE, ORIGINAL.format(url=slack.url), *ALWAYS) as program:
        program.wait_until(lambda: Verdict.PAUSED in program.verdicts("a"), "the job rests", step=0.2)
        code = program.stop(signal.SIGINT)
        program.start(*ALWAYS)
        time.sleep(2.5)
        program.stop()
        yield Lived(program, code)


class TestExample:
    def test_it_speaks_three_times_and_then_rests_for_an_hour(self, lived: Lived, slack: FakeSlack) -> None:
        texts = [message.text for message in slack.messages]

        assert texts[:2] == ["1", "1"]
        found = NOTICE.fullmatch(texts[2])
        said = [line.record for line in lived.program.history("a") if line.record.verdict is Verdict.SAID]
        assert found is not None, texts
        assert found[1] == f"{said[2].slot + timedelta(hours=1):%H:%M}"
        assert said[2].paused_until == said[2].slot + timedelta(hours=1)

    def test_a_restart_within_the_pause_stays_quiet(self, lived: Lived, slack: FakeSlack) -> None:
        rested = [line.record for line in lived.program.history("a") if line.record.verdict is Verdict.PAUSED]

        assert len(slack.messages) == 3
        assert sum(record.count for record in rested) >= 2
        assert {record.run for record in rested} == {0}

    def test_what_is_not_a_job_is_told_of(self, lived: Lived) -> None:
        assert re.search(r"plugins/jobs\.py:10:1:? .*SA203", lived.program.errors), lived.program.errors
        assert {line.record.binding for line in lived.program.history()} == {"jobs.a"}
        assert "1 job" in lived.program.out

    def test_it_ends_in_order(self, lived: Lived) -> None:
        assert lived.code == 0, lived.program.errors
        assert "Traceback" not in lived.program.errors
        assert "Warning" not in lived.program.errors

    def test_messages_look_as_the_original_configured_them(self, lived: Lived, slack: FakeSlack) -> None:
        assert lived.code == 0
        first = slack.messages[0]
        assert (first.channel, first.username, first.icon_emoji, first.icon_url) == KEPT


def said(program: Program, job: str) -> list[datetime]:
    return [line.record.slot for line in program.history(job) if line.record.verdict is Verdict.SAID]


class TestLives:
    RARE = """
        @deco(seconds=3)
        def rare():
            return "here"

        @deco(seconds=0.5)
        def often():
            pass
    """

    @pytest.mark.thorough
    def test_slots_are_kept_over_shorter_lives_and_one_between_two_runs_at_the_start(self, tmp_path: Path) -> None:
        with running(tmp_path / "program", self.RARE, "scheduler = BackgroundScheduler") as program:
            begun = datetime.now(timezone.utc)
            for end in signal.SIGTERM, signal.SIGKILL:
                time.sleep(0.7)
                program.send(end)
                program.ended()
                program.start()
            program.wait_until(lambda: len(said(program, "rare")) == 1, "it spoke", seconds=4, step=0.2)
            program.stop()
            time.sleep(3)
            restarted = datetime.now(timezone.utc)
            program.start()
            program.wait_until(lambda: len(said(program, "rare")) == 2, "it spoke again", seconds=10)
            first, second = said(program, "rare")

            assert first - begun > timedelta(seconds=2)  # Slots are whole seconds.
            assert (second - first) % timedelta(seconds=3) == timedelta()
            assert second < restarted

    def test_a_run_cut_off_by_a_crash_is_told_with_the_downtime(self, tmp_path: Path) -> None:
        jobs = """
            import time

            @deco(seconds=60, at_start=True)
            def long():
                time.sleep(60)

            @deco(seconds=0.5)
            def often():
                pass
        """
        with running(tmp_path / "program", jobs, "drain_timeout = 0.2\ntimezone = Europe/Berlin") as program:
            time.sleep(1.8)
            program.kill()
            time.sleep(1.2)
            program.start()
            program.wait_until(lambda: "Not running" in program.out, "the downtime is told")
            (cut_off, *_) = program.history("long")

            assert re.search(
                r"Not running from \w{3} \d\d \w{3} \d\d:\d\d:\d\d to \w{3} \d\d \w{3} \d\d:\d\d:\d\d: "
                r"\d+ runs? missed: jobs\.often \(\d+\)\. Cut off: jobs\.long\.\n",
                program.out,
            )
            assert program.out.count("Not running") == 1
            assert cut_off.record.verdict is Verdict.INTERRUPTED
            assert cut_off.record.started is not None
            assert Verdict.MISSED in program.verdicts("often")

    def test_a_second_signal_ends_it_even_where_a_function_stops_the_loop(self, tmp_path: Path) -> None:
        jobs = """
            import time
            from pathlib import Path

            @deco(seconds=60, at_start=True)
            async def rude():
                (Path(__file__).parents[1] / "begun").touch()
                time.sleep(60)
        """
        with running(tmp_path / "program", jobs) as program:
            program.wait_until((program.folder / "begun").exists, "the function began")
            program.send(signal.SIGINT)
            time.sleep(0.2)
            program.send(signal.SIGTERM)

            assert program.ended(seconds=2) == 143
