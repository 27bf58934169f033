"""What is asked again: whether something can be merged, and whether a comment is there whose answer was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from slack_alert.packs.git._hosts.answers import HostAnswer
from slack_alert.packs.git._hosts.http import AmbiguousWrite, HostApi
from slack_alert.packs.git._pull_requests import Mergeable, PullRequest, PullState


async def once_checked(read: Callable[[], Awaitable[PullRequest]], pauses: Sequence[float]) -> PullRequest:
    """Return a pull request once its host knows whether it can be merged, or as it is after the last pause."""
    found = await read()
    for pause in pauses:
        if found.mergeable is not Mergeable.UNCHECKED or found.state is not PullState.OPEN:
            break
        await asyncio.sleep(pause)
        found = await read()
    return found


async def comment_once(api: HostApi, path: str, text: str, mark: str) -> None:
    """Write a comment; where the answer is lost, look for its mark, and raise AmbiguousWrite if it is not there."""
    try:
        await api.send("POST", path, {"body": f"{text}\n\n<!-- {mark} -->"})
    except AmbiguousWrite:
        found, _ = await api.pages(path)
        if not any(mark in HostAnswer(api.host, one).text("body") for one in found):
            raise


async def write_once(write: Awaitable[object], is_written: Callable[[], Awaitable[bool]]) -> None:
    """Make a write; where the answer is lost, look whether it was made, and raise AmbiguousWrite if it was not."""
    try:
        await write
    except AmbiguousWrite:
        if not await is_written():
            raise
