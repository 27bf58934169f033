from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from slack_alert.stores import DatabaseLock, SqliteInbox, inbox_path
from tests.fakes.program import running
from tests.fakes.project import Done, Project
from tests.fakes.slack import FakeSlack

FAILS = "echo copying; echo 'no space' >&2; exit 3"
ROOT = Path(__file__).parents[2]


def execute(project: Project, script: str, *words: str) -> Done:
    return project.run("exec", "nightly", *words, "--", "sh", "-c", script)


def lines(project: Project, *words: str) -> list[dict[str, object]]:
    return project.run("history", "nightly", "--json", *words).json_lines


def test_a_command_that_is_fine_leaves_a_quiet_line_and_says_nothing(bare: Project) -> None:
    done = execute(bare, "echo copied; echo careful >&2")

    assert (done.code, done.out, done.err) == (0, "copied\n", "careful\n")
    (line,) = lines(bare)
    assert (line["verdict"], line["delivery"]) == ("quiet", None)
    assert sorted(str(line["printed"]).splitlines()) == ["careful", "copied"]


def test_a_command_that_fails_is_told_with_its_last_words(bare: Project) -> None:
    done = execute(bare, FAILS)

    (line,) = lines(bare)
    assert (done.code, done.out) == (3, "copying\n")
    assert (line["verdict"], line["error"], line["delivery"], line["run"]) == ("error", "exit code 3\n", "sent", 1)
    head, *words = str(line["text"]).splitlines()
    assert head.startswith("✗ nightly failed: exit code 3 after ")
    assert sorted(words) == ["copying", "no space"]
    assert head in done.err


@pytest.mark.slow
def test_a_failure_that_slack_refuses_is_told_with_its_number(project: Project) -> None:
    with FakeSlack() as slack:
        project.write("slack_alert.conf", f"[slack]\ntoken = xoxb-test\napi_url = {slack.url}\n")
        done = execute(project, FAILS, "--to", "#nowhere")

    assert done.code == 3
    assert "Message 1 is dead: channel_not_found: #nowhere does not exist" in done.err
    assert "`slack-alert outbox retry 1` sends it again." in done.err


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [
        (("sh", "-c", "kill -9 $$"), 137, "exit code 137 (SIGKILL)\n"),
        (("sh", "-c", "exit 255"), 255, "exit code 255\n"),
        (("/no/such/command",), 127, "not started\n"),
        (("/",), 126, "not started\n"),
    ],
)
def test_the_exit_code_is_the_command_s(bare: Project, command: tuple[str, ...], code: int, error: str) -> None:
    done = bare.run("exec", "nightly", "--", *command)

    assert (done.code, [line["error"] for line in lines(bare)]) == (code, [error])


def test_failures_beyond_the_quota_are_withheld(bare: Project) -> None:
    for _ in range(3):
        execute(bare, FAILS, "--max-alert", "2")

    told = lines(bare)
    assert [line["verdict"] for line in told] == ["error", "error", "muted"]
    assert str(told[1]["text"]).splitlines()[-1].startswith("2 errors: muted for 60 min, until ")


def test_quiet_output_is_in_the_history_only(bare: Project) -> None:
    done = execute(bare, "echo copied", "--quiet-output")

    assert (done.out, done.err) == ("", "")
    assert [line["printed"] for line in lines(bare)] == ["copied\n"]


@pytest.mark.slow
def test_what_runs_too_long_is_ended_with_all_it_has_started(bare: Project) -> None:
    hidden = "setsid sleep 60 >/dev/null 2>&1 & echo $!; env -i setsid sleep 60 >/dev/null 2>&1 & echo $!"
    done = execute(bare, f"sleep 60 & echo $!; {hidden}; wait", "--timeout", "0.3s")

    (line,) = lines(bare)
    assert (done.code, line["verdict"], line["error"]) == (124, "timed_out", "given up\n")
    assert re.search(r"^✗ nightly failed: given up after \S+( ms)? \(--timeout 0\.3s\)\n", str(line["text"]))
    assert [pid for pid in done.out.split() if Path(f"/proc/{pid}/exe").exists()] == []


def test_secrets_are_taken_out(bare: Project) -> None:
    bare.write("slack_alert.conf", "[slack]\nheartbeat_url = https://hc.example/s3cr3t-check\n")
    execute(bare, "echo token xoxb-12345-abcdef; exit 1")

    (line,) = lines(bare)
    assert line["printed"] == "token [secret]\n"
    assert "xoxb" not in str(line)


def test_much_output_is_cut_in_its_middle(bare: Project) -> None:
    execute(bare, "echo first; head -c 600000 /dev/zero | tr '\\0' x; echo; echo last", "--quiet-output")

    (line,) = lines(bare)
    printed = str(line["printed"])
    assert printed.startswith("first\nxxx")
    assert printed.endswith("xxx\nlast\n")
    assert "more bytes …" in printed
    assert len(printed) < 300_000


@pytest.mark.slow
def test_what_a_command_leaves_behind_does_not_keep_it_from_ending(bare: Project) -> None:
    done = execute(bare, "sleep 30 & echo $!")

    os.kill(int(done.out), signal.SIGKILL)
    assert done.code == 0


#: What a command may leave behind, which has its output, too; $! is its number.
LEFT_BEHIND = {
    "talks now and then": "(while :; do echo tick; sleep 0.3; done) & echo $! >&2",
    "talks often": "(while :; do echo tick; sleep 0.01; done) & echo $! >&2",
    "says nothing": "sleep 30 & echo $! >&2",
    "complains": "(while :; do echo tick >&2; sleep 0.1; done) & echo $! >&2",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(script, id=name, marks=() if name in ("talks often", "says nothing") else pytest.mark.thorough)
        for name, script in LEFT_BEHIND.items()
    ],
)
def test_a_command_ends_whatever_goes_on_writing_and_that_lives_on(script: str, bare: Project) -> None:
    done = execute(bare, f"echo begun; {script}; echo over; exit 3")

    number = int(done.err.split()[0] if "complains" not in script else next(filter(str.isdigit, done.err.split())))
    try:
        assert (done.code, done.out.split()[0]) == (3, "begun")
        assert "over" in done.out
        (line,) = lines(bare)
        assert (line["verdict"], line["error"]) == ("error", "exit code 3\n")
        assert "over\n" in str(line["printed"])
        # It is not killed by a pipe that nobody reads.
        assert Path(f"/proc/{number}").exists()
    finally:
        os.kill(number, signal.SIGKILL)


@pytest.mark.slow
def test_a_command_ends_though_something_never_stops_writing(bare: Project) -> None:
    done = execute(bare, "yes & echo $! > number; exit 3", "--quiet-output")

    os.kill(int((bare.path / "number").read_text(encoding="ascii")), signal.SIGKILL)
    assert done.code == 3


@pytest.mark.thorough
@pytest.mark.slow
def test_what_is_left_behind_lives_on_also_when_the_process_has_ended(project: Project) -> None:
    script = "(for i in 1 2 3 4 5 6 7 8; do echo tick; sleep 0.25; done; touch lived) & echo over"

    done = subprocess.run(
        [sys.executable, "-m", "slack_alert", "exec", "nightly", "--", "sh", "-c", script],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )

    assert (done.returncode, "over" in done.stdout) == (0, True)
    until = time.monotonic() + 15
    while not (project.path / "lived").exists():
        assert time.monotonic() < until, "it was ended"
        time.sleep(0.05)


@pytest.mark.thorough
@pytest.mark.slow
def test_all_a_command_wrote_is_passed_on_to_a_slow_reader_though_something_goes_on_writing(project: Project) -> None:
    script = "(while :; do echo tick; sleep 0.05; done) & head -c 60000 /dev/zero | tr '\\0' x; echo over; echo $! >&2"
    run = f'{sys.executable} -m slack_alert exec nightly -- sh -c "$SCRIPT" | (sleep 2; cat)'

    done = subprocess.run(
        ["bash", "-c", run],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCRIPT": script},
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )

    os.kill(int(done.stderr.split()[0]), signal.SIGKILL)
    assert (done.stdout.count("x"), "over" in done.stdout) == (60_000, True)


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ("[slack]\nchanel = #ops\n", "nightly is not recorded, and nobody is told how it ended: "),
        ("[slack]\ndatabase = sqlite:////proc/none/state.db\n", "nightly is not recorded, and nobody is told"),
    ],
)
def test_a_command_runs_and_keeps_its_exit_code_whatever_is_wrong_here(bare: Project, conf: str, said: str) -> None:
    bare.write("slack_alert.conf", conf)

    done = execute(bare, FAILS)

    assert (done.code, done.out) == (3, "copying\n")
    assert said in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nightly",), "There is no command to run."),
        (("", "--", "true"), "'' is no name for a job."),
        (("nightly", "--timeout", "soon", "--", "true"), "--timeout: 'soon' is not a duration"),
        (("nightly", "--timeout", "0", "--", "true"), "--timeout 0 is no time at all."),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_runs(bare: Project, words: tuple[str, ...], said: str) -> None:
    done = bare.run("exec", *words)

    assert done.code == 2
    assert said in done.err


def test_a_dry_run_shows_the_message_and_keeps_nothing(bare: Project) -> None:
    done = execute(bare, FAILS, "--dry-run")

    assert "✗ nightly failed: exit code 3 after " in done.err
    assert (done.code, bare.database.exists()) == (3, False)


def test_beside_a_running_program_it_is_left_in_the_inbox(bare: Project) -> None:
    with bare.owned():
        done = execute(bare, FAILS, "--to", "#db")

    (request,) = SqliteInbox(inbox_path(bare.database)).peek()
    assert (done.code, request.kind, request.payload["job"]) == (3, "exec", "nightly")
    assert request.payload["to"] == {"channel": "console", "conversation": "#db"}


@pytest.mark.slow
def test_where_another_short_command_owns_the_database_it_is_waited_for(bare: Project) -> None:
    """Two cron jobs of the same minute: the second one's failure must not lie in the inbox until somebody comes."""
    lock = DatabaseLock(bare.database)
    assert lock.acquire(is_brief=True)
    timer = threading.Timer(0.5, lock.release)
    timer.start()

    execute(bare, FAILS)

    timer.join()
    assert [line["delivery"] for line in lines(bare)] == ["sent"]


@pytest.mark.slow
def test_a_running_program_tells_it(project: Project) -> None:
    plugin = "@deco(hours=1)\ndef lag(): return None\n"
    project.write("plugins/jobs.py", plugin)
    with running(project.path, plugin) as program:
        done = project.run("exec", "nightly", "--quiet-output", "--", "sh", "-c", FAILS)

        program.wait_until(lambda: "✗ nightly failed: exit code 3 after " in program.out, "the failure is told")
    assert done.code == 3


@pytest.mark.slow
def test_a_signal_is_passed_on_and_the_end_waited_for(project: Project) -> None:
    project.write("plugins/jobs.py", "def nothing(): pass\n")
    script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done"
    command = [sys.executable, "-m", "slack_alert", "exec", "nightly", "--", "sh", "-c", script]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(project.path)}
    with subprocess.Popen(
        command, cwd=project.path, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as wrapped:
        assert wrapped.stdout is not None
        assert wrapped.stdout.readline() == "ready\n"

        wrapped.terminate()

        assert wrapped.stdout.read() == "bye\n"
    assert wrapped.returncode == 7


@pytest.mark.parametrize("name", ["third", "jobs.third", "other.third"])
def test_a_name_that_may_mean_a_job_is_marked_as_a_command(bare: Project, name: str) -> None:
    bare.write("plugins/jobs.py", "@deco(hours=1)\ndef third(): return None\n")

    done = bare.run("exec", name, "--", "sh", "-c", "exit 3")

    assert done.code == 3
    assert f"a plugin has a job that '{name}' may mean; this is recorded as '{name} (exec)'." in done.err
    assert [line["job"] for line in bare.run("history", f"{name} (exec)", "--json").json_lines] == [f"{name} (exec)"]
    assert bare.run("history", "third", "--json").json_lines == []


def test_a_failure_with_a_wrong_address_is_recorded_and_told_where_errors_go(bare: Project) -> None:
    done = execute(bare, FAILS, "--to", "nosvc:#x")

    said = (
        "--to 'nosvc:#x': there is no service 'nosvc'. Allowed services: slack, console, dingtalk. "
        "A failure is told where errors"
    )
    assert (done.code, said in done.err) == (3, True)
    assert [line["delivery"] for line in lines(bare)] == ["sent"]


@pytest.mark.slow
def test_a_command_feels_that_nobody_reads_its_output_any_more(bare: Project) -> None:
    command = [sys.executable, "-m", "slack_alert", "exec", "nightly", "--timeout", "20s", "--", "yes"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(bare.path)}
    with subprocess.Popen(
        command, cwd=bare.path, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as wrapped:
        assert wrapped.stdout is not None
        assert wrapped.stdout.readline() == "y\n"
        wrapped.stdout.close()

    assert (wrapped.returncode, [line["error"] for line in lines(bare)]) == (141, ["exit code 141 (SIGPIPE)\n"])


def kill_by_its_command(project: Project, name: str, *words: str, then: str = "") -> None:
    """Run `exec` with a command whose first act is to kill it: no kill comes earlier after the command began."""
    command = [sys.executable, "-m", "slack_alert", "exec", name, *words, "--", "sh", "-c", f"kill -9 $PPID; {then}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(project.path)}
    done = subprocess.run(command, cwd=project.path, env=environment, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        (),
        *(pytest.param(each, marks=pytest.mark.thorough) for each in (("--timeout", "0.2s"), ("--quiet-output",))),
        ("--to", "nosvc:#x"),
    ],
    ids=str,
)
def test_however_early_it_is_killed_the_next_command_tells_that_it_was_interrupted(
    bare: Project, words: tuple[str, ...]
) -> None:
    kill_by_its_command(bare, "nightly", *words)

    done = execute(bare, "true")

    assert "✗ nightly failed: interrupted: exec was killed" in done.err
    assert sorted((str(line["verdict"]), line["delivery"]) for line in lines(bare)) == [
        ("interrupted", "sent"),
        ("quiet", None),
    ]
    assert list(bare.database.parent.glob("*.exec-*")) == []


@pytest.mark.slow
def test_one_that_is_killed_before_anybody_looked_for_jobs_is_not_taken_for_one(bare: Project) -> None:
    bare.write("plugins/jobs.py", "@deco(hours=1)\ndef third(): return None\n")
    kill_by_its_command(bare, "third")

    bare.run("exec", "other", "--", "true")

    assert [line["job"] for line in bare.run("history", "--json").json_lines] == ["third (exec)", "other"]


@pytest.mark.slow
def test_a_running_program_tells_what_a_kill_cut_off_under_a_name_of_its_own(project: Project) -> None:
    plugin = "@deco(hours=1)\ndef third(): return None\n"
    project.write("plugins/jobs.py", plugin)
    kill_by_its_command(project, "third")
    with running(project.path, plugin) as program:
        program.wait_until(lambda: "✗ third (exec) failed: interrupted" in program.out, "the kill is told")


def test_a_command_that_ended_leaves_no_note(bare: Project) -> None:
    for script in ("true", FAILS):
        execute(bare, script)

    assert list(bare.database.parent.glob("*.exec-*")) == []
    assert [line["verdict"] for line in lines(bare)] == ["quiet", "error"]
