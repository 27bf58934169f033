"""The program around commands in a test: nothing waits, and what goes on beside is done one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta

from slack_alert.core.model.asked import AccountStatus, Asker, Identity
from slack_alert.core.model.record import Record
from slack_alert.core.model.run import QUIET, Run
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Clock, RunHost, Store
from slack_alert.engine.simulation.doubles import MemoryRecorder
from slack_alert.engine.system.loop_runner import run_to_end
from slack_alert.executors.direct import DirectExecutor


class OrderedRecorder(MemoryRecorder):
    """Commits to a store at once and in order: what follows a commit submits behind those that wait."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._puts: deque[tuple[Batch, Callable[[], object] | None]] = deque()
        self._is_writing = False

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Commit a batch now, or after the one that is being followed up."""
        self._puts.append((batch, then))
        if self._is_writing:
            return
        self._is_writing = True
        try:
            while self._puts:
                self._commit(*self._puts.popleft())
        finally:
            self._is_writing = False

    def record_quiet(self, record: Record) -> None:
        """Commit a record now."""
        self.submit(Batch(records=[record]))

    def _commit(self, batch: Batch, then: Callable[[], object] | None) -> None:
        batch.at = batch.at or self._clock.now()
        self._store.commit(batch)
        if then is not None:
            then()


class HeldRuns:
    """Runs that have begun and whose functions are not called before they are released."""

    def __init__(self, names: frozenset[str], go_on: Callable[[], object]) -> None:
        #: The full names of what is held.
        self._names = names
        self._go_on = go_on
        self._allowed = 0

    def release(self, count: int = 1) -> None:
        """Let so many of the held runs go on, those that began first, or that begin next."""
        self._allowed += count
        self._go_on()

    def lets_go(self, run: Run) -> bool:
        """Return whether a run may go on now."""
        return not self._concerns(run) or self._allowed > 0

    def count(self, run: Run) -> None:
        """Count a run that goes on."""
        if self._concerns(run) and self._allowed:
            self._allowed -= 1

    def _concerns(self, run: Run) -> bool:
        return run.binding in self._names


class StepExecutor:
    """Keeps runs until the test's next step, and then calls their functions one after the other, in order."""

    def __init__(self, direct: DirectExecutor, clock: Clock, holds: Sequence[HeldRuns]) -> None:
        self._direct = direct
        self._clock = clock
        self._begun: list[tuple[Run, RunHost, datetime]] = []
        #: What holds runs at present; others add to it.
        self._holds = holds

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        """Take runs."""
        now = self._clock.now()
        for run in runs:
            run.progress.started = now
            self._begun.append((run, host, now))

    def cancel(self, run: Run, *, grace: timedelta) -> None:
        """Do nothing more than what everybody does: the function sees `ctx.canceled` once it is called."""

    def stop(self) -> None:
        """Do nothing: no run is going on."""

    def run_next(self) -> bool:
        """Call the function of the next run that nobody holds; return whether there was one."""
        for place, (run, host, began) in enumerate(self._begun):
            if all(hold.lets_go(run) for hold in self._holds):
                del self._begun[place]
                for hold in self._holds:
                    hold.count(run)
                self._call(run, host, began)
                return True
        return False

    def _call(self, run: Run, host: RunHost, began: datetime) -> None:
        is_ended = run.action.is_async and run.progress.is_canceled  # Where it awaits first.
        result = QUIET if is_ended else self._direct.call(run, host)
        # In the time of the test: a function takes as long as it was held, or as the clock was advanced meanwhile.
        run.progress.started = began
        host.done(run, result._replace(duration=self._clock.now() - began))


class NextSteps:
    """Keeps coroutines and an alarm until the test's next step."""

    def __init__(self) -> None:
        self._coroutines: deque[Coroutine[object, object, object]] = deque()
        self._alarm: tuple[datetime, Callable[[], object]] | None = None

    def begin(self, coroutine: Coroutine[object, object, object]) -> None:
        """Take a coroutine."""
        self._coroutines.append(coroutine)

    def wake(self, at: datetime, call: Callable[[], object]) -> None:
        """Set the alarm."""
        self._alarm = (at, call)

    @property
    def alarm(self) -> datetime | None:
        """The time of the alarm, or None."""
        return None if self._alarm is None else self._alarm[0]

    def run_next(self) -> bool:
        """Run the next coroutine to its end; return whether there was one."""
        if not self._coroutines:
            return False
        run_to_end(self._coroutines.popleft())
        return True

    def ring(self, now: datetime) -> None:
        """Call what the alarm is for, if its time has come."""
        if self._alarm is not None and self._alarm[0] <= now:
            (_, call), self._alarm = self._alarm, None
            call()

    def close(self) -> None:
        """Forget all of it."""
        for coroutine in self._coroutines:
            coroutine.close()
        self._coroutines.clear()
        self._alarm = None


class NamedPeople:
    """The people of a test, by name; members unless something else is said."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._standings: dict[str, AccountStatus] = {}
        self._groups: dict[str, frozenset[str]] = {}

    async def asker(self, identity: Identity) -> Asker:
        """Return who that is."""
        return self.known(identity)

    def known(self, identity: Identity) -> Asker:
        """Return who that is."""
        name = next((name for name, user in self._ids.items() if user == identity.user), identity.name)
        groups = frozenset(group for group, members in self._groups.items() if identity.user in members)
        return Asker(replace(identity, name=name), self._standings.get(identity.user, AccountStatus.MEMBER), groups)

    def identity(self, name: str) -> Identity:
        """Return the account of a person."""
        return Identity("slack", "T0", self.id_of(name), name)

    def id_of(self, name: str) -> str:
        """Return the id of a person, which is made of the name."""
        if name not in self._ids:
            letters = "".join(letter for letter in name.upper() if letter.isascii() and letter.isalnum())
            made, number = f"U0{letters}", 1
            while made in self._ids.values():
                number += 1
                made = f"U{number}{letters}"
            self._ids[name] = name if _is_id(name) else made
        return self._ids[name]

    def knows(self, name: str) -> bool:
        """Return whether a person of this name was mentioned."""
        return name in self._ids

    def is_now(self, standing: AccountStatus, names: Iterable[str]) -> None:
        """Set what people are."""
        for name in names:
            self._standings[self.id_of(name)] = standing

    def is_group(self, group: str, names: Iterable[str]) -> None:
        """Set who is in a user group."""
        self._groups[group] = frozenset(map(self.id_of, names))


def _is_id(name: str) -> bool:
    return name[:1] == "U" and name.isupper() and name.isalnum() and any(letter.isdigit() for letter in name)


class ChannelsByName:
    """Channels, which have their names for ids."""

    def name_of(self, channel: str) -> str:
        """Return the name, without `#`."""
        return channel.removeprefix("#")

    def id_of(self, name: str) -> str | None:
        """Return the name."""
        return name
