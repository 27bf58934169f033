"""Read what was recorded, and send it through the configuration there is now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slack_alert.bootstrap.assembly import new_mark
from slack_alert.bootstrap.places import reading
from slack_alert.bootstrap.silence import make_mutes
from slack_alert.core.catalog import Catalog
from slack_alert.core.model import Manner, Verdict
from slack_alert.core.replay import Difference, Past, loudest, replay
from slack_alert.engine.ports import Reader

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: So long before the beginning is replayed as well, so that quotas and incidents are what they would have been.
_LEAD = timedelta(days=1)
_SPOKEN = frozenset({Verdict.SAID, Verdict.ERROR, Verdict.TIMED_OUT})


def replay_history(settings: Settings, catalog: Catalog, since: datetime, until: datetime) -> Difference:
    """Compare what was said in this time with what the plugins and the configuration of now would have said."""
    lead = max([_LEAD, *(job.policy.pause_time for job in catalog.jobs)])
    with reading(settings) as reader:
        pasts = _pasts(reader, since - lead, until)
        return replay(catalog.jobs, pasts, since=since, mark=new_mark(), mute=make_mutes(settings).reason)


def _pasts(reader: Reader, begin: datetime, until: datetime) -> Iterator[Past]:
    manners = _manners(reader)
    for line in reader.history(job=None, since=begin, limit=None):
        record = line.record
        if record.slot < until:
            # Of an old run the messages may be forgotten.
            manner = manners.get(record.run, Manner.POST if record.verdict in _SPOKEN else None)
            yield Past(record, manner)


def _manners(reader: Reader) -> dict[int, Manner]:
    """Give the loudest message of each run."""
    manners: dict[int, Manner] = {}
    for delivery in reader.deliveries():
        run, manner = delivery.message.run, delivery.message.manner
        if run is not None:
            manners[run] = loudest((manner, manners.get(run, manner))) or manner
    return manners
