"""DingTalk and a real program: alerts of robots, and people who ask by Stream mode and over HTTP."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from slack_alert.stores import SqliteReader
from tests.fakes.dingtalk import ACCESS_TOKEN, FakeDingTalk
from tests.fakes.dingtalk_payloads import CLIENT_ID, CLIENT_SECRET, message_body, signed_headers
from tests.fakes.program import Program, running

pytestmark = pytest.mark.slow

SECRET = "SEC0123456789abcdef"
PLUGINS = """
    from pathlib import Path

    @deco(seconds=0.2, to="dingtalk:ops", max_alert=0)
    def lag(ctx):
        n = ctx.store.update("n", lambda n: n + 1, 0)
        return f"late {n}" if n <= 3 else None

    @deco(hours=1, to="dingtalk:bot/@0123")
    def disk():
        return "the disk is full"

    @deco(command="ping", allow="members")
    def ping():
        return "pong"

    @deco(command="deploy", allow="ops")
    def deploy(ctx, app: str):
        ctx.progress(0.5, "halfway")
        while not Path("go").exists() and not ctx.canceled:
            pass
        return f"{app} is out"

    @deco(command="stop")
    def stop():
        return "stopped"
"""


@pytest.fixture
def dingtalk() -> Iterator[FakeDingTalk]:
    with FakeDingTalk() as fake:
        fake.robots[ACCESS_TOKEN].secret = SECRET
        fake.spaces.add("dtv1.card//IM_ROBOT.0124")
        yield fake


def conf(dingtalk: FakeDingTalk, door: str = "stream", more: str = "") -> str:
    return f"""
        channel = dingtalk:ops
        [dingtalk.ops]
        webhook = {dingtalk.webhook}
        secret = {SECRET}
        [dingtalk.bot]
        client_id = {CLIENT_ID}
        client_secret = {CLIENT_SECRET}
        api_url = {dingtalk.url}
        door = {door}
        [roles]
        ops = dingtalk:0123
        {more}
    """


def told(dingtalk: FakeDingTalk, text: str) -> Callable[[], bool]:
    """Return whether a card shows this."""
    return lambda: any(text in shown[-1] for shown in dingtalk.card_texts())


def test_alerts_go_to_the_robot_of_a_group_and_to_a_person(dingtalk: FakeDingTalk, tmp_path: Path) -> None:
    with running(tmp_path, PLUGINS, conf(dingtalk)) as program:
        program.wait_until(lambda: len(dingtalk.texts()) == 3, "three alerts")
        dingtalk.wait_for_sockets(1)
        dingtalk.says("run disk", direct=True)
        program.wait_until(lambda: program.history("disk") != [] or told(dingtalk, "admins")(), "it is decided")

    assert dingtalk.texts() == ["late 1", "late 2", "late 3"]
    assert "Messages go to dingtalk:ops." in program.out


def test_a_command_is_queued_told_on_its_way_and_answered_in_one_card(dingtalk: FakeDingTalk, tmp_path: Path) -> None:
    with running(tmp_path, PLUGINS, conf(dingtalk)) as program:
        dingtalk.wait_for_sockets(1)
        dingtalk.says("deploy shop")
        program.wait_until(told(dingtalk, "running 50 % halfway"), "it is on its way")
        dingtalk.says("queue", staff="0124")
        program.wait_until(told(dingtalk, "deploy shop"), "the queue is told")
        dingtalk.says("deploy shop", staff="0124")
        program.wait_until(told(dingtalk, "denied: `deploy` is for ops"), "it is denied to another one")
        (program.folder / "go").touch()
        program.wait_until(told(dingtalk, "shop is out"), "it is done")

    (card,) = [card for card in dingtalk.cards.values() if "shop is out" in card.shown[-1]["markdown"]]
    assert card.called == {"0123": "0123"}
    assert len(card.shown) > 1
    assert dingtalk.gateway.violations == []


def test_a_button_of_an_alert_is_pressed(dingtalk: FakeDingTalk, tmp_path: Path) -> None:
    plugins = """
        @deco(hours=1, at_start=True, to="dingtalk:bot/@0123", repeat="update")
        def disk():
            return "the disk is full"
    """
    with running(tmp_path, plugins, conf(dingtalk, more="[permissions]\n        ack = members")) as program:
        program.wait_until(told(dingtalk, "the disk is full"), "the alert")
        (card,) = dingtalk.cards
        buttons = json.loads(dingtalk.cards[card].shown[-1]["sys_full_json_obj"])["msgButtons"]
        dingtalk.wait_for_sockets(1)
        dingtalk.says("whoami", direct=True)  # By which the corporation is learned.
        program.wait_until(lambda: len(dingtalk.cards) == 2, "an answer")
        pressed = next(each["params"] for each in buttons if each["id"] == "ack")
        dingtalk.presses(pressed["action"], pressed["value"], card=card)
        program.wait_until(lambda: "taken care of" in dingtalk.cards[card].shown[-1]["markdown"], "it is shown")

    assert [each["id"] for each in buttons] == ["ack", "mute", "run", "why"]


def test_people_ask_over_http_and_are_answered_by_a_card(dingtalk: FakeDingTalk, tmp_path: Path) -> None:
    with running(tmp_path, PLUGINS, conf(dingtalk, "http", "[web]\n        listen = 127.0.0.1:0")) as program:
        ports: list[str] = []

        def is_listening() -> bool:
            ports[:] = re.findall(r"listen=127\.0\.0\.1:(\d+)", program.errors)
            return bool(ports)

        program.wait_until(is_listening, "it listens")
        body = json.dumps(message_body("ping", at=time.time())).encode()

        def call(headers: dict[str, str]) -> int:
            with closing(http.client.HTTPConnection("127.0.0.1", int(ports[-1]), timeout=10)) as connection:
                connection.request("POST", "/hooks/dingtalk/bot", body, headers)
                with connection.getresponse() as answer:
                    return answer.status

        headers = signed_headers(time.time())
        assert (call(headers), call({**headers, "sign": "AAAA"}), call({})) == (200, 401, 401)
        program.wait_until(told(dingtalk, "pong"), "it is answered")


def test_what_was_committed_is_posted_after_a_kill_in_the_same_order(dingtalk: FakeDingTalk, tmp_path: Path) -> None:
    program = Program(tmp_path, PLUGINS, conf(dingtalk))
    try:
        dingtalk.answers["/robot/send"] = [(503, "down")] * 1000
        program.start()
        program.wait_until(lambda: len(program.outbox()) >= 3, "three are committed")
        program.kill()
        dingtalk.answers.clear()
        program.start()
        program.wait_until(lambda: len(dingtalk.texts()) >= 3, "they are posted")
    finally:
        program.kill()

    assert [re.sub(r".*(late \d)", r"\1", text) for text in dingtalk.texts()[:3]] == ["late 1", "late 2", "late 3"]


def test_no_secret_is_said_anywhere(dingtalk: FakeDingTalk, tmp_path: Path) -> None:
    dingtalk.robots[ACCESS_TOKEN].secret = "SECanother0123456"
    plugins = (
        f'@deco(seconds=0.2, to="dingtalk:ops")\ndef lag():\n    return "{SECRET} {CLIENT_SECRET} {ACCESS_TOKEN}"\n'
    )
    with running(tmp_path, plugins, conf(dingtalk)) as program:
        program.wait_until(lambda: "sign" in program.errors, "it is refused")
        dingtalk.robots[ACCESS_TOKEN].secret = SECRET
        program.wait_until(lambda: dingtalk.texts() != [], "it is posted once that is corrected", 90)
        with closing(SqliteReader(program.database)) as reader:
            kept = str([*reader.deliveries()])

    said = kept + program.errors + program.out + str(dingtalk.texts())
    for secret in (SECRET, CLIENT_SECRET, ACCESS_TOKEN):
        assert secret not in said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("channel = dingtalk:opps", "there is no robot 'opps'. There are: bot, ops."),
        ("channel = dngtalk:ops", "there is no service 'dngtalk'. Did you mean dingtalk?"),
    ],
)
def test_an_address_that_there_is_not_stops_the_start(
    dingtalk: FakeDingTalk, tmp_path: Path, written: str, said: str
) -> None:
    program = Program(tmp_path, PLUGINS, conf(dingtalk).replace("channel = dingtalk:ops", written))
    try:
        program.start(is_awaited=False)
        assert program.ended() == 2
    finally:
        program.kill()

    assert said in program.errors.replace("\n", " ")
