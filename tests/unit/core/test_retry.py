from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.retry import Fate, Outcome, growing, next_attempt

DAY = timedelta(days=1)


def delay(
    outcome: Outcome, attempts: int = 1, *, tried: timedelta = timedelta(), chance: float = 0.0
) -> timedelta | None:
    return next_attempt(outcome, attempts, tried=tried, give_up=DAY, chance=chance)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("outcome", "attempts", "waits"),
    [
        (Outcome(Fate.WAIT, after=seconds(7)), 1, seconds(7)),
        (Outcome(Fate.WAIT), 9, seconds(30)),
        (Outcome(Fate.CREDENTIALS), 1, seconds(5)),
        (Outcome(Fate.CREDENTIALS), 2, seconds(10)),
        (Outcome(Fate.CREDENTIALS), 50, seconds(300)),
        (Outcome(Fate.CREDENTIALS, after=seconds(60)), 3, seconds(60)),
        (Outcome(Fate.DESTINATION), 1, None),
        (Outcome(Fate.PAYLOAD), 1, None),
        (Outcome(Fate.RETRY), 1, seconds(0.075)),
        (Outcome(Fate.RETRY), 4, seconds(0.6)),
        (Outcome(Fate.RETRY), 1_000, seconds(30)),
        (Outcome(Fate.AMBIGUOUS), 2, seconds(0.15)),
        (Outcome(Fate.FAULT), 1, seconds(0.075)),
        (Outcome(Fate.FAULT), 1_000, seconds(30)),
        (Outcome(Fate.RETRY, limit=3), 2, seconds(0.15)),
        (Outcome(Fate.RETRY, limit=3), 3, None),
    ],
)
def test_what_follows_an_attempt(outcome: Outcome, attempts: int, waits: timedelta | None) -> None:
    assert waits == delay(outcome, attempts)


@pytest.mark.parametrize("fate", [Fate.RETRY, Fate.AMBIGUOUS])
def test_message_is_given_up_once_it_was_tried_for_too_long(fate: Fate) -> None:
    assert delay(Outcome(fate), tried=DAY - seconds(1)) is not None
    assert delay(Outcome(fate), tried=DAY) is None


@pytest.mark.parametrize("fate", [Fate.WAIT, Fate.CREDENTIALS, Fate.FAULT])
def test_message_is_never_given_up_for_what_is_not_its_fault(fate: Fate) -> None:
    assert delay(Outcome(fate), tried=10 * DAY) is not None


def test_chance_spreads_the_second_half_of_a_delay() -> None:
    assert delay(Outcome(Fate.RETRY), 3, chance=0.0) == seconds(0.3)
    assert delay(Outcome(Fate.RETRY), 3, chance=0.5) == seconds(0.45)


def test_delay_doubles_up_to_the_last_however_many_attempts_there_were() -> None:
    delays = [growing(seconds(1), seconds(60), attempts) for attempts in (1, 2, 3, 6, 7, 8, 100_000)]

    assert delays == [seconds(count) for count in (1, 2, 4, 32, 60, 60, 60)]
