"""The terminal as a channel: the layout of an entry, and texts that must not spoil it."""

from __future__ import annotations

import asyncio
import fcntl
import io
import logging
import os
import struct
import termios
from datetime import datetime, timedelta, timezone
from typing import TextIO

import pytest

from slack_alert.channels.console import ConsoleChannel
from slack_alert.core.content.pieces import Piece, Text, Upload
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, DeliveryMode, Message, RunPart
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import replace

SHANGHAI = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 21, 1, 30, 2, tzinfo=timezone.utc)


def delivery(piece: Piece, to: str = "#ops", job: str = "db.lag") -> Delivery:
    return Delivery(1, Message("key", Address("console", to), piece, RunPart(job, NOW, 7)), NOW)


def sent(channel: ConsoleChannel, *waiting: Delivery) -> list[SendResult]:
    async def send() -> list[SendResult]:
        return [await channel.send(each, None) for each in waiting]

    return asyncio.run(send())


def printed(*waiting: Delivery, colour: bool = False) -> str:
    stream = io.StringIO()
    sent(ConsoleChannel(stream, colour=colour, zone=SHANGHAI), *waiting)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        (delivery(Text("disk full")), "09:30:02  #ops  disk full\n"),
        (delivery(Text("disk full"), to=""), "09:30:02  disk full\n"),
        (delivery(Text("one\ntwo\n")), "09:30:02  #ops  one\n                two\n"),
        (delivery(Text("one\ntwo"), to=""), "09:30:02  one\n          two\n"),
        (delivery(Text("<@ann> 1 &lt; 2")), "09:30:02  #ops  @ann 1 < 2\n"),
        (delivery(Upload("a.csv", b"1,2,3")), "09:30:02  #ops  a.csv (5 B)\n"),
        (delivery(Text("red \x1b[31m\x07\x9b \u202e")), "09:30:02  #ops  red \ufffd[31m\ufffd\ufffd \ufffd\n"),
        (delivery(Text("one\r\ntwo")), "09:30:02  #ops  one\n                two\n"),
        (delivery(Text("```\na  1\n```"), to=""), "09:30:02  a  1\n"),
        (delivery(Text(":rotating_light: *db.lag* failed: E"), to=""), "09:30:02  ✗ db.lag failed: E\n"),
        (
            delivery(Text("down\n:white_check_mark: *db.lag* recovered"), to=""),
            "09:30:02  down\n          ✓ db.lag recovered\n",
        ),
        (delivery(Text("x :rotating_light: *db.lag* failed"), to=""), "09:30:02  x :rotating_light: *db.lag* failed\n"),
        (
            delivery(Text(":rotating_light: *db.lag* failed"), to="", job="a"),
            "09:30:02  :rotating_light: *db.lag* failed\n",
        ),
        (delivery(Text(":rotating_light: *n∗a* failed"), to="", job="n*a"), "09:30:02  ✗ n∗a failed\n"),
        (delivery(Text("x"), to="#a\x1b[2J"), "09:30:02  #a\ufffd[2J  x\n"),
    ],
)
def test_an_entry_is_time_address_and_text(waiting: Delivery, expected: str) -> None:
    assert expected == printed(waiting)


def test_an_edit_is_marked_where_it_shall_be_told_from_a_new_message() -> None:
    stream = io.StringIO()
    posted = delivery(Text("1 alert"), to="")
    edited = replace(posted, message=replace(posted.message, manner=DeliveryMode.EDIT, piece=Text("2 alerts")))
    sent(ConsoleChannel(stream, colour=False, zone=SHANGHAI, edit_mark="✎ "), posted, edited)

    assert stream.getvalue() == "09:30:02  1 alert\n09:30:02  ✎ 2 alerts\n"
    assert printed(edited) == "09:30:02  2 alerts\n"


def test_texts_stand_in_one_column_once_the_widest_address_is_known() -> None:
    lines = printed(delivery(Text("a"), to="#warehouse"), delivery(Text("b"), to="#ops")).splitlines()

    assert lines == ["09:30:02  #warehouse  a", "09:30:02  #ops        b"]


def test_a_very_long_address_does_not_push_the_others_aside() -> None:
    lines = printed(delivery(Text("a"), to="#" + "x" * 79), delivery(Text("b"), to="#ops")).splitlines()

    assert f"09:30:02  {'#ops':<20}  b" == lines[1]


def test_colour_dims_the_time_and_lifts_the_address() -> None:
    assert printed(delivery(Text("x")), colour=True) == "\x1b[2m09:30:02\x1b[0m  \x1b[1m#ops\x1b[0m  x\n"


def test_each_entry_is_flushed() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=False)

    sent(ConsoleChannel(stream, colour=False, zone=SHANGHAI), delivery(Text("x")))

    assert isinstance(stream.buffer, io.BytesIO)
    assert stream.buffer.getvalue().replace(b"\r\n", b"\n") == b"09:30:02  #ops  x\n"


@pytest.mark.parametrize(("encoding", "expected"), [("ascii", b"caf? ?"), ("latin-1", b"caf\xe9 ?")])
def test_a_terminal_that_lacks_a_character_shows_a_question_mark(encoding: str, expected: bytes) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)

    outcomes = sent(ConsoleChannel(stream, colour=False, zone=SHANGHAI), delivery(Text("café 🔥")))

    assert [SendResult(SendStatus.SENT)] == outcomes
    assert isinstance(stream.buffer, io.BytesIO)
    assert expected in stream.buffer.getvalue()


def test_a_terminal_that_went_away_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    stream = io.StringIO()
    stream.close()

    with caplog.at_level(logging.WARNING):
        outcomes = sent(ConsoleChannel(stream, colour=False, zone=SHANGHAI), delivery(Text("x")), delivery(Text("y")))

    assert [SendResult(SendStatus.SENT), SendResult(SendStatus.SENT)] == outcomes
    assert [record.message for record in caplog.records] == ["terminal gone, messages are no longer shown"]


def test_a_broken_pipe_is_no_exception() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = io.TextIOWrapper(os.fdopen(writing, "wb", buffering=0), encoding="utf-8", write_through=True)

    assert [SendResult(SendStatus.SENT)] == sent(
        ConsoleChannel(stream, colour=False, zone=SHANGHAI), delivery(Text("x"))
    )
    stream.close()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [(40, "09:30:02  #ops\n  one\n  two\n"), (100, "09:30:02  #ops  one\n                two\n")],
)
def test_on_a_narrow_terminal_the_text_stands_below(columns: int, expected: str) -> None:
    outer, inner = os.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(inner, "w", encoding="utf-8") as stream:
        terminal: TextIO = stream
        sent(ConsoleChannel(terminal, colour=False, zone=SHANGHAI), delivery(Text("one\ntwo")))
        shown = os.read(outer, 1000).decode().replace("\r\n", "\n")
    os.close(outer)

    assert expected == shown
