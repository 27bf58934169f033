"""The HTTP API of a running program: the JSON of the command line, and commands under the one check."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from slack_alert.core.model.audit import AuditVerdict
from slack_alert.stores import SqliteReader
from tests.fakes.program import Program, running

pytestmark = pytest.mark.slow

TOKEN, READ = "a-long-random-token", "a-token-to-read"
PLUGINS = """
    from pathlib import Path

    @deco(minutes=5)
    def lag():
        return "late"

    @deco(command="deploy")
    def deploy(app: str):
        if app == "bad":
            raise OSError("no such host")
        return f"{app} is out"

    @deco(command="hold")
    def hold(ctx):
        while not Path("go").exists() and not ctx.canceled:
            pass
        return "went on"

    @deco(on="backup.done", max_alert=0)
    def backed_up(size=0):
        return f"backup of {size}"
"""
CONF = f"""
    [web]
    listen = 127.0.0.1:0
    token = {TOKEN}
    token_role = ops
    read_token = {READ}
    [roles]
    ops = U1
    [permissions]
    deploy = ops
    hold = ops
    pause = ops
    mute = ops
    ack = ops
    run = ops
    emit = ops
    [chat]
    rate = 0
"""


class Caller:
    """Calls the API of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        ports: list[str] = []

        def is_listening() -> bool:
            ports[:] = re.findall(r"listen=127\.0\.0\.1:(\d+)", program.errors)
            return bool(ports)

        program.wait_until(is_listening, "it listens")
        self.port = int(ports[-1])

    def call(
        self, method: str, path: str, body: object = None, *, token: str | None = TOKEN, raw: bytes | None = None
    ) -> tuple[int, Any]:
        sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, path, sent, headers)
            with connection.getresponse() as answer:
                said = answer.read()
                is_json = answer.headers["Content-Type"] == "application/json"
                return answer.status, json.loads(said) if is_json else said.decode()

    def get(self, path: str, *, token: str | None = READ) -> tuple[int, Any]:
        return self.call("GET", path, token=token)

    def post(self, path: str, body: object = None, *, token: str | None = TOKEN) -> tuple[int, Any]:
        return self.call("POST", path, body, token=token)

    def command_line(self, *words: str) -> Any:
        command = [sys.executable, "-m", "slack_alert", "--path", str(self.program.folder), *words]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines if words[0] == "history" else lines[0]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with running(tmp_path_factory.mktemp("api"), PLUGINS, CONF) as program:
        yield Caller(program)


def test_it_reads_what_the_command_line_reads(api: Caller) -> None:
    assert api.post("/api/jobs/lag/run")[0] == 200

    assert api.get("/api/jobs") == (200, api.command_line("jobs", "--json"))
    status, found = api.get("/api/history?job=lag&limit=2")
    assert (status, found["history"]) == (200, api.command_line("history", "lag", "--limit", "2", "--json"))
    assert api.get("/api/queue") == (200, {"running": [], "waiting": [], "later": []})
    status, found = api.get("/api/status")
    assert (status, found["alive"], set(found)) == (200, True, set(api.command_line("status", "--json")))


def test_a_command_is_asked_for_answered_and_on_record(api: Caller) -> None:
    status, answer = api.post("/api/commands", {"text": "deploy shop"})

    assert (status, answer["state"], answer["verdict"]) == (200, "done", "ran")
    assert answer["text"].endswith("shop is out")
    with closing(SqliteReader(api.program.database)) as reader:
        entry = next(one.entry for one in reader.audit(since=None, limit=None) if one.entry.run == answer["run"])  # type: ignore[union-attr]
    assert entry is not None
    assert (entry.by, entry.door, entry.ip, entry.command) == ("web:token", "http", "127.0.0.1", "deploy shop")


def test_a_command_that_fails_says_so(api: Caller) -> None:
    status, answer = api.post("/api/commands", {"text": "deploy bad"})

    assert (status, answer["state"], answer["verdict"]) == (200, "done", "failed")
    assert f"E-{answer['run']}" in answer["text"]


def test_a_command_that_takes_longer_is_found_by_its_number(api: Caller) -> None:
    status, answer = api.post("/api/commands?wait=0", {"text": "hold"})
    assert (status, answer["verdict"]) == (202, None)
    api.program.wait_until(lambda: api.get("/api/queue")[1]["running"] != [], "it runs")
    (going_on,) = api.get("/api/queue")[1]["running"]
    (api.program.folder / "go").touch()

    def ended() -> bool:
        lines = api.get("/api/history?job=hold")[1]["history"] if answer["run"] else []
        return any(line["run"] == going_on["run"] for line in lines)

    if answer["run"] is not None:
        assert going_on["run"] == answer["run"]
    api.program.wait_until(lambda: api.get("/api/queue")[1]["running"] == [], "it is over")


def test_jobs_are_changed(api: Caller) -> None:
    assert api.post("/api/jobs/lag/pause", {"for": "1h"})[0] == 200
    (job,) = [each for each in api.get("/api/jobs")[1]["jobs"] if each["name"] == "jobs.lag"]
    assert (job["state"], job["paused_until"] is not None) == ("paused", True)
    assert api.post("/api/jobs/jobs.lag/mute")[0] == 200


def test_an_event_is_on_disk_once_it_is_answered(api: Caller) -> None:
    status, answer = api.post("/api/events/backup.done", {"size": [1, {"a": None}]})

    assert (status, answer["answered_by"]) == (200, ["jobs.backed_up"])
    with closing(SqliteReader(api.program.database)) as reader:
        kept = reader.event(answer["event"])
    assert kept is not None
    assert (kept.event.name, kept.event.fields, kept.event.by) == (
        "backup.done",
        {"size": [1, {"a": None}]},
        "web:token",
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "/api/commands", {"text": "deplyo shop"}, 400, "There is no command 'deplyo'."),
        ("POST", "/api/commands", {"text": "deploy"}, 400, "app is missing."),
        ("POST", "/api/commands", {"text": " "}, 400, "`text` is no command."),
        ("POST", "/api/commands", {"text": 7}, 400, "`text` is no command."),
        ("POST", "/api/commands", {}, 400, "`text` is no command."),
        ("POST", "/api/commands", {"text": "deploy shop", "confirm": "yes"}, 400, "`confirm` is neither"),
        ("POST", "/api/commands", {"texts": "deploy shop"}, 400, "There is no field 'texts'."),
        ("POST", "/api/commands", ["deploy shop"], 400, "The body is no JSON object."),
        ("POST", "/api/commands?wait=x", {"text": "deploy shop"}, 400, "`wait` is no number."),
        ("POST", "/api/commands?wait=61", {"text": "deploy shop"}, 400, "`wait` is not between 0 and 60.0."),
        ("POST", "/api/commands?wait=nan", {"text": "deploy shop"}, 400, "`wait` is not between"),
        ("POST", "/api/commands?x=1", {"text": "deploy shop"}, 400, "There is no parameter 'x'."),
        ("POST", "/api/commands", {"text": "resume lag"}, 403, "`resume` is for admins"),
        ("POST", "/api/jobs/lag/resume", None, 403, "`resume` is for admins"),
        ("POST", "/api/jobs/lga/pause", None, 404, "There is no job 'lga'."),
        ("POST", "/api/jobs/lag/pause", {"for": "soon"}, 400, "soon"),
        ("POST", "/api/jobs/lag/pause", {"for": 7}, 400, "`for` is no duration."),
        ("POST", "/api/jobs/lag/ack", {"for": "1h"}, 400, "There is no field 'for'."),
        ("POST", "/api/events/a=b", {}, 400, "'a=b' is no name of an event."),
        ("GET", "/api/history?limit=0", None, 400, "`limit` is not between 1 and 1000."),
        ("GET", "/api/history?since=x", None, 400, "'x' is not a time."),
        ("GET", "/api/history?job=nope", None, 404, "There is no job 'nope'."),
    ],
)
def test_what_is_wrong_is_said(api: Caller, method: str, path: str, body: object, status: int, said: str) -> None:
    answered, document = api.call(method, path, body)

    assert (answered, said in document["error"]) == (status, True), document


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[" * 100_000, b'{"text": NaN}', b'"\\ud800"'])
def test_a_body_that_cannot_be_read_is_refused(api: Caller, raw: bytes) -> None:
    assert api.call("POST", "/api/commands", raw=raw)[0] == 400


@pytest.mark.parametrize("token", [None, "wrong", TOKEN[:-1], READ])
def test_nothing_is_changed_without_the_token(api: Caller, token: str | None) -> None:
    for path in ("/api/commands", "/api/jobs/lag/pause", "/api/events/x"):
        assert api.post(path, {"text": "deploy shop"}, token=token)[0] == 401
    if token != READ:
        assert api.get("/api/jobs", token=token)[0] == 401


def test_addresses_and_methods_that_are_not_there(api: Caller) -> None:
    assert api.get("/api")[0] == api.get("/api/jobs/lag")[0] == api.post("/api/jobs//pause")[0] == 404
    assert api.post("/api/jobs")[0] == api.get("/api/commands")[0] == 405


def test_no_token_is_in_what_the_program_says(api: Caller) -> None:
    folder = api.program.folder / ".slack_alert"
    said = [api.program.out.encode(), api.program.errors.encode()]
    said += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]

    assert not any(token.encode() in text for token in (TOKEN, READ) for text in said)


def test_the_role_is_nobody_unless_it_is_said(tmp_path: Path) -> None:
    conf = f"[web]\nlisten = 127.0.0.1:0\ntoken = {TOKEN}"
    with running(tmp_path, PLUGINS, conf) as program:
        status, answer = Caller(program).post("/api/commands", {"text": "deploy shop"})
        with closing(SqliteReader(program.database)) as reader:
            verdicts = [one.entry.verdict for one in reader.audit(since=None, limit=None) if one.entry is not None]

    assert (status, verdicts) == (403, [AuditVerdict.DENIED])
    assert answer["error"].endswith("An admin can allow it with `token_role = admins` in [web].")


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_it_is_as_it_describes_itself(api: Caller, tmp_path: Path) -> None:
    """Schemathesis makes requests from the description, good and bad, and compares the answers with it."""
    if (program := shutil.which("schemathesis")) is None:
        pytest.skip("schemathesis is not installed")
    command = [
        program, "run", f"http://127.0.0.1:{api.port}/api/openapi.json",
        "--header", f"Authorization: Bearer {TOKEN}", "--max-examples", "50", "--no-color",
        # No schema tells which texts are commands, jobs and durations.
        "--exclude-checks", "positive_data_acceptance",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
