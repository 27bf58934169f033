"""The same life under each of the four schedulers, as processes of their own: what runs, what is said, how it ends."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest

from slack_alert.core.model import Record, Verdict
from tests.fakes.program import Program
from tests.fakes.slack import FakeSlack

SCHEDULERS = ["AsyncIOScheduler", "BackgroundScheduler", "GeventScheduler", "TornadoScheduler"]
CROWD = 40

JOBS = """
    import asyncio
    import time
    from pathlib import Path

    HERE = Path(__file__).parents[1]

    @deco(seconds=0.4)
    def plain():
        return "from plain"

    @deco(seconds=0.4)
    async def awaited():
        await asyncio.sleep(0.02)
        return "from awaited"

    @deco(seconds=0.4)
    def failing():
        raise ValueError("on purpose")

    @deco(seconds=0.4)
    def speaking():
        yield "first"
        time.sleep(0.01)
        yield "second"

    @deco(seconds=0.2)
    def blocking():
        time.sleep(0.5)

    @deco(seconds=0.1)
    def quick():
        print("printed")

    @deco(seconds=60, at_start=True)
    def last():
        while not (HERE / "ending").exists():
            time.sleep(0.01)
        time.sleep(0.5)
        return "said at last"
"""
CROWDED = "".join(
    f"\n    @deco(seconds=1)\n    def crowd{number}():\n        time.sleep(0.2)\n" for number in range(CROWD)
)
ENDLESS = """
    import asyncio
    import time
    from pathlib import Path

    HERE = Path(__file__).parents[1]

    @deco(seconds=60, at_start=True)
    def endless():
        (HERE / "begun").touch()
        time.sleep(60)

    @deco(seconds=60, at_start=True)
    async def elsewhere():
        await asyncio.to_thread(time.sleep, 60)
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Life:
    """What is left of a process."""

    program: Program
    code: int

    def records(self, job: str) -> list[Record]:
        return [line.record for line in self.program.history(job)]


@dataclass(frozen=True)
class Lives:
    """Three processes under one scheduler."""

    whole: Life
    impatient: Life
    overdue: Life


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    channels = {f"C0{name.upper()}": name.lower() for name in SCHEDULERS}
    with FakeSlack(channels=channels) as fake:
        yield fake


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack) -> Iterator[dict[str, list[Future[Life]]]]:
    """Start all processes at once: most of their time is waiting."""
    folder = tmp_path_factory.mktemp("lives")
    programs: list[Program] = []

    def program(kind: str, scheduler: str, jobs: str, conf: str) -> Program:
        where = f"scheduler = {scheduler}\nchannel = #{scheduler.lower()}\n"
        access = f"token = xoxb-test\napi_url = {slack.url}\nmessages_per_second = 0\nmax_alert = 0\n"
        made = Program(folder / f"{kind}-{scheduler}", jobs, where + access + conf)
        programs.append(made)
        return made

    with ThreadPoolExecutor(12) as pool:
        yield {
            name: [
                pool.submit(_whole, program("whole", name, JOBS + CROWDED, "threads = 32\n")),
                pool.submit(_impatient, program("impatient", name, ENDLESS, "drain_timeout = 30\n")),
                pool.submit(_overdue, program("overdue", name, ENDLESS, "drain_timeout = 0.5\n")),
            ]
            for name in SCHEDULERS
        }
    for each in programs:
        each.kill()


@pytest.fixture(scope="module", params=SCHEDULERS)
def lives(request: pytest.FixtureRequest, begun: dict[str, list[Future[Life]]]) -> Lives:
    return Lives(*(each.result(timeout=40) for each in begun[request.param]))


def _whole(program: Program) -> Life:
    """Run for a while, be stopped like a sleeping laptop, then end in order while a function is running."""
    program.start()
    program.wait_until(lambda: _has_lived(program), "each function ran", seconds=30, step=0.3)
    program.send(signal.SIGSTOP)
    time.sleep(0.6)
    program.send(signal.SIGCONT)
    program.wait_until(lambda: Verdict.MISSED in program.verdicts("quick"), "the stall is seen", step=0.3)
    (program.folder / "ending").touch()
    return _ended(program, signal.SIGTERM)


def _has_lived(program: Program) -> bool:
    """Tell whether every function has shown what it does, some of them a few times."""
    seen = Counter((line.record.binding, line.record.verdict) for line in program.history())
    crowd = {f"jobs.crowd{number}" for number in range(CROWD)}
    return (
        all(seen[f"jobs.{job}", Verdict.SAID] >= 3 for job in ("plain", "awaited", "speaking"))
        and seen["jobs.failing", Verdict.ERROR] >= 3
        and seen["jobs.blocking", Verdict.OVERLAPPED] >= 1
        and crowd <= {job for job, verdict in seen if verdict is Verdict.QUIET}
    )


def _impatient(program: Program) -> Life:
    """Ask twice."""
    program.start()
    program.wait_until((program.folder / "begun").exists, "the function began")
    program.send(signal.SIGINT)
    time.sleep(0.3)
    return _ended(program, signal.SIGINT)


def _overdue(program: Program) -> Life:
    """End while a function hangs, with little time for the drain."""
    program.start()
    program.wait_until((program.folder / "begun").exists, "the function began")
    return _ended(program, signal.SIGTERM)


def _ended(program: Program, number: signal.Signals) -> Life:
    return Life(program, program.stop(number))


class TestFunctions:
    @pytest.mark.parametrize(
        ("job", "text"),
        [("plain", "from plain"), ("awaited", "from awaited"), ("speaking", "first\nsecond")],
    )
    def test_each_kind_runs_and_speaks(self, lives: Lives, job: str, text: str) -> None:
        said = [line for line in lives.whole.program.history(job) if line.record.verdict is Verdict.SAID]

        assert len(said) >= 3, lives.whole.program.errors
        assert {line.record.text for line in said} == {text}
        assert {line.delivery for line in said} == {"sent"}

    def test_what_fails_is_told(self, lives: Lives) -> None:
        failed = [record for record in lives.whole.records("failing") if record.verdict is Verdict.ERROR]

        assert len(failed) >= 3
        assert all("ValueError: on purpose" in (record.error or "") for record in failed)
        assert all("plugins/jobs.py" in record.text for record in failed)

    def test_everything_said_reached_slack_in_order(self, lives: Lives, slack: FakeSlack) -> None:
        outbox = lives.whole.program.outbox()
        name = lives.whole.program.folder.name.partition("-")[2].upper()
        arrived = [each.metadata for each in slack.messages if each.channel == f"C0{name}"]

        assert {each.status.value for each in outbox} == {"sent"}
        keys = [each["event_payload"]["id"] for each in arrived if each is not None]
        assert keys == [each.message.key for each in outbox]

    def test_slots_that_find_the_function_running_are_overlapped(self, lives: Lives) -> None:
        records = lives.whole.records("blocking")

        assert {record.verdict for record in records} >= {Verdict.QUIET, Verdict.OVERLAPPED}

    def test_blocking_functions_run_beside_each_other(self, lives: Lives) -> None:
        for number in range(CROWD):
            quiet = [each for each in lives.whole.records(f"crowd{number}") if each.verdict is Verdict.QUIET]
            assert quiet, f"crowd{number} did not run\n{lives.whole.program.errors}"
            assert all(each.duration and each.duration >= timedelta(seconds=0.19) for each in quiet)

    def test_and_delay_nobody_else(self, lives: Lives) -> None:
        begun = [each.started for each in lives.whole.records("quick") if each.started is not None]
        blocked = [
            (each.started, each.started + each.duration)
            for each in lives.whole.records("blocking")
            if each.started is not None and each.duration is not None
        ]

        assert any(start < moment < end for start, end in blocked for moment in begun)

    def test_what_it_prints_is_kept_and_shown(self, lives: Lives) -> None:
        assert "jobs.quick | printed" in lives.whole.program.errors
        quiet = [each for each in lives.whole.records("quick") if each.verdict is Verdict.QUIET]
        assert {each.printed for each in quiet} == {"printed\n"}

    def test_a_stall_is_recorded_as_missed(self, lives: Lives) -> None:
        missed = [each for each in lives.whole.records("quick") if each.verdict is Verdict.MISSED]

        assert sum(each.count for each in missed) >= 3, lives.whole.records("quick")

    def test_no_slot_is_without_a_record(self, lives: Lives) -> None:
        slots = lives.whole.records("quick")
        span = (slots[-1].until or slots[-1].slot) - slots[0].slot

        assert sum(each.count for each in slots) == round(span.total_seconds() / 0.1) + 1


class TestEnd:
    def test_a_running_function_and_its_message_are_drained(self, lives: Lives) -> None:
        (line,) = lives.whole.program.history("last")

        assert lives.whole.code == 0, lives.whole.program.errors
        assert (line.record.verdict, line.record.text, line.delivery) == (Verdict.SAID, "said at last", "sent")

    def test_it_leaves_one_whole_database_file(self, lives: Lives) -> None:
        program = lives.whole.program

        assert program.integrity == "ok"
        assert not program.database.with_name("state.db-wal").exists()

    def test_a_second_signal_ends_it_at_once(self, lives: Lives) -> None:
        assert lives.impatient.code == 130, lives.impatient.program.errors

    def test_a_function_that_does_not_end_is_cut_off_at_the_deadline(self, lives: Lives) -> None:
        assert lives.overdue.code == 143, lives.overdue.program.errors
        assert lives.overdue.program.verdicts("endless") == {Verdict.INTERRUPTED}
        assert lives.overdue.program.verdicts("elsewhere") == {Verdict.INTERRUPTED}

    @pytest.mark.parametrize("complaint", ["Warning", "Traceback", "never awaited", "Task was destroyed"])
    def test_nothing_is_complained_of(self, lives: Lives, complaint: str) -> None:
        for life in (lives.whole, lives.impatient, lives.overdue):
            assert complaint not in life.program.errors
