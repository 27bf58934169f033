"""A Jenkins on loopback: folders, jobs with and without parameters, a queue, builds whose logs grow, and who may.

What the real one refuses is refused: a token that is wrong, a crumb that is missing, `build` of a job with parameters
(400) and `buildWithParameters` of one without (500), an unknown choice. A build goes on until the test ends it.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from tests.fakes.slack_listener import Listener
from tests.fakes.slack_rules import Json

if TYPE_CHECKING:
    from typing_extensions import Self

USER, TOKEN, PASSWORD = "bot", "11aa22bb33cc44dd", "the-password"
CRUMB_FIELD, CRUMB = "Jenkins-Crumb", "f00d"
Result = TypeVar("Result")


@dataclass(slots=True)
class FakeBuild:
    """A build."""

    number: int
    queue_id: int
    parameters: dict[str, str]
    began: float
    log: str = ""
    result: str | None = None
    stages: list[Json] | None = None
    #: How it was asked to end.
    ways: list[str] = field(default_factory=list)
    #: The way that ends it.
    ends_by: str = "stop"


@dataclass(slots=True)
class FakeJob:
    """A job, with its path: `job/folder/job/shop`."""

    path: str
    parameters: list[Json] = field(default_factory=list)
    is_enabled: bool = True
    builds: list[FakeBuild] = field(default_factory=list)
    usual: float = 60.0


@dataclass(slots=True)
class FakeItem:
    """An item of the queue."""

    id: int
    job: FakeJob
    parameters: dict[str, str]
    why: str = "In the quiet period. Expires in 5 sec"
    is_cancelled: bool = False
    build: FakeBuild | None = None
    is_forgotten: bool = False


class FakeJenkins:
    """`with FakeJenkins() as jenkins` serves `jenkins.url`; its state may be changed on any thread."""

    def __init__(self) -> None:
        self.jobs: dict[str, FakeJob] = {}
        self.items: dict[int, FakeItem] = {}
        #: What was sent, with its content.
        self.posted: list[tuple[str, dict[str, str]]] = []
        #: In place of the real answers: status and body, or None for a connection that breaks off.
        self.answers: dict[str, list[tuple[int, str] | None]] = {}
        #: Called before a path is answered.
        self.before: dict[str, Callable[[], object]] = {}
        self.wants_crumbs = True
        #: Builds begin as soon as they are asked for.
        self.begins_at_once = True
        #: The host of addresses, where a proxy gives Jenkins another one.
        self.shown_host = ""
        self._ids = itertools.count(100)
        self._loop = asyncio.new_event_loop()
        self._listener = Listener(self._handle, port=0)
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-jenkins", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait_for(self._listener.start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._wait_for(self._listener.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}"

    def add(self, *names: str, parameters: list[Json] | None = None) -> FakeJob:
        """Add a job in folders."""
        path = "/".join(f"job/{name}" for name in names)
        self.jobs[path] = FakeJob(path, parameters or [])
        return self.jobs[path]

    def begin(self, item: FakeItem) -> FakeBuild:
        """Let an item of the queue become a build."""
        job = item.job
        item.build = FakeBuild(len(job.builds) + 1, item.id, item.parameters, time.time())
        job.builds.append(item.build)
        return item.build

    def _wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.strip("/")
        if self.answers.get(path):
            answer = self.answers[path].pop(0)
            if answer is None:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            headers = {"Location": f"{self.url}/login"} if 300 <= answer[0] < 400 else {}
            return web.Response(status=answer[0], text=answer[1], headers=headers, content_type="text/html")
        if (refusal := self._refusal(request)) is not None:
            return refusal
        content = (
            {name: str(value) for name, value in (await request.post()).items()} if request.method == "POST" else {}
        )
        if path in self.before:
            self.before[path]()
        if request.method == "POST":
            self.posted.append((path, content))
            return self._post(path, content, dict(request.query))
        return self._get(path, dict(request.query))

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        logins = {base64.b64encode(f"{USER}:{word}".encode()).decode(): word for word in (TOKEN, PASSWORD)}
        shown = logins.get(request.headers.get("Authorization", "").removeprefix("Basic "))
        if shown is None:
            is_given = "Authorization" in request.headers
            return _page(401 if is_given else 403, "Authentication required")
        if request.method == "POST" and shown == PASSWORD and self.wants_crumbs:
            is_session = request.cookies.get("JSESSIONID") == "s1"
            if request.headers.get(CRUMB_FIELD) != CRUMB or not is_session:
                return _page(403, "No valid crumb was included in the request")
        return None

    def _post(self, path: str, content: dict[str, str], query: dict[str, str]) -> web.Response:
        if path == "queue/cancelItem":
            item = self.items.get(int(content.get("id") or query.get("id", "0")))
            if item is None:
                return _page(404, "Not found")
            if item.build is not None:
                return _page(500, f"Could not cancel run with id {item.id}")
            item.is_cancelled = True
            return web.Response(status=204)
        job_path, _, verb = path.rpartition("/")
        if verb in {"build", "buildWithParameters"} and job_path in self.jobs:
            return self._start(self.jobs[job_path], verb, {**query, **content})
        if verb in {"stop", "term", "kill"} and (build := self._build(job_path)) is not None:
            build.ways.append(verb)
            if verb == build.ends_by:
                build.result = "ABORTED"
            return web.Response(status=302, headers={"Location": f"{self.url}/{job_path}/"})
        return _page(404, "Not found")

    def _start(self, job: FakeJob, verb: str, values: dict[str, str]) -> web.Response:
        if not job.is_enabled:
            return _page(409, "is not buildable")
        if verb == "build" and job.parameters:
            return _page(400, "Nothing is submitted")
        if verb == "buildWithParameters" and not job.parameters:
            return _page(500, "is not parameterized")
        for each in job.parameters:
            if values.get(each["name"]) not in (None, *each.get("choices", [values.get(each["name"])])):
                return _page(400, "Illegal choice")
        item = FakeItem(next(self._ids), job, values)
        self.items[item.id] = item
        if self.begins_at_once:
            self.begin(item)
        return web.Response(status=201, headers={"Location": f"{self.shown_host or self.url}/queue/item/{item.id}/"})

    def _get(self, path: str, query: dict[str, str]) -> web.Response:
        if path == "crumbIssuer/api/json":
            if not self.wants_crumbs:
                return _page(404, "Not found")
            answer = web.json_response({"crumbRequestField": CRUMB_FIELD, "crumb": CRUMB})
            answer.set_cookie("JSESSIONID", "s1")
            return answer
        folder = path.removesuffix("api/json").strip("/")
        if path in {"api/json", "me/api/json"} or (path != folder and self._inside(folder)):
            shown = {"_class": _FOLDER, "mode": "NORMAL", "fullName": USER, "id": USER, "jobs": self._inside(folder)}
            return web.json_response(shown, headers=_VERSION)
        if path.startswith("queue/item/"):
            return self._item(self.items.get(int(path.split("/")[2])))
        job_path = path.removesuffix("/api/json")
        if job_path in self.jobs:
            return web.json_response(self._shown(self.jobs[job_path]), headers=_VERSION)
        return self._get_build(path, query)

    def _get_build(self, path: str, query: dict[str, str]) -> web.Response:
        build_path, _, what = path.partition("/logText/")
        if what and (build := self._build(build_path)) is not None:
            return _log(build, int(query.get("start", "0")))
        described = path.removesuffix("/wfapi/describe")
        if described != path and (build := self._build(described)) is not None and build.stages is not None:
            return web.json_response({"stages": build.stages})
        build_path = path.removesuffix("/api/json")
        if build_path != path and (build := self._build(build_path)) is not None:
            return web.json_response(self._told(build_path, build), headers=_VERSION)
        is_page = path in self.jobs or self._build(path) is not None
        return _page(200, "a page for people") if is_page else _page(404, "Not found")

    def _inside(self, folder: str) -> list[Json]:
        """Return what is right below a folder."""
        below = f"{folder}/job/" if folder else "job/"
        names = {path.removeprefix(below).partition("/")[0] for path in self.jobs if path.startswith(below)}
        return [
            {
                "_class": _FOLDER if f"{below}{name}" not in self.jobs else _JOB,
                "name": name,
                "fullName": f"{below}{name}".replace("job/", ""),
                "url": f"{self.url}/{below}{name}/",
            }
            for name in sorted(names)
        ]

    def _item(self, item: FakeItem | None) -> web.Response:
        if item is None or item.is_forgotten:
            return _page(404, "Not found")
        build = item.build
        url = f"{self.url}/{item.job.path}/"
        shown = {
            "_class": f"hudson.model.Queue${'LeftItem' if build else 'WaitingItem'}",
            "id": item.id,
            "why": None if build else item.why,
            "blocked": build is None,
            "cancelled": item.is_cancelled,
            "executable": {"_class": _RUN, "number": build.number, "url": f"{url}{build.number}/"} if build else None,
            "url": f"queue/item/{item.id}/",
            "task": {"_class": _JOB, "url": url},
            "inQueueSince": 1_700_000_000_000,
        }
        return web.json_response(shown, headers=_VERSION)

    def _shown(self, job: FakeJob) -> Json:
        builds = [self._told(f"{job.path}/{each.number}", each) for each in reversed(job.builds)]
        waiting = [
            item for item in self.items.values() if item.job is job and item.build is None and not item.is_cancelled
        ]
        return {
            "_class": _JOB,
            "name": job.path.rpartition("/")[2],
            "fullName": job.path.replace("job/", ""),
            "url": f"{self.url}/{job.path}/",
            "buildable": job.is_enabled,
            "inQueue": bool(waiting),
            "queueItem": None,
            "lastBuild": builds[0] if builds else None,
            "nextBuildNumber": len(builds) + 1,
            "builds": builds,
            "property": [{"parameterDefinitions": job.parameters}] if job.parameters else [],
        }

    def _told(self, path: str, build: FakeBuild) -> Json:
        job = self.jobs[path.rpartition("/")[0]]
        is_over = build.result is not None
        return {
            "_class": _RUN,
            "number": build.number,
            "id": str(build.number),
            "queueId": build.queue_id,
            "building": not is_over,
            "result": build.result,
            "timestamp": round(build.began * 1000),
            "duration": 42_000 if is_over else 0,
            "estimatedDuration": round(job.usual * 1000),
            "url": f"{self.url}/{path}/",
            "description": None,
            "actions": [],
        }

    def _build(self, path: str) -> FakeBuild | None:
        job_path, _, number = path.rpartition("/")
        job = self.jobs.get(job_path)
        if job is None or not number.isdigit() or not 0 < int(number) <= len(job.builds):
            return None
        return job.builds[int(number) - 1]


_RUN = "hudson.model.FreeStyleBuild"
_JOB, _FOLDER = "hudson.model.FreeStyleProject", "com.cloudbees.hudson.plugins.folder.Folder"
_VERSION = {"X-Jenkins": "2.516.1"}


def _log(build: FakeBuild, start: int) -> web.Response:
    written = build.log.encode()
    headers = {"X-Text-Size": str(len(written)), **({"X-More-Data": "true"} if build.result is None else {})}
    return web.Response(body=written[start:], headers=headers, content_type="text/plain", charset="utf-8")


def _page(status: int, words: str) -> web.Response:
    return web.Response(
        status=status, text=f"<html><body>{words}</body></html>", content_type="text/html", headers=_VERSION
    )
