"""The file of a database stays small, and no single step of pruning takes long."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.core.model.record import Verdict
from slack_alert.engine.batches import HistoryLimits
from slack_alert.stores.sqlite.connection import connect
from slack_alert.stores.sqlite.pruning import Pruning
from tests.contract.store_kit import Kit, T, integrity, slots


def test_the_file_shrinks_when_history_goes(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    kit = Kit(path)
    kit.record(*(record._replace(text="x" * 1000) for record in slots(Verdict.QUIET, 1, 3000)))
    kit.reopen()
    before = path.stat().st_size

    kit.store.prune(T + timedelta(days=40), HistoryLimits(days=30))
    kit.close()

    assert path.stat().st_size < before / 4
    assert integrity(path) == "ok"


@pytest.mark.parametrize("steps", [1, 3])
def test_a_long_fold_is_done_in_portions_that_end_where_one_would(tmp_path: Path, steps: int) -> None:
    at_once, bit_by_bit = Kit(tmp_path / "once.db"), Kit(tmp_path / "bits.db")
    minute = timedelta(minutes=1)
    for kit in (at_once, bit_by_bit):
        kit.record(*slots(Verdict.QUIET, 1, 400, every=minute), *slots(Verdict.QUIET, 1, 400, "b", every=minute))

    at_once.store.prune(T, HistoryLimits(rows=20))
    pruning = Pruning(rows=17, steps=steps)
    bit_by_bit.store.close()  # Nobody else may write while it is open.
    with closing(connect(tmp_path / "bits.db", "rw")) as connection:
        for _ in range(60):
            pruning.run(connection, T, HistoryLimits(rows=20))

    bit_by_bit.store.open()
    assert bit_by_bit.records() == at_once.records()
    at_once.close()
    bit_by_bit.close()
