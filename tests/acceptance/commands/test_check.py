from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.project import Project

MIXED = """
    @deco(seconds=2)
    def a():
        return 1

    def b():
        return 2

    @deco2(xx=1)
    @deco(minutes=2, seconds=30)
    def c():
        return 3
"""


@pytest.mark.slow
def test_jobs_and_problems_are_one_document(project: Project) -> None:
    project.write("plugins/db.py", "")
    project.write("plugins/examples.py", MIXED)

    done = project.run("check", "--json")

    (problem,) = done.json["problems"]
    assert done.code == 0
    assert done.json["jobs"] == [
        {
            "name": "examples.a",
            "file": "plugins/examples.py",
            "line": 1,
            "kind": "job",
            "trigger": "every 2s",
            "options": {},
        }
    ]
    assert list(problem) == ["file", "line", "column", "severity", "code", "message", "hint"]
    assert {"file": "plugins/examples.py", "line": 8, "column": 1, "severity": "warning", "code": "SA203"}.items() <= (
        problem.items()
    )


def test_people_get_a_table_the_problems_as_editors_read_them_and_a_sum(project: Project) -> None:
    project.write("plugins/examples.py", MIXED)

    done = project.run("check")

    assert done.code == 0
    assert done.lines[:4] == [
        "NAME        KIND  TRIGGER               PLACE",
        "db.lag      job   every 5m              plugins/db.py:1",
        "db.report   job   cron 0 9 * * mon-fri  plugins/db.py:6",
        "examples.a  job   every 2s              plugins/examples.py:1",
    ]
    assert done.lines[5].startswith("plugins/examples.py:8:1: SA203 warning: ")
    assert done.lines[-1] == "3 jobs, 1 warning."


def test_an_error_is_exit_code_1_for_people_and_programs(project: Project) -> None:
    project.write("plugins/broken.py", "def x(:\n")

    assert [project.run("check").code, project.run("check", "--json").code] == [1, 1]
    assert [each["code"] for each in project.run("check", "--json").json["problems"]] == ["SA101"]


def test_a_function_with_several_bindings_is_listed_once(project: Project) -> None:
    project.write("plugins/db.py", '@deco(minutes=5, command="disk")\ndef disk():\n    return 1\n')

    (job,) = project.run("check", "--json").json["jobs"]

    assert (job["kind"], job["trigger"]) == ("job", 'every 5m, command "disk"')


def test_options_are_what_the_marker_says_besides_its_triggers(project: Project) -> None:
    jobs = project.run("check", "--json").json["jobs"]

    assert [job["options"] for job in jobs] == [{}, {"working_hours": "mon-fri 9:00-18:00"}]


def test_nothing_is_executed_unless_asked(project: Project, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    project.write("plugins/loud.py", f"open({str(proof)!r}, 'w').close()\n\n@deco(minutes=1)\ndef x(): pass\n")

    project.run("check")
    assert not proof.exists()

    project.run("check", "--load")
    assert proof.exists()


def test_what_a_module_prints_while_loading_stays_out_of_the_document(project: Project) -> None:
    project.write("plugins/loud.py", "print('hello')\n\n@deco(minutes=1)\ndef x(): pass\n")

    done = project.run("check", "--load", "--json")

    assert [job["name"] for job in done.json["jobs"]] == ["db.lag", "db.report", "loud.x"]
    assert "hello" in done.err


def test_a_module_that_fails_while_loading_is_found_by_loading_only(project: Project) -> None:
    project.write("plugins/sick.py", "1 / 0\n\n@deco(minutes=1)\ndef x(): pass\n")

    done = project.run("check", "--load", "--json")

    assert project.run("check").code == 0
    assert (done.code, [problem["code"] for problem in done.json["problems"]]) == (1, ["SA103"])


def test_an_empty_folder_has_no_problems(project: Project) -> None:
    project.write("plugins/db.py", "")

    assert ((done := project.run("check")).code, done.out) == (0, "0 jobs, no problems.\n")
    assert project.run("check", "--json").json == {"jobs": [], "problems": []}


@pytest.mark.parametrize("command", ["check", "jobs", "history", "pause"])
def test_a_path_without_plugins_is_exit_code_2_with_a_hint(command: str, project: Project, tmp_path: Path) -> None:
    done = project.run(command, *(["x"] if command == "pause" else []), "--path", str(tmp_path))

    assert (done.code, done.out) == (2, "")
    assert f"There is no folder {tmp_path / 'plugins'}." in done.err
    assert "slack-alert init" in done.err


@pytest.mark.parametrize("words", [("--path", "{}", "check"), ("check", "--path", "{}")])
def test_options_stand_before_or_after_the_command(words: tuple[str, ...], project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "plugins").mkdir(parents=True)

    assert project.run(*(word.format(other) for word in words)).out == "0 jobs, no problems.\n"


def test_a_wrong_setting_stops_with_exit_code_2(project: Project) -> None:
    done = project.run("check", "--working-hours", "9 to 5")

    assert (done.code, done.out) == (2, "")
    assert "9 to 5" in done.err


def test_a_misspelt_command_is_told_the_right_one(project: Project) -> None:
    done = project.run("chekc")

    assert done.code == 2
    assert "There is no command 'chekc'. Did you mean 'check'?" in done.err


@pytest.mark.parametrize("command", ["check", "jobs", "history", "status", "outbox", "doctor"])
def test_json_too_may_stand_before_the_command(command: str, project: Project) -> None:
    before, after = project.run("--json", command), project.run(command, "--json")

    assert (before.code, [sorted(line) for line in before.json_lines]) == (
        after.code, [sorted(line) for line in after.json_lines],
    )  # fmt: skip
