"""Load the settings into frozen values: flags override the environment, that files, those defaults.

Imported before gevent patches the process, so nothing here may bring in asyncio, ssl, socket or logging.
"""

from __future__ import annotations

from slack_alert.settings.ini import UnreadableFile
from slack_alert.settings.keys import KEYS, Key
from slack_alert.settings.load import load_settings
from slack_alert.settings.model import ListenAddress, LoadedSettings, Settings
from slack_alert.settings.paths import sqlite_path
from slack_alert.settings.published import PublishedSettings, decode_published, encode_published
from slack_alert.settings.reference import FREE, SECTIONS, ReferenceRow, reference, render_conf
from slack_alert.settings.secret import Secret
from slack_alert.settings.value_sources import QUIET

__all__ = [
    "FREE",
    "KEYS",
    "QUIET",
    "SECTIONS",
    "Key",
    "ListenAddress",
    "LoadedSettings",
    "PublishedSettings",
    "ReferenceRow",
    "Secret",
    "Settings",
    "UnreadableFile",
    "decode_published",
    "encode_published",
    "load_settings",
    "reference",
    "render_conf",
    "sqlite_path",
]
