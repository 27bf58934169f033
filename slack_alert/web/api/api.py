"""The HTTP API: reads what the command line reads, and asks for what people may ask for in a chat."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

from slack_alert.channels.web import WebChannel
from slack_alert.core.commands.decision import Refused
from slack_alert.core.commands.queue_view import queue_json
from slack_alert.core.commands.words import quote_word
from slack_alert.core.errors import BadValue, StoreError
from slack_alert.core.events import Emitted
from slack_alert.core.model.audit import AuditEntry, AuditVerdict
from slack_alert.core.structs import Struct
from slack_alert.core.units.moments import parse_moment
from slack_alert.engine.batches import Batch
from slack_alert.engine.commands.past_runs import PastRuns
from slack_alert.engine.ports import Recorder, WebRequest, WebResponse, WebRoutes
from slack_alert.operations.as_json import history_json, job_line_json, status_json
from slack_alert.operations.emit import checked_event
from slack_alert.operations.history import history
from slack_alert.operations.jobs import list_jobs
from slack_alert.operations.program import Program
from slack_alert.operations.queue import view_of
from slack_alert.web.api.asking import DOOR, TOKEN, CommandAnswer, CommandAsker, HandleAsked, NotKeptError, conclude
from slack_alert.web.api.openapi import describe
from slack_alert.web.api.routes import ROUTES, Access, Route

log = logging.getLogger(__name__)

_JSON = "application/json"
_BEARER = "bearer "
#: Seconds that a caller waits for the end of a command, unless it says how long.
_WAIT, _LONGEST_WAIT = 5.0, 60.0
_SHOWN, _MOST_SHOWN = 50, 1000
#: In seconds: how long a caller waits for an event to be on disk.
_PATIENCE = 8.0


class EngineSide(Protocol):
    """What the API needs of the engine."""

    def handle(self, event: Any, then: Callable[[], object]) -> Any:  # Any: it has an overload for each kind
        """Handle an event, or what somebody asks for; `then` is called on any thread once it is on disk."""


class Tokens(Struct, frozen=True):
    """What callers show; None: nobody may."""

    change: str | None
    read: str | None

    def allow(self, access: Access, headers: Mapping[str, str]) -> bool:
        """Return whether a caller has shown what is needed."""
        given = headers.get("authorization", "")
        if given[: len(_BEARER)].lower() != _BEARER:
            return False
        shown = given[len(_BEARER) :].strip().encode("utf-8", "surrogateescape")
        tokens = (self.change, self.read) if access is Access.READ else (self.change,)
        return any(hmac.compare_digest(shown, token.encode()) for token in tokens if token is not None)


class RefusalError(Exception):
    """A request that is refused, with its status, a sentence, and what to do about it."""

    def __init__(self, status: int, said: str, hint: str = "") -> None:
        super().__init__(said)
        self.status = status
        self.hint = hint


class Api:
    """The HTTP API; used on the main loop."""

    def __init__(self, tokens: Tokens, version: str) -> None:
        self._tokens = tokens
        self._version = version
        #: Where answers to commands arrive.
        self.channel = WebChannel()
        self._program: Program | None = None
        self._asker: CommandAsker | None = None
        self._engine: EngineSide | None = None
        self._recorder: Recorder | None = None

    def attach(self, program: Program, engine: EngineSide, recorder: Recorder) -> None:
        """Begin to answer for a program."""
        self._program, self._engine, self._recorder = program, engine, recorder
        handle: HandleAsked = engine.handle
        self._asker = CommandAsker(program, handle, self.channel)

    def routes(self) -> WebRoutes:
        """Return what the web server has to serve: what changes something only where there is a token for it."""
        served = [each for each in ROUTES if each.access is Access.READ or self._tokens.change is not None]
        return {(each.method, each.path): partial(self._answer, each) for each in served}

    async def _answer(self, route: Route, request: WebRequest) -> WebResponse:
        try:
            if not self._tokens.allow(route.access, request.headers):
                raise RefusalError(401, "The token is missing, or another one.", "Authorization: Bearer TOKEN")
            if self._program is None:
                raise RefusalError(503, "The program is starting.", "Try again in a moment.")
            call = _Call(route, request)
            answer: Callable[[_Call], Awaitable[_Answer]] = getattr(self, f"_{_HANDLERS.get(route.name, route.name)}")
            status, document = await answer(call)
        except RefusalError as error:
            status, document = error.status, {"error": str(error), "hint": error.hint}
        except BadValue as error:
            status, document = 400, {"error": str(error), "hint": error.hint}
        except (StoreError, NotKeptError) as error:
            said = str(error) or "What was asked for cannot be kept now."
            status, document = 503, {"error": said, "hint": "Try again later."}
        return WebResponse(status, _encoded(document), _JSON)

    async def _list_jobs(self, call: _Call) -> _Answer:
        call.expect()
        return 200, await asyncio.to_thread(self._jobs)

    def _jobs(self) -> Mapping[str, object]:
        program = self._present
        with program.read() as reader:
            snapshot = reader.snapshot()
            lines = list_jobs(program.catalog(), reader, snapshot, program.mutes(snapshot), now=program.now())
            return {"jobs": [job_line_json(line, program.zone) for line in lines]}

    async def _list_history(self, call: _Call) -> _Answer:
        query = call.expect("job", "since", "limit")
        limit = _number(query.get("limit"), "limit", _SHOWN, 1, _MOST_SHOWN, int)
        since = (
            parse_moment(query["since"], zone=self._present.zone, now=self._present.now()) if "since" in query else None
        )
        if query.get("job") == "":
            raise RefusalError(400, "`job` is empty.")
        try:
            return 200, await asyncio.to_thread(self._history, query.get("job"), since, limit)
        except BadValue as error:
            raise RefusalError(404, str(error), error.hint) from error

    def _history(self, job: str | None, since: datetime | None, limit: int) -> Mapping[str, object]:
        program = self._present
        with program.read() as reader:
            lines = history(job, reader, program.lookup(), since=since, limit=limit)
            return {"history": [history_json(line, program.zone) for line in lines]}

    async def _list_queue(self, call: _Call) -> _Answer:
        call.expect()
        return 200, await asyncio.to_thread(self._queue)

    def _queue(self) -> Mapping[str, object]:
        program = self._present
        with program.read() as reader:
            usual = PastRuns(reader).usual
            view = view_of(program.queue(), usual, program.now(), limits=program.limits, progress=program.progress())
            return queue_json(view, program.zone)

    async def _read_status(self, call: _Call) -> _Answer:
        call.expect()
        vitals = await asyncio.to_thread(self._present.vitals)
        return 200, status_json(vitals, self._present.zone)

    async def _describe(self, call: _Call) -> _Answer:
        call.expect()
        return 200, describe(self._version)

    async def _ask(self, call: _Call) -> _Answer:
        query, body = call.expect("wait"), call.body("text", "confirm")
        text = body.get("text")
        if not isinstance(text, str) or not text.strip():
            raise RefusalError(400, "`text` is no command.", 'Send {"text": "deploy shop env=prod"}.')
        if not isinstance(body.get("confirm", False), bool):
            raise RefusalError(400, "`confirm` is neither true nor false.")
        return await self._asked(text, call, query)

    async def _change_job(self, call: _Call) -> _Answer:
        verb = call.route.path.rpartition("/")[2]
        query = call.expect("wait")
        body = call.body("for") if call.route.body is not None else call.body()
        name = self._find(call.variable("job"))
        lasting = body.get("for")
        if lasting is not None and not isinstance(lasting, str):
            raise RefusalError(400, "`for` is no duration.", 'Send {"for": "1h30m"}.')
        words = [verb, quote_word(name), *(["for", quote_word(lasting)] if lasting is not None else [])]
        return await self._asked(" ".join(words), call, query)

    async def _emit(self, call: _Call) -> _Answer:
        call.expect()
        fields, name = call.body(is_open=True), call.variable("name")
        assert self._asker is not None, "a program is attached"
        if (refused := self._asker.decide(f"emit {quote_word(name)}", call.request.peer)) is not None:
            await self._record(name, call, refused)
            raise _refusal(refused)
        event, jobs = checked_event(name, fields, self._present.catalog(), self._present.now(), by=TOKEN.key)
        await self._record(name, call, None)
        number = await self._kept(event)
        return 200, {"event": number, "answered_by": [job.name for job in jobs if not job.is_absence]}

    async def _kept(self, event: Emitted) -> int:
        """Return the id of an event once it is on disk."""
        assert self._engine is not None, "a program is attached"
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()
        batch: Batch = self._engine.handle(event, lambda: loop.call_soon_threadsafe(conclude, kept))
        done, _ = await asyncio.wait({kept}, timeout=_PATIENCE)
        if not done:
            raise NotKeptError
        return next((each.event.id for each in (*batch.accepted, *batch.unmatched)), 0)

    async def _record(self, name: str, call: _Call, refused: Refused | None) -> None:
        """Put on record that an event was reported; it has no run of its own."""
        assert self._recorder is not None, "a program is attached"
        verdict = AuditVerdict.RAN if refused is None else refused.verdict
        reason = "" if refused is None else refused.reason
        entry = AuditEntry(
            self._present.now(), TOKEN.key, TOKEN.name, TOKEN.service, "", DOOR, f"emit {name}", {}, verdict, reason,
            ip=call.request.peer,
        )  # fmt: skip
        self._recorder.submit(Batch(audit=[entry]))

    async def _asked(self, text: str, call: _Call, query: Mapping[str, str]) -> _Answer:
        wait = _number(query.get("wait"), "wait", _WAIT, 0, _LONGEST_WAIT, float)
        assert self._asker is not None, "a program is attached"
        answer = await self._asker.ask(text, call.request.peer, wait)
        return _answered(answer)

    def _find(self, name: str) -> str:
        """Return the full name of a job; raise RefusalError where there is none."""
        try:
            return self._present.lookup().binding(name).name
        except BadValue as error:
            raise RefusalError(404, str(error), error.hint) from error

    @property
    def _present(self) -> Program:
        assert self._program is not None, "it was looked at before"
        return self._program


_Answer = tuple[int, Mapping[str, object]]
#: The functions that answer several operations.
_HANDLERS = {f"{verb}_job": "change_job" for verb in ("pause", "resume", "mute", "unmute", "ack", "run")}


class _Call:
    """A request to an operation, and what it says."""

    def __init__(self, route: Route, request: WebRequest) -> None:
        self.route = route
        self.request = request

    def expect(self, *names: str) -> Mapping[str, str]:
        """Return the parameters of the query; raise RefusalError for one that there is not."""
        try:
            pairs = parse_qsl(self.request.query, keep_blank_values=True, errors="strict", max_num_fields=20)
        except ValueError as error:
            raise RefusalError(400, "The query cannot be read.") from error
        for name, _ in pairs:
            if name not in names:
                known = f"Parameters: {', '.join(names)}." if names else "There are none."
                raise RefusalError(400, f"There is no parameter {name!r}.", known)
        return dict(pairs)

    def body(self, *names: str, is_open: bool = False) -> Mapping[str, Any]:
        """Return the body, an object of JSON; without one an empty object. Raise RefusalError for any other."""
        if not self.request.body.strip():
            return {}
        try:
            found = json.loads(self.request.body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise RefusalError(400, "The body is no JSON.") from error
        if not isinstance(found, dict):
            raise RefusalError(400, "The body is no JSON object.", 'Send {"name": value, ...}.')
        for name in found if not is_open else ():
            if name not in names:
                known = f"There are: {', '.join(names)}." if names else "There are none."
                raise RefusalError(400, f"There is no field {name!r}.", known)
        return found

    def variable(self, name: str) -> str:
        """Return the part of the path that stands for a name."""
        parts = zip(self.route.path.split("/"), self.request.path.split("/"), strict=True)
        return unquote(next(given for part, given in parts if part == f"{{{name}}}"))


def _answered(answer: CommandAnswer) -> _Answer:
    if answer.refused is not None:
        raise _refusal(answer.refused)
    if answer.verdict is AuditVerdict.DENIED:
        raise RefusalError(403, answer.text or "The role of the token may not do that.")
    if answer.run is None and answer.verdict in (AuditVerdict.REFUSED, AuditVerdict.EXPIRED):
        raise RefusalError(400, answer.text or "It was refused.")
    status = 200 if answer.state == "done" else 202
    verdict = None if answer.verdict is None else answer.verdict.value
    return status, {"run": answer.run, "state": answer.state, "verdict": verdict, "text": answer.text}


def _refusal(refused: Refused) -> RefusalError:
    if refused.verdict is AuditVerdict.DENIED:
        return RefusalError(403, refused.reason, refused.hint)
    return RefusalError(400, refused.reason, refused.hint or refused.usage)


def _number(text: str | None, name: str, default: Any, least: float, most: float, kind: type) -> Any:
    if text is None:
        return default
    try:
        found = kind(text)
    except ValueError as error:
        raise RefusalError(400, f"`{name}` is no number.") from error
    if not least <= found <= most:
        raise RefusalError(400, f"`{name}` is not between {least} and {most}.")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _encoded(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, default=str).encode() + b"\n"
