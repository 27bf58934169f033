"""Names are found however they are typed: a keyboard, a file system and an editor need not spell an accent alike."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from tests.fakes.project import Project

JOBS = """
    @deco(hours=1, name="Zürich")
    def other():
        return "other"


    @deco(on="geändert", where={"größe": "Käse*"})
    def folgt(ctx):
        return ctx.event["größe"]
"""


def spelled(form: str, text: str) -> str:
    return normalize(form, text)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(("form", "other"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_commands_take_names_as_people_type_them(form: str, other: str, project: Project) -> None:
    project.write(f"plugins/{spelled(other, 'café')}.py", spelled(other, JOBS))
    name, rule = spelled(form, "café.Zürich"), spelled(form, "café.folgt")
    done = [
        project.run("trigger", name),
        project.run("pause", spelled(form, "café.Z*"), "--for", "1m"),
        project.run("resume", spelled(form, "Zürich")),
        project.run("mute", name, "--for", "1m"),
        project.run("history", name),
        project.run("explain", name),
        project.run("simulate", "--outcome", f"{name}=quiet"),
        project.run("exec", spelled(form, "müde"), "--", "true"),
        project.run("history", spelled(other, "müde")),
    ]
    emitted = project.run("emit", spelled(form, "geändert"), spelled(form, "größe=Käsebrot"))

    assert [one.code for one in done] == [0] * len(done), [one.err for one in done]
    assert spelled("NFC", rule) + " will answer" in emitted.out
