from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from datetime import datetime

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.errors import NotAllowed
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryProgress, Message, Status
from slack_alert.engine.batches import Batch
from tests.fakes.project import Project, ago, now

ROOMY = {"busy": 1, "threads": 32, "stuck": 0, "waiting": 0}
STALLED = "slack:#ops: nothing accepted for 2m: ConnectionRefusedError"


def pulse(
    at: datetime,
    *,
    clean: bool = False,
    refused: tuple[str, ...] = (),
    stalled: tuple[str, ...] = (),
    pool: Mapping[str, int] = ROOMY,
    began: datetime | None = None,
    turned: datetime | None = None,
    heartbeat: str | None = None,
) -> Batch:
    words = {"at": at.isoformat(), "pid": 1, "clean": clean, "runs": 2, "outbox": 1, "pool": pool}
    words |= {"refused": refused, "stalled": stalled, "heartbeat": heartbeat}
    words |= {name: each.isoformat() for name, each in (("began", began), ("turned", turned)) if each}
    return Batch(pulse=json.dumps(words))


@pytest.fixture
def owned(project: Project) -> Iterator[Project]:
    """A project whose database somebody runs with: this process."""
    with project.owned():
        yield project


def test_who_owns_the_database_and_ticks_is_alive(owned: Project) -> None:
    at = ago(seconds=3)
    owned.remember(pulse(at))

    done = owned.run("status", "--json", "--timezone", "UTC")

    assert done.json == {
        "alive": True,
        "pid": os.getpid(),
        "clock": {"ok": True, "at": at.isoformat(), "still_since": None},
        "delivery": {"ok": True, "refused": [], "stalled": []},
        "pool": {"ok": True, **ROOMY},
        "queue": {"ok": True, "queued": 0, "dead": 0, "died": 0, "runs": 2},
        "heartbeat": {"ok": True, "error": None},
        "database": {"ok": True, "path": str(owned.database), "made": True, "error": None},
    }
    assert done.code == 0


@pytest.mark.parametrize(
    ("beat", "clock", "delivery"),
    [
        (lambda: pulse(ago(seconds=60)), False, False),
        (lambda: pulse(ago(seconds=1), clean=True), False, False),
        (lambda: pulse(ago(seconds=1), refused=("slack",)), True, False),
        (lambda: pulse(ago(seconds=1), stalled=(STALLED,)), True, False),
        (lambda: pulse(ago(seconds=1), turned=ago(seconds=40)), False, False),
        (Batch, False, False),
    ],
    ids=[
        "it stands still",
        "it has not begun after a clean end",
        "its token is refused",
        "no answer",
        "its loop stands still",
        "it never ticked",
    ],
)
def test_what_is_not_well_is_exit_code_1(
    beat: Callable[[], Batch], clock: bool, delivery: bool, owned: Project
) -> None:
    owned.remember(beat())

    done = owned.run("status", "--json")

    assert (done.code, done.json["alive"]) == (1, False)
    assert (done.json["clock"]["ok"], done.json["delivery"]["ok"]) == (clock, delivery)


def test_a_heartbeat_that_is_not_taken_is_seen_and_is_nobody_elses_fault(owned: Project) -> None:
    owned.remember(pulse(now(), heartbeat="HTTPError 404"))

    shown, told = owned.run("status"), owned.run("status", "--json").json

    assert shown.code == 0
    assert "heartbeat  warn   `heartbeat_url` did not take the last one: HTTPError 404" in shown.out
    assert (told["alive"], told["heartbeat"]) == (True, {"ok": False, "error": "HTTPError 404"})


def test_an_address_that_takes_nothing_is_named(owned: Project) -> None:
    owned.remember(pulse(now(), stalled=(STALLED,)))

    assert f"{STALLED}. `slack-alert doctor` looks for the cause" in owned.run("status").out


@pytest.mark.parametrize(
    ("said", "sent", "began", "is_well"),
    [
        (ago(minutes=9), None, ago(hours=1), False),
        (ago(minutes=9), ago(minutes=8), ago(hours=1), False),
        (ago(minutes=9), ago(minutes=1), ago(hours=1), True),
        (ago(minutes=1), None, ago(hours=1), True),
        (ago(minutes=9), None, ago(minutes=1), True),
    ],
    ids=["nothing ever", "nothing for long", "others go out", "it was said just now", "it has just begun"],
)
def test_messages_that_wait_while_nothing_goes_out_are_not_well(
    said: datetime, sent: datetime | None, began: datetime, is_well: bool, owned: Project
) -> None:
    messages = [Message(f"m{number}", Address("slack", "#ops"), Text("hi")) for number in range(2)]
    first, _ = owned.remember(pulse(now(), began=began, turned=now()), Batch(messages=messages, at=said))
    owned.remember(Batch(progress=[DeliveryProgress(first.id, Status.SENT, 1, sent)] if sent else []))

    done = owned.run("status")

    assert done.code == (0 if is_well else 1)
    assert ("slack:#ops: nothing accepted for" in done.out) is not is_well


def test_since_when_the_loop_stands_still_is_said(owned: Project) -> None:
    turned = ago(minutes=3)
    owned.remember(pulse(now(), turned=turned))

    done = owned.run("status", "--timezone", "UTC")

    assert f"nothing comes of it since {turned:%H:%M:%S}" in done.out
    assert "messages go out" not in done.out
    assert owned.run("status", "--json", "--timezone", "UTC").json["clock"]["still_since"] == turned.isoformat()


def test_without_an_owner_nothing_is_alive(project: Project) -> None:
    project.remember(pulse(now()))

    done = project.run("status")

    assert done.code == 1
    assert done.lines[0] == "slack-alert is not running."
    assert "start it with `slack-alert run`" in done.out


@pytest.mark.parametrize(
    ("died", "lately", "said"), [(ago(minutes=1), 1, " (1 in the last hour)"), (ago(minutes=90), 0, "")]
)
def test_messages_that_wait_or_are_lost_are_counted(died: datetime, lately: int, said: str, owned: Project) -> None:
    messages = [Message(f"m{number}", Address("slack", "#ops"), Text("hi")) for number in range(3)]
    dead, *_ = owned.remember(pulse(now()), Batch(messages=messages, at=ago(hours=2)))
    owned.remember(Batch(progress=[DeliveryProgress(dead.id, Status.DEAD, 1, died)]))

    document = owned.run("status", "--json").json
    assert document["queue"] == {"ok": False, "queued": 2, "dead": 1, "died": lately, "runs": 2}
    assert document["alive"] is True
    assert f"2 queued, 1 dead{said}, 2 runs going on: see `slack-alert outbox`" in owned.run("status").out


@pytest.mark.parametrize(
    ("pool", "said"),
    [
        ({"busy": 2, "threads": 2, "stuck": 0, "waiting": 1}, "2 of 2 threads busy, 1 run waiting: raise `threads`"),
        (
            {"busy": 0, "threads": 2, "stuck": 1, "waiting": 0},
            "0 of 2 threads busy, 0 runs waiting, 1 function given up",
        ),
    ],
    ids=["full", "stuck"],
)
def test_a_pool_that_is_full_or_stuck_is_seen(pool: Mapping[str, int], said: str, owned: Project) -> None:
    owned.remember(pulse(now(), pool=pool))

    assert owned.run("status", "--json").json["pool"] == {"ok": False, **pool}
    shown = owned.run("status")
    assert shown.code == 0
    assert [line.split()[:2] for line in shown.lines if line.startswith("pool")] == [["pool", "warn"]]
    assert said in shown.out


@pytest.mark.parametrize("is_running", [True, False])
def test_status_and_doctor_warn_of_dead_messages_alike(is_running: bool, project: Project) -> None:
    messages = [Message("m", Address("slack", "#ops"), Text("hi"))]
    (dead,) = project.remember(pulse(now()), Batch(messages=messages, at=now()))
    project.remember(Batch(progress=[DeliveryProgress(dead.id, Status.DEAD, 1, now())]))
    with project.owned() if is_running else nullcontext():
        shown = project.run("status").lines
        checks = {check["check"]: check for check in project.run("doctor", "--json").json["checks"]}

    assert [line.split()[:2] for line in shown if line.startswith("queue")] == [["queue", "warn"]]
    assert checks["running"]["status"] == "warn"
    assert "1 dead" in checks["running"]["message"]


def test_a_database_that_was_never_made_is_said_to_be_so(project: Project) -> None:
    assert project.run("status").lines[-1].endswith(f"{project.database}, not made yet")
    assert project.run("status", "--json").json["database"]["made"] is False


def test_a_database_that_cannot_be_written_is_not_well(project: Project) -> None:
    project.write("blocked", "a file where a folder should be")

    done = project.run("status", "--json", "--database", f"sqlite:///{project.path}/blocked/state.db")

    assert done.code == 1
    assert done.json["database"]["error"].startswith(f"{project.path}/blocked cannot be written")


def test_a_database_that_cannot_be_read_is_told_with_what_to_do(project: Project) -> None:
    project.write(".slack_alert/state.db", "this is no database " * 100)

    done = project.run("status", "--json")

    assert (done.code, done.json["database"]["ok"]) == (1, False)
    assert "Set database to another file" in done.json["database"]["error"]


def test_asking_makes_no_files(project: Project) -> None:
    for command in ("status", "jobs", "history", "outbox", "check"):
        project.run(command)

    assert sorted(file.name for file in project.path.iterdir()) == ["plugins"]


@pytest.mark.parametrize(
    ("beat", "title"),
    [
        (lambda: pulse(now()), "slack-alert is alive, process 1."),
        (lambda: pulse(ago(seconds=60)), "Whether slack-alert is running cannot be seen by this user."),
        (lambda: pulse(now(), clean=True), "Whether slack-alert is running cannot be seen by this user."),
    ],
    ids=["a fresh sign", "an old one", "an end in order"],
)
def test_lock_that_may_not_be_looked_at_is_made_up_for_by_a_sign_of_life(
    beat: Callable[[], Batch], title: str, owned: Project
) -> None:
    def refuse(_: object) -> None:
        raise NotAllowed("state.db.lock: this user may not read it.")

    owned.remember(beat())
    owned.monkeypatch.setattr("slack_alert.stores.holder", refuse)
    owned.monkeypatch.setattr("slack_alert.stores.owner", refuse)
    owned.monkeypatch.setattr("slack_alert.stores.files.lock.owner", refuse)

    assert owned.run("status").lines[0] == title
