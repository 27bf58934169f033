"""Takes what people write and press in chats: what asks for a command is kept before a door acknowledges it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from slack_alert.core.model.asked import AskedCommand, ButtonPress, ChatMessage
from slack_alert.core.rules.built_in import CHAT_MESSAGE
from slack_alert.engine.engine import Engine


class ChatIntake:
    """The intake of all doors; used on the main loop."""

    def __init__(self, engine: Engine, asked_text: Callable[[ChatMessage | ButtonPress], str | None]) -> None:
        self._engine = engine
        #: Returns the line of a message or a button that asks for a command; None: it asks for none.
        self._asked_text = asked_text

    async def take(self, said: ChatMessage | ButtonPress) -> None:
        """Return as soon as it is kept, or needs not be: it asks for nothing, or was taken before."""
        text = self._asked_text(said)
        if text is None:
            if isinstance(said, ChatMessage):
                self._tell(said)
            return
        is_bare = isinstance(said, ButtonPress) or said.is_slash
        loop = asyncio.get_running_loop()
        kept = loop.create_future()
        asked = AskedCommand(said.ids, said.at, said.by, said.reply_to, text, said.door, is_bare=is_bare)
        self._engine.handle(asked, lambda: loop.call_soon_threadsafe(_set, kept))
        await kept

    def _tell(self, said: ChatMessage) -> None:
        """Emit a message that asks for nothing, where a rule waits for such events."""
        fields = {
            "text": said.text,
            "at": said.at.isoformat(),
            "by": said.by.key,
            "name": said.by.name,
            "to": said.reply_to.to.shown,
            "door": said.door,
            "is_direct": said.is_direct,
            "is_mention": said.is_mention,
        }
        self._engine.occurred(CHAT_MESSAGE, fields, by=said.by.key, ids=said.ids)


def _set(kept: asyncio.Future[None]) -> None:
    if not kept.done():  # Who waited may have given up.
        kept.set_result(None)
