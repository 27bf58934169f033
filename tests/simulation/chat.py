"""The chat of a simulation: commands, the people who ask for them, and a look at the audit after each life."""

from __future__ import annotations

import sys
import warnings
from contextlib import closing

from slack_alert.core.commands.audit_verification import Verification
from slack_alert.core.model.audit import AuditHead
from slack_alert.operations.audit import verify_audit
from slack_alert.stores.files.audit_key_file import AuditKeyFile
from tests.simulation.chat_plugins import CommandStage
from tests.simulation.options import Options
from tests.simulation.people import People
from tests.simulation.program import Place, Process
from tests.simulation.world import World


class SimulatedChat:
    """All that has to do with commands in a seed."""

    def __init__(self, world: World, place: Place, options: Options) -> None:
        self._world, self._place, self._options = world, place, options
        self.stage = CommandStage(world)
        self.people = People(world, place.service, options, self.stage)
        self.people.open_runs = self._open_runs
        self.people.is_down = lambda: self._process is None or self._process.is_over
        self._process: Process | None = None
        self.faults: list[str] = []
        self._heads: list[AuditHead] = []
        # A program that is gone never awaits what it has begun.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        for name in ("obey", "obey_async", "judge"):
            setattr(sys.modules["simulated"], name, getattr(self.stage, name))

    def begin(self) -> None:
        """Let people write, and things go wrong."""
        self.people.begin()
        sockets = self._place.service.sockets
        sockets.repeats = 0.4 if "repeats" in self._options.faults else 0.0
        sockets.lateness = 0.08 if "lateness" in self._options.faults else 0.0
        if "refused" in self._options.faults:
            sockets.refused = 0.3
        if "broken_sockets" in self._options.faults:
            self._break_sockets()

    def _break_sockets(self) -> None:
        if not self.people.is_silent:
            self._place.service.sockets.break_one()
            self._world.after(self._world.random.expovariate(1 / (self._options.pace * 2)), self._break_sockets)

    def join(self, process: Process) -> None:
        """Take part in a life, which may end soon after a command has come."""
        self._process = process
        chance = self._world.random
        if "chat_kills" not in self._options.faults or chance.random() < 0.5:
            return
        life, asked = process.life, len(self.people.written)

        def look() -> None:
            if life.is_dead or process.is_over or self.people.is_silent:
                return
            if any(one.reached is not None for one in self.people.written[asked:]):
                if life.last_step is None or life.last_step < life.steps:
                    life.last_step = life.steps + chance.randrange(1, 25)
                return
            self._world.after(0.01, look)

        self._world.after(chance.random() * 20, look)

    def heal(self) -> None:
        """Let nobody write any more, and nothing go wrong."""
        sockets = self._place.service.sockets
        self.people.is_silent = True
        self.stage.is_wild = False
        sockets.repeats = sockets.lateness = sockets.refused = 0.0

    def verify(self) -> None:
        """Verify the audit, of which nothing may have changed since it was verified last."""
        found = self._verified()
        if found is None:
            return
        self.faults += [f"the audit after life {self._place.lives}: {fault}" for fault in found.faults]
        if found.head is not None:
            self._heads = [*self._heads[-3:], found.head]

    def _verified(self) -> Verification | None:
        key = AuditKeyFile(self._place.settings.audit_key_file).read()
        if key is None or not self._place.database.exists():
            return None
        with closing(self._place.reader()) as reader:
            return verify_audit(reader, key, self._heads)

    def _open_runs(self) -> list[int]:
        if not self._place.database.exists():
            return []
        with closing(self._place.reader()) as reader:
            return [asked.run for asked in reader.snapshot().asked if asked.run]
