"""Whatever a manifest holds, it is read or told; nothing of it is an exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.pack import TYPES
from slack_alert.loader.packs.manifest import _Reading, read_manifest
from slack_alert.loader.packs.toml_text import line_of

pytestmark = pytest.mark.slow

SHOWN = "packs/mypack/pack.toml"
WORDS = st.sampled_from(
    ["name", "version", "config", "events", "action", "type", "required", "default", "choices", "a", "b.c", "", *TYPES]
)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), WORDS)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=12
)


@given(st.text())
def test_any_text_is_a_manifest_or_has_a_problem(text: str) -> None:
    manifest, problems = read_manifest(text, "mypack", SHOWN)

    assert (manifest is None) == bool(problems)
    assert all(1 <= problem.line <= text.count("\n") + 2 for problem in problems)


@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_any_tables_are_read_or_told(tables: dict[str, Any]) -> None:
    reading = _Reading("", SHOWN)
    manifest = reading.manifest(tables, "mypack")

    assert reading.problems or manifest.name == "mypack"


@given(st.text(), WORDS, WORDS)
def test_a_line_is_one_of_the_text(text: str, table: str, key: str) -> None:
    assert 1 <= line_of(text, table, key) <= max(len(text.splitlines()), 1)
