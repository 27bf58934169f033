"""Turn plugin files into a catalog of bindings and problems."""

from __future__ import annotations

from slack_alert.loader.files.discovery import plugins_folder
from slack_alert.loader.loader import FoundFiles, find_plugins, load, open_plugins, survey, unload
from slack_alert.loader.modules.startup import Progress
from slack_alert.loader.options.resolve import OptionDefaults
from slack_alert.loader.reload.plugins import Plugins
from slack_alert.loader.reload.reimport import JobSnapshots

__all__ = [
    "FoundFiles",
    "JobSnapshots",
    "OptionDefaults",
    "Plugins",
    "Progress",
    "find_plugins",
    "load",
    "open_plugins",
    "plugins_folder",
    "survey",
    "unload",
]
