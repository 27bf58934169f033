"""A Slack channel in use, for the tests of what it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from typing import Any, TypeVar

from slack_alert.channels.slack import SlackChannel
from slack_alert.core.content.pieces import Piece, Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, Message
from slack_alert.core.retry import SendResult
from tests.fakes.slack import FakeSlack

TOKEN = "xoxb-test"
Result = TypeVar("Result")


def delivery(piece: Piece | str, *, to: str = "#ops", id: int = 1) -> Delivery:  # noqa: A002
    said = Text(piece) if isinstance(piece, str) else piece
    return Delivery(id, Message(f"key-{id}", Address("slack", to), said), datetime.now(timezone.utc))


def using(
    slack: FakeSlack,
    act: Callable[[SlackChannel], Awaitable[Result]],
    **options: Any,  # Any: the channel's own
) -> Result:
    """Run something with an open channel and close it."""

    async def whole() -> Result:
        channel = SlackChannel(**{"token": TOKEN, "api_url": slack.url, **options})
        await channel.open()
        try:
            return await act(channel)
        finally:
            await channel.close()

    return asyncio.run(whole())


def sent(slack: FakeSlack, *waiting: Delivery, **options: Any) -> list[SendResult]:
    async def act(channel: SlackChannel) -> list[SendResult]:
        return [await channel.send(each, None) for each in waiting]

    return using(slack, act, **options)


def calls(slack: FakeSlack, method: str) -> list[dict[str, Any]]:
    return [dict(request.arguments) for request in slack.requests if request.method == method]
