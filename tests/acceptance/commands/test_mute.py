"""Mutes and acknowledgements from the command line, beside nobody and beside the program."""

from __future__ import annotations

import re
import signal
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.model.record import Verdict
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.quota import State
from slack_alert.engine.batches import Batch
from tests.fakes.program import Program, running
from tests.fakes.project import Project, ago, now

BERLIN = ZoneInfo("Europe/Berlin")
NOT_RUNNING = "slack-alert is not running: this holds when it starts.\n"
UNSHOWN = (
    "slack-alert is not running: this is noted and holds when it starts. Nothing in the channel shows it; "
    "`slack-alert jobs` does.\n"
)


@pytest.fixture(autouse=True)
def _asked_by_ann(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")


def job(project: Project, name: str) -> dict[str, Any]:  # Any: JSON
    (found,) = (each for each in project.run("jobs", "--json").json["jobs"] if each["name"] == name)
    return found  # type: ignore[no-any-return]  # JSON


def near(text: str, expected: datetime) -> bool:
    return abs(datetime.fromisoformat(text) - expected) < timedelta(minutes=1)


def test_muted_job_is_shown_so_with_its_end(project: Project) -> None:
    done = project.run("mute", "lag", "--for", "2h")
    lag, report = job(project, "db.lag"), job(project, "db.report")

    assert (done.code, done.err) == (0, NOT_RUNNING)
    assert done.out.startswith("db.lag is muted until ")
    assert lag["state"] == "muted"
    assert near(lag["paused_until"], now() + timedelta(hours=2))
    assert lag["next_run"] is not None
    assert report["state"] != "muted"
    assert "muted until " in project.run("jobs").lines[1]


def test_muting_until_a_time_of_day_means_the_next_one(project: Project) -> None:
    wall = datetime.now(BERLIN) - timedelta(hours=1)

    project.run("mute", "lag", "--until", f"{wall:%H:%M}")

    assert datetime.fromisoformat(job(project, "db.lag")["paused_until"]).strftime("%H:%M") == f"{wall:%H:%M}"
    assert datetime.fromisoformat(job(project, "db.lag")["paused_until"]) > now()


def test_unmute_lets_it_speak_again(project: Project) -> None:
    project.run("mute", "lag", "--for", "2h")

    assert project.run("unmute", "lag").out == "db.lag speaks again.\n"
    assert job(project, "db.lag")["state"] == "active"
    assert project.run("unmute", "lag").out == "db.lag was not muted.\n"


def test_a_later_mute_takes_the_place_of_an_earlier_one(project: Project) -> None:
    project.run("mute", "lag", "--for", "2h")
    project.run("mute", "lag", "--for", "30m")

    assert near(job(project, "db.lag")["paused_until"], now() + timedelta(minutes=30))


def test_all_jobs_are_muted_and_speak_again_together(project: Project) -> None:
    all_muted = project.run("mute", "--all", "--for", "1h")
    project.run("mute", "lag", "--for", "2h")
    unmuted = project.run("unmute", "lag")

    assert all_muted.out.startswith("All jobs are muted until ")
    assert unmuted.out == "db.lag speaks again.\n"
    assert "by ann: `slack-alert unmute --all` ends that." in unmuted.err
    assert job(project, "db.lag")["state"] == "muted"
    project.run("mute", "lag", "--for", "2h")
    assert project.run("unmute", "--all").out == "All jobs speak again.\n"
    assert job(project, "db.lag")["state"] == "active"
    assert project.run("unmute", "--all").out == "No job was muted.\n"


def test_quiet_window_is_named_where_it_keeps_a_job_quiet(project: Project) -> None:
    today = datetime.now(BERLIN).date()
    project.write(
        "slack_alert.conf", f"[slack]\ntimezone = Europe/Berlin\n[quiet]\nmove = {today}..{today.year + 1}-01-01\n"
    )

    done = project.run("unmute", "lag")

    assert done.out == "db.lag was not muted.\n"
    assert "The quiet window move goes on until" in done.err
    assert job(project, "db.lag")["state"] == "muted"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pause", "db.*"), "db.lag and db.report are paused until `slack-alert resume 'db.*'`."),
        (("pause", "db.[lm]*"), "db.lag is paused until `slack-alert resume db.lag`."),
        (("resume", "*"), "db.lag and db.report were not paused."),
        (("unmute", "db.*"), "db.lag and db.report were not muted."),
    ],
)
def test_patterns_mean_every_job_they_fit(words: tuple[str, ...], said: str, project: Project) -> None:
    done = project.run(*words)

    assert (done.code, done.lines) == (0, [said])


def test_jobs_muted_by_a_pattern_are_each_unmuted_by_name(project: Project) -> None:
    project.run("mute", "db.*", "--for", "1h")
    project.run("unmute", "report")

    assert job(project, "db.lag")["state"] == "muted"
    assert job(project, "db.report")["state"] != "muted"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mute", "lag"), "A mute always has an end. Write --for 1h or --until 9:00."),
        (("mute", "--all"), "A mute always has an end."),
        (("mute", "lag", "--for", "1h", "--until", "9:00"), "--for and --until contradict each other."),
        (("mute", "lag", "--for", "0"), "--for 0 is no time ahead."),
        (("mute", "lag", "--for", "soon"), "'soon' is not a duration."),
        (("mute", "lag", "--until", "2020-01-01"), "'2020-01-01' has passed."),
        (("mute", "--for", "1h"), "It is not said which job. Write a name, a pattern such as 'db.*', or --all."),
        (("mute", "lag", "--all", "--for", "1h"), "'lag' and --all contradict each other."),
        (("mute", "gal", "--for", "1h"), "There is no job 'gal'."),
        (("mute", "bd.*", "--for", "1h"), "No job is called like 'bd.*'. Did you mean db.*"),
        (("mute", "x*y", "--for", "1h"), "No job is called like 'x*y'. `slack-alert jobs` lists them."),
        (("unmute",), "It is not said which job."),
        (("ack", "bd.*"), "No job is called like 'bd.*'."),
        (("pause", "bd.*"), "No job is called like 'bd.*'."),
        (("resume", "bd.*"), "No job is called like 'bd.*'."),
    ],
)
def test_what_means_nothing_is_exit_code_2(words: tuple[str, ...], said: str, project: Project) -> None:
    done = project.run(*words)

    assert (done.code, done.out) == (2, "")
    assert said in done.err


def remember_incident(project: Project, name: str = "db.lag", *, is_told: bool = True) -> None:
    told = ago(minutes=9) if is_told else None
    incident = Incident(ago(minutes=9), ago(minutes=1), 3, text="late", told=told)
    project.remember(Batch(states={name: State(incident=incident)}))


def test_incident_is_acknowledged_once(project: Project) -> None:
    remember_incident(project)

    first = project.run("ack", "lag")
    second = project.run("ack", "lag", "--by", "bob")

    assert (first.code, first.err) == (0, UNSHOWN)
    assert re.fullmatch(r"db\.lag is taken care of by ann since [\d:]+: quiet until the recovery\.\n", first.out)
    assert second.code == 0
    assert re.fullmatch(r"db\.lag is taken care of by ann since [\d:]+ already\.\n", second.out)


def test_pattern_acknowledges_the_incidents_there_are(project: Project) -> None:
    remember_incident(project)

    assert project.run("ack", "db.*", "--by", "bob").out.startswith("db.lag is taken care of by bob since ")


def test_without_an_incident_there_is_nothing_to_acknowledge(project: Project) -> None:
    remember_incident(project, "db.report", is_told=False)

    one = project.run("ack", "lag")

    assert (one.code, one.out) == (1, "db.lag has no open incident that was told.\n")
    assert project.run("ack", "db.*").out == "db.lag and db.report have no open incident that was told.\n"


def test_simulation_heeds_the_windows(project: Project) -> None:
    project.write("slack_alert.conf", "[slack]\ntimezone = Europe/Berlin\n[quiet]\nbackup = 2026-11-23 2:05-2:10\n")
    words = ("simulate", "--since", "2026-11-23T02:00", "--until", "2026-11-23T02:12", "--json")

    for more in ((), ("--execute",)):
        lines = project.run(*words, *more).json_lines
        assert [(line["at"][11:16], line["verdict"]) for line in lines] == [("02:05", "muted"), ("02:10", "said")]


def told(program: Program) -> list[str]:
    messages = [delivery.message for delivery in program.outbox() if delivery.message.origin.run is None]
    return [fallback(message.piece) for message in messages]


def command(program: Program, monkeypatch: pytest.MonkeyPatch, project: Project, *words: str) -> str:
    """Call a short command beside a program."""
    monkeypatch.chdir(program.folder)
    monkeypatch.setenv("TZ", "UTC")
    done = project.run(*words)
    assert done.code == 0, done.err
    return done.out


PLUGIN = """
    @deco(seconds=0.2, max_alert=0)
    def lag():
        return "lag 9 s"
"""


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["asyncio", pytest.param("gevent", marks=pytest.mark.thorough)])
def test_running_program_is_muted_and_tells_what_was_withheld(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    with running(tmp_path / "home", PLUGIN, f"scheduler = {scheduler}\n") as program:
        command(program, monkeypatch, project, "mute", "lag", "--for", "1h")
        program.wait_until(lambda: Verdict.MUTED in program.verdicts("lag"), "it is withheld")
        command(program, monkeypatch, project, "unmute", "lag")
        program.wait_until(lambda: len(told(program)) == 1, "the digest is told")

        assert program.stop() == 0
        withheld = sum(line.record.verdict is Verdict.MUTED for line in program.history("lag"))
        (digest,) = told(program)
        assert digest.startswith("While jobs.lag was muted by ann (")
        assert digest.partition(") ")[2] == (
            f"{withheld} alert{'' if withheld == 1 else 's'} of 1 job {'was' if withheld == 1 else 'were'} withheld: "
            f"jobs.lag {withheld} (lag 9 s)"
        )
        assert program.history("lag")[-1].record.verdict is Verdict.SAID


@pytest.mark.thorough
@pytest.mark.slow
def test_killed_program_tells_once_of_a_mute_that_ended_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    with running(tmp_path / "home", PLUGIN) as program:
        command(program, monkeypatch, project, "mute", "lag", "--for", "2s")
        program.wait_until(lambda: Verdict.MUTED in program.verdicts("lag"), "it is withheld")
        program.kill()
        withheld = sum(line.record.verdict is Verdict.MUTED for line in program.history("lag"))
        assert told(program) == []

        program.start()
        program.wait_until(lambda: "jobs.lag was muted by ann" in " ".join(told(program)), "the digest is told")
        program.kill()
        program.start()
        said = len(program.history("lag"))
        program.wait_until(lambda: len(program.history("lag")) > said + 5, "a second passes")

        assert program.stop(signal.SIGTERM) == 0
        (digest,) = [text for text in told(program) if text.startswith("While ")]
        counted = int(digest.partition(") ")[2].partition(" ")[0])
        assert counted >= withheld


INCIDENT = """
    import os

    @deco(seconds=0.2, max_alert=0, repeat="thread")
    def lag():
        return None if os.path.exists("well") else "lag 9 s"
"""


@pytest.mark.slow
def test_acknowledged_incident_is_quiet_until_the_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    with running(tmp_path / "home", INCIDENT) as program:
        program.wait_until(lambda: Verdict.SAID in program.verdicts("lag"), "the incident is told")
        command(program, monkeypatch, project, "ack", "lag")
        program.wait_until(lambda: Verdict.MUTED in program.verdicts("lag"), "it is quiet")
        (shown,) = told(program)
        assert shown.startswith("taken care of by ann since ")
        (program.folder / "well").touch()
        program.wait_until(lambda: Verdict.QUIET in program.verdicts("lag"), "it recovers")
        (program.folder / "well").unlink()

        def last() -> Verdict:
            return program.history("lag")[-1].record.verdict

        program.wait_until(lambda: last() is Verdict.SAID, "the next incident is told")
