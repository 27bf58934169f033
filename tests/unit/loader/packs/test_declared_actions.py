"""Actions without Python: tables of a manifest become bindings, and what is wrong with them is said with its line."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.command import Command
from slack_alert.core.errors import BadValue
from slack_alert.loader import survey
from tests.fakes.packs import loaded_packs, write_pack
from tests.fakes.plugins import DEFAULTS


def catalog(root: Path, manifest: str) -> Catalog:
    write_pack(root, "mypack", {}, manifest)
    return survey(root, DEFAULTS)


def called(root: Path, manifest: str, **values: object) -> Any:  # Any: what the runner was given
    """Return what an action `a` hands to ctx.run."""
    found: list[Any] = []

    def run(argv: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
        found.append(SimpleNamespace(argv=argv, cwd=cwd, env=env))
        return "done"

    write_pack(root, "mypack", {}, manifest)
    with loaded_packs(root) as loaded:
        function = loaded.lookup("mypack.a").action.function
        assert function is not None
        assert function(ctx=SimpleNamespace(run=run), **values) == "done"
    return found[0]


def test_a_table_takes_every_keyword_of_a_marker(tmp_path: Path) -> None:
    found = catalog(
        tmp_path,
        """
        [action.a]
        on = "changed_file"
        where = {status = "deleted"}
        working_hours = "mon-fri 9:00-17:00"
        max_alert = 7
        run = ["./a.sh", "{path}"]
        """,
    )

    (job,) = found.bindings
    assert isinstance(job, Job)
    assert job.rule is not None
    assert (job.name, job.rule.on, dict(job.rule.where)) == (
        "mypack.a",
        ("mypack.changed_file",),
        {"status": "deleted"},
    )
    assert (job.policy.max_alert, job.action.parameters, job.action.file) == (7, ("path",), "packs/mypack/pack.toml")
    assert found.problems == ()


def test_a_table_without_a_time_and_an_event_is_a_command(tmp_path: Path) -> None:
    (command,) = catalog(tmp_path, '[action.a]\nrun = ["echo", "{app}", "{n}"]\nparameters.n.type = "int"\n').bindings

    assert isinstance(command, Command)
    assert (command.words, [one.name for one in command.parameters]) == ("mypack.a", ["app", "n"])


def test_a_program_of_the_pack_runs_in_its_folder_and_another_as_it_is_written(tmp_path: Path) -> None:
    own = called(tmp_path, '[action.a]\nrun = ["./bin/a.sh", "x"]\n')
    assert own.argv == [str(tmp_path / "packs" / "mypack" / "bin" / "a.sh"), "x"]
    assert own.cwd == tmp_path / "packs" / "mypack"

    assert called(tmp_path, '[action.a]\nrun = ["df", "-h"]\n').argv == ["df", "-h"]


@pytest.mark.parametrize(
    "value", ["a; rm -rf /", "$(id)", "`id`", "-x", "--", "../../etc", "two\nlines", 'it\'s "quoted"', "*", "", "é"]
)
def test_a_value_is_one_word_whatever_is_in_it(tmp_path: Path, value: str) -> None:
    manifest = '[action.a]\non = "e"\nrun = ["a", "{v}", "x={v}"]\nenv = {V = "<{v}>"}\n'
    found = called(tmp_path, manifest, v=value)

    assert found.argv == ["a", value, f"x={value}"]
    assert found.env == {"V": f"<{value}>"}


def test_a_value_that_no_program_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="NUL"):
        called(tmp_path, '[action.a]\non = "e"\nrun = ["a", "{v}"]\n', v="a\0b")


@pytest.mark.parametrize(
    ("parameter", "value", "word"),
    [
        ('type = "int"', 3, "3"),
        ('type = "int"', "3", None),
        ('type = "bool"', True, "yes"),
        ('choices = ["a", "b"]', "b", "b"),
        ('choices = ["a", "b"]', "c", None),
        ('type = "list[str]"', ["a", "b"], "a,b"),
        ('default = "d"', None, "d"),
        ('default = "d"', "e", "e"),
    ],
)
def test_values_are_of_their_types(tmp_path: Path, parameter: str, value: object, word: str | None) -> None:
    manifest = f'[action.a]\non = "e"\nrun = ["a", "{{v}}"]\n[action.a.parameters.v]\n{parameter}\n'
    given = {} if value is None else {"v": value}
    if word is None:
        with pytest.raises(BadValue, match="v must be"):
            called(tmp_path, manifest, **given)
    else:
        assert called(tmp_path, manifest, **given).argv == ["a", word]


def test_nobody_changes_what_is_immutable(tmp_path: Path) -> None:
    manifest = '[action.a]\non = "e"\nrun = ["a", "{v}"]\nparameters.v = {default = "d", immutable = true}\n'
    (job,) = catalog(tmp_path, manifest).bindings

    assert job.action.parameters == ()
    assert called(tmp_path, manifest).argv == ["a", "d"]


@pytest.mark.parametrize(
    ("table", "line", "said"),
    [
        ("minutes = 5", 2, "it needs one of run and http"),
        ('run = ["a"]\nhttp = {url = "https://a/"}', 2, "it needs one of run and http"),
        ('run = "a.sh {x}"', 3, "run must be a list of words"),
        ('run = ["{x}"]', 3, "the program itself cannot be a parameter"),
        ('run = ["../other/a.sh"]', 3, "../other/a.sh is outside of the pack"),
        ('run = ["a"]\nminuets = 5', 4, "there is no keyword minuets"),
        ('http = {url = "https://{host}/"}', 3, "the host of the url cannot be a parameter"),
        ('http = {url = "https://a/", method = "POTS"}', 3, "there is no method POTS"),
        ('run = ["a"]\nparameters.v = {immutable = true}', 4, "v is immutable and has no default"),
        ('run = ["a"]\nparameters.v = {type = "text"}', 4, "v: 'text' is not a type"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, table: str, line: int, said: str) -> None:
    found = catalog(tmp_path, f"[action.a]\n{table}\n")

    assert found.bindings == ()
    (problem,) = found.problems
    assert (problem.file, problem.line) == ("packs/mypack/pack.toml", line)
    assert said in problem.message
    assert problem.code in {"SA408", "SA201"}


def test_a_name_that_a_function_has_is_taken(tmp_path: Path) -> None:
    write_pack(tmp_path, "mypack", {"plugin.py": "@deco(minutes=5)\ndef a(): pass\n"}, '[action.a]\nrun = ["a"]\n')

    assert [problem.code for problem in survey(tmp_path, DEFAULTS).problems] == ["SA206"]
