"""GitHub, and GitHub Enterprise."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from slack_alert.core.structs import Struct
from slack_alert.packs.git._hosts.answers import HostAnswer
from slack_alert.packs.git._hosts.check_words import check_run, words
from slack_alert.packs.git._hosts.http import AmbiguousWrite, HostApi, HostError, RequestRefused, api_of, segment
from slack_alert.packs.git._hosts.repeating import comment_once, once_checked, write_once
from slack_alert.packs.git._pull_requests import (
    OWN_STATUS,
    Check,
    CheckState,
    Files,
    Mergeable,
    Merged,
    PullRequest,
    PullState,
    Review,
)

#: https://docs.github.com/en/rest/about-the-rest-api/api-versions: a later one leaves out fields that are read here.
_VERSION = "2022-11-28"
#: In seconds: GitHub finds out whether something can be merged only when it is asked.
UNCHECKED_PAUSES = (1.0, 2.0, 3.0, 5.0, 8.0)
#: So many files GitHub tells at most.
_MOST_FILES = 3000


def connect_github(url: str, token: str, repo: str) -> GitHub:
    """Return a repository; nothing is sent yet."""
    accept = {"Accept": "application/vnd.github+json", "X-GitHub-HostApi-Version": _VERSION}
    return GitHub(api_of("GitHub", url, {"Authorization": f"Bearer {token}", **accept}), repo, UNCHECKED_PAUSES)


class GitHub(Struct, frozen=True):
    """A repository on GitHub."""

    api: HostApi
    repo: str
    pauses: Sequence[float]

    async def pulls(self) -> Sequence[PullRequest]:
        """Return the open pull requests, the newest first."""
        found, _ = await self.api.pages(self._path("pulls"), state="open", sort="created", direction="desc")
        return [self._pull(HostAnswer(self.api.host, one)) for one in found]

    async def pull(self, number: int) -> PullRequest:
        """Return one pull request, once GitHub knows whether it can be merged, or after about 20 seconds."""

        async def read() -> PullRequest:
            answer = HostAnswer(self.api.host, await self.api.get(self._path("pulls", number)))
            answer.check_number(number, "number")
            return self._pull(answer)

        return await once_checked(read, self.pauses)

    async def reviews(self, pull: PullRequest) -> Sequence[Review]:
        """Return the last word of each reviewer; what is only a comment changes nothing."""
        found, _ = await self.api.pages(self._path("pulls", pull.number, "reviews"))
        own = await self._login() if found else ""
        last: dict[str, Review] = {}
        for answer in (HostAnswer(self.api.host, one) for one in found):
            login, state = answer.text("user", "login"), answer.text("state")
            if not login or login == own or answer.text("user", "type") == "Bot" or state in _NO_WORD:
                continue
            if state == "DISMISSED":
                last.pop(login, None)
                continue
            is_allowed = answer.text("author_association") in _WRITERS
            last[login] = Review(login, state == "APPROVED", answer.text("commit_id").lower(), is_allowed)
        return [*last.values()]

    async def checks(self, pull: PullRequest) -> Sequence[Check]:
        """Return the statuses and the check runs of the newest commit."""
        (statuses, whole), (runs, all_runs) = await asyncio.gather(
            self.api.pages(self._path("commits", pull.sha, "status"), "statuses"),
            self.api.pages(self._path("commits", pull.sha, "check-runs"), "check_runs", filter="latest"),
        )
        found = [*map(self._status, statuses), *(check_run(self.api.host, one) for one in runs)]
        # What was not told may have failed.
        return found if whole and all_runs else [*found, Check("others, which were not told", CheckState.UNKNOWN)]

    async def required(self, pull: PullRequest) -> Sequence[str]:
        """Return the checks that the branch protection and the rulesets ask for."""
        branch = segment(pull.target)
        answer = HostAnswer(self.api.host, await self.api.get(self._path("branches", branch)))
        names = answer.texts("protection", "required_status_checks", "contexts")
        return [*dict.fromkeys([*names, *await self._rules(branch)])]

    async def files(self, pull: PullRequest) -> Files:
        """Return the files that it changes."""
        found, is_whole = await self.api.pages(self._path("pulls", pull.number, "files"))
        answers = [HostAnswer(self.api.host, one) for one in found]
        paths = [answer.needed("filename") for answer in answers]
        former = [answer.text("previous_filename") for answer in answers]
        return Files(tuple(filter(None, [*paths, *former])), is_whole and len(found) < _MOST_FILES)

    async def merge(self, pull: PullRequest, method: str) -> Merged:
        """Merge exactly this commit."""
        body = {"sha": pull.sha, "merge_method": method}
        answer = HostAnswer(self.api.host, await self.api.send("PUT", self._path("pulls", pull.number, "merge"), body))
        if not answer.flag("merged"):
            raise AmbiguousWrite(f"{self.api.host} does not say that it is merged.")
        return Merged(answer.text("sha"))

    async def comment(self, pull: PullRequest, text: str, mark: str) -> None:
        """Write a comment once."""
        await comment_once(self.api, self._path("issues", pull.number, "comments"), text, mark)

    async def review(self, pull: PullRequest, text: str) -> None:
        """Approve exactly this commit as the token's account."""
        path = self._path("pulls", pull.number, "reviews")
        body = {"commit_id": pull.sha, "event": "APPROVE", "body": text}

        async def is_there() -> bool:
            found, _ = await self.api.pages(path)
            answers = [HostAnswer(self.api.host, one) for one in found]
            return any((one.text("commit_id"), one.text("body")) == (pull.sha, text) for one in answers)

        await write_once(self.api.send("POST", path, body), is_there)

    async def status(self, pull: PullRequest, state: CheckState, text: str) -> None:
        """Write the program's own status of the newest commit; a repetition changes nothing."""
        body = {"state": _OWN_STATES[state], "context": OWN_STATUS, "description": text[:140]}
        await self.api.send("POST", self._path("statuses", pull.sha), body)

    async def start_test(self, pull: PullRequest, name: str) -> str:
        """Start a workflow on the branch; return the number of its run."""
        if pull.is_fork:
            raise HostError("The branch is in another repository, where a workflow of this one cannot be started.")
        before = await self._runs(pull, name)
        try:
            await self.api.send("POST", self._path("actions", "workflows", name, "dispatches"), {"ref": pull.source})
        except AmbiguousWrite as error:
            lost: HostError | None = error
        else:
            lost = None
        for pause in self.pauses:
            if new := set(await self._runs(pull, name)) - set(before):
                return str(max(new))
            await asyncio.sleep(pause)
        raise lost or HostError(f"{self.api.host} has taken the workflow {name}, and does not show a run of it.")

    async def test_state(self, pull: PullRequest, test: str) -> Check:
        """Return how a run of a workflow goes."""
        answer = HostAnswer(self.api.host, await self.api.get(self._path("actions", "runs", test)))
        if answer.sha("head_sha") != pull.sha:
            raise HostError("The workflow runs for another commit: the branch was pushed to meanwhile.")
        return check_run(self.api.host, {**answer.value(), "name": answer.text("name") or "workflow"})

    def _path(self, *parts: object) -> str:
        return "/".join([f"/repos/{self.repo}", *map(str, parts)])

    async def _login(self) -> str:
        try:
            return HostAnswer(self.api.host, await self.api.get("/user")).text("login")
        except RequestRefused:  # The token of an app has no account; its reviews are those of a bot.
            return ""

    async def _rules(self, branch: str) -> Sequence[str]:
        try:
            rules, _ = await self.api.pages(self._path("rules", "branches", branch))
        except RequestRefused as error:
            if error.status == 404:  # An older GitHub Enterprise has no rulesets.
                return []
            raise
        answers = [HostAnswer(self.api.host, one) for one in rules if one.get("type") == "required_status_checks"]
        return [each.text("context") for one in answers for each in one.each("parameters", "required_status_checks")]

    async def _runs(self, pull: PullRequest, name: str) -> list[int]:
        query = {"event": "workflow_dispatch", "head_sha": pull.sha}
        found, _ = await self.api.pages(self._path("actions", "workflows", name, "runs"), "workflow_runs", **query)
        return [HostAnswer(self.api.host, one).number("id") for one in found]

    def _pull(self, answer: HostAnswer) -> PullRequest:
        mergeable = answer.one_of(_MERGEABLE, "mergeable") or Mergeable.UNKNOWN
        is_merged = answer.flag("merged") or bool(answer.text("merged_at"))
        state = PullState.MERGED if is_merged else _STATES.get(answer.text("state"), PullState.UNKNOWN)
        return PullRequest(
            answer.number("number"),
            answer.text("title"),
            answer.text("user", "login"),
            answer.sha("head", "sha"),
            answer.text("html_url"),
            answer.time("created_at"),
            answer.needed("head", "ref"),
            answer.needed("base", "ref"),
            state,
            answer.value("draft") is not False,
            tuple(each.text("name") for each in answer.each("labels")),
            mergeable,
            answer.text("mergeable_state"),
            answer.text("head", "repo", "full_name").lower() != self.repo.lower(),
            answer.text("merge_commit_sha") if is_merged else "",
        )

    def _status(self, one: object) -> Check:
        answer = HostAnswer(self.api.host, one)
        word = answer.text("state")
        return Check(answer.needed("context"), _STATUSES.get(word, CheckState.UNKNOWN), word)


_WRITERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_NO_WORD = frozenset({"COMMENTED", "PENDING"})
_STATES = {"open": PullState.OPEN, "closed": PullState.CLOSED}
_MERGEABLE: Mapping[object, Mergeable] = {True: Mergeable.YES, False: Mergeable.NO, None: Mergeable.UNCHECKED}
_STATUSES = words({CheckState.GREEN: "success", CheckState.RED: "failure error", CheckState.PENDING: "pending"})
_OWN_STATES = {
    CheckState.GREEN: "success",
    CheckState.RED: "failure",
    CheckState.PENDING: "pending",
    CheckState.UNKNOWN: "error",
}
