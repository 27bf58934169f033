"""What the benchmark of kills calls a fault: whatever functions wrote down that did not come out as it was promised."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

import pytest

from benchmarks.killing.check import KINDS, findings, slots, words
from benchmarks.killing.lives import Life, Mark, Story
from benchmarks.killing.mix import with_slots

#: When the first life was ready, and the last one was asked to end.
READY, END = 1_000_000_000.0, 1_000_000_012.0
KILLED = READY + 4


def said(life: int, number: int, *, after: float = 0.0, job: str = "saying", what: str = "returning") -> Mark:
    text = f"{job}.truth_{life}.77.{number}"
    return Mark(life, READY + 5 * life + number / 10 + after, job, what, text)


def line(job: str, at: float, **more: object) -> dict[str, object]:
    written = datetime.fromtimestamp(at, timezone.utc).isoformat()
    return {"at": written, "job": f"mix.{job}", "verdict": "quiet", "run": 1, **more}


def whole() -> Story:
    """Return a story in which everything is as promised."""
    story = Story(
        7, "AsyncIOScheduler", [Life(0, READY - 0.3, "killed", READY, KILLED), Life(1, KILLED, "", KILLED, END)]
    )
    story.marks = [said(0, 1), said(0, 2), said(1, 1), said(1, 2)]
    story.received = [str(mark.said) for mark in story.marks]
    for mixed in with_slots():
        assert mixed.seconds is not None
        first = (READY // 60 + 1) * 60 if mixed.is_by_clock else READY - 0.1 + mixed.seconds
        slots = (first + number * mixed.seconds for number in range(200))
        story.history += [line(mixed.name, at) for at in slots if at < END]
    return story


def test_a_story_in_which_all_is_as_promised_has_no_findings() -> None:
    assert list(findings(whole())) == []
    assert words(whole()) == 3
    assert slots(whole()) == len(whole().history)


def test_a_row_accounts_for_each_of_its_slots() -> None:
    story = whole()
    first, *_, last = (each for each in story.history if each["job"] == "mix.seldom")
    story.history = [each for each in story.history if each["job"] != "mix.seldom"]
    story.history.append({**first, "verdict": "missed", "until": last["at"], "count": 4})

    assert list(findings(story)) == []


def jump(story: Story) -> None:
    """Let one row be of the first and the third slot: the second ended only after the third was passed over."""
    first, _, third = [each for each in story.history if each["job"] == "mix.crowded"][:3]
    story.history.remove(third)
    story.history[story.history.index(first)] = {**first, "until": third["at"], "count": 2}


def test_a_row_may_jump_over_a_slot_that_has_a_line_of_its_own() -> None:
    story = whole()
    jump(story)

    assert list(findings(story)) == []


def jump_over_nothing(story: Story) -> None:
    second = [each for each in story.history if each["job"] == "mix.crowded"][1]
    jump(story)
    story.history.remove(second)


def lose(story: Story) -> None:
    story.received.remove(str(said(0, 1).said))


def lose_what_a_kill_may_have_kept_back(story: Story) -> None:
    story.received.remove(str(said(0, 2).said))


def double(story: Story) -> None:
    story.received.append(story.received[-1])


def swap(story: Story) -> None:
    story.received.reverse()


def forget(story: Story) -> None:
    story.history.remove(next(each for each in story.history if each["job"] == "mix.quick"))


def forget_the_first_of_an_interval(story: Story) -> None:
    story.history.remove(next(each for each in story.history if each["job"] == "mix.slow"))


def repeat(story: Story) -> None:
    story.history.append(next(each for each in story.history if each["job"] == "mix.slow"))


def miscount(story: Story) -> None:
    story.history[0] = {**story.history[0], "count": 2}


def regress(story: Story) -> None:
    values = (("got", 0), ("set", 1), ("got", 0))
    story.marks += [Mark(1, END - 1, "counting", what, value) for what, value in values]


def fail(story: Story) -> None:
    story.failed_starts.append("life 1: it was not ready")


def corrupt(story: Story) -> None:
    story.corrupted.append("at the end: row 7 missing from index")


@pytest.mark.parametrize(
    ("break_", "expected"),
    [
        (lose, ["values lost"]),
        (lose_what_a_kill_may_have_kept_back, []),
        (double, ["values doubled"]),
        (swap, ["order breaks within a job"] * 3),
        (forget, ["slots unaccounted"]),
        (forget_the_first_of_an_interval, ["slots unaccounted"]),
        (repeat, ["slots with two lines"]),
        (miscount, ["slots unaccounted"]),
        (jump_over_nothing, ["slots unaccounted"]),
        (regress, ["store regressions"]),
        (fail, ["failed restarts"]),
        (corrupt, ["corrupted databases"]),
    ],
)
def test_each_fault_is_found_once_and_named(break_: Callable[[Story], None], expected: list[str]) -> None:
    story = whole()
    break_(story)
    found = [one.kind for one in findings(story)]

    assert found == expected
    assert set(found) <= set(KINDS)


def test_a_slot_without_a_line_is_told_with_what_happened_around_it() -> None:
    story = whole()
    at = READY - 0.1 + 1.1 * 3
    story.history = [each for each in story.history if each != line("slow", at)]
    (found,) = findings(story)

    assert found.what == f"slow, slot {at:.3f} (seed 7, AsyncIOScheduler)"
    assert found.around == (
        f"line {READY - 0.1 + 2.2:.3f}: quiet, run 1",
        f"life 0 ends {KILLED:.3f} (killed)",
        f"life 1 begins {KILLED:.3f}",
        f"life 1 is ready {KILLED:.3f}",
        f"line {READY - 0.1 + 4.4:.3f}: quiet, run 1",
    )
