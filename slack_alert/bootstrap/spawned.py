"""The main module of processes that plugins start with `multiprocessing`: it only makes plugins importable."""

from __future__ import annotations

from slack_alert.loader.modules.spawning import find_plugins_again

find_plugins_again()
