"""The running program: what starts in which order, what happens twice a second, how it ends."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial

from slack_alert.core.catalog import Severity
from slack_alert.core.errors import StoreError
from slack_alert.core.model import Address
from slack_alert.engine.ending import Ending
from slack_alert.engine.parts import Parts
from slack_alert.engine.ports import Batch, Due, Limits, Snapshot, Source
from slack_alert.engine.pulse import PULSE_NAME, Pulse, last_alive
from slack_alert.engine.reports import downtime_text, faults_text
from slack_alert.engine.requests import carry_out

log = logging.getLogger(__name__)

#: How often the inbox is looked into.
_TURN_SECONDS = 0.5
_PRUNE = timedelta(minutes=1)
_HEARTBEAT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Manners:
    """The part of the configuration that the app itself needs."""

    to: Address
    errors_to: Address
    zone: tzinfo
    drain_timeout: timedelta
    limits: Limits


class App:
    """One run of the program, from the first read of the store to the last write."""

    def __init__(self, parts: Parts, manners: Manners) -> None:
        self._parts = parts
        self._manners = manners
        self._ending = Ending()
        self._pulse = Pulse(parts)
        #: The last request of the inbox that was carried out.
        self._taken = 0
        self._pruned: datetime | None = None
        self._beaten: datetime | None = None

    async def run(self, ready: Callable[[], None] = lambda: None) -> int:
        """Run until a signal, then drain; give the exit code. `ready` is called once the clock runs."""
        self._ending.listen()
        source = await self._start()
        ready()
        turns = asyncio.create_task(self._turns())
        await self._ending.begun()
        source.stop()
        turns.cancel()
        is_drained = await self._drain()
        return 0 if is_drained else self._ending.forced_code

    def stop(self) -> None:
        """Ask it to drain and end, as a signal would."""
        self._ending.begin(signal.SIGTERM)

    async def _start(self) -> Source:
        parts = self._parts
        now = parts.clock.now()
        snapshot = parts.snapshot
        self._taken = snapshot.taken
        self._forget([request.id for request in parts.inbox.peek() if request.id <= self._taken])
        parts.engine.begin(snapshot, now)
        parts.sender.begin()
        parts.writer.start(parts.engine.anchors(), parts.sender.accept)
        self._take_requests()
        self._report(snapshot, now)
        source = parts.make_source(now)
        source.start(self._due)
        parts.engine.start(now)
        self._pulse.tick(now)
        # After the clock has started: what a channel imports takes longer than some jobs' intervals.
        for channel in parts.channels.values():
            await channel.open()
        return source

    def _report(self, snapshot: Snapshot, now: datetime) -> None:
        """Tell what a person must know before the first run: faulty files, runs missed meanwhile."""
        engine, manners = self._parts.engine, self._manners
        faults = [problem for problem in self._parts.catalog.problems if problem.severity is Severity.ERROR]
        if faults:
            engine.tell(f"faults/{now.isoformat()}", faults_text(faults), manners.errors_to)
        missed = engine.catch_up(now)
        if missed:
            interrupted = [started.binding for started in snapshot.running]
            text = downtime_text(missed, interrupted, since=last_alive(snapshot), now=now, zone=manners.zone)
            engine.tell(f"downtime/{now.isoformat()}", text, manners.to)

    def _due(self, due: Sequence[Due]) -> None:
        if any(PULSE_NAME in names for names, _ in due):
            self._pulse.tick(self._parts.clock.now())
            # It may share its slots with jobs.
            due = [([name for name in names if name != PULSE_NAME], slots) for names, slots in due]
        self._parts.engine.due(due)

    async def _turns(self) -> None:
        """Look after what nobody else would notice, twice a second."""
        while True:
            await self._parts.clock.sleep(_TURN_SECONDS)
            now = self._parts.clock.now()
            self._look_into_inbox()
            self._pulse.note_running(now)
            if self._pruned is None or now - self._pruned >= _PRUNE:
                self._pruned = now
                self._parts.writer.put(Batch(limits=self._manners.limits))
            self._beat(now)

    def _look_into_inbox(self) -> None:
        try:
            self._take_requests()
        except StoreError as error:
            log.warning("inbox not readable", extra={"reason": str(error)})

    def _take_requests(self) -> None:
        """Carry out what other processes left; each request is committed before it leaves the inbox."""
        parts = self._parts
        for request in parts.inbox.peek():
            if request.id <= self._taken:
                continue
            batch = carry_out(request, parts.engine.next_id, parts.engine.state_of)
            self._heed(batch)
            parts.writer.put(batch, partial(self._forget, (request.id,)))
            self._taken = request.id

    def _heed(self, batch: Batch) -> None:
        """Let what another process changed count at once, not only after a restart."""
        for job, hold in batch.holds.items():
            self._parts.engine.hold(job, hold)
        for job, state in batch.states.items():
            self._parts.engine.restate(job, state)
        for entry in batch.entries:
            self._parts.accept_entry(entry)
        self._parts.sender.forget(batch.dropped)

    def _forget(self, ids: Sequence[int]) -> None:
        """Take requests that were carried out out of the inbox; one that stays there is passed over from now on."""
        try:
            self._parts.inbox.remove(ids)
        except StoreError as error:
            log.warning("inbox not writable", extra={"reason": str(error)})

    def _beat(self, now: datetime) -> None:
        heartbeat = self._parts.heartbeat
        if heartbeat is None or (self._beaten is not None and now - self._beaten < _HEARTBEAT):
            return
        if self._pulse.is_well(now):
            self._beaten = now
            heartbeat.beat()

    async def _drain(self) -> bool:
        """Let runs end and messages go out, within the deadline; tell whether all of it was done."""
        parts = self._parts
        deadline = parts.clock.monotonic() + self._manners.drain_timeout.total_seconds()
        parts.executor.stop()
        while parts.engine.runs() and parts.clock.monotonic() < deadline:
            await parts.clock.sleep(0.02)
        cut_off = parts.engine.give_up()
        try:
            await asyncio.wait_for(self._emptied(), max(0.05, deadline - parts.clock.monotonic()))
            is_emptied = True
        except asyncio.TimeoutError:
            is_emptied = False
        left = parts.sender.left
        await parts.sender.stop()
        self._pulse.write_last(parts.clock.now())
        is_written = await asyncio.to_thread(parts.writer.stop, max(1.0, deadline - parts.clock.monotonic()))
        for channel in parts.channels.values():
            await channel.close()
        # Before the store, which folds its log into the file only where nobody else has it open.
        parts.reader.close()
        if is_written:
            parts.store.close()
        log.info("stopped", extra={"cut_off": cut_off, "left_in_outbox": left, "written": is_written})
        return not cut_off and is_emptied and is_written

    async def _emptied(self) -> None:
        """Wait until all that was said is committed, and then sent."""
        # Twice: the messages of a group reach the sender after the group's callbacks ran.
        for _ in range(2):
            written = asyncio.Event()
            self._parts.writer.put(Batch(), partial(asyncio.get_running_loop().call_soon_threadsafe, written.set))
            await written.wait()
        await self._parts.sender.drained()
