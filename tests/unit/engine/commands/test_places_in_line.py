"""Whoever waits reads the place in line as it is now."""

from __future__ import annotations

from datetime import timedelta

from tests.fakes.chat_rig import ChatRig, command


def first_lines(rig: ChatRig) -> list[str]:
    return [text.partition("\n")[0] for text in rig.answers]


def test_places_move_up_as_runs_end() -> None:
    rig = ChatRig(command("deploy"))
    for _ in range(4):
        rig.says("ann", "deploy")
    before = first_lines(rig)
    rig.executor.end(1)
    rig.passes(seconds=5)

    assert before == ["2: queued, 1st", "3: queued, 2nd", "4: queued, 3rd"]
    assert first_lines(rig) == ["2: running", "3: queued, 1st", "4: queued, 2nd", "1: done in 3 s"]


def test_a_long_queue_edits_only_the_next_ones() -> None:
    rig = ChatRig(command("deploy"))
    for _ in range(300):
        rig.says("ann", "deploy")
    before = len(list(rig.store.deliveries()))
    rig.executor.end(1)
    rig.passes(seconds=5)

    # The end of one, the start of another, and the three that are next.
    assert len(list(rig.store.deliveries())) - before == 5


def test_nothing_is_edited_while_nothing_changes() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy")
    rig.says("ann", "deploy")
    rig.passes(seconds=5)
    before = len(list(rig.store.deliveries()))
    rig.passes(seconds=60)

    assert len(list(rig.store.deliveries())) == before


def test_places_go_on_moving_up_after_a_restart() -> None:
    rig = ChatRig(command("deploy"))
    for _ in range(4):
        rig.says("ann", "deploy")
    rig.executor.end(1)
    rig.passes(seconds=5)
    rig.start()
    rig.passes(seconds=5)
    restarted = first_lines(rig)[1:3]
    rig.executor.end(3)
    rig.passes(seconds=5)

    assert restarted == ["3: running", "4: queued, 1st"]
    assert first_lines(rig)[1:3] == ["3: done in 3 s", "4: running"]


def test_whoever_stood_first_in_line_begins_first_after_a_restart() -> None:
    """What was written first may come last, and was given its place by then."""
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy")
    rig.says("bob", "deploy")
    rig.says("eve", "deploy", at=rig.clock.now() - timedelta(minutes=1))
    rig.passes(seconds=5)
    before = [one.run for one in rig.runner.queue.waiting]
    rig.start()

    assert before == [3, 2]
    assert rig.executor.running == [3]
