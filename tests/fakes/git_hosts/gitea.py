"""A fake Gitea: https://docs.gitea.com/api/."""

from __future__ import annotations

from typing import Any

from tests.fakes.git_hosts.world import CREATED, Answer, FakeHost, FakePull, Request

#: As Gitea is set up by default: no page is longer, whatever is asked for.
LONGEST = 50


class FakeGitea(FakeHost):
    """Pull requests, reviews, statuses."""

    root = "/api/v1"
    token_header = ("authorization", "token ")
    routes = (
        ("GET", "/user", "user"),
        ("GET", "/version", "version"),
        ("GET", "/repos/{repo}", "repo"),
        ("GET", "/repos/{repo}/pulls", "list_pulls"),
        ("GET", r"/repos/{repo}/pulls/(\d+)", "get_pull"),
        ("GET", r"/repos/{repo}/pulls/(\d+)/reviews", "list_reviews"),
        ("POST", r"/repos/{repo}/pulls/(\d+)/reviews", "create_review"),
        ("GET", r"/repos/{repo}/pulls/(\d+)/files", "list_files"),
        ("POST", r"/repos/{repo}/pulls/(\d+)/merge", "merge_pull"),
        ("GET", r"/repos/{repo}/issues/(\d+)/comments", "list_comments"),
        ("POST", r"/repos/{repo}/issues/(\d+)/comments", "create_comment"),
        ("GET", r"/repos/{repo}/commits/([0-9a-f]+)/status", "combined_status"),
        ("POST", r"/repos/{repo}/statuses/([0-9a-f]+)", "create_status"),
        ("GET", r"/repos/{repo}/branches/([^/]+)", "branch"),
    )

    # --- what people and their checks do

    def is_green(self, pull: FakePull, name: str = "build", state: str = "success") -> None:
        self.statuses.setdefault(self.head(pull), []).append({"context": name, "status": state})

    def reviews(self, pull: FakePull, login: str, state: str = "APPROVED", **more: Any) -> None:
        review = {"login": login, "state": state, "sha": self.head(pull), "body": "", "official": True, **more}
        pull.reviews.append(review)

    # --- the API

    def user(self, _request: Request, login: str) -> object:
        return {"id": 1, "login": login, "username": login}

    def version(self, _request: Request, _login: str) -> object:
        return {"version": "1.24.0"}

    def repo(self, _request: Request, _login: str) -> object:
        owner, name = self.path.split("/")
        return {"id": 1, "name": name, "full_name": self.path, "owner": {"id": 2, "login": owner, "username": owner}}

    def list_pulls(self, request: Request, _login: str) -> object:
        wanted = request.query.get("state", "open")
        found = [each for each in self.pulls.values() if wanted in {"all", self._state(each)}]
        return self._page(request, [self._pull(each) for each in found])

    def get_pull(self, _request: Request, _login: str, number: str) -> object:
        pull = self.pull(number)
        is_checked = pull.unchecked <= 0 or pull.state != "open"
        pull.unchecked -= not is_checked
        return {**self._pull(pull), "mergeable": is_checked and self.is_mergeable(pull)}

    def list_reviews(self, request: Request, _login: str, number: str) -> object:
        found = self.pull(number).reviews
        return self._page(request, [self._review(at, each) for at, each in enumerate(found, 1)])

    def create_review(self, request: Request, login: str, number: str) -> object:
        pull, body = self.pull(number), request.body
        if login == pull.author and body.get("event") == "APPROVED":
            raise Answer(422, {"message": "approve your own pull is not allowed"})
        self.reviews(pull, login, body.get("event", ""), sha=body.get("commit_id", ""), body=body.get("body", ""))
        return self._review(len(pull.reviews), pull.reviews[-1])

    def list_files(self, request: Request, _login: str, number: str) -> object:
        pull = self.pull(number)
        names = self.repository.files(pull.source, pull.target)
        return self._page(request, [{"filename": name, "status": "changed"} for name in names])

    def merge_pull(self, request: Request, _login: str, number: str) -> object:
        pull, body = self.pull(number), request.body
        method = body.get("Do") or body.get("do")  # Go reads names in either case.
        if method not in {"merge", "squash", "rebase", "rebase-merge", "fast-forward-only", "manually-merged"}:
            raise Answer(422, {"message": "[Do]: Required"})
        if pull.unchecked > 0:
            raise Answer(405, {"message": "Please try again later"})
        if pull.state != "open" or pull.is_draft or not self.is_mergeable(pull):
            raise Answer(405, {"message": "Pull request is not mergeable"})
        if body.get("head_commit_id") not in {None, "", self.head(pull)}:
            raise Answer(409, {"message": "head out of date"})
        self.merge(pull, method)
        raise Answer(200)

    def list_comments(self, request: Request, _login: str, number: str) -> object:
        return self._page(request, self.pull(number).comments)

    def create_comment(self, request: Request, login: str, number: str) -> object:
        pull = self.pull(number)
        if not request.body.get("body"):
            raise Answer(422, {"message": "[Body]: Required"})
        comment = {"id": len(pull.comments) + 1, "body": request.body["body"], "user": {"id": 1, "login": login}}
        pull.comments.append(comment)
        raise Answer(201, comment)

    def combined_status(self, request: Request, _login: str, sha: str) -> object:
        last = {each["context"]: each for each in self.statuses.get(sha, [])}
        shown = [{"id": at, "description": "", **each} for at, each in enumerate(last.values(), 1)]
        return {"state": "pending", "sha": sha, "total_count": len(shown), "statuses": self._page(request, shown)}

    def create_status(self, request: Request, _login: str, sha: str) -> object:
        state, context = request.body.get("state"), request.body.get("context", "default")
        if state not in {"pending", "success", "error", "failure", "warning"}:
            raise Answer(422, {"message": "state"})
        self.statuses.setdefault(sha, []).append({"context": context, "status": state})
        raise Answer(201, {"id": 1, "context": context, "status": state})

    def branch(self, _request: Request, _login: str, name: str) -> object:
        more = {"enable_status_check": bool(self.required), "status_check_contexts": self.required}
        return {"name": name, "commit": {"id": self.repository.head(name)}, "protected": bool(self.required), **more}

    def _page(self, request: Request, items: list[Any]) -> list[object]:
        return self.paged(request, items, longest=LONGEST, size="limit")

    def _state(self, pull: FakePull) -> str:
        return "open" if pull.state == "open" else "closed"

    def _pull(self, pull: FakePull) -> dict[str, Any]:
        repo = {"id": 1, "full_name": self.path}
        return {
            "id": 1000 + pull.number,
            "number": pull.number,
            "title": pull.title,
            "state": self._state(pull),
            "user": {"id": 1, "login": pull.author},
            "draft": pull.is_draft,
            "labels": [{"name": name} for name in pull.labels],
            "created_at": CREATED,
            "html_url": f"{self.site}/{self.path}/pulls/{pull.number}",
            "url": f"{self.site}/{self.path}/pulls/{pull.number}",
            "head": {"label": pull.source, "ref": pull.source, "sha": self.head(pull), "repo": repo},
            "base": {"label": pull.target, "ref": pull.target, "repo": repo},
            "mergeable": self.is_mergeable(pull),
            "merged": pull.state == "merged",
            "merge_commit_sha": pull.merge_commit or None,
        }

    def _review(self, number: int, review: dict[str, Any]) -> dict[str, object]:
        return {
            "id": number,
            "user": {"id": 1, "login": review["login"]},
            "state": review["state"],
            "commit_id": review["sha"],
            "body": review["body"],
            "official": review["official"],
            "dismissed": review.get("dismissed", False),
            "stale": False,
            "submitted_at": CREATED,
        }
