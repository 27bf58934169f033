"""Kill the program between the events of a sensor and the messages about them, and count what is lost or left.

`--rounds` is the number of kills. The sensor notes what it has yielded once it goes on; by then the event is kept: it
must have a run that has ended, or one that is `interrupted`.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from benchmarks.report import Options, Row, main
from slack_alert.core.model.message import Status
from slack_alert.core.model.record import Record, Verdict
from slack_alert.stores import SqliteReader
from tests.fakes.program import Program

_SENSOR = """
    @deco(emits="seen")
    def watch(ctx):
        note("pids", os.getpid())
        for n in itertools.count(ctx.store.get("next", 0)):
            ctx.store.set("next", n + 1)
            yield {"n": n}
            note("yielded", n)
            time.sleep(0.01)
"""
_PLUGINS = """
    import itertools, os, time

    HERE = os.path.dirname(os.path.abspath(__file__))

    def note(name, text):
        with open(f"{HERE}/../{name}", "a") as file:
            file.write(f"{text}\\n")

    @deco(on="seen", max_alert=0)
    def answer(n):
        return f"saw {n}"
"""
_END_SECONDS = 300.0
#: Seconds that the process of a sensor has to notice that the program is gone.
_ORPHANED = 10.0


def rows(options: Options) -> Iterator[Row]:
    """Count each kind of fault."""
    with tempfile.TemporaryDirectory() as name:
        program, orphans = _lived(Path(name), options)
        yielded = [int(line) for line in _lines(program, "yielded")]
        records = [line.record for line in program.history("answer")]
        with closing(SqliteReader(program.database)) as reader:
            unsent = sum(each.status is not Status.SENT for each in reader.deliveries())
        texts = Counter(record.text for record in records if record.verdict is Verdict.SAID)
    interrupted = sum(record.verdict is Verdict.INTERRUPTED for record in records)
    missing = [n for n in yielded if not texts[f"saw {n}"]]
    detail = f"{len(yielded):,} events, {options.kills} kills, {interrupted} runs interrupted"
    for kind, count in {
        "events without a run": max(0, len(missing) - interrupted),
        "events with two ended runs": sum(count > 1 for count in texts.values()),
        "runs with another end": sum(not _has_ended(record) for record in records),
        "messages not sent": unsent,
        "processes of sensors that outlived the program": orphans,
    }.items():
        yield Row(f"{kind}, kill -9", count, 0, detail)


def _lived(folder: Path, options: Options) -> tuple[Program, int]:
    """Let the program live and die; return it after its end, and how many processes of the sensor outlived it."""
    chance, orphans = random.Random(options.seed), 0
    program = Program(folder, _PLUGINS + _SENSOR)
    try:
        for _ in range(options.kills):
            before = len(_lines(program, "yielded"))
            program.start(is_awaited=False)
            program.wait_until(lambda seen=before: len(_lines(program, "yielded")) > seen, "it yields", 60, step=0.01)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.5))
            program.kill()
            orphans += not _ends(_lines(program, "pids")[-1])
        program.write(_PLUGINS)
        program.start()
        program.wait_until(lambda: _is_over(program), "all events are answered", _END_SECONDS, step=0.5)
        program.stop()
    finally:
        program.kill()
    return program, orphans


def _is_over(program: Program) -> bool:
    with closing(SqliteReader(program.database)) as reader:
        return not reader.snapshot().events and not reader.waiting(None, 0, 1)


def _has_ended(record: Record) -> bool:
    return record.verdict in (Verdict.SAID, Verdict.INTERRUPTED)


def _lines(program: Program, name: str) -> list[str]:
    """Return the whole lines of a file that the functions write."""
    file = program.folder / name
    return file.read_text(encoding="utf-8").split("\n")[:-1] if file.exists() else []


def _ends(pid: str) -> bool:
    """Return whether a process ends by itself."""
    until = time.monotonic() + _ORPHANED
    while time.monotonic() < until:
        with suppress(ProcessLookupError):
            os.kill(int(pid), 0)
            time.sleep(0.02)
            continue
        return True
    return False


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
