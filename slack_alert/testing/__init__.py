"""The testing kit for plugin authors: run plugins on a virtual clock and read their messages."""

from __future__ import annotations

from slack_alert.engine.simulation.simulation import Simulation
from slack_alert.testing.harness import Said
from slack_alert.testing.loading import FaultyPluginError
from slack_alert.testing.manual_clock import MONDAY, FakeClock
from slack_alert.testing.recording_channel import RecordingChannel
from slack_alert.testing.rehearsal import Rehearsal

__all__ = ["MONDAY", "FakeClock", "FaultyPluginError", "RecordingChannel", "Rehearsal", "Said", "Simulation"]
