"""Everything an app is made of, put together by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from slack_alert.core.catalog import Catalog, CatalogChange
from slack_alert.core.structs import Struct, field
from slack_alert.engine.batches import Snapshot, StoredValue
from slack_alert.engine.context.subprocesses import Subprocesses
from slack_alert.engine.delivery.sender import Sender
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import (
    ChangeWatch,
    Channel,
    Clock,
    Executor,
    ExecutorLoad,
    Inbox,
    Reader,
    Reload,
    Source,
    Store,
)
from slack_alert.engine.recording.writer import Writer
from slack_alert.engine.requests.external_runs import Judge

if TYPE_CHECKING:  # What it imports is for those who have an address to be fetched.
    from slack_alert.engine.app.ping import Heartbeat


class Components(Struct, frozen=True):
    """Everything an app is made of."""

    catalog: Catalog
    store: Store
    reader: Reader
    #: What the store remembered when it was opened.
    snapshot: Snapshot
    inbox: Inbox
    channels: Mapping[str, Channel]
    clock: Clock
    writer: Writer
    executor: Executor
    engine: Engine
    sender: Sender
    make_source: Callable[[datetime], Source]
    #: Shows the functions what another process put into their pack's store.
    accept_entry: Callable[[StoredValue], None]
    #: Says what a run means that something else had started; None: such runs are refused.
    judge: Judge | None = None
    #: Says how long a job may say nothing because somebody wants it so; None: it may.
    muted_until: Callable[[str, datetime], datetime | None] = lambda _job, _now: None
    #: Tells of what was withheld, when a mute or a quiet window is over.
    look_back: Callable[[datetime], None] = lambda _: None
    #: Tells a source that other jobs are due than when it was made.
    replan: Callable[[Source, datetime], None] = lambda _source, _now: None
    #: None: the plugin files are read at the start only.
    reload: Reload | None = None
    #: Takes up the plugin files that were still loading at the start and have ended since.
    take_up: Callable[[], CatalogChange | None] = lambda: None
    #: Undoes what a plugin did to the process that would stop others; gives what that was.
    guard: Callable[[], Sequence[str]] = list
    #: None: nobody notices by himself that they change.
    watch: ChangeWatch | None = None
    #: Says where messages wait and nothing is accepted, given when this program began, and now.
    standing_still: Callable[[datetime, datetime], Sequence[str]] = lambda _began, _now: ()
    #: How full the executor is.
    load: Callable[[], ExecutorLoad] = ExecutorLoad
    heartbeat: Heartbeat | None = None
    #: Says what became of the files of the store; None: they are those that were opened.
    loss: Callable[[], str | None] = lambda: None
    #: Saves what is known where they are not, once nothing is written any more, and says where that is.
    rescue: Callable[[], str] = str
    #: Gives the machine's time zone once where it has become another one; of no interest where the zone is set.
    changed_zone: Callable[[], tzinfo | None] = lambda: None
    #: The programs that functions have started.
    children: Subprocesses = field(default_factory=Subprocesses)
