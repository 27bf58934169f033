from __future__ import annotations

import ast
from pathlib import Path

import pytest

from slack_alert.loader.parsing.always_says import always_says
from tests.fakes.plugins import surveyed


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return 'full'", True),
        ("return f'{x} is full'", True),
        ("return f'{x}'", False),
        ("return True", True),
        ("return 0", False),
        ("return", False),
        ("return x", False),
        ("return 'a' if x else None", False),
        ("if x:\n        return 'a'", False),
        ("if x:\n        return 'a'\n    return 'b'", True),
        ("if x:\n        return 'a'\n    else:\n        raise OSError", True),
        ("if x:\n        return None\n    return 'b'", False),
        ("def inner():\n        return None\n    return 'b'", True),
        ("yield 'a'\n    return 'b'", False),
        ("with x:\n        return 'a'", True),
        ("for y in x:\n        return 'a'", False),
        ("pass", False),
        ("raise OSError", False),
    ],
)
def test_a_function_that_is_never_quiet_is_known_by_its_source(body: str, says: bool) -> None:
    (node,) = ast.parse(f"def f(x):\n    {body}").body
    assert isinstance(node, ast.FunctionDef)

    assert always_says(node) == says


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ("on='x', recover=True", ["SA216"]),
        ("on='x', recover=False", []),
        ("on='x'", []),
        ("on='x', absent='1h', recover=True", []),
        ("hours=1, recover=True", []),
    ],
)
def test_a_rule_that_never_recovers_is_a_warning(tmp_path: Path, options: str, codes: list[str]) -> None:
    catalog = surveyed(tmp_path, f"@deco({options})\ndef f(): return 'full'")

    assert [problem.code for problem in catalog.problems] == codes
    assert len(catalog.jobs) == 1
