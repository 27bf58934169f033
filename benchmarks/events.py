"""How many events a second a rule answers, and what an event costs, as the number of rules that want others grows."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial
from statistics import median

from benchmarks.report import Options, Row, main
from benchmarks.site import site
from benchmarks.subjects import product

_EVENTS = 3_000
_RULES = (1, 10, 100, 1_000)
#: A sensor notices all at once; the last answer writes down how long that took, in seconds of the wall and of the CPU.
_PLUGIN = """import time

began = []


@deco(seconds=1, emits="load.event")
def notice():
    if began:
        return None
    began.extend((time.perf_counter(), time.process_time()))
    return [{{"n": n, "path": "/etc/a.conf"}} for n in range({events})]


@deco(on="load.event", where={{"path": {{"endswith": ".conf"}}}})
def answer(n):
    if n == {events} - 1:
        with open({result!r}, "w") as file:
            file.write(f"{{time.perf_counter() - began[0]}} {{time.process_time() - began[1]}}")
"""
_OTHER = """

@deco(on="other.{number}", where={{"path": {{"endswith": ".conf"}}}})
def other_{number}(n):
    return None
"""


def rows(options: Options) -> Iterator[Row]:
    """Hold the cost of an event with 1,000 rules to that with one."""
    measures = {count: partial(_measured, count) for count in _RULES}
    found = {count: [measure() for _ in range(options.rounds)] for count, measure in measures.items()}
    seconds = {count: median(wall for wall, _ in figures) for count, figures in found.items()}
    cpu = {count: median(used for _, used in figures) / _EVENTS * 1e6 for count, figures in found.items()}
    rates = ", ".join(f"{_EVENTS / seconds[count]:,.0f}" for count in _RULES)
    yield Row("events/s, one rule answers each", _EVENTS / seconds[1], None, f"{rates}/s with {_named()} rules")
    costs = ", ".join(f"{cpu[count]:,.0f}" for count in _RULES)
    yield Row("CPU an event, 1,000 rules, vs 1", cpu[1_000] / cpu[1], 1.5, f"{costs} us with {_named()} rules")


def _named() -> str:
    return ", ".join(f"{count:,}" for count in _RULES)


def _measured(count: int) -> tuple[float, float]:
    with site() as place:
        result = place.folder / "result"
        text = _PLUGIN.format(events=_EVENTS, result=str(result))
        others = "".join(_OTHER.format(number=number) for number in range(count - 1))
        (place.folder / "plugins" / "load.py").write_text(text + others, encoding="utf-8")
        with place.start(product(), "AsyncIOScheduler"):
            until = time.monotonic() + 120
            while not (result.exists() and result.read_text(encoding="utf-8")) and time.monotonic() < until:
                time.sleep(0.05)
            wall, used = map(float, result.read_text(encoding="utf-8").split())
    return wall, used


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
