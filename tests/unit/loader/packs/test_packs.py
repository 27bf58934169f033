from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.errors import SettingsError
from slack_alert.loader import survey
from tests.fakes.packs import FUNCTION, configured, loaded_packs, write_pack
from tests.fakes.plugins import DEFAULTS, call, job, names, problems, write


def test_a_pack_loads_beside_the_plugins_and_its_functions_have_its_name(tmp_path: Path) -> None:
    write(tmp_path, {"bare.py": FUNCTION})
    write_pack(tmp_path, "mypack", {"plugin.py": FUNCTION, "deep/more.py": "@deco(minutes=1)\ndef g(): return 2\n"})

    with loaded_packs(tmp_path) as catalog:
        assert names(catalog) == ["mypack.g", "mypack.f", "bare.f"]
        assert call(catalog, "mypack.g") == 2
        assert catalog.lookup("mypack.f").action.file == "packs/mypack/plugin.py"
        assert problems(catalog) == []


def test_a_file_above_the_packs_that_fails_is_told_at_each_pack_which_still_runs(tmp_path: Path) -> None:
    pack = write_pack(tmp_path, "mypack", {"plugin.py": FUNCTION})
    (pack.parent / "__init__.py").write_text("raise ValueError('no')")

    with loaded_packs(tmp_path) as catalog:
        assert names(catalog) == ["mypack.f"]
        assert [(each.file, each.code) for each in catalog.problems] == [("packs/mypack/plugin.py", "SA103")]


def test_packs_alone_need_no_plugins_folder(tmp_path: Path) -> None:
    write_pack(tmp_path, "mypack", {"plugin.py": FUNCTION})

    assert names(survey(tmp_path, DEFAULTS)) == ["mypack.f"]


def test_without_plugins_and_packs_there_is_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no folder"):
        survey(tmp_path, DEFAULTS)


def test_a_function_of_a_pack_is_given_its_configuration(tmp_path: Path) -> None:
    write_pack(
        tmp_path,
        "mypack",
        {"plugin.py": FUNCTION},
        """
        [config.directories]
        type = "list[path]"
        [config.limit]
        type = "int"
        default = 3
        """,
    )

    with loaded_packs(tmp_path, {"mypack": {"directories": "a, /b"}}) as catalog:
        pack = catalog.lookup("mypack.f").action.pack
        assert pack is not None
        assert dict(pack.config) == {"directories": [tmp_path / "a", Path("/b")], "limit": 3}


def test_files_of_a_pack_import_each_other_as_plugins_do(tmp_path: Path) -> None:
    files = {"common.py": "LIMIT = 7\n", "plugin.py": "import common\n@deco(minutes=5)\ndef f(): return common.LIMIT\n"}
    write_pack(tmp_path, "one", files)
    write_pack(tmp_path, "two", {**files, "common.py": "LIMIT = 8\n"})

    with loaded_packs(tmp_path) as catalog:
        assert (call(catalog, "one.f"), call(catalog, "two.f")) == (7, 8)


def test_a_bare_event_within_a_pack_is_one_of_the_pack(tmp_path: Path) -> None:
    content = """
        @deco(seconds=30, emits="changed")
        def watch(): return []

        @deco(on=["changed", "other.changed", "run.failed"])
        def react(): return 1
    """
    write_pack(tmp_path, "mypack", {"plugin.py": content})
    write(tmp_path, {"bare.py": '@deco(on="changed")\ndef hear(): pass\n'})

    catalog = survey(tmp_path, DEFAULTS)
    react, hear = job(catalog, "mypack.react"), job(catalog, "bare.hear")
    assert isinstance(react, Job)
    assert react.rule is not None
    assert hear.rule is not None
    assert job(catalog, "mypack.watch").emits == ("mypack.changed",)
    assert react.rule.on == ("mypack.changed", "other.changed", "run.failed")
    assert hear.rule.on == ("changed",)


def test_a_faulty_pack_is_a_problem_and_the_others_run(tmp_path: Path) -> None:
    write_pack(tmp_path, "bad", {"plugin.py": FUNCTION, "pack.toml": 'name = "other"\n'})
    write_pack(tmp_path, "good", {"plugin.py": FUNCTION})

    catalog = survey(tmp_path, DEFAULTS)
    assert names(catalog) == ["good.f"]
    assert [(each.file, each.code, each.line) for each in catalog.problems] == [("packs/bad/pack.toml", "SA401", 1)]
    assert [(each.name, each.fault is None) for each in catalog.packs] == [("good", True), ("bad", False)]


def test_a_folder_without_a_manifest_is_told(tmp_path: Path) -> None:
    write_pack(tmp_path, "empty", {"plugin.py": FUNCTION}).joinpath("pack.toml").unlink()

    (problem,) = survey(tmp_path, DEFAULTS).problems
    assert (problem.file, problem.code) == ("packs/empty/pack.toml", "SA401")


@pytest.mark.parametrize("name", [".git", "_off", "foreign", "empty"])
def test_what_is_no_pack_is_passed_over(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "packs" / name
    folder.mkdir(parents=True)
    if name == "foreign":
        (folder / "pack.yaml").write_text("name: foreign\n")

    assert problems(survey(tmp_path, DEFAULTS)) == []


def test_a_bare_file_of_a_packs_name_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"mypack.py": FUNCTION, "mypack/deep.py": FUNCTION, "other.py": FUNCTION})
    write_pack(tmp_path, "mypack", {"plugin.py": FUNCTION})

    catalog = survey(tmp_path, DEFAULTS)
    assert names(catalog) == ["mypack.f", "other.f"]
    assert [(each.file, each.code) for each in catalog.problems] == [
        ("plugins/mypack.py", "SA206"),
        ("plugins/mypack/deep.py", "SA206"),
    ]


def test_two_functions_of_one_name_in_a_pack_are_told(tmp_path: Path) -> None:
    write_pack(tmp_path, "mypack", {"a.py": FUNCTION, "b.py": FUNCTION})

    assert problems(survey(tmp_path, DEFAULTS)) == [("SA206", 1, 1)]


def test_a_section_for_no_pack_is_a_warning(tmp_path: Path) -> None:
    write_pack(tmp_path, "mypack", {"plugin.py": FUNCTION})

    (problem,) = survey(tmp_path, configured(tmp_path, {"mypak": {}})).problems
    assert (problem.file, problem.line, problem.code, str(problem.severity)) == (
        "slack_alert.conf",
        1,
        "SA403",
        "warning",
    )
    assert problem.hint == "Did you mean mypack?"


@pytest.mark.parametrize(("value", "shown"), [("true", ["mypack.fast"]), ("false", ["mypack.slow"])])
def test_a_function_may_be_switched_by_the_configuration_of_its_pack(
    tmp_path: Path, value: str, shown: list[str]
) -> None:
    content = """
        @deco(seconds=1, enabled="config.notify")
        def fast(): pass

        @deco(seconds=9, enabled="not config.notify")
        def slow(): pass
    """
    manifest = f'name = "mypack"\n[config.notify]\ntype = "bool"\ndefault = {value}\n'
    write_pack(tmp_path, "mypack", {"plugin.py": content, "pack.toml": manifest})

    catalog = survey(tmp_path, DEFAULTS)
    assert (names(catalog), catalog.problems) == (shown, ())


def test_a_switch_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    content = '@deco(seconds=1, enabled="config.notify")\ndef f(): pass\n'
    write_pack(tmp_path, "mypack", {"plugin.py": content})
    write(tmp_path, {"bare.py": content})

    catalog = survey(tmp_path, DEFAULTS)
    assert names(catalog) == []
    assert sorted((each.code, each.file, each.message) for each in catalog.problems) == [
        ("SA201", "packs/mypack/plugin.py", "enabled: the pack has no config.notify"),
        ("SA201", "plugins/bare.py", "enabled: outside of packs there is no configuration"),
    ]
