from __future__ import annotations

import ast
import warnings
from pathlib import Path

import pytest

from tests.fakes.plugins import call, job, loaded, names, problems, surveyed

EXAMPLE = """\
import os

@deco(seconds=2)                 # a job: the outermost decorator is a call with a trigger keyword
def a():
    return 1                     # goes to the channel

def b():                         # not a job
    return 2

@deco2(xx=1)                     # not a job: the marker is not the outermost decorator
@deco(minutes=2, seconds=30)
def c():
    return 3
"""


def test_the_example_of_the_first_page_loads_as_it_stands(tmp_path: Path) -> None:
    with loaded(tmp_path, {"examples.py": EXAMPLE}) as catalog:
        import plugins.examples  # type: ignore[import-not-found]

        assert names(catalog) == ["examples.a"]
        assert (job(catalog, "a").shown, job(catalog, "a").action.line, job(catalog, "a").options) == (
            "every 2s",
            3,
            {},
        )
        assert (call(catalog, "a"), plugins.examples.b(), plugins.examples.c()) == (1, 2, 3)
        (problem,) = catalog.problems
        assert str(problem).startswith("plugins/examples.py:10:1: SA203 warning: ")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("@deco\ndef f(): pass", [("SA201", 1, 1)]),
        ("@deco()\ndef f(): pass", [("SA201", 1, 1)]),
        ("@deco(to='#ops')\ndef f(): pass", [("SA201", 1, 1)]),
        ("@deco(5)\ndef f(): pass", [("SA201", 1, 1)]),
        ("@deco(5, minutes=5)\ndef f(): pass", [("SA201", 1, 1)]),
        ("@deco(**X)\ndef f(): pass", [("SA201", 1, 1)]),
        ("@deco(minutes=5, **X)\ndef f(): pass", [("SA201", 1, 1)]),
        ("@deco(minutes=5, minutes=6)\ndef f(): pass", [("SA201", 1, 1)]),
        ("@deco(minuts=5)\ndef f(): pass", [("SA202", 1, 1)]),
        ("@deco(minutes=5, foo=1, bar=2)\ndef f(): pass", [("SA202", 1, 1), ("SA202", 1, 1)]),
        ("@x\n@deco(minutes=5)\ndef f(): pass", [("SA203", 1, 1)]),
        ("@print\n@deco(minutes=5)\ndef f(): pass", [("SA203", 1, 1)]),
        ("class A:\n  @deco(minutes=5)\n  def f(self): pass", [("SA204", 2, 3)]),
        ("def g():\n  @deco(minutes=5)\n  def f(): pass", [("SA204", 2, 3)]),
        ("if True:\n  @deco(minutes=5)\n  def f(): pass", [("SA204", 2, 3)]),
        ("try:\n  pass\nexcept E:\n  @deco(minutes=5)\n  async def f(): pass", [("SA204", 4, 3)]),
        ("match x:\n  case 1:\n    @deco(minutes=5)\n    def f(): pass", [("SA204", 3, 5)]),
        ("@deco(minutes=5)\nclass A: pass", [("SA204", 1, 1)]),
        ("from lib import cached\n@cached(seconds=30)\ndef f(): pass", [("SA205", 2, 1)]),
        ("import lib\n@lib.a.cached(seconds=30)\ndef f(): pass", [("SA205", 2, 1)]),
        ("try:\n  import lib as l\nexcept E: pass\n@l['x'](seconds=30)\ndef f(): pass", [("SA205", 4, 1)]),
        ("@(lambda **k: k)(seconds=30)\ndef f(): pass", [("SA205", 1, 1)]),
        ("def g(app):\n  @app.timer(seconds=1)\n  def f(): pass", [("SA205", 2, 3)]),
        ("@deco(minutes=5)\ndef f(a, *, b, c=1): pass", [("SA207", 1, 1)]),
        ("@deco(minutes=5)\ndef f(ctx, /): pass", [("SA207", 1, 1)]),
    ],
)
def test_what_is_no_job_says_why(tmp_path: Path, source: str, found: list[tuple[str, int, int]]) -> None:
    catalog = surveyed(tmp_path, source + "\n@deco(seconds=1)\ndef other(): pass\n")

    assert problems(catalog) == found
    assert names(catalog) == ["x.other"]


@pytest.mark.parametrize(
    "source",
    [
        "@deco(minutes=5)\ndef f(): pass",
        "@anything.at.all(minutes=5)\ndef f(): pass",
        "@deco(minutes=5)\nasync def f(): pass",
        "@deco(minutes=5)\ndef f(): yield 1",
        "@deco(minutes=5)\ndef f(ctx, a=1, *b, c=2, **d): pass",
        "@deco(minutes=5)\ndef f(*, ctx): pass",
        "from lib import *\n@deco(minutes=5)\ndef f(): pass",
        "def g():\n  from lib import deco\n@deco(minutes=5)\ndef f(): pass",
        "from slack_alert import deco\n@deco(minutes=5)\ndef f(): pass",
        "from slack_alert import deco as d\n@d(minutes=5)\ndef f(): pass",
        "import slack_alert\n@slack_alert.deco(minutes=5)\ndef f(): pass",
        "import slack_alert as sa\n@sa.deco(minutes=5)\ndef f(): pass",
        "try:\n  from slack_alert import deco\nexcept E:\n  def deco(**k): ...\n@deco(minutes=5)\ndef f(): pass",
        "import lib\n@deco(minutes=5)\n@lib.wraps\ndef f(needed): pass",
    ],
)
def test_an_outermost_call_with_a_trigger_keyword_is_a_job(tmp_path: Path, source: str) -> None:
    catalog = surveyed(tmp_path, source)

    assert problems(catalog) == []
    assert job(catalog).shown == "every 5m"


@pytest.mark.parametrize("definition", ["def deco(**k): ...", "class deco: ...", "deco = 1", "for deco in (): ..."])
def test_a_marker_that_the_file_defines_is_taken_with_a_warning(tmp_path: Path, definition: str) -> None:
    catalog = surveyed(tmp_path, f"{definition}\n@deco(minutes=5)\ndef f(): pass")

    assert problems(catalog) == [("SA208", 2, 1)]
    assert names(catalog) == ["x.f"]


def test_real_decorators_stay(tmp_path: Path) -> None:
    source = """
        import functools
        def twice(f):
            return lambda: 2 * f()
        def route(path): return twice

        @deco(minutes=5)
        @twice
        def a(): return 1

        @route("/x")
        @deco(minutes=5)
        def b(): return 1

        @functools.lru_cache(maxsize=1)
        def c(): return 1

        @deco(minutes=5)
        def d(): return b(), c()
    """
    with loaded(tmp_path, {"x.py": source}) as catalog:
        assert names(catalog) == ["x.a", "x.d"]
        assert (call(catalog, "a"), call(catalog, "d")) == (2, (2, 1))


def test_a_second_marker_on_a_function_does_nothing_and_says_so(tmp_path: Path) -> None:
    with loaded(tmp_path, {"x.py": "@deco(minutes=5)\n@deco(hours=1)\ndef f(): return 1"}) as catalog:
        assert problems(catalog) == [("SA203", 1, 1)]
        assert job(catalog).shown == "every 5m"
        assert call(catalog, "f") == 1


def test_the_setting_narrows_the_names(tmp_path: Path) -> None:
    source = "@deco(hours=1)\ndef a(): pass\n@alert(hours=1)\ndef b(): pass\n@x.deco(hours=1)\ndef c(): pass"
    catalog = surveyed(tmp_path, source, "deco", "other")

    assert names(catalog) == ["x.a"]
    assert problems(catalog) == [("SA205", 3, 1), ("SA205", 5, 1)]
    assert catalog.problems[0].hint == "Allowed: deco, other."


@pytest.mark.parametrize(
    ("marker", "place"),
    [
        ("@deco(minutes=0)", (1, 1)),
        ("é = 1; x = '@'\n@  deco(minutes=0)", (2, 1)),
        ("@ \\\n  deco(minutes=0)", (1, 1)),
        ("@(\n  deco(\n  minutes=0))", (1, 1)),
        ("@été.é(\n minutes=0, to='#é')", (1, 1)),
    ],
)
def test_the_place_of_a_problem_is_the_at_sign(tmp_path: Path, marker: str, place: tuple[int, int]) -> None:
    assert problems(surveyed(tmp_path, f"{marker}\ndef f(): pass")) == [("SA201", *place)]


def test_columns_count_characters(tmp_path: Path) -> None:
    assert problems(surveyed(tmp_path, "x = 'éééé' 5")) == [("SA101", 1, 12)]
    assert problems(surveyed(tmp_path, "é = 'éé'; return")) == [("SA101", 1, 11)]


def test_only_what_the_compiler_warns_of_is_said_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parse = ast.parse

    def parse_while_garbage_is_collected(text: str, path: str) -> ast.AST:
        warnings.warn("unclosed thing", ResourceWarning, stacklevel=1)
        return parse(text, path)

    with monkeypatch.context() as patch:
        patch.setattr(ast, "parse", parse_while_garbage_is_collected)
        catalog = surveyed(tmp_path, "def f(): pass\nx = '\\d'")

    assert problems(catalog) == [("SA101", 2, 1)]


@pytest.mark.parametrize("second", ["@deco(minutes=5)\ndef f(): return 2", "def f(): return 2", "f = 2", "del f"])
def test_a_job_keeps_its_function_when_something_else_takes_the_name(tmp_path: Path, second: str) -> None:
    with loaded(tmp_path, {"x.py": f"@deco(minutes=5)\ndef f(): return 1\n{second}"}) as catalog:
        assert names(catalog) == ["x.f"]
        assert call(catalog, "f") == 1


def test_the_same_name_twice_keeps_the_later_one_out(tmp_path: Path) -> None:
    source = "@deco(hours=1)\ndef a(): pass\n@deco(hours=2, name='a')\ndef b(): pass\n"
    source += "@deco(hours=3, name='y.c')\ndef d(): pass"
    with loaded(tmp_path, {"x.py": source, "x/y.py": "@deco(hours=4)\ndef c(): pass"}) as catalog:
        assert names(catalog) == ["x.a", "x.y.c"]
        assert [(problem.file, problem.line, problem.code) for problem in catalog.problems] == [
            ("plugins/x.py", 3, "SA206"),
            ("plugins/x/y.py", 1, "SA206"),
        ]


def test_an_action_knows_what_its_source_says(tmp_path: Path) -> None:
    source = '''
        @deco(minutes=5)
        async def f(ctx):
            """

            First line.

            Second.
            """
            yield 1

        @deco(minutes=5)
        def g():
            "  "
    '''
    catalog = surveyed(tmp_path, source)

    action = job(catalog, "f").action
    assert (action.file, action.line, action.doc) == ("plugins/x.py", 2, "First line.")
    assert (action.takes_context, action.is_async, action.function) == (True, True, None)
    assert job(catalog, "g").action.doc is None
