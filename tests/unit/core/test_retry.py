from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.retry import SendResult, SendStatus, backoff, next_attempt

DAY = timedelta(days=1)


def delay(
    outcome: SendResult, attempts: int = 1, *, tried: timedelta = timedelta(), chance: float = 0.0
) -> timedelta | None:
    return next_attempt(outcome, attempts, tried=tried, give_up=DAY, chance=chance)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("outcome", "attempts", "waits"),
    [
        (SendResult(SendStatus.WAIT, after=seconds(7)), 1, seconds(7)),
        (SendResult(SendStatus.WAIT), 9, seconds(30)),
        (SendResult(SendStatus.CREDENTIALS), 1, seconds(5)),
        (SendResult(SendStatus.CREDENTIALS), 2, seconds(10)),
        (SendResult(SendStatus.CREDENTIALS), 50, seconds(300)),
        (SendResult(SendStatus.CREDENTIALS, after=seconds(60)), 3, seconds(60)),
        (SendResult(SendStatus.DESTINATION), 1, None),
        (SendResult(SendStatus.PAYLOAD), 1, None),
        (SendResult(SendStatus.RETRY), 1, seconds(0.075)),
        (SendResult(SendStatus.RETRY), 4, seconds(0.6)),
        (SendResult(SendStatus.RETRY), 1_000, seconds(30)),
        (SendResult(SendStatus.AMBIGUOUS), 2, seconds(0.15)),
        (SendResult(SendStatus.FAULT), 1, seconds(0.075)),
        (SendResult(SendStatus.FAULT), 1_000, seconds(30)),
        (SendResult(SendStatus.RETRY, limit=3), 2, seconds(0.15)),
        (SendResult(SendStatus.RETRY, limit=3), 3, None),
    ],
)
def test_what_follows_an_attempt(outcome: SendResult, attempts: int, waits: timedelta | None) -> None:
    assert waits == delay(outcome, attempts)


@pytest.mark.parametrize("fate", [SendStatus.RETRY, SendStatus.AMBIGUOUS])
def test_message_is_given_up_once_it_was_tried_for_too_long(fate: SendStatus) -> None:
    assert delay(SendResult(fate), tried=DAY - seconds(1)) is not None
    assert delay(SendResult(fate), tried=DAY) is None


@pytest.mark.parametrize("fate", [SendStatus.WAIT, SendStatus.CREDENTIALS, SendStatus.FAULT])
def test_message_is_never_given_up_for_what_is_not_its_fault(fate: SendStatus) -> None:
    assert delay(SendResult(fate), tried=10 * DAY) is not None


def test_chance_spreads_the_second_half_of_a_delay() -> None:
    assert delay(SendResult(SendStatus.RETRY), 3, chance=0.0) == seconds(0.3)
    assert delay(SendResult(SendStatus.RETRY), 3, chance=0.5) == seconds(0.45)


def test_delay_doubles_up_to_the_last_however_many_attempts_there_were() -> None:
    delays = [backoff(seconds(1), seconds(60), attempts) for attempts in (1, 2, 3, 6, 7, 8, 100_000)]

    assert delays == [seconds(count) for count in (1, 2, 4, 32, 60, 60, 60)]
