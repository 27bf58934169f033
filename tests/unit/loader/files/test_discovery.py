from __future__ import annotations

import os
from pathlib import Path

import pytest

from slack_alert.core.errors import SettingsError
from slack_alert.loader import survey
from tests.fakes.plugins import DEFAULTS, loaded, names, problems, write

JOB = "@deco(minutes=5)\ndef f(): pass\n"


def test_jobs_are_named_for_their_file_and_function(tmp_path: Path) -> None:
    write(tmp_path, {"b.py": JOB, "a.py": JOB, "db/replicas/lag.py": JOB, "a/c.py": JOB})

    assert names(survey(tmp_path, DEFAULTS)) == ["a.f", "a.c.f", "b.f", "db.replicas.lag.f"]


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.py",
        "_private.py",
        "__init__.py",
        ".#x.py",
        "#x.py#",
        "#x.py",
        "x.py~",
        "4913",
        "x.swp",
        ".x.py.swp",
        "x.py.bak",
        "flycheck_x.py",
        "x.pyc",
        "tests/x.py",
        "db/test/x.py",
        "__pycache__/x.py",
        "node_modules/x.py",
        ".git/x.py",
        "_off/x.py",
    ],
)
def test_what_is_no_plugin_is_skipped(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: JOB})

    catalog = survey(tmp_path, DEFAULTS)
    assert names(catalog) == []
    assert problems(catalog) == []


@pytest.mark.parametrize("name", ["venv", ".venv", "env", "whatever"])
def test_a_virtual_environment_is_skipped(tmp_path: Path, name: str) -> None:
    write(tmp_path, {f"{name}/pyvenv.cfg": "", f"{name}/lib/x.py": JOB})

    assert names(survey(tmp_path, DEFAULTS)) == []


def test_a_folder_called_env_is_no_virtual_environment_by_itself(tmp_path: Path) -> None:
    write(tmp_path, {"env/x.py": JOB, "testing/y.py": JOB, "tests.py": JOB})

    assert names(survey(tmp_path, DEFAULTS)) == ["env.x.f", "testing.y.f", "tests.f"]


def test_names_that_are_no_identifiers_load(tmp_path: Path) -> None:
    source = "@deco(minutes=5)\ndef f(): return __file__"
    with loaded(tmp_path, {"disk-full.py": source, "v1.2/a.b.py": source}) as catalog:
        assert names(catalog) == ["disk-full.f", "v1.2.a.b.f"]
        files = [binding.action.function() for binding in catalog.bindings if binding.action.function]
        assert files == [str(tmp_path / "plugins/disk-full.py"), str(tmp_path / "plugins/v1.2/a.b.py")]


def test_links_in_circles_end(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "y.py").write_text(JOB)
    (outside / "back").symlink_to(tmp_path / "plugins")
    (outside / "self").symlink_to(outside)
    write(tmp_path, {"x.py": JOB})
    plugins = tmp_path / "plugins"
    (plugins / "loop").symlink_to(plugins)
    (plugins / "up").symlink_to(tmp_path)
    (plugins / "more").symlink_to(outside)

    assert names(survey(tmp_path, DEFAULTS)) == ["more.y.f", "x.f"]


def test_a_linked_file_is_a_plugin(tmp_path: Path) -> None:
    write(tmp_path, {"..data/x.py": JOB})
    (tmp_path / "plugins/x.py").symlink_to("..data/x.py")

    assert names(survey(tmp_path, DEFAULTS)) == ["x.f"]


def test_what_cannot_be_read_is_a_problem_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"x.py": JOB})
    (tmp_path / "plugins/broken.py").symlink_to("nowhere")
    os.mkfifo(tmp_path / "plugins/pipe.py")

    catalog = survey(tmp_path, DEFAULTS)
    assert [(problem.file, problem.code) for problem in catalog.problems] == [
        ("plugins/broken.py", "SA103"),
        ("plugins/pipe.py", "SA103"),
    ]
    assert names(catalog) == ["x.f"]


def test_link_that_leads_to_itself_is_a_problem_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"x.py": JOB})
    for name in ("loop.py", "_loop", "loop"):
        (tmp_path / "plugins" / name).symlink_to(name)

    catalog = survey(tmp_path, DEFAULTS)
    assert [(problem.file, problem.code) for problem in catalog.problems] == [("plugins/loop.py", "SA103")]
    assert names(catalog) == ["x.f"]


def test_names_that_are_no_text_stay_apart(tmp_path: Path) -> None:
    write(tmp_path, {os.fsdecode(b"\xfe.py"): JOB, os.fsdecode(b"\xff.py"): JOB})

    assert names(survey(tmp_path, DEFAULTS)) == [r"\udcfe.f", r"\udcff.f"]


def test_a_folder_may_end_in_py(tmp_path: Path) -> None:
    write(tmp_path, {"x.py/y.py": JOB})

    assert names(survey(tmp_path, DEFAULTS)) == ["x.py.y.f"]


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        survey(tmp_path, DEFAULTS)

    assert str(caught.value).startswith(f"There is no folder {tmp_path / 'plugins'}.")
    assert "init" in caught.value.hint


def test_an_empty_folder_has_nothing(tmp_path: Path) -> None:
    write(tmp_path, {})

    catalog = survey(tmp_path, DEFAULTS)
    assert catalog.bindings == ()
    assert catalog.problems == ()
