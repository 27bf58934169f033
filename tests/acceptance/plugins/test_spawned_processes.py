"""Processes that plugins start with `multiprocessing` find the functions and classes of plugin files."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from tests.fakes.program import Program

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

SHARED = """
class Square:
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2

def area(square):
    return square.area()
"""
#: Functions of the file itself, which has a name that no module can have, and of one beside it; a marked one, too.
JOBS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from ._shared import Square, area

def double(number):
    return 2 * number

def put(queue, square):
    queue.put(square.area())

@watch(hours=1, at_start=True, **KEYWORDS)
def {method}_{where}(numbers=(1, 2)):
    if multiprocessing.parent_process():
        return sum(numbers)
    context = multiprocessing.get_context("{method}")
    with context.Pool(1) as pool:
        said = [pool.map(double, numbers), pool.apply({method}_{where}, [(3, 4)])]
    with ProcessPoolExecutor(1, context) as executor:
        said.append(list(executor.map(area, [Square(3)])))
    queue = context.Queue()
    process = context.Process(target=put, args=(queue, Square(4)))
    process.start()
    said.append(queue.get(timeout=10))
    process.join()
    return "{method} {where}: " + repr(said)
"""
SAID = "[[2, 4], 7, [9], 16]"


METHODS = [each for each in ("spawn", "forkserver") if each in multiprocessing.get_all_start_methods()]


@pytest.mark.parametrize(
    ("scheduler", "places"),
    [
        ("AsyncIOScheduler", ("here", "apart")),
        # What waits for a process there stands in the way of all greenlets.
        pytest.param("GeventScheduler", ("apart",), marks=pytest.mark.thorough),
    ],
)
def test_they_find_what_they_are_to_call_however_they_are_started(
    scheduler: str, places: tuple[str, ...], tmp_path: Path
) -> None:
    program = Program(tmp_path, "", f"scheduler = {scheduler}\nmarkers = watch\n")
    folder = tmp_path / "plugins" / "sums"
    folder.mkdir()
    (folder / "_shared.py").write_text(SHARED, encoding="utf-8")
    for method in METHODS:
        for where in places:
            keywords = 'isolation="process"' if where == "apart" else ""
            source = JOBS.format(method=method, where=where).replace("**KEYWORDS", keywords)
            (folder / f"my-{method}.{where}.py").write_text(source, encoding="utf-8")

    program.start()
    expected = [f"{method} {where}: {SAID}" for method in METHODS for where in places]
    program.wait_until(lambda: all(said in program.out for said in expected), f"{expected}", 20)

    assert program.stop() == 0
