"""The kit for plugin authors: let time pass for a plugin and see what it says, with nothing real behind it."""

from __future__ import annotations

from slack_alert.engine.simulation.simulation import Simulation
from slack_alert.testing.channel import RecordingChannel
from slack_alert.testing.clock import MONDAY, FakeClock
from slack_alert.testing.loading import FaultyPluginError
from slack_alert.testing.rehearsal import Rehearsal
from slack_alert.testing.stage import Said

__all__ = ["MONDAY", "FakeClock", "FaultyPluginError", "RecordingChannel", "Rehearsal", "Said", "Simulation"]
