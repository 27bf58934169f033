"""The composition root: settings become a running program; the only package that knows every adapter."""

from __future__ import annotations

from slack_alert.bootstrap.assembly import assemble, make_channels, make_sender
from slack_alert.bootstrap.errands import leave, person, rehearse, trigger
from slack_alert.bootstrap.outside import record_execution
from slack_alert.bootstrap.places import (
    address,
    database,
    defaults,
    holder,
    load_plugins,
    open_reader,
    reading,
    survey_plugins,
)
from slack_alert.bootstrap.replay import replay_history
from slack_alert.bootstrap.running import run
from slack_alert.bootstrap.silence import make_mutes

__all__ = [
    "address",
    "assemble",
    "database",
    "defaults",
    "holder",
    "leave",
    "load_plugins",
    "make_channels",
    "make_mutes",
    "make_sender",
    "open_reader",
    "person",
    "reading",
    "record_execution",
    "rehearse",
    "replay_history",
    "run",
    "survey_plugins",
    "trigger",
]
