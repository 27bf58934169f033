from __future__ import annotations

import ast
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slack_alert.core.catalog import Severity
from slack_alert.loader import load, survey, unload
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.parsing.compiler import read_file
from slack_alert.loader.parsing.literals import KEYWORDS
from slack_alert.loader.parsing.source import compile_tree, parse
from tests.fakes.plugins import DEFAULTS, write

patient = settings(suppress_health_check=[HealthCheck.too_slow])

NAMES = st.sampled_from(["deco", "x", "a.b", "print", "real", "lib", "é"])
TEXTS = ["'a'", "'09:00'", "'* * * * *'", "'UTC'", "'#a'", "'2026-01-01'", "'\\ud800'", "''", "'always'", "'mute'"]
NUMBERS = ["0", "1", "-1", "True", "None", "1.5", "1e400", "9**99", "1j"]
OTHERS = ["X", "Y", "[]", "{}", "f'{x}'", "b''", "...", "(1,)", "a.b", "c()"]
ATOMS = st.one_of(st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.sampled_from(OTHERS))
# No `**` between values: real decorators run, and a tower of powers would run for ever.
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "<<", "or"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        inner.map(lambda value: f"-{value}"),
        st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]"),
        inner.map(lambda value: f"{{'a': {value}}}"),
    ),
    max_leaves=4,
)
WORDS = st.sampled_from([*KEYWORDS, "xx", "minuts"])
ARGUMENTS = st.one_of(st.tuples(WORDS, VALUES).map("=".join), VALUES, VALUES.map(lambda value: f"**{value}"))


@st.composite
def decorators(draw: st.DrawFn) -> str:
    name = draw(NAMES)
    if draw(st.booleans()):
        return f"@{name}"
    arguments = sorted(draw(st.lists(ARGUMENTS, max_size=4)), key=lambda written: (written[:2] == "**", "=" in written))
    return f"@{name}({', '.join(arguments)})"


@st.composite
def functions(draw: st.DrawFn) -> list[str]:
    marks = draw(st.lists(decorators(), max_size=3))
    kind = draw(st.sampled_from(["def f({}):", "async def g({}):", "def h({}):", "class A:"]))
    head = kind.format(draw(st.sampled_from(["", "ctx", "a", "a=1", "*, a", "*a, **k", "ctx, /"])))
    body = draw(st.sampled_from(["pass", "'doc'", "yield 1", "return 1", "import lib", "global X"]))
    return [*marks, head, f"  {body}"]


@st.composite
def blocks(draw: st.DrawFn, depth: int = 2) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.integers(0, 4))
        if kind == 0 and depth:
            head = draw(st.sampled_from(["if True:", "class B:", "def outer(deco=1):", "for X in (1,):"]))
            lines += [head, "  pass", *(f"  {line}" for line in draw(blocks(depth - 1)))]
        elif kind == 1:
            lines.append(
                draw(
                    st.sampled_from(
                        [
                            "X = 5",
                            "Y = X * 2",
                            "X += 1",
                            "import os",
                            "import x",
                            "from lib import *",
                            "import deco",
                            "(",
                            "",
                        ]
                    )
                )
            )
        else:
            lines += draw(functions())
    return lines


def attempt(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as root:
        write(Path(root), {"x.py": content, "other.py": "@deco(hours=1)\ndef f(): return 1"})
        read = survey(Path(root), DEFAULTS)
        try:
            found = load(Path(root), DEFAULTS, cache=Path(root) / "cache")
            again = load(Path(root), DEFAULTS, cache=Path(root) / "cache")
        finally:
            unload()
    assert [str(problem) for problem in found.problems] == [str(problem) for problem in again.problems]
    assert {binding.name for binding in found.bindings} <= {binding.name for binding in read.bindings}
    assert all(binding.action.function for binding in found.bindings)
    assert "other.f" in {binding.name for binding in found.bindings}
    lines = content.count(b"\n") + content.count(b"\r") + 1
    assert all(1 <= problem.line <= lines and problem.column >= 1 for problem in found.problems)
    assert all(problem.hint for problem in found.problems if problem.severity is not Severity.NOTICE)


@pytest.mark.slow
@given(blocks())
@patient
def test_no_source_gets_past_the_loader_as_an_exception(lines: list[str]) -> None:
    attempt("\n".join(lines).encode())


@pytest.mark.slow
@given(st.binary(max_size=200))
@patient
def test_no_bytes_get_past_the_loader_as_an_exception(content: bytes) -> None:
    attempt(content)


@pytest.mark.slow
@given(st.text(max_size=100).map(lambda text: f"@deco(hours=1)\ndef f(): '''{text}'''\n{text}"))
@patient
def test_no_text_gets_past_the_loader_as_an_exception(source: str) -> None:
    attempt(source.encode("utf-8", "surrogatepass"))


@pytest.mark.slow
@given(
    st.sampled_from(["utf-7", "utf-16", "latin-1", "idna", "rot13", "cp037", "raw_unicode_escape", "x"]),
    st.binary(max_size=50),
)
@patient
def test_no_encoding_gets_past_the_loader_as_an_exception(encoding: str, content: bytes) -> None:
    attempt(b"# coding: " + encoding.encode() + b"\n" + content)


@given(
    before=st.lists(st.sampled_from(["", "x = 1", "def a():\n  return 1", "# é", "y = '''\n\n'''"]), max_size=4),
    marker=st.sampled_from(["@deco(hours=1)", "@deco(\n  hours=1,\n\n  to='#é')", "@ \\\n a.b(seconds=5)"]),
    below=st.lists(st.sampled_from(["@staticmethod", "@print", "# @no", ""]), max_size=2),
    function=st.sampled_from(["def f(a=lambda: 1):\n  'doc'\n  return [x for x in a()]", "async def f():\n  yield 1"]),
    after=st.lists(st.sampled_from(["import sys", "def b(): return f", "z = 1 if x else 2"]), max_size=3),
)
@patient
def test_a_file_without_its_markers_is_the_file_with_blank_lines_in_their_place(
    before: list[str], marker: str, below: list[str], function: str, after: list[str]
) -> None:
    file = PluginFile("/plugins/x.py", ("x",))
    blank = "\n" * marker.count("\n")
    marked = "\n".join([*before, marker, *below, function, *after])
    unmarked = "\n".join([*before, blank, *below, function, *after])

    reading = read_file(file, marked.encode(), markers=(), neighbours=())
    source = parse(file, unmarked.encode())
    assert len(reading.declarations) == 1
    # Code compares by its instructions, constants, names and line numbers, inner functions included.
    assert reading.code == compile_tree(source)
    assert isinstance(source.tree, ast.Module)
