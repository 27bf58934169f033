"""The packs that come with the program: against real files, a real web server, real databases, and a mailbox."""

from __future__ import annotations

import http.server
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

import slack_alert as product
from slack_alert.testing import Rehearsal
from tests.fakes.imap import Mailbox, mailbox
from tests.fakes.loopback import CERTIFICATE
from tests.fakes.relay import secured

SHIPPED = Path(product.__path__[0]) / "packs"

pytestmark = pytest.mark.slow


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """The packs, where a project would have them."""
    for name in ("host", "http", "files", "sql", "mailbox"):
        shutil.copytree(SHIPPED / name, tmp_path / "packs" / name)
    return tmp_path / "packs"


def texts(kit: Rehearsal, *, minutes: float = 0, seconds: float = 0) -> list[str]:
    return [one.text for one in kit.advance(minutes=minutes, seconds=seconds)]


# --- host


@pytest.fixture
def load_host(slack_alert: Rehearsal, packs: Path) -> Callable[..., object]:
    return lambda **config: slack_alert.load(packs / "host", config=config)


def disk(percent: int) -> SimpleNamespace:
    return SimpleNamespace(total=100 * 2**30, used=percent * 2**30, free=(100 - percent) * 2**30)


def usage(percent: int) -> tuple[int, int, int]:
    found = disk(percent)
    return found.total, found.used, found.free


def test_a_full_disk_is_told_kept_up_to_date_and_over(
    slack_alert: Rehearsal, load_host: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_host(disks="/srv", disk_percent=90, memory_percent=101, load=1e9)

    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(89))
    assert texts(slack_alert, minutes=5) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(95))
    assert texts(slack_alert, minutes=1) == ["/srv is 95 % full, 5.0 GiB left"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10))
    (over,) = texts(slack_alert, minutes=1)
    assert "recovered" in over


def test_a_disk_that_is_not_there_is_told(
    slack_alert: Rehearsal, load_host: Callable[..., object], tmp_path: Path
) -> None:
    load_host(disks=str(tmp_path / "gone"), memory_percent=101, load=1e9)

    assert texts(slack_alert, minutes=1) == [f"{tmp_path / 'gone'} cannot be looked at: No such file or directory"]


def test_memory_and_load_are_told_after_three_minutes(
    slack_alert: Rehearsal, load_host: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (1.0, 80.0, 1.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    load_host(disk_percent=101, memory_percent=0, load=4)

    assert texts(slack_alert, minutes=2) == []
    said = texts(slack_alert, minutes=1)
    assert len(said) == 2
    assert any("of the memory is in use" in one for one in said)
    assert "load is 80.0, with 4 processors" in said


def test_a_program_that_does_not_run_is_told_and_one_that_runs_is_not(
    slack_alert: Rehearsal, load_host: Callable[..., object]
) -> None:
    own = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    load_host(processes=[own, "surely-not-there"], disk_percent=101, memory_percent=101, load=1e9)

    assert texts(slack_alert, minutes=2) == ["surely-not-there does not run"]


# --- http


class Site(http.server.BaseHTTPRequestHandler):
    """Answers as its server is told to."""

    answer = (200, b"all is well")

    def do_GET(self) -> None:
        status, body = type(self).answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        pass


@contextmanager
def site() -> Iterator[tuple[type[Site], int]]:
    class Own(Site):
        pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield Own, server.server_address[1]
        server.shutdown()
        thread.join()


def test_an_address_that_answers_otherwise_is_told_and_over(slack_alert: Rehearsal, packs: Path) -> None:
    with site() as (own, port):
        url = f"http://127.0.0.1:{port}/health"
        slack_alert.load(packs / "http", config={"urls": [f"{url}?token=hidden"], "contains": "well"})

        assert texts(slack_alert, minutes=2) == []
        own.answer = (503, b"all is well")
        assert texts(slack_alert, minutes=2) == [f"{url} answers 503 Service Unavailable"]
        own.answer = (200, b"we are closed")
        (said,) = texts(slack_alert, minutes=1)
        assert said.startswith(f"{url} answers without “well”")
        own.answer = (200, b"all is well")
        (over,) = texts(slack_alert, minutes=1)
        assert "recovered" in over


def test_an_address_that_nobody_listens_at_is_told(slack_alert: Rehearsal, packs: Path) -> None:
    with site() as (_, port):
        pass
    slack_alert.load(packs / "http", config={"urls": [f"http://127.0.0.1:{port}/"]})

    assert texts(slack_alert, minutes=2) == [f"http://127.0.0.1:{port}/ does not answer: Connection refused"]


def test_a_certificate_that_is_not_good_is_told(slack_alert: Rehearsal, packs: Path) -> None:
    with site() as (_, plain), secured(plain) as port:
        slack_alert.load(packs / "http", config={"urls": [f"https://localhost:{port}/"]})

        said = texts(slack_alert, minutes=2)

    assert f"https://localhost:{port}/ does not answer: self-signed certificate" in said
    assert "localhost: self-signed certificate" in said


def test_a_certificate_that_ends_soon_is_told(
    slack_alert: Rehearsal, packs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with site() as (_, plain), secured(plain) as port:
        config = {"urls": [f"https://localhost:{port}/"], "certificate_days": 1_000_000}
        slack_alert.load(packs / "http", config=config)

        (said,) = slack_alert.run("http.certificates")

    assert said.text.startswith("localhost: the certificate ends in ")


# --- files


TELL = """
@deco(on="changed_file", max_alert=0)
def tell(path, status):
    return f"{path.rpartition('/')[2]} {status}"
"""


@pytest.fixture
def watched(slack_alert: Rehearsal, packs: Path, tmp_path: Path) -> Path:
    """A folder that the pack watches, and whose changes are told."""
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "old.conf").write_text("a")
    pack = packs / "files"
    (pack / "tell.py").write_text(TELL)
    config = {"directories": [folder], "settle": "0s", "patterns": ["*.conf"]}
    slack_alert.load(pack, config=config)
    slack_alert.advance(seconds=5)
    return folder


def test_what_is_created_modified_and_deleted_is_noticed(slack_alert: Rehearsal, watched: Path) -> None:
    below = watched / "a" / "b"
    below.mkdir(parents=True)
    (below / "new.conf").write_text("a")
    (below / "new.txt").write_text("a")
    assert texts(slack_alert, seconds=5) == ["new.conf created"]

    (watched / "old.conf").write_text("longer")
    assert texts(slack_alert, seconds=5) == ["old.conf modified"]

    shutil.rmtree(watched / "a")
    assert texts(slack_alert, seconds=5) == ["new.conf deleted"]
    assert texts(slack_alert, minutes=1) == []


def test_what_an_editor_leaves_is_not_noticed(slack_alert: Rehearsal, watched: Path) -> None:
    (watched / ".hidden.conf").write_text("a")
    (watched / "__pycache__").mkdir()
    (watched / "__pycache__" / "x.conf").write_text("a")

    assert texts(slack_alert, seconds=5) == []


def test_a_file_that_is_being_written_is_noticed_once_it_settles(slack_alert: Rehearsal, watched: Path) -> None:
    file = watched / "new.conf"
    file.write_text("a")
    os.utime(file, (2**31, 2**31))
    assert texts(slack_alert, seconds=5) == []

    os.utime(file, (1, 1))
    assert texts(slack_alert, seconds=5) == ["new.conf created"]


def test_a_folder_that_is_gone_for_a_while_is_told_and_its_files_are_not_deleted(
    slack_alert: Rehearsal, watched: Path
) -> None:
    """Such as a disk that is not mounted: the nearest folder above is there, and what was in it is not known."""
    watched.chmod(0)
    try:
        said = texts(slack_alert, minutes=1)
    finally:
        watched.chmod(0o700)

    # Root may read everything.
    assert said == ([] if os.geteuid() == 0 else [f"{watched} cannot be watched: Permission denied"])
    assert [one for one in texts(slack_alert, minutes=1) if "deleted" in one] == []


# --- sql


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    place = tmp_path / "shop.db"
    with closing(sqlite3.connect(place)) as connection:
        connection.executescript("CREATE TABLE ticket (id INTEGER, subject TEXT, urgent INTEGER);")
    return place


def execute(place: Path, statement: str) -> None:
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute(statement)


QUERY = "SELECT id, subject FROM ticket WHERE urgent = 1 ORDER BY id"


def test_rows_are_told_as_a_table_as_long_as_they_come(slack_alert: Rehearsal, packs: Path, shop: Path) -> None:
    slack_alert.load(packs / "sql", config={"connect": shop, "query": QUERY})
    assert texts(slack_alert, minutes=2) == []

    execute(shop, "INSERT INTO ticket VALUES (1, 'the shop is on fire', 1), (2, 'later', 0)")
    (said,) = texts(slack_alert, minutes=1)
    assert "the shop is on fire" in said
    assert "later" not in said
    execute(shop, "DELETE FROM ticket")
    (over,) = texts(slack_alert, minutes=1)
    assert "recovered" in over


def test_with_a_key_each_row_is_told_once(slack_alert: Rehearsal, packs: Path, shop: Path) -> None:
    execute(shop, "INSERT INTO ticket VALUES (1, 'old', 1)")
    slack_alert.load(packs / "sql", config={"connect": shop, "query": QUERY, "key": "id", "rows": 2})
    assert texts(slack_alert, minutes=2) == []

    execute(shop, "INSERT INTO ticket VALUES (2, 'a', 1), (3, 'b', 1), (4, 'c', 1)")
    (said,) = texts(slack_alert, minutes=1)
    assert "and 1 more" in said
    assert "old" not in said
    assert texts(slack_alert, minutes=5) == []


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"query": "DELETE FROM ticket"}, "attempt to write a readonly database"),
        ({"query": "SELECT nowhere FROM ticket"}, "no such column"),
        ({"driver": "no_such_driver"}, "the driver no_such_driver is not installed: pip install no_such_driver"),
        ({"connect": "/nowhere/x.db"}, "unable to open database file"),
    ],
)
def test_what_cannot_be_asked_is_told(
    slack_alert: Rehearsal, packs: Path, shop: Path, config: dict[str, str], error: str
) -> None:
    slack_alert.load(packs / "sql", config={"connect": shop, "query": QUERY, **config})

    (said,) = slack_alert.run("sql.standing")
    assert error in said.text


# --- mailbox


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with mailbox() as served, secured(served.port) as port:
        served.port = port
        yield served


@pytest.fixture
def load_mailbox(slack_alert: Rehearsal, packs: Path, box: Mailbox) -> Callable[..., object]:
    def load(**config: object) -> None:
        account = {"host": "localhost", "port": box.port, "user": box.user, "password": box.password}
        slack_alert.load(packs / "mailbox", config={**account, **config})

    return load


def test_new_mail_that_matters_is_told_once(
    slack_alert: Rehearsal, load_mailbox: Callable[..., object], box: Mailbox
) -> None:
    box.add("From: Old <old@example.com>\nSubject: before")
    load_mailbox(**{"from": ["@customer.com"], "subject": ["outage"]})
    assert texts(slack_alert, minutes=2) == []

    box.add("From: Ann Lee <ann@customer.com>\nSubject: =?utf-8?q?Rechnung_=C3=BCber_7?=")
    box.add("From: Bob <bob@example.com>\nSubject: Re: OUTAGE of db1")
    box.add("From: Eve <eve@example.com>\nSubject: lunch?")
    box.add("From: List <news@customer.com>\nSubject: offers\nList-Unsubscribe: <mailto:x@customer.com>")
    box.add("From: Ann Lee <ann@customer.com>\nSubject: read already", is_read=True)
    assert texts(slack_alert, minutes=2) == ["Ann Lee: Rechnung über 7\nBob: Re: OUTAGE of db1"]
    assert texts(slack_alert, minutes=10) == []


def test_nothing_is_marked_as_read(slack_alert: Rehearsal, load_mailbox: Callable[..., object], box: Mailbox) -> None:
    load_mailbox()
    slack_alert.advance(minutes=2)
    box.add("From: Ann <ann@example.com>\nSubject: hello")
    slack_alert.advance(minutes=2)

    assert not any(asked.split()[0] in {"SELECT", "STORE"} for asked in box.asked)
    assert not any("BODY[" in asked for asked in box.asked)


def test_another_mailbox_begins_anew(slack_alert: Rehearsal, load_mailbox: Callable[..., object], box: Mailbox) -> None:
    load_mailbox()
    slack_alert.advance(minutes=2)

    box.validity += 1
    box.add("From: Ann <ann@example.com>\nSubject: of the other mailbox")
    assert texts(slack_alert, minutes=2) == []
    box.add("From: Ann <ann@example.com>\nSubject: new")
    assert texts(slack_alert, minutes=2) == ["Ann: new"]


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"password": "wrong"}, "localhost refuses ann: [AUTHENTICATIONFAILED] wrong password"),
        ({"folder": "Archive"}, "there is no folder Archive"),
    ],
)
def test_what_the_server_refuses_is_told_without_the_password(
    slack_alert: Rehearsal, load_mailbox: Callable[..., object], box: Mailbox, config: dict[str, str], error: str
) -> None:
    load_mailbox(**config)

    (said,) = slack_alert.run("mailbox.important")
    assert error in said.text
    assert box.password not in said.text
