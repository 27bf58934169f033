from __future__ import annotations

from slack_alert.core.memo import Memo


def test_something_is_made_once_of_each_source() -> None:
    made: list[list[int]] = []

    def total(source: list[int]) -> int:
        made.append(source)
        return sum(source)

    first, second = [1, 2], [1, 2]
    memo = Memo(total)
    totals = [memo(first), memo(first), memo(second), memo(first)]

    assert totals == [3, 3, 3, 3]
    assert [id(source) for source in made] == [id(first), id(second), id(first)]
