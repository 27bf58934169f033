"""The testing kit for plugin authors: run plugins on a virtual clock, write to them, and read their messages."""

from __future__ import annotations

from slack_alert.engine.simulation.simulation import Simulation
from slack_alert.testing.chat_rehearsal import Answer, ChatRehearsal, Queued, chat
from slack_alert.testing.harness import Said
from slack_alert.testing.loading import FaultyPluginError
from slack_alert.testing.manual_clock import MONDAY, FakeClock
from slack_alert.testing.recording_channel import RecordingChannel
from slack_alert.testing.rehearsal import Rehearsal

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
