"""Whatever prints what was said, for people or as JSON, prints the characters that the function meant."""

from __future__ import annotations

import json
import re

import pytest

from tests.fakes.project import Project

#: Honest text that looks like an escaped one, and what a function returns.
HONEST = "&lt;"
TEXT = f"a < b && c > d, R&D <b> {HONEST}"
PLUGIN = f"""
    import os
    import signal

    TEXT = {TEXT!r}


    @deco(days=1, at_start=True, repeat="change")
    def text():
        return TEXT


    @deco(days=1, at_start=True)
    def said(ctx):
        ctx.say(TEXT)
        ctx.say({{"text": "a &lt; b &amp;&amp; c &gt; d, R&amp;D &lt;b&gt; &amp;lt;"}})


    @deco(days=1, at_start=True, repeat="update")
    def rows():
        return {{TEXT: TEXT}}


    @deco(days=1, at_start=True)
    def fails():
        raise ValueError(TEXT)


    @deco(days=1, at_start=True, while_paused="mute", max_alert=1, repeat="thread")
    def threaded():
        return [TEXT, TEXT]


    @deco(seconds=0.3, max_alert=1)
    def ends():
        os.kill(os.getpid(), signal.SIGINT)


    @deco(days=1, emits="it.s <seen> & done")
    def notices():
        return TEXT
"""
READING = (
    "jobs", "history", "outbox --all", "status", "report", "report rows", "check",
    "explain text", "explain said", "explain rows", "explain fails", "explain threaded", "explain text --at now",
    "trigger text", "trigger rows", "trigger fails", "trigger notices", "trigger said",
    "simulate --since 2026-03-02 --until 2026-03-04", "simulate --execute --until 2h", "simulate --replay",
)  # fmt: skip


@pytest.fixture
def told(bare: Project) -> Project:
    """A project in which all of it was said, at the start of a program."""
    bare.write("plugins/db.py", PLUGIN)
    assert bare.run("run").code == 0
    return bare


@pytest.mark.slow
def test_no_command_prints_an_escaped_text(told: Project) -> None:
    for words in READING:
        for form in ((), ("--json",)):
            done = told.run(*words.split(), *form)
            said = (done.out + done.err).replace(f"> {HONEST}", "")
            assert re.findall("&(?:amp|lt|gt);", said) == [], (words, form, said)


@pytest.mark.slow
def test_what_was_said_is_found_as_it_was_meant(told: Project) -> None:
    assert TEXT in told.run("explain", "text").out
    assert TEXT in "\n".join(told.run("explain", "text", "--json").json["sentences"])
    texts: dict[str, str] = {}
    for line in told.run("history", "--json").json_lines:
        name = line["job"].removeprefix("db.")
        texts[name] = texts.get(name, "") + (line["text"] or "")
    assert {name for name, found in texts.items() if TEXT in found} == {
        "text", "said", "rows", "fails", "threaded",
    }  # fmt: skip
    assert all(TEXT in line["text"] for line in told.run("outbox", "--json").json_lines if line["run"])
    assert json.loads(told.run("trigger", "notices", "--json").out)["events"][0]["fields"] == {"value": TEXT}
