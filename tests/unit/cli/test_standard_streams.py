"""What is written to standard output and standard error, and where it cannot be."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from slack_alert.cli.output.standard_streams import StandardError, StandardOutput, as_text, copy_failure, failure

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


@pytest.fixture
def full() -> Iterator[int]:
    descriptor = os.open(FULL, os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe that another program made non-blocking, and filled."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while os.write(writing, bytes(65_536)):
            pass
    yield reading, writing
    for descriptor in (reading, writing):
        if descriptor is not None:
            os.close(descriptor)


def test_output_remembers_how_it_failed_and_lets_the_command_go_on(full: int) -> None:
    out = as_text(StandardOutput(full), None)

    for _ in range(3):
        print("a line", file=out)
    out.close()

    lost = failure(out)
    assert lost is not None
    assert lost.errno == errno.ENOSPC


def test_output_that_lasts_raises_each_time_because_there_may_be_room_later(full: int) -> None:
    out = as_text(StandardOutput(full, is_lasting=True), None)

    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            print("a line", file=out)
    assert failure(out) is None
    with pytest.raises(OSError, match="No space left"):
        out.close()


def test_a_failure_is_handed_on_to_the_stream_that_is_asked_at_the_end(full: int) -> None:
    out, other = as_text(StandardOutput(full), None), as_text(StandardOutput(full), None)
    print("a line", file=out)

    copy_failure(out, other)

    assert failure(other) is failure(out) is not None


def test_output_waits_for_a_slow_reader_also_where_somebody_made_the_stream_non_blocking(
    pipe: tuple[int, int],
) -> None:
    reading, writing = pipe
    out = StandardOutput(writing)
    written = b""

    def read(descriptor: int, _: int | None) -> bool:
        assert descriptor == writing
        nonlocal written
        written += os.read(reading, 1 << 20)
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slack_alert.cli.output.standard_streams._await_room", read)
        assert out.write(b"a line") == len(b"a line")

    assert failure(as_text(out, None)) is None
    assert os.read(reading, 100) == b"a line"


def test_diagnostics_that_cannot_be_written_fail_nothing(full: int) -> None:
    errors = as_text(StandardError(full), None)

    print("a line", file=errors)
    errors.close()


def test_diagnostics_wait_once_for_a_reader_that_stands_still(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = pipe
    errors = StandardError(writing)
    waited: list[int | None] = []
    room = [False, False, True]

    def look(_: int, milliseconds: int | None) -> bool:
        waited.append(milliseconds)
        return room[len(waited) - 1]

    monkeypatch.setattr("slack_alert.cli.output.standard_streams._await_room", look)
    for _ in range(2):
        assert errors.write(b"left out") == len(b"left out")
    os.read(reading, 1 << 20)
    errors.write(b"said")

    assert waited == [1000, 0, 0]
    assert os.read(reading, 100) == b"said"


def test_a_reader_that_has_gone_is_no_fault_of_diagnostics() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    errors = as_text(StandardError(writing), None)

    print("a line", file=errors)
    errors.close()
    os.close(writing)
