"""A path without plugins is told by every command that needs one, and nothing is made there."""

from __future__ import annotations

import pytest

from tests.fakes.project import Project


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--json"),
        ("outbox",),
        ("outbox", "--json"),
        ("outbox", "retry", "1"),
        ("send", "hi"),
        ("send", "hi", "--dry-run"),
        ("check",),
        ("jobs",),
        ("history",),
        ("trigger", "x"),
        ("simulate",),
        ("pause", "x"),
    ],
    ids=" ".join,
)
def test_a_path_without_plugins_is_exit_code_2_with_a_hint(words: tuple[str, ...], project: Project) -> None:
    elsewhere = project.path / "elsewhere"
    elsewhere.mkdir()

    done = project.run(*words, "--path", str(elsewhere))

    assert (done.code, done.out) == (2, "")
    assert f"There is no folder {elsewhere / 'plugins'}. Make it with" in done.err
    assert list(elsewhere.iterdir()) == []
