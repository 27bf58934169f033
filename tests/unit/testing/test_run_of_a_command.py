"""A command that somebody runs as a job, `run deploy`, is on record as it was asked for."""

from __future__ import annotations

import pytest

from slack_alert.testing import ChatRehearsal

SHOP = """
from typing import Annotated

@deco(command="deploy", allow="ops")
def deploy(app: str, token: Annotated[str, "secret"] = ""):
    if app == "bad":
        raise ValueError("no")
    return f"{app} is out"
"""
GUARD = """
@deco(guard="deploy")
def rename(by, command, args):
    return {"app": "blog"}
"""


@pytest.fixture
def shop(chat: ChatRehearsal) -> ChatRehearsal:
    chat.load(SHOP, name="shop")
    chat.roles(ops=["ann", "bob"], runners=["ann", "cat"])
    chat.permissions("run = runners")
    return chat


def on_record(chat: ChatRehearsal) -> list[tuple[str, str]]:
    return [(entry.command, str(entry.verdict)) for entry in chat.audit]


@pytest.mark.parametrize(
    ("who", "line", "written", "rule"),
    [
        ("bob", "run deploy shop", "run deploy shop", "run = runners"),
        ("bob", "run shop.deploy shop --token tok-4711", "run shop.deploy shop ***", "run = runners"),
        ("cat", "run deploy shop", "run deploy shop", "allow = ops"),
        ("cat", "deploy shop", "deploy shop", "allow = ops"),
    ],
)
def test_what_was_denied_is_on_record_as_it_was_asked_for(
    shop: ChatRehearsal, who: str, line: str, written: str, rule: str
) -> None:
    (answer,) = shop.says(who, f"!{line}")
    (entry,) = shop.audit

    assert on_record(shop) == [(written, "denied")]
    assert rule in entry.reason
    assert rule in answer


def test_what_ran_is_on_record_as_it_was_asked_for(shop: ChatRehearsal) -> None:
    answers = shop.says("ann", "!run deploy shop")
    shop.says("ann", "!deploy shop")

    assert answers == ["done\nshop is out"]
    assert on_record(shop) == [("run deploy shop", "ran"), ("deploy shop", "ran")]


def test_what_a_guard_has_changed_is_on_record_as_it_was_asked_for(chat: ChatRehearsal) -> None:
    chat.load(SHOP + GUARD, name="shop")
    chat.roles(ops=["ann"])
    chat.permissions("run = ops")
    chat.says("ann", "!run deploy shop")

    assert on_record(chat) == [("run deploy blog", "ran")]


def test_what_failed_is_tried_again_as_it_was_asked_for(shop: ChatRehearsal) -> None:
    (answer,) = shop.says("ann", "!run deploy bad tok-4711")

    assert "`!run deploy bad token=<token>` tries it again." in answer


def test_wrong_words_are_refused_with_the_usage_of_the_command(shop: ChatRehearsal) -> None:
    (answer,) = shop.says("ann", "!run deploy")

    assert answer == "not run: app is missing.\nUsage: `run deploy APP [TOKEN]`"
    assert on_record(shop) == [("run deploy", "refused")]


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_a_sensitive_command_is_told_when_it_is_run_as_a_job(chat: ChatRehearsal, who: str) -> None:
    chat.load(SHOP, name="shop")
    chat.roles(ops=["ann"])
    chat.permissions("run = members")
    chat.configure("audit", channel="#audit", sensitive="deploy")
    chat.says(who, "!run shop.deploy shop")

    assert ["run shop.deploy shop" in each for each in chat.answers if each.to == "#audit"] == [True]
