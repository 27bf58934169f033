"""A secret among the arguments of a command is in nothing that its run says or leaves, however it says it."""

from __future__ import annotations

from base64 import b64encode

import pytest

from slack_alert.testing import ChatRehearsal

TOKEN = "tok-Zebra-4711"
HEAD = """
import base64, sys
from typing import Annotated

@deco(command="deploy", allow="members")
"""
WAYS = {
    "returns": "    return f'used {token}'",
    "returns_lines": "    return ['one', token]",
    "returns_table": "    return {'token': token, token: 1}",
    "returns_file": "    return ('notes.txt', f'used {token}'.encode())",
    "returns_number_by_name": "    return {token: 2.5}",
    "encodes": "    return base64.b64encode(f'x:{token}'.encode()).decode()",
    "yields": "    yield 'first'\n    yield token",
    "raises": "    raise ValueError(f'refused {token}')",
    "raises_a_cause": "    try:\n        int(token)\n    except ValueError as one:\n        raise OSError from one",
    "prints": "    print('used', token)",
    "prints_in_parts": "    print(token[:5], end='')\n    print(token[5:])",
    "prints_to_stderr": "    print('used', token, file=sys.stderr)",
    "says": "    ctx.say(f'used {token}')",
    "tells_progress": "    ctx.progress(0.4, f'with {token}')\n    nap()",
    "runs": "    return ctx.run([sys.executable, '-c', f'print({token!r})'])",
    "runs_in_vain": "    return ctx.run([sys.executable, '-c', f'print({token!r}); raise SystemExit(3)'])",
    "shows_in_time": "    print(token)\n    nap()",
}


def load(chat: ChatRehearsal, body: str, parameters: str = 'token: Annotated[str, "secret"]') -> None:
    text = f"{HEAD}def deploy(ctx, app, {parameters}):\n{body}\n\ndef nap():\n    pass\n"
    chat.load(text, name="shop")


def everything(chat: ChatRehearsal, capsys: pytest.CaptureFixture[str]) -> str:
    """Return all that anybody can read afterwards."""
    number = chat.history[-1].run
    verbs = [f"!{verb}" for verb in ("history", "history deploy", f"why E-{number}", "audit", "queue", "status")]
    asked = [chat.says("bob", verb) for verb in verbs]
    before = [text for one in chat.answers for text in one.before]
    return f"{chat.answers}{before}{asked}{chat.audit}{chat.history}{chat.queue}{capsys.readouterr()}"


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_argument_is_in_nothing_that_its_run_says(
    chat: ChatRehearsal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    load(chat, WAYS[way])
    monkeypatch.setattr(chat.module("shop"), "nap", lambda: chat.advance(seconds=30))
    chat.says("ann", f"!deploy shop {TOKEN}")

    told = everything(chat, capsys)
    assert TOKEN not in told
    assert b64encode(f"x:{TOKEN}".encode()).decode() not in told


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ('token: Annotated[list[str], "secret"]', f"{TOKEN},other-4711"),
        ('*token: Annotated[str, "secret"]', f"other-4711 {TOKEN}"),
        ('*, token: Annotated[str | None, "secret"] = None', f"token={TOKEN}"),
    ],
)
def test_secrets_of_every_kind_of_parameter_are_masked(chat: ChatRehearsal, parameters: str, line: str) -> None:
    load(chat, "    return f'used {token}'", parameters)
    (answer,) = chat.says("ann", f"!deploy shop {line}")

    assert "used" in answer
    assert TOKEN not in answer
    assert "other-4711" not in answer


def test_a_number_that_is_secret_is_masked(chat: ChatRehearsal) -> None:
    load(chat, "    return f'used {token}'", 'token: Annotated[int, "secret"]')

    assert chat.says("ann", "!deploy shop 80713355") == ["done\nused [secret]"]


def test_what_a_guard_says_of_a_secret_is_masked(chat: ChatRehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    load(
        chat,
        "    return 'out'\n\n@deco(guard='deploy')\ndef freeze(by, command, args):\n"
        "    print(args)\n    return f'frozen for {args}'",
    )
    (answer,) = chat.says("ann", f"!deploy shop {TOKEN}")

    assert "frozen" in answer
    assert TOKEN not in f"{answer}{chat.audit}{capsys.readouterr()}"


def test_what_a_guard_puts_in_place_of_a_secret_is_masked(chat: ChatRehearsal) -> None:
    load(
        chat,
        "    return f'used {token}'\n\n@deco(guard='deploy')\ndef swap(by, command, args):\n"
        f"    return {{'token': '{TOKEN}'}}",
    )
    answers = chat.says("ann", "!deploy shop another-one")

    assert answers == ["done\nused [secret]"]


@pytest.mark.parametrize("rest", [f"shop {TOKEN} more", f"--app shop --token {TOKEN} --tokn {TOKEN}", f'shop "{TOKEN}'])
def test_a_line_that_is_refused_shows_no_secret(chat: ChatRehearsal, rest: str) -> None:
    load(chat, "    return 'out'")
    (answer,) = chat.says("ann", f"!deploy {rest}")

    assert TOKEN not in f"{answer}{chat.audit}"


@pytest.mark.parametrize("text", ["a", "12345", "staging", "monitoring"])
def test_a_secret_that_is_short_or_a_word_is_masked_in_the_command_alone(chat: ChatRehearsal, text: str) -> None:
    load(chat, "    return f'used {token}'")

    assert chat.says("ann", f"!deploy shop {text}") == [f"done\nused {text}"]
    assert [entry.command for entry in chat.audit] == ["deploy shop ***"]


def test_a_secret_is_a_secret_for_as_long_as_its_run_is_open(chat: ChatRehearsal) -> None:
    load(
        chat,
        "    return f'used {token}'\n\n@deco(command='repeat', allow='members', queue=None)\n"
        "def repeat(text):\n    return text",
    )
    with chat.held("deploy"):
        chat.says("ann", f"!deploy shop {TOKEN}")
        meanwhile = chat.says("bob", f"!repeat {TOKEN}")
    afterwards = chat.says("bob", f"!repeat {TOKEN}")

    assert meanwhile == ["done\n[secret]"]
    assert afterwards == [f"done\n{TOKEN}"]
