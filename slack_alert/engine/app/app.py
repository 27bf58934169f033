"""The running program: the order of its start, its periodic checks and its shutdown."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial

from slack_alert.core.catalog import Severity
from slack_alert.core.model.address import Address
from slack_alert.core.pipeline.outages import Outage, OutageCause
from slack_alert.core.structs import Struct
from slack_alert.engine.app.announcements import downtime_text, faults_text
from slack_alert.engine.app.components import Components
from slack_alert.engine.app.inbox import InboxPoller
from slack_alert.engine.app.liveness import PULSE_NAME, Liveness, down_since, last_slots
from slack_alert.engine.app.reload import Reloader
from slack_alert.engine.app.shutdown import ShutdownSignals
from slack_alert.engine.batches import Batch, HistoryLimits, Snapshot
from slack_alert.engine.engine import Telling
from slack_alert.engine.monitoring.clock_watch import ClockSteps, MissedTicks
from slack_alert.engine.ports import Channel, Due, Source
from slack_alert.engine.system.loop_runner import in_own_thread

log = logging.getLogger(__name__)

#: How often the periodic checks run, the inbox included.
_TURN_SECONDS = 0.5
#: How often it is checked whether the database was removed, or the machine's time zone changed.
_SURROUNDINGS_SECONDS = 2.0
_PRUNE_SECONDS = 60.0
#: How long shutdown may take beyond the drain timeout before the process exits at once.
_PATIENCE = timedelta(seconds=5)
_HEARTBEAT_SECONDS = 60.0


class AppConfig(Struct, frozen=True):
    """The configuration of the app itself."""

    to: Address
    errors_to: Address
    zone: tzinfo
    drain_timeout: timedelta
    limits: HistoryLimits


class App:
    """Runs the program, from the first read of the store to the last write."""

    def __init__(self, parts: Components, manners: AppConfig) -> None:
        self._parts = parts
        self._manners = manners
        self._ending = ShutdownSignals(manners.drain_timeout + _PATIENCE, parts.children.kill_all)
        self._pulse = Liveness(parts)
        self._is_lost = False
        self._intake = InboxPoller(parts, manners.errors_to)
        self._steps = ClockSteps(parts.clock)
        self._reloading = Reloader(parts, manners.errors_to, self._replan)
        self._source: Source | None = None
        #: When each of these was done last, in monotonic seconds.
        self._looked_around: float | None = None
        self._pruned: float | None = None
        self._beaten: float | None = None

    async def run(self, ready: Callable[[], None] = lambda: None) -> int:
        """Run until a signal, then drain; return the exit code. `ready` is called once the scheduler runs."""
        self._ending.listen(self._reloading.request if self._parts.reload else None)
        self._start()
        ready()
        # After the scheduler has started: the imports of a channel take longer than some jobs' intervals.
        for name, channel in self._parts.channels.items():
            await _open(name, channel)
        beside = [asyncio.create_task(each) for each in (self._turns(), self._reloading.follow())]
        await self._ending.begun()
        self._stop_source()
        for each in beside:
            each.cancel()
        is_drained = await self._drain()
        if self._is_lost:
            return 1
        return 0 if is_drained else self._ending.forced_code

    def stop(self) -> None:
        """Begin to drain and end, as on a signal."""
        self._ending.drain(signal.SIGTERM)

    def _start(self) -> None:
        parts = self._parts
        now = parts.clock.now()
        snapshot = parts.snapshot
        self._intake.discard_applied()
        parts.engine.restore(snapshot, now, down_since(snapshot))
        away = now - (down_since(snapshot) or now)
        parts.writer.submit(Batch(seen=parts.engine.absences.allow_for(max(timedelta(), away))))
        parts.sender.restore()
        parts.writer.start(parts.sender.accept)
        self._intake.poll()
        self._report(snapshot, now)
        self._start_source(now)
        parts.engine.start(now)
        self._pulse.tick(now)

    def _start_source(self, now: datetime) -> None:
        self._source = self._parts.make_source(now)
        self._source.start(self._due)

    def _stop_source(self) -> None:
        if self._source is not None:
            self._source.stop()

    def _replan(self, now: datetime) -> None:
        if self._source is not None:
            self._parts.replan(self._source, now)

    def _report(self, snapshot: Snapshot, now: datetime) -> None:
        """Post what people must know before the first run: faulty files, and runs missed while the program was down."""
        engine, manners = self._parts.engine, self._manners
        faults = [problem for problem in self._parts.catalog.problems if problem.severity is Severity.ERROR]
        if faults:
            engine.tell(f"faults/{now.isoformat()}", faults_text(faults), manners.errors_to)
        lapse = Outage(OutageCause.DOWN, last_slots(snapshot), now)
        interrupted = [started.binding for started in snapshot.running]

        def tell(missed: Mapping[str, int]) -> Telling:
            text = downtime_text(missed, interrupted, lapse, manners.zone)
            return f"downtime/{now.isoformat()}", text, manners.to

        engine.catch_up(now, down_since(snapshot), lapse=lapse, tell=tell)

    def _due(self, due: Sequence[Due]) -> None:
        is_pulse = any(PULSE_NAME in names for names, _ in due)
        if is_pulse:  # The sign of life may share its slots with jobs.
            due = [([name for name in names if name != PULSE_NAME], slots) for names, slots in due]
        missed_ticks = self._parts.engine.due(due)
        self._parts.writer.expect(lambda: self._parts.load().waiting)
        if is_pulse:
            self._pulse.tick(self._parts.clock.now())
        if missed_ticks.is_long:
            # After the jobs with rules, which are processed on the writer's thread.
            self._parts.writer.submit(Batch(), partial(self._tell_unseen, missed_ticks))

    def _tell_unseen(self, missed_ticks: MissedTicks) -> None:
        """Post which runs a stall or sleep made late or missed, if there are any."""
        if missed_ticks.missed or missed_ticks.judged:
            text = downtime_text(
                missed_ticks.missed, (), missed_ticks.lapse, self._manners.zone, judged=missed_ticks.judged
            )
            self._parts.engine.tell(f"unseen/{missed_ticks.lapse.until.isoformat()}", text, self._manners.to)

    async def _turns(self) -> None:
        """Run the periodic checks twice a second, until cancelled."""
        while True:
            await self._parts.clock.sleep(_TURN_SECONDS)
            self._turn()

    def _turn(self) -> None:
        """Run every check, even where others fail."""
        for part in (
            self._look_around,
            self._look_at_clock,
            self._look_at_process,
            self._note_turn,
            self._intake.poll,
            self._look_back,
            self._note_running,
            self._prune,
            self._beat,
        ):
            _supervise(part)

    def _look_around(self) -> None:
        passed = self._parts.clock.monotonic()
        if self._looked_around is None or passed - self._looked_around >= _SURROUNDINGS_SECONDS:
            self._looked_around = passed
            _supervise(self._look_at_files)
            _supervise(self._look_at_zone)

    def _look_at_files(self) -> None:
        """Stop where the database files were removed: what is written is lost, and a second program could start."""
        if self._is_lost or (loss := self._parts.loss()) is None:
            return
        self._is_lost = True
        log.critical(f"{loss}; it ends, start it again")
        now = self._parts.clock.now()
        text = f"slack-alert ends, because {loss}. Start it again; its log says where all that was known is kept."
        self._parts.engine.tell(f"lost/{now.isoformat()}", text, self._manners.errors_to)
        self.stop()

    def _look_at_clock(self) -> None:
        """Restart the scheduler where the wall clock was set back: it would wait until the former time."""
        back = self._steps.back()
        if back is None:
            return
        now = self._parts.clock.now()
        log.warning("the clock was set back", extra={"seconds": round(back.total_seconds(), 3), "now": now.isoformat()})
        self._stop_source()
        self._parts.engine.rewind(now)
        self._start_source(now)
        self._pulse.tick(now)

    def _look_at_process(self) -> None:
        """Undo changes of plugins to the process that would stop others, signal handlers included."""
        for said in (*self._parts.guard(), *self._ending.restore()):
            log.warning(said)

    def _look_at_zone(self) -> None:
        """Log that the machine's time zone was changed: schedules and history stay in that of the start."""
        zone = self._parts.changed_zone()
        if zone is None:
            return
        ours = str(self._manners.zone)
        if str(zone) == ours:
            log.info("the machine's time zone is that of the start again", extra={"zone": ours})
            return
        said = "the machine's time zone was changed; jobs go on in that of the start until a restart"
        hint = f"Restart slack-alert to go by it, or set `timezone = {ours}` to keep what is."
        log.warning(said, extra={"zone": ours, "machine": str(zone), "hint": hint})

    def _look_back(self) -> None:
        self._parts.look_back(self._parts.clock.now())

    def _note_turn(self) -> None:
        self._pulse.turn(self._parts.clock.now())

    def _note_running(self) -> None:
        self._pulse.note_running(self._parts.clock.now())

    def _prune(self) -> None:
        passed = self._parts.clock.monotonic()
        if self._pruned is None or passed - self._pruned >= _PRUNE_SECONDS:
            self._pruned = passed
            self._parts.writer.submit(Batch(limits=self._manners.limits))

    def _beat(self) -> None:
        heartbeat, passed = self._parts.heartbeat, self._parts.clock.monotonic()
        if heartbeat is None or (self._beaten is not None and passed - self._beaten < _HEARTBEAT_SECONDS):
            return
        if self._pulse.is_well(self._parts.clock.now()):
            self._beaten = passed
            heartbeat.beat()

    async def _drain(self) -> bool:
        """Let runs end and messages be sent, within the deadline; return whether all of it was done."""
        parts = self._parts
        self._pulse.stop(parts.clock.now())
        deadline = parts.clock.monotonic() + self._manners.drain_timeout.total_seconds()
        parts.executor.stop()
        while parts.engine.runs() and parts.clock.monotonic() < deadline:
            await parts.clock.sleep(0.02)
        cut_off = parts.engine.give_up()
        await in_own_thread(parts.children.end_all)
        try:
            await asyncio.wait_for(self._emptied(), max(0.05, deadline - parts.clock.monotonic()))
            is_emptied = True
        except asyncio.TimeoutError:
            is_emptied = False
        left = parts.sender.queued
        await parts.sender.stop()
        self._pulse.write_last(parts.clock.now())
        is_written = await in_own_thread(partial(parts.writer.stop, max(1.0, deadline - parts.clock.monotonic())))
        self._intake.forget_done()
        for channel in parts.channels.values():
            await channel.close()
        # Before the store, which folds its log into the file only where no other connection has it open.
        parts.reader.close()
        if self._is_lost:
            log.critical(await asyncio.to_thread(parts.rescue))
        elif is_written:
            parts.store.close()
        log.info("stopped", extra={"cut_off": cut_off, "left_in_outbox": left, "written": is_written})
        return not cut_off and is_emptied and is_written

    async def _emptied(self) -> None:
        """Wait until all messages are committed, and then sent."""
        # Twice: the messages of a group reach the sender after the callbacks of the group.
        for _ in range(2):
            written = asyncio.Event()
            self._parts.writer.submit(Batch(), partial(asyncio.get_running_loop().call_soon_threadsafe, written.set))
            await written.wait()
        await self._parts.sender.drained()


async def _open(name: str, channel: Channel) -> None:
    try:
        await channel.open()
    except OSError as error:  # No descriptor, or an unreadable module: the first message opens it again.
        log.warning("channel not opened yet", extra={"channel": name, "reason": str(error)})


def _supervise(part: Callable[[], None]) -> None:
    try:
        part()
    except Exception:
        log.exception("a turn failed")
