"""A fake Gitee: https://gitee.com/api/v5/swagger."""

from __future__ import annotations

from typing import Any

from tests.fakes.git_hosts.world import CREATED, TOKEN, Answer, FakeHost, FakePull, Request


class FakeGitee(FakeHost):
    """Pull requests with reviewers and testers, check runs."""

    root = "/api/v5"
    routes = (
        ("GET", "/user", "user"),
        ("GET", "/repos/{repo}/pulls", "list_pulls"),
        ("GET", r"/repos/{repo}/pulls/(\d+)", "get_pull"),
        ("GET", r"/repos/{repo}/pulls/(\d+)/files", "list_files"),
        ("PUT", r"/repos/{repo}/pulls/(\d+)/merge", "merge_pull"),
        ("POST", r"/repos/{repo}/pulls/(\d+)/review", "review"),
        ("POST", r"/repos/{repo}/pulls/(\d+)/test", "test"),
        ("GET", r"/repos/{repo}/pulls/(\d+)/comments", "list_comments"),
        ("POST", r"/repos/{repo}/pulls/(\d+)/comments", "create_comment"),
        ("GET", r"/repos/{repo}/commits/([0-9a-f]+)/check-runs", "list_runs"),
        ("POST", r"/repos/{repo}/check-runs", "create_run"),
    )

    def login(self, request: Request) -> str:
        """Return whose token it is; Gitee takes it in the query, too, as most clients send it; ours does not."""
        given = request.query.get("access_token") or request.body.get("access_token")
        if given in self.accounts and given != TOKEN:
            return self.accounts[given]
        return super().login(request)

    # --- what people and their checks do

    def is_green(self, pull: FakePull, name: str = "build", state: str = "success") -> None:
        run = {"name": name, "head_sha": self.head(pull), "status": "completed", "conclusion": state}
        self.statuses.setdefault(self.head(pull), []).append(run)

    def names(self, pull: FakePull, people: str, *logins: str, number: int | None = None) -> None:
        """Name reviewers (`assignees`) or `testers`, so many of whom have to accept."""
        pull.more[people] = [{"login": login, "accept": False} for login in logins]
        pull.more[f"{people}_number"] = len(logins) if number is None else number

    # --- the API

    def user(self, _request: Request, login: str) -> object:
        return {"id": 1, "login": login, "name": login}

    def list_pulls(self, request: Request, _login: str) -> object:
        wanted = request.query.get("state", "open")
        found = [each for each in self.pulls.values() if wanted in {"all", each.state}]
        return self.paged(request, [self._pull(each) for each in reversed(found)])

    def get_pull(self, _request: Request, _login: str, number: str) -> object:
        return self._pull(self.pull(number))

    def list_files(self, _request: Request, _login: str, number: str) -> object:
        pull = self.pull(number)
        return [{"filename": name, "sha": "0" * 40} for name in self.repository.files(pull.source, pull.target)]

    def merge_pull(self, request: Request, _login: str, number: str) -> object:
        pull = self.pull(number)
        method = request.body.get("merge_method", "merge")
        if method not in {"merge", "squash", "rebase"}:
            raise Answer(400, {"message": "merge_method does not have a valid value"})
        lacks = any(self._lacks(pull, people) for people in ("assignees", "testers"))
        if pull.state != "open" or lacks or not self.is_mergeable(pull):
            raise Answer(400, {"message": "此 Pull Request 不可合并"})
        return {"sha": self.merge(pull, method), "merged": True, "message": "Pull Request 已成功合并"}

    def review(self, request: Request, login: str, number: str) -> object:
        return self._accept(request, login, number, "assignees")

    def test(self, request: Request, login: str, number: str) -> object:
        return self._accept(request, login, number, "testers")

    def list_comments(self, request: Request, _login: str, number: str) -> object:
        return self.paged(request, self.pull(number).comments)

    def create_comment(self, request: Request, login: str, number: str) -> object:
        pull = self.pull(number)
        if not request.body.get("body"):
            raise Answer(400, {"message": "body is missing"})
        pull.comments.append({"id": len(pull.comments) + 1, "body": request.body["body"], "user": {"login": login}})
        raise Answer(201, pull.comments[-1])

    def list_runs(self, request: Request, _login: str, sha: str) -> object:
        shown = [{"id": at, **each} for at, each in enumerate(self.statuses.get(sha, []), 1)]
        return {"total_count": len(shown), "check_runs": self.paged(request, shown[::-1], size="per_page")}

    def create_run(self, request: Request, _login: str) -> object:
        body = request.body
        if not (body.get("name") and body.get("head_sha")):
            raise Answer(400, {"message": "name is missing, head_sha is missing"})
        status = body.get("status", "queued")
        if status not in {"queued", "in_progress", "completed"} or (
            status == "completed" and not body.get("conclusion")
        ):
            raise Answer(400, {"message": "status does not have a valid value"})
        run = {
            "name": body["name"],
            "head_sha": body["head_sha"],
            "status": status,
            "conclusion": body.get("conclusion"),
        }
        self.statuses.setdefault(run["head_sha"], []).append(run)
        raise Answer(201, {"id": len(self.statuses[run["head_sha"]]), **run})

    def _accept(self, request: Request, login: str, number: str, people: str) -> object:
        pull = self.pull(number)
        if request.body.get("force"):
            self.violations.append("force takes the place of people")
        named = [each for each in pull.more.get(people, []) if each["login"] == login]
        if not named:
            raise Answer(403, {"message": "没有权限"})
        named[0]["accept"] = True
        raise Answer(204)

    def _lacks(self, pull: FakePull, people: str) -> bool:
        accepted = sum(each["accept"] for each in pull.more.get(people, []))
        return bool(accepted < pull.more.get(f"{people}_number", 0))

    def _pull(self, pull: FakePull) -> dict[str, Any]:
        return {
            "id": 1000 + pull.number,
            "number": pull.number,
            "title": pull.title,
            "state": pull.state,
            "user": {"login": pull.author},
            "draft": pull.is_draft,
            "labels": [{"name": name} for name in pull.labels],
            "created_at": "2026-11-01T17:00:00+08:00" if CREATED.endswith("T09:00:00Z") else CREATED,
            "html_url": f"{self.site}/{self.path}/pulls/{pull.number}",
            "head": {"ref": pull.source, "sha": self.head(pull), "repo": {"full_name": self.path}},
            "base": {"ref": pull.target, "repo": {"full_name": self.path}},
            "mergeable": self.is_mergeable(pull),
            "assignees": pull.more.get("assignees", []),
            "assignees_number": pull.more.get("assignees_number", 0),
            "testers": pull.more.get("testers", []),
            "testers_number": pull.more.get("testers_number", 0),
        }
