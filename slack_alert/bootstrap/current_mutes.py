"""Make the mutes, and the digests of what they withheld, from the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from slack_alert.bootstrap.addresses import address
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.engine import Engine
from slack_alert.engine.mutes.digests import Digests, EndedSilence, Withheld, withheld
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.ports import Reader, Recorder

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def make_mutes(settings: Settings, entries: Iterable[StoredValue] = ()) -> Mutes:
    """Make the mutes from their stored entries and the configured quiet windows."""
    return Mutes(entries, windows=settings.quiet, zone=settings.timezone)


def make_digests(
    settings: Settings,
    mutes: Mutes,
    *,
    engine: Engine,
    recorder: Recorder,
    read: Callable[[], Reader],
    blocking: Callable[..., Withheld] | None,
) -> Digests:
    """Make the digests; history is read concurrently, by a reader of its own."""

    def history(ending: EndedSilence) -> Withheld:
        with closing(read()) as reader:
            return withheld(reader, ending)

    return Digests(
        mutes,
        engine=engine,
        recorder=recorder,
        to=address(settings),
        since=SystemClock().now(),
        history=history if blocking is None else partial(blocking, history),
        apart=lambda call: asyncio.get_running_loop().run_in_executor(None, call),
    )
