"""The repositories of the configuration, each with its host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.names import suggestion
from slack_alert.packs.git._hosts.gitea import Gitea, connect_gitea
from slack_alert.packs.git._hosts.gitee import Gitee, connect_gitee
from slack_alert.packs.git._hosts.github import GitHub, connect_github
from slack_alert.packs.git._hosts.gitlab import GitLab, connect_gitlab
from slack_alert.packs.git._hosts.http import HostError
from slack_alert.packs.git._owners import OwnerLine, parse_owners
from slack_alert.packs.git._pull_requests import Host


class Repository(Struct, frozen=True):
    """A repository of the configuration."""

    name: str
    #: The kind of its host, such as `github`, and its path there.
    service: str
    path: str
    #: What starts a test, and its name; both empty: nothing.
    test_kind: str
    test_name: str
    #: Approvals are given on the host as well.
    is_reviewed: bool
    owners: tuple[OwnerLine, ...]

    @property
    def needs_test(self) -> bool:
        """Whether the test is one that the host knows nothing of."""
        return self.test_kind in {"command", "jenkins"} or (self.service == "gitee" and bool(self.test_kind))


def repository_of(config: Mapping[str, Any], name: str) -> Repository:  # Any: values of a configuration
    """Return the repository of that name, or the default one; raise HostError with the names that there are."""
    names: list[str] = config.get("repositories") or []
    chosen = name or config.get("default") or ""
    if not chosen:
        raise HostError(f"Which repository? Write its name behind: {', '.join(names)}.")
    if chosen not in names:
        raise HostError(f"There is no repository {chosen!r}. {suggestion(chosen, names)}")
    test_kind, _, test_name = config[f"{chosen}.test"].partition(":")
    return Repository(
        chosen,
        config[f"{chosen}.host"],
        config[f"{chosen}.repo"],
        test_kind,
        test_name,
        config[f"{chosen}.approve"] == "review",
        parse_owners(config[f"{chosen}.owners"]),
    )


@asynccontextmanager
async def connected(config: Mapping[str, Any], repository: Repository) -> AsyncIterator[Host]:  # Any: as above
    """Keep connections to the host of a repository while something is read from it."""
    async with aiohttp.ClientSession(trust_env=True) as session:
        yield host_of(config, repository, session)


def host_of(
    config: Mapping[str, Any],  # Any: as above
    repository: Repository,
    session: aiohttp.ClientSession | None = None,
) -> Host:
    """Return the host of a repository; nothing is sent yet."""
    name = repository.name
    host = _HOSTS[repository.service](config[f"{name}.url"], config[f"{name}.token"], repository.path)
    return replace(host, api=replace(host.api, session=session))


_HOSTS: Mapping[str, Callable[[str, str, str], GitHub | GitLab | Gitee | Gitea]] = {
    "github": connect_github,
    "gitlab": connect_gitlab,
    "gitee": connect_gitee,
    "gitea": connect_gitea,
}
