"""What the command line is made of, where a person would have to look twice: tables, times, the bar, the plan."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from slack_alert.bootstrap import plugin_loading
from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.cli.output.progress_bar import PATIENCE_SECONDS, loading
from slack_alert.cli.output.text_tables import Cell, paint, table
from slack_alert.cli.query.job_table import plan
from slack_alert.cli.session import configured
from slack_alert.core.content.markup import Markup
from slack_alert.core.units.humanize import format_ahead, format_distance, format_time
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.engine import Engine
from slack_alert.engine.simulation.doubles import MemoryRecorder, ScriptedExecutor
from tests.fakes.project import Project

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 16, 11, 0, tzinfo=timezone.utc)


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Screen(Terminal):
    """A terminal of a known width."""

    def __init__(self, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))

    def fileno(self) -> int:
        return 1


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_columns_are_as_wide_as_a_terminal_shows_them() -> None:
    rows = [("größe", "1"), ("延迟", "22"), ("e\u0301", "3")]

    assert table(("JOB", "N"), rows, io.StringIO(), flexible=()).splitlines() == [
        "JOB    N",
        "größe  1",
        "延迟   22",
        "e\u0301      3",
    ]


def test_a_pipe_gets_whole_lines_without_colours() -> None:
    long = "x" * 500

    assert table(("TEXT",), [(Cell(long, "red"),)], io.StringIO(), flexible=(0,)) == f"TEXT\n{long}"


def test_on_a_narrow_terminal_the_flexible_columns_give_way_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    rows = [("a" * 20, "b" * 20, "c" * 20)]

    drawn = table(("A", "B", "C"), rows, Screen(50, monkeypatch), flexible=(2, 0))

    assert drawn.splitlines()[1] == f"{'a' * 13}…  {'b' * 20}  {'c' * 11}…"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TERM", "xterm", "\x1b[31mx\x1b[0m"),
        ("NO_COLOR", "1", "x"),
        ("NO_COLOR", "", "\x1b[31mx\x1b[0m"),
        ("TERM", "dumb", "x"),
    ],
)
def test_colours_are_for_terminals_whose_owners_want_them(
    variable: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    assert paint("x", "red", Terminal()) == expected


def test_a_pipe_gets_no_colours() -> None:
    assert paint("x", "red", io.StringIO()) == "x"


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(milliseconds=900), "a moment"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=61), "1 min"),
        (timedelta(hours=1, minutes=5), "1 h 5 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=5, minutes=59), "5 h"),
        (timedelta(days=1, hours=3), "1 d 3 h"),
        (timedelta(days=400), "400 d"),
        (-timedelta(minutes=3), "3 min"),
    ],
)
def test_a_distance_is_told_as_exactly_as_it_matters(span: timedelta, expected: str) -> None:
    assert format_distance(span) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOON + timedelta(hours=1), "13:00"),
        (NOON + timedelta(seconds=5), "12:00:05"),
        (NOON + timedelta(hours=12), "Tue 17 Nov 00:00"),
        (NOON + timedelta(days=400), "21 Dec 2027 12:00"),
    ],
)
def test_an_instant_is_told_on_the_wall_clock_with_the_date_where_it_matters(at: datetime, expected: str) -> None:
    assert format_time(at, BERLIN, NOON, seconds="today") == expected


def test_what_is_due_is_due_now() -> None:
    assert (format_ahead(NOON, NOON), format_ahead(NOON + timedelta(minutes=2), NOON)) == ("now", "in 2 min")


def ticks(*seconds: float) -> Iterator[float]:
    yield from seconds
    while True:
        yield seconds[-1]


def test_quick_loading_draws_nothing() -> None:
    stream = Terminal()

    with loading(stream, ticks(0.0, PATIENCE_SECONDS / 2).__next__) as progress:
        assert progress is not None
        for done in range(1, 101):
            progress(done, 100)

    assert stream.getvalue() == ""


def test_slow_loading_draws_a_bar_and_takes_it_away() -> None:
    stream = Terminal()

    with loading(stream, ticks(0.0, PATIENCE_SECONDS + 1).__next__) as progress:
        assert progress is not None
        progress(50, 100)
        drawn = stream.getvalue()
        progress(100, 100)

    assert drawn == "\r\x1b[Kreading plugins [############............] 50/100"
    assert stream.getvalue() == drawn + "\r\x1b[K"


def test_a_bar_is_taken_away_when_loading_fails() -> None:
    stream = Terminal()

    with pytest.raises(ZeroDivisionError):
        load_badly(stream)

    assert stream.getvalue().endswith("1/100\r\x1b[K")


def load_badly(stream: Terminal) -> float:
    with loading(stream, ticks(0.0, 9.0).__next__) as progress:
        assert progress is not None
        progress(1, 100)
        return 1 / 0


def test_where_nobody_could_see_a_bar_there_is_none() -> None:
    with loading(io.StringIO()) as progress:
        assert progress is None


def planned(project: Project) -> list[str]:
    """Return what `run` shows before it runs anything."""
    settings = configured({"path": str(project.path)}).settings
    clock = SystemClock()
    catalog = plugin_loading.survey_plugins(settings)
    engine = Engine(
        catalog, recorder=MemoryRecorder(), executor=ScriptedExecutor({}, Markup("0")), clock=clock, mark=Markup("0")
    )
    engine.restore(Snapshot(), clock.now())
    return plan(engine, settings, io.StringIO(), muted_until=make_mutes(settings).until).splitlines()


def test_the_plan_says_what_jobs_says_of_a_quiet_window(project: Project) -> None:
    today = datetime.now(timezone.utc).date()
    window = f"{today - timedelta(days=1)}..{today + timedelta(days=9)}"
    project.write("slack_alert.conf", f"[slack]\ntimezone = UTC\n[quiet]\nmove = {window}\n")
    project.write("plugins/db.py", "@deco(days=1)\ndef lag(): pass\n")
    (listed,) = project.run("jobs").lines[1:]

    (line,) = (line for line in planned(project) if line.startswith("db.lag"))

    assert line.rpartition("  ")[2].startswith("muted until ")
    assert line.rpartition("  ")[2] in listed


def test_the_plan_has_the_jobs_in_the_order_of_the_files(project: Project) -> None:
    project.write("plugins/db.py", "@deco(minutes=1)\ndef z(): pass\n\n@deco(minutes=1)\ndef a(): pass\n")

    listed = [line.split()[0] for line in project.run("jobs").lines[1:]]

    assert listed == ["db.z", "db.a"]
    assert [line.split()[0] for line in planned(project) if line.startswith("db.")] == listed


def test_of_very_many_jobs_the_plan_has_the_first(project: Project) -> None:
    project.write("plugins/db.py", "".join(f"@deco(minutes=1)\ndef f{index:04}(): pass\n" for index in range(1234)))

    lines = planned(project)

    assert lines[0].startswith("slack-alert: 1,234 jobs, ")
    assert [line.split()[0] for line in lines if line.startswith("db.")] == [f"db.f{index:04}" for index in range(100)]
    assert "… and 1,134 more: see `slack-alert jobs`." in lines


def test_a_simulation_names_the_zone_of_its_times(project: Project) -> None:
    (head, *_) = project.run("simulate", "--timezone", "Asia/Shanghai").lines

    assert head.startswith("AT (Asia/Shanghai)  ")
