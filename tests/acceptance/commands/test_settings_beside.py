"""What commands say of a running program is the same from wherever, and by whomever, they are called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from slack_alert.core.model.request import Request
from slack_alert.engine.batches import Batch
from slack_alert.settings import encode_published, load_settings
from slack_alert.stores import SqliteInbox, inbox_path
from tests.fakes.project import Project, ago, now

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

TOKEN = "xoxb-1-secret"
#: What the running program was started with.
ITS = {
    "TZ": "Europe/Berlin",
    "SLACK_ALERT_TOKEN": TOKEN,
    "SLACK_ALERT_CHANNEL": "#ops",
    "SLACK_ALERT_MAX_ALERT": "7",
    "SLACK_ALERT_WORKING_HOURS": "0:00-23:00",
    "SLACK_ALERT_QUIET_NIGHT": "2:00-3:00",
    "SLACK_ALERT_HEARTBEAT_URL": "https://example.com/secret",
}
#: What the command may find around it.
ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "nothing": {},
    "another zone": {"TZ": "Asia/Tokyo"},
    "another quota": {"SLACK_ALERT_MAX_ALERT": "1", "SLACK_ALERT_PAUSE_TIME": "5"},
    "other hours": {"SLACK_ALERT_WORKING_HOURS": "4:00-4:01", "SLACK_ALERT_QUIET_ALL": "0:00-12:00"},
    "another channel": {"SLACK_ALERT_CHANNEL": "#dev", "SLACK_ALERT_TOKEN": "xoxb-2"},
}
#: What tells of times, hours, quotas or channels.
ASKED = (
    "status --json",
    "jobs --json",
    "history --json",
    "explain lag --json",
    "simulate --since 2026-11-24T00:00 --until 2026-11-24T05:00 --json",
    "simulate --since 2026-11-24T00:00 --until 2026-11-24T00:10",
    "check --budget --json",
    "pause lag --for 1d",
)


def note_of(project: Project, environ: Mapping[str, str] = ITS) -> str:
    loaded = load_settings({}, environ, cwd=project.path, home=project.path.parent / "home")
    return encode_published(loaded, "slack" if loaded.settings.token else "console")


@pytest.fixture
def owned(project: Project) -> Iterator[Project]:
    """A project that runs with ITS environment, of which nothing is left here."""
    words = {"at": now().isoformat(), "pid": 1, "clean": False}
    project.remember(Batch(pulse=json.dumps(words)))
    with project.owned(note_of(project)):
        yield project


def place(request: Request) -> tuple[object, object]:
    return request.payload["channel"], request.payload["conversation"]


def set_environment(project: Project, environ: Mapping[str, str]) -> None:
    for name in {*ITS, *(name for each in ELSEWHERE.values() for name in each)}:
        project.monkeypatch.delenv(name, raising=False)
    project.monkeypatch.setenv("TZ", "UTC")
    for name, value in environ.items():
        project.monkeypatch.setenv(name, value)


def told(project: Project, words: str) -> tuple[int, str]:
    """Return what a command says, without what differs from moment to moment."""
    project.monkeypatch.setattr("slack_alert.engine.clock.SystemClock.now", lambda _: ago(seconds=0).replace(second=0))
    done = project.run(*words.split())
    return done.code, done.out


@pytest.mark.slow
@pytest.mark.parametrize("words", ASKED)
def test_answer_is_the_same_whatever_is_around_the_command(words: str, owned: Project) -> None:
    set_environment(owned, ITS)
    expected = told(owned, words)

    for around, environ in ELSEWHERE.items():
        set_environment(owned, environ)
        assert told(owned, words) == expected, around


@pytest.mark.slow
def test_the_table_would_notice_each_of_these_differences(project: Project) -> None:
    """Where nobody runs, the answers do differ."""
    for around in ("another zone", "another quota", "other hours", "another channel"):
        set_environment(project, ITS)
        expected = [told(project, words) for words in ASKED[4:7]]
        set_environment(project, {**ITS, **ELSEWHERE[around]})
        assert [told(project, words) for words in ASKED[4:7]] != expected, around


def test_what_differs_is_said_with_both_values(owned: Project) -> None:
    set_environment(owned, {"TZ": "Asia/Tokyo", "SLACK_ALERT_MAX_ALERT": "2"})

    said = owned.run("jobs").err

    assert f"the running program (process {os.getpid()}) has channel = #ops" in said
    assert "max_alert = 7" in said
    assert "timezone = Europe/Berlin" in said
    assert "that counts; here it would be channel = (not set)" in said
    assert "timezone = Asia/Tokyo" in said


def test_nothing_is_said_where_nothing_differs(owned: Project) -> None:
    set_environment(owned, ITS)

    assert [owned.run(*words.split()).err for words in ("status", "jobs", "check --budget")] == ["", "", ""]


def test_another_folder_finds_the_plugins_of_the_running_program(owned: Project) -> None:
    set_environment(owned, {})
    owned.monkeypatch.chdir(owned.path.parent)

    done = owned.run("jobs", "--database", f"sqlite:///{owned.database}")

    assert "db.lag" in done.out
    assert f"path = {owned.path}" in done.err


def test_link_that_was_turned_since_still_leads_to_what_runs(project: Project) -> None:
    releases = project.path.parent / "releases"
    for name in ("one", "two"):
        shutil.copytree(project.path / "plugins", releases / name / "plugins")
        (releases / name / ".slack_alert").symlink_to("../../state")
    (releases / "two" / "plugins" / "db.py").rename(releases / "two" / "plugins" / "other.py")
    (releases / "current").symlink_to("two")
    shared = Project(releases / "one", project.monkeypatch, project.capsys)
    shared.database.parent.resolve().mkdir()

    with shared.owned(note_of(shared, {"TZ": "Europe/Berlin"})):
        jobs = project.run("jobs", "--path", str(releases / "current"))
        plan = project.run("check", "--path", str(releases / "current"))

    assert "db.lag" in jobs.out
    assert f"path = {releases / 'one'}" in jobs.err
    assert f"here it would be path = {releases / 'current'}" in jobs.err
    assert "other.lag" in plan.out


def test_flags_count_for_one_answer_and_that_is_said(owned: Project) -> None:
    set_environment(owned, {})

    done = owned.run("status", "--json", "--timezone", "Asia/Tokyo")

    assert done.json["clock"]["at"].endswith("+09:00")
    assert "has timezone = Europe/Berlin; what the command line says counts for this answer alone" in done.err


def test_file_edited_since_the_start_counts_for_plans_and_not_for_what_is(project: Project) -> None:
    project.write("slack_alert.conf", "[slack]\nmax_alert = 7\n")
    with project.owned(note_of(project, {"TZ": "Europe/Berlin"})):
        project.write("slack_alert.conf", "[slack]\nmax_alert = 1\n[quiet]\nnight = 2:00-3:00\n")
        plan = project.run("simulate", "--since", "2026-11-24T10:00", "--until", "2026-11-24T11:00", "--json")
        jobs = project.run("jobs")

    assert "paused" in {line["verdict"] for line in plan.json_lines if line["job"] == "db.lag"}
    assert "still has max_alert = 7, quiet.night = (not set); this is as after a restart, with max_alert" in plan.err
    assert "has max_alert = 7, quiet.night = (not set), and that counts; here it would be max_alert = 1" in jobs.err


def test_who_has_no_token_speaks_where_the_running_program_does(owned: Project) -> None:
    set_environment(owned, {})

    assert owned.run("send", "hello").code == 0
    assert owned.run("send", "hello", "--to", "#dev").code == 0

    left = SqliteInbox(inbox_path(owned.database)).peek()
    assert [place(request) for request in left] == [("slack", "#ops"), ("slack", "#dev")]


def test_who_has_a_token_speaks_on_the_terminal_where_the_running_program_has_none(project: Project) -> None:
    with project.owned(note_of(project, {"TZ": "UTC"})):
        set_environment(project, ITS)
        assert project.run("send", "hello", "--to", "#dev").code == 0

    (left,) = SqliteInbox(inbox_path(project.database)).peek()
    assert place(left)[0] == "console"


def test_no_secret_is_noted(project: Project) -> None:
    lines = ["[slack]", "username = xoxb-9-mistaken", "proxy = http://ann:hunter2@proxy:8080", "channel = hunter2"]
    project.write("slack_alert.conf", "\n".join(lines))

    note = note_of(project, {name: value for name, value in ITS.items() if name != "SLACK_ALERT_CHANNEL"})

    assert [word for word in (TOKEN, "example.com/secret", "xoxb-9-m", "hunter2") if word in note] == []


_WITHOUT_RIGHTS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="rights cannot be taken here")
def test_user_without_rights_sees_what_runs_or_reads_what_he_may_not(owned: Project) -> None:
    """Root without its capabilities is a user like others."""
    conf = owned.write("slack_alert.conf", f"[slack]\ntoken = {TOKEN}\nchannel = #ops\n")
    state = owned.database.parent
    for path in (conf, state, *state.iterdir()):
        os.chown(path, 12345, 12345)
        path.chmod(0o755 if path.is_dir() else 0o644)  # The owner lets others read; nobody may by default.
    conf.chmod(0o600)

    def asked(*words: str) -> subprocess.CompletedProcess[str]:
        command = [*_WITHOUT_RIGHTS, sys.executable, "-m", "slack_alert", "--path", str(owned.path), *words]
        home = {"HOME": str(owned.path.parent), "PYTHONPATH": str(Path(__file__).parents[2]), "TZ": "UTC"}
        return subprocess.run(command, env=home, cwd="/", capture_output=True, text=True, check=False)

    status, pause = asked("status"), asked("pause", "lag")
    assert (status.returncode, status.stdout.splitlines()[0]) == (0, f"slack-alert is alive, process {os.getpid()}.")
    assert "this user (root) may only read it" in status.stdout
    assert "slack_alert.conf cannot be read here; this is what the running program" in status.stderr
    assert pause.returncode == 1
    assert "this user (root) may not write to it. Ask as #12345, to whom it belongs" in pause.stderr

    conf.chmod(0o644)
    state.chmod(0o700)
    hidden, budget = asked("status"), asked("check", "--budget")
    assert hidden.returncode == 1
    assert hidden.stdout.startswith("Whether slack-alert is running cannot be seen by this user.")
    assert f"{state}: this user (root) may not read it" in hidden.stdout
    assert "goes by the settings that are here, not by those of a program that may be running" in budget.stderr
    state.chmod(0o755)
    conf.unlink()
