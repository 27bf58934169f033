"""Many commands in a moment: the answers stay within the rate of their channel, and the end of each command is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from datetime import timedelta
from datetime import timezone as fixed

import pytest

from slack_alert.core.content.markup import plain
from slack_alert.core.content.render import fallback
from slack_alert.core.model.message import Delivery
from slack_alert.engine.delivery.prepare import Receipts
from slack_alert.engine.delivery.sender import Sender, SendRate
from slack_alert.engine.ports import Recorder
from slack_alert.engine.recording.writer import DirectRecorder
from tests.fakes.chat_rig import START, ChatRig, Directly, command, text_parameter
from tests.fakes.outbox import Scripted, crowded_windows
from tests.fakes.virtual_loop import LoopClock, VirtualLoop, run_virtually

COUNT, SECONDS = 500, 10.0
STEP = 0.02


class OnLoop(Directly):
    """Runs coroutines on the virtual loop."""

    def begin(self, coroutine: Coroutine[object, object, object]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._going = {each for each in (*getattr(self, "_going", ()), task) if not each.done()}


class PacedRig(ChatRig):
    """A program whose sender has a rate."""

    def __init__(self, clock: LoopClock, pace: SendRate) -> None:
        self.channel = Scripted(clock)
        self._loop_clock, self._pace = clock, pace
        parameters = (text_parameter("app"),)
        super().__init__(command("deploy", parameters=parameters), command("status", queue=None, parameters=parameters))

    def make_beside(self) -> Directly:
        return OnLoop()

    def recorder(self) -> Recorder:
        store, recorder = self.store, DirectRecorder(self.store, self.clock, self._accept)
        self.sender = Sender(
            {"slack": self.channel}, recorder=recorder, waiting=store.waiting, last_receipt=store.last_receipt,
            receipts=Receipts(store.receipt), ended=store.ended, clock=self._loop_clock, rates={"slack": self._pace},
            give_up=timedelta(days=1), zone=fixed.utc, undeliverable=lambda _delivery, _outcome: None,
        )  # fmt: skip
        return recorder

    def _accept(self, deliveries: list[Delivery]) -> None:
        self.sender.accept(deliveries)

    async def live(self, asks: list[tuple[float, str]]) -> None:
        """Let people ask, and all come to its end."""
        self.sender.restore()
        asks = sorted(asks, reverse=True)
        while asks or self.runner.open or self.sender.queued:
            self.clock.set(START + timedelta(seconds=self._loop_clock.monotonic()))
            while asks and asks[-1][0] <= self._loop_clock.monotonic():
                self.says(f"user{len(asks)}", asks.pop()[1])
            await asyncio.sleep(STEP)
            for number in self.executor.running:
                self.executor.end(number, value="value", error="no room" if number % 50 == 7 else "", seconds=STEP)
            self.runner.refresh()
        await self.sender.drained()


def told_ends(rig: PacedRig) -> set[int]:
    """Return the runs whose end was told: by the last text of their own message, or by their number in a summary."""
    told: set[int] = set()
    for delivery in rig.channel.accepted:
        text, run = plain(fallback(delivery.message.piece)), delivery.message.origin.run
        if run and text.startswith(("done", "failed")):
            told.add(run)
        if text.startswith("More waited here"):
            counted = text.partition("to be told when they end")[0].partition("`slack-alert history`")[0]
            spans = re.findall(r"\b(\d+)(?:-(\d+))?(?=[,)])", counted)
            told |= {n for first, last in spans for n in range(int(first), int(last or first) + 1)}
    return told


@pytest.mark.slow
@pytest.mark.parametrize("words", ["deploy", "status"])
@pytest.mark.parametrize("pace", [SendRate(1.0, 3), SendRate(0.5, 1), SendRate(5.0, 10)], ids=str)
def test_no_window_of_time_has_more_answers_than_the_rate_allows_and_each_end_is_told(
    pace: SendRate, words: str
) -> None:
    loop = VirtualLoop()
    rig = PacedRig(LoopClock(loop), pace)
    run_virtually(loop, rig.live([(number * SECONDS / COUNT, f"{words} a{number}") for number in range(COUNT)]))

    assert crowded_windows(rig.channel.times, pace.rate, pace.burst) == []
    assert told_ends(rig) == {number for number, _ in rig.verdicts} == set(range(1, COUNT + 1))
