"""The running program: the order of its start, its periodic checks and its shutdown."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING

from slack_alert.core.catalog import Severity
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Notice
from slack_alert.core.pipeline.outages import Outage, OutageCause
from slack_alert.core.structs import Struct
from slack_alert.engine.app.announcements import downtime_text, faults_text
from slack_alert.engine.app.components import Chat, Components
from slack_alert.engine.app.inbox import InboxPoller
from slack_alert.engine.app.liveness import PULSE_NAME, Liveness, down_since, last_slots
from slack_alert.engine.app.reload import Reloader
from slack_alert.engine.app.shutdown import ShutdownSignals
from slack_alert.engine.batches import Batch, HistoryLimits, Snapshot
from slack_alert.engine.engine import NoticeParts
from slack_alert.engine.monitoring.clock_watch import ClockSteps, MissedTicks
from slack_alert.engine.ports import Channel, Due, Source, Tick
from slack_alert.engine.system.loop_runner import in_own_thread

if TYPE_CHECKING:  # Most programs have no sensor that runs for ever.
    from slack_alert.engine.app.sensor_supervisor import SensorSupervisor

log = logging.getLogger(__name__)

#: How often the periodic checks run, the inbox included.
_TURN_SECONDS = 0.5
#: How often the inbox is looked into while another process sets values one after the other.
_AWAITED_SECONDS = 0.02
#: How often it is checked whether the database was removed, or the machine's time zone changed.
_SURROUNDINGS_SECONDS = 2.0
_PRUNE_SECONDS = 60.0
#: How long shutdown may take beyond the drain timeout before the process exits at once.
_PATIENCE = timedelta(seconds=5)
_HEARTBEAT_SECONDS = 60.0
#: How long doors have to close, and then the connections by which people are asked for.
_DOORS_SECONDS, _CLOSE_SECONDS = 3.0, 1.0
#: How long answers are waited for where whoever asked has no more to ask.
_ANSWERS_SECONDS = 5.0


class AppConfig(Struct, frozen=True):
    """The configuration of the app itself."""

    to: Address
    errors_to: Address
    zone: tzinfo
    drain_timeout: timedelta
    limits: HistoryLimits


class App:
    """Runs the program, from the first read of the store to the last write."""

    def __init__(self, components: Components, config: AppConfig) -> None:
        self._components = components
        self._config = config
        self._signals = ShutdownSignals(config.drain_timeout + _PATIENCE, components.children.kill_all)
        self._liveness = Liveness(
            components,
            lambda: self._chat.doors if self._chat is not None else (),
            lambda: self._sensors.states() if self._sensors is not None else (),
        )
        self._is_lost = False
        self._chat: Chat | None = None
        self._inbox_poller = InboxPoller(components, config.errors_to, self._open_chat)
        self._clock_steps = ClockSteps(components.clock)
        self._reloader = Reloader(
            components.plugins,
            components.engine,
            components.clock,
            components.snapshot,
            errors_to=config.errors_to,
            replan=self._replan,
        )
        self._source: Source | None = None
        #: Runs the sensors that run for ever; None: there was none yet.
        self._sensors: SensorSupervisor | None = None
        #: When each of these was done last, in monotonic seconds.
        self._surroundings_checked: float | None = None
        self._pruned: float | None = None
        self._beaten: float | None = None

    async def run(self, ready: Callable[[], None] = lambda: None) -> int:
        """Run until a signal, then drain; return the exit code. `ready` is called once the scheduler runs."""
        self._signals.listen(self._reloader.request if self._components.plugins.reload else None)
        self._start()
        ready()
        # After the scheduler has started: the imports of a channel take longer than some jobs' intervals.
        for name, channel in self._components.channels.items():
            await _open(name, channel)
        beside = [asyncio.create_task(each) for each in (self._check_regularly(), self._reloader.follow())]
        doors = self._open_doors()
        await self._signals.begun()
        self._stop_source()
        for each in (*beside, *doors):
            each.cancel()
        if doors:  # They still let in what has come whole, and each part of that may be in the middle of a commit.
            await asyncio.wait(doors, timeout=_DOORS_SECONDS)
        is_drained = await self._drain()
        if self._is_lost:
            return 1
        return 0 if is_drained else self._signals.forced_code

    def stop(self) -> None:
        """Begin to drain and end, as on a signal."""
        self._signals.drain(signal.SIGTERM)

    async def end_answered(self) -> None:
        """End once all that people asked for is done and answered."""
        while self._chat is not None and self._chat.commands.is_busy:
            await self._components.clock.sleep(0.1)
        # The door that waits for this takes its terminal along; what goes elsewhere may not be accepted for long.
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._wait_until_sent(), _ANSWERS_SECONDS)
        self.stop()

    def _start(self) -> None:
        components = self._components
        now = components.clock.now()
        snapshot = components.snapshot
        self._inbox_poller.discard_applied()
        # Before anybody is told that they were interrupted: what runs on could still do something.
        if snapshot.running and (left := components.children.end_former(each.run for each in snapshot.running)):
            log.warning("programs of interrupted runs ended", extra={"processes": left})
        if components.has_doors or snapshot.asked:
            self._open_chat()
        components.engine.restore(snapshot.of_jobs(), now, down_since(snapshot))
        away = now - (down_since(snapshot) or now)
        components.writer.submit(Batch(seen=components.engine.absences.allow_for(max(timedelta(), away))))
        components.sender.restore()
        components.writer.start(components.sender.accept)
        self._inbox_poller.poll()
        self._report(snapshot, now)
        self._start_source(now)
        components.engine.start(now)
        self._run_sensors()
        self._liveness.tick(now)

    def _start_source(self, now: datetime) -> None:
        self._source = self._components.make_source(now)
        self._source.start(self._due)

    def _stop_source(self) -> None:
        if self._source is not None:
            self._source.stop()

    def _replan(self, now: datetime) -> None:
        if self._source is not None:
            self._components.replan(self._source, now)

    def _report(self, snapshot: Snapshot, now: datetime) -> None:
        """Post what people must know before the first run: faulty files, and runs missed while the program was down."""
        engine, config = self._components.engine, self._config
        faults = [
            problem for problem in self._components.plugins.catalog.problems if problem.severity is Severity.ERROR
        ]
        if faults:
            engine.notify(Notice("faults", now.isoformat()), faults_text(faults), config.errors_to)
        outage = Outage(OutageCause.DOWN, last_slots(snapshot), now)
        # Sensors that run for ever go on.
        endless = {job.name for job in engine.catalog.jobs if job.is_endless}
        interrupted = [each.binding for each in snapshot.of_jobs().running if each.binding not in endless]

        def make_notice(missed: Mapping[str, int]) -> NoticeParts:
            text = downtime_text(missed, interrupted, outage, config.zone)
            return Notice("downtime", now.isoformat()), text, config.to

        engine.catch_up(now, down_since(snapshot), outage=outage, make_notice=make_notice)

    def _due(self, due: Sequence[Due]) -> None:
        is_pulse = any(PULSE_NAME in names for names, _ in due)
        if is_pulse:  # The sign of life may share its slots with jobs.
            due = [([name for name in names if name != PULSE_NAME], slots) for names, slots in due]
        missed_ticks = self._components.engine.handle(Tick(due))
        self._components.writer.expect(lambda: self._components.load().waiting)
        if is_pulse:
            self._liveness.tick(self._components.clock.now())
        if missed_ticks.is_long:
            # After the jobs with rules.
            self._components.engine.post(partial(self._report_missed, missed_ticks))

    def _report_missed(self, missed_ticks: MissedTicks) -> None:
        """Post which runs a stall or sleep made late or missed, if there are any."""
        if missed_ticks.missed or missed_ticks.late_absences:
            text = downtime_text(
                missed_ticks.missed,
                (),
                missed_ticks.outage,
                self._config.zone,
                late_absences=missed_ticks.late_absences,
            )
            origin = Notice("unseen", missed_ticks.outage.until.isoformat())
            self._components.engine.notify(origin, text, self._config.to)

    async def _check_regularly(self) -> None:
        """Run the periodic checks twice a second, until cancelled."""
        while True:
            await self._wait_for_turn()
            self._check()

    async def _wait_for_turn(self) -> None:
        """Wait half a second; what another process sets and waits for is taken meanwhile."""
        clock, left = self._components.clock, _TURN_SECONDS
        while left > 0:
            step = min(left, _AWAITED_SECONDS) if self._inbox_poller.is_awaited else left
            await clock.sleep(step)
            left -= step
            if left > 0:
                _supervise(self._inbox_poller.poll)

    def _check(self) -> None:
        """Run every check, even where others fail."""
        for part in (
            self._check_surroundings,
            self._check_clock,
            self._check_process,
            self._run_sensors,
            self._record_turn,
            self._inbox_poller.poll,
            self._components.engine.release_collected,
            self._post_digests,
            self._refresh_answers,
            self._record_running,
            self._prune,
            self._beat,
        ):
            _supervise(part)

    def _check_surroundings(self) -> None:
        passed = self._components.clock.monotonic()
        if self._surroundings_checked is None or passed - self._surroundings_checked >= _SURROUNDINGS_SECONDS:
            self._surroundings_checked = passed
            _supervise(self._check_files)
            _supervise(self._check_zone)

    def _check_files(self) -> None:
        """Stop where the database files were removed: what is written is lost, and a second program could start."""
        if self._is_lost or (loss := self._components.stores.loss()) is None:
            return
        self._is_lost = True
        log.critical(f"{loss}; it ends, start it again")
        now = self._components.clock.now()
        text = f"slack-alert ends, because {loss}. Start it again; its log says where all that was known is kept."
        self._components.engine.notify(Notice("lost", now.isoformat()), text, self._config.errors_to)
        self.stop()

    def _check_clock(self) -> None:
        """Restart the scheduler where the wall clock was set back: it would wait until the former time."""
        back = self._clock_steps.back()
        if back is None:
            return
        now = self._components.clock.now()
        log.warning("the clock was set back", extra={"seconds": round(back.total_seconds(), 3), "now": now.isoformat()})
        self._stop_source()
        self._components.engine.rewind(now)
        self._start_source(now)
        self._liveness.tick(now)

    def _check_process(self) -> None:
        """Undo changes of plugins to the process that would stop others, signal handlers included."""
        for said in (*self._components.plugins.guard(), *self._signals.restore()):
            log.warning(said)

    def _check_zone(self) -> None:
        """Log that the machine's time zone was changed: schedules and history stay in that of the start."""
        zone = self._components.changed_zone()
        if zone is None:
            return
        ours = str(self._config.zone)
        if str(zone) == ours:
            log.info("the machine's time zone is that of the start again", extra={"zone": ours})
            return
        said = "the machine's time zone was changed; jobs go on in that of the start until a restart"
        hint = f"Restart slack-alert to go by it, or set `timezone = {ours}` to keep what is."
        log.warning(said, extra={"zone": ours, "machine": str(zone), "hint": hint})

    def _run_sensors(self) -> None:
        components = self._components
        if self._sensors is None and components.make_sensors is not None and components.engine.has_sensors:
            self._sensors = components.make_sensors(components.engine, self._config.drain_timeout / 2)
        if self._sensors is not None:
            self._sensors.poll(components.clock.now())

    def _post_digests(self) -> None:
        self._components.post_digests(self._components.clock.now())

    def _refresh_answers(self) -> None:
        if self._chat is not None:
            self._chat.commands.refresh()

    def _record_turn(self) -> None:
        self._liveness.turn(self._components.clock.now())

    def _record_running(self) -> None:
        self._liveness.record_running(self._components.clock.now())

    def _prune(self) -> None:
        passed = self._components.clock.monotonic()
        if self._pruned is None or passed - self._pruned >= _PRUNE_SECONDS:
            self._pruned = passed
            self._components.writer.submit(Batch(limits=self._config.limits))

    def _beat(self) -> None:
        heartbeat, passed = self._components.heartbeat, self._components.clock.monotonic()
        if heartbeat is None or (self._beaten is not None and passed - self._beaten < _HEARTBEAT_SECONDS):
            return
        if self._liveness.is_well(self._components.clock.now()):
            self._beaten = passed
            heartbeat.beat()

    async def _drain(self) -> bool:
        """Let runs end and messages be sent, within the deadline; return whether all of it was done."""
        components = self._components
        self._liveness.stop(components.clock.now())
        deadline = components.clock.monotonic() + self._config.drain_timeout.total_seconds()
        components.engine.stop()
        await self._stop_sensors()
        commands = self._chat.commands if self._chat is not None else None
        if commands is not None:
            commands.stop()
        components.executor.stop()
        while self._has_runs() and components.clock.monotonic() < deadline:
            await components.clock.sleep(0.02)
        cut_off = components.engine.interrupt_runs() + (commands.interrupt() if commands is not None else 0)
        await in_own_thread(components.children.end_all)
        try:
            await asyncio.wait_for(self._wait_until_sent(), max(0.05, deadline - components.clock.monotonic()))
            is_emptied = True
        except asyncio.TimeoutError:
            is_emptied = False
        left = components.sender.queued
        await components.sender.stop()
        self._liveness.write_last(components.clock.now())
        is_written = await in_own_thread(
            partial(components.writer.stop, max(1.0, deadline - components.clock.monotonic()))
        )
        self._inbox_poller.remove_applied()
        for channel in components.channels.values():
            await channel.close()
        if self._chat is not None:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._chat.close(), _CLOSE_SECONDS)
        # Before the store, which folds its log into the file only where no other connection has it open.
        components.reader.close()
        if self._is_lost:
            log.critical(await asyncio.to_thread(components.stores.rescue))
        elif is_written:
            components.stores.store.close()
        log.info("stopped", extra={"cut_off": cut_off, "left_in_outbox": left, "written": is_written})
        return not cut_off and is_emptied and is_written

    async def _stop_sensors(self) -> None:
        if self._sensors is not None:
            await in_own_thread(self._sensors.stop)

    def _open_chat(self) -> Chat | None:
        """Return what takes commands; it is made when it is needed first. None: this program takes none."""
        if self._chat is None and self._components.make_chat is not None:
            self._chat = self._components.make_chat()
            # Before the engine's first batch, which takes all runs for ended.
            self._chat.commands.restore(self._components.snapshot)
        return self._chat

    def _open_doors(self) -> list[asyncio.Task[None]]:
        chat = self._chat
        going = [call() for call in self._components.beside]
        if chat is not None:
            going += [*(door.run(chat.intake) for door in chat.doors), *(call() for call in chat.beside)]
        return [asyncio.create_task(each) for each in going]

    def _has_runs(self) -> bool:
        return bool(self._components.engine.runs() or (self._chat is not None and self._chat.commands.running))

    async def _wait_until_sent(self) -> None:
        """Wait until all messages are committed, and then sent."""
        # Twice: the messages of a group reach the sender after the callbacks of the group.
        for _ in range(2):
            written = asyncio.Event()
            self._components.engine.post(partial(asyncio.get_running_loop().call_soon_threadsafe, written.set))
            await written.wait()
        await self._components.sender.drained()


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
