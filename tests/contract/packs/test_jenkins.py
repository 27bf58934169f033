"""The Jenkins pack against a fake of Jenkins: starting, waiting, following, stopping, and what stands in between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from slack_alert.packs.jenkins import _builds
from slack_alert.packs.jenkins._builds import Build, Follower, failing_lines, last_builds, whole_log
from slack_alert.packs.jenkins._client import JenkinsClient, JenkinsError, UncertainError, connected, job_path
from tests.fakes.jenkins import PASSWORD, TOKEN, USER, FakeItem, FakeJenkins, FakeJob

pytestmark = pytest.mark.slow

T = TypeVar("T")
VERSION = {"name": "VERSION", "type": "StringParameterDefinition"}
ENVIRONMENT = {"name": "ENV", "type": "ChoiceParameterDefinition", "choices": ["staging", "prod"]}


@pytest.fixture
def jenkins(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeJenkins]:
    monkeypatch.setattr(_builds, "LOOK", 0.01)
    monkeypatch.setattr(_builds, "_PATIENCE", 2)
    with FakeJenkins() as fake:
        yield fake


def call(
    jenkins: FakeJenkins, act: Callable[[JenkinsClient], Awaitable[T]], *, token: str = TOKEN, seconds: float = 5
) -> T:
    config = {"url": jenkins.url, "user": USER, "token": token, "timeout": timedelta(seconds=seconds)}

    async def whole() -> T:
        async with connected(config) as client:
            return await act(client)

    return asyncio.run(whole())


class Following:
    """A build that is started and followed, with what was told on its way."""

    def __init__(self, jenkins: FakeJenkins, job: FakeJob) -> None:
        self.jenkins = jenkins
        self.job = job
        self.told: list[str] = []
        #: What follows it.
        self.task: asyncio.Future[Build] | None = None
        #: Called with the number of what was told so far, each time something is.
        self.then: Callable[[int], object] = lambda _: None

    def _tell(self, _: float, text: str) -> None:
        self.told.append(text)
        self.then(len(self.told))

    def build(self, values: Mapping[str, str] | None = None, **options: Any) -> Build:
        async def act(client: JenkinsClient) -> Build:
            self.task = asyncio.ensure_future(Follower(client, self.job.path, self._tell).build(values or {}))
            return await asyncio.wait_for(self.task, 10)

        return call(self.jenkins, act, **options)

    def cancel(self) -> None:
        assert self.task is not None
        self.task.cancel()

    def end(self, result: str, log: str = "") -> None:
        """End the newest build."""
        build = self.job.builds[-1]
        build.log += log
        build.result = result


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("shop", "job/shop"),
        ("folder/job/shop", "job/folder/job/shop"),
        ("job/folder/job/shop", "job/folder/job/shop"),
        ("folder/shop", "job/folder/job/shop"),
        ("/a b/job/c%20d/", "job/a%20b/job/c%20d"),
        ("../admin", "job/../job/admin"),
    ],
)
def test_a_job_is_found_by_whichever_way_it_is_written(written: str, path: str) -> None:
    assert job_path(written) == path


def test_a_build_with_parameters_is_followed_to_its_result(jenkins: FakeJenkins) -> None:
    following = Following(jenkins, jenkins.add("team", "shop", parameters=[VERSION, ENVIRONMENT]))

    def then(count: int) -> None:
        if count == 1:
            following.job.builds[-1].log = "one\n"
        elif count == 3:
            following.end("SUCCESS", "two\n")

    following.then = then
    build = following.build({"VERSION": "1.4.2", "ENV": "prod"})

    assert (build.number, build.result, build.seconds) == (1, "SUCCESS", 42.0)
    assert following.told[0] == "#1"
    assert following.told[-1] == "#1 one"
    assert jenkins.posted == [("job/team/job/shop/buildWithParameters", {"VERSION": "1.4.2", "ENV": "prod"})]


def test_a_job_without_parameters_is_built_without(jenkins: FakeJenkins) -> None:
    following = Following(jenkins, jenkins.add("plain"))
    following.then = lambda _: following.end("UNSTABLE")

    assert following.build().result == "UNSTABLE"
    assert jenkins.posted == [("job/plain/build", {})]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"VERSIO": "1"}, "the job has no parameter VERSIO: it has VERSION, ENV"),
        ({"ENV": "prd"}, "ENV cannot be prd: the job allows staging, prod"),
    ],
)
def test_what_the_job_does_not_take_is_told_and_not_sent(
    jenkins: FakeJenkins, values: dict[str, str], said: str
) -> None:
    following = Following(jenkins, jenkins.add("shop", parameters=[VERSION, ENVIRONMENT]))

    with pytest.raises(JenkinsError, match=said):
        following.build(values)
    assert jenkins.posted == []


def test_what_waits_in_the_queue_says_why(jenkins: FakeJenkins) -> None:
    jenkins.begins_at_once = False
    following = Following(jenkins, jenkins.add("shop"))

    def then(count: int) -> None:
        (item,) = jenkins.items.values()
        if count == 1:
            item.why = "Waiting for next available executor on linux."
        elif count == 2:
            jenkins.begin(item)
        else:
            following.end("SUCCESS")

    following.then = then
    following.build()

    assert following.told[:2] == [
        "In the quiet period. Expires in 5 sec",
        "Waiting for next available executor on linux",
    ]


def test_the_host_in_an_address_does_not_matter(jenkins: FakeJenkins) -> None:
    jenkins.shown_host = "https://internal.example:8443/jenkins"
    following = Following(jenkins, jenkins.add("shop"))
    following.then = lambda _: following.end("SUCCESS")

    assert following.build().number == 1


def test_a_build_is_found_after_its_item_was_forgotten(jenkins: FakeJenkins) -> None:
    jenkins.begins_at_once = False
    following = Following(jenkins, jenkins.add("shop"))
    other = FakeItem(1, following.job, {})
    jenkins.begin(other).result = "SUCCESS"

    def then(count: int) -> None:
        (item,) = jenkins.items.values()
        if count == 1:
            jenkins.begin(other).result = "FAILURE"
            jenkins.begin(item)
            item.is_forgotten = True
        else:
            following.end("SUCCESS")

    following.then = then
    assert following.build().number == 3


def _take_out(item: FakeItem) -> None:
    item.is_cancelled = True


def _forget(item: FakeItem) -> None:
    item.is_forgotten = True


@pytest.mark.parametrize(
    ("act", "said"),
    [(_take_out, "it was taken out of the queue in Jenkins"), (_forget, "it is gone from the queue of Jenkins")],
)
def test_what_never_begins_is_told(jenkins: FakeJenkins, act: Callable[[FakeItem], None], said: str) -> None:
    jenkins.begins_at_once = False
    following = Following(jenkins, jenkins.add("shop"))
    following.then = lambda _: act(next(iter(jenkins.items.values())))

    with pytest.raises(JenkinsError, match=said):
        following.build()


def test_whoever_cancels_takes_it_out_of_the_queue(jenkins: FakeJenkins) -> None:
    jenkins.begins_at_once = False
    following = Following(jenkins, jenkins.add("shop"))
    following.then = lambda _: following.cancel()

    with pytest.raises(asyncio.CancelledError):
        following.build()
    assert [item.is_cancelled for item in jenkins.items.values()] == [True]
    assert following.job.builds == []


def test_what_begins_while_it_is_canceled_is_stopped(jenkins: FakeJenkins) -> None:
    jenkins.begins_at_once = False
    following = Following(jenkins, jenkins.add("shop"))
    jenkins.before["queue/cancelItem"] = lambda: jenkins.begin(next(iter(jenkins.items.values())))
    following.then = lambda _: following.cancel()

    with pytest.raises(asyncio.CancelledError):
        following.build()
    assert [build.result for build in following.job.builds] == ["ABORTED"]


def test_what_is_being_started_while_it_is_canceled_is_stopped(jenkins: FakeJenkins) -> None:
    following = Following(jenkins, jenkins.add("shop"))

    def cancel() -> None:
        assert following.task is not None
        following.task.get_loop().call_soon_threadsafe(following.cancel)

    jenkins.before["job/shop/build"] = cancel

    with pytest.raises(asyncio.CancelledError):
        following.build()
    assert [build.result for build in following.job.builds] == ["ABORTED"]


@pytest.mark.parametrize("way", ["stop", "term", "kill"])
def test_a_build_is_stopped_then_ended_then_killed(jenkins: FakeJenkins, way: str) -> None:
    following = Following(jenkins, jenkins.add("shop"))

    def then(_: int) -> None:
        following.job.builds[-1].ends_by = way
        following.cancel()

    following.then = then
    ways = ["stop", "term", "kill"]

    with pytest.raises(asyncio.CancelledError):
        following.build()
    (build,) = following.job.builds
    assert (build.result, build.ways) == ("ABORTED", ways[: ways.index(way) + 1])


def test_a_build_that_does_not_end_is_told(jenkins: FakeJenkins) -> None:
    following = Following(jenkins, jenkins.add("shop"))

    def then(_: int) -> None:
        following.job.builds[-1].ends_by = "nothing"
        following.cancel()

    following.then = then
    with pytest.raises(JenkinsError, match="it was asked to stop, and goes on: job/shop/1"):
        following.build()


def test_a_password_needs_a_crumb_which_is_fetched_once(jenkins: FakeJenkins) -> None:
    following = Following(jenkins, jenkins.add("shop"))
    following.then = lambda _: following.end("SUCCESS")

    assert following.build(token=PASSWORD).result == "SUCCESS"
    assert len(jenkins.posted) == 1


def test_a_wrong_token_is_not_signed_in(jenkins: FakeJenkins) -> None:
    following = Following(jenkins, jenkins.add("shop"))

    with pytest.raises(JenkinsError, match="Jenkins does not know us") as raised:
        following.build(token="hunter2-wrong")
    assert "hunter2" not in f"{raised.value!r}"


#: Each answer, and whether that is asked again.
WRONG = [
    ((302, ""), "not signed in"),
    ((303, ""), "not signed in"),
    ((401, "<html>"), "Jenkins does not know us"),
    ((403, "<html>"), "Jenkins does not let this user do that"),
    ((404, "<html>"), "Jenkins has no such thing"),
    ((200, "<html><form action=login>"), "not signed in"),
    ((200, ""), "the answer of Jenkins cannot be read"),
    ((200, '{"name": '), "the answer of Jenkins cannot be read"),
    ((200, "[]"), "the answer of Jenkins cannot be read"),
    ((500, "<html>oops"), "Jenkins refused it: 500"),
    ((502, "bad gateway"), "Jenkins refused it: 502"),
    ((503, "Jenkins is getting ready to work"), "Jenkins refused it: 503"),
    (None, "Jenkins cannot be reached"),
]


@pytest.mark.parametrize(("answer", "said"), WRONG)
def test_each_wrong_answer_to_a_question_is_a_sentence(
    jenkins: FakeJenkins, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, str] | None, said: str
) -> None:
    monkeypatch.setattr("slack_alert.packs.jenkins._client._PAUSES", (0.0, 0.0))
    following = Following(jenkins, jenkins.add("shop"))
    jenkins.answers["job/shop/api/json"] = [answer] * 9  # The library asks again by itself, too.

    with pytest.raises(JenkinsError, match=said):
        following.build()
    assert jenkins.posted == []


def test_a_question_is_asked_again_after_a_fault(jenkins: FakeJenkins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slack_alert.packs.jenkins._client._PAUSES", (0.0, 0.0))
    following = Following(jenkins, jenkins.add("shop"))
    following.then = lambda _: following.end("SUCCESS")
    jenkins.answers["job/shop/api/json"] = [(502, ""), None]

    assert following.build().result == "SUCCESS"


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((500, "oops"), UncertainError, "it is not known whether it did that"),
        ((502, "bad gateway"), UncertainError, "it is not known whether it did that"),
        (None, UncertainError, "it is not known whether it did that"),
        ((200, "<html>"), UncertainError, "does not tell what it has queued"),
        ((403, "<html>"), JenkinsError, "Jenkins does not let this user do that"),
        ((409, "<html>"), JenkinsError, "Jenkins refused it: 409"),
    ],
)
def test_what_starts_a_build_is_sent_once_whatever_is_answered(
    jenkins: FakeJenkins, answer: tuple[int, str] | None, error: type[JenkinsError], said: str
) -> None:
    following = Following(jenkins, jenkins.add("shop"))
    jenkins.wants_crumbs = False
    jenkins.answers["job/shop/build"] = [answer]

    with pytest.raises(error, match=said):
        following.build()
    assert jenkins.posted == []
    assert following.job.builds == []


def test_a_disabled_job_is_told(jenkins: FakeJenkins) -> None:
    following = Following(jenkins, jenkins.add("shop"))
    following.job.is_enabled = False

    with pytest.raises(JenkinsError, match="the job is disabled in Jenkins"):
        following.build()


def test_the_failing_stage_and_the_last_lines_are_told(jenkins: FakeJenkins) -> None:
    job = jenkins.add("shop")
    build = jenkins.begin(FakeItem(1, job, {}))
    build.log, build.result = "".join(f"line {n}\n\n" for n in range(40)), "FAILURE"
    build.stages = [{"name": "Build", "status": "SUCCESS"}, {"name": "Smoke test", "status": "FAILED"}]

    async def act(client: JenkinsClient) -> tuple[str, str]:
        (found,) = await last_builds(client, job.path, 10)
        return await failing_lines(client, found)

    stage, lines = call(jenkins, act)
    assert (stage, lines.splitlines()) == ("Smoke test", [f"line {n}" for n in range(25, 40)])


def test_a_log_that_says_that_more_is_to_come_and_gives_nothing_ends(jenkins: FakeJenkins) -> None:
    job = jenkins.add("shop")
    jenkins.begin(FakeItem(1, job, {})).log = "it goes on\n"

    assert call(jenkins, lambda client: whole_log(client, "job/shop/1")) == "it goes on\n"


def test_nobody_there_is_told(jenkins: FakeJenkins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slack_alert.packs.jenkins._client._PAUSES", ())
    url = jenkins.url

    async def act() -> object:
        config = {"url": url.replace("127.0.0.1", "127.0.0.2"), "timeout": timedelta(seconds=5)}
        async with connected(config) as client:
            return await client.get("job/shop")

    with pytest.raises(JenkinsError, match="Jenkins cannot be reached: ClientConnectorError"):
        asyncio.run(act())


class TestOtherClients:
    """The fake is a Jenkins for clients that are none of ours."""

    def test_python_jenkins_builds_and_reads(self, jenkins: FakeJenkins) -> None:
        module = pytest.importorskip("jenkins")
        jenkins.add("team", "shop", parameters=[VERSION])
        server = module.Jenkins(jenkins.url, username=USER, password=PASSWORD)
        item = server.build_job("team/shop", {"VERSION": "1"})

        assert server.get_queue_item(item)["executable"]["number"] == 1
        assert server.get_job_info("team/shop")["lastBuild"]["number"] == 1
        assert server.get_build_info("team/shop", 1)["building"] is True
        server.stop_build("team/shop", 1)
        assert server.get_build_info("team/shop", 1)["result"] == "ABORTED"
        server._session.close()

    def test_api4jenkins_builds_and_reads(self, jenkins: FakeJenkins) -> None:
        module = pytest.importorskip("api4jenkins")
        job = jenkins.add("team", "shop", parameters=[VERSION])
        client = module.Jenkins(jenkins.url, auth=(USER, TOKEN))
        item = client.build_job("team/shop", VERSION="1")
        timer = threading.Timer(0.2, lambda: setattr(job.builds[-1], "result", "SUCCESS"))
        timer.start()
        build = item.get_build()

        assert build.number == 1
        timer.join()
        assert build.api_json()["result"] == "SUCCESS"
        client.http_client.close()
