"""GitLab: merge requests are its pull requests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from slack_alert.core.structs import Struct
from slack_alert.packs.git._hosts.answers import HostAnswer
from slack_alert.packs.git._hosts.check_words import words
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

#: In seconds: GitLab finds out in the background whether something can be merged.
UNCHECKED_PAUSES = (1.0, 2.0, 3.0, 5.0, 8.0)


def connect_gitlab(url: str, token: str, repo: str) -> GitLab:
    """Return a repository; nothing is sent yet."""
    return GitLab(api_of("GitLab", url, {"PRIVATE-TOKEN": token}), repo, UNCHECKED_PAUSES)


class GitLab(Struct, frozen=True):
    """A project on GitLab."""

    api: HostApi
    repo: str
    pauses: Sequence[float]

    async def pulls(self) -> Sequence[PullRequest]:
        """Return the open merge requests, the newest first."""
        query = {"state": "opened", "order_by": "created_at", "sort": "desc"}
        found, _ = await self.api.pages(self._path("merge_requests"), **query)
        return [self._pull(HostAnswer(self.api.host, one)) for one in found]

    async def pull(self, number: int) -> PullRequest:
        """Return one merge request, once GitLab knows whether it can be merged, or after about 20 seconds."""

        async def read() -> PullRequest:
            return self._pull(await self._answer(number))

        return await once_checked(read, self.pauses)

    async def reviews(self, pull: PullRequest) -> Sequence[Review]:
        """Return approvals, each with the commit that was the newest then, and objections."""
        approvals, objections = await asyncio.gather(self._answer(pull.number, "approvals"), self._objections(pull))
        approved = approvals.each("approved_by", is_needed=True)
        if not approved and not objections:
            return ()
        own, since = await asyncio.gather(self._login(), self._since(pull))
        by_others = (each for each in approved if each.text("user", "username") not in {"", own})
        found = [self._approval(answer, pull, since) for answer in by_others]
        return [*found, *(Review(login, is_approval=False, is_allowed=True) for login in objections if login != own)]

    async def checks(self, pull: PullRequest) -> Sequence[Check]:
        """Return the jobs and the statuses of the newest commit."""
        found, is_whole = await self.api.pages(self._path("repository", "commits", pull.sha, "statuses"))
        checks = [self._status(HostAnswer(self.api.host, one)) for one in found]
        return checks if is_whole else [*checks, Check("others, which were not told", CheckState.UNKNOWN)]

    async def required(self, pull: PullRequest) -> Sequence[str]:  # noqa: ARG002 - as all hosts have it
        """Return nothing: what a project asks for is in its word about merging."""
        return ()

    async def files(self, pull: PullRequest) -> Files:
        """Return the files that it changes."""
        answer, (found, is_whole) = await asyncio.gather(
            self._answer(pull.number), self.api.pages(self._path("merge_requests", pull.number, "diffs"))
        )
        diffs = [HostAnswer(self.api.host, one) for one in found]
        paths = dict.fromkeys(path for each in diffs for path in (each.needed("new_path"), each.text("old_path")))
        is_known = answer.text("changes_count") == str(len(diffs))
        return Files(tuple(filter(None, paths)), is_whole and is_known)

    async def merge(self, pull: PullRequest, method: str) -> Merged:
        """Merge exactly this commit."""
        if method == "rebase":
            raise RequestRefused(
                "GitLab rebases where the project is set up so, and not on request: leave the method out."
            )
        body = {"sha": pull.sha, "squash": method == "squash"}
        path = self._path("merge_requests", pull.number, "merge")
        answer = HostAnswer(self.api.host, await self.api.send("PUT", path, body))
        if answer.text("state") != "merged":
            raise AmbiguousWrite(f"{self.api.host} does not say that it is merged.")
        return Merged(answer.text("merge_commit_sha") or answer.text("squash_commit_sha"))

    async def comment(self, pull: PullRequest, text: str, mark: str) -> None:
        """Write a comment once."""
        await comment_once(self.api, self._path("merge_requests", pull.number, "notes"), text, mark)

    async def review(self, pull: PullRequest, text: str) -> None:
        """Approve exactly this commit as the token's account, with a comment that says for whom."""

        async def is_there() -> bool:
            own, answer = await asyncio.gather(self._login(), self._answer(pull.number, "approvals"))
            return any(each.text("user", "username") == own for each in answer.each("approved_by"))

        path = self._path("merge_requests", pull.number, "approve")
        await write_once(self.api.send("POST", path, {"sha": pull.sha}), is_there)
        await self.comment(pull, text, f"slack-alert {pull.number} {text}")

    async def status(self, pull: PullRequest, state: CheckState, text: str) -> None:
        """Write the program's own status of the newest commit."""
        body = {"state": _OWN_STATES[state], "name": OWN_STATUS, "description": text[:255]}
        try:
            await self.api.send("POST", self._path("statuses", pull.sha), body)
        except RequestRefused as error:
            if "Cannot transition status" not in str(error):  # It has that state already.
                raise

    async def start_test(self, pull: PullRequest, name: str) -> str:  # noqa: ARG002 - as all hosts have it
        """Start a pipeline of the merge request; return its number."""
        path = self._path("merge_requests", pull.number, "pipelines")
        before = await self._pipelines(path)
        try:
            return str(HostAnswer(self.api.host, await self.api.send("POST", path)).number("id"))
        except AmbiguousWrite:
            if new := await self._pipelines(path) - before:
                return str(max(new))
            raise

    async def test_state(self, pull: PullRequest, test: str) -> Check:
        """Return how a pipeline goes."""
        answer = HostAnswer(self.api.host, await self.api.get(self._path("pipelines", test)))
        if answer.sha("sha") != pull.sha:
            raise HostError("The pipeline runs for another commit: the branch was pushed to meanwhile.")
        word = answer.text("status")
        return Check("pipeline", _STATUSES.get(word, CheckState.UNKNOWN), word)

    def _path(self, *parts: object) -> str:
        return "/".join([f"/projects/{segment(self.repo)}", *map(str, parts)])

    async def _answer(self, number: int, *more: str) -> HostAnswer:
        answer = HostAnswer(self.api.host, await self.api.get(self._path("merge_requests", number, *more)))
        if not more:
            answer.check_number(number, "iid")
        return answer

    async def _login(self) -> str:
        try:
            return HostAnswer(self.api.host, await self.api.get("/user")).text("username")
        except RequestRefused:
            return ""

    async def _objections(self, pull: PullRequest) -> Sequence[str]:
        try:
            found, _ = await self.api.pages(self._path("merge_requests", pull.number, "reviewers"))
        except RequestRefused as error:
            if error.status == 404:  # An older GitLab knows no requests for changes.
                return ()
            raise
        answers = [HostAnswer(self.api.host, one) for one in found]
        return [each.text("user", "username") for each in answers if each.text("state") == "requested_changes"]

    async def _since(self, pull: PullRequest) -> HostAnswer | None:
        """Return the newest version of the branch, if that is this commit."""
        found, _ = await self.api.pages(self._path("merge_requests", pull.number, "versions"))
        newest = HostAnswer(self.api.host, found[0]) if found else None
        return newest if newest is not None and newest.text("head_commit_sha") == pull.sha else None

    def _approval(self, answer: HostAnswer, pull: PullRequest, since: HostAnswer | None) -> Review:
        # An approval names no commit: it is about the newest one if it was given after that was pushed.
        is_newer = (
            since is not None
            and bool(answer.text("approved_at"))
            and answer.time("approved_at") > since.time("created_at")
        )
        sha = pull.sha if is_newer else ""
        return Review(answer.text("user", "username"), is_approval=True, sha=sha, is_allowed=True)

    async def _pipelines(self, path: str) -> set[int]:
        found, _ = await self.api.pages(path)
        return {HostAnswer(self.api.host, one).number("id") for one in found}

    def _pull(self, answer: HostAnswer) -> PullRequest:
        word, state = answer.text("detailed_merge_status"), answer.text("state")
        return PullRequest(
            answer.number("iid"),
            answer.text("title"),
            answer.text("author", "username"),
            answer.sha("sha"),
            answer.text("web_url"),
            answer.time("created_at"),
            answer.needed("source_branch"),
            answer.needed("target_branch"),
            _STATES.get(state, PullState.UNKNOWN),
            answer.value("draft") is not False,
            answer.texts("labels"),
            _MERGEABLE.get(word, Mergeable.UNKNOWN),
            word,
            answer.value("source_project_id") != answer.value("target_project_id"),
            answer.text("merge_commit_sha") or answer.text("squash_commit_sha"),
        )

    def _status(self, answer: HostAnswer) -> Check:
        word = answer.text("status")
        state = _STATUSES.get(word, CheckState.UNKNOWN)
        if answer.flag("allow_failure") and (state is CheckState.RED or word == "manual"):
            return Check(answer.needed("name"), CheckState.GREEN, f"{word}, which is allowed")
        return Check(answer.needed("name"), state, word)


_STATES = {"opened": PullState.OPEN, "merged": PullState.MERGED, "closed": PullState.CLOSED}
#: https://docs.gitlab.com/api/merge_requests/#merge-status
_MERGEABLE: Mapping[str, Mergeable] = {
    "mergeable": Mergeable.YES,
    **dict.fromkeys(("unchecked", "checking", "preparing", "approvals_syncing"), Mergeable.UNCHECKED),
    **dict.fromkeys(
        (
            "blocked_status",
            "broken_status",
            "ci_must_pass",
            "ci_still_running",
            "commits_status",
            "conflict",
            "discussions_not_resolved",
            "draft_status",
            "external_status_checks",
            "jira_association_missing",
            "locked_lfs_files",
            "locked_paths",
            "merge_request_blocked",
            "merge_time",
            "need_rebase",
            "not_approved",
            "not_open",
            "policies_denied",
            "requested_changes",
            "security_policy_violations",
            "status_checks_must_pass",
            "title_regex",
        ),
        Mergeable.NO,
    ),
}
_STATUSES = words(
    {
        CheckState.GREEN: "success skipped",
        CheckState.RED: "failed canceled",
        CheckState.PENDING: "created waiting_for_resource preparing pending running manual scheduled canceling",
    }
)
_OWN_STATES = {
    CheckState.GREEN: "success",
    CheckState.RED: "failed",
    CheckState.PENDING: "running",
    CheckState.UNKNOWN: "failed",
}
