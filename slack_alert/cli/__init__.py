"""The command line: it reads words, calls one function, prints what comes back, and gives the exit code."""

from __future__ import annotations

from slack_alert.cli.main import cli, main

__all__ = ["cli", "main"]
