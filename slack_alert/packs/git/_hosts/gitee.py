"""Gitee, version 5 of its API. It takes no commit with a merge, and knows no statuses of commits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from slack_alert.core.structs import Struct
from slack_alert.packs.git._hosts.answers import HostAnswer
from slack_alert.packs.git._hosts.check_words import check_run
from slack_alert.packs.git._hosts.http import AmbiguousWrite, HostApi, HostError, RequestRefused, api_of
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

#: In seconds: Gitee finds out in the background whether something can be merged.
UNCHECKED_PAUSES = (1.0, 2.0, 3.0, 5.0, 8.0)
#: So many files Gitee tells at most.
_MOST_FILES = 300


def connect_gitee(url: str, token: str, repo: str) -> Gitee:
    """Return a repository; nothing is sent yet."""
    return Gitee(api_of("Gitee", url, {"Authorization": f"Bearer {token}"}), repo, UNCHECKED_PAUSES)


class Gitee(Struct, frozen=True):
    """A repository on Gitee."""

    api: HostApi
    repo: str
    pauses: Sequence[float]

    async def pulls(self) -> Sequence[PullRequest]:
        """Return the open pull requests, the newest first."""
        found, _ = await self.api.pages(self._path("pulls"), state="open", sort="created", direction="desc")
        return [self._pull(HostAnswer(self.api.host, one)) for one in found]

    async def pull(self, number: int) -> PullRequest:
        """Return one pull request."""
        return await once_checked(lambda: self._read(number), self.pauses)

    async def reviews(self, pull: PullRequest) -> Sequence[Review]:
        """Return who has accepted it there; for which commit Gitee does not tell, so that none counts by itself."""
        found = await self.api.get(self._path("pulls", pull.number))
        answers = HostAnswer(self.api.host, found).each("assignees")
        accepted = [each.text("login") for each in answers if each.flag("accept")]
        own = await self._login() if accepted else ""
        return [Review(login, is_approval=True, is_allowed=True) for login in accepted if login and login != own]

    async def checks(self, pull: PullRequest) -> Sequence[Check]:
        """Return the check runs of the newest commit."""
        found, is_whole = await self.api.pages(self._path("commits", pull.sha, "check-runs"), "check_runs")
        checks = {check.name: check for check in (check_run(self.api.host, one) for one in reversed(found))}
        others = () if is_whole else (Check("others, which were not told", CheckState.UNKNOWN),)
        return [*checks.values(), *others]

    async def required(self, pull: PullRequest) -> Sequence[str]:  # noqa: ARG002 - as all hosts have it
        """Return nothing: how many have to accept it is in the word about merging."""
        return ()

    async def files(self, pull: PullRequest) -> Files:
        """Return the files that it changes."""
        found = self.api.items(await self.api.get(self._path("pulls", pull.number, "files")))
        answers = [HostAnswer(self.api.host, one) for one in found]
        paths = [path for each in answers for path in (each.needed("filename"), each.text("previous_filename"))]
        return Files(tuple(filter(None, paths)), len(found) < _MOST_FILES)

    async def merge(self, pull: PullRequest, method: str) -> Merged:
        """Merge what is the newest commit, which is looked at right before and after."""
        await self._check_newest(pull)
        path = self._path("pulls", pull.number, "merge")
        answer = HostAnswer(self.api.host, await self.api.send("PUT", path, {"merge_method": method}))
        if not answer.flag("merged"):
            raise AmbiguousWrite(f"{self.api.host} does not say that it is merged.")
        try:
            now = await self._read(pull.number)
        except HostError as error:
            raise AmbiguousWrite(str(error)) from None
        if now.sha != pull.sha:  # What is said then is found out by whoever asked for the merge.
            raise AmbiguousWrite(f"{self.api.host} has merged another commit.")
        return Merged(answer.text("sha"), "Gitee takes no commit with a merge: it was looked at right before.")

    async def comment(self, pull: PullRequest, text: str, mark: str) -> None:
        """Write a comment once."""
        await comment_once(self.api, self._path("pulls", pull.number, "comments"), text, mark)

    async def review(self, pull: PullRequest, text: str) -> None:
        """Accept it as the token's account, with a comment that says for whom."""
        await self._check_newest(pull)
        # `force` would accept it in the place of all others.
        await self._mark(pull, "review", "assignees")
        await self.comment(pull, text, f"slack-alert {pull.number} {text}")

    async def status(self, pull: PullRequest, state: CheckState, text: str) -> None:
        """Write a check run; what passed is marked as tested as well, where the account is one of the testers."""
        body: dict[str, object] = {"name": OWN_STATUS, "head_sha": pull.sha, "status": "in_progress"}
        if state is not CheckState.PENDING:
            conclusion = "success" if state is CheckState.GREEN else "failure"
            body |= {"status": "completed", "conclusion": conclusion}
        body["output"] = {"title": OWN_STATUS, "summary": text}
        await self.api.send("POST", self._path("check-runs"), body)
        if state is CheckState.GREEN and (await self._read(pull.number)).sha == pull.sha:
            await self._mark(pull, "test", "testers")

    async def start_test(self, pull: PullRequest, name: str) -> str:
        """Raise HostError: nothing of Gitee is started from here."""
        raise HostError(f"{self.api.host} starts no test {name} of #{pull.number}: write test = command:NAME.")

    async def test_state(self, pull: PullRequest, test: str) -> Check:
        """Raise HostError, as nothing was started."""
        raise HostError(f"{self.api.host} has started no test {test} of #{pull.number}.")

    def _path(self, *parts: object) -> str:
        return "/".join([f"/repos/{self.repo}", *map(str, parts)])

    async def _read(self, number: int) -> PullRequest:
        answer = HostAnswer(self.api.host, await self.api.get(self._path("pulls", number)))
        answer.check_number(number, "number")
        return self._pull(answer)

    async def _check_newest(self, pull: PullRequest) -> None:
        """Raise RequestRefused where this is not the newest commit, or where that is not known: nothing was done."""
        try:
            now = await self._read(pull.number)
        except HostError as error:
            raise RequestRefused(str(error)) from None
        if now.sha != pull.sha:
            raise RequestRefused("It was pushed to meanwhile.")

    async def _login(self) -> str:
        try:
            return HostAnswer(self.api.host, await self.api.get("/user")).text("login")
        except RequestRefused:
            return ""

    async def _mark(self, pull: PullRequest, word: str, people: str) -> None:
        """Mark it as reviewed or tested, as the account of the token; only who was named can."""
        own, content = await asyncio.gather(self._login(), self.api.get(self._path("pulls", pull.number)))
        named = {each.text("login"): each.flag("accept") for each in HostAnswer(self.api.host, content).each(people)}
        if own not in named:
            if word == "review":
                raise RequestRefused(
                    f"{own or 'The account of the token'} is not among those who review #{pull.number}."
                )
            return
        if named[own]:
            return

        async def is_there() -> bool:
            answer = HostAnswer(self.api.host, await self.api.get(self._path("pulls", pull.number)))
            return any(each.text("login") == own and each.flag("accept") for each in answer.each(people))

        await write_once(self.api.send("POST", self._path("pulls", pull.number, word)), is_there)

    def _pull(self, answer: HostAnswer) -> PullRequest:
        mergeable = answer.one_of(_MERGEABLE, "mergeable") or Mergeable.UNKNOWN
        lacking = [said for people in ("assignees", "testers") if (said := _lacking(answer, people))]
        if lacking and mergeable is Mergeable.YES:
            mergeable = Mergeable.NO
        return PullRequest(
            answer.number("number"),
            answer.text("title"),
            answer.text("user", "login"),
            answer.sha("head", "sha"),
            answer.text("html_url"),
            answer.time("created_at"),
            answer.needed("head", "ref"),
            answer.needed("base", "ref"),
            _STATES.get(answer.text("state"), PullState.UNKNOWN),
            answer.flag("draft"),
            tuple(each.text("name") for each in answer.each("labels")),
            mergeable,
            ", ".join(lacking) or ("mergeable" if mergeable is Mergeable.YES else "conflict"),
            answer.text("head", "repo", "full_name").lower() != self.repo.lower(),
        )


def _lacking(answer: HostAnswer, people: str) -> str:
    """Return how many still have to accept it there."""
    wanted = answer.value(f"{people}_number")
    accepted = sum(each.flag("accept") for each in answer.each(people))
    if not isinstance(wanted, int) or accepted >= wanted:
        return ""
    return f"{accepted} of {wanted} {'reviewers' if people == 'assignees' else people} have accepted it there"


_STATES = {"open": PullState.OPEN, "merged": PullState.MERGED, "closed": PullState.CLOSED}
_MERGEABLE: Mapping[object, Mergeable] = {True: Mergeable.YES, False: Mergeable.NO, None: Mergeable.UNCHECKED}
