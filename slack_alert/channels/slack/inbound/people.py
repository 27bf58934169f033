"""Ask Slack who somebody is: a member of the workspace, a guest, a stranger, and of which user groups.

Permissions depend on it: whatever Slack does not answer within seconds is unknown, never taken from an old answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from slack_alert.channels.slack.client import Client
from slack_alert.channels.slack.errors import RefusedError
from slack_alert.channels.slack.inbound.translate import DirectoryChange, SlackInstallation
from slack_alert.channels.slack.reading import part_of, text_of, unreadable
from slack_alert.core.model.asked import AccountStatus, Asker, Identity
from slack_alert.core.retry import SendStatus
from slack_alert.core.structs import Struct, replace

log = logging.getLogger(__name__)

T = TypeVar("T")

#: How long an answer is remembered where no event says that it has changed.
FRESH_SECONDS = 300.0
#: How long somebody waits for an answer before he is unknown.
ANSWER_SECONDS = 3.0
#: How long nothing more is asked after Slack has refused the method itself.
REFUSED_SECONDS = 60.0
#: More answers are not remembered at a time.
MAX_REMEMBERED = 5_000


class SlackPeople:
    """The accounts and user groups of the workspace of this installation; to be used from one event loop."""

    def __init__(
        self,
        client: Client,
        *,
        groups: Iterable[str] = (),
        fresh: float = FRESH_SECONDS,
        answer_within: float = ANSWER_SECONDS,
    ) -> None:
        self._client = client
        #: The user groups that the configuration names; no other is asked for.
        self._groups = frozenset(groups)
        self._answer_within = answer_within
        self._accounts = _Remembered(self._ask_account, fresh)
        self._members = _Remembered(self._ask_members, fresh)
        self._installation: SlackInstallation | None = None
        self._identifying = asyncio.Lock()
        self._told: set[tuple[str, str]] = set()

    async def installation(self) -> SlackInstallation:
        """Return whose token this is, asked once; raise `RefusedError`."""
        if self._installation is None:
            async with self._identifying:
                if self._installation is None:
                    self._installation = await self._ask_installation()
        return self._installation

    def known(self, identity: Identity) -> Asker | None:
        """Return who that is, as far as the answers of Slack are remembered; None: it must be asked. On any thread."""
        if identity.service != "slack":
            return Asker(identity, AccountStatus.UNKNOWN)
        account, installation = self._accounts.known(identity.user), self._installation
        members = {group: self._members.known(group) for group in self._groups}
        if account is None or installation is None or None in members.values():
            return None
        return self._known_as(identity, account.standing(identity, installation), account.name, members)

    async def asker(self, identity: Identity) -> Asker:
        """Return who that is; `UNKNOWN`, or unknown groups, where Slack does not answer within seconds."""
        if (known := self.known(identity)) is not None:
            return known
        wanted = sorted(self._groups)
        asked = [self._in_time("usergroups.users.list", self._members.get(group)) for group in wanted]
        (standing, name), members = await asyncio.gather(self._known(identity), asyncio.gather(*asked))
        return self._known_as(identity, standing, name, dict(zip(wanted, members, strict=True)))

    def _known_as(
        self,
        identity: Identity,
        standing: AccountStatus | None,
        name: str,
        members: Mapping[str, frozenset[str] | None],
    ) -> Asker:
        identity = replace(identity, name=name or identity.name)
        if standing not in (AccountStatus.MEMBER, AccountStatus.GUEST):
            return Asker(identity, standing or AccountStatus.UNKNOWN)
        known = {group: users for group, users in members.items() if users is not None}
        return Asker(
            identity,
            standing,
            frozenset(group for group, users in known.items() if identity.user in users),
            self._groups.difference(known),
        )

    def forget(self, change: DirectoryChange) -> None:
        """Ask anew for what has changed, when it is needed."""
        if change.user:
            self._accounts.forget(change.user)
        if change.group:
            self._members.forget(change.group)

    def close(self) -> None:
        """End what is being asked."""
        self._accounts.close()
        self._members.close()

    async def _known(self, identity: Identity) -> tuple[AccountStatus | None, str]:
        """Return the standing, None where it is not known in time, and the name."""
        return await self._in_time("users.info", self._standing(identity)) or (None, "")

    async def _standing(self, identity: Identity) -> tuple[AccountStatus, str]:
        installation = await self.installation()
        account = await self._accounts.get(identity.user)
        return (account.standing(identity, installation), account.name) if account else (AccountStatus.STRANGER, "")

    async def _in_time(self, method: str, answer: Awaitable[T]) -> T | None:
        """Return the answer, or None where there is none in time."""
        try:
            return await asyncio.wait_for(answer, self._answer_within)
        except asyncio.TimeoutError:
            self._tell_once(method, "timeout", "Slack is slow to answer; nobody is let in on a guess")
        except RefusedError as refused:
            self._tell_once(method, refused.code, refused.outcome.hint)
        return None

    def _tell_once(self, method: str, reason: str, hint: str) -> None:
        if (method, reason) not in self._told:
            self._told.add((method, reason))
            log.warning("who asks is unknown", extra={"method": method, "reason": reason, "hint": hint})

    async def _ask_installation(self) -> SlackInstallation:
        content = (await self._client.query("auth.test", {})).content
        return SlackInstallation(
            team=text_of(content, "team_id", is_needed=True),
            user=text_of(content, "user_id", is_needed=True),
            enterprise=text_of(content, "enterprise_id"),
            is_organization_wide=content.get("is_enterprise_install") is True,
        )

    async def _ask_account(self, user: str) -> Account | None:
        """Return the account, or None for one that Slack does not show us."""
        try:
            answer = await self._client.query("users.info", {"user": user}, to=user)
        except RefusedError as refused:
            if refused.code in _UNSEEN:
                return None
            raise
        return read_account(part_of(answer.content, "user"), user)

    async def _ask_members(self, group: str) -> frozenset[str]:
        try:
            answer = await self._client.query("usergroups.users.list", {"usergroup": group}, to=group)
        except RefusedError as refused:
            if refused.code not in _NO_GROUP:
                raise
            self._tell_once(group, refused.code, "there is no such user group: check its id under [roles]")
            return frozenset()
        users = answer.content.get("users")
        if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
            raise unreadable()
        return frozenset(users)


class Account(Struct, frozen=True):
    """What `users.info` tells of an account."""

    team: str
    #: The name that others see.
    name: str = ""
    #: In an organization, the workspaces that have this member.
    teams: frozenset[str] = frozenset()
    enterprise: str = ""
    is_disabled: bool = False
    is_bot: bool = False
    is_guest: bool = False
    is_stranger: bool = False

    def standing(self, identity: Identity, installation: SlackInstallation) -> AccountStatus:
        """Return the standing in the workspace of the installation, whichever channel it asks in."""
        if self.is_disabled:
            return AccountStatus.DISABLED
        if self.is_bot:
            return AccountStatus.BOT
        if self.is_stranger or not (self._belongs_to(installation) and self._is_from(identity.team, installation)):
            return AccountStatus.STRANGER
        return AccountStatus.GUEST if self.is_guest else AccountStatus.MEMBER

    def _belongs_to(self, installation: SlackInstallation) -> bool:
        if installation.is_organization_wide and installation.enterprise:
            return self.enterprise == installation.enterprise
        return installation.team in {self.team, *self.teams}

    def _is_from(self, team: str, installation: SlackInstallation) -> bool:
        """Return whether the team by which the payload names the account is one of its own."""
        own = {self.team, self.enterprise, *self.teams, installation.team, installation.enterprise}
        return bool(team) and team in own


def read_account(user: Mapping[str, Any], its_id: str) -> Account:
    """Return the account in an answer of `users.info`; raise `RefusedError` if it is not as Slack documents it."""
    if text_of(user, "id", is_needed=True) != its_id:
        raise unreadable()
    organization = part_of(user, "enterprise_user")
    teams = organization.get("teams") or []
    if not isinstance(teams, list) or not all(isinstance(team, str) for team in teams):
        raise unreadable()
    names = (text_of(part_of(user, "profile"), "display_name"), text_of(user, "real_name"), text_of(user, "name"))
    return Account(
        team=text_of(user, "team_id", is_needed=True),
        name=next(filter(None, names), ""),
        teams=frozenset(teams),
        enterprise=text_of(organization, "enterprise_id"),
        is_disabled=bool(user.get("deleted")),
        is_bot=any(user.get(name) for name in ("is_bot", "is_workflow_bot", "is_connector_bot")) or its_id == _SLACKBOT,
        is_guest=any(user.get(name) for name in ("is_restricted", "is_ultra_restricted", "is_invited_user")),
        is_stranger=bool(user.get("is_stranger")),
    )


_UNSEEN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
_NO_GROUP = frozenset({"no_such_subteam", "subteam_not_found"})
_SLACKBOT = "USLACKBOT"
#: The plan of the workspace, or the token, does not have the method at all.
_CLOSING = frozenset({"plan_upgrade_required", "paid_teams_only"})
#: How often something is asked for that changes while it is asked for.
_ATTEMPTS = 3


class _Remembered(Generic[T]):
    """Answers by id, for a time; those who ask for the same at the same time wait for one answer."""

    def __init__(self, ask: Callable[[str], Awaitable[T]], fresh: float) -> None:
        self._ask = ask
        self._fresh = fresh
        #: The answers, and until when they hold by the time of the loop on which they were asked for.
        self._known: dict[str, tuple[float, T]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        #: What is asked at present; a question whose answer no longer counts is in `_tasks` only.
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        #: Until when the method is not called, and why.
        self._refused: tuple[float, RefusedError] | None = None

    def known(self, key: str) -> T | None:
        """Return what is remembered, or None; on any thread."""
        known, loop = self._known.get(key), self._loop
        return known[1] if known is not None and loop is not None and loop.time() < known[0] else None

    async def get(self, key: str) -> T:
        """Return what is remembered, or ask; raise `RefusedError`."""
        for _ in range(_ATTEMPTS):
            known = self._known.get(key)
            if known is not None and _now() < known[0]:
                return known[1]
            # It may be forgotten while it is asked for: then it is asked for anew.
            await asyncio.shield(self._asking.get(key) or self._begin(key))
        raise unreadable()

    def forget(self, key: str) -> None:
        self._known.pop(key, None)
        self._asking.pop(key, None)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _begin(self, key: str) -> asyncio.Task[None]:
        if self._refused is not None and _now() < self._refused[0]:
            raise RefusedError(self._refused[1].outcome, needed=self._refused[1].needed)
        task = asyncio.ensure_future(self._fetch(key))
        self._asking[key] = task
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    async def _fetch(self, key: str) -> None:
        this = asyncio.current_task()
        try:
            answer = await self._ask(key)
        except RefusedError as refused:
            self._close_method(refused)
            raise
        else:
            if self._asking.get(key) is this:
                if len(self._known) >= MAX_REMEMBERED:
                    self._known.clear()
                self._loop = asyncio.get_running_loop()
                self._known[key] = (_now() + self._fresh, answer)
        finally:
            if self._asking.get(key) is this:
                del self._asking[key]

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Those who asked may have given up before; else it would be logged as never retrieved.

    def _close_method(self, refused: RefusedError) -> None:
        """Call the method no more for a time where Slack refuses not the id, but whoever asks."""
        outcome = refused.outcome
        if outcome.status is SendStatus.WAIT:
            seconds = outcome.after.total_seconds() if outcome.after else REFUSED_SECONDS
        elif outcome.status is SendStatus.CREDENTIALS or refused.code in _CLOSING:
            seconds = REFUSED_SECONDS
        else:
            return
        self._refused = (_now() + seconds, refused)


def _now() -> float:
    return asyncio.get_running_loop().time()
