from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.content.pieces import Text, Upload
from slack_alert.core.errors import BadValue
from slack_alert.core.model.record import Verdict
from slack_alert.testing import MONDAY, FaultyPluginError, Rehearsal, Said

FULL = """
@deco(minutes=30)
def space():
    return "nearly full"
"""
FAULTY = """
@deco(minutes="soon")
def space():
    return "nearly full"
"""


def texts(said: list[Said]) -> list[str]:
    return [one.text for one in said]


def test_an_alert_rests_after_three(slack_alert: Rehearsal) -> None:
    slack_alert.load("@deco(minutes=20)\ndef space(): return 'nearly full'")

    said = slack_alert.advance(hours=2)

    assert texts(said) == [
        "nearly full",
        "nearly full",
        "nearly full\n3 alerts: paused for 60 min, until 11:00",
        "nearly full",
    ]
    assert [record.verdict for record in slack_alert.history] == [
        *[Verdict.SAID] * 3,
        *[Verdict.PAUSED] * 2,
        Verdict.SAID,
    ]


def test_what_was_said_names_job_channel_and_local_time(slack_alert: Rehearsal) -> None:
    slack_alert.load(FULL, name="disk", timezone="Asia/Shanghai", channel="ops")

    (one,) = slack_alert.advance(minutes=30)

    at = datetime(2026, 3, 2, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert Said("nearly full", "#ops", "disk.space", at, Text("nearly full")) == one
    assert (str(one.at), one.traceback) == ("2026-03-02 09:30:00+08:00", None)


def test_a_job_with_a_time_zone_of_its_own_speaks_on_that_clock(slack_alert: Rehearsal) -> None:
    slack_alert.load("@deco(days=1, at='20:00', timezone='Asia/Tokyo')\ndef f(): return 1")

    assert [str(one.at) for one in slack_alert.advance(days=1)] == ["2026-03-02 20:00:00+09:00"]


def test_the_moment_at_which_time_stops_belongs_to_it_and_comes_once(slack_alert: Rehearsal) -> None:
    slack_alert.load(FULL)

    assert [len(slack_alert.advance(minutes=minutes)) for minutes in (30, 0, 29, 1)] == [1, 0, 0, 1]
    assert slack_alert.now == MONDAY + timedelta(hours=1)


def test_no_time_at_all_is_enough_to_hear_what_is_said_at_the_start(slack_alert: Rehearsal) -> None:
    slack_alert.load("@deco(days=1, at_start=True)\ndef f(): return 'hello'")

    assert texts(slack_alert.advance()) == ["hello"]


@pytest.mark.parametrize(
    ("start", "begins"),
    [
        (None, "2026-03-02T09:00:00-05:00"),
        ("2026-12-24 18:00", "2026-12-24T18:00:00-05:00"),
        ("2026-12-24T18:00Z", "2026-12-24T13:00:00-05:00"),
        (datetime(2026, 12, 24, 18), "2026-12-24T18:00:00-05:00"),  # noqa: DTZ001 - means the zone's own clock
        (datetime(2026, 12, 24, 18, tzinfo=timezone.utc), "2026-12-24T13:00:00-05:00"),
    ],
)
def test_time_begins_where_the_test_says(slack_alert: Rehearsal, start: datetime | str | None, begins: str) -> None:
    slack_alert.load(FULL, timezone="America/New_York", start=start)

    assert slack_alert.now.isoformat() == begins


def test_working_hours_quota_and_pause_are_those_given(slack_alert: Rehearsal) -> None:
    slack_alert.load(FULL, working_hours="9:45-18:00", max_alert=1, pause_time="90m")

    said = slack_alert.advance(hours=3)

    assert texts(said) == [
        "nearly full\n1 alert: paused for 90 min, until 11:30",
        "nearly full\n1 alert: paused for 90 min, until 13:00",
    ]
    assert [record.verdict.value for record in slack_alert.history] == [
        "off_hours", "said", "paused", "paused", "said", "paused",
    ]  # fmt: skip


def test_muted_jobs_keep_running(slack_alert: Rehearsal) -> None:
    slack_alert.load(FULL, max_alert=1, while_paused="mute")

    slack_alert.advance(hours=1)

    assert [record.verdict.value for record in slack_alert.history] == ["said", "muted"]


def test_an_exception_is_a_card_with_its_traceback_within_reach(
    slack_alert: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    slack_alert.load(
        """
        @deco(minutes=5)
        def ratio():
            yield "about to divide"
            1 / 0
        """,
        errors_to="#errors",
    )

    before, card = slack_alert.advance(minutes=5)

    assert (before.text, before.to, before.traceback) == ("about to divide", "#alerts", None)
    assert card.to == "#errors"
    assert "ZeroDivisionError" in card.text
    assert card.traceback is not None
    assert card.traceback.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert card.traceback in capsys.readouterr().err


def test_what_is_printed_is_in_the_record_and_not_said(slack_alert: Rehearsal) -> None:
    slack_alert.load("@deco(minutes=5)\ndef f(): print('looking')")

    assert slack_alert.advance(minutes=5) == []
    assert [record.printed for record in slack_alert.history] == ["looking\n"]


def test_a_run_that_is_asked_for_always_answers_and_spends_nothing(slack_alert: Rehearsal) -> None:
    slack_alert.load(
        """
        @deco(hours=1)
        def quiet(): pass

        @deco(hours=1, to="#ops")
        def loud(): return "full"

        @deco(hours=1)
        def broken(): raise OSError("no disk")
        """,
        working_hours="22:00-23:00",
        max_alert=1,
    )

    said = [one for job in ("quiet", "plugin.loud", "loud", "broken") for one in slack_alert.run(job)]

    assert [(one.job, one.to, one.text.splitlines()[0]) for one in said[:3]] == [
        ("plugin.quiet", "#alerts", "done"),
        ("plugin.loud", "#ops", "full"),
        ("plugin.loud", "#ops", "full"),
    ]
    assert "no disk" in said[3].text
    assert said[3].traceback is not None
    assert [(record.binding, record.verdict.value, record.slot) for record in slack_alert.history] == [
        ("plugin.quiet", "quiet", MONDAY),
        ("plugin.loud", "said", MONDAY),
        ("plugin.loud", "said", MONDAY),
        ("plugin.broken", "error", MONDAY),
    ]


def test_everything_a_context_offers_works(slack_alert: Rehearsal, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    file = tmp_path / "plugins" / "all.py"
    file.write_text(
        "import sys\n"
        "@deco(minutes=10)\n"
        "def everything(ctx):\n"
        "    ctx.store.set('runs', ctx.store.get('runs', 0) + 1)\n"
        "    ctx.say(f'{ctx.now:%H:%M} {ctx.store.get(\"runs\")}', to='@ann')\n"
        "    ctx.pause('everything', '15m')\n"
        "    yield ctx.run([sys.executable, '-c', 'import os; print(os.getcwd())']).strip()\n"
        "    yield ctx.link('https://example.com', 'more') + ' ' + ctx.mention('here')\n"
    )
    slack_alert.load(file)

    said = slack_alert.advance(minutes=30)
    asked = slack_alert.run("everything")

    assert [(one.to, one.text) for one in said + asked] == [
        ("@ann", "09:10 1"),
        ("#alerts", str(tmp_path)),
        ("#alerts", "more (https://example.com) @here"),
        ("@ann", "09:30 2"),
        ("#alerts", str(tmp_path)),
        ("#alerts", "more (https://example.com) @here"),
        ("@ann", "09:30 3"),
        ("#alerts", str(tmp_path)),
        ("#alerts", "more (https://example.com) @here"),
    ]
    assert [record.verdict.value for record in slack_alert.history] == ["said", "paused", "said", "said"]
    assert slack_alert.history[-1].text.splitlines()[0] == "09:30 3"


def test_a_coroutine_function_runs_as_well(slack_alert: Rehearsal) -> None:
    slack_alert.load("@deco(minutes=5)\nasync def f():\n    yield 1\n    yield 2")

    assert texts(slack_alert.advance(minutes=5)) == ["1", "2"]


def test_a_file_that_is_said_comes_with_its_content(slack_alert: Rehearsal) -> None:
    slack_alert.load("@deco(minutes=5)\ndef f(): return ('a.csv', b'1,2')")

    assert [Upload("a.csv", b"1,2")] == [one.piece for one in slack_alert.advance(minutes=5)]


def test_what_a_function_sees_can_be_replaced(slack_alert: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    slack_alert.load("LEAST = 10\n@deco(minutes=5)\ndef f(): return LEAST", name="disk")

    monkeypatch.setattr(slack_alert.module("disk"), "LEAST", 20)

    assert texts(slack_alert.advance(minutes=5)) == ["20"]


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        file = root / "plugins" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def test_one_file_runs_with_what_it_imports_and_nothing_else(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "db/lag.py": "from .common import LEAST\nimport more\n@deco(minutes=5)\ndef f(): return LEAST + more.MORE",
            "db/common.py": "LEAST = 10",
            "db/more.py": "MORE = 1",
            "db/other.py": "raise OSError('this must not run')\n@deco(minutes=5)\ndef f(): return 1",
        },
    )
    with closing(Rehearsal([tmp_path])) as rehearsal:
        catalog = rehearsal.load("plugins/db/lag.py")

        assert [job.name for job in catalog.jobs] == ["db.lag.f"]
        assert texts(rehearsal.advance(minutes=5)) == ["11"]
        assert rehearsal.module("db.common").LEAST == 10
        assert "plugins.db.other" not in sys.modules


def test_a_folder_runs_with_all_its_files(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "@deco(minutes=5)\ndef f(): return 'a'", "b.py": "@deco(minutes=5)\ndef f(): return 'b'"})
    with closing(Rehearsal()) as rehearsal:
        for folder in (tmp_path, tmp_path / "plugins"):
            rehearsal.load(folder)

            assert texts(rehearsal.advance(minutes=5)) == ["a", "b"]


def test_a_path_is_looked_for_in_each_folder_in_turn(tmp_path: Path) -> None:
    write(tmp_path / "b", {"x.py": FULL})

    with closing(Rehearsal([tmp_path / "a", tmp_path / "b"])) as rehearsal:
        assert [job.name for job in rehearsal.load("plugins/x.py").jobs] == ["x.space"]


def test_a_path_that_is_nowhere_is_refused_with_the_places(tmp_path: Path) -> None:
    with closing(Rehearsal([tmp_path / "a", tmp_path])) as rehearsal, pytest.raises(FileNotFoundError) as raised:
        rehearsal.load("plugins/x.py")

    assert str(raised.value) == (
        f"There is no plugin 'plugins/x.py': looked for {tmp_path}/a/plugins/x.py and {tmp_path}/plugins/x.py."
    )


def test_a_file_outside_of_a_plugins_folder_is_refused(slack_alert: Rehearsal, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(FULL)

    with pytest.raises(ValueError, match="is not below a folder called plugins"):
        slack_alert.load(tmp_path / "x.py")


def test_loading_again_begins_anew(slack_alert: Rehearsal) -> None:
    slack_alert.load(FULL)
    slack_alert.advance(hours=5)

    slack_alert.load("@deco(minutes=5)\ndef f(): return 1", name="other")

    assert (slack_alert.now, slack_alert.history) == (MONDAY, [])
    assert "plugins.plugin" not in sys.modules


def test_closing_leaves_neither_modules_nor_files() -> None:
    rehearsal = Rehearsal()
    rehearsal.load(FULL)
    file = rehearsal.module("plugin").__file__

    rehearsal.close()

    assert file is not None
    assert not Path(file).parents[1].exists()
    assert [name for name in sys.modules if name.partition(".")[0] == "plugins"] == []


@pytest.mark.parametrize("ask", [lambda kit: kit.advance(hours=1), lambda kit: kit.run("space")])
def test_what_would_be_kept_out_does_not_pass_as_quiet(
    slack_alert: Rehearsal, ask: Callable[[Rehearsal], list[Said]]
) -> None:
    slack_alert.load(FAULTY)

    with pytest.raises(FaultyPluginError, match=r"plugins/plugin\.py:1:1: SA201 error: minutes must be a"):
        ask(slack_alert)

    assert [problem.code for problem in slack_alert.problems] == ["SA201"]


def test_a_syntax_error_is_a_problem_with_its_line(slack_alert: Rehearsal) -> None:
    slack_alert.load("@deco(minutes=5)\ndef f(:\n")

    assert [(problem.code, problem.line) for problem in slack_alert.problems] == [("SA101", 2)]


def test_what_a_file_raises_while_loading_goes_through_and_nothing_stays(slack_alert: Rehearsal) -> None:
    with pytest.raises(ZeroDivisionError):
        slack_alert.load("1 / 0\n@deco(minutes=5)\ndef f(): return 1")

    assert "plugins" not in sys.modules
    with pytest.raises(LookupError, match="Nothing is loaded yet"):
        slack_alert.advance(minutes=5)


def test_an_unknown_job_is_refused_with_the_nearest_and_all_names(slack_alert: Rehearsal) -> None:
    slack_alert.load(FULL)

    with pytest.raises(LookupError) as raised:
        slack_alert.run("spaces")

    assert str(raised.value) == ("There is no job 'spaces'. Did you mean space? Loaded: plugin.space.")


def test_a_time_zone_that_is_none_is_refused(slack_alert: Rehearsal) -> None:
    with pytest.raises(BadValue, match="there is no time zone 'Mars/Base'"):
        slack_alert.load(FULL, timezone="Mars/Base")


def test_time_does_not_run_backwards(slack_alert: Rehearsal) -> None:
    slack_alert.load(FULL)

    with pytest.raises(ValueError, match="time passes forwards only, not by -60 seconds"):
        slack_alert.advance(minutes=-1)
