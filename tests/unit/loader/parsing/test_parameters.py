from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from slack_alert.core.catalog import Catalog, Severity
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.model.run import RunOptions
from slack_alert.core.structs import replace
from slack_alert.loader import survey
from tests.fakes.plugins import DEFAULTS, OPS, loaded, problems, surveyed, write

TEXT, CHOICE = ValueKind.TEXT, ValueKind.CHOICE


def command(catalog: Catalog, name: str = "x.f") -> Command:
    (found,) = (one for one in catalog.bindings if isinstance(one, Command) and one.name == name)
    return found


def parameters(root: Path, signature: str, head: str = "") -> tuple[Parameter, ...]:
    catalog = surveyed(root, f"{dedent(head)}\n@deco(command='f')\ndef f({signature}): pass\n")
    assert problems(catalog) == []
    return command(catalog).parameters


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        ("str", TEXT),
        ("'str'", TEXT),
        ("int", ValueKind.WHOLE),
        ("float", ValueKind.NUMBER),
        ("bool", ValueKind.FLAG),
        ("datetime", ValueKind.DATETIME),
        ("datetime.datetime", ValueKind.DATETIME),
        ("dt.date", ValueKind.DATE),
        ("date", ValueKind.DATE),
        ("timedelta", ValueKind.DURATION),
        ("Path", ValueKind.PATH),
        ("pathlib.Path", ValueKind.PATH),
        ("Optional[int]", ValueKind.WHOLE),
        ("typing.Optional[int]", ValueKind.WHOLE),
        ("t.Union[int, None]", ValueKind.WHOLE),
        ("int | None", ValueKind.WHOLE),
        ("None | int", ValueKind.WHOLE),
        ("'int | None'", ValueKind.WHOLE),
        ("Optional['int']", ValueKind.WHOLE),
        ("Number", ValueKind.WHOLE),
    ],
)
def test_every_spelling_of_a_type_is_read(tmp_path: Path, annotation: str, kind: ValueKind) -> None:
    head = """
    import pathlib, typing
    import datetime as dt
    import typing as t
    Number = int
    """
    assert parameters(tmp_path, f"a: {annotation}", head) == (Parameter("a", kind),)


@pytest.mark.parametrize("future", ["", "from __future__ import annotations"])
@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("Literal['a', 'b']", Parameter("a", CHOICE, ("a", "b"))),
        ("typing.Literal[1, -2, True]", Parameter("a", CHOICE, (1, -2, True))),
        ("Literal['a', None]", Parameter("a", CHOICE, ("a",))),
        ("Literal['a'] | Literal['b', 'a'] | None", Parameter("a", CHOICE, ("a", "b"))),
        ("Env", Parameter("a", CHOICE, ("a", "b"))),
        ("Env | None", Parameter("a", CHOICE, ("a", "b"))),
        ("Stage", Parameter("a", CHOICE, ("STAGING", "PROD"), enum="Stage")),
        ("'Stage'", Parameter("a", CHOICE, ("STAGING", "PROD"), enum="Stage")),
        ("Colour", Parameter("a", CHOICE, ("RED",), enum="Colour")),
        ("list[Stage]", Parameter("a", CHOICE, ("STAGING", "PROD"), is_list=True, enum="Stage")),
        ("list", Parameter("a", is_list=True)),
        ("list[int]", Parameter("a", ValueKind.WHOLE, is_list=True)),
        ("List[int] | None", Parameter("a", ValueKind.WHOLE, is_list=True)),
        ("Annotated[str, 'secret']", Parameter("a", is_secret=True)),
        ("Annotated[str, 'dash', 5]", Parameter("a", takes_dash=True)),
        ("Annotated[str | None, 'secret', 'dash']", Parameter("a", is_secret=True, takes_dash=True)),
        ("list[Annotated[str, 'secret']]", Parameter("a", is_list=True, is_secret=True)),
    ],
)
def test_choices_lists_and_remarks_are_read(tmp_path: Path, future: str, annotation: str, expected: Parameter) -> None:
    head = f"""{future}
import enum, typing
from enum import Enum as E
from typing import *
Env: TypeAlias = Literal["a", "b"]
class Stage(enum.Enum):
    STAGING = "staging"
    PROD: str = "prod"
    _ignore_ = []
    def said(self): return self.value
class Colour(str, E):
    RED = "r"
"""
    assert parameters(tmp_path, f"a: {annotation}", head) == (expected,)


def test_how_a_parameter_is_given_and_its_default_are_read(tmp_path: Path) -> None:
    head = "import enum\nFIVE = 5\nclass E(enum.Enum):\n    A = 1\n"
    found = parameters(
        tmp_path,
        "a, /, ctx, b: str = 'x', c=True, d=FIVE, e=2.5, f=None, g=(), h=unknown(), *rest: int, i: E = E.A, j: str",
        head,
    )

    assert found == (
        Parameter("a"),
        Parameter("b", is_required=False, default="'x'"),
        Parameter("c", ValueKind.FLAG, is_required=False, default="True"),
        Parameter("d", ValueKind.WHOLE, is_required=False, default="5"),
        Parameter("e", ValueKind.NUMBER, is_required=False, default="2.5"),
        Parameter("f", is_required=False),
        Parameter("g", is_required=False, is_list=True, default="[]"),
        Parameter("h", is_required=False, default="unknown()"),
        Parameter("rest", ValueKind.WHOLE, is_list=True, is_variadic=True, is_required=False),
        Parameter("i", CHOICE, ("A",), is_required=False, is_named=True, default="'A'", enum="E"),
        Parameter("j", is_named=True),
    )


@pytest.mark.parametrize(
    "signature",
    [
        "a: dict",
        "a: bytes",
        "a: int | str",
        "a: list[list[int]]",
        "a: dict[str, int]",
        "a: Callable[[], int]",
        "a: pandas.DataFrame",
        "a: Elsewhere",
        "a: Literal",
        "a: Literal[2.5]",
        "a: Loop",
        "a: 'not valid'",
        "a: Own",
        "a: f()",
        "*, a: set[int]",
        "*a: dict",
        "**a",
        "**a: str",
    ],
)
def test_a_parameter_that_words_cannot_become_keeps_the_function_out(tmp_path: Path, signature: str) -> None:
    head = "from .common import Elsewhere\nLoop = 'Loop'\nclass Own: pass\n"
    catalog = surveyed(tmp_path, f"{head}@deco(command='f')\ndef f({signature}): pass\n")

    (problem,) = catalog.problems
    assert (problem.code, problem.severity, problem.line) == ("SA214", Severity.ERROR, 5)
    assert problem.column == len("def f(") + 1 + signature.index("a", signature.rfind("*") + 1)
    assert problem.hint
    assert catalog.bindings == ()


def test_a_job_alone_may_take_what_words_cannot_become(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(minutes=5)\ndef f(a: dict = {}, **b): pass\n@deco(on='x')\ndef g(**b): pass")

    assert problems(catalog) == []


def test_examples_are_the_lines_of_the_docstring_that_show_it(tmp_path: Path) -> None:
    content = '''
    @deco(command="f")
    def f():
        """Do it.

        Example: f shop prod
        Not this line.

        Examples:
            `f a`
            f b

        Nor this.
        """
    @deco(minutes=5)
    def g():
        """Example: g"""
    '''
    catalog = surveyed(tmp_path, content)

    assert command(catalog).examples == ("f shop prod", "f a", "f b")
    assert command(catalog).action.doc == "Do it."


def test_a_command_has_its_options(tmp_path: Path) -> None:
    options = "allow=['ops', 'dev'], queue='d', lock='{a}/x', hidden=True, errors_to='#err', timeout=5, retries=2"
    found = command(
        surveyed(
            tmp_path, f"@deco(command=['/Deploy', 'Ausrollen  jetzt', '部署', './go.sh'], {options})\ndef f(a): pass"
        )
    )

    assert (found.words, found.aliases) == ("Deploy", ("Ausrollen jetzt", "部署", "./go.sh"))
    assert (found.allow, found.queue, found.lock, found.is_hidden) == (("ops", "dev"), "d", "{a}/x", True)
    assert found.errors_to == replace(OPS, conversation="#err")
    assert found.run_options == RunOptions(timedelta(seconds=5), 2)


@pytest.mark.parametrize("queue", ["None", "''"])
def test_a_command_without_a_queue_never_waits(tmp_path: Path, queue: str) -> None:
    assert command(surveyed(tmp_path, f"@deco(command='f', queue={queue})\ndef f(): pass")).queue is None
    assert command(surveyed(tmp_path, "@deco(command='f')\ndef f(): pass")).queue == "default"


@pytest.mark.parametrize("option", ["confirm=True", "confirm='Sure?'", "approve='ops'", "choices={'a': 'b'}"])
def test_a_command_never_runs_without_what_it_asks_for(tmp_path: Path, option: str) -> None:
    both, alone = (
        surveyed(tmp_path, f"@deco(command='f', {more}{option})\ndef f(a=1): pass") for more in ("minutes=5, ", "")
    )

    assert [one.kind for one in both.bindings] == ["job"]
    keyword = option.partition("=")[0]
    assert [one.message for one in both.problems] == [
        f"`{keyword}` is not there yet in this version: the command does not run"
    ]
    assert alone.bindings == ()
    assert [one.message for one in alone.problems] == [f"`{keyword}` is not there yet in this version: f does not run"]


@pytest.mark.parametrize("option", ["confirm=False", "approve=False"])
def test_a_command_that_asks_for_nothing_runs(tmp_path: Path, option: str) -> None:
    catalog = surveyed(tmp_path, f"@deco(command='f', {option})\ndef f(): pass")

    assert command(catalog).words == "f"
    assert problems(catalog) == []


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ("{envv}", "lock: f has no parameter envv, got '{envv}'"),
        ("{env", "lock: the braces do not fit (expected '}' before end of string), got '{env'"),
        ("{env.x}", "lock: between braces stands the name of a parameter alone, got '{env.x}'"),
        ("{}", "lock: between braces stands the name of a parameter alone, got '{}'"),
    ],
)
def test_a_lock_names_parameters(tmp_path: Path, lock: str, said: str) -> None:
    (problem,) = surveyed(tmp_path, f"@deco(command='f', lock={lock!r})\ndef f(env): pass").problems

    assert (problem.code, problem.message) == ("SA201", said)


def test_of_two_commands_with_the_same_words_the_first_file_s_has_them(tmp_path: Path) -> None:
    write(
        tmp_path, {"a.py": "@deco(command=['go', 'Run'])\ndef f(): pass", "b.py": "@deco(command='run')\ndef g(): pass"}
    )

    catalog = survey(tmp_path, replace(DEFAULTS, built_in=frozenset({"go"})))

    assert [one.name for one in catalog.bindings] == ["a.f", "b.g"]
    assert [(one.file, one.code, one.severity) for one in catalog.problems] == [
        ("plugins/a.py", "SA211", Severity.WARNING),
        ("plugins/b.py", "SA211", Severity.WARNING),
    ]
    assert catalog.problems[0].message == "the words `go` are also those of a verb that is built in, which comes first"
    assert catalog.problems[0].hint == "Write a.f for this one, or give it other words."
    assert catalog.problems[1].message == "the words `run` are also those of the command a.f, which comes first"
    assert catalog.problems[1].hint == "Write b.g for this one, or give it other words."


def test_what_was_read_once_is_read_from_the_cache_alike(tmp_path: Path) -> None:
    content = '''
    import enum
    class E(enum.Enum):
        A = 1
    @deco(command="f")
    def f(e: E, n: int = 3, *rest):
        """Example: f A"""
    '''
    with loaded(tmp_path, {"x.py": content}, cache=tmp_path / "cache") as catalog:
        first = command(catalog)
    with loaded(tmp_path, {}, cache=tmp_path / "cache") as catalog:
        second = command(catalog)

    assert (first.parameters, first.examples) == (second.parameters, second.examples)
    assert first.parameters[0] == Parameter("e", CHOICE, ("A",), enum="E")
