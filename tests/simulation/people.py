"""The people of a simulation: who writes what in the chat, and what becomes of it as far as the world sees.

They write commands that are right and wrong, for now and for later, allowed and not; they cancel, correct and remove
what they wrote, and other bots write commands as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.fakes.slack_events import bot_event, edit_event, event_body, mention_event, message_event, slash_form
from tests.fakes.slack_workspace import BOT_USER, Posted
from tests.simulation.chat_plugins import LOCKED, CommandStage
from tests.simulation.network import Service
from tests.simulation.options import Options
from tests.simulation.world import World

#: Everybody by name, with what is out of the ordinary: a guest, a former colleague, somebody of another workspace.
USERS = {
    "U0ANN": "ann",
    "U0BOB": "bob",
    "U0DAN": "dan",
    "U0ADM": "adm",
    "U0EVE": "eve",
    "U0OFF": "off",
    "U0OUT": "out",
}
_ACCOUNTS: dict[str, dict[str, Any]] = {  # Any: JSON of Slack's
    "U0EVE": {"is_restricted": True},
    "U0OFF": {"deleted": True},
    "U0OUT": {"is_stranger": True, "team_id": "T0ELSE"},
}
#: Who is a member of the workspace, in the role `release`, and an admin; `ops` are a user group, which changes.
MEMBERS = frozenset({"U0ANN", "U0BOB", "U0DAN", "U0ADM"})
_RELEASE, _ADMINS, GROUP = frozenset({"U0DAN"}), frozenset({"U0ADM"}), "S0OPS"
#: In seconds: how long the members of the group stay, on average.
_MEMBERSHIP = 200.0
#: So many microseconds an answer about an account or a group is remembered.
_REMEMBERED = 300_000_000 + 5_000_000
CHANNELS = ("C0TEST", "C0TEST", "G0TEAM")
#: So many messages are written, and the time between two of them is so much longer while no program runs.
_MOST, _PATIENCE = 1000, 100
_VERBS = ("queue", "help", "whoami", "status", "history", "audit", "jobs")
_DELAYS = (("20s", 20), ("2m", 120), ("12m", 720))


@dataclass
class Written:
    """What somebody wrote, and what became of it."""

    number: int
    user: str
    channel: str
    text: str
    #: What it asks for: `command`, `later`, `wrong`, `verb`, `cancel`, `chatter` (nothing).
    kind: str
    #: The command's name, empty where there is none, and what tells this message from others in a command's words.
    command: str = ""
    token: str = ""
    env: str = ""
    #: In seconds: for a later run.
    delay: float = 0.0
    #: Of a cancellation: the run.
    run: int = 0
    is_slash: bool = False
    is_bot: bool = False
    ts: str = ""
    #: Microseconds of the world's clock: when it was written, first reached a program, was acknowledged by one, was
    #: read by one that asked for the history, and was changed or removed.
    at: int = 0
    reached: int | None = None
    #: What the program's clock said when it first reached one.
    reached_at: float = 0.0
    acknowledged: int | None = None
    changed: int | None = None

    @property
    def is_asked(self) -> bool:
        """Whether it asks for a command."""
        return self.kind != "chatter" and not self.is_bot


class People:
    """Everybody who writes."""

    def __init__(self, world: World, service: Service, options: Options, stage: CommandStage) -> None:
        self._world, self._service, self._options, self._stage = world, service, options, stage
        self._space = service.workspace
        self._space.users, self._space.accounts = dict(USERS), _ACCOUNTS
        self.written: list[Written] = []
        #: Since when, in microseconds, who is in the user group.
        self.groups: list[tuple[int, frozenset[str]]] = [(0, frozenset({"U0ANN"}))]
        self._space.groups = {GROUP: ("U0ANN",)}
        #: Returns the numbers of the runs that are known to be open.
        self.open_runs: Callable[[], list[int]] = list
        #: Whether no program runs: people write less then.
        self.is_down: Callable[[], bool] = lambda: False
        #: Whether nobody writes any more.
        self.is_silent = False
        self._events = 0
        #: From which message on each channel is read: a program that reads it for the first time passes over all.
        self.polled: dict[str, str] = {}
        service.read = self._read

    # --- when

    def begin(self) -> None:
        """Let people write now and then, until they are silent."""
        self._world.after(self._pause(), self._write_on)
        if self._has("rights"):
            self._world.after(self._pause(), self._change_rights)

    def _write_on(self) -> None:
        if self.is_silent or len(self.written) >= _MOST:
            return
        many = 8 if self._has("crowds") and self._world.random.random() < 0.15 else 1
        for _ in range(many):
            self._write(self._drawn())
        self._world.after(self._pause() * (_PATIENCE if self.is_down() else 1), self._write_on)

    def _pause(self) -> float:
        return self._world.random.expovariate(1 / self._options.chat_pace)

    def _has(self, fault: str) -> bool:
        return fault in self._options.faults

    def _change_rights(self) -> None:
        if self.is_silent:
            return
        members = frozenset(each for each in ("U0ANN", "U0BOB") if self._world.random.random() < 0.5)
        self.groups.append((self._world.micros, members))
        self._space.groups = {GROUP: tuple(sorted(members))}
        self._service.meet("rights changed")
        self._world.after(self._world.random.expovariate(1 / _MEMBERSHIP), self._change_rights)

    # --- what

    def _drawn(self) -> Written:
        chance = self._world.random
        number = len(self.written) + 1
        user = chance.choice(("U0ANN", "U0ANN", "U0BOB", "U0BOB", "U0DAN", "U0DAN", "U0ADM", "U0EVE", "U0OFF", "U0OUT"))
        one = Written(number, user, chance.choice(CHANNELS), "", "chatter")
        roll = chance.random()
        if roll < 0.6:
            self._ask(one)
        elif roll < 0.7:
            self._ask_wrongly(one)
        elif roll < 0.8:
            one.kind, one.text = "verb", chance.choice(_VERBS)
        elif roll < 0.93 and (numbers := self.open_runs()):
            one.kind, one.run = "cancel", chance.choice(numbers)
            one.text = f"cancel {one.run}"
        else:
            one.text = f"I like deploy app-{number}- prod"
        return one

    def _ask(self, one: Written) -> None:
        chance = self._world.random
        one.kind, one.command = "command", chance.choice(self._options.commands)
        one.token = f"app-{one.number}-"
        words = [one.command, one.token]
        if one.command in LOCKED:
            one.env = chance.choice(("", "staging", "prod"))
            words += [one.env] if one.env else []
            one.env = one.env or "staging"
        if chance.random() < 0.2:
            written, one.delay = chance.choice(_DELAYS)
            one.kind = "later"
            words += ["in", written]
        one.text = " ".join(words)

    def _ask_wrongly(self, one: Written) -> None:
        chance = self._world.random
        command = chance.choice(self._options.commands)
        one.kind = "wrong"
        one.text = chance.choice((
            command, f"{command} app-{one.number}- moon sun", f"{command}x app-{one.number}-",
            f"{command} app-{one.number}- in banana", f"{command} --nothing=1 app-{one.number}-",
        ))  # fmt: skip

    # --- by which way

    def _write(self, one: Written) -> None:
        chance = self._world.random
        self.written.append(one)
        one.at = self._world.micros
        way = chance.random()
        if one.is_asked and "socket" in self._options.doors and way < 0.15 and one.text != "history":
            self._slash(one)
            return
        if one.is_asked:
            one.text = f"<@{BOT_USER}> {one.text}" if way > 0.7 else f"!{one.text}"
        self._post(one)

    def _post(self, one: Written) -> None:
        chance, space = self._world.random, self._space
        # A command of a bot, or of ours, is none.
        one.is_bot = one.is_asked and chance.random() < 0.03
        message = Posted(one.channel, one.text, space.next_ts(), space.now(), user=BOT_USER if one.is_bot else one.user)
        one.ts = message.ts
        space.post(message)
        self._note(one)
        kind = "group" if one.channel in space.private else "channel"
        event = message_event(one.text, user=one.user, channel=one.channel, ts=one.ts, channel_type=kind)
        if one.is_bot:
            event = bot_event(one.text, channel=one.channel, ts=one.ts)
        self._tell(event, one)
        if one.text.startswith("<@"):
            self._tell(mention_event(event), one)
        if self._has("corrections") and not one.is_bot and chance.random() < 0.15:
            self._world.after(chance.choice((0.5, 5.0, 60.0)), partial(self._correct, one, message, event))

    def _correct(self, one: Written, message: Posted, event: dict[str, object]) -> None:
        """Change what was written, or remove it: what was asked stays asked, and no edit asks for anything."""
        chance, space = self._world.random, self._space
        one.changed = self._world.micros
        if chance.random() < 0.4:
            space.messages.remove(next(each for each in space.messages if each.ts == one.ts))
            gone = {"type": "message", "subtype": "message_deleted", "hidden": True, "deleted_ts": one.ts}
            # That this is acknowledged says nothing of what was asked.
            removal = Written(one.number, one.user, one.channel, "", "chatter")
            self._tell({**gone, "channel": one.channel, "ts": space.next_ts(), "previous_message": event}, removal)
            self._service.meet("message removed")
            return
        number = len(self.written) + 1
        other = Written(number, one.user, one.channel, f"!deploy app-{number}- staging", "chatter", at=one.changed)
        self.written.append(other)
        at = space.next_ts()
        space.edit(next(each for each in space.messages if each.ts == one.ts), replace(message, text=other.text))
        self._tell(edit_event(event, other.text, at=at), other)
        self._tell(mention_event(event) | {"text": other.text, "edited": {"user": one.user, "ts": at}}, other)
        self._service.meet("message edited")

    def _slash(self, one: Written) -> None:
        space = self._space
        one.is_slash, one.ts = True, space.next_ts()
        self._note(one)
        form = slash_form(
            "/slack-alert", one.text, user=one.user, name=USERS[one.user], channel=one.channel,
            channel_name=space.channels[one.channel], trigger=f"{one.number}.1234567890.simulated",
            response_url=f"https://hooks.slack.example/commands/{one.number}",
        )  # fmt: skip
        self._send("slash_commands", form, one)

    def _tell(self, event: dict[str, object], one: Written) -> None:
        self._events += 1
        self._send("events_api", event_body(event, event_id=f"Ev{self._events}", at=self._service.now()), one)

    def _send(self, kind: str, payload: dict[str, object], one: Written) -> None:
        if "socket" in self._options.doors:
            self._service.sockets.tell(
                kind, payload, reached=partial(self._reach, one), acknowledged=partial(self._acknowledge, one)
            )

    def _reach(self, one: Written) -> None:
        if one.reached is None:
            one.reached, one.reached_at = self._world.micros, self._world.seconds()

    def _acknowledge(self, one: Written) -> None:
        one.acknowledged = one.acknowledged or self._world.micros

    def _read(self, arguments: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> None:
        """Note what a program reads of a channel; what the sender looks for is not meant."""
        if "include_all_metadata" in arguments or "oldest" not in arguments:
            return
        channel = str(arguments["channel"])
        self.polled.setdefault(channel, str(arguments["oldest"]))
        seen = {message["ts"] for message in messages}
        for one in self.written:
            if one.reached is None and one.channel == channel and one.ts in seen:
                self._reach(one)

    def _note(self, one: Written) -> None:
        how = "/" if one.is_slash else ""
        self._world.note(f"{one.user} writes in {one.channel} at {one.ts}: {how}{one.text}")

    # --- who may

    def may(self, one: Written, micros: int, *, is_ever: bool = False) -> bool:
        """Return whether somebody might run a command at a time, by what is remembered of him; or at any time."""
        if one.user in _ADMINS or one.user not in MEMBERS:
            return one.user in _ADMINS
        if one.command != "deploy":
            return True
        if one.env == "prod" and one.user not in _RELEASE:
            return False
        return one.user in _RELEASE or self._was_in_group(one.user, None if is_ever else micros)

    def _was_in_group(self, user: str, micros: int | None) -> bool:
        """Return whether somebody was in the group lately (None: ever), as long as that may be remembered."""
        for place, (since, members) in enumerate(self.groups):
            until = self.groups[place + 1][0] if place + 1 < len(self.groups) else self._world.micros
            if user in members and (micros is None or (since <= micros and until >= micros - _REMEMBERED)):
                return True
        return False
