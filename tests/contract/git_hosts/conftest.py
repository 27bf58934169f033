"""All four hosts, each with a real repository behind it, and the program's side of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from slack_alert.core.structs import replace
from slack_alert.packs.git import _merging
from slack_alert.packs.git._pull_requests import Host
from slack_alert.packs.git._repositories import Repository, host_of
from tests.fakes.git_hosts.gitea import FakeGitea
from tests.fakes.git_hosts.gitee import FakeGitee
from tests.fakes.git_hosts.github import FakeGitHub
from tests.fakes.git_hosts.gitlab import FakeGitLab
from tests.fakes.git_hosts.world import TOKEN, FakeHost

FAKES = {"github": FakeGitHub, "gitlab": FakeGitLab, "gitee": FakeGitee, "gitea": FakeGitea}


@pytest.fixture(scope="module", params=FAKES)
def fake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHost]:
    """A host for all tests of a module; each opens a pull request of its own."""
    with FAKES[request.param](tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def clean(fake: FakeHost) -> Iterator[FakeHost]:
    """The host without what an earlier test has left."""
    fake.forget()
    yield fake
    assert fake.violations == []


@pytest.fixture
def repository(clean: FakeHost) -> Repository:
    kind = type(clean).__name__.removeprefix("Fake").lower()
    return Repository("shop", kind, clean.path, "", "", is_reviewed=False, owners=())


@pytest.fixture
def connect(clean: FakeHost, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Host]:
    """Return the program's side of the host, which waits for nothing longer than it must."""
    monkeypatch.setattr(_merging, "PAUSES", (0.0, 0.0))

    def connected(*, timeout: float = 5.0) -> Host:
        host: Any = host_of({"shop.url": clean.url, "shop.token": TOKEN}, repository)
        api = replace(host.api, timeout=timeout, pauses=(0.0, 0.0))
        return replace(host, api=api, pauses=(0.0, 0.0))  # type: ignore[no-any-return]

    return connected


@pytest.fixture
def host(connect: Callable[..., Host]) -> Host:
    return connect()
