"""Reloads plugin files while the program runs: changed jobs replace former ones, faults are posted once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from slack_alert.core.catalog import Catalog, CatalogChange, Problem, Severity
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Notice
from slack_alert.core.model.run import Run
from slack_alert.core.pack import Pack
from slack_alert.core.pipeline.outages import Outage, OutageCause
from slack_alert.core.rules.built_in import PACK_CHANGED
from slack_alert.engine.app.announcements import faults_text
from slack_alert.engine.app.components import PluginFiles
from slack_alert.engine.app.liveness import down_since, last_slots
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Clock, Reload

log = logging.getLogger(__name__)

#: Seconds between two checks for changes; every check wakes an idle program.
_STEP = 0.5
#: A file that seems to be gone, or is being written, is read again after so many seconds.
_AGAIN = 0.1
#: A fault is posted when it is still there after so many seconds: a person may be editing.
QUIET = 2.0
#: How many names are shown in a line of the log.
_NAMED = 10

#: Identifies a fault, wherever in its file an edit has moved it.
_Fault = tuple[str, str, str]


class Reloader:
    """Reloads changed plugin files; `replan` is called when the due slots have changed."""

    def __init__(
        self,
        plugins: PluginFiles,
        engine: Engine,
        clock: Clock,
        snapshot: Snapshot,
        *,
        errors_to: Address,
        replan: Callable[[datetime], None],
    ) -> None:
        self._plugins = plugins
        self._engine = engine
        self._clock = clock
        #: The stored state at the start.
        self._snapshot = snapshot
        self._errors_to = errors_to
        self._replan = replan
        self._is_asked = False
        #: When to read unsettled files again, in monotonic seconds.
        self._again: float | None = None
        #: Faults that were posted at the start, or since.
        self._told = {_fault(problem) for problem in plugins.catalog.problems}
        self._waiting: dict[_Fault, tuple[float, Problem]] = {}
        #: Callbacks that end former versions, each with the runs that may still be in progress in them.
        self._former: list[tuple[list[Run], Callable[[], object]]] = []

    def request(self) -> None:
        """Request a reload soon."""
        self._is_asked = True

    async def follow(self) -> None:
        """Reload changed files until cancelled."""
        reload, watch = self._plugins.reload, self._plugins.watch
        if watch is not None:
            watch.start()
            # For changes between the loading and now.
            self.request()
        while True:
            await self._clock.sleep(_STEP if self._again is None else _AGAIN)
            try:
                self._take_up()
                if reload is not None and self._is_due():
                    await self._reload(reload)
                self._tell()
                self._end_former()
            except Exception:
                log.exception("reload failed")

    def _take_up(self) -> None:
        """Adopt files that were still loading at the start; their missed slots are made up as at the start."""
        change = self._plugins.load_late()
        if change is not None:
            self._adopt(change, is_late=True)

    def _is_due(self) -> bool:
        passed, watch = self._clock.monotonic(), self._plugins.watch
        has_changed = watch is not None and watch.has_changed(passed)
        return has_changed or self._is_asked or (self._again is not None and passed >= self._again)

    async def _reload(self, reload: Reload) -> None:
        self._is_asked = False
        # On a thread, because executing a file may take long and slots come due meanwhile.
        change = await _apart(lambda: reload(self._clock.monotonic()))
        self._again = None
        if change is None:
            return
        if not change.is_settled:
            self._again = self._clock.monotonic() + _AGAIN
        if change.has_news:
            self._adopt(change)
            if change.end_former is not None:
                self._former.append((self._engine.runs(), change.end_former))

    def _end_former(self) -> None:
        """End former versions whose last runs are over."""
        going = {id(run) for run in self._engine.runs()}
        over = [each for each in self._former if going.isdisjoint(map(id, each[0]))]
        self._former = [each for each in self._former if each not in over]
        for _, end in over:
            # On a thread: it is plugin code, and may take long.
            threading.Thread(target=end, name="former", daemon=True).start()

    def _adopt(self, change: CatalogChange, *, is_late: bool = False) -> None:
        now, snapshot, before = self._clock.now(), self._snapshot, self._engine.catalog.packs
        late = self._engine.adopt(change.catalog, snapshot, now, down_since(snapshot), is_late=is_late)
        if is_late and late:
            outage = Outage(OutageCause.DOWN, last_slots(snapshot), now)
            self._engine.catch_up(now, down_since(snapshot), outage=outage, late=late)
        if not change.is_empty:
            self._replan(now)
        self._note_faults(change.catalog)
        told = {"added": change.added, "replaced": change.replaced, "removed": change.removed}
        extra: dict[str, object] = {word: _listed(names) for word, names in told.items() if names}
        if faults := sum(problem.severity is Severity.ERROR for problem in change.catalog.problems):
            extra["faults"] = faults
        self._tell_packs(change, before)
        log.info("loaded late" if is_late else "reloaded", extra={**extra, "kept": change.kept})

    def _tell_packs(self, change: CatalogChange, before: Sequence[Pack]) -> None:
        """Emit an event for each pack of which functions have changed, where a rule waits for such events."""
        packs = dict.fromkeys(pack.name for pack in (*change.catalog.packs, *before))
        words = {"added": change.added, "replaced": change.replaced, "removed": change.removed}
        for pack in packs if not change.is_empty and self._engine.wants(PACK_CHANGED) else ():
            own = {word: [name for name in names if name.startswith(f"{pack}.")] for word, names in words.items()}
            if any(own.values()):
                self._engine.occurred(PACK_CHANGED, {"pack": pack, **own})

    def _note_faults(self, catalog: Catalog) -> None:
        """Remember new faults; a fault that was fixed may be posted again when it comes back."""
        passed = self._clock.monotonic()
        present = {_fault(problem): problem for problem in catalog.problems}
        self._told &= present.keys()
        self._waiting = {
            fault: (self._waiting.get(fault, (passed, problem))[0], problem)
            for fault, problem in present.items()
            if fault not in self._told
        }

    def _tell(self) -> None:
        """Post the faults that persist."""
        passed = self._clock.monotonic()
        stayed = {fault: problem for fault, (since, problem) in self._waiting.items() if passed - since >= QUIET}
        if not stayed:
            return
        self._told |= stayed.keys()
        for fault in stayed:
            del self._waiting[fault]
        errors = [problem for problem in stayed.values() if problem.severity is Severity.ERROR]
        for problem in stayed.values():
            if problem.severity is not Severity.ERROR:
                log.warning("%s", problem)
        if errors:
            now = self._clock.now()
            self._engine.notify(Notice("faults", now.isoformat()), faults_text(errors, is_edit=True), self._errors_to)


def _fault(problem: Problem) -> _Fault:
    return problem.file, problem.code, problem.message


def _listed(names: tuple[str, ...]) -> str:
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])


async def _apart(call: Callable[[], CatalogChange | None]) -> CatalogChange | None:
    """Return the value of a call on its own thread, which does not keep the program from ending, or raise its error."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[CatalogChange | None] = loop.create_future()

    def settle(change: CatalogChange | None, error: Exception | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(change)

    def run() -> None:
        change, error = None, None
        try:
            change = call()
        except Exception as raised:  # noqa: BLE001 - passed on
            error = raised
        except BaseException as raised:  # noqa: BLE001 - as it would end the loop, it is passed on as another
            error = RuntimeError(f"{type(raised).__name__}: {raised}")
        loop.call_soon_threadsafe(settle, change, error)

    threading.Thread(target=run, name="reload", daemon=True).start()
    return await future
