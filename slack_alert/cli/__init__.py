"""The command line: it parses arguments, calls an operation, prints the result and returns the exit code."""

from __future__ import annotations

from slack_alert.cli.main import cli, main

__all__ = ["cli", "main"]
