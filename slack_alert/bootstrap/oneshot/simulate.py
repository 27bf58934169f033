"""Read what was recorded, and send it through the configuration there is now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.bootstrap.database import reading
from slack_alert.bootstrap.runtime import new_mark
from slack_alert.core.catalog import Catalog
from slack_alert.core.model.message import Manner, Status
from slack_alert.core.whatif.replay import Difference, Past, past_of, replay
from slack_alert.engine.ports import Reader

if TYPE_CHECKING:
    from slack_alert.settings import Settings


from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: So long before the beginning is replayed as well, so that quotas and incidents are what they would have been.
_LEAD = timedelta(days=1)


def replay_history(settings: Settings, catalog: Catalog, since: datetime, until: datetime) -> Difference:
    """Compare what was said in this time with what the plugins and the configuration of now would have said."""
    lead = max([_LEAD, *(job.policy.pause_time for job in catalog.jobs)])
    with reading(settings) as reader:
        pasts = _pasts(reader, since - lead, until)
        return replay(catalog.jobs, pasts, since=since, mark=new_mark(), mute=make_mutes(settings).reason)


def _pasts(reader: Reader, begin: datetime, until: datetime) -> Iterator[Past]:
    messages = _messages(reader)
    for line in reader.history(job=None, since=begin, limit=None):
        if line.record.slot < until:
            yield past_of(line.record, messages.get(line.record.run, ()))


def _messages(reader: Reader) -> dict[int, list[tuple[Manner, Status]]]:
    """Give what became of the messages of each run."""
    messages: dict[int, list[tuple[Manner, Status]]] = {}
    for delivery in reader.deliveries():
        if delivery.message.run is not None:
            messages.setdefault(delivery.message.run, []).append((delivery.message.manner, delivery.status))
    return messages
