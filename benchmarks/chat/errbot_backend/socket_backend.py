"""A backend for Errbot: Slack by slack_sdk's own Socket Mode client and web client, and nothing else.

Errbot has none for Slack in its package; the one beside it looks up more of Slack for each message than this.
"""

from __future__ import annotations

import threading
from typing import Any  # Errbot is not annotated.

from errbot.backends.base import ONLINE, Message, Person
from errbot.core import ErrBot
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web import WebClient


class SlackPerson(Person):
    """Somebody, by the id of the account."""

    def __init__(self, user: str) -> None:
        self._user = user

    @property
    def person(self) -> str:
        return self._user

    nick = aclattr = fullname = client = email = person

    def __str__(self) -> str:
        """Return the id."""
        return self._user


class Socket(ErrBot):
    """Takes messages of one conversation and answers in their threads."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.bot_identifier = self.build_identifier("bot")
        self._web = WebClient(token=config.BOT_IDENTITY["token"])
        self._socket = SocketModeClient(app_token=config.BOT_IDENTITY["app_token"], web_client=WebClient())

    def _take(self, client: Any, request: Any) -> None:
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        event = request.payload["event"]
        message = Message(event["text"], extras={"channel": event["channel"], "thread": event["ts"]})
        message.frm, message.to = self.build_identifier(event["user"]), self.bot_identifier
        self.callback_message(message)

    def send_message(self, msg: Any) -> None:
        super().send_message(msg)
        where = (msg.parent or msg).extras
        self._web.chat_postMessage(channel=where["channel"], text=msg.body, thread_ts=where["thread"])

    def serve_forever(self) -> None:
        self.connect_callback()
        self._socket.socket_mode_request_listeners.append(self._take)
        self._socket.connect()
        print("ready", flush=True)
        threading.Event().wait()

    def build_identifier(self, text_representation: str) -> Any:
        return SlackPerson(text_representation)

    def build_reply(self, msg: Any, text: str | None = None, **_: object) -> Any:
        answer = self.build_message(text)
        answer.frm, answer.to, answer.parent = self.bot_identifier, msg.frm, msg
        return answer

    def change_presence(self, status: str = ONLINE, message: str = "") -> None:
        """Do nothing."""

    def prefix_groupchat_reply(self, message: Any, identifier: Any) -> None:
        """Do nothing."""

    def query_room(self, room: str) -> None:
        """There are none."""

    @property
    def rooms(self) -> list[Any]:
        return []

    @property
    def mode(self) -> str:
        return "socket"
