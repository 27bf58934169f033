"""A fake GitLab: https://docs.gitlab.com/api/merge_requests/."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from tests.fakes.git_hosts.world import CREATED, Answer, FakeHost, FakePull, Request

LATER = "2026-11-01T10:00:00.000Z"


class FakeGitLab(FakeHost):
    """Merge requests, approvals, statuses, pipelines."""

    root = "/api/v4"
    token_header = ("private-token", "")
    routes = (
        ("GET", "/user", "user"),
        ("GET", "/projects/{repo}", "project"),
        ("GET", "/projects/{repo}/merge_requests", "list_pulls"),
        ("GET", r"/projects/{repo}/merge_requests/(\d+)", "get_pull"),
        ("GET", r"/projects/{repo}/merge_requests/(\d+)/approvals", "approvals"),
        ("POST", r"/projects/{repo}/merge_requests/(\d+)/approve", "approve"),
        ("GET", r"/projects/{repo}/merge_requests/(\d+)/reviewers", "reviewers"),
        ("GET", r"/projects/{repo}/merge_requests/(\d+)/versions", "versions"),
        ("GET", r"/projects/{repo}/merge_requests/(\d+)/diffs", "diffs"),
        ("PUT", r"/projects/{repo}/merge_requests/(\d+)/merge", "merge_pull"),
        ("GET", r"/projects/{repo}/merge_requests/(\d+)/notes", "list_comments"),
        ("POST", r"/projects/{repo}/merge_requests/(\d+)/notes", "create_comment"),
        ("GET", r"/projects/{repo}/merge_requests/(\d+)/pipelines", "list_pipelines"),
        ("POST", r"/projects/{repo}/merge_requests/(\d+)/pipelines", "create_pipeline"),
        ("GET", r"/projects/{repo}/pipelines/(\d+)", "pipeline"),
        ("GET", r"/projects/{repo}/repository/commits/([0-9a-f]+)", "commit"),
        ("GET", r"/projects/{repo}/repository/commits/([0-9a-f]+)/statuses", "list_statuses"),
        ("POST", r"/projects/{repo}/statuses/([0-9a-f]+)", "create_status"),
    )

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self.pipelines: list[dict[str, Any]] = []
        #: A word about merging that a project has for a reason of its own.
        self.word = ""

    @property
    def repo_pattern(self) -> str:
        return f"(?:{re.escape(quote(self.path, safe=''))}|1)"

    # --- what people and their checks do

    def is_green(self, pull: FakePull, name: str = "build", state: str = "success", **more: Any) -> None:
        self.statuses.setdefault(self.head(pull), []).append({"name": name, "status": state, **more})

    def reviews(self, pull: FakePull, login: str, *, at: str | None = LATER) -> None:
        pull.reviews.append({"login": login, "at": at})

    # --- the API

    def user(self, _request: Request, login: str) -> object:
        return {"id": 1, "username": login}

    def project(self, _request: Request, _login: str) -> object:
        return {"id": 1, "path_with_namespace": self.path}

    def list_pulls(self, request: Request, _login: str) -> object:
        wanted = request.query.get("state", "all")
        found = [each for each in self.pulls.values() if wanted in {"all", self._state(each)}]
        return self.paged(request, [self._pull(each) for each in reversed(found)])

    def get_pull(self, _request: Request, _login: str, number: str) -> object:
        pull = self.pull(number)
        is_checked = pull.unchecked <= 0 or pull.state != "open"
        pull.unchecked -= not is_checked
        files = self.repository.files(pull.source, pull.target) if pull.state == "open" else []
        more = {} if is_checked else {"detailed_merge_status": "checking"}
        return {**self._pull(pull), "changes_count": str(len(files)), **more}

    def approvals(self, _request: Request, _login: str, number: str) -> object:
        given = [{"user": {"username": each["login"]}, "approved_at": each["at"]} for each in self.pull(number).reviews]
        return {"approved": bool(given), "approved_by": given}

    def approve(self, request: Request, login: str, number: str) -> object:
        pull = self.pull(number)
        if request.body.get("sha") not in {None, self.head(pull)}:
            raise Answer(409, {"message": "SHA does not match HEAD of source branch"})
        if any(each["login"] == login for each in pull.reviews):
            raise Answer(401, {"message": "401 Unauthorized"})
        self.reviews(pull, login)
        raise Answer(201, {"id": 1000 + pull.number, "iid": pull.number, "title": pull.title})

    def reviewers(self, request: Request, _login: str, number: str) -> object:
        names = self.pull(number).more.get("objections", [])
        return self.paged(request, [{"user": {"username": name}, "state": "requested_changes"} for name in names])

    def versions(self, request: Request, _login: str, number: str) -> object:
        pull = self.pull(number)
        since = pull.more.get("pushed_at", CREATED)
        return self.paged(request, [{"id": 1, "head_commit_sha": self.head(pull), "created_at": since}])

    def diffs(self, request: Request, _login: str, number: str) -> object:
        pull = self.pull(number)
        names = self.repository.files(pull.source, pull.target)
        return self.paged(request, [{"new_path": name, "old_path": name} for name in names])

    def merge_pull(self, request: Request, _login: str, number: str) -> object:
        pull, body = self.pull(number), {**request.query, **request.body}
        if self._word(pull) != "mergeable":
            raise Answer(405, {"message": "405 Method Not Allowed"})
        if body.get("sha") not in {None, self.head(pull)}:
            raise Answer(409, {"message": "SHA does not match HEAD of source branch: " + self.head(pull)})
        self.merge(pull, "squash" if body.get("squash") else "merge")
        return self._pull(pull)

    def list_comments(self, request: Request, _login: str, number: str) -> object:
        return self.paged(request, self.pull(number).comments)

    def create_comment(self, request: Request, login: str, number: str) -> object:
        pull = self.pull(number)
        if not request.body.get("body"):
            raise Answer(400, {"message": '400 (Bad request) "Note {:note=>["can\'t be blank"]}" not given'})
        pull.comments.append(
            {"id": len(pull.comments) + 1, "body": request.body["body"], "author": {"username": login}}
        )
        raise Answer(201, pull.comments[-1])

    def list_pipelines(self, request: Request, _login: str, number: str) -> object:
        head = self.head(self.pull(number))
        return self.paged(request, [each for each in self.pipelines if each["sha"] == head])

    def create_pipeline(self, _request: Request, _login: str, number: str) -> object:
        pipeline = {"id": 500 + len(self.pipelines), "sha": self.head(self.pull(number)), "status": "created"}
        self.pipelines.append(pipeline)
        raise Answer(201, dict(pipeline))

    def pipeline(self, _request: Request, _login: str, number: str) -> object:
        found = [each for each in self.pipelines if each["id"] == int(number)]
        if not found:
            raise Answer(404, {"message": "404 Not found"})
        return found[0]

    def commit(self, _request: Request, _login: str, sha: str) -> object:
        return {"id": sha, "short_id": sha[:8]}

    def list_statuses(self, request: Request, _login: str, sha: str) -> object:
        last = {each["name"]: each for each in self.statuses.get(sha, [])}
        shown = [{"id": at, "sha": sha, "allow_failure": False, **each} for at, each in enumerate(last.values(), 1)]
        return self.paged(request, shown)

    def create_status(self, request: Request, _login: str, sha: str) -> object:
        state, name = request.body.get("state"), request.body.get("name", "default")
        if state not in {"pending", "running", "success", "failed", "canceled", "skipped"}:
            raise Answer(400, {"error": "state does not have a valid value"})
        last = [each for each in self.statuses.get(sha, []) if each["name"] == name]
        if last and last[-1]["status"] == state:
            raise Answer(400, {"message": f"Cannot transition status via :run from :{state}"})
        self.statuses.setdefault(sha, []).append({"name": name, "status": state})
        raise Answer(201, {"id": 1, "sha": sha, "name": name, "status": state})

    def _state(self, pull: FakePull) -> str:
        return "opened" if pull.state == "open" else pull.state

    def _word(self, pull: FakePull) -> str:
        if pull.state != "open":
            return "not_open"
        if pull.is_draft:
            return "draft_status"
        return self.word or ("mergeable" if self.is_mergeable(pull) else "conflict")

    def _pull(self, pull: FakePull) -> dict[str, object]:
        return {
            "id": 1000 + pull.number,
            "iid": pull.number,
            "project_id": 1,
            "title": pull.title,
            "state": self._state(pull),
            "author": {"username": pull.author},
            "draft": pull.is_draft,
            "labels": pull.labels,
            "created_at": CREATED,
            "sha": self.head(pull),
            "web_url": f"{self.site}/{self.path}/-/merge_requests/{pull.number}",
            "source_branch": pull.source,
            "target_branch": pull.target,
            "source_project_id": 1,
            "target_project_id": 1,
            "detailed_merge_status": self._word(pull),
            "merge_commit_sha": pull.merge_commit or None,
            "squash_commit_sha": None,
        }
