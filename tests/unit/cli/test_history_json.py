"""A line of `history --json`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.model.record import Record, Usage, Verdict
from slack_alert.engine.batches import HistoryLine
from slack_alert.operations.as_json import history_json
from tests.fakes.engine_rig import BERLIN, at

RECORD = Record(7, "db.lag", at("16 09:00"), Verdict.QUIET)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (RECORD, (None, None, None)),
        (RECORD._replace(numbers={"": 4.5}), ({"": 4.5}, None, None)),
        (RECORD._replace(numbers={"rows": 3, "lag": 0.2}), ({"rows": 3, "lag": 0.2}, None, None)),
        (RECORD._replace(usage=Usage(timedelta(seconds=1.5), 4096)), (None, 1.5, 4096)),
    ],
)
def test_what_a_run_measured_and_used_is_told(
    record: Record, expected: tuple[dict[str, float] | None, float | None, int | None]
) -> None:
    line = history_json(HistoryLine(record), BERLIN)

    assert (line["numbers"], line["cpu"], line["memory"]) == expected
