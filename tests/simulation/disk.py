"""The disk of a life: the real files, whose every write may be the last, or fail, or take long."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery
from slack_alert.core.model.request import Request
from slack_alert.core.model.run import Returned
from slack_alert.engine.batches import Batch, HistoryLimits
from slack_alert.engine.ports import AuditKey
from slack_alert.stores import FileJournal, SqliteInbox, SqliteStore
from tests.simulation.world import KilledError, Life, World

#: How likely a write is the last thing.
_DEADLY = 0.03


class Disk:
    """What is wrong with the disk at present."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_full = False
        #: Commits take up to so many seconds.
        self.slowness = 0.0
        self.tears = False
        #: A write is now and then the last thing that a program does.
        self.is_deadly = False
        #: What happened, by name, for the table of what was met.
        self.met: dict[str, int] = {}
        #: The messages of the service that are written down as sent, by its timestamp.
        self.marked: set[str] = set()

    def written(self, what: str, life: Life) -> None:
        """Note that something was written, which may have been the last thing."""
        self.world.step(what)
        self.die_now_and_then(what, life)

    def die_now_and_then(self, what: str, life: Life) -> None:
        """Let this be the last thing that a program does, where that is drawn."""
        if self.is_deadly and self.world.random.random() < _DEADLY:
            self.world.kill(life, what)
            raise KilledError

    def meet(self, name: str) -> None:
        """Count what happened."""
        self.met[name] = self.met.get(name, 0) + 1


class SimulatedStore(SqliteStore):
    """The real store, on a disk that fails."""

    def __init__(self, path: Path, disk: Disk, life: Life, audit_key: AuditKey | None = None) -> None:
        super().__init__(path, audit_key)
        self._disk, self._life = disk, life

    def commit(self, batch: Batch) -> list[Delivery]:
        self._begin("commit")
        deliveries = super().commit(batch)
        self._disk.marked.update((each.receipt or "").rpartition("/")[2] for each in batch.progress)
        self._disk.written("committed", self._life)
        return deliveries

    def prune(self, now: datetime, limits: HistoryLimits) -> None:
        self._begin("prune")
        super().prune(now, limits)

    def _begin(self, what: str) -> None:
        disk, world = self._disk, self._disk.world
        world.step(what)
        if disk.slowness and world.random.random() < 0.3:
            disk.meet("slow commit")
            world.sleep(world.random.random() * disk.slowness)
        disk.die_now_and_then(what, self._life)
        if disk.is_full:
            disk.meet("failed commit")
            raise StoreError("the disk is full")

    def drop(self) -> None:
        """Do what the system does with the files of a process that is gone."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class SimulatedJournal(FileJournal):
    """The real journal; an entry that is written at the kill may be there in part."""

    def __init__(self, path: Path, disk: Disk, life: Life) -> None:
        super().__init__(path)
        self._disk, self._life = disk, life

    def append(self, said: Batch | Returned) -> bool:
        world = self._disk.world
        world.step("append")
        if self._disk.is_full:
            self._disk.meet("not kept on a full disk")
            return False
        begin, steps = self._end, self._life.steps
        is_kept = super().append(said)
        self._tear_if_last(begin, steps)
        self._disk.written("appended", self._life)
        return is_kept

    def release(self, count: int) -> None:
        self._disk.world.step("release")
        super().release(count)
        self._disk.written("released", self._life)

    def close(self) -> None:
        self._disk.world.step("close journal")
        super().close()

    def _tear_if_last(self, begin: int, steps: int) -> None:
        """Where the life ends at the next step, let a part of what is being written be missing."""
        disk = self._disk
        if self._life.last_step != steps + 1 or not disk.tears or self._page is None:
            return
        disk.meet("torn entry")
        cut = disk.world.random.randrange(begin, max(begin + 1, self._end))
        self._page[cut : self._end] = bytes(self._end - cut)

    def drop(self) -> None:
        """Do what the system does with the files of a process that is gone."""
        if self._waiting:
            self._disk.meet("kill between append and commit")
        with suppress(ValueError, BufferError):
            self._unmap()


class SimulatedInbox(SqliteInbox):
    """The real inbox."""

    def __init__(self, path: Path, disk: Disk) -> None:
        super().__init__(path)
        self._disk = disk

    def peek(self) -> list[Request]:
        if self._disk.world.current is not None and self._disk.world.current.life.is_dead:
            return []
        return super().peek()

    def remove(self, ids: Iterable[int]) -> None:
        self._disk.world.step("remove requests")
        super().remove(ids)
        if (thread := self._disk.world.current) is not None:
            self._disk.written("removed requests", thread.life)
