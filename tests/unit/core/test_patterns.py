"""A lazy pattern behaves as the pattern it becomes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from slack_alert.core.patterns import lazy_pattern


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Yield what is compiled from now on."""
    found: list[object] = []
    real = re.compile

    def compile_(pattern: str, flags: int = 0) -> re.Pattern[str]:
        found.append(pattern)
        return real(pattern, flags)

    with monkeypatch.context() as patch:
        patch.setattr(re, "compile", compile_)
        yield found


def test_it_is_compiled_once_and_when_first_used(compiled: list[object]) -> None:
    pattern = lazy_pattern(r"\d+")
    assert compiled == []

    assert pattern.findall("1 and 22") == ["1", "22"]
    assert pattern.sub("n", "1 and 22") == "n and n"
    assert compiled == [r"\d+"]


@pytest.mark.parametrize(("pattern", "flags"), [("[ab]c", 0), ("(?P<first>^x)", re.IGNORECASE | re.MULTILINE)])
def test_it_has_all_that_a_pattern_has(pattern: str, flags: int) -> None:
    expected, actual = re.compile(pattern, flags), lazy_pattern(pattern, flags)
    text = "bc\nX marks"

    assert (actual.pattern, actual.flags, actual.groups) == (expected.pattern, expected.flags, expected.groups)
    assert actual.groupindex == expected.groupindex
    assert actual.split(text) == expected.split(text)
    assert [found.span() for found in actual.finditer(text)] == [found.span() for found in expected.finditer(text)]


def test_it_may_be_of_bytes() -> None:
    found = lazy_pattern(rb"\xff+").search(b"a\xff\xffb")

    assert found is not None
    assert found.span() == (1, 3)


def test_an_attribute_that_no_pattern_has_is_an_error() -> None:
    with pytest.raises(AttributeError, match="find_all"):
        lazy_pattern("a").find_all  # type: ignore[attr-defined]  # noqa: B018 - the access is what is tested


def test_what_is_no_pattern_raises_when_first_used() -> None:
    pattern = lazy_pattern("(")

    with pytest.raises(re.error, match="unterminated"):
        pattern.search("a")
