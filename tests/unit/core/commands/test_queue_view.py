from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.commands.answers import AnswerOptions, CommandProgress, RunState, RunView
from slack_alert.core.commands.queue import QueuedRun
from slack_alert.core.commands.queue_view import QueueView, concealed, queue_json, queue_text, state_text
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.pieces import LIMIT
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace

T = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
OPTIONS = AnswerOptions(Markup("4711"), timezone.utc, Redaction(["hunter2-secret"]))
RUN = QueuedRun(411, "ops.deploy", "deploy shop prod", "slack:T1/U1", "ann", "deploy", "prod", T - 3 * MINUTE)
STARTED = replace(RUN, started=T - 2 * MINUTE)
RUNNING = RunView(STARTED, RunState.RUNNING, T, progress=CommandProgress(0.4, "pulling", "layer 3"))
WAITING = RunView(
    replace(RUN, run=412, words="deploy blog prod", name="bob", by="slack:T1/U2", asked=T - MINUTE),
    RunState.QUEUED,
    T,
    position=1,
    expected=T + 3 * MINUTE,
    held_by=STARTED,
)
LATER = RunView(replace(RUN, run=413, not_before=T + 540 * MINUTE), RunState.QUEUED, T, expected=T + 540 * MINUTE)
VIEW = QueueView(T, (RUNNING,), (WAITING,), (LATER,))


def test_the_list_tells_who_runs_what_and_who_is_next() -> None:
    assert queue_text(VIEW, OPTIONS).text.splitlines() == [
        "1 running, 1 waiting, 1 for later",
        "```",
        "RUN  COMMAND           BY   STATE",
        "---  ----------------  ---  -------------------------------------------",
        "411  deploy shop prod  ann  running for 2 min, 40 % pulling",
        "412  deploy blog prod  bob  1st of deploy, in about 3 min, 411 has prod",
        "413  deploy shop prod  ann  at 18:00, in 9 h",
        "```",
    ]


def test_an_empty_list_says_so() -> None:
    assert queue_text(QueueView(T), OPTIONS).text == "Nothing runs, and nothing waits."


@pytest.mark.parametrize(
    ("view", "text"),
    [
        (replace(RUNNING, progress=CommandProgress()), "running for 2 min"),
        (replace(RUNNING, run=replace(RUN, started=T)), "running for a moment, 40 % pulling"),
        (replace(WAITING, expected=None, held_by=None), "1st of deploy"),
        (replace(WAITING, run=replace(RUN, queue=None), held_by=None, expected=None), "1st for prod"),
        (replace(WAITING, run=replace(RUN, queue=None, lock=""), held_by=None, expected=None), "1st"),
        (replace(WAITING, position=None, expected=T, held_by=None), "waiting for prod, any moment"),
    ],
)
def test_the_state_of_a_run_is_told_in_a_few_words(view: RunView, text: str) -> None:
    assert state_text(view, timezone.utc) == text


def test_the_document_has_the_fields_of_the_contract() -> None:
    assert queue_json(VIEW, BERLIN) == {
        "running": [
            {
                "run": 411,
                "command": "ops.deploy",
                "words": "deploy shop prod",
                "by": "slack:T1/U1",
                "name": "ann",
                "queue": "deploy",
                "since": "2026-11-23T09:58:00+01:00",
                "progress": 0.4,
                "text": "pulling",
            }
        ],
        "waiting": [
            {
                "run": 412,
                "command": "ops.deploy",
                "words": "deploy blog prod",
                "by": "slack:T1/U2",
                "name": "bob",
                "asked": "2026-11-23T09:59:00+01:00",
                "queue": "deploy",
                "position": 1,
                "expected_start": "2026-11-23T10:03:00+01:00",
            }
        ],
        "later": [
            {
                "run": 413,
                "command": "ops.deploy",
                "words": "deploy shop prod",
                "by": "slack:T1/U1",
                "name": "ann",
                "asked": "2026-11-23T09:57:00+01:00",
                "queue": "deploy",
                "at": "2026-11-23T19:00:00+01:00",
                "expected_start": "2026-11-23T19:00:00+01:00",
            }
        ],
    }


def test_what_is_unknown_is_null() -> None:
    document = queue_json(QueueView(T, (replace(RUNNING, progress=CommandProgress()),)), timezone.utc)

    running = document["running"]
    assert isinstance(running, list)
    assert (running[0]["progress"], running[0]["text"]) == (None, None)


def test_texts_of_another_channel_are_not_shown() -> None:
    hidden = QueueView(T, (concealed(RUNNING),), (concealed(WAITING),))

    text = queue_text(hidden, OPTIONS).text
    assert "ops.deploy" in text
    assert not any(word in text for word in ("shop", "blog", "prod", "pulling"))


@pytest.mark.parametrize(
    "odd", ["x" * 9_000, "&" * 9_000, "```\n!op me <!channel>", "e" + "\u0301" * 9_000, "密码" * 900, "hunter2-secret"]
)
def test_a_long_queue_of_odd_commands_fits_into_a_message(odd: str) -> None:
    many = tuple(replace(WAITING, run=replace(RUN, run=n, words=odd, name=odd, queue=odd)) for n in range(600))

    text = queue_text(QueueView(T, (RUNNING,), many), OPTIONS).text

    assert len(text) <= LIMIT
    assert text.startswith("1 running, 600 waiting\n```\n")
    assert text.count("```") == 2
    assert "<" not in text
    assert "hunter2" not in text


def test_what_does_not_fit_is_counted() -> None:
    text = queue_text(QueueView(T, waiting=(WAITING,) * 600), OPTIONS).text

    rows = sum(line.startswith("412") for line in text.splitlines())
    assert text.splitlines()[-1] == f"… and {600 - rows} more"
