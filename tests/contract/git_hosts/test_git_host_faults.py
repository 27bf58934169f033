"""Hosts that answer wrongly: nothing is merged or written twice, and people get a sentence."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any, cast

import pytest

from slack_alert.core.errors import SlackAlertError
from slack_alert.core.structs import replace
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.packs.git import _merging
from slack_alert.packs.git._decision import Approval
from slack_alert.packs.git._hosts.http import AmbiguousWrite, HostError, RequestRefused, api_of
from slack_alert.packs.git._owners import Approver
from slack_alert.packs.git._pull_requests import Host
from slack_alert.packs.git._records import Records
from slack_alert.packs.git._repositories import Repository
from tests.fakes.git_hosts.world import TOKEN, FakeHost, FakePull, Fault
from tests.fakes.loopback import certified, unused_address

pytestmark = pytest.mark.slow

_NUMBERS = itertools.count(1)
HTML = b"<!doctype html><title>Sign in</title>"
DEEP = b"[" * 100_000
#: What may come instead of an answer, or after what was asked for was done.
WRONG: dict[str, dict[str, Any]] = {
    "cut": {"kind": "cut"},
    "slow": {"kind": "slow", "body": b"30"},
    "500": {"kind": "json", "status": 500, "body": b'{"message": "oops"}'},
    "502": {"kind": "html", "status": 502, "body": HTML},
    "503": {"kind": "html", "status": 503},
    "504": {"kind": "json", "status": 504},
    "429": {"kind": "json", "status": 429, "headers": {"Retry-After": "0"}},
    "a page": {"kind": "html", "status": 200, "body": HTML},
    "a page that is no page": {"kind": "json", "status": 200, "body": HTML},
    "half an answer": {"kind": "truncated"},
    "half an answer, whole in length": {"kind": "json", "status": 200, "body": b'{"merged": tr'},
    "a list": {"kind": "json", "status": 200, "body": b"[]"},
    "a list of texts": {"kind": "json", "status": 200, "body": b'["merged"]'},
    "a number": {"kind": "json", "status": 200, "body": b"1"},
    "a text": {"kind": "json", "status": 200, "body": b'"merged"'},
    "null": {"kind": "json", "status": 200, "body": b"null"},
    "nothing known": {"kind": "json", "status": 200, "body": b'{"message": "ok"}'},
    "the contrary": {"kind": "json", "status": 200, "body": b'{"merged": false, "state": "opened"}'},
    "wrong types": {"kind": "json", "status": 200, "body": b'{"merged": "yes", "state": 1, "sha": {}}'},
    "too deep": {"kind": "json", "status": 200, "body": DEEP},
    "no text": {"kind": "json", "status": 200, "body": b"\xff\xfe\x00"},
}
UNREADABLE = {"a page", "a page that is no page", "half an answer, whole in length", "too deep", "no text"}
#: By these the host says that it has done nothing.
REFUSALS: dict[str, dict[str, Any]] = {
    "301": {"kind": "html", "status": 301, "headers": {"Location": "http://127.0.0.1:1/elsewhere"}},
    "302": {"kind": "html", "status": 302, "headers": {"Location": "/users/sign_in"}},
    "307": {"kind": "json", "status": 307, "headers": {"Location": "http://127.0.0.1:1/elsewhere"}},
    "400": {"kind": "json", "status": 400, "body": b'{"message": "bad"}'},
    "401": {"kind": "json", "status": 401, "body": b'{"message": "Bad credentials"}'},
    "401 as a page": {"kind": "html", "status": 401, "body": HTML},
    "403": {"kind": "json", "status": 403, "body": b'{"message": ["a", {"b": 1}]}'},
    "404": {"kind": "json", "status": 404, "body": b'{"error": "404 Not found"}'},
    "405": {"kind": "json", "status": 405, "body": b'{"message": "not mergeable"}'},
    "409": {"kind": "json", "status": 409, "body": b'{"message": "head moved"}'},
    "422": {"kind": "json", "status": 422, "body": b"\xff{"},
}
ALL = {**WRONG, **REFUSALS}
MERGE = r"/merge$"


def patience(wrong: str, seconds: float = 0.4) -> float:
    """Return how long, in seconds, an answer is waited for: short only where none comes."""
    return seconds if wrong == "slow" else 30.0


def ready(fake: FakeHost, repository: Repository) -> tuple[FakePull, SimpleNamespace]:
    """Return a pull request to which nothing is missing, and the context of a run."""
    pull = fake.opens(file=f"file-{next(_NUMBERS)}")
    cast(Any, fake).is_green(pull)
    now = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
    store = KeyValueStore("git", (), write=lambda _: None, now=lambda: now)
    Records(store, repository.name, pull.number).approve(Approval(fake.head(pull), Approver(("slack:U1",)), "bob"))
    return pull, SimpleNamespace(store=store, program=None, by=None)


def merge(ctx: SimpleNamespace, repository: Repository, host: Host, pull: FakePull) -> str:
    """Ask for a merge, and return what people are told."""
    asked = _merging.merge(cast(Any, ctx), repository, host, pull.number, "merge", named="")
    try:
        return asyncio.run(asked)
    except SlackAlertError as error:
        return f"{type(error).__name__}: {error.sentences}"


@pytest.mark.parametrize("wrong", ALL)
def test_a_merge_that_was_not_done_is_sent_once_and_not_called_one(
    clean: FakeHost, repository: Repository, connect: Callable[..., Host], wrong: str
) -> None:
    pull, ctx = ready(clean, repository)
    clean.faults.append(Fault(method="PUT|POST", path=MERGE, **ALL[wrong]))

    told = merge(ctx, repository, connect(timeout=patience(wrong)), pull)

    assert clean.merges.count((pull.number, clean.head(pull))) == 0
    assert told.startswith(("NotMerged: ", "UnknownOutcome: "))
    assert wrong in WRONG or told.startswith("NotMerged: ")
    assert len([each for each in clean.requests if each.method != "GET"]) == 1
    assert TOKEN not in told


@pytest.mark.parametrize("wrong", WRONG)
def test_a_merge_whose_answer_is_lost_is_found_out(
    clean: FakeHost, repository: Repository, connect: Callable[..., Host], wrong: str
) -> None:
    pull, ctx = ready(clean, repository)
    clean.faults.append(Fault(method="PUT|POST", path=MERGE, is_after=True, **WRONG[wrong]))

    told = merge(ctx, repository, connect(timeout=patience(wrong)), pull)

    assert told.startswith(f"#{pull.number} is merged: ")
    assert clean.merges.count((pull.number, clean.head(pull))) == 1
    assert len([each for each in clean.requests if each.method != "GET"]) == 1


def test_a_merge_whose_answer_and_outcome_are_lost_is_told_as_unknown(
    clean: FakeHost, repository: Repository, connect: Callable[..., Host]
) -> None:
    pull, ctx = ready(clean, repository)
    lost = Fault("cut", method="PUT|POST", path=MERGE, is_after=True)
    clean.faults.append(lost)
    clean.before = lambda _: clean.faults.append(Fault("json", method="GET")) if lost.times == 0 else None

    told = merge(ctx, repository, connect(), pull)

    assert told.startswith(f"UnknownOutcome: It is not known whether #{pull.number} will be merged.")
    assert "before you ask again" in told
    assert clean.merges.count((pull.number, clean.head(pull))) == 1


@pytest.mark.parametrize("is_after", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_comment_is_written_once_at_most(
    clean: FakeHost, repository: Repository, connect: Callable[..., Host], wrong: str, *, is_after: bool
) -> None:
    number = ready(clean, repository)[0].number
    clean.requests.clear()
    clean.faults.append(Fault(method="POST", path="(comments|notes)$", is_after=is_after, **WRONG[wrong]))
    host = connect(timeout=patience(wrong))

    async def comment() -> None:
        await host.comment(await host.pull(number), "approved", "mark-1")

    failed = False
    try:
        asyncio.run(comment())
    except AmbiguousWrite:
        failed = True

    assert len(clean.comments_of(number)) == int(is_after)
    assert len(clean.sent("POST")) == 1
    # An answer that can be read and has status 200 is believed: a comment is no merge.
    assert is_after or failed or ALL[wrong].get("status") == 200


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "slow"])
def test_a_read_that_goes_wrong_twice_is_tried_again(clean: FakeHost, host: Host, wrong: str) -> None:
    pull = clean.opens(file=f"file-{next(_NUMBERS)}")
    clean.faults.append(Fault(method="GET", path=r"/(pulls|merge_requests)/\d+$", times=2, **WRONG[wrong]))

    if WRONG[wrong].get("status") == 200 and wrong not in UNREADABLE:
        # What can be read is not asked for again: it is not understood, which is told.
        with pytest.raises(HostError, match=r"answers (without|something else)"):
            asyncio.run(host.pull(pull.number))
        return

    assert asyncio.run(host.pull(pull.number)).sha == clean.head(pull)


@pytest.mark.parametrize("wrong", ALL)
@pytest.mark.parametrize(
    "part",
    [
        r"/(pulls|merge_requests)/\d+$",
        "(status|statuses|check-runs)$",
        pytest.param("(files|diffs)$", marks=pytest.mark.thorough),
        pytest.param("(reviews|approvals)$", marks=pytest.mark.thorough),
    ],
)
def test_what_cannot_be_read_is_never_taken_as_fine(
    clean: FakeHost, repository: Repository, connect: Callable[..., Host], part: str, wrong: str
) -> None:
    pull, ctx = ready(clean, repository)
    clean.faults.append(Fault(method="GET", path=part, times=100, **ALL[wrong]))

    told = merge(ctx, repository, connect(timeout=patience(wrong, 0.1)), pull)

    if clean.faults[0].times == 100:  # This host is not asked for such a thing.
        assert told.startswith("#")
        return
    # A list without anything in it is an answer: nobody has reviewed, and no file is changed.
    if wrong != "a list" or "status" in part or "pulls" in part:
        assert not told.startswith("#")
        assert clean.merges.count((pull.number, clean.head(pull))) == 0
    assert TOKEN not in told
    assert "Traceback" not in told


def test_a_redirection_takes_the_token_nowhere(clean: FakeHost, host: Host) -> None:
    pull = clean.opens(file=f"file-{next(_NUMBERS)}")
    elsewhere = {"Location": f"{clean.site}/elsewhere"}
    clean.faults.append(Fault("json", method="GET", path=r"\d+$", status=302, headers=elsewhere))

    with pytest.raises(HostError, match="sends us to another address"):
        asyncio.run(host.pull(pull.number))

    assert [each.path for each in clean.requests if "elsewhere" in each.path] == []


def test_an_answer_about_another_pull_request_is_told(clean: FakeHost, host: Host) -> None:
    one, other = (clean.opens(file=f"file-{next(_NUMBERS)}") for _ in range(2))
    answer = clean.answer(_request(clean, host, one.number))[1]
    wrong = json.dumps(answer).encode()
    clean.faults.append(Fault("json", method="GET", path=rf"/{other.number}$", status=200, body=wrong))

    with pytest.raises(HostError, match=f"was asked for #{other.number}, and answers about another one"):
        asyncio.run(host.pull(other.number))


def _request(clean: FakeHost, host: Host, number: int) -> Any:
    asyncio.run(host.pull(number))
    return clean.requests[-1]


def test_the_token_is_in_no_repr_and_in_no_error(clean: FakeHost, host: Host) -> None:
    clean.faults.append(Fault("json", method="GET", status=403, body=json.dumps({"message": "no"}).encode()))

    with pytest.raises(HostError) as caught:
        asyncio.run(host.pulls())

    assert TOKEN not in f"{host!r} {caught.value!r} {caught.value}"


def test_a_host_that_is_not_there_is_told(
    clean: FakeHost, repository: Repository, connect: Callable[..., Host]
) -> None:
    pull, ctx = ready(clean, repository)
    host: Any = connect()
    gone = replace(host, api=replace(host.api, root=unused_address()))

    assert "cannot be reached" in merge(ctx, repository, gone, pull)
    # A write that never left is none.
    with pytest.raises(RequestRefused, match="cannot be reached"):
        asyncio.run(gone.comment(asyncio.run(host.pull(pull.number)), "approved", "mark"))


def test_a_certificate_that_is_not_good_is_named() -> None:
    with certified() as place:
        api = replace(api_of("GitHub", f"https://{place}", {}), pauses=())
        with pytest.raises(HostError, match=r"cannot be reached: self.signed certificate"):
            asyncio.run(api.get("/user"))


def test_a_request_that_was_given_up_meets_no_fault_of_a_later_test(clean: FakeHost, host: Host) -> None:
    with clean.lock:
        with pytest.raises(HostError, match="does not answer within"):
            asyncio.run(replace(cast(Any, host), api=replace(cast(Any, host).api, timeout=0.05)).pulls())
        clean.faults.append(Fault("json", method="GET", status=403))

    with pytest.raises(HostError, match="403"):
        asyncio.run(host.pulls())
