from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.engine.batches import Batch, JobProgress
from tests.fakes.project import Project, ago, now

BERLIN = ZoneInfo("Europe/Berlin")


def job(project: Project, name: str) -> dict[str, Any]:
    (found,) = (each for each in project.run("jobs", "--json").json["jobs"] if each["name"] == name)
    return found  # type: ignore[no-any-return]  # JSON


def soon(**span: float) -> datetime:
    return now() + timedelta(**span)


def test_a_job_that_never_ran_begins_now(project: Project) -> None:
    before = now()
    found = job(project, "db.lag")

    assert list(found)[6:] == ["next_run", "last_run", "state", "paused_until", "alerts", "incident"]
    assert tuple(found[key] for key in ("last_run", "state", "paused_until", "alerts")) == (None, "active", None, 0)
    assert before < datetime.fromisoformat(found["next_run"]) - timedelta(minutes=5) + timedelta(seconds=1)


def test_the_next_run_is_on_the_grid_that_began_when_the_job_was_first_seen(project: Project) -> None:
    first = ago(minutes=7)
    project.remember(Batch(seen={"db.lag": JobProgress(first, first)}))

    assert job(project, "db.lag")["next_run"] == (first + timedelta(minutes=10)).astimezone(BERLIN).isoformat()


def test_the_last_run_is_the_last_slot_that_was_not_skipped(project: Project) -> None:
    ran = ago(minutes=20)
    project.remember(
        Batch(
            records=[
                Record(1, "db.lag", ran, Verdict.SAID, ran, timedelta(seconds=1), "late", "#ops", 1),
                Record(0, "db.lag", ago(minutes=15), Verdict.PAUSED, count=2, until=ago(minutes=10)),
                Record(0, "db.lag", ago(minutes=5), Verdict.OFF_HOURS),
            ]
        )
    )

    assert job(project, "db.lag")["last_run"] == ran.astimezone(BERLIN).isoformat()


def test_a_spent_quota_shows_until_when_the_job_rests(project: Project) -> None:
    until = soon(minutes=30)
    project.remember(Batch(states={"db.lag": State(alerts=Quota((ago(minutes=31), ago(minutes=30)), until))}))

    found = job(project, "db.lag")

    assert ("paused", until.astimezone(BERLIN).isoformat(), 2) == (
        found["state"], found["paused_until"], found["alerts"],
    )  # fmt: skip
    assert datetime.fromisoformat(found["next_run"]) >= until


def test_what_alerts_is_shown_with_who_takes_care_of_it(project: Project) -> None:
    began, taken = ago(minutes=9), ago(minutes=5)
    told = Incident(began, began, 3, told=began, acknowledged_by="ann", acknowledged_at=taken)
    untold = Incident(began, began)
    project.remember(Batch(states={"db.lag": State(incident=told), "db.report": State(incident=untold)}))

    assert job(project, "db.lag")["incident"] == {
        "since": began.astimezone(BERLIN).isoformat(),
        "alerts": 3,
        "acknowledged_by": "ann",
        "acknowledged_at": taken.astimezone(BERLIN).isoformat(),
    }
    assert job(project, "db.report")["incident"] is None
    assert "alerting, ann takes care" in project.run("jobs").out


def test_a_muted_job_says_so_and_goes_on_running(project: Project) -> None:
    project.write("plugins/db.py", '@deco(minutes=5, while_paused="mute")\ndef lag():\n    return 1\n')
    project.remember(Batch(states={"db.lag": State(alerts=Quota((ago(minutes=1),), soon(minutes=30)))}))

    found = job(project, "db.lag")

    assert found["state"] == "muted"
    assert datetime.fromisoformat(found["next_run"]) < soon(minutes=6)


def test_a_job_that_a_person_paused_for_good_has_no_next_run(project: Project) -> None:
    project.remember(Batch(holds={"db.lag": Pause()}))

    found = job(project, "db.lag")

    assert (found["state"], found["paused_until"], found["next_run"]) == ("paused", None, None)


def test_outside_its_hours_a_job_is_off(project: Project) -> None:
    yesterday = ago(days=1).astimezone(BERLIN).strftime("%a").lower()
    source = f'@deco(minutes=5, working_hours="{yesterday} 0:00-24:00")\ndef lag():\n    return 1\n'
    project.write("plugins/db.py", source)

    found = job(project, "db.lag")

    assert found["state"] == "off_hours"
    assert datetime.fromisoformat(found["next_run"]).strftime("%a").lower() == yesterday


def test_instants_are_in_the_configured_zone(project: Project) -> None:
    done = project.run("jobs", "--json", "--timezone", "Asia/Shanghai")

    assert [each["next_run"][-6:] for each in done.json["jobs"]] == ["+08:00", "+08:00"]


def test_people_see_when_and_how_soon_and_what_came_last(project: Project) -> None:
    first = ago(minutes=7)
    ran = first + timedelta(minutes=5)
    project.remember(
        Batch(seen={"db.lag": JobProgress(first, ran)}, records=[Record(1, "db.lag", ran, Verdict.QUIET)]),
        Batch(holds={"db.report": Pause()}),
    )

    done = project.run("jobs")

    head, lag, report = done.lines
    assert head.split() == ["JOB", "TRIGGER", "NEXT", "RUN", "STATE", "LAST", "RUN"]
    assert lag.startswith("db.lag     every 5m              ")
    assert " in 2 min " in lag or " in 3 min " in lag
    assert lag.endswith("quiet")
    assert report == "db.report  cron 0 9 * * mon-fri  never" + " " * (head.index("STATE") - 38) + "paused  -"
    assert "slack-alert is not running" in done.err


def test_functions_without_a_time_are_counted_not_listed(project: Project) -> None:
    project.write("plugins/chat.py", '@deco(command="deploy")\ndef deploy():\n    return 1\n')

    done = project.run("jobs")

    assert "deploy" not in done.out
    assert "1 command without a time: `slack-alert check` lists them." in done.err


def test_a_folder_without_jobs_says_what_to_do(project: Project) -> None:
    project.write("plugins/db.py", "")

    done = project.run("jobs")

    assert (0, f"No jobs in {project.path / 'plugins'}. `slack-alert init` writes an example.\n") == (
        done.code, done.out,
    )  # fmt: skip
    assert project.run("jobs", "--json").json == {"jobs": []}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pause", "lag"), "db.lag is paused until `slack-alert resume db.lag`."),
        (("resume", "lag"), "db.lag was not paused."),
    ],
)
def test_pausing_beside_nobody_holds_when_it_starts(words: tuple[str, ...], said: str, project: Project) -> None:
    done = project.run(*words)

    assert (0, [said]) == (done.code, done.lines)
    assert "slack-alert is not running: this holds when it starts." in done.err


def test_a_pause_ends_by_itself_or_by_resume(project: Project) -> None:
    project.run("pause", "db.lag", "--for", "2h")
    paused = job(project, "db.lag")
    resumed = project.run("resume", "db.lag")

    assert paused["state"] == "paused"
    assert soon(minutes=119) < datetime.fromisoformat(paused["paused_until"]) < soon(minutes=121)
    assert resumed.lines == ["db.lag runs again."]
    assert job(project, "db.lag")["state"] == "active"


def test_resume_ends_the_rest_after_too_many_alerts_too(project: Project) -> None:
    project.remember(Batch(states={"db.lag": State(alerts=Quota((ago(minutes=1),), soon(minutes=30)))}))

    done = project.run("resume", "lag")

    assert done.code == 0
    assert done.out == "db.lag runs again.\n"
    lag = job(project, "db.lag")
    assert (lag["state"], lag["paused_until"], lag["alerts"]) == ("active", None, 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pause", "gal"), "There is no job 'gal'."),
        (("pause", "lag", "--for", "soon"), "'soon' is not a duration. Write a number"),
        (("pause", "lag", "--for", "0"), "--for 0 is no pause."),
        (("resume", "x.lag"), "There is no job 'x.lag'. Did you mean"),
    ],
)
def test_what_cannot_be_paused_is_exit_code_2(words: tuple[str, ...], said: str, project: Project) -> None:
    done = project.run(*words)

    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_last_part_of_two_names_is_refused_with_both(project: Project) -> None:
    project.write("plugins/web.py", "@deco(minutes=1)\ndef lag(): pass\n")

    done = project.run("pause", "lag")

    assert done.code == 2
    assert "Write one of: db.lag, web.lag." in done.err
