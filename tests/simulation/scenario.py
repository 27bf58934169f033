"""Play a seed: lives one after the other, faults while they last, and then none, until everything has settled."""

from __future__ import annotations

import io
import logging
import shutil
import sys
import tempfile
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TextIO

from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, Notice
from slack_alert.core.model.request import (
    Acknowledge,
    Emit,
    KeepValue,
    MuteJob,
    PauseJob,
    Request,
    ResumeJob,
    SendMessage,
)
from slack_alert.core.policy.mutes import EVERY
from slack_alert.executors.calling.output import captured
from tests.simulation import patches
from tests.simulation.chat import SimulatedChat
from tests.simulation.chat_checkers import check_chat
from tests.simulation.chat_plugins import configuration
from tests.simulation.checkers import check
from tests.simulation.evidence import Evidence, LifeSpan
from tests.simulation.figures import Figures
from tests.simulation.meetings import Meetings
from tests.simulation.options import Options
from tests.simulation.plugins import Stage, names_of, text_of
from tests.simulation.program import ErrorsAreViolations, Place, Process
from tests.simulation.world import StuckError, World

_real_time = patches.real_time
_HOUR = 3600
#: Seconds without faults after which functions say nothing more, so that what waits can go out.
_SPEAKING = 300.0
#: Messages that other processes leave: Slack takes one a second.
_MOST_SENT = 100
#: Events that are kept for the report of a failing seed: the last ones with faults, and the last ones of all.
_KEPT_EVENTS, _KEPT_AFTER = 50, 10
_MEMORY = Path("/dev/shm")


@dataclass
class Outcome:
    """What came of a seed."""

    seed: int
    options: Options
    violations: list[str]
    #: What was met, by name: verdicts, reasons, faults.
    met: Counter[str]
    events: list[str]
    #: Seconds of the world, those of them in which a program ran, and seconds of this machine.
    simulated: float = 0.0
    alive: float = 0.0
    real: float = 0.0
    lives: int = 0
    calls: int = 0
    digest: str = ""

    @property
    def figures(self) -> Figures:
        """What it adds to those of many seeds."""
        failing = {self.seed: self.violations[0]} if self.violations else {}
        return Figures(1, self.lives, self.calls, self.simulated, self.alive, self.real, self.met, failing)


@dataclass
class Scenario:
    """One seed being played."""

    seed: int
    options: Options
    world: World
    place: Place
    stage: Stage
    #: Whether all that happens is printed, and where.
    is_told: bool
    out: TextIO
    spans: list[LifeSpan] = field(default_factory=list)
    events: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_EVENTS))
    after: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_AFTER))
    met: Counter[str] = field(default_factory=Counter)
    process: Process | None = None
    #: None: there are no commands.
    chat: SimulatedChat | None = None
    #: When each plugin file was edited or taken away, in microseconds.
    edited: dict[str, list[int]] = field(default_factory=dict)
    #: When requests of other processes changed a job.
    requested: set[str] = field(default_factory=set)
    set_back: list[tuple[datetime, datetime]] = field(default_factory=list)
    _is_over: bool = False
    _row: int = 0
    _versions: int = 1

    def __post_init__(self) -> None:
        self.meetings = Meetings(self.place, self.stage, self.met)

    def play(self) -> list[str]:
        """Play it, and return what is wrong."""
        try:
            return self._play()
        except StuckError as error:
            return [str(error)]
        except Exception as error:
            logging.getLogger("simulation").debug("broke", exc_info=True)
            place = traceback.extract_tb(error.__traceback__)[-1]
            return [f"broke: {type(error).__name__}: {error} at {place.filename.rsplit('/', 1)[-1]}:{place.lineno}"]

    def _play(self) -> list[str]:
        end = int(self.options.hours * _HOUR * 1e6)
        for kind in self.options.kinds:
            self._write(kind)
        self._begin_faults()
        if self.chat is not None:
            self.chat.begin()
        while self.world.micros < end:
            self._live_until(end)
            self._rest()
        self._heal()
        return self._conclude()

    def _has(self, fault: str) -> bool:
        return fault in self.options.faults

    # --- lives

    def _live_until(self, end: int) -> None:
        chance = self.world.random
        process = self._start()
        life = process.life
        if self._has("kills") and not self._is_over:
            self.world.after(chance.expovariate(1 / (4 * self.options.pace)), lambda: self.world.kill(life, "by time"))
        if self._row or (self._has("early_kills") and chance.random() < 0.5):
            life.last_step = int(10 ** (chance.random() * 2.2)) + 1
        if self._has("stops") and chance.random() < 0.3:
            self.world.after(chance.expovariate(1 / self.options.pace), lambda: self._stop(process))
        self.world.play(lambda: process.is_over or self.world.micros >= end)
        self._end(process)
        if self._has("rows_of_kills"):
            self._row = self._row - 1 if self._row else (chance.randint(1, 4) if chance.random() < 0.3 else 0)

    def _start(self) -> Process:
        process = self.process = Process(self.place)
        self.spans.append(LifeSpan(process.life.number, self.world.micros, self.world.now()))
        self.world.note(f"--- life {process.life.number} begins")
        process.begin()
        if len(self.spans) > 1:
            self.meetings.count("start", process)
        if self.chat is not None:
            self.chat.join(process)
        return process

    def _stop(self, process: Process) -> None:
        if not process.is_over:
            self.meetings.count("stop", process)
            process.stop()

    def _end(self, process: Process) -> None:
        how = "killed" if process.life.is_dead else "stopped" if process.code is not None else "killed"
        self.meetings.count_end(process, self.spans, is_killed=how == "killed")
        process.drop()
        span = self.spans[-1]
        span.ended, span.code, span.was_ready = self.world.micros, process.code, process.is_ready
        self.process = None
        if self.chat is not None:
            self.chat.verify()
        self.world.note(f"--- life {process.life.number} {how}, code {process.code}")

    def _rest(self) -> None:
        chance = self.world.random
        times = (0.05, 0.3, 1.0, 4.0, 9.0, 25.0, 60.0, 400.0)
        seconds = chance.choice(times) * (0.5 + chance.random())
        if self._has("long_downtimes") and chance.random() < 0.1:
            seconds = chance.uniform(1, 30) * _HOUR
            self.met["long downtime"] += 1
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        passed = []
        self.world.after(seconds, lambda: passed.append(True))
        self.world.play(lambda: bool(passed))

    # --- faults

    def _begin_faults(self) -> None:
        disk, service = self.place.disk, self.place.service
        disk.tears, disk.is_deadly = self._has("torn_journal"), self._has("kills_at_writes")
        self.stage.is_deadly = self._has("kills_of_runs")
        self._toggle("full_disk", lambda on: setattr(disk, "is_full", on))
        self._toggle("slow_disk", lambda on: setattr(disk, "slowness", 2.0 if on else 0.0))
        self._toggle("refused", lambda on: setattr(service, "refused", 0.7 if on else 0.0))
        self._toggle("lost_before", lambda on: setattr(service, "lost_before", 0.6 if on else 0.0))
        self._toggle("lost_after", lambda on: setattr(service, "lost_after", 0.6 if on else 0.0))
        self._toggle("garbage", lambda on: setattr(service, "garbage", 0.5 if on else 0.0))
        self._toggle("slow_service", lambda on: setattr(service, "slowness", 8.0 if on else 0.0))
        self._toggle("revoked", lambda on: setattr(service, "is_revoked", on))
        self._toggle("rate_limits", lambda on: setattr(service.workspace, "rate", 0.2 if on else 0.0))
        self._toggle("storms", lambda on: setattr(self.stage, "is_storm", on))
        self._repeat("freezes", self._freeze)
        self._repeat("clock_steps", self._step_clock)
        self._repeat("edits", self._edit)
        self._repeat("half_edits", self._half_edit)
        self._repeat("requests", self._request)

    def _repeat(self, fault: str, act: Callable[[], object]) -> None:
        if not self._has(fault):
            return

        def again() -> None:
            if not self._is_over:
                self.world.note(f"fault: {fault}")
                act()
                self.world.after(self._pause(), again)

        self.world.after(self._pause(), again)

    def _toggle(self, fault: str, switch: Callable[[bool], object]) -> None:
        if not self._has(fault):
            return

        def turn(on: bool) -> None:
            if not self._is_over:
                self.world.note(f"fault: {fault} {'on' if on else 'off'}")
                if on:
                    self.meetings.count_fault(fault, self.process)
                switch(on)
                self.world.after(self._pause() * (0.4 if on else 1.5), lambda: turn(not on))

        self.world.after(self._pause(), lambda: turn(True))

    def _pause(self) -> float:
        return self.world.random.expovariate(1 / self.options.pace)

    def _freeze(self) -> None:
        self.meetings.count("freeze", self.process)
        self.world.freeze(self.world.random.choice((0.3, 2.0, 20.0, 400.0)))

    def _step_clock(self) -> None:
        before = self.world.now()
        seconds = self.world.random.choice((-3600, -30, -1, 1, 30, 3600))
        self.meetings.count("clock set back" if seconds < 0 else "clock set forward", self.process)
        self.world.step_clock(seconds)
        if (after := self.world.now()) < before:
            self.set_back.append((before, after))

    def _edit(self) -> None:
        kind = self.world.random.choice(self.options.kinds)
        path = self._path(kind)
        self.edited.setdefault(kind, []).append(self.world.micros)
        if path.exists() and self.world.random.random() < 0.2:
            path.unlink()
            self.meetings.count("file taken away", self.process)
            return
        self.meetings.count("edit", self.process)
        self._versions += 1
        self._write(kind)

    def _half_edit(self) -> None:
        """Let a file be written by halves, or be broken for a while."""
        kind = self.world.random.choice(self.options.kinds)
        path, text = self._path(kind), text_of(kind, self._versions)
        self.meetings.count("half an edit", self.process)
        self.edited.setdefault(kind, []).append(self.world.micros)
        path.write_text(text[: self.world.random.randrange(len(text))], encoding="utf-8")
        self.world.after(self.world.random.choice((0.05, 3.0, 30.0)), lambda: self._write(kind))

    def _request(self) -> None:
        """Let another process ask for something."""
        kind = self.world.random.choice(self.options.jobs or ("quick",))
        if self.world.random.random() < 0.4:
            self._leave(kind)
            return
        name = self.world.random.choice(names_of(kind))
        self.requested.add(name)
        now, minutes = self.world.now(), timedelta(minutes=self.world.random.choice((1, 30)))
        asked = self.world.random.choice((
            PauseJob(name, now + minutes), ResumeJob(name), MuteJob(name, now + minutes, "ann"),
            MuteJob(name, None, "ann"),
            Acknowledge(name, "ann"),
        ))  # fmt: skip
        if self.world.random.random() < 0.05:
            asked = MuteJob(EVERY, now + minutes, "ann")
            self.requested.update(each for kind in self.options.jobs for each in names_of(kind))
        self._ask(asked)

    def _leave(self, kind: str) -> None:
        """Let another process leave something that must not be lost."""
        stage, now = self.stage, self.world.now()
        chance = self.world.random.random()
        if kind == "sensor":
            self._ask(Emit("seen", {"n": stage.emitted(now)}))
        elif chance < 0.5 or len(stage.sent_outside) >= _MOST_SENT:
            number = stage.set_outside[kind] = stage.set_outside.get(kind, 0) + 1
            self._ask(KeepValue(kind, "outside", str(number), None))
        else:
            text = f"sent-{len(stage.sent_outside) + 1}-"
            stage.sent_outside.append(text)
            origin = Notice("sent", text)
            self._ask(SendMessage.of(Message(origin.key, Address("slack", "C0OPS"), Text(text), origin)))

    def _ask(self, asked: Acknowledge | Emit | KeepValue | MuteJob | PauseJob | ResumeJob | SendMessage) -> None:
        self.meetings.count("request", self.process)
        self.met[f"request {type(asked).__name__}"] += 1
        self.place.inbox().add(Request.of(asked, self.world.now()))

    def _path(self, kind: str) -> Path:
        return self.place.folder / "plugins" / f"{kind}.py"

    def _write(self, kind: str) -> None:
        self.edited.setdefault(kind, []).append(self.world.micros)
        self._path(kind).write_text(text_of(kind, self._versions), encoding="utf-8")

    # --- the end

    def _heal(self) -> None:
        """End all faults, and whatever went on."""
        self._is_over = True
        disk, service = self.place.disk, self.place.service
        disk.is_full, disk.slowness, disk.tears, disk.is_deadly = False, 0.0, False, False
        service.refused = service.lost_before = service.lost_after = service.garbage = service.slowness = 0.0
        service.is_revoked, service.workspace.rate = False, 0.0
        self.stage.is_wild = self.stage.is_storm = self.stage.is_deadly = False
        if self.chat is not None:
            self.chat.heal()
        for kind in self.options.kinds:
            self._write(kind)
        self.world.note("--- no more faults")

    def _conclude(self) -> list[str]:
        """Let it settle and end by itself, and check."""
        process = self._start()
        self._pass(_SPEAKING)
        self.stage.is_silent = True
        self._pass(self.options.rest - _SPEAKING)
        violations = []
        if process.is_over:
            violations.append(f"the program ended without a reason, code {process.code}")
        process.stop()
        self._pass(30)
        if not process.is_over:
            violations.append("the program does not end within 30 s")
        elif process.code != 0:
            violations.append(f"the program ended with {process.code}")
        self._end(process)
        evidence = self._evidence()
        if self.is_told:
            self._note_history(evidence)
        of_chat = check_chat(evidence, self.chat, self.met) if self.chat is not None else []
        return [*violations, *self.place.errors, *of_chat, *check(evidence, self.met)]

    def note(self, what: str) -> None:
        """Keep an event for the report, and print it if all are printed."""
        line = f"{self.world.micros / 1e6:12.6f} {what}"
        (self.after if self._is_over else self.events).append(line)
        if self.is_told:
            self.out.write(f"{line}\n")

    def _note_history(self, evidence: Evidence) -> None:
        for line in evidence.lines:
            record = line.record
            self.note(f"history {record.binding} {record.slot} {record.verdict.value} {line.delivery} {record.text}")

    def _evidence(self) -> Evidence:
        return Evidence(
            self.options, self.place, self.stage, self.spans, self.edited, self.requested, self.set_back,
            self.world.now(),
        )  # fmt: skip


def play(seed: int, options: Options, *, is_told: bool = False) -> Outcome:
    """Play a seed with these options in a new world."""
    begun = _real_time()
    start = datetime.fromisoformat(options.start).replace(tzinfo=timezone.utc)
    interleaves = "interleavings" in options.faults
    world = World(seed, start, preempts=0.1 if interleaves else 0.0, drift=300 if interleaves else 0)
    patches.enter(world)
    with _folder() as folder:
        stage = Stage(world)
        place = Place(world, folder, _conf(options), stage)
        scenario = Scenario(seed, options, world, place, stage, is_told, sys.stdout)
        if options.commands:
            scenario.chat = SimulatedChat(world, place, options)
        world.note = scenario.note
        handler = ErrorsAreViolations(place)
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            with captured(io.StringIO()):  # As the command does; nobody reads it here.
                violations = scenario.play()
        finally:
            root.removeHandler(handler)
            if scenario.process is not None:
                scenario.process.drop()
        did = Counter({f"function: {does}": times for does, times in stage.met.items()})
        met = +scenario.met + did + Counter(place.disk.met) + Counter(place.service.met)
        met += Counter(place.service.sockets.met) + Counter(scenario.chat.stage.met if scenario.chat else {})
        alive = sum((span.ended or world.micros) - span.began for span in scenario.spans) / 1e6
        return Outcome(
            seed, options, violations, met, [*scenario.events, *scenario.after], world.micros / 1e6, alive,
            _real_time() - begun, place.lives, len(stage.calls), f"{world.micros}.{world.random.getrandbits(32):08x}",
        )  # fmt: skip


def _conf(options: Options) -> str:
    return (
        "[slack]\ntoken = xoxb-simulated\nchannel = C0OPS\nerrors_to = C0ERR\n"
        f"timezone = {options.zone}\nmax_alert = {options.max_alert}\npause_time = {options.pause_time:g}\n"
        + (configuration(options.doors) if options.commands else "")
        + (f"[quiet]\nnap = {options.quiet}\n" if options.quiet else "")
    )


@contextmanager
def _folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="slack-alert-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
