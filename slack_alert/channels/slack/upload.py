"""Files go to Slack in three steps; only the last one says anything to anybody."""

from __future__ import annotations

import asyncio
from pathlib import Path

from slack_alert.channels.slack.client import Client
from slack_alert.channels.slack.errors import RefusedError
from slack_alert.core.content.pieces import Upload
from slack_alert.core.retry import Fate, Outcome


async def place(client: Client, piece: Upload) -> str:
    """Bring the bytes to Slack, where nobody sees them yet, and give the file's id; raise `RefusedError`."""
    content = await _content(piece)
    if not content:
        raise RefusedError(Outcome(Fate.PAYLOAD, reason="empty file", hint="Slack takes no file without content"))
    name = piece.name or "file"
    ticket = await client.ask("files.getUploadURLExternal", {"filename": name, "length": str(len(content))})
    file = ticket.text("file_id")
    await client.put(ticket.text("upload_url"), content)
    return file


async def share(client: Client, file: str, piece: Upload, channel: str, *, to: str, thread: str = "") -> None:
    """Show the file in a conversation, or a thread of it, with its comment; raise `RefusedError`."""
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
        raise RefusedError(Outcome(Fate.PAYLOAD, reason=reason, hint="keep the file until it was sent")) from error
