"""The door of Socket Mode: nothing that Slack brings is lost while sockets are refreshed, killed, deaf and closed."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from slack_alert.channels.slack.client import Client, SlackAccess
from slack_alert.channels.slack.inbound.people import SlackPeople
from slack_alert.channels.slack.inbound.socket_mode import SocketModeDoor, SocketTimes
from slack_alert.channels.slack.inbound.web_socket import SlackWebSocket
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.core.structs import replace
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.ports import Door, Intake
from tests.fakes.loopback import CERTIFICATE
from tests.fakes.relay import proxy, secured
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_socket import SlackSocket

APP_TOKEN = "xapp-1-A0ALERT-test"
#: As quick as can be, and nothing is replaced by itself.
QUICK = SocketTimes(stagger=0.0, first_wait=0.02, longest_wait=0.05, shortest_life=0.0)
Result = TypeVar("Result")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.socket.rules.refresh = 0.05
        fake.socket.rules.warning = 0.1
        yield fake


class MemoryIntake:
    """Takes everything once, by its ids."""

    def __init__(self, meanwhile: Callable[[ChatMessage | ButtonPress], Awaitable[None]] | None = None) -> None:
        self.taken: list[ChatMessage | ButtonPress] = []
        self.calls = 0
        self.in_progress = self.most_in_progress = 0
        self._ids: set[str] = set()
        self._meanwhile = meanwhile

    async def take(self, said: ChatMessage | ButtonPress) -> None:
        self.calls += 1
        self.in_progress += 1
        self.most_in_progress = max(self.most_in_progress, self.in_progress)
        try:
            if self._meanwhile is not None:
                await self._meanwhile(said)
        finally:
            self.in_progress -= 1
        if not self._ids.intersection(said.ids):
            self.taken.append(said)
        self._ids.update(said.ids)

    @property
    def texts(self) -> list[str]:
        return [said.text if isinstance(said, ChatMessage) else said.value for said in self.taken]


class Rig:
    """A door that is open, and what steers it."""

    def __init__(self, slack: FakeSlack, door: SocketModeDoor, people: SlackPeople) -> None:
        self.slack = slack
        self.socket: SlackSocket = slack.socket
        self.door = door
        self.people = people

    async def do(self, act: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        """Steer the fake from a thread, so that the door goes on."""
        return await asyncio.to_thread(act, *arguments, **options)

    async def until(self, found: Callable[[], object]) -> None:
        """Wait for something here."""
        for _ in range(2_000):
            if found():
                return
            await asyncio.sleep(0.005)
        raise AssertionError(self.door.state())

    async def opened(self, count: int = 2) -> list[int]:
        numbers = await self.do(self.socket.wait_for_sockets, count)
        await self.until(lambda: len(self.door._sockets) >= count)  # it has read `hello`
        return numbers


def using(
    slack: FakeSlack,
    act: Callable[[Rig], Awaitable[Result]],
    *,
    intake: Intake | None = None,
    times: SocketTimes = QUICK,
    **access: Any,
) -> Result:
    """Run something with a door, and close it."""

    async def whole() -> Result:
        client = Client(SlackAccess("xoxb-test", slack.url))
        people = SlackPeople(client)
        own = SlackAccess(**{"token": APP_TOKEN, "api_url": slack.url, **access})
        door = SocketModeDoor(own, people, SystemClock(), command="/slack-alert", times=times)
        running = asyncio.ensure_future(door.run(intake or MemoryIntake()))
        try:
            return await act(Rig(slack, door, people))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            people.close()
            await client.close()
            assert (door.state().is_open, door.state().reason) == (False, "not running")
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not {task for task in left if "slack_alert" in str(task.get_coro())}

    return asyncio.run(whole())


def opens(slack: FakeSlack) -> int:
    return sum(request.method == "apps.connections.open" for request in slack.requests)


@pytest.mark.slow
def test_what_people_say_and_press_is_taken_and_acknowledged_by_its_own_socket(slack: FakeSlack) -> None:
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.opened()
        asked = await rig.do(rig.socket.says, "U0ANN", "!deploy shop")
        await rig.do(rig.socket.mentions, "U0ANN", "status")
        await rig.do(rig.socket.slash, "U0ANN", "/slack-alert", "queue")
        await rig.do(rig.socket.presses, "U0ANN", "ack", "disk.usage", message=asked)
        await rig.do(rig.socket.wait_for_acknowledgements, 5)
        assert rig.door.state().is_open

    using(slack, act, intake=intake)
    assert intake.texts == ["!deploy shop", "status", "queue", "disk.usage"]
    assert {said.door for said in intake.taken} == {"slack.socket"}
    assert all(each.is_owed and each.after < 1 for each in slack.socket.acknowledgements)
    assert {each.socket for each in slack.socket.acknowledgements} == {
        number for envelope in slack.socket.envelopes for number in envelope.sent
    }


def test_a_door_is_a_door(slack: FakeSlack) -> None:
    async def make() -> Door:
        return SocketModeDoor(SlackAccess(APP_TOKEN), SlackPeople(Client(SlackAccess("xoxb-test"))), SystemClock())

    door = asyncio.run(make())
    assert (door.name, door.state().is_open, door.state().reason) == ("slack.socket", False, "not connected yet")


@pytest.mark.slow
def test_what_is_no_command_of_a_person_is_acknowledged_and_not_taken(slack: FakeSlack) -> None:
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(rig.socket.bot_says, "!deploy shop")
        await rig.do(rig.socket.tells, {"type": "reaction_added"})
        await rig.do(rig.socket.sends, "interactive", {"type": "view_submission"})
        await rig.do(rig.socket.sends, "events_api", {"type": "event_callback", "event": None})
        await rig.do(rig.socket.wait_for_acknowledgements, 4)

    using(slack, act, intake=intake)
    assert intake.calls == 0


@pytest.mark.slow
def test_nothing_is_lost_while_all_sockets_are_replaced_again_and_again(slack: FakeSlack) -> None:
    slack.socket.rules.lifetime, slack.socket.rules.refresh, slack.socket.rules.copies = 0.3, 0.5, 3
    slack.socket.rules.acknowledge, slack.socket.rules.retries = 0.3, (0.0, 0.0, 0.0)
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.opened()
        for number in range(150):
            message = await rig.do(
                rig.socket.says, "U0ANN", f"!deploy {number}", channel=f"C0{('OPS', 'TEST')[number % 2]}"
            )
            await rig.do(rig.socket.presses, "U0ANN", "ack", f"press {number}", message=message)
            await asyncio.sleep(0.01)
        await rig.until(lambda: len(intake.taken) == 300)
        await rig.do(rig.socket.wait, lambda: not [each for each in _untold(rig.socket) if each.kind == "events_api"])

    using(slack, act, intake=intake, times=_times(stagger=0.15))
    assert slack.socket.opened > 8
    assert Counter(intake.texts) == Counter(
        f"{what} {number}" for what in ("!deploy", "press") for number in range(150)
    )
    assert intake.calls > 600


def _untold(socket: SlackSocket) -> list[Any]:
    """Return what was never acknowledged, neither at first nor when it came again."""
    told = {_key(each.payload) for each in socket.envelopes if each.is_acknowledged}
    return [each for each in socket.envelopes if _key(each.payload) not in told]


def _key(payload: Any) -> str:
    return str(payload.get("event_id") or payload.get("trigger_id"))


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_the_next_socket_is_open_before_an_announced_one_ends(slack: FakeSlack, reason: Any) -> None:
    slack.socket.rules.warning = slack.socket.rules.refresh = 30.0

    async def act(rig: Rig) -> None:
        first, second = await rig.opened()
        await rig.do(rig.socket.disconnects, reason, first)
        numbers = await rig.opened(3)
        assert {first, second} < set(numbers)
        # Slack may still bring something by the old one, which is acknowledged there.
        rig.socket.link(second).is_leaving = rig.socket.link(numbers[-1]).is_leaving = True
        rig.socket.link(first).is_leaving = False
        await rig.do(rig.socket.says, "U0ANN", "!status")
        (answer,) = await rig.do(rig.socket.wait_for_acknowledgements, 1)
        assert answer.socket == first

    using(slack, act)


@pytest.mark.slow
def test_a_socket_that_was_announced_and_does_not_end_is_closed(slack: FakeSlack) -> None:
    slack.socket.rules.refresh = 30.0

    async def act(rig: Rig) -> None:
        first, second = await rig.opened()
        await rig.do(rig.socket.disconnects, "refresh_requested", first)
        await rig.do(rig.socket.wait, lambda: first not in rig.socket.sockets and len(rig.socket.sockets) == 2)
        assert second in rig.socket.sockets

    using(slack, act, times=_times(linger=0.1))


@pytest.mark.slow
def test_a_dead_socket_that_answers_pings_is_replaced(slack: FakeSlack) -> None:
    slack.socket.rules.ping = 0.05
    slack.socket.rules.acknowledge, slack.socket.rules.retries = 0.1, (0.0,) * 20
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        dead = await rig.opened()
        await rig.do(rig.socket.deaden, *dead)
        pings = [rig.socket.link(number).pings for number in dead]
        message = await rig.do(rig.socket.says, "U0ANN", "!status")
        await rig.do(rig.socket.wait, lambda: not set(dead) & set(rig.socket.sockets))
        await rig.do(rig.socket.wait, lambda: not _untold(rig.socket))
        assert pings >= [0, 0]
        assert message.ts

    using(slack, act, intake=intake, times=_times(silence=0.3, ping=0.05))
    assert intake.texts == ["!status"]


@pytest.mark.slow
def test_a_quiet_workspace_is_no_dead_socket(slack: FakeSlack) -> None:
    slack.socket.rules.ping = 0.05

    async def act(rig: Rig) -> None:
        numbers = await rig.opened()
        await asyncio.sleep(0.7)
        assert rig.socket.sockets == numbers
        assert all(rig.socket.link(number).pongs > 5 and rig.socket.link(number).pings > 5 for number in numbers)

    # A session's timeout must not end what is meant to stay.
    using(slack, act, times=_times(silence=0.3, ping=0.05), timeout=timedelta(seconds=0.3))


@pytest.mark.slow
def test_while_all_sockets_are_dead_the_door_is_closed(slack: FakeSlack) -> None:
    slack.socket.rules.ping = 0.05

    async def act(rig: Rig) -> None:
        dead = await rig.opened()
        await rig.do(rig.socket.deaden, *dead)
        slack.fault("html", method="apps.connections.open")
        await rig.until(lambda: not rig.door.state().is_open and "slack-status.com" in rig.door.state().reason)
        slack.clear_faults()
        await rig.until(lambda: rig.door.state().is_open)

    using(slack, act, times=_times(silence=0.3, ping=0.05))


@pytest.mark.slow
def test_a_socket_that_brings_nothing_while_the_other_does_is_replaced(slack: FakeSlack) -> None:
    async def act(rig: Rig) -> None:
        first, second = await rig.opened()
        rig.socket.link(first).is_leaving = True
        for number in range(5):
            await rig.do(rig.socket.says, "U0ANN", f"!status {number}")
        await rig.do(rig.socket.wait, lambda: first not in rig.socket.sockets and len(rig.socket.sockets) == 2)
        assert second in rig.socket.sockets

    using(slack, act, times=_times(deaf=5, ping=0.05))


@pytest.mark.slow
def test_two_sockets_are_not_of_the_same_age(slack: FakeSlack) -> None:
    slack.socket.rules.approximate_connection_time = 1

    async def act(rig: Rig) -> None:
        first, second = await rig.opened()
        await rig.do(rig.socket.wait, lambda: second not in rig.socket.sockets and len(rig.socket.sockets) == 2)
        assert first in rig.socket.sockets

    using(slack, act)


@pytest.mark.slow
def test_a_socket_is_opened_some_time_after_another(slack: FakeSlack) -> None:
    async def act(rig: Rig) -> None:
        await rig.opened()

    using(slack, act, times=_times(stagger=0.3))
    first, second = [each.at for each in slack.requests if each.method == "apps.connections.open"]
    assert second - first > 0.25


@pytest.mark.slow
def test_a_socket_is_opened_at_once_where_there_is_no_other(slack: FakeSlack) -> None:
    async def act(rig: Rig) -> None:
        await rig.opened(1)
        await rig.do(rig.socket.kill)
        await rig.do(rig.socket.wait, lambda: rig.socket.opened >= 2 and rig.socket.sockets)

    using(slack, act, times=_times(stagger=60.0))


@pytest.mark.slow
@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1008, 1011, 4000])
def test_sockets_that_end_are_made_again(slack: FakeSlack, code: int | None) -> None:
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        numbers = await rig.opened()
        await (rig.do(rig.socket.kill) if code is None else rig.do(rig.socket.closes, code))
        await rig.do(rig.socket.wait, lambda: _all_new(rig.socket, numbers))
        await rig.do(rig.socket.says, "U0ANN", "!status")
        await rig.do(rig.socket.wait_for_acknowledgements, 1)

    using(slack, act, intake=intake)
    assert intake.texts == ["!status"]


def _all_new(socket: SlackSocket, numbers: list[int]) -> bool:
    return len(socket.sockets) == 2 and not set(numbers) & set(socket.sockets)


@pytest.mark.slow
def test_frames_that_slack_would_never_write_end_nothing(slack: FakeSlack) -> None:
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.opened()
        for frame in (
            "",
            "{",
            "[]",
            "5",
            "[" * 100_000,
            '{"type": ["x"]}',
            '{"type": "events_api"}',
            '{"type": "new"}',
        ):
            await rig.do(rig.socket.writes, frame)
        await rig.do(
            rig.socket.writes, '{"type": "events_api", "envelope_id": "e1", "payload": ' + "[" * 900 + "]" * 900 + "}"
        )
        await rig.do(rig.socket.says, "U0ANN", "!status")
        await rig.do(rig.socket.wait_for_acknowledgements, 1)
        assert rig.socket.opened == 2

    using(slack, act, intake=intake)
    assert intake.texts == ["!status"]


@pytest.mark.slow
def test_where_socket_mode_is_switched_off_the_door_says_so_and_does_not_knock(
    slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    async def act(rig: Rig) -> None:
        await rig.opened()
        before = opens(slack)
        await rig.do(rig.socket.disable)
        await rig.opened(0)
        await rig.until(lambda: not rig.door.state().is_open)
        assert rig.door.state().reason == (
            "link_disabled: switch on Socket Mode in the settings of the app, https://api.slack.com/apps; "
            "tried again every 5 min"
        )
        await asyncio.sleep(0.3)
        assert opens(slack) == before

    using(slack, act)
    assert [record.message for record in caplog.records] == [
        "no socket",
        "door closed",
    ]


@pytest.mark.slow
def test_once_socket_mode_is_switched_on_again_the_door_opens(slack: FakeSlack) -> None:
    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(rig.socket.disable)
        await rig.opened(0)
        slack.workspace.socket_mode = True
        await rig.opened()
        await rig.until(lambda: rig.door.state().is_open)
        assert rig.door.state().reason == ""

    using(slack, act, times=_times(refused_wait=0.2))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("invalid_auth", "`app_token`"),
        ("not_allowed_token_type", "`app_token`"),
        ("token_revoked", "`app_token`"),
        ("missing_scope", "connections:write"),
        ("link_disabled", "switch on Socket Mode"),
    ],
)
def test_a_refusal_that_somebody_has_to_mend_is_told_and_not_tried_at_full_speed(
    slack: FakeSlack, code: str, hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    slack.fault("error", method="apps.connections.open", code=code)
    caplog.set_level(logging.DEBUG)

    async def act(rig: Rig) -> None:
        await rig.until(lambda: rig.door.state().reason.startswith(code))
        assert hint in rig.door.state().reason
        await asyncio.sleep(0.2)

    using(slack, act)
    assert opens(slack) == 1
    assert APP_TOKEN not in caplog.text


@pytest.mark.slow
def test_the_time_that_slack_asks_for_is_waited(slack: FakeSlack) -> None:
    slack.fault("rate_limited", method="apps.connections.open", retry_after=1, times=1)

    async def act(rig: Rig) -> None:
        await rig.until(lambda: rig.door.state().reason.startswith("ratelimited"))
        await rig.opened()

    using(slack, act)
    first, second = [each.at for each in slack.requests if each.method == "apps.connections.open"][:2]
    assert second - first >= 1.0


@pytest.mark.slow
def test_no_more_urls_are_asked_for_than_slack_allows(slack: FakeSlack) -> None:
    """A server that says hello and hangs up would be asked without end."""
    slack.socket.rules.lifetime, slack.socket.rules.refresh = 0.0, 0.0

    async def act(rig: Rig) -> None:
        await rig.do(rig.socket.wait, lambda: rig.socket.opened == 5)
        await asyncio.sleep(0.3)

    using(slack, act, times=_times(opens_a_minute=5))
    assert opens(slack) == 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["html", "reset_before", "truncated", "empty", "status"])
def test_while_slack_is_down_the_door_is_closed_and_opens_when_it_is_back(slack: FakeSlack, kind: Any) -> None:
    slack.fault(kind, method="apps.connections.open", times=4)

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.until(lambda: rig.door.state().is_open)

    using(slack, act)
    assert opens(slack) == 6


@pytest.mark.slow
def test_a_door_without_a_bot_token_that_is_taken_is_closed(slack: FakeSlack) -> None:
    slack.fault("error", method="auth.test", code="invalid_auth")

    async def act(rig: Rig) -> None:
        await rig.until(lambda: rig.door.state().reason.startswith("invalid_auth"))
        assert "`token`" in rig.door.state().reason

    using(slack, act)
    assert opens(slack) == 0


@pytest.mark.slow
def test_where_too_many_sockets_are_open_it_is_said(slack: FakeSlack) -> None:
    slack.socket._links.extend([None] * 10)  # type: ignore[list-item]  # another program's

    async def act(rig: Rig) -> None:
        await rig.until(lambda: rig.door.state().reason.startswith("too_many_websockets"))
        assert "another program" in rig.door.state().reason
        slack.socket._links.clear()
        await rig.opened()

    using(slack, act)


@pytest.mark.slow
def test_an_intake_that_raises_closes_nothing_and_is_asked_again(
    slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.socket.rules.acknowledge, slack.socket.rules.retries = 0.05, (0.0, 0.0)

    async def fail_first(said: ChatMessage | ButtonPress) -> None:
        if intake.calls == 1:
            raise OSError(f"disk full while writing {said}")

    intake = MemoryIntake(fail_first)

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(rig.socket.says, "U0ANN", "!deploy s3cret")
        await rig.do(rig.socket.wait, lambda: not _untold(rig.socket))
        assert rig.socket.opened == 2

    using(slack, act, intake=intake)
    assert intake.texts == ["!deploy s3cret"]
    assert "s3cret" not in caplog.text
    assert "not taken" in caplog.text


@pytest.mark.slow
def test_what_takes_too_long_is_not_acknowledged_and_comes_again(slack: FakeSlack) -> None:
    slack.socket.rules.acknowledge, slack.socket.rules.retries = 0.3, (0.0, 0.0)

    async def hang_first(said: ChatMessage | ButtonPress) -> None:
        if intake.calls == 1:
            await asyncio.sleep(60)

    intake = MemoryIntake(hang_first)

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(rig.socket.says, "U0ANN", "!first")
        await rig.do(rig.socket.says, "U0ANN", "!second")
        await rig.do(rig.socket.wait, lambda: not _untold(rig.socket))

    using(slack, act, intake=intake, times=_times(take=0.1))
    assert intake.texts == ["!second", "!first"]
    assert slack.socket.acknowledgements[0].envelope == slack.socket.envelopes[1].id


@pytest.mark.slow
def test_the_order_in_a_channel_is_kept_and_channels_do_not_wait_for_each_other(slack: FakeSlack) -> None:
    # One socket only: between two, nobody knows what came first.
    held = asyncio.Event()

    async def hold_ops(said: ChatMessage | ButtonPress) -> None:
        if said.reply_to.to.conversation == "C0OPS":
            await held.wait()

    intake = MemoryIntake(hold_ops)

    async def act(rig: Rig) -> None:
        await rig.opened(1)
        for number in range(5):
            await rig.do(rig.socket.says, "U0ANN", f"!ops {number}", channel="C0OPS")
            await rig.do(rig.socket.says, "U0ANN", f"!test {number}", channel="C0TEST")
        await rig.until(lambda: len(intake.taken) == 5)
        held.set()
        await rig.do(rig.socket.wait_for_acknowledgements, 10)

    using(slack, act, intake=intake, times=_times(sockets=1, take=30.0))
    assert intake.texts == [*(f"!test {number}" for number in range(5)), *(f"!ops {number}" for number in range(5))]


@pytest.mark.slow
def test_what_has_come_is_taken_and_acknowledged_before_the_door_closes(slack: FakeSlack) -> None:
    begun = asyncio.Event()

    async def rest(said: ChatMessage | ButtonPress) -> None:
        begun.set()
        await asyncio.sleep(0.02)

    intake = MemoryIntake(rest)

    async def act(rig: Rig) -> None:
        await rig.opened(1)
        message = await rig.do(rig.socket.says, "U0ANN", "!status")
        for number in range(4):
            await rig.do(rig.socket.presses, "U0ANN", "ack", str(number), message=message)
        await rig.until(lambda: rig.door._pipeline._tasks)
        await asyncio.wait_for(begun.wait(), 5)

    slack.socket.rules.retries = ()
    using(slack, act, intake=intake, times=_times(sockets=1))
    assert len(slack.socket.acknowledgements) == len(intake.taken) == intake.calls > 0


@pytest.mark.slow
def test_no_more_is_in_progress_than_may_be(slack: FakeSlack) -> None:
    async def rest(said: ChatMessage | ButtonPress) -> None:
        await asyncio.sleep(0.01)

    intake = MemoryIntake(rest)

    async def act(rig: Rig) -> None:
        await rig.opened()
        for number in range(12):
            user = f"U0P{number:02d}"
            await rig.do(rig.socket.says, user, "status", channel=user)
        await rig.do(rig.socket.wait_for_acknowledgements, 12)

    using(slack, act, intake=intake, times=_times(at_once=3))
    assert intake.most_in_progress <= 3


@pytest.mark.slow
def test_changes_of_people_are_told_to_who_remembers_them(slack: FakeSlack) -> None:
    async def act(rig: Rig) -> None:
        await rig.opened()
        forgotten: list[Any] = []
        rig.people.forget = forgotten.append  # type: ignore[method-assign, assignment]
        await rig.do(rig.socket.tells, {"type": "user_change", "user": {"id": "U0ANN"}})
        await rig.do(rig.socket.wait_for_acknowledgements, 1)
        assert [each.user for each in forgotten] == ["U0ANN"]

    using(slack, act)


@pytest.mark.slow
def test_nothing_secret_or_said_is_logged(slack: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(rig.socket.says, "U0ANN", "!deploy s3cret")
        await rig.do(rig.socket.wait_for_acknowledgements, 1)
        await rig.do(rig.socket.kill)
        await rig.opened()

    using(slack, act)
    ours = [record for record in caplog.records if record.name.startswith("slack_alert")]
    assert ours
    assert not any(secret in caplog.text for secret in ("s3cret", APP_TOKEN, "xoxb-test", "ticket="))


@pytest.mark.slow
def test_sockets_go_through_the_configured_proxy(slack: FakeSlack) -> None:
    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(rig.socket.says, "U0ANN", "!status")
        await rig.do(rig.socket.wait_for_acknowledgements, 1)

    with proxy() as (address, asked):
        using(slack, act, proxy=address)
        assert sum("/link/" in line for line in asked) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("no_proxy", "through"), [("", 2), ("127.0.0.1", 0)])
def test_sockets_go_through_the_proxy_of_the_environment_but_for_hosts_it_excepts(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, no_proxy: str, through: int
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def act(rig: Rig) -> None:
        await rig.opened()

    with proxy() as (address, asked):
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.setenv("no_proxy", no_proxy)
        using(slack, act)
        assert sum("/link/" in line for line in asked) == through


@pytest.mark.slow
def test_the_configured_authority_is_trusted_and_no_other(slack: FakeSlack) -> None:
    async def act(rig: Rig) -> None:
        await rig.opened()

    async def in_vain(rig: Rig) -> None:
        await rig.until(lambda: "certificate" in rig.door.state().reason.lower())

    with secured(slack.port) as port:
        slack.socket.origin, api_url = f"https://localhost:{port}", f"https://localhost:{port}/api/"
        using(slack, act, api_url=api_url, ca_file=CERTIFICATE)
        using(slack, in_vain, api_url=api_url)


@pytest.mark.slow
def test_a_proxy_that_is_away_is_named_without_its_password(slack: FakeSlack) -> None:
    async def act(rig: Rig) -> None:
        await rig.until(lambda: "through the proxy that `proxy` names" in rig.door.state().reason)
        assert "s3cret" not in rig.door.state().reason

    using(slack, act, proxy="http://user:s3cret@127.0.0.1:9")
    assert opens(slack) == 0


def _times(**changed: Any) -> SocketTimes:
    return replace(QUICK, **changed)


def test_a_door_is_shut_where_a_cancellation_is_lost(slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where what was waited for comes at the same moment: another socket is opened before it is cancelled again."""
    lost = list[str]()
    ends = SlackWebSocket.ends

    async def lose_the_first(socket: SlackWebSocket, *, within: float) -> bool:
        try:
            return await ends(socket, within=within)
        except asyncio.CancelledError:
            if lost:
                raise
            lost.append("cancelled")
            return True

    monkeypatch.setattr(SlackWebSocket, "ends", lose_the_first)

    async def act(rig: Rig) -> None:
        await rig.opened()

    using(slack, act)
    assert lost == ["cancelled"]
