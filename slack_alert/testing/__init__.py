"""The testing kit for plugin authors: run plugins on a virtual clock, write to them, and read their messages."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from slack_alert.engine.simulation.simulation import Simulation
from slack_alert.testing.harness import Said
from slack_alert.testing.loading import FaultyPluginError
from slack_alert.testing.manual_clock import MONDAY, FakeClock
from slack_alert.testing.recording_channel import RecordingChannel
from slack_alert.testing.rehearsal import Rehearsal

if TYPE_CHECKING:
    from slack_alert.testing.chat_rehearsal import Answer, ChatRehearsal, Queued, chat

__all__ = [
    "MONDAY",
    "Answer",
    "ChatRehearsal",
    "FakeClock",
    "FaultyPluginError",
    "Queued",
    "RecordingChannel",
    "Rehearsal",
    "Said",
    "Simulation",
    "chat",
]


def __getattr__(name: str) -> object:
    """Import what tests of commands need at its first use: other tests need not wait for it."""
    if name in {"Answer", "ChatRehearsal", "Queued", "chat"}:
        return getattr(import_module("slack_alert.testing.chat_rehearsal"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
