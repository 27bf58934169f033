from __future__ import annotations

import threading

import pytest

from slack_alert.executors.deadlines import Deadlines

#: Long enough for any machine; nothing here waits so long unless something is broken.
PATIENCE = 20.0


def test_a_call_that_ends_in_time_does_not_expire() -> None:
    deadlines, expired = Deadlines(), threading.Event()
    watch = deadlines.start(60, expired.set)

    assert deadlines.finish(watch)
    assert not expired.is_set()


def test_a_call_that_takes_too_long_expires_once() -> None:
    deadlines, expired = Deadlines(), threading.Semaphore(0)
    watch = deadlines.start(0.001, expired.release)

    assert expired.acquire(timeout=PATIENCE)
    assert not deadlines.finish(watch)
    assert not expired.acquire(blocking=False)


def test_a_shorter_limit_expires_before_an_earlier_longer_one() -> None:
    deadlines, expired = Deadlines(), threading.Event()
    long = deadlines.start(60, lambda: None)
    short = deadlines.start(0.001, expired.set)

    assert expired.wait(PATIENCE)
    assert (deadlines.finish(short), deadlines.finish(long)) == (False, True)


def test_the_end_of_an_expired_call_waits_for_all_that_its_expiry_does() -> None:
    deadlines, begun, told = Deadlines(), threading.Event(), threading.Event()
    order: list[str] = []

    def expire() -> None:
        begun.set()
        told.wait(PATIENCE)
        order.append("expired")

    watch = deadlines.start(0.001, expire)
    assert begun.wait(PATIENCE)
    threading.Timer(0.01, told.set).start()
    deadlines.finish(watch)
    order.append("ended")

    assert order == ["expired", "ended"]


def test_calls_expire_after_there_was_nothing_to_look_after(caplog: pytest.LogCaptureFixture) -> None:
    deadlines = Deadlines()
    for _ in range(3):
        expired = threading.Event()
        watch = deadlines.start(0.001, expired.set)
        assert expired.wait(PATIENCE)
        deadlines.finish(watch)
        for thread in [each for each in threading.enumerate() if each.name == "deadlines"]:
            thread.join(0.01)

    assert caplog.records == []


def test_an_expiry_that_breaks_leaves_the_others_looked_after(caplog: pytest.LogCaptureFixture) -> None:
    deadlines, expired = Deadlines(), threading.Event()

    def broken() -> None:
        raise KeyError("job")

    first = deadlines.start(0.001, broken)
    deadlines.start(0.002, expired.set)

    assert expired.wait(PATIENCE)
    assert not deadlines.finish(first)
    assert [record.message for record in caplog.records] == ["expiry broke"]
