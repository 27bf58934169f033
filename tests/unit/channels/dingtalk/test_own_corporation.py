"""Whose robot it is stays known over restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timezone

import pytest

from slack_alert.channels.dingtalk.inbound.corporation import OwnCorporation
from slack_alert.core.errors import StoreError
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.context.key_value import KeyValueStore


class Values:
    """The values of a program, which outlive it."""

    def __init__(self) -> None:
        self.written: list[StoredValue] = []
        self.error: Exception | None = None

    def write(self, entries: Sequence[StoredValue]) -> None:
        if self.error is not None:
            raise self.error
        self.written += entries

    def opened(self) -> KeyValueStore:
        return KeyValueStore(
            ".chat", self.written, write=self.write, now=lambda: datetime(2026, 11, 30, tzinfo=timezone.utc)
        )


def test_it_is_unknown_until_it_is_told_and_known_after_a_restart() -> None:
    values = Values()
    own = OwnCorporation("bot", values.opened())
    assert own.id == ""

    asyncio.run(own.learn("dingone"))
    asyncio.run(own.learn(""))

    assert (own.id, OwnCorporation("bot", values.opened()).id) == ("dingone", "dingone")
    assert OwnCorporation("other", values.opened()).id == ""


def test_it_is_written_once() -> None:
    values = Values()
    own = OwnCorporation("bot", values.opened())
    for _ in range(3):
        asyncio.run(own.learn("dingone"))

    assert len(values.written) == 1


def test_what_cannot_be_kept_is_known_until_the_restart() -> None:
    values = Values()
    values.error = StoreError("full")
    own = OwnCorporation("bot", values.opened())
    with pytest.raises(StoreError):
        asyncio.run(own.learn("dingone"))

    assert own.id == "dingone"


def test_a_value_of_somebody_else_is_none() -> None:
    values = Values()
    values.opened().set("dingtalk.corporation/bot", 5)

    assert OwnCorporation("bot", values.opened()).id == ""
