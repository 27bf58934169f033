"""Resolve names of conversations and people to ids, from listings that are made when first needed and cached."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slack_alert.channels.slack.client import Client, SlackResponse
from slack_alert.channels.slack.errors import CLOSES_ONE_METHOD, RefusedError, SlackResult, classify
from slack_alert.channels.slack.reading import items_of, part_of, text_of
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.units.names import composed

log = logging.getLogger(__name__)

#: The time until a listing is made again, however many unknown names are looked up.
FRESH_SECONDS = 300.0
_MOST_PAGES = 50
_BARE_MENTION = lazy_pattern(r"<@([^<>|\n]+)>")
_CONVERSATION_ID = lazy_pattern(r"[CGD][A-Z0-9]{4,}")
_PERSON_ID = lazy_pattern(r"[UW][A-Z0-9]{3,}")
#: Name, id, and whether the name is unique: people may choose any display name.
_NamedId = tuple[str, str, bool]
_Names = Callable[[Mapping[str, Any]], Iterator[_NamedId]]  # Any: JSON of Slack's


class Directory:
    """The conversations and people of a workspace; ids are also learned from answers to posts."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._channels = _Listing(client, "conversations.list", _channel_names)
        self._people = _Listing(client, "users.list", _person_names)
        self._known: dict[str, str] = {}
        self._uncalled: set[str] = set()

    def learn(self, conversation: str, channel: str) -> None:
        """Remember the id of a conversation, from an answer."""
        self._known[conversation] = channel

    async def recipient(self, conversation: str) -> str:
        """Return the `channel` for chat.postMessage: a person's id, others as written; raise `RefusedError`."""
        if conversation.startswith("@"):
            return await self._person(conversation)
        return conversation

    async def channel_id(self, conversation: str) -> str:
        """Return the conversation's id, which the other methods need; raise `RefusedError`."""
        if _CONVERSATION_ID.fullmatch(conversation):
            return conversation
        if conversation not in self._known:
            self._known[conversation] = await self._lookup(conversation)
        return self._known[conversation]

    async def channel_names(self) -> list[str]:
        """Return the names of all channels, without `#`, for a suggestion; raise `RefusedError`."""
        return list(await self._channels.ids())

    async def with_mentions(self, text: str) -> str:
        """Return a text with ids in mentions by name; a mention of an unknown person becomes plain text."""
        if "<@" not in text:
            return text
        names = {name for name in _BARE_MENTION.findall(text) if not _PERSON_ID.fullmatch(name)}
        for name in sorted(names):
            text = text.replace(f"<@{name}>", await self._mention(name))
        return text

    async def _mention(self, name: str) -> str:
        try:
            return f"<@{await self._person(name)}>"
        except RefusedError as refused:
            if name not in self._uncalled:
                self._uncalled.add(name)
                told = {"person": name, "reason": refused.code, "hint": refused.outcome.hint}
                log.warning("person not called", extra=told)
            return f"@{name}"

    async def _lookup(self, conversation: str) -> str:
        if conversation.startswith("@") or _PERSON_ID.fullmatch(conversation):
            return await self._open_direct(await self.recipient(conversation))
        channel = await self._channels.lookup(conversation.removeprefix("#"))
        if channel is None:
            raise RefusedError(classify(SlackResult(200, "channel_not_found"), to=conversation))
        return channel

    async def _person(self, name: str) -> str:
        person = await self._people.lookup(name.removeprefix("@"))
        if person is None:
            raise RefusedError(classify(SlackResult(200, "user_not_found"), to=name))
        return person

    async def _open_direct(self, person: str) -> str:
        answer = await _query(self._client, "conversations.open", {"users": person}, to=person)
        return answer.text("channel", "id")


class _Listing:
    """Ids by name, from a paged method. A failure is cached as long as a listing: it does not pass soon."""

    def __init__(self, client: Client, method: str, names: _Names) -> None:
        self._client = client
        self._method = method
        self._names = names
        self._ids: dict[str, str] = {}
        self._refused: RefusedError | None = None
        self._at = float("-inf")
        self._listing = asyncio.Lock()

    async def lookup(self, name: str) -> str | None:
        key = _key(name)
        ids = self._ids if key in self._ids else await self.ids()
        return ids.get(key)

    async def ids(self) -> Mapping[str, str]:
        async with self._listing:
            now = asyncio.get_running_loop().time()
            if now - self._at > FRESH_SECONDS:
                await self._list()
                self._at = now
        if self._refused is not None:
            raise RefusedError(self._refused.outcome, needed=self._refused.needed)
        return self._ids

    async def _list(self) -> None:
        self._refused = None
        try:
            self._ids = await self._fetch(_ARGUMENTS[self._method])
        except RefusedError as refused:
            if refused.code != "missing_scope" or self._method not in _FALLBACK_ARGUMENTS:
                return self._fail(refused)
            await self._list_fewer()

    async def _list_fewer(self) -> None:
        """List without private channels, which need a scope of their own."""
        try:
            self._ids = await self._fetch(_FALLBACK_ARGUMENTS[self._method])
        except RefusedError as refused:
            self._fail(refused)

    def _fail(self, refused: RefusedError) -> None:
        if refused.outcome.status in _PASSING:
            raise refused
        self._refused = refused

    async def _fetch(self, arguments: Mapping[str, str]) -> dict[str, str]:
        unique: dict[str, str] = {}
        chosen: dict[str, str] = {}
        try:
            async for page in self._client.pages(self._method, arguments, most=_MOST_PAGES):
                for name, its_id, is_unique in self._names(page):
                    (unique if is_unique else chosen).setdefault(_key(name), its_id)
        except RefusedError as refused:
            raise as_destination_error(refused) from refused
        return chosen | unique


_ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "conversations.list": {"types": "public_channel,private_channel", "limit": "1000"},
    "users.list": {"limit": "1000"},
}
_FALLBACK_ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "conversations.list": {**_ARGUMENTS["conversations.list"], "types": "public_channel"},
}
_PASSING = frozenset({SendStatus.WAIT, SendStatus.RETRY, SendStatus.AMBIGUOUS})


def _key(name: str) -> str:
    """Return a name in the form in which names are compared: casefolded and composed."""
    return composed(composed(name).casefold())


def as_destination_error(refused: RefusedError) -> RefusedError:
    """Return a refusal that closes a method as one of the destination: the channel itself is not closed."""
    outcome = refused.outcome
    if outcome.status is not SendStatus.CREDENTIALS or outcome.reason not in CLOSES_ONE_METHOD:
        return refused
    closed = SendResult(SendStatus.DESTINATION, reason=outcome.reason, is_answer=True, hint=outcome.hint)
    return RefusedError(closed, needed=refused.needed)


async def _query(client: Client, method: str, arguments: Mapping[str, str], *, to: str) -> SlackResponse:
    try:
        return await client.query(method, arguments, to=to)
    except RefusedError as refused:
        raise as_destination_error(refused) from refused


def _channel_names(page: Mapping[str, Any]) -> Iterator[_NamedId]:
    for channel in items_of(page, "channels"):
        for key in ("name", "name_normalized"):
            if name := text_of(channel, key):
                yield name, text_of(channel, "id", is_needed=True), key == "name"


def _person_names(page: Mapping[str, Any]) -> Iterator[_NamedId]:
    for person in items_of(page, "members"):
        if person.get("deleted"):
            continue
        its_id = text_of(person, "id", is_needed=True)
        yield text_of(person, "name", is_needed=True), its_id, True
        if shown := text_of(part_of(person, "profile"), "display_name"):
            yield shown, its_id, False
