"""What supervisors, load balancers and Prometheus read."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from slack_alert.engine.monitoring.counters import Counts
from slack_alert.engine.ports import ExecutorLoad, WebRequest, WebResponse, WebRoutes
from slack_alert.operations.status import DoorVitals, StoreState, Vitals
from slack_alert.web.health import Health, Readers
from slack_alert.web.metrics import JobStatus, Metrics, Reading, render
from tests.fakes.engine_rig import BERLIN, at

NOW = at("16 09:00")


def vitals(*, fault: str | None = None) -> Vitals:
    store = StoreState(Path("/srv/state.db"), pid=7, queued=2, dead=1, fault=fault)
    door = DoorVitals("slack.socket", is_open=True, since=NOW)
    return Vitals(NOW, store, NOW, True, None, (), (), 1, ExecutorLoad(1, 32), None, (door,))


def asking(routes: WebRoutes, path: str, *, peer: str = "127.0.0.1", **headers: str) -> WebResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}

    async def whole() -> WebResponse:
        return await routes["GET", path](WebRequest("GET", path, given, b"", peer=peer))

    return asyncio.run(whole())


def health(*, fault: str | None = None, token: str | None = None) -> WebRoutes:
    return Health(lambda: vitals(fault=fault), BERLIN, Readers(token)).routes()


def test_live_is_whatever_answers() -> None:
    assert asking(health(fault="gone"), "/livez").status == 200


def test_ready_is_what_works() -> None:
    assert asking(health(), "/readyz").status == 200


def test_what_is_not_ready_says_why_on_this_machine() -> None:
    heard = asking(health(fault="the disk is full"), "/readyz")

    assert heard.status == 503
    assert b"fail database: the disk is full" in heard.body


@pytest.mark.parametrize(
    ("peer", "headers", "is_shown"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("10.0.0.7", {}, False),
        ("127.0.0.1", {"x_forwarded_for": "10.0.0.7"}, False),
        ("10.0.0.7", {"authorization": "Bearer sesame"}, True),
        ("10.0.0.7", {"authorization": "bearer  sesame "}, True),
        ("10.0.0.7", {"authorization": "Bearer open"}, False),
        ("10.0.0.7", {"authorization": "Bearer s\xe9same"}, False),
        ("127.0.0.1", {"authorization": "Bearer open"}, False),
        ("", {}, False),
    ],
)
def test_names_and_reasons_are_for_this_machine_and_for_who_has_the_token(
    peer: str, headers: dict[str, str], is_shown: bool
) -> None:
    heard = asking(health(fault="the disk is full", token="sesame"), "/readyz", peer=peer, **headers)

    assert heard.status == 503
    assert (b"disk" in heard.body) is is_shown


def test_without_a_token_in_the_configuration_none_is_right() -> None:
    assert not Readers(None).may_read(WebRequest("GET", "/", {"authorization": "Bearer "}, b"", peer="10.0.0.7"))


ODD = 'we"ird\\na\nme'
COUNTS = Counts(
    runs=Counter({("db.lag", "said"): 3, (ODD, "quiet"): 1}),
    seconds=Counter({"db.lag": 1.5}),
    durations=Counter({"db.lag": 3}),
    last={"db.lag": NOW},
    deliveries=Counter({"sent": 3}),
    events=Counter({"disk.full": 2}),
)
READING = Reading(
    "1.0.0", NOW, vitals(), COUNTS, (JobStatus("db.lag", True, False, False), JobStatus(ODD, False, True, True)),
    0.25, 4e7,
)  # fmt: skip


def test_the_metrics_are_what_prometheus_reads() -> None:
    families = list(text_string_to_metric_families(render(READING)))
    found = {family.name: family for family in families}
    assert len(found) == len(families)
    samples = {(one.name, *one.labels.values()): one.value for family in found.values() for one in family.samples}

    assert samples["slack_alert_runs_total", "db.lag", "said"] == 3
    assert samples["slack_alert_runs_total", ODD, "quiet"] == 1
    assert (samples["slack_alert_run_seconds_sum", "db.lag"], samples["slack_alert_run_seconds_count", "db.lag"]) == (
        1.5,
        3,
    )
    assert samples["slack_alert_job_alerting", "db.lag"] == 1
    assert samples["slack_alert_outbox_messages", "dead"] == 1
    assert samples["slack_alert_door_open", "slack.socket"] == 1
    assert samples["slack_alert_start_time_seconds",] == NOW.timestamp()
    assert all(family.documentation for family in found.values())
    assert all(name.startswith(("slack_alert_", "process_")) for name in found)


def test_the_metrics_are_not_for_everybody() -> None:
    routes = Metrics(lambda: READING, Readers("sesame")).routes()

    assert asking(routes, "/metrics", peer="10.0.0.7").status == 401
    assert asking(routes, "/metrics", peer="10.0.0.7", authorization="Bearer sesame").status == 200
    assert asking(routes, "/metrics").content_type.startswith("text/plain; version=0.0.4")
