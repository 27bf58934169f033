"""Start a build and follow it: from the queue through its log to its result, or to its end by somebody's wish."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slack_alert.packs.jenkins._client import JenkinsClient, JenkinsError, UncertainError, item_of, parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: How often Jenkins is asked how far it is, in seconds.
LOOK = 1.0
#: How many builds are searched for the one of a queue item.
_SEARCHED = 50
#: How many lines of a failing stage are told.
LAST_LINES = 15
#: How often Jenkins is asked whether a build has ended before it is told so in a stronger way.
_PATIENCE = 8
_JOB = "name,url,buildable,inQueue,lastBuild[number],property[parameterDefinitions[name,type,choices]]"
_ITEM = "cancelled,why,executable[number]"
_BUILD = "number,queueId,result,building,timestamp,duration,estimatedDuration,url,description"


@dataclass(frozen=True)
class Build:
    """A build, as Jenkins tells of it."""

    #: Its path: `job/shop/7`.
    path: str
    number: int
    #: None: it goes on.
    result: str | None
    url: str
    seconds: float
    #: How long such builds usually take, in seconds; 0: nobody knows.
    usual: float
    began: float = 0.0


class Follower:
    """Follows one build for a run; `told` takes how far it is.

    Where its task is cancelled, the build is taken out of the queue or stopped first: nobody follows it any more.
    """

    def __init__(self, client: JenkinsClient, job: str, told: Callable[[float, str], object]) -> None:
        self._client = client
        self._job = job
        self._told = told

    async def build(self, values: Mapping[str, str]) -> Build:
        """Start a build with these parameters, and return how it ended; raise JenkinsError."""
        job = await self._client.get(self._job, tree=_JOB)
        if job.get("buildable") is False:
            raise JenkinsError("the job is disabled in Jenkins")
        check_values(parameters_of(job), values)
        before = (job.get("lastBuild") or {}).get("number") or 0
        starting = asyncio.ensure_future(self._start(job, values))
        number = None
        try:
            # It is waited for in any case: else nobody would know what to stop.
            number = await self._wait_in_queue(await asyncio.shield(starting), before)
            return await self._follow(number)
        except asyncio.CancelledError:
            await self._give_up(await starting, number, before)
            raise

    async def _start(self, job: Mapping[str, Any], values: Mapping[str, str]) -> int:
        """Return the id of the queue item that was made."""
        verb = "buildWithParameters" if parameters_of(job) else "build"
        try:
            item = item_of(await self._client.post(f"{self._job}/{verb}", values))
        except UncertainError as error:
            raise UncertainError(f"{error}. Look at {job.get('url') or self._job} before you start it again") from None
        if item is None:
            raise UncertainError("Jenkins does not tell what it has queued: look there before you start it again")
        return item

    async def _give_up(self, item: int, number: int | None, before: int) -> None:
        """Take it out of the queue, or stop the build that it has become."""
        if number is None:
            number = await self._number_now(item, before)
        if number is None:
            try:
                await self._client.post("queue/cancelItem", {"id": str(item)})
            except JenkinsError:
                # It may have begun right then.
                if (number := await self._number_now(item, before)) is None:
                    raise
        if number is not None:
            await stop(self._client, f"{self._job}/{number}")

    async def _number_now(self, item: int, before: int) -> int | None:
        """Return the number of the build that an item has become; None: it waits, or never begins."""
        found = await self._client.find(f"queue/item/{item}", tree=_ITEM)
        if found is None:
            return await self._number_of(item, before)
        return None if found.get("cancelled") else _begun(found)

    async def _wait_in_queue(self, item: int, before: int) -> int:
        """Return the number of the build that a queue item becomes."""
        told = ""
        while True:
            found = await self._client.find(f"queue/item/{item}", tree=_ITEM)
            number = await self._number_of(item, before) if found is None else _begun(found)
            if number is not None:
                return number
            if found is None:  # It is forgotten some minutes after it has begun.
                raise JenkinsError("it is gone from the queue of Jenkins, and no build of it is found")
            why = str(found.get("why") or "waiting in Jenkins").rstrip(".")
            if why != told:
                self._told(0.0, why)
                told = why
            await asyncio.sleep(LOOK)

    async def _number_of(self, item: int, before: int) -> int | None:
        tree = f"builds[number,queueId]{{0,{_SEARCHED}}}"
        job = await self._client.get(self._job, tree=tree)
        numbers = [each["number"] for each in job.get("builds") or () if each.get("queueId") == item]
        return next((number for number in numbers if isinstance(number, int) and number >= before), None)

    async def _follow(self, number: int) -> Build:
        path, start, line = f"{self._job}/{number}", 0, ""
        while True:
            build = await read_build(self._client, path)
            text, start, _ = await self._client.log(path, start)
            line = next((each.strip() for each in reversed(text.splitlines()) if each.strip()), line)
            if build.result is not None:
                return build
            elapsed = max(0.0, time.time() - build.began) if build.began else 0.0
            share = min(elapsed / build.usual, 0.99) if build.usual else 0.0
            self._told(share, f"#{number} {line}".rstrip())
            await asyncio.sleep(LOOK)


def _begun(item: Mapping[str, Any]) -> int | None:
    """Return the number of the build that an item of the queue has become; None: it waits."""
    if item.get("cancelled"):
        raise JenkinsError("it was taken out of the queue in Jenkins")
    executable = item.get("executable")
    number = executable.get("number") if isinstance(executable, dict) else None
    return number if isinstance(number, int) else None


async def stop(client: JenkinsClient, path: str) -> None:
    """Stop a build; one that goes on is asked to end, and then killed. Raise JenkinsError where it goes on still."""
    for way in ("stop", "term", "kill"):
        await client.post(f"{path}/{way}")
        for _ in range(_PATIENCE):
            if (await read_build(client, path)).result is not None:
                return
            await asyncio.sleep(LOOK)
    raise JenkinsError(f"it was asked to stop, and goes on: {path}")


async def read_build(client: JenkinsClient, path: str) -> Build:
    """Return a build as it is now; raise JenkinsError."""
    found = await client.get(path, tree=_BUILD)
    result = found.get("result")
    is_over = found.get("building") is False and isinstance(result, str)
    return Build(
        path=path,
        number=int(found.get("number") or 0),
        result=result if is_over else None,
        url=str(found.get("url") or ""),
        seconds=_seconds(found.get("duration")),
        usual=_seconds(found.get("estimatedDuration")),
        began=_seconds(found.get("timestamp")),
    )


async def last_builds(client: JenkinsClient, job: str, count: int) -> list[Build]:
    """Return the newest builds of a job, the newest first; raise JenkinsError."""
    found = await client.get(job, tree=f"builds[{_BUILD}]{{0,{count}}}")
    return [
        Build(
            path=f"{job}/{each['number']}",
            number=int(each["number"]),
            result=each.get("result") if each.get("building") is False else None,
            url=str(each.get("url") or ""),
            seconds=_seconds(each.get("duration")),
            usual=_seconds(each.get("estimatedDuration")),
            began=_seconds(each.get("timestamp")),
        )
        for each in found.get("builds") or ()
        if isinstance(each, dict) and isinstance(each.get("number"), int)
    ]


async def failing_lines(client: JenkinsClient, build: Build) -> tuple[str, str]:
    """Return the stage in which a build failed, empty where it has none, and the last lines of its log."""
    stage = ""
    described = await client.find_stages(build.path)
    for each in described:
        if each.get("status") in {"FAILED", "ABORTED"}:
            stage = str(each.get("name") or "")
            break
    lines = (await whole_log(client, build.path)).splitlines()
    return stage, "\n".join([line for line in lines if line.strip()][-LAST_LINES:])


async def whole_log(client: JenkinsClient, build: str) -> str:
    """Return the log of a build as far as it is written; raise JenkinsError."""
    text, start = "", 0
    while True:
        part, end, more = await client.log(build, start)
        text = f"{text}{part}"
        # Where it goes on, it does so at another place: else this would never end.
        if not more or end <= start:
            return text
        start = end


def check_values(definitions: Sequence[Mapping[str, Any]], values: Mapping[str, str]) -> None:
    """Raise JenkinsError for a parameter that the job does not have, or a value that it does not allow."""
    known = {each["name"]: each for each in definitions}
    for name, value in values.items():
        if name not in known:
            named = ", ".join(known) or "none"
            raise JenkinsError(f"the job has no parameter {name}: it has {named}")
        choices = known[name].get("choices")
        if isinstance(choices, list) and value not in choices:
            raise JenkinsError(f"{name} cannot be {value}: the job allows {', '.join(map(str, choices))}")


def _seconds(milliseconds: object) -> float:
    is_number = isinstance(milliseconds, int) and not isinstance(milliseconds, bool)
    return milliseconds / 1000 if is_number and milliseconds > 0 else 0.0  # type: ignore[operator]
