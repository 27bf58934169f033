"""Run the command line for `python -m slack_alert`."""

from __future__ import annotations

from slack_alert.cli import main

if __name__ == "__main__":
    main()
