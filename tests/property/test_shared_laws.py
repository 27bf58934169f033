"""Laws of lines that many jobs share: every store tells the same history, whoever asks and for how much."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.model.record import Record, Verdict, split_by_job
from slack_alert.engine.batches import Batch, JobProgress
from tests.contract.store_kit import SECOND, Kit, T

JOBS = ("a", "b", "c", "d")


@st.composite
def records(draw: st.DrawFn) -> Record:
    verdict = draw(st.sampled_from((Verdict.QUIET, Verdict.MISSED, Verdict.PAUSED)))
    slot, length = draw(st.integers(0, 12)), draw(st.integers(1, 4))
    first = T + slot * SECOND
    if verdict is Verdict.QUIET:
        return Record(slot + 1, draw(st.sampled_from(JOBS)), first, verdict)
    until = first + (length - 1) * SECOND if length > 1 else None
    sharers = tuple(draw(st.lists(st.sampled_from(JOBS), unique=True, max_size=4)))
    name = "" if sharers else draw(st.sampled_from(JOBS))
    return Record(0, name, first, verdict, count=length, until=until, sharers=sharers)


Batches = list[list[Record]]


@pytest.mark.slow
@given(
    batches=st.lists(st.lists(records(), max_size=6), max_size=5),
    job=st.none() | st.sampled_from(JOBS),
    since=st.none() | st.integers(0, 14),
    limit=st.none() | st.integers(0, 12),
)
def test_every_store_gives_the_same_lines(
    batches: Batches, job: str | None, since: int | None, limit: int | None
) -> None:
    start = None if since is None else T + since * SECOND
    with TemporaryDirectory() as folder:
        kits = [Kit(None), Kit(Path(folder) / "state.db")]
        for kit in kits:
            kit.store.commit(Batch(seen={name: JobProgress(T) for name in JOBS}))
            for batch in batches:
                kit.record(*batch)
        found = [[line.record for line in kit.reader.history(job=job, since=start, limit=limit)] for kit in kits]
        seen = [kit.reader.snapshot().seen for kit in kits]
        whole = [kit.records() for kit in kits]
        for kit in kits:
            kit.close()

    assert found[0] == found[1]
    assert seen[0] == seen[1]
    assert whole[0] == whole[1]
    given_slots = sum(line.count for batch in batches for record in batch for line in split_by_job(record))
    assert given_slots == sum(line.count for line in whole[1])
