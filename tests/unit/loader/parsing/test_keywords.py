from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import get_type_hints

import pytest

import slack_alert
from slack_alert import Keywords, deco
from slack_alert.core.policy.incidents import Repeat
from slack_alert.core.schedule.triggers import TIME_KEYWORDS
from slack_alert.loader.options.option_checks import WHILE_PAUSED
from slack_alert.loader.parsing.literals import KEYWORDS, OPTION_KEYWORDS

HINTS = get_type_hints(Keywords)


def test_the_marker_gives_the_very_function_back() -> None:
    def space() -> str:
        return "full"

    marked: Callable[[], str] = deco(minutes=5, to="#ops")(space)

    assert marked is space


def test_the_marker_keeps_the_type_of_a_function_and_refuses_wrong_keywords() -> None:
    @deco(cron=["0 9 * * mon-fri", "@monthly"], while_paused="mute", pause_time="1h30m", max_alert=0)
    def space(path: str, *, least: int = 10) -> str:
        return f"{path} {least}"

    # Each of these is an error to a type checker, or the comment beside it would be one.
    deco(minutes="5")  # type: ignore[arg-type]
    deco(minute=5)  # type: ignore[call-arg]
    deco(minutes=5, repeat="never")  # type: ignore[arg-type]
    space(5)  # type: ignore[arg-type]

    said: str = space("/", least=5)
    assert said == "/ 5"


def test_the_marker_knows_the_keywords_the_loader_knows_in_the_same_order() -> None:
    assert [*HINTS] == [*KEYWORDS]
    assert list(TIME_KEYWORDS) == list(HINTS)[: len(TIME_KEYWORDS)]
    assert list(OPTION_KEYWORDS) == list(HINTS)[-len(OPTION_KEYWORDS) :]


@pytest.mark.parametrize(
    ("keyword", "words"), [("repeat", tuple(repeat.value for repeat in Repeat)), ("while_paused", WHILE_PAUSED)]
)
def test_the_marker_allows_the_words_the_loader_allows(keyword: str, words: tuple[str, ...]) -> None:
    assert HINTS[keyword].__args__ == words


def test_the_documentation_names_the_keywords_that_work() -> None:
    documented = deco.__doc__ or ""
    later = OPTION_KEYWORDS[OPTION_KEYWORDS.index("where") :]

    assert [word for word in KEYWORDS if word not in documented and word not in later] == []


@pytest.mark.slow
def test_importing_the_package_imports_nothing_but_typing() -> None:
    code = "import typing; before = {*sys.modules}; import slack_alert; print(sorted({*sys.modules} - before))"
    root = slack_alert.__path__[0].rpartition("slack_alert")[0]
    # Without site, whose packages would bring modules of their own.
    found = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {root!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.strip() == "['slack_alert']"
