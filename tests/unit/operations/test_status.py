"""What `status` tells of the doors by which people come in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from slack_alert.engine.app.liveness import Liveness
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.ports import DoorState, Intake
from slack_alert.operations.status import DoorVitals, StoreState, Vitals, status, status_rows

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
BEGAN = NOW - timedelta(hours=1)


class Shown:
    """A door with a state."""

    def __init__(self, name: str, reason: str = "") -> None:
        self.name = name
        self._reason = reason

    def state(self) -> DoorState:
        return DoorState(is_open=not self._reason, since=BEGAN, reason=self._reason)

    async def run(self, intake: Intake) -> None:
        """Do nothing."""


def seen(*doors: Shown) -> Vitals:
    """Return what is seen from outside of a program with these doors."""
    pulse: Mapping[str, object] = {"at": NOW.isoformat(), "clean": False}
    written = Liveness.pulse_of_doors(doors)
    store = StoreState(Path("state.db"), pid=1, snapshot=Snapshot(pulse=json.dumps({**pulse, **written})))
    return status(store, lambda _: [], now=NOW)


def test_a_program_without_doors_says_nothing_of_them() -> None:
    assert Liveness.pulse_of_doors(()) == {}
    assert seen().doors == ()
    assert "doors" not in [name for name, _, _ in status_rows(seen(), timezone.utc)]


@pytest.mark.parametrize(
    ("doors", "mark", "said"),
    [
        ([Shown("slack.socket")], "ok", "slack.socket open since 11:00"),
        (
            [Shown("slack.socket", "both sockets are down")],
            "fail",
            "slack.socket closed since 11:00 (both sockets are down)",
        ),
        (
            [Shown("slack.socket", "no answer"), Shown("slack.http")],
            "warn",
            "slack.socket closed since 11:00 (no answer); slack.http open since 11:00",
        ),
    ],
)
def test_each_door_is_told_since_when_it_is_as_it_is_and_why(doors: list[Shown], mark: str, said: str) -> None:
    assert status_rows(seen(*doors), timezone.utc)[-1] == ("doors", mark, said)
    assert seen(*doors).is_turning


def test_what_was_open_when_it_ended_says_nothing_of_now() -> None:
    vitals = seen(Shown("slack.socket"))
    assert vitals.doors == (DoorVitals("slack.socket", is_open=True, since=BEGAN),)

    later = status(vitals.store, lambda _: [], now=NOW + timedelta(minutes=5))
    assert later.doors == ()
