"""Post a message; what Slack refuses in its form is posted in a plainer form within the same attempt."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slack_alert.channels.slack.client import Client
from slack_alert.channels.slack.directory import Directory, as_destination_error
from slack_alert.channels.slack.errors import CANNOT_FOLLOW, CUSTOMIZE, REFUSES_METADATA, TOO_LONG, RefusedError
from slack_alert.channels.slack.lookup import is_ts, mark
from slack_alert.core.content.markup import entities
from slack_alert.core.content.pieces import Blocks, Text, Upload, deliverable, fallback
from slack_alert.core.model.message import DeliveryMode, Message
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import Struct, replace

log = logging.getLogger(__name__)

#: In characters: Slack cuts off a longer text without refusing it.
MAX_TEXT = 40_000
_IDENTITY = frozenset({"username", "icon_emoji", "icon_url"})
_RESERVED = frozenset({"channel", "token"})
#: Besides the text, the arguments of a plugin that chat.update takes.
_EDITABLE = frozenset({"blocks", "attachments", "link_names", "parse"})
_MAX_MOVED = _MAX_EDITED = 1000
#: The receipt of a message that was an answer to an interaction: it is in no conversation of ours, and has no `ts`.
RESPONDED = "/response_url"
_CLOSED = frozenset({SendStatus.DESTINATION, SendStatus.PAYLOAD})
_THREAD_IS_GONE = frozenset({"thread_not_found", "invalid_thread_ts", "cannot_reply_to_message"})


class SenderIdentity(Struct, frozen=True):
    """The name and picture of posted messages; None: those of the app."""

    username: str | None = None
    icon_emoji: str | None = None
    icon_url: str | None = None

    def arguments(self) -> dict[str, object]:
        emoji = f":{self.icon_emoji.strip(':')}:" if self.icon_emoji and self.icon_emoji.strip(":") else None
        chosen = {"username": self.username, "icon_emoji": emoji, "icon_url": self.icon_url}
        return {name: value for name, value in chosen.items() if value}


class Poster:
    """Posts texts, blocks and files; remembers what this token may not do, so that it is tried only once."""

    def __init__(
        self, client: Client, directory: Directory, identity: SenderIdentity, *, has_buttons: bool = False
    ) -> None:
        """`has_buttons`: a door takes what is pressed, so buttons are shown."""
        self._client = client
        self._directory = directory
        self._identity = identity.arguments()
        self._has_buttons = has_buttons
        self._may_customize = True
        #: Whether messages are posted with the metadata by which they are found again.
        self.uses_metadata = True
        #: Ids of uploaded files by message key, until the message is known to be accepted.
        self.files: dict[str, str] = {}
        #: The receipts of messages posted anew, by the receipt that can no longer be edited or replied to.
        self._moved: dict[str, str] = {}
        #: The keys of messages as they were posted, by the place of each that was edited since.
        self._first: dict[str, str] = {}

    async def post(self, message: Message, text: str | None, follows: str | None = None) -> str | None:
        """Post the message and return its receipt, or None where the answer has none; raise `RefusedError`.

        A reply or an edit needs the receipt of the message that it `follows`. Where there is none, or Slack refuses
        it, a new message is posted, and later edits and replies follow that.
        """
        if message.is_private and message.response_url:
            try:
                return await self._respond(message, text)
            except RefusedError as refused:
                if refused.outcome.status not in _CLOSED:
                    raise
                log.info("said openly", extra={"key": message.key, "reason": refused.code})
        elif follows == RESPONDED and message.manner is DeliveryMode.EDIT and not message.response_url:
            return RESPONDED  # Only the start and the end are told there.
        try:
            return await self._post_openly(message, text, follows)
        except RefusedError as refused:
            if message.is_private or not message.response_url or refused.outcome.status is not SendStatus.DESTINATION:
                raise
            return await self._respond_instead(message, text, refused)

    async def _respond_instead(self, message: Message, text: str | None, closed: RefusedError) -> str:
        """Answer who asked in a conversation that is closed to us; raise the refusal of that where it cannot be."""
        try:
            return await self._respond(message, text)
        except RefusedError as refused:
            if refused.outcome.status not in _CLOSED:
                raise
        raise closed

    async def _respond(self, message: Message, text: str | None) -> str:
        piece = message.piece
        said = piece.text if isinstance(piece, Text) else fallback(piece)
        content = {
            "text": await self._directory.with_mentions(said if text is None else text),
            "response_type": "ephemeral" if message.is_private else "in_channel",
            "replace_original": False,
        }
        await self._client.respond(message.response_url, content)
        return RESPONDED

    async def _post_openly(self, message: Message, text: str | None, follows: str | None) -> str | None:
        first = self._moved.get(follows or "", follows or "")
        channel, _, ts = first.partition("/")
        # The receipt of a file has no `ts`.
        if message.manner is DeliveryMode.POST or not is_ts(ts):
            return await (self._post_in_thread if message.thread else self._post_new)(message, text)
        try:
            return await self._edit_or_reply(message, text, channel, ts)
        except RefusedError as refused:
            if refused.code not in CANNOT_FOLLOW:
                raise
            log.info("said anew", extra={"key": message.key, "reason": refused.code})
        receipt = await self._post_in_thread(message, text)
        if receipt is not None and len(self._moved) < _MAX_MOVED:
            self._moved[follows or ""] = receipt
        return receipt

    def thread(self, message: Message, follows: str | None) -> str:
        """Return the `ts` of the thread that a message is posted in, or "" where it is in none."""
        piece = message.piece
        own = str(piece.payload.get("thread_ts") or "") if isinstance(piece, Blocks) else ""
        replies = message.manner is DeliveryMode.REPLY or (
            message.manner is DeliveryMode.EDIT and isinstance(piece, Upload)
        )
        ts = own or (
            self._moved.get(follows or "", follows or "").partition("/")[2] if replies else _asked_thread(message)
        )
        return ts if is_ts(ts) else ""

    async def _post_in_thread(self, message: Message, text: str | None) -> str | None:
        """Post a message in the thread of somebody else's, or in the conversation where that is gone."""
        thread = _asked_thread(message)
        try:
            return await self._post_new(message, text, thread=thread)
        except RefusedError as refused:
            if not thread or refused.code not in _THREAD_IS_GONE:
                raise
            log.info("said outside of its thread", extra={"key": message.key, "reason": refused.code})
        return await self._post_new(message, text)

    async def _post_new(self, message: Message, text: str | None, *, thread: str = "") -> str | None:
        piece = message.piece
        if isinstance(piece, Upload):
            return await self._upload_or_post_text(message, piece, thread)
        if isinstance(piece, Blocks):
            return await self._post_blocks(message, piece, thread)
        return await self._post_text(message, piece.text if text is None else text, thread)

    async def _edit_or_reply(self, message: Message, text: str | None, channel: str, ts: str) -> str | None:
        """Edit the message, or reply in its thread."""
        piece = message.piece
        if message.manner is DeliveryMode.REPLY or isinstance(piece, Upload):
            return await self._post_new(message, text, thread=ts)
        if isinstance(piece, Blocks):
            return await self._edit_blocks(message, piece, channel, ts)
        return await self._edit_text(message, piece.text if text is None else text, channel, ts)

    async def _edit_text(self, message: Message, text: str, channel: str, ts: str) -> str:
        """Replace the text of a message; blocks with former buttons go, or are replaced."""
        content: dict[str, object] = {"text": await self._directory.with_mentions(text)}
        if not self._has_buttons:
            return await self._edit(message, content, channel, ts)
        shown = self._with_buttons(message, content)
        if shown is not content:
            try:
                return await self._edit(message, shown, channel, ts)
            except RefusedError as refused:
                if not _concerns_form(refused):
                    raise
                _log_refused(message, refused)
        return await self._edit(message, {**content, "blocks": []}, channel, ts)

    def _with_buttons(self, message: Message, content: dict[str, object]) -> dict[str, object]:
        """Return the content of a message with its buttons, or as it is where they do not fit or nobody takes them."""
        if not self._shows_buttons(message):
            return content
        from slack_alert.channels.slack.buttons import blocks_with_buttons  # Few programs have a door.

        blocks = blocks_with_buttons(message, str(content["text"]))
        return content if blocks is None else {**content, "blocks": blocks}

    def _shows_buttons(self, message: Message) -> bool:
        return self._has_buttons and bool(message.buttons)

    def _first_key(self, message: Message, ts: str) -> str:
        """Return the key under which a message was posted that is edited: an edit follows the edit before it."""
        place = f"{message.to}/{ts}"
        if place not in self._first and len(self._first) >= _MAX_EDITED:
            del self._first[next(iter(self._first))]
        return self._first.setdefault(place, message.root)

    async def _edit(self, message: Message, content: Mapping[str, object], channel: str, ts: str) -> str:
        named = json.loads(await self._directory.with_mentions(json.dumps(content, ensure_ascii=False)))
        marked = {"metadata": mark(message, edited=self._first_key(message, ts))} if self.uses_metadata else {}
        edit = {**named, "channel": channel, "ts": ts, **marked}
        await self._client.call("chat.update", edit, to=message.to.conversation)
        return f"{channel}/{ts}"

    async def _edit_blocks(self, message: Message, piece: Blocks, channel: str, ts: str) -> str:
        """Replace the blocks of a message, or its text where Slack refuses the blocks."""
        text = fallback(piece)
        content = {name: value for name, value in piece.payload.items() if name in _EDITABLE}
        try:
            return await self._edit(message, self._with_buttons(message, {**content, "text": text}), channel, ts)
        except RefusedError as refused:
            if not _concerns_form(refused) or not content:
                raise
            _log_refused(message, refused)
        return await self._edit_text(message, text, channel, ts)

    async def _post_text(self, message: Message, text: str, thread: str) -> str | None:
        """Post a text, or upload it as a file where it is too long."""
        if len(text) <= MAX_TEXT:
            try:
                named = await self._directory.with_mentions(text)
                if not self._shows_buttons(message):
                    return await self._post(message, {"text": named}, thread)
                return await self._post_with_buttons(message, named, thread)
            except RefusedError as refused:
                if refused.code not in TOO_LONG:
                    raise
        (file,) = deliverable(Text(text), limit=0, parts=1)
        assert isinstance(file, Upload), "nothing fits into no characters"
        return await self._upload(message, file, thread)

    async def _post_with_buttons(self, message: Message, text: str, thread: str) -> str | None:
        """Post a text with its buttons, or without them where Slack refuses the blocks."""
        content: dict[str, object] = {"text": text}
        shown = self._with_buttons(message, content)
        if shown is not content:
            try:
                return await self._post(message, shown, thread)
            except RefusedError as refused:
                if not _concerns_form(refused, thread):
                    raise
                _log_refused(message, refused)
        return await self._post(message, content, thread)

    async def _post_blocks(self, message: Message, piece: Blocks, thread: str) -> str | None:
        if set(piece.payload) == {"text"}:
            return await self._post_text(message, str(piece.payload["text"]), thread)
        text = fallback(piece)
        shown = self._with_buttons(message, {**piece.payload, "text": text})
        content = json.dumps(shown, ensure_ascii=False)
        try:
            return await self._post(message, json.loads(await self._directory.with_mentions(content)), thread)
        except RefusedError as refused:
            if not _concerns_form(refused, thread):
                raise
            _log_refused(message, refused)
        return await self._post_text(message, text, thread)

    async def _upload_or_post_text(self, message: Message, piece: Upload, thread: str) -> str | None:
        try:
            return await self._upload(message, piece, thread)
        except RefusedError as refused:
            if not _concerns_file(refused) or (thread and refused.code in CANNOT_FOLLOW):
                raise
            told = {"file": piece.name, "reason": refused.code, "hint": refused.outcome.hint}
            log.warning("file not uploaded, text said instead", extra=told)
            why = entities(f"the file was not uploaded ({refused.code}): {refused.outcome.hint}")
        text = await self._directory.with_mentions(f"{fallback(piece)}\n_{why}_")
        return await self._post(message, {"text": text}, thread)

    async def _upload(self, message: Message, piece: Upload, thread: str) -> str:
        to = message.to.conversation
        channel = await self._directory.channel_id(to)
        comment = await self._directory.with_mentions(piece.comment)
        try:
            file = await upload_file(self._client, piece)
            self.files[message.key] = file
            await share_file(self._client, file, replace(piece, comment=comment), channel, to=to, thread=thread)
        except RefusedError as refused:
            raise as_destination_error(refused) from refused
        return f"{channel}/{file}"

    async def _post(self, message: Message, content: Mapping[str, object], thread: str) -> str | None:
        to = message.to.conversation
        channel = await self._directory.recipient(to)
        own = {name: value for name, value in content.items() if name not in _RESERVED}
        if thread:
            own.setdefault("thread_ts", thread)
        while True:
            try:
                answer = await self._client.call("chat.postMessage", self._arguments(message, own, channel), to=to)
                break
            except RefusedError as refused:
                if not self._disable_refused(refused):
                    raise
        posted, ts = answer.content.get("channel"), answer.content.get("ts")
        if not isinstance(posted, str) or not isinstance(ts, str):
            return None  # The message was accepted nevertheless.
        self._directory.learn(to, posted)
        return f"{posted}/{ts}"

    def _arguments(self, message: Message, own: Mapping[str, Any], channel: str) -> dict[str, object]:
        arguments: dict[str, object] = {"unfurl_links": False, "unfurl_media": False, **self._identity, **own}
        if not self._may_customize:
            arguments = {name: value for name, value in arguments.items() if name not in _IDENTITY}
        if self.uses_metadata:
            arguments["metadata"] = mark(message)
        return {**arguments, "channel": channel}

    def _disable_refused(self, refused: RefusedError) -> bool:
        """Disable the refused feature; return whether the message can be posted without it."""
        if refused.code == "missing_scope" and refused.needed == CUSTOMIZE and self._may_customize:
            self._may_customize = False
            log.warning("name and icon not used", extra={"needed": CUSTOMIZE, "hint": refused.outcome.hint})
            return True
        if refused.code in REFUSES_METADATA and self.uses_metadata:
            self.uses_metadata = False
            log.warning("messages carry no mark", extra={"reason": refused.code, "hint": refused.outcome.hint})
            return True
        return False


async def upload_file(client: Client, piece: Upload) -> str:
    """Upload a file, which is not shown to people yet, and return its id; raise `RefusedError`."""
    content = await _content(piece)
    if not content:
        raise RefusedError(
            SendResult(SendStatus.PAYLOAD, reason="empty file", hint="Slack takes no file without content")
        )
    name = piece.name or "file"
    ticket = await client.query("files.getUploadURLExternal", {"filename": name, "length": str(len(content))})
    file = ticket.text("file_id")
    await client.upload(ticket.text("upload_url"), content)
    return file


def _asked_thread(message: Message) -> str:
    """Return the `ts` of the thread of a message that answers somebody: it is known by that message's receipt."""
    ts = message.thread.rpartition("/")[2]
    return ts if is_ts(ts) else ""


async def share_file(client: Client, file: str, piece: Upload, channel: str, *, to: str, thread: str = "") -> None:
    """Share an uploaded file in a conversation or thread, with its comment; raise `RefusedError`."""
    arguments: dict[str, object] = {
        "files": [{"id": file, "title": piece.title or piece.name or "file"}],
        "channel_id": channel,
    }
    if piece.comment:
        arguments["initial_comment"] = piece.comment
    if thread:
        arguments["thread_ts"] = thread
    await client.call("files.completeUploadExternal", arguments, to=to)


async def _content(piece: Upload) -> bytes:
    if isinstance(piece.content, bytes):
        return piece.content
    try:
        return await asyncio.to_thread(Path.read_bytes, piece.content)
    except OSError as error:
        reason = f"{piece.content}: {error.strerror or type(error).__name__}"
        raise RefusedError(
            SendResult(SendStatus.PAYLOAD, reason=reason, hint="keep the file until it was sent")
        ) from error


def _concerns_file(refused: RefusedError) -> bool:
    """Return whether the conversation may still accept a text."""
    return refused.outcome.status in (SendStatus.PAYLOAD, SendStatus.DESTINATION)


def _concerns_form(refused: RefusedError, thread: str = "its own") -> bool:
    """Return whether Slack may take the message in a plainer form; in a thread or edit, its place may be gone."""
    return refused.outcome.status is SendStatus.PAYLOAD and not (thread and refused.code in CANNOT_FOLLOW)


def _log_refused(message: Message, refused: RefusedError) -> None:
    told = {"key": message.key, "reason": refused.code, "hint": refused.outcome.hint}
    log.warning("blocks refused, text said instead", extra=told)
