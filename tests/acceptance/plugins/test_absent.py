from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from slack_alert.core.model.record import Verdict
from tests.fakes.program import running
from tests.fakes.project import Project

PLUGIN = """
    @deco(on="backup.done", absent="1s", recover=True, max_alert=0)
    def soon():
        \"\"\"No backup came.\"\"\"
        return True


    @deco(on="backup.done", absent="25h")
    def late():
        return "no backup for a day"
"""


@pytest.mark.slow
def test_what_does_not_come_is_told_until_it_comes_and_when_that_was_survives_a_kill(project: Project) -> None:
    project.write("plugins/jobs.py", PLUGIN)
    with running(project.path, PLUGIN) as program:
        program.wait_until(lambda: "  No backup came.\n" in program.out, "the alert")

        done = project.run("emit", "backup.done")

        assert done.out == "backup.done: jobs.soon, jobs.late waited for it.\n"
        program.wait_until(lambda: "jobs.soon recovered after" in program.out.replace("*", ""), "the recovery")
        program.wait_until(lambda: Verdict.QUIET in program.verdicts("late"), "the event is known")

    (came,) = [line["at"] for line in project.run("history", "late", "--json").json_lines]
    (job,) = [job for job in project.run("jobs", "--json").json["jobs"] if job["name"] == "jobs.late"]

    assert datetime.fromisoformat(job["next_run"]) == datetime.fromisoformat(came) + timedelta(hours=25)


def test_jobs_show_until_when_it_may_come(project: Project) -> None:
    project.write("plugins/jobs.py", PLUGIN)

    lines = project.run("jobs").lines

    (late,) = [line for line in lines if line.startswith("jobs.late")]
    assert "no backup.done for 25h" in late
    assert "in 1 d 1 h unless backup.done comes" in late or "in 1 d unless backup.done comes" in late
