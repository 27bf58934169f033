from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.model.run import Arguments, Failure, Result
from slack_alert.core.structs import replace
from slack_alert.engine.context.program_call import ProgramCall
from slack_alert.settings.command_sections import PLACEHOLDER
from tests.fakes.stage import Stage, plugin, run_of


def called(source: str, arguments: Arguments, *, takes_context: bool = False, is_async: bool = False) -> str:
    run = replace(run_of(plugin(source), takes_context=takes_context, is_async=is_async), arguments=arguments)
    result = asyncio.run(Stage().await_(run)) if is_async else Stage().call(run)
    assert result.failure is None, result.failure
    return unescaped("\n".join(fallback(piece) for piece in result.pieces))


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@pytest.mark.parametrize(
    ("signature", "values", "rest", "said"),
    [
        ("a, b=2", {"a": "x"}, (), "x 2"),
        ("a, b=2", {"b": 3, "a": "x"}, (), "x 3"),
        ("a, /, b=2", {"a": "x", "b": 1}, (), "x 1"),
        ("a=1, b=2, /", {"b": 5}, (), "1 5"),
        ("*, a, b=2", {"a": "x"}, (), "x 2"),
        ("a, *b", {"a": "x"}, ("y", "z"), "x ('y', 'z')"),
        ("a, *b", {"a": "x"}, (), "x ()"),
        ("*b, a", {"a": "x"}, ("y",), "x ('y',)"),
        ("ctx, a, *b", {"a": "x"}, ("y",), "x ('y',)"),
        ("a, *b, ctx", {"a": "x"}, ("y",), "x ('y',)"),
        ("a, ctx, b=2", {"a": "x"}, (), "x 2"),
    ],
)
@pytest.mark.parametrize("word", ["def", "async def"])
def test_what_was_typed_is_passed_as_the_signature_wants_it(
    word: str, signature: str, values: dict[str, object], rest: tuple[object, ...], said: str
) -> None:
    source = f"{word} job({signature}):\n    return f'{{a}} {{b}}'"

    arguments = Arguments(values, rest)
    assert called(source, arguments, takes_context="ctx" in signature, is_async=word != "def") == said


ENUM = """
import enum, functools
class Env(enum.Enum):
    STAGING = "s"
    PROD = "p"
def wrapped(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)
    return call
"""


@pytest.mark.parametrize("decorator", ["", "@wrapped\n"])
@pytest.mark.parametrize(
    ("signature", "arguments", "said"),
    [
        ("a: Env", Arguments({"a": "PROD"}, (), {"a": "Env"}), "Env.PROD"),
        ("a: 'Env | None' = None", Arguments({"a": "PROD"}, (), {"a": "Env"}), "Env.PROD"),
        ("a: Env = Env.STAGING", Arguments({}, (), {}), "Env.STAGING"),
        ("a: list[Env]", Arguments({"a": ["PROD"]}, (), {"a": "Env"}), "[<Env.PROD: 'p'>]"),
        ("*a: Env", Arguments({}, ("PROD",), {"a": "Env"}), "(<Env.PROD: 'p'>,)"),
        ("a: Env, /", Arguments({"a": "PROD"}, (), {"a": "Env"}), "Env.PROD"),
    ],
)
def test_a_name_becomes_the_member_of_its_enum(signature: str, arguments: Arguments, said: str, decorator: str) -> None:
    assert called(f"{ENUM}{decorator}def job({signature}):\n    return str(a)", arguments) == said


def test_a_function_that_takes_nothing_is_called_with_nothing() -> None:
    assert called("def job():\n    return 'done'", Arguments()) == "done"


def run_program(folder: Path, call: ProgramCall, arguments: Arguments) -> Result:
    return Stage(folder).call(replace(run_of(call, takes_context=True), arguments=arguments))


def words_of(folder: Path, call: ProgramCall, *rest: str, **values: object) -> list[str]:
    result = run_program(folder, call, Arguments(values, rest))
    assert result.failure is None, result.failure
    return "".join(fallback(piece) for piece in result.pieces).splitlines()


INJECTED = [
    "`id`",
    "$(id)",
    "a; id",
    "a && id",
    "a | id",
    "'",
    '"',
    "a b",
    "*",
    "~",
    "$HOME",
    "{app}",
    "-x",
    "../x",
    "",
]


@pytest.mark.slow
def test_whatever_a_value_holds_it_is_one_word_of_the_program(tmp_path: Path) -> None:
    call = ProgramCall(("printf", "%s\n", "{app}", "v={version}/{app}", "{rest}"), PLACEHOLDER, {}, "rest")

    found = words_of(tmp_path, call, *INJECTED, app="$(id) `id`", version="a b; id")

    assert [unescaped(one) for one in found] == ["$(id) `id`", "v=a b; id/$(id) `id`", *INJECTED]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"app": "a"}, ["a", "staging", "v="]),
        ({"app": "a", "env": "prod", "version": "1"}, ["a", "prod", "1", "v=1"]),
    ],
)
def test_a_word_of_a_parameter_without_a_value_vanishes(
    tmp_path: Path, values: dict[str, object], words: list[str]
) -> None:
    call = ProgramCall(
        ("printf", "%s\n", "{app}", "{env}", "{version}", "v={version}", "{rest}"),
        PLACEHOLDER,
        {"env": "staging"},
        "rest",
    )

    assert words_of(tmp_path, call, **values) == words


def failure_of(folder: Path, call: ProgramCall, **values: object) -> Failure:
    failure = run_program(folder, call, Arguments(values)).failure
    assert failure is not None
    return failure


def test_a_program_that_fails_is_a_failure_with_its_last_lines_and_without_its_words(tmp_path: Path) -> None:
    script = "for i in $(seq 30); do echo line $i; done; exit 3"

    failure = failure_of(tmp_path, ProgramCall(("sh", "-c", script, "{token}"), PLACEHOLDER), token="hunter2")

    assert (failure.kind, failure.message, failure.place) == ("exit code 3", "sh", "plugins/db.py:3")
    assert failure.output.splitlines() == [f"line {number}" for number in range(11, 31)]
    assert failure.category == "ProgramError"
    assert "hunter2" not in f"{failure.traceback}{failure.message}"


def test_a_program_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    failure = failure_of(tmp_path, ProgramCall(("./deploy.sh",), PLACEHOLDER))

    assert (failure.kind, "./deploy.sh" in failure.message) == ("FileNotFoundError", True)


def test_a_program_runs_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    script = tmp_path / "inner" / "where.sh"
    script.write_text("#!/bin/sh\npwd\n")
    script.chmod(0o755)

    assert words_of(tmp_path, ProgramCall(("./where.sh",), PLACEHOLDER, cwd=tmp_path / "inner")) == [
        str(tmp_path / "inner")
    ]
