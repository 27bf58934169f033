"""No run waits while a thread could have it: the pool of pullers on a virtual clock, in any order of its threads."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slack_alert.core.model.run import Run
from slack_alert.executors.puller_pool import PullerPool
from tests.fakes.stage import Stage, run_of
from tests.fakes.virtual_threads import VirtualThreads

#: Seconds between two looks of the pool's watch.
LOOK = 0.005


@dataclass
class Call:
    """One run: when it was put into the queue, and when its function was called and returned."""

    name: str
    seconds: float
    put: float
    began: float = math.inf
    ended: float = math.inf


class Pool:
    """The pool whose functions do nothing but wait, and what was called when."""

    def __init__(self, threads: VirtualThreads, most: int) -> None:
        self.threads = threads
        self.most = most
        self.calls: list[Call] = []
        self.pool = PullerPool(self._work, room=lambda: most, threads=threads)

    def put(self, *runs: tuple[str, float]) -> None:
        now = self.threads.now
        first = len(self.calls)
        self.calls += [Call(name, seconds, now) for name, seconds in runs]
        made = [run_of(print, number=number, name=self.calls[number].name) for number in range(first, len(self.calls))]
        self.pool.submit([(run, _HOST) for run in made])

    def play(self, *arrivals: tuple[float, list[tuple[str, float]]], until: float = 100.0) -> None:
        """Put each batch so many seconds after the one before, and wait for the end of everything."""

        def arrive() -> None:
            for pause, runs in arrivals:
                self.threads.sleep(pause)
                self.put(*runs)

        self.threads.start(arrive, "arrivals")
        self.threads.play(until)

    def waited(self, call: Call) -> float:
        """Return how long it waited while fewer functions were going on than there may be."""
        edges = sorted({call.put, call.began, *self._edges(call)})
        return sum(end - begin for begin, end in pairwise(edges) if self.inside(begin) < self.most)

    def _edges(self, call: Call) -> list[float]:
        times = [time for each in self.calls for time in (each.began, each.ended)]
        return [time for time in times if call.put <= time <= call.began]

    def inside(self, time: float) -> int:
        return sum(each.began <= time < each.ended for each in self.calls)

    def _work(self, run: Run, _: object) -> timedelta:
        call = self.calls[run.id]
        call.began = self.threads.now
        if call.seconds:
            self.threads.sleep(call.seconds)
        call.ended = self.threads.now
        return timedelta(seconds=call.seconds)


_HOST = Stage()


#: Quick ones, some below and some above what counts as slow; the same name may be quick once and slow another time.
SECONDS = st.sampled_from([0.0, 0.0, 0.0, 0.02, 0.06, 0.5, 1.0])
RUNS = st.lists(st.tuples(st.sampled_from("abcdefghijkl"), SECONDS), min_size=1, max_size=24)
ARRIVALS = st.lists(st.tuples(st.sampled_from([0.0, 0.001, 0.03, 0.5, 2.0]), RUNS), min_size=1, max_size=8)


#: More threads have nothing to do than runs come, and none of those is known to be slow.
UNKNOWN_BEHIND_IDLE = [(0.0, [("a", 1.0), ("b", 1.0), ("c", 1.0)]), (2.0, [("d", 1.0), ("e", 1.0)])]


@example(arrivals=UNKNOWN_BEHIND_IDLE, most=8, seed=0, is_computing=False)
@given(arrivals=ARRIVALS, most=st.integers(1, 12), seed=st.integers(0, 2**32), is_computing=st.booleans())
def test_no_run_waits_long_while_there_is_a_thread_for_it(
    arrivals: list[tuple[float, list[tuple[str, float]]]], most: int, seed: int, *, is_computing: bool
) -> None:
    pool = Pool(VirtualThreads(random.Random(seed).randrange, is_computing=is_computing), most)

    pool.play(*arrivals)

    # A puller more at each second look at the worst, where others compute; else twice as many at each look.
    looks = 2 * most + 2 if is_computing else math.ceil(math.log2(most)) + 3
    for call in pool.calls:
        assert call.ended < math.inf
        assert pool.waited(call) <= looks * LOOK + 1e-9
        assert pool.inside(call.began) <= most


@given(seed=st.integers(0, 2**32), count=st.integers(2, 32))
def test_slow_functions_start_together_from_the_second_round_on(seed: int, count: int) -> None:
    pool = Pool(VirtualThreads(random.Random(seed).randrange), most=32)
    batch = [(f"slow{number}", 1.0) for number in range(count)]

    pool.play(*[(2.0, batch)] * 4)

    assert {call.began - call.put for call in pool.calls[count:]} == {0.0}


@given(seed=st.integers(0, 2**32))
def test_quick_functions_behind_slow_ones_start_at_once_where_those_are_known(seed: int) -> None:
    pool = Pool(VirtualThreads(random.Random(seed).randrange), most=32)
    slow, quick = [(f"slow{number}", 1.0) for number in range(8)], [(f"quick{number}", 0.0) for number in range(50)]

    pool.play((0.0, slow), (2.0, [*slow, *quick]), (0.1, quick))

    assert {call.began - call.put for call in pool.calls[8:]} == {0.0}


@given(seed=st.integers(0, 2**32))
def test_what_comes_while_every_thread_is_in_a_slow_function_gets_a_thread_at_once(seed: int) -> None:
    pool = Pool(VirtualThreads(random.Random(seed).randrange), most=32)

    pool.play((0.0, [("slow", 1.0)]), (2.0, [("slow", 1.0)]), (0.1, [("quick", 0.0)]))

    assert [call.began - call.put for call in pool.calls] == [0.0, 0.0, 0.0]


@given(seed=st.integers(0, 2**32))
def test_quick_functions_share_one_thread(seed: int) -> None:
    threads = VirtualThreads(random.Random(seed).randrange, is_computing=True)
    pool = Pool(threads, most=32)

    pool.play(*[(1.0, [(f"quick{number}", 0.0) for number in range(50)])] * 10)

    others = 1 + 10  # The test's own, and a watch for each batch.
    assert threads.started == 1 + others


@pytest.mark.parametrize("seed", range(20))
def test_watch_ends_while_every_thread_is_taken(seed: int) -> None:
    """It looks two hundred times a second, and could do nothing."""
    pool = Pool(VirtualThreads(random.Random(seed).randrange), most=2)

    pool.play((0.0, [(f"slow{number}", 5.0) for number in range(6)]), until=4.0)

    assert not pool.pool.is_watched


@pytest.mark.parametrize("seed", range(20))
def test_where_the_system_has_no_thread_left_the_others_do_all_the_work(seed: int) -> None:
    pool = Pool(VirtualThreads(random.Random(seed).randrange, most=4), most=32)

    pool.play((0.0, [(f"slow{number}", 1.0) for number in range(8)]))

    assert all(call.ended < math.inf for call in pool.calls)


@pytest.mark.parametrize("seed", range(20))
def test_pullers_with_nothing_to_do_leave_after_a_while(seed: int) -> None:
    pool = Pool(VirtualThreads(random.Random(seed).randrange), most=8)

    pool.play((0.0, [(f"slow{number}", 1.0) for number in range(8)]))

    assert pool.pool.busy == 0
    assert pool.pool.pullers == 0
