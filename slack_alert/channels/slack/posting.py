"""Say one piece in a conversation; what Slack does not take as it is, is said more plainly within the same attempt."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_alert.channels.slack.client import Client, RefusedError
from slack_alert.channels.slack.directory import Directory, narrowed
from slack_alert.channels.slack.errors import CANNOT_FOLLOW, CUSTOMIZE, REFUSES_METADATA, TOO_LONG
from slack_alert.channels.slack.history import mark
from slack_alert.channels.slack.upload import place, share
from slack_alert.core.backoff import Fate
from slack_alert.core.markup import entities
from slack_alert.core.model import Manner, Message
from slack_alert.core.parts import Blocks, Text, Upload, deliverable, fallback

log = logging.getLogger(__name__)

#: Beyond this, Slack cuts a text without refusing it.
CUT_ABOVE = 40_000
_FACE = frozenset({"username", "icon_emoji", "icon_url"})
_OURS = frozenset({"channel", "token"})


@dataclass(frozen=True, slots=True)
class Face:
    """The name and picture messages are posted under; None: the app's own."""

    username: str | None = None
    icon_emoji: str | None = None
    icon_url: str | None = None

    def arguments(self) -> dict[str, object]:
        emoji = f":{self.icon_emoji.strip(':')}:" if self.icon_emoji and self.icon_emoji.strip(":") else None
        chosen = {"username": self.username, "icon_emoji": emoji, "icon_url": self.icon_url}
        return {name: value for name, value in chosen.items() if value}


class Poster:
    """Posts texts, blocks and files; remembers what this token cannot do, so that it is tried once only."""

    def __init__(self, client: Client, directory: Directory, face: Face) -> None:
        self._client = client
        self._directory = directory
        self._face = face.arguments()
        self._may_customize = True
        #: Whether messages carry the mark by which they can be found again.
        self.marks = True
        #: Files brought to Slack for messages not yet known to be accepted, by message key.
        self.files: dict[str, str] = {}

    async def post(self, message: Message, text: str | None, follows: str | None = None) -> str | None:
        """Say the message and give its receipt; raise `RefusedError`.

        A reply or an edit needs the receipt of the message that it `follows`; where Slack refuses it, or where there
        is none, it is a message of its own.
        """
        channel, _, ts = (follows or "").partition("/")
        if ts and message.manner is not Manner.POST and isinstance(message.piece, Text):
            try:
                return await self._follow(message, message.piece.text if text is None else text, channel, ts)
            except RefusedError as refused:
                if refused.code not in CANNOT_FOLLOW:
                    raise
                log.info("said anew", extra={"key": message.key, "reason": refused.code})
        piece = message.piece
        if isinstance(piece, Upload):
            return await self._upload_or_say(message, piece)
        if isinstance(piece, Blocks):
            return await self._post_blocks(message, piece)
        return await self._say(message, piece.text if text is None else text)

    async def _follow(self, message: Message, text: str, channel: str, ts: str) -> str | None:
        """Edit the message, or reply in its thread."""
        said: dict[str, object] = {"text": await self._directory.with_mentions(text)}
        if message.manner is Manner.REPLY:
            return await self._post(message, {**said, "thread_ts": ts})
        edit = {**said, "channel": channel, "ts": ts, **({"metadata": mark(message)} if self.marks else {})}
        await self._client.call("chat.update", edit, to=message.to.conversation)
        return f"{channel}/{ts}"

    async def _say(self, message: Message, text: str) -> str | None:
        """Post a text; one that is too long goes as a file."""
        if len(text) <= CUT_ABOVE:
            try:
                return await self._post(message, {"text": await self._directory.with_mentions(text)})
            except RefusedError as refused:
                if refused.code not in TOO_LONG:
                    raise
        (file,) = deliverable(Text(text), limit=0, parts=1)
        assert isinstance(file, Upload), "nothing fits into no characters"
        return await self._upload(message, file)

    async def _post_blocks(self, message: Message, piece: Blocks) -> str | None:
        if set(piece.payload) == {"text"}:
            return await self._say(message, str(piece.payload["text"]))
        text = fallback(piece)
        content = json.dumps({**piece.payload, "text": text}, ensure_ascii=False)
        try:
            return await self._post(message, json.loads(await self._directory.with_mentions(content)))
        except RefusedError as refused:
            if refused.outcome.fate is not Fate.PAYLOAD:
                raise
            told = {"key": message.key, "reason": refused.code, "hint": refused.outcome.hint}
            log.warning("blocks refused, text said instead", extra=told)
        return await self._say(message, text)

    async def _upload_or_say(self, message: Message, piece: Upload) -> str | None:
        try:
            return await self._upload(message, piece)
        except RefusedError as refused:
            if not _concerns_the_file(refused):
                raise
            told = {"file": piece.name, "reason": refused.code, "hint": refused.outcome.hint}
            log.warning("file not uploaded, text said instead", extra=told)
            why = entities(f"the file was not uploaded ({refused.code}): {refused.outcome.hint}")
        return await self._post(message, {"text": await self._directory.with_mentions(f"{fallback(piece)}\n_{why}_")})

    async def _upload(self, message: Message, piece: Upload) -> str:
        channel = await self._directory.channel_id(message.to.conversation)
        comment = await self._directory.with_mentions(piece.comment)
        try:
            file = await place(self._client, piece)
            self.files[message.key] = file
            await share(self._client, file, replace(piece, comment=comment), channel, to=message.to.conversation)
        except RefusedError as refused:
            raise narrowed(refused) from refused
        return f"{channel}/{file}"

    async def _post(self, message: Message, content: Mapping[str, object]) -> str | None:
        to = message.to.conversation
        channel = await self._directory.recipient(to)
        own = {name: value for name, value in content.items() if name not in _OURS}
        while True:
            try:
                answer = await self._client.call("chat.postMessage", self._arguments(message, own, channel), to=to)
                break
            except RefusedError as refused:
                if not self._can_do_without(refused):
                    raise
        posted, ts = answer.content.get("channel"), answer.content.get("ts")
        if not isinstance(posted, str) or not isinstance(ts, str):
            return None  # accepted all the same
        self._directory.learn(to, posted)
        return f"{posted}/{ts}"

    def _arguments(self, message: Message, own: Mapping[str, Any], channel: str) -> dict[str, object]:
        arguments: dict[str, object] = {"unfurl_links": False, "unfurl_media": False, **self._face, **own}
        if not self._may_customize:
            arguments = {name: value for name, value in arguments.items() if name not in _FACE}
        if self.marks:
            arguments["metadata"] = mark(message)
        return {**arguments, "channel": channel}

    def _can_do_without(self, refused: RefusedError) -> bool:
        """Leave out from now on what was refused, where the message is worth saying without it."""
        if refused.code == "missing_scope" and refused.needed == CUSTOMIZE and self._may_customize:
            self._may_customize = False
            log.warning("name and icon not used", extra={"needed": CUSTOMIZE, "hint": refused.outcome.hint})
            return True
        if refused.code in REFUSES_METADATA and self.marks:
            self.marks = False
            log.warning("messages carry no mark", extra={"reason": refused.code, "hint": refused.outcome.hint})
            return True
        return False


def _concerns_the_file(refused: RefusedError) -> bool:
    """Whether the conversation may still take a text."""
    return refused.outcome.fate in (Fate.PAYLOAD, Fate.DESTINATION)
