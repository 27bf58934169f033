"""A fake Slack Web API on loopback that enforces Slack's contract, in a thread or as a process of its own.

`python tests/fakes/slack.py --port 0` prints {"port": N}; `POST /_ctl`, `GET /_messages` and `GET /_stats` steer it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fakes.slack_faults import Fault, FaultOptions, Faults, Kind
from tests.fakes.slack_listener import Listener
from tests.fakes.slack_requests import Request
from tests.fakes.slack_rules import Json
from tests.fakes.slack_site import Site
from tests.fakes.slack_socket import SlackSocket
from tests.fakes.slack_workspace import Posted, Upload, Workspace, WorkspaceOptions

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

__all__ = ["FakeSlack", "Fault", "Posted", "Request", "Upload"]

Result = TypeVar("Result")


class FakeSlack:
    """Slack for tests: `with FakeSlack(rate=1, burst=3) as slack` serves `slack.url` from a thread of its own."""

    def __init__(self, *, port: int = 0, **workspace: Unpack[WorkspaceOptions]) -> None:
        self.workspace = Workspace(**workspace)
        self._faults = Faults(self.workspace.now)
        self.socket = SlackSocket(self.workspace, self._wait_for)
        self._site = Site(self.workspace, self._faults, self.socket)
        self._loop = asyncio.new_event_loop()
        self._listener = Listener(self._serve, port=port)
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-slack", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.start_listening()
        self._site.origin = self.socket.origin = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._wait_for(self._listener.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._site.crashes:  # a fault of the fake's own must not pass for one of Slack's
            raise self._site.crashes[0]

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def url(self) -> str:
        return f"{self._site.origin}/api/"

    @property
    def messages(self) -> list[Posted]:
        """Everything accepted, oldest first, as it stands after edits."""
        return list(self.workspace.messages)

    @property
    def requests(self) -> list[Request]:
        """Every request in the order of its arrival."""
        return list(self._site.requests)

    @property
    def uploads(self) -> list[Upload]:
        return list(self.workspace.uploads.values())

    @property
    def connections(self) -> int:
        """How many TCP connections were opened so far."""
        return self._listener.connections

    @property
    def unknown_arguments(self) -> list[tuple[str, str]]:
        """Arguments Slack does not document, as (method, name)."""
        return [(request.method, name) for request in self._site.requests for name in request.unknown]

    def fault(self, kind: Kind, **options: Unpack[FaultOptions]) -> Fault:
        """Commit a fault from now on; the answer counts its `hits`."""
        channel = options.get("channel")
        if channel is not None:
            options["channel"] = self.workspace.identify(channel)
        return self._faults.add(Fault(kind, **options))

    def clear_faults(self) -> None:
        self._faults.clear()

    def refuse(self, seconds: float) -> None:
        """Be away for a time: no listening socket, open connections cut."""
        self._wait_for(self._listener.away(seconds))

    def stop_listening(self) -> None:
        """Go away: connections are refused, open ones cut. The port stays ours to come back to."""
        self._wait_for(self._listener.stop())

    def start_listening(self) -> None:
        self._wait_for(self._listener.start())

    def say(self, channel: str, text: str, *, user: str, thread_ts: str | None = None) -> Posted:
        """Post as a person does."""
        space = self.workspace
        where = space.visible(space.find(channel) or channel)
        return space.post(Posted(where, text, space.next_ts(), space.now(), thread_ts=thread_ts, user=user))

    def wait_for_messages(self, count: int, *, seconds: float = 10.0) -> list[Posted]:
        """Wait until so many messages were accepted; fail with those that were."""
        with self._site.changed:
            arrived = self._site.changed.wait_for(lambda: len(self.workspace.messages) >= count, timeout=seconds)
        assert arrived, f"{count} messages expected within {seconds} s, got {[each.text for each in self.messages]}"
        return self.messages

    def _wait_for(self, work: Coroutine[object, object, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/_ctl" and request.method == "POST":
            return web.json_response(await self._steer(json.loads(await request.content.read())))
        if request.path == "/_messages":
            return web.json_response({"messages": [asdict(each) for each in self.messages]})
        if request.path == "/_stats":
            return web.json_response(self._stats())
        return await self._site.serve(request)

    async def _steer(self, order: Json) -> Json:
        act = order.pop("do", None)
        if act == "fault":
            self.fault(**order)
        elif act == "clear_faults":
            self.clear_faults()
        elif act == "refuse":
            await self._listener.away(float(order["seconds"]), after=0.05)  # the order is answered first
        else:
            return {"ok": False, "error": f"unknown order {act!r}; use fault, clear_faults or refuse"}
        return {"ok": True}

    def _stats(self) -> Json:
        statuses = [str(request.status) for request in self.requests]
        return {
            "requests": len(statuses),
            "messages": len(self.workspace.messages),
            "connections": self.connections,
            "statuses": {status: statuses.count(status) for status in sorted(set(statuses))},
            "unknown_arguments": self.unknown_arguments,
        }


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="xoxb-test")
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second and channel; 0: unlimited")
    parser.add_argument("--burst", type=int, default=1)
    options = parser.parse_args()
    with FakeSlack(port=options.port, token=options.token, rate=options.rate, burst=options.burst) as slack:
        sys.stdout.write(json.dumps({"port": slack.port}) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
