from __future__ import annotations

from tests.fakes.project import Project

DEPLOY = """
    from typing import Literal

    @deco(command=["deploy", "ship"], allow="ops")
    def deploy(app: str, env: Literal["staging", "prod"] = "staging"):
        return f"{app} is on {env}"
"""


def test_lines_that_grant_nothing_are_errors_with_their_places(project: Project) -> None:
    project.write("plugins/deploys.py", DEPLOY)
    project.write(
        "slack_alert.conf",
        """
        [roles]
        ops = U123
        [permissions]
        ship env:prod = ops
        deploy evn:prod = ops
        deplyo = ops
        whoami = members
        """,
    )

    done = project.run("check", "--json")

    assert done.code == 1
    assert [(each["code"], each["file"], each["hint"]) for each in done.json["problems"]] == [
        ("SA302", "slack_alert.conf", "Did you mean env?"),
        ("SA301", "slack_alert.conf", "Did you mean deploy?"),
    ]
    lines = (project.path / "slack_alert.conf").read_text(encoding="utf-8").splitlines()
    assert [lines[each["line"] - 1].strip() for each in done.json["problems"]] == [
        "deploy evn:prod = ops",
        "deplyo = ops",
    ]


def test_a_role_of_a_marker_that_is_not_there_is_an_error_of_the_plugin(project: Project) -> None:
    project.write("plugins/deploys.py", DEPLOY)

    done = project.run("check", "--json")

    (problem,) = done.json["problems"]
    assert (problem["code"], problem["file"], problem["hint"]) == (
        "SA304", "plugins/deploys.py", "Roles: members, admins, nobody.",
    )  # fmt: skip
