"""Gitea and Forgejo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from slack_alert.core.structs import Struct, replace
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

#: In seconds: Gitea says that something cannot be merged while it still finds out.
UNCHECKED_PAUSES = (0.5, 1.0, 2.0)


def connect_gitea(url: str, token: str, repo: str) -> Gitea:
    """Return a repository; nothing is sent yet."""
    api = api_of("Gitea", url, {"Authorization": f"token {token}"})
    return Gitea(replace(api, size_name="limit", has_short_pages=True), repo, UNCHECKED_PAUSES)


class Gitea(Struct, frozen=True):
    """A repository on Gitea."""

    api: HostApi
    repo: str
    pauses: Sequence[float]

    async def pulls(self) -> Sequence[PullRequest]:
        """Return the open pull requests, the newest first."""
        found, _ = await self.api.pages(self._path("pulls"), state="open")
        pulls = [self._pull(HostAnswer(self.api.host, one)) for one in found]
        return sorted(pulls, key=lambda each: each.number, reverse=True)

    async def pull(self, number: int) -> PullRequest:
        """Return one pull request; what cannot be merged even after some pauses is taken for that."""

        async def read() -> PullRequest:
            answer = HostAnswer(self.api.host, await self.api.get(self._path("pulls", number)))
            answer.check_number(number, "number")
            return self._pull(answer)

        found = await once_checked(read, self.pauses)
        return replace(found, mergeable=Mergeable.NO) if found.mergeable is Mergeable.UNCHECKED else found

    async def reviews(self, pull: PullRequest) -> Sequence[Review]:
        """Return the last word of each reviewer."""
        found, _ = await self.api.pages(self._path("pulls", pull.number, "reviews"))
        own = await self._login() if found else ""
        last: dict[str, Review] = {}
        for answer in (HostAnswer(self.api.host, one) for one in found):
            login, state = answer.text("user", "login"), answer.text("state")
            if not login or login == own or state not in _WORDS:
                continue
            if answer.flag("dismissed"):
                last.pop(login, None)
                continue
            is_approval = state == "APPROVED"
            last[login] = Review(login, is_approval, answer.text("commit_id").lower(), answer.flag("official"))
        return [*last.values()]

    async def checks(self, pull: PullRequest) -> Sequence[Check]:
        """Return the statuses of the newest commit."""
        found, is_whole = await self.api.pages(self._path("commits", pull.sha, "status"), "statuses")
        answers = [HostAnswer(self.api.host, one) for one in found]
        checks = [self._status(each) for each in answers]
        return checks if is_whole else [*checks, Check("others, which were not told", CheckState.UNKNOWN)]

    async def required(self, pull: PullRequest) -> Sequence[str]:
        """Return the checks that the branch asks for; one that is a pattern is met by any that it matches."""
        answer = HostAnswer(self.api.host, await self.api.get(self._path("branches", segment(pull.target))))
        if not answer.flag("enable_status_check"):
            return ()
        names = [check.name for check in await self.checks(pull)]
        patterns = answer.texts("status_check_contexts")
        return [next((name for name in names if fnmatchcase(name, each)), each) for each in patterns]

    async def files(self, pull: PullRequest) -> Files:
        """Return the files that it changes."""
        found, is_whole = await self.api.pages(self._path("pulls", pull.number, "files"))
        answers = [HostAnswer(self.api.host, one) for one in found]
        paths = [path for each in answers for path in (each.needed("filename"), each.text("previous_filename"))]
        return Files(tuple(filter(None, paths)), is_whole)

    async def merge(self, pull: PullRequest, method: str) -> Merged:
        """Merge exactly this commit."""
        body = {"Do": method, "head_commit_id": pull.sha}
        await self.api.send("POST", self._path("pulls", pull.number, "merge"), body)
        # The answer is empty, so that it proves little.
        try:
            now = await self.pull(pull.number)
        except HostError as error:
            raise AmbiguousWrite(str(error)) from None
        if now.state is not PullState.MERGED or now.sha != pull.sha:
            raise AmbiguousWrite(f"{self.api.host} took the merge, and does not show it.")
        return Merged(now.merge_commit)

    async def comment(self, pull: PullRequest, text: str, mark: str) -> None:
        """Write a comment once."""
        await comment_once(self.api, self._path("issues", pull.number, "comments"), text, mark)

    async def review(self, pull: PullRequest, text: str) -> None:
        """Approve exactly this commit as the token's account."""
        path = self._path("pulls", pull.number, "reviews")
        body = {"commit_id": pull.sha, "event": "APPROVED", "body": text}

        async def is_there() -> bool:
            found, _ = await self.api.pages(path)
            answers = [HostAnswer(self.api.host, one) for one in found]
            return any((one.text("commit_id"), one.text("body")) == (pull.sha, text) for one in answers)

        await write_once(self.api.send("POST", path, body), is_there)

    async def status(self, pull: PullRequest, state: CheckState, text: str) -> None:
        """Write the program's own status of the newest commit."""
        body = {"state": _OWN_STATES[state], "context": OWN_STATUS, "description": text}
        await self.api.send("POST", self._path("statuses", pull.sha), body)

    async def start_test(self, pull: PullRequest, name: str) -> str:
        """Raise HostError: nothing of a Gitea is started from here."""
        raise HostError(f"{self.api.host} starts no test {name} of #{pull.number}: write test = command:NAME.")

    async def test_state(self, pull: PullRequest, test: str) -> Check:
        """Raise HostError, as nothing was started."""
        raise HostError(f"{self.api.host} has started no test {test} of #{pull.number}.")

    def _path(self, *parts: object) -> str:
        return "/".join([f"/repos/{self.repo}", *map(str, parts)])

    async def _login(self) -> str:
        try:
            return HostAnswer(self.api.host, await self.api.get("/user")).text("login")
        except RequestRefused:  # The token may read repositories alone.
            return ""

    def _pull(self, answer: HostAnswer) -> PullRequest:
        is_merged = answer.flag("merged")
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
            answer.one_of(_MERGEABLE, "mergeable") or Mergeable.UNKNOWN,
            "mergeable" if answer.flag("mergeable") else "not mergeable, or still being checked",
            answer.text("head", "repo", "full_name").lower() != self.repo.lower(),
            answer.text("merge_commit_sha") if is_merged else "",
        )

    def _status(self, answer: HostAnswer) -> Check:
        word = answer.text("status")
        return Check(answer.needed("context"), _STATUSES.get(word, CheckState.UNKNOWN), word)


_WORDS = frozenset({"APPROVED", "REQUEST_CHANGES"})
_STATES = {"open": PullState.OPEN, "closed": PullState.CLOSED}
_MERGEABLE: Mapping[object, Mergeable] = {True: Mergeable.YES, False: Mergeable.UNCHECKED}
_STATUSES = words({CheckState.GREEN: "success", CheckState.RED: "failure error", CheckState.PENDING: "pending"})
_OWN_STATES = {
    CheckState.GREEN: "success",
    CheckState.RED: "failure",
    CheckState.PENDING: "pending",
    CheckState.UNKNOWN: "error",
}
