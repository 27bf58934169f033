"""Run the command line, for `slack-alert` and for `python -m slack_alert`."""

from __future__ import annotations

import gc
from typing import NoReturn

#: Python's own thresholds suit small programs: here they would rescan, again and again, the modules that are imported
#: and the records that wait to be written.
_THRESHOLDS = 50_000, 20, 1_000


def main() -> NoReturn:
    """Run the command line as the process."""
    gc.set_threshold(*_THRESHOLDS)
    from slack_alert.cli import main as run_command_line

    run_command_line()


if __name__ == "__main__":
    main()
