"""Messages and records without secrets."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from slack_alert.core.content.render import Blocks, Piece, Text, Upload
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, Notice, RunPart
from slack_alert.core.model.reason import UNCHANGED, Reason, ReasonCode
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.recording.redacting import (
    RedactingRecorder,
    redacted_entry,
    redacted_message,
    redacted_piece,
    redacted_record,
)
from slack_alert.engine.recording.writer import DirectRecorder
from slack_alert.stores.memory import MemoryStore
from tests.fakes.audit import CHANGES, ENTRY

REDACTION = Redaction(["hunter2"])
LINE = Record(1, "a.job", datetime(2026, 1, 5, 9, tzinfo=timezone.utc), Verdict.SAID)


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        (Text("is hunter2"), Text("is [secret]")),
        (Blocks({"text": "hunter2", "blocks": [{"n": 1}]}), Blocks({"text": "[secret]", "blocks": [{"n": 1}]})),
        (Upload("hunter2.txt", b"hunter2"), Upload("[secret].txt", b"[secret]")),
        (Upload("environ", b"A=1\0B=\0\0P=hunter2\0"), Upload("environ", b"A=1\0B=\0\0P=[secret]\0")),
    ],
)
def test_a_secret_is_taken_out_of_what_is_said(piece: Piece, expected: Piece) -> None:
    assert redacted_piece(piece, REDACTION) == expected


@pytest.mark.parametrize(
    "content", [b"PK\3\4\0hunter2", b"\x89PNG\r\n\x1a\n\0hunter2", b"ID\0\0\0\0hunter2", b"\0\xffhunter2"]
)
def test_what_a_file_holds_that_is_no_text_is_left(content: bytes) -> None:
    piece = Upload("x", content)

    assert redacted_piece(piece, REDACTION) is piece


def test_what_a_text_lists_is_kept_without_secrets() -> None:
    listed = redacted_piece(Text("cut", (("a", "a: 1"), ("hunter2", "hunter2: 2"))), REDACTION)

    assert isinstance(listed, Text)
    assert listed.entries == (("a", "a: 1"), ("[secret]", "[secret]: 2"))


def test_what_holds_no_secret_stays_the_same_object() -> None:
    message = Message("key", Address("slack", "#ops"), Text("fine", (("a", "a"),)))
    record = LINE._replace(reasons=(Reason(ReasonCode.CAME, what="fine"),), asked_by="ann", printed="out")

    assert redacted_message(message, REDACTION) is message
    assert redacted_record(record, REDACTION) is record


def test_what_a_run_says_is_not_searched_again_for_it_was_rendered_without_secrets() -> None:
    said = Message("key", Address("slack", "#ops"), Text("hunter2"), RunPart("a.job", None, 1))

    assert redacted_message(said, REDACTION) is said
    assert redacted_message(replace(said, origin=Notice("faults", "1")), REDACTION).piece == Text("[secret]")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            LINE._replace(reasons=(UNCHANGED, Reason(ReasonCode.CAME, what="is hunter2"))),
            LINE._replace(reasons=(UNCHANGED, Reason(ReasonCode.CAME, what="is [secret]"))),
        ),
        (LINE._replace(asked_by="is hunter2"), LINE._replace(asked_by="is [secret]")),
        (LINE._replace(printed="is hunter2"), LINE._replace(printed="is [secret]")),
    ],
)
def test_a_secret_is_taken_out_of_a_line_of_history(record: Record, expected: Record) -> None:
    assert redacted_record(record, REDACTION) == expected


def test_a_secret_is_taken_out_of_an_entry_of_the_audit() -> None:
    entry = replace(
        ENTRY,
        name="hunter2",
        command="login --password hunter2",
        params={"hunter2": "hunter2", "list": ["is hunter2", {"deep": "hunter2"}], "path": Path("/hunter2"), "n": 2},
        reason="hunter2 is wrong",
    )

    assert redacted_entry(entry, REDACTION) == replace(
        ENTRY,
        name="[secret]",
        command="login --password [secret]",
        params={"[secret]": "[secret]", "list": ["is [secret]", {"deep": "[secret]"}], "path": "/[secret]", "n": 2},
        reason="[secret] is wrong",
    )


@pytest.mark.parametrize("name", [name for name in CHANGES if type(getattr(ENTRY, name)) is str])
def test_every_text_of_an_entry_is_searched(name: str) -> None:
    assert "hunter2" not in str(redacted_entry(replace(ENTRY, **{name: "is hunter2"}), REDACTION))


def test_what_is_submitted_is_recorded_without_secrets() -> None:
    store = MemoryStore()
    recorder = RedactingRecorder(DirectRecorder(store, SystemClock()), REDACTION)
    recorder.submit(Batch(audit=[replace(ENTRY, command="say hunter2")]))

    assert [one.entry and one.entry.command for one in store.audit(since=None, limit=None)] == ["say [secret]"]
