"""A line that cannot be run is answered with where it is wrong, what is wrong, and what to write instead."""

from __future__ import annotations

import pytest

from slack_alert.testing import ChatRehearsal

PLUGIN = """
from typing import Annotated, Literal

@deco(command="deploy", allow="members")
def deploy(app: str, env: Literal["staging", "prod"] = "staging", version: str | None = None):
    return f"{app} {env} {version}"

@deco(command="paint", allow="members")
def paint(app: str, color: str = "blue"):
    return f"{app} {color}"

@deco(command="login", allow="members")
def login(app: str, token: Annotated[str, "secret"] = ""):
    return app

@deco(command="say", allow="members")
def say(*words: str):
    return " ".join(words)

@deco(command="ping", allow="members")
def ping():
    return "pong"

@deco(hours=1)
def disk():
    return "full"
"""
TIMES = "Write at 18:00, at tomorrow 9:00, at 2026-12-24 09:00 or in 20m, at the end; in quotes it is text."
NAMES = "Allowed: app=, env=, version=."


@pytest.fixture
def told(chat: ChatRehearsal) -> ChatRehearsal:
    chat.load(PLUGIN, name="shop")
    chat.admins("ann")
    return chat


@pytest.mark.parametrize(
    ("line", "reason", "hint"),
    [
        ("deploy shop color=red", "There is no parameter color.", NAMES),
        ("deploy shop prod 1.2 color=red", "There is no parameter color.", NAMES),
        ("deploy shop evn=prod", "There is no parameter evn.", "Did you mean env=prod?"),
        ("deploy shop prod verison=1.2", "There is no parameter verison.", "Did you mean version=1.2?"),
        ("paint shop colour=red", "There is no parameter colour.", "Did you mean color=red?"),
        ("ping color=red", "There is no parameter color.", "It takes none."),
        ("deploy shop =x", "There is no name in front of =x.", f"Write no blanks around it. {NAMES}"),
        ("deploy shop env = prod", "There is no name in front of =.", f"Write no blanks around it. {NAMES}"),
        ("deploy shop env=", "env: '' is not allowed.", "Allowed: staging, prod."),
        ("deploy shop --env", "--env needs a value.", "Allowed for env: staging, prod."),
        ("deploy shop --colour red", "There is no option --colour.", "Allowed: --app, --env, --version."),
        ("paint shop --colour red", "There is no option --colour.", "Did you mean --color?"),
        ("deploy shop env=prod env=staging", "env is given twice.", "Keep one of the two."),
        ("paint shop red color=blue", "There is one word too many: red.", "color is given by name already."),
        ("paint shop red blue", "There is one word too many: blue.", "Put a text of several words in quotes."),
    ],
)
def test_a_value_in_the_wrong_place_is_told(told: ChatRehearsal, line: str, reason: str, hint: str) -> None:
    (answer,) = told.says("ann", f"!{line}")

    assert answer.splitlines()[:2] == [f"not run: {reason}", hint]


@pytest.mark.parametrize(
    ("tail", "reason", "hint"),
    [
        ("at yesterday", "yesterday has passed.", TIMES),
        ("at yesterday 8:00", "yesterday 8:00 has passed.", TIMES),
        ("at 2020-01-01", "2020-01-01 has passed.", TIMES),
        ("at 2020-01-01 09:00", "2020-01-01 09:00 has passed.", TIMES),
        ("at 2026-02-30", "'2026-02-30' is not a date and time: day is out of range for month.", TIMES),
        ("at tomorrow", "at tomorrow has no time of day.", "Write at tomorrow 9:00, for example."),
        ("at 25:00", "'25:00' is not a time of day.", TIMES),
        ("at noon", "'at noon' is no time at which it could run.", TIMES),
        ("at 18:00 tomorrow", "'at 18:00 tomorrow' is no time at which it could run.", TIMES),
        ("at", "There is no time behind at.", TIMES),
        ("in", "There is no time behind in.", TIMES),
        ("in 5", "in 5 has no unit.", "Write in 5m or in 5h, for example."),
        ("in -5m", "in -5m has passed.", TIMES),
        ("in 5 minutes", "'in 5 minutes' is no time at which it could run.", TIMES),
        ("in 99999d", "'99999d' is not a duration between 0 and ten years.", TIMES),
        ("in 20m at 18:00", "There are two times to run at.", "Keep one of the two."),
        ("in 5 at 18:00", "There are two times to run at.", "Keep one of the two."),
    ],
)
@pytest.mark.parametrize("line", ["deploy shop", "deploy shop prod", "deploy shop prod 1.2", "paint shop", "ping"])
def test_a_time_that_cannot_be_is_told_wherever_it_stands(
    told: ChatRehearsal, line: str, tail: str, reason: str, hint: str
) -> None:
    (answer,) = told.says("ann", f"!{line} {tail}")

    assert answer.splitlines()[:2] == [f"not run: {reason}", hint]


@pytest.mark.parametrize("line", ["run disk at noon", "run deploy shop at noon"])
def test_a_time_that_cannot_be_is_told_of_a_job(told: ChatRehearsal, line: str) -> None:
    (answer,) = told.says("ann", f"!{line}")

    assert answer.splitlines()[:2] == ["not run: 'at noon' is no time at which it could run.", TIMES]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("say tea at noon", "tea at noon"),
        ("say a=b in 5", "a=b in 5"),
        ("deploy shop prod 'at'", "shop prod at"),
        ("deploy shop prod --version in", "shop prod in"),
        ("deploy shop prod version=at", "shop prod at"),
        ("deploy shop prod branch=main", "shop prod branch=main"),
        ("deploy shop prod dmVyc2lvbg==", "shop prod dmVyc2lvbg=="),
        ("deploy shop prod 'verison=1'", "shop prod verison=1"),
        ("paint shop http://x/?color=red", "shop http://x/?color=red"),
    ],
)
def test_text_that_looks_alike_is_text(told: ChatRehearsal, line: str, value: str) -> None:
    (answer,) = told.says("ann", f"!{line}")

    assert answer.splitlines()[-1] == value


@pytest.mark.parametrize(
    "line",
    [
        "shop tokn=hunter2zebra",
        "shop x y=hunter2zebra",
        "shop =hunter2zebra x",
        "shop a at hunter2zebra",
        "= hunter2zebra",
    ],
)
def test_no_answer_about_wrong_words_shows_a_secret(told: ChatRehearsal, line: str) -> None:
    (answer,) = told.says("ann", f"!login {line}")

    assert answer.startswith("not run: ")
    assert "hunter2zebra" not in f"{answer}{told.audit}"
