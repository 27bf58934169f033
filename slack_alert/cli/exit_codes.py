"""The exit codes, shared by all commands."""

from __future__ import annotations

FINE = 0
#: It ran and found problems, or the job failed, or there is nothing to run.
FOUND = 1
#: Wrong usage, configuration or path.
USAGE = 2
#: Another process holds the database.
HELD = 3
INTERRUPTED = 130
TERMINATED = 143
