"""The same life under each of the four schedulers, as processes of their own: what runs, what is said, how it ends."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.core.model.record import Record, Verdict
from tests.fakes.program import Program
from tests.fakes.slack import FakeSlack

SCHEDULERS = ["AsyncIOScheduler", "BackgroundScheduler", "GeventScheduler", "TornadoScheduler"]
#: The lives that are led in a usual run. A program of another file runs under each of the other two.
USUAL = {
    ("whole", "AsyncIOScheduler"),
    ("whole", "GeventScheduler"),
    ("impatient", "GeventScheduler"),
    ("overdue", "AsyncIOScheduler"),
}
CROWD = 40

JOBS = """
    import asyncio
    import os
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

    async def fetch():
        await asyncio.sleep(0.02)
        return "from a helper"

    async def pages():
        yield "one"
        yield "two"

    @deco(seconds=0.4)
    def handed_on():
        return fetch()

    @deco(seconds=0.4)
    def pages_handed_on():
        return pages()

    @deco(seconds=0.4)
    def pipe():
        path = HERE / "pipe"
        if not path.exists():
            os.mkfifo(path)
        return path

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
#: What these say.
SPEAKERS = {
    "plain": "from plain",
    "awaited": "from awaited",
    "speaking": "first\nsecond",
    "handed_on": "from a helper",
    "pages_handed_on": "one\ntwo",
}
CROWDED = "".join(
    f"\n    @deco(seconds=60, at_start=True)\n    def crowd{number}():\n        time.sleep(0.2)\n"
    for number in range(CROWD)
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


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    channels = {f"C0{name.upper()}": name.lower() for name in SCHEDULERS}
    with FakeSlack(channels=channels) as fake:
        yield fake


@pytest.fixture(scope="module")
def begun(
    tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack, request: pytest.FixtureRequest
) -> Iterator[dict[str, Future[Life]]]:
    """Start all processes at once: most of their time is waiting."""
    folder = tmp_path_factory.mktemp("lives")
    is_thorough = request.config.getoption("thorough")
    programs = {
        (kind, scheduler): _program(folder, kind, scheduler, slack)
        for kind in KINDS
        for scheduler in SCHEDULERS
        if is_thorough or (kind, scheduler) in USUAL
    }
    with ThreadPoolExecutor(len(programs)) as pool:
        yield {"-".join(life): pool.submit(KINDS[life[0]][0], program) for life, program in programs.items()}
    for program in programs.values():
        program.kill()


def _program(folder: Path, kind: str, scheduler: str, slack: FakeSlack) -> Program:
    _, jobs, conf = KINDS[kind]
    where = f"scheduler = {scheduler}\nchannel = #{scheduler.lower()}\n"
    access = f"token = xoxb-test\napi_url = {slack.url}\nmessages_per_second = 0\nmax_alert = 0\n"
    return Program(folder / f"{kind}-{scheduler}", jobs, where + access + conf)


def _whole(program: Program) -> Life:
    """Run for a while, be stopped like a sleeping laptop, then end in order while a function is running."""
    program.start()
    program.wait_until(lambda: _has_lived(program), "each function ran", seconds=30, step=0.3)
    before = _missed(program)  # A busy machine may have stalled it already.
    program.send(signal.SIGSTOP)
    time.sleep(0.6)
    program.send(signal.SIGCONT)
    program.wait_until(lambda: _missed(program) >= before + 3, "the stall is seen", step=0.3)
    (program.folder / "ending").touch()
    return _ended(program, signal.SIGTERM)


def _missed(program: Program) -> int:
    """Return how many slots of the quick function were missed."""
    records = [line.record for line in program.history()]
    return sum(each.count for each in records if (each.binding, each.verdict) == ("jobs.quick", Verdict.MISSED))


def _has_lived(program: Program) -> bool:
    """Return whether every function has shown what it does, some of them a few times."""
    seen = Counter((line.record.binding, line.record.verdict) for line in program.history())
    crowd = {f"jobs.crowd{number}" for number in range(CROWD)}
    return (
        all(seen[f"jobs.{job}", Verdict.SAID] >= 3 for job in SPEAKERS)
        and seen["jobs.failing", Verdict.ERROR] >= 3
        and seen["jobs.pipe", Verdict.ERROR] >= 1
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


#: How each is led, by what program.
KINDS: dict[str, tuple[Callable[[Program], Life], str, str]] = {
    "whole": (_whole, JOBS + CROWDED, "threads = 32\n"),
    "impatient": (_impatient, ENDLESS, "drain_timeout = 30\n"),
    "overdue": (_overdue, ENDLESS, "drain_timeout = 0.5\n"),
}


@pytest.fixture(scope="module")
def life(request: pytest.FixtureRequest, begun: dict[str, Future[Life]]) -> Life:
    return begun[request.param].result(timeout=40)


def each(*kinds: str) -> pytest.MarkDecorator:
    lives = [
        pytest.param(f"{kind}-{name}", marks=() if (kind, name) in USUAL else pytest.mark.thorough)
        for kind in kinds
        for name in SCHEDULERS
    ]
    return pytest.mark.parametrize("life", lives, indirect=True, scope="module")


@each("whole")
class TestFunctions:
    @pytest.mark.parametrize(
        ("job", "text"),
        SPEAKERS.items(),
    )
    def test_each_kind_runs_and_speaks(self, life: Life, job: str, text: str) -> None:
        said = [line for line in life.program.history(job) if line.record.verdict is Verdict.SAID]

        assert len(said) >= 3, life.program.errors
        assert {line.record.text for line in said} == {text}
        assert {line.delivery for line in said} == {"sent"}

    def test_what_fails_is_told(self, life: Life) -> None:
        failed = [record for record in life.records("failing") if record.verdict is Verdict.ERROR]

        assert len(failed) >= 3
        assert all("ValueError: on purpose" in (record.error or "") for record in failed)
        assert all("plugins/jobs.py" in record.text for record in failed)

    def test_everything_said_reached_slack_in_order(self, life: Life, slack: FakeSlack) -> None:
        outbox = life.program.outbox()
        name = life.program.folder.name.partition("-")[2].upper()
        arrived = [each.metadata for each in slack.messages if each.channel == f"C0{name}"]

        assert {each.status.value for each in outbox} == {"sent"}
        keys = [each["event_payload"]["id"] for each in arrived if each is not None]
        assert keys == [each.message.key for each in outbox]

    def test_slots_that_find_the_function_running_are_overlapped(self, life: Life) -> None:
        records = life.records("blocking")

        assert {record.verdict for record in records} >= {Verdict.QUIET, Verdict.OVERLAPPED}

    def test_blocking_functions_run_beside_each_other(self, life: Life) -> None:
        for number in range(CROWD):
            quiet = [each for each in life.records(f"crowd{number}") if each.verdict is Verdict.QUIET]
            assert quiet, f"crowd{number} did not run\n{life.program.errors}"
            assert all(each.duration and each.duration >= timedelta(seconds=0.19) for each in quiet)

    def test_and_delay_nobody_else(self, life: Life) -> None:
        begun = [each.started for each in life.records("quick") if each.started is not None]
        blocked = [
            (each.started, each.started + each.duration)
            for each in life.records("blocking")
            if each.started is not None and each.duration is not None
        ]

        assert any(start < moment < end for start, end in blocked for moment in begun)

    def test_what_it_prints_is_kept_and_shown(self, life: Life) -> None:
        assert "jobs.quick | printed" in life.program.errors
        quiet = [each for each in life.records("quick") if each.verdict is Verdict.QUIET]
        assert {each.printed for each in quiet} == {"printed\n"}

    def test_a_stall_is_recorded_as_missed(self, life: Life) -> None:
        missed = [each for each in life.records("quick") if each.verdict is Verdict.MISSED]

        assert sum(each.count for each in missed) >= 3, life.records("quick")

    def test_no_slot_is_without_a_record(self, life: Life) -> None:
        slots = life.records("quick")
        span = (slots[-1].until or slots[-1].slot) - slots[0].slot

        assert sum(each.count for each in slots) == round(span.total_seconds() / 0.1) + 1


class TestEnd:
    @each("whole")
    def test_a_running_function_and_its_message_are_drained(self, life: Life) -> None:
        (line,) = life.program.history("last")

        assert life.code == 0, life.program.errors
        assert (line.record.verdict, line.record.text, line.delivery) == (Verdict.SAID, "said at last", "sent")

    @each("whole")
    def test_it_leaves_one_whole_database_file(self, life: Life) -> None:
        program = life.program

        assert program.integrity == "ok"
        assert not program.database.with_name("state.db-wal").exists()

    @each("impatient")
    def test_a_second_signal_ends_it_at_once(self, life: Life) -> None:
        assert life.code == 130, life.program.errors

    @each("overdue")
    def test_a_function_that_does_not_end_is_cut_off_at_the_deadline(self, life: Life) -> None:
        assert life.code == 143, life.program.errors
        assert life.program.verdicts("endless") == {Verdict.INTERRUPTED}
        assert life.program.verdicts("elsewhere") == {Verdict.INTERRUPTED}

    @each(*KINDS)
    @pytest.mark.parametrize("complaint", ["Warning", "Traceback", "never awaited", "Task was destroyed"])
    def test_nothing_is_complained_of(self, life: Life, complaint: str) -> None:
        assert complaint not in life.program.errors
