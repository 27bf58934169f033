"""What plugins may do with the stream that they find as standard output or standard error."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable

import pytest

from slack_alert.cli.output.json_stderr import JsonStream
from slack_alert.engine.system.stand_in_stream import StandInStream
from slack_alert.executors.calling.output import CapturedStream

Made = tuple[StandInStream, Callable[[], str]]


class Beneath(io.StringIO):
    def fileno(self) -> int:
        return 7


def plain() -> Made:
    taken: list[str] = []
    return StandInStream(taken.append, flush=taken.clear, fileno=lambda: 7), lambda: "".join(taken)


def captured() -> Made:
    beneath = Beneath()
    return CapturedStream(beneath), beneath.getvalue


def as_json() -> Made:
    beneath = Beneath()
    handler = logging.StreamHandler(beneath)
    handler.setFormatter(logging.Formatter("%(message)s"))
    return JsonStream(beneath, handler), beneath.getvalue


@pytest.fixture(params=[plain, captured, as_json])
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param()
    return found


def test_text_and_bytes_come_through(made: Made) -> None:
    stream, text = made
    print("größe", file=stream)
    stream.buffer.write("延迟\n".encode())

    assert text() == "größe\n延迟\n"


def test_it_answers_as_a_file_that_is_no_terminal(made: Made) -> None:
    stream, _ = made
    stream.reconfigure(encoding="latin-1")

    assert (stream.writable(), stream.isatty(), stream.fileno(), stream.encoding) == (True, False, 7, "utf-8")


def test_it_stays_open_whoever_closes_it(made: Made) -> None:
    stream, text = made
    stream.buffer.close()
    stream.close()
    stream.write("still there\n")

    assert text() == "still there\n"


def test_what_is_no_text_is_refused(made: Made) -> None:
    with pytest.raises(TypeError, match="a text is needed, not bytes"):
        made[0].write(b"raw")  # type: ignore[arg-type]


def test_json_can_be_dumped_into_it(made: Made) -> None:
    stream, text = made
    json.dump({"size": 12}, stream)
    stream.write("\n")

    assert text() == '{"size": 12}\n'
