from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import product
from typing import Any  # fields of several types

import pytest

from slack_alert.core.commands.answers import (
    AnswerOptions,
    CommandProgress,
    FormerRuns,
    RunState,
    RunView,
    answer,
    denied_text,
    format_took,
    format_wait,
    harmless_start,
    ordinal,
    percent,
    refused_text,
)
from slack_alert.core.commands.decision import Refused
from slack_alert.core.commands.queue import QueuedRun
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.pieces import LIMIT, Blocks, Piece, Text, Upload
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.model.run import Failure
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace

T = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MARK = Markup("4711")
OPTIONS = AnswerOptions(MARK, timezone.utc, Redaction(["hunter2-secret"]))
RUN = QueuedRun(412, "ops.deploy", "deploy shop prod", "slack:T1/U1", "ann", "deploy", "prod", T)
CRASH = Failure("ValueError", "no version 1.4", "plugins/ops.py:12", "Traceback (most recent call last):\n  File")
FENCE = "```"


def told(state: RunState, options: AnswerOptions = OPTIONS, run: QueuedRun = RUN, **fields: Any) -> str:
    return answer(RunView(run, state, T, **fields), options).edit.text


CANCEL = "\n`!cancel 412` takes it out of the queue."


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "queued"),
        ({"position": 2, "expected": T + 3 * MINUTE}, "queued, 2nd, starts in about 3 min"),
        ({"position": 1, "expected": T + 47 * SECOND}, "queued, 1st, starts in about 50 s"),
        ({"position": 11}, "queued, 11th"),
        ({"position": 1, "expected": T}, "queued, 1st, starts any moment"),
        ({"position": 3, "expected": T - HOUR}, "queued, 3rd, starts any moment"),
        (
            {"position": 1, "held_by": replace(RUN, run=411, words="deploy blog prod", name="bob")},
            "queued, 1st\nIt waits for prod: `deploy blog prod` of bob (411) has it.",
        ),
    ],
)
def test_who_waits_reads_the_place_and_the_expected_start(fields: dict[str, Any], text: str) -> None:
    assert told(RunState.QUEUED, **fields) == text + CANCEL


def test_who_asked_for_later_reads_the_time() -> None:
    later = replace(RUN, not_before=T + 9 * HOUR)

    assert told(RunState.QUEUED, run=later) == f"queued for 18:00, in 9 h{CANCEL}"
    assert told(RunState.QUEUED, run=replace(RUN, not_before=T), position=1) == f"queued, 1st{CANCEL}"


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (CommandProgress(), "running"),
        (CommandProgress(0.4, "pulling"), "running 40 % pulling"),
        (CommandProgress(0.4), "running 40 %"),
        (CommandProgress(None, "pulling"), "running, pulling"),
        (CommandProgress(float("nan"), "pulling"), "running, pulling"),
        (CommandProgress(0.999, ""), "running 99 %"),
        (CommandProgress(7, ""), "running 100 %"),
        (CommandProgress(-1, ""), "running 0 %"),
        (CommandProgress(tail="\n\n"), "running"),
        (CommandProgress(tail="one\ntwo\n\nthree\nfour\n"), f"running\n{FENCE}\ntwo\nthree\nfour\n{FENCE}"),
        (CommandProgress(tail="10 %\r20 %\r30 %\r\n"), f"running\n{FENCE}\n30 %\n{FENCE}"),
        (CommandProgress(tail="\x1b[1;32mok\x1b[0m\n\x1b]0;title\x07done"), f"running\n{FENCE}\nok\ndone\n{FENCE}"),
        (CommandProgress(tail=f"a {FENCE} b <!channel>"), f"running\n{FENCE}\na ˋˋˋ b &lt;!channel&gt;\n{FENCE}"),
        (CommandProgress(tail="密码 ok"), f"running\n{FENCE}\n密码 ok\n{FENCE}"),
    ],
)
def test_a_running_command_tells_how_far_it_is_and_its_last_lines(progress: CommandProgress, text: str) -> None:
    assert told(RunState.RUNNING, progress=progress) == text


def test_a_run_that_is_about_to_be_canceled_says_who_asked() -> None:
    assert told(RunState.RUNNING, canceled_by="bob", progress=CommandProgress(0.4)) == "canceling, as bob asked"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "done"),
        ({"duration": 72 * SECOND}, "done in 1 m 12 s"),
        (
            {"duration": 72 * SECOND, "former": FormerRuns(58 * SECOND, 47, 50)},
            "done in 1 m 12 s (usually 58 s; 47 of the last 50 succeeded)",
        ),
        ({"duration": timedelta(), "former": FormerRuns(None, 0, 1)}, "done in 0 ms (0 of the last 1 succeeded)"),
        ({"duration": 80 * SECOND / 1000, "former": FormerRuns(SECOND)}, "done in 80 ms (usually 1 s)"),
        ({"duration": timedelta(days=400)}, "done in 9,600 h"),
    ],
)
def test_the_end_is_told_with_what_is_usual(fields: dict[str, Any], text: str) -> None:
    assert told(RunState.DONE, **fields) == text


def test_a_failure_has_its_number_a_sentence_and_what_can_be_done() -> None:
    options = replace(OPTIONS, support="#help")

    text = told(RunState.FAILED, options, duration=12 * SECOND, failure=CRASH, progress=CommandProgress(0.4, "pulling"))

    assert text.splitlines() == [
        "failed after 12 s at 40 % pulling, E-412: ValueError: no version 1.4",
        "`!deploy shop prod` tries it again.",
        "Ask #help, and name E-412.",
        "`slack-alert explain E-412` has the rest.",
    ]


def test_a_failure_with_usage_tells_how_to_write_it() -> None:
    assert "Usage: `deploy APP [ENV]`" in told(RunState.FAILED, failure=CRASH, usage="deploy APP [ENV]").splitlines()


@pytest.mark.parametrize(
    "failure",
    [
        CRASH,
        replace(CRASH, message="Traceback (most recent call last):\n  File 'x'\nKeyError: 'no version 1.4'"),
        replace(CRASH, message="it said: 'Traceback (most recent call last):\\n  File 1\\nKeyError: no version 1.4'"),
        replace(CRASH, message="exit code 1", output="Traceback (most recent call last):\n File\nno version 1.4\n"),
    ],
)
def test_a_failure_never_shows_a_traceback(failure: Failure) -> None:
    first = told(RunState.FAILED, failure=failure).splitlines()[0]

    assert "no version 1.4" in first
    assert "Traceback" not in first
    assert "File" not in first


@pytest.mark.parametrize(
    ("support", "shown"),
    [
        ("#help", "#help"),
        ("U0123", "<@U0123>"),
        ("S0123", "<!subteam^S0123>"),
        ("@ann", "@ann"),
        ("<!here>", "&lt;!here&gt;"),
    ],
)
def test_who_can_help_is_named_and_called_only_by_an_id(support: str, shown: str) -> None:
    assert f"Ask {shown}, and name E-412." in told(RunState.FAILED, replace(OPTIONS, support=support), failure=CRASH)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"canceled_by": "bob"}, "canceled by bob before it started"),
        ({}, "canceled before it started"),
        (
            {"canceled_by": "bob", "duration": 12 * SECOND, "progress": CommandProgress(0.4, "pulling", "layer 3\n")},
            f"canceled by bob after 12 s at 40 % pulling\n{FENCE}\nlayer 3\n{FENCE}",
        ),
    ],
)
def test_a_cancel_says_by_whom_and_how_far_it_was(fields: dict[str, Any], text: str) -> None:
    assert told(RunState.CANCELED, **fields) == text


def test_an_interruption_tells_the_place_and_that_nothing_goes_on() -> None:
    text = told(RunState.INTERRUPTED, progress=CommandProgress(0.4, "pulling", "layer 3"))

    assert text == (
        "interrupted at 40 % pulling: the program ended while it ran.\n"
        "What it had done by then is done; it does not go on by itself.\n"
        "```\nlayer 3\n```\n"
        "`!deploy shop prod` runs it again."
    )


def test_what_came_too_late_is_not_run_and_can_be_repeated() -> None:
    text = told(RunState.EXPIRED, run=replace(RUN, asked=T - 12 * MINUTE))

    assert text == ("expired: it came 12 min after it was written, and was not run.\n`!deploy shop prod` runs it now.")


# --- the value


def test_the_value_is_below_the_end() -> None:
    found = answer(RunView(RUN, RunState.DONE, T), OPTIONS, [Text("shop is on prod")])

    assert found.edit == Text("done\nshop is on prod")
    assert found.follow == ()


def test_a_value_that_just_fits_is_in_the_edit_and_a_longer_one_follows() -> None:
    view = RunView(RUN, RunState.DONE, T)
    fits, longer = Text("x" * (LIMIT - 5)), Text("x" * (LIMIT - 4))

    assert answer(view, OPTIONS, [fits]).edit.size == LIMIT
    assert answer(view, OPTIONS, [fits]).follow == ()
    assert answer(view, OPTIONS, [longer]).edit == Text("done")
    assert answer(view, OPTIONS, [longer]).follow == (longer,)


def test_a_long_value_follows_in_parts_that_can_be_sent() -> None:
    lines = Text("\n".join(f"!line {number}" for number in range(1500)))

    found = answer(RunView(RUN, RunState.DONE, T), OPTIONS, [lines])

    texts = [piece.text for piece in found.follow if isinstance(piece, Text)]
    assert len(texts) == len(found.follow) > 1
    assert all(len(text) <= LIMIT and text.startswith("\u200b!line") for text in texts)
    assert "".join(texts).replace("\u200b", "") == lines.text


def test_a_value_of_too_many_parts_follows_as_a_file() -> None:
    [file] = answer(RunView(RUN, RunState.DONE, T), OPTIONS, [Text("y\n" * 40_000)]).follow

    assert isinstance(file, Upload)
    assert file.name == "deploy.txt"


def test_files_and_forms_follow_in_their_order() -> None:
    file, form = Upload("a.png", b"x"), Blocks({"blocks": [{"type": "divider"}], "text": "!op me"})

    found = answer(RunView(RUN, RunState.DONE, T), OPTIONS, [Text("two"), file, form])
    without_text = answer(RunView(RUN, RunState.DONE, T), OPTIONS, [file, Text("two")])

    assert found.edit == Text("done\ntwo")
    assert found.follow == (file, Blocks({"blocks": [{"type": "divider"}], "text": "\u200b!op me"}))
    assert without_text.follow == (file, Text("two"))


# --- what does not run


def refused(verdict: AuditVerdict, reason: str, hint: str = "") -> Refused:
    return Refused(verdict, reason, hint)


def test_wrong_words_are_answered_with_the_nearest_and_the_usage() -> None:
    found = refused(AuditVerdict.REFUSED, "env is staging or prod, not 'porod'.")

    assert refused_text(found, OPTIONS, usage="deploy APP [staging|prod]", nearest=["prod"]).text == (
        "not run: env is staging or prod, not 'porod'.\nDid you mean `prod`?\nUsage: `deploy APP [staging|prod]`"
    )


def test_a_guard_may_call_people_and_nobody_else() -> None:
    reason = f"freeze: ask {MARK.mention('U0123')} <!channel>"

    assert refused_text(refused(AuditVerdict.REFUSED, reason), OPTIONS).text == (
        "not run: freeze: ask <@U0123> &lt;!channel&gt;"
    )


@pytest.mark.parametrize(
    ("verdict", "begin"),
    [(AuditVerdict.DENIED, "denied: "), (AuditVerdict.EXPIRED, "expired: "), (AuditVerdict.REFUSED, "not run: ")],
)
def test_a_refusal_begins_with_what_became_of_it(verdict: AuditVerdict, begin: str) -> None:
    assert refused_text(refused(verdict, "why", "what to do"), OPTIONS).text == f"{begin}why\nwhat to do"


def test_a_denial_names_the_rule_who_may_and_the_line() -> None:
    text = denied_text(
        "deploy env:prod = release, and you are not in it",
        replace(OPTIONS, support="#help"),
        who=["release", "ann", "@channel"],
        line="deploy env:prod = release, U123",
    ).text

    assert text.splitlines() == [
        "denied: deploy env:prod = release, and you are not in it",
        "Who may: release, ann, @channel.",
        "This line would allow it: `deploy env:prod = release, U123`",
        "Ask #help.",
    ]


def test_a_denial_says_so_where_nobody_may() -> None:
    assert "Who may: nobody." in denied_text("admins only", OPTIONS, who=[]).text
    assert "and 90 more." in denied_text("admins only", OPTIONS, who=["ann"] * 100).text


# --- laws over all of it

ODD = [
    "",
    "x" * 50_000,
    "&" * 50_000,
    "<!channel> <@U0123> <https://a.example|b>",
    f"{FENCE}\n`a` {FENCE}",
    "*bold* _it_ ~no~ `code` :rocket:",
    "!op me\n/kick ann\n.x",
    "\x00\x1b[31m\ud800\ufdd0",
    "密码 кириллица עברית é",
    "e" + "\u0301" * 5_000,
    "hunter2-secret" * 3,
    "y" * 190 + "hunter2-secret",
]
WORDS = ("queued", "running", "canceling", "done", "failed", "canceled", "interrupted", "expired", "not run", "denied")


def odd_texts(odd: str, state: RunState) -> list[str]:
    run = replace(RUN, words=odd, name=odd, lock=odd, by=odd)
    view = RunView(
        run,
        state,
        T,
        position=10**12,
        expected=datetime.max.replace(tzinfo=timezone.utc),
        held_by=run,
        progress=CommandProgress(float("inf"), odd, f"{odd}\n" * 9),
        duration=timedelta.max,
        former=FormerRuns(timedelta.max, 10**9, 10**9),
        failure=Failure(odd, odd, odd, odd, output=odd),
        usage=odd,
    )
    options = replace(OPTIONS, support=odd)
    canceled = replace(view, canceled_by=odd)
    why = refused(AuditVerdict.REFUSED, odd, odd)
    return [
        answer(view, options).edit.text,
        answer(canceled, options).edit.text,
        refused_text(why, options, usage=odd, nearest=[odd]).text,
        denied_text(odd, options, who=[odd] * 30, line=odd).text,
    ]


@pytest.mark.parametrize(("odd", "state"), list(product(ODD, RunState)))
def test_whatever_people_type_the_answer_is_whole_and_calls_nobody(odd: str, state: RunState) -> None:
    for text in odd_texts(odd, state):
        assert len(text) <= LIMIT
        assert text.startswith(WORDS)
        assert "<" not in text
        assert text.count(FENCE) % 2 == 0
        assert "hunter2" not in text
        text.encode()


@pytest.mark.parametrize("prefix", list("!/.?$%&+-=~,;:|#@><*_\\^([{"))
def test_nothing_that_is_said_begins_with_another_bots_prefix(prefix: str) -> None:
    canonical = MARK.escape(f"{prefix}op me")

    assert harmless_start(canonical) == f"\u200b{canonical}"
    assert harmless_start(f"  {canonical}") == f"\u200b  {canonical}"
    assert not harmless_start(canonical).strip().startswith(canonical[0])


@pytest.mark.parametrize("text", ["", "ok", "7 rows", "密码", "<@U0123> did it", f"{FENCE}\na  1\n{FENCE}", "  ok"])
def test_ordinary_text_begins_as_it_is(text: str) -> None:
    assert harmless_start(text) == text


@pytest.mark.parametrize(
    ("number", "shown"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (12, "12th"), (23, "23rd"), (111, "111th")]
)
def test_places_are_counted_as_people_do(number: int, shown: str) -> None:
    assert ordinal(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "any moment"),
        (4, "any moment"),
        (9, "in about 10 s"),
        (58, "in about 1 min"),
        (170, "in about 3 min"),
        (3590, "in about 1 h"),
        (7400, "in about 2 h"),
        (90_000, "in about 1 d 1 h"),
    ],
)
def test_waits_are_told_as_roughly_as_they_are_known(seconds: int, shown: str) -> None:
    assert format_wait(T + seconds * SECOND, T) == shown


def test_durations_and_fractions_of_any_size_are_shown() -> None:
    assert [format_took(timedelta(seconds=seconds)) for seconds in (-1, 0.08, 58, 72, 7380)] == [
        "0 ms", "80 ms", "58 s", "1 m 12 s", "2 h 3 m",
    ]  # fmt: skip
    assert [percent(each) for each in (None, 0.29, 1.0, float("inf"))] == ["", "29 %", "100 %", ""]


def pieces_of(value: Piece) -> tuple[Piece, ...]:
    return answer(RunView(RUN, RunState.DONE, T), OPTIONS, [value]).follow


def test_a_comment_of_a_file_is_harmless_too() -> None:
    [file] = pieces_of(Upload("a.txt", b"x", comment="!op me"))

    assert isinstance(file, Upload)
    assert file.comment == "\u200b!op me"
