"""Slack: the only package that imports slack_sdk and aiohttp's client, and only once a channel is opened."""

from __future__ import annotations

from slack_alert.channels.slack.channel import SlackChannel
from slack_alert.channels.slack.finding import SlackFinding
from slack_alert.channels.slack.manifest import manifest

__all__ = ["SlackChannel", "SlackFinding", "manifest"]
