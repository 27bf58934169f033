"""What the fake hosts have in common: pull requests over a real repository, accounts, and what goes wrong."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.git_hosts.repository import GitFailed, Repository

TOKEN = "token-hunter2-of-the-bot"
BOT = "shop-bot"
CREATED = "2026-11-01T09:00:00Z"


@dataclass
class FakePull:
    """A pull request."""

    number: int
    title: str
    author: str
    source: str
    target: str = "main"
    state: str = "open"
    is_draft: bool = False
    labels: list[str] = field(default_factory=list)
    merge_commit: str = ""
    #: The commit that was the newest when it was merged.
    merged_head: str = ""
    reviews: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    #: Such as a host's own marks of who has approved and tested.
    more: dict[str, Any] = field(default_factory=dict)
    #: Answers in which the host still finds out whether it can be merged.
    unchecked: int = 0


@dataclass
class Fault:
    """Something that goes wrong with some requests; `after` it was done, or instead of it."""

    kind: str
    method: str = ""
    path: str = ""
    times: int = 1
    is_after: bool = False
    body: bytes = b""
    status: int = 502
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class Answer(Exception):
    """An answer other than 200; raised from wherever it is known."""

    def __init__(self, status: int, content: object = None) -> None:
        super().__init__(status)
        self.status = status
        self.content = content


Route = Callable[..., object]


class FakeHost:
    """A host on loopback; each kind has its routes and its own form of answers."""

    #: Where its API begins, and the header that has the token, with what stands before it.
    root: ClassVar[str] = ""
    token_header: ClassVar[tuple[str, str]] = ("authorization", "Bearer |token ")
    routes: ClassVar[Sequence[tuple[str, str, str]]] = ()

    def __init__(self, folder: Path, path: str = "acme/shop") -> None:
        self.path = path
        self.repository = Repository(folder / "repository")
        self.pulls: dict[int, FakePull] = {}
        #: Checks by commit.
        self.statuses: dict[str, list[dict[str, Any]]] = {}
        self.required: list[str] = []
        self.accounts = {TOKEN: BOT}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        #: Requests that a real host would not have understood.
        self.violations: list[str] = []
        self.merges: list[tuple[int, str]] = []
        self.lock = threading.RLock()
        #: Called before each request is answered.
        self.before: Callable[[Request], object] = lambda _: None

    def __enter__(self) -> Any:  # Any: the kind of host
        host = self

        class Handler(_Handler):
            fake = host

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.site}{self.root}"

    # --- what people do on the host

    def opens(
        self, title: str = "Add a basket", *, author: str = "ann", file: str = "basket.py", **more: Any
    ) -> FakePull:
        number = len(self.pulls) + 1
        branch = more.pop("source", f"topic-{number}")
        self.repository.push(branch, file)
        self.pulls[number] = FakePull(number, title, author, branch, **more)
        return self.pulls[number]

    def pushes(self, pull: FakePull, file: str = "basket.py") -> str:
        return self.repository.push(pull.source, file)

    def head(self, pull: FakePull) -> str:
        return pull.merged_head or self.repository.head(pull.source)

    # --- what hosts do

    def pull(self, number: str) -> FakePull:
        found = self.pulls.get(int(number)) if number.isdigit() else None
        if found is None:
            raise Answer(404, {"message": "Not Found"})
        return found

    def merge(self, pull: FakePull, method: str) -> str:
        head = self.head(pull)
        pull.merge_commit = self.repository.merge(pull.source, pull.target, method)
        pull.merged_head, pull.state = head, "merged"
        self.merges.append((pull.number, head))
        return pull.merge_commit

    def is_mergeable(self, pull: FakePull) -> bool:
        return pull.state == "open" and self.repository.is_mergeable(pull.source, pull.target)

    def login(self, request: Request) -> str:
        """Return whose token it is; raise 401 where there is none, or another one."""
        header, before = self.token_header
        given = request.headers.get(header, "")
        prefix = next((each for each in before.split("|") if given.startswith(each)), None)
        login = None if prefix is None else self.accounts.get(given.removeprefix(prefix))
        if login is None:
            raise Answer(401, {"message": "Bad credentials"})
        if TOKEN in json.dumps([request.path, dict(request.query), dict(request.body)]):
            self.violations.append(f"the token is not in a header only: {request.path}")
        return login

    def answer(self, request: Request) -> tuple[int, object]:
        """Return status and content."""
        for method, pattern, name in self.routes:
            match = re.fullmatch(pattern.format(repo=self.repo_pattern), request.path.removeprefix(self.root))
            if match and method == request.method and request.path.startswith(self.root):
                try:
                    login = self.login(request)
                    route: Route = getattr(self, name)
                    return 200, route(request, login, *map(unquote, match.groups()))
                except Answer as answer:
                    return answer.status, answer.content
                except GitFailed as error:
                    return 409, {"message": str(error)}
        self.violations.append(f"{request.method} {request.path}")
        return 404, {"message": "Not Found"}

    @property
    def repo_pattern(self) -> str:
        return re.escape(self.path)

    def paged(
        self, request: Request, items: Sequence[object], *, longest: int = 100, size: str = "per_page"
    ) -> list[object]:
        page, length = int(request.query.get("page", "1")), min(longest, int(request.query.get(size, "30")))
        return list(items[(page - 1) * length : page * length])

    def comments_of(self, number: int) -> list[str]:
        return [str(each["body"]) for each in self.pulls[number].comments]

    def sent(self, method: str, part: str = "") -> list[Request]:
        return [each for each in self.requests if each.method == method and part in each.path]

    def forget(self) -> None:
        """Forget the requests and faults of an earlier test; the pull requests stay."""
        with self.lock:
            self.faults.clear()
            self.requests.clear()
            self.before = lambda _: None

    def take_fault(self, request: Request, *, is_after: bool) -> Fault | None:
        for fault in self.faults:
            is_meant = fault.is_after == is_after and request.method in (fault.method or request.method).split("|")
            if fault.times > 0 and is_meant and re.search(fault.path, request.path):
                fault.times -= 1
                return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeHost

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = urlsplit(self.path)
        try:
            body = json.loads(raw) if raw.strip() else {}
        except ValueError:
            body = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
        with self.fake.lock:
            if self._is_alone():
                self.close_connection = True
                return
            self.fake.requests.append(request)
            self.fake.before(request)
            if (fault := self.fake.take_fault(request, is_after=False)) is None:
                status, content = self.fake.answer(request)
                fault = self.fake.take_fault(request, is_after=True)
        if fault is not None:
            self._fail(fault)
        else:
            empty = status == 204 or content is None
            self._write(status, b"" if empty else json.dumps(content).encode(), "application/json")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - as http.server calls them

    def _is_alone(self) -> bool:
        """Return whether who asked has gone: a request that was given up counts for no later test."""
        try:
            return bool(self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "cut":
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif fault.kind == "slow":
            self.connection.settimeout(float(fault.body or b"1"))
            with suppress(OSError):
                self.connection.recv(1)
            self.close_connection = True
        elif fault.kind == "truncated":
            self._write(200, fault.body or b'{"merged": tr', "application/json", length=500)
            self.close_connection = True
        else:
            kind = "text/html" if fault.kind == "html" else "application/json"
            self._write(fault.status, fault.body, kind, headers=fault.headers)

    def _write(
        self,
        status: int,
        body: bytes,
        kind: str,
        *,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
