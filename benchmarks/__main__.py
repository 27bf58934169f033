"""Run all benchmarks, or those named: `python -m benchmarks fire rate --rounds 3 --json results.jsonl`."""

from __future__ import annotations

import os
import platform
import sys

from benchmarks import (
    blocking,
    command_kills,
    commands,
    delivery,
    events,
    faults,
    fire,
    flaky,
    growth,
    kills,
    lateness,
    memory,
    rate,
    report,
    sensor_kills,
    simulate,
    start,
    trip,
)

ALL = {
    "start": start.rows,
    "fire": fire.rows,
    "rate": rate.rows,
    "lateness": lateness.rows,
    "blocking": blocking.rows,
    "delivery": delivery.rows,
    "faults": faults.rows,
    "kills": kills.rows,
    "flaky": flaky.rows,
    "memory": memory.rows,
    "simulate": simulate.rows,
    "commands": commands.rows,
    "command_kills": command_kills.rows,
    "sensor_kills": sensor_kills.rows,
    "events": events.rows,
    "growth": growth.rows,
    "trip": trip.rows,
}


def main() -> int:
    """Print the table; exit 1 where a bar was missed."""
    parser = report.parser_for(__doc__)
    parser.add_argument("benchmarks", nargs="*", metavar="NAME", help=f"some of: {', '.join(ALL)} (all)")
    given = parser.parse_args()
    if unknown := [name for name in given.benchmarks if name not in ALL]:
        parser.error(f"{unknown[0]} is no benchmark: choose from {', '.join(ALL)}")
    options = report.options(given)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {options.rounds} rounds", flush=True)
    is_met = [report.publish(ALL[name](options), given.json) for name in given.benchmarks or ALL]
    return 0 if all(is_met) else 1


if __name__ == "__main__":
    sys.exit(main())
