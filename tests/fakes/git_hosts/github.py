"""A fake GitHub: https://docs.github.com/en/rest, version 2022-11-28."""

from __future__ import annotations

from typing import Any

from tests.fakes.git_hosts.world import CREATED, Answer, FakeHost, FakePull, Request


class FakeGitHub(FakeHost):
    """Pull requests, reviews, statuses, check runs, workflows."""

    routes = (
        ("GET", "/user", "user"),
        ("GET", "/repos/{repo}", "repo"),
        ("GET", "/repos/{repo}/pulls", "list_pulls"),
        ("GET", r"/repos/{repo}/pulls/(\d+)", "get_pull"),
        ("GET", r"/repos/{repo}/pulls/(\d+)/reviews", "list_reviews"),
        ("POST", r"/repos/{repo}/pulls/(\d+)/reviews", "create_review"),
        ("GET", r"/repos/{repo}/pulls/(\d+)/files", "list_files"),
        ("PUT", r"/repos/{repo}/pulls/(\d+)/merge", "merge_pull"),
        ("GET", r"/repos/{repo}/issues/(\d+)/comments", "list_comments"),
        ("POST", r"/repos/{repo}/issues/(\d+)/comments", "create_comment"),
        ("GET", r"/repos/{repo}/commits/([0-9a-f]+)/status", "combined_status"),
        ("GET", r"/repos/{repo}/commits/([0-9a-f]+)/check-runs", "check_runs"),
        ("GET", r"/repos/{repo}/commits/([0-9a-f]+)", "commit"),
        ("POST", r"/repos/{repo}/statuses/([0-9a-f]+)", "create_status"),
        ("GET", r"/repos/{repo}/branches/([^/]+)", "branch"),
        ("GET", r"/repos/{repo}/rules/branches/([^/]+)", "rules"),
        ("POST", r"/repos/{repo}/actions/workflows/([^/]+)/dispatches", "dispatch"),
        ("GET", r"/repos/{repo}/actions/workflows/([^/]+)/runs", "workflow_runs"),
        ("GET", r"/repos/{repo}/actions/runs/(\d+)", "workflow_run"),
    )

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self.runs: dict[str, list[dict[str, Any]]] = {}
        self.workflows: dict[int, dict[str, Any]] = {}
        self.ruled: list[str] = []
        self.writers = {"ann", "bob", "cat"}
        self.queues_merges = False

    # --- what people and their checks do

    def is_green(self, pull: FakePull, name: str = "build", state: str = "success") -> None:
        self.statuses.setdefault(self.head(pull), []).append({"context": name, "state": state})

    def runs_check(
        self, pull: FakePull, name: str, status: str = "completed", conclusion: str | None = "success"
    ) -> None:
        self.runs.setdefault(self.head(pull), []).append({"name": name, "status": status, "conclusion": conclusion})

    def reviews(self, pull: FakePull, login: str, state: str = "APPROVED", sha: str = "") -> None:
        pull.reviews.append({"login": login, "state": state, "sha": sha or self.head(pull), "body": ""})

    # --- the API

    def user(self, _request: Request, login: str) -> object:
        return self._user(login)

    def repo(self, _request: Request, _login: str) -> object:
        return {
            "id": 1,
            "full_name": self.path,
            "name": self.path.split("/")[1],
            "url": f"{self.url}/repos/{self.path}",
        }

    def list_pulls(self, request: Request, _login: str) -> object:
        wanted = request.query.get("state", "open")
        found = [each for each in self.pulls.values() if wanted in {"all", self._state(each)}]
        return self.paged(request, [self._pull(each) for each in reversed(found)])

    def get_pull(self, _request: Request, _login: str, number: str) -> object:
        pull = self.pull(number)
        if pull.unchecked > 0 and pull.state == "open":
            pull.unchecked -= 1
            mergeable, word = None, "unknown"
        else:
            mergeable = self.is_mergeable(pull)
            word = "clean" if mergeable else "dirty"
        more = {"merged": pull.state == "merged", "mergeable": mergeable, "mergeable_state": word, "comments": 0}
        return {**self._pull(pull), **more}

    def list_reviews(self, request: Request, _login: str, number: str) -> object:
        found = self.pull(number).reviews
        return self.paged(request, [self._review(at, each) for at, each in enumerate(found, 1)])

    def create_review(self, request: Request, login: str, number: str) -> object:
        pull, body = self.pull(number), request.body
        if body.get("event") not in {"APPROVE", "REQUEST_CHANGES", "COMMENT"}:
            raise Answer(422, {"message": "Unprocessable Entity"})
        if login == pull.author and body["event"] == "APPROVE":
            raise Answer(422, {"message": "Can not approve your own pull request"})
        state = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}[body["event"]]
        sha = body.get("commit_id") or self.head(pull)
        pull.reviews.append({"login": login, "state": state, "sha": sha, "body": body.get("body", "")})
        return self._review(len(pull.reviews), pull.reviews[-1])

    def list_files(self, request: Request, _login: str, number: str) -> object:
        pull = self.pull(number)
        names = self.repository.files(pull.source, pull.target)
        return self.paged(request, [{"filename": name, "status": "modified", "sha": "0" * 40} for name in names])

    def merge_pull(self, request: Request, _login: str, number: str) -> object:
        pull, body = self.pull(number), request.body
        if body.get("merge_method", "merge") not in {"merge", "squash", "rebase"}:
            raise Answer(422, {"message": "Invalid request."})
        if self.queues_merges or pull.state != "open" or pull.is_draft or not self.is_mergeable(pull):
            raise Answer(405, {"message": "Pull Request is not mergeable"})
        if body.get("sha") and body["sha"] != self.head(pull):
            raise Answer(409, {"message": "Head branch was modified. Review and try the merge again."})
        sha = self.merge(pull, body.get("merge_method", "merge"))
        return {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}

    def list_comments(self, request: Request, _login: str, number: str) -> object:
        return self.paged(request, self.pull(number).comments)

    def create_comment(self, request: Request, login: str, number: str) -> object:
        pull = self.pull(number)
        if not request.body.get("body"):
            raise Answer(422, {"message": "Validation Failed"})
        pull.comments.append({"id": len(pull.comments) + 1, "body": request.body["body"], "user": self._user(login)})
        raise Answer(201, pull.comments[-1])

    def combined_status(self, request: Request, _login: str, sha: str) -> object:
        last = {each["context"]: each for each in self.statuses.get(sha, [])}
        states = {each["state"] for each in last.values()}
        state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
        shown = [{"id": at, "description": "", **each} for at, each in enumerate(last.values(), 1)]
        return {"state": state, "statuses": self.paged(request, shown), "sha": sha, "total_count": len(shown)}

    def check_runs(self, request: Request, _login: str, sha: str) -> object:
        last = {each["name"]: each for each in self.runs.get(sha, [])}
        shown = [{"id": at, "head_sha": sha, **each} for at, each in enumerate(last.values(), 1)]
        return {"total_count": len(shown), "check_runs": self.paged(request, shown)}

    def commit(self, _request: Request, _login: str, sha: str) -> object:
        return {"sha": sha, "url": f"{self.url}/repos/{self.path}/commits/{sha}"}

    def create_status(self, request: Request, _login: str, sha: str) -> object:
        state = request.body.get("state")
        if state not in {"error", "failure", "pending", "success"}:
            raise Answer(422, {"message": "Validation Failed"})
        if len(request.body.get("description") or "") > 140:
            raise Answer(422, {"message": "description is too long"})
        context = request.body.get("context", "default")
        self.statuses.setdefault(sha, []).append({"context": context, "state": state})
        raise Answer(201, {"id": 1, "state": state, "context": context})

    def branch(self, _request: Request, _login: str, name: str) -> object:
        checks = {"enforcement_level": "everyone" if self.required else "off", "contexts": self.required}
        sha = self.repository.head(name)
        protection = {"enabled": bool(self.required), "required_status_checks": checks}
        return {"name": name, "commit": {"sha": sha}, "protected": bool(self.required), "protection": protection}

    def rules(self, request: Request, _login: str, _name: str) -> object:
        checks = [{"context": name} for name in self.ruled]
        rule = {"type": "required_status_checks", "parameters": {"required_status_checks": checks}}
        return self.paged(request, [rule] if checks else [])

    def dispatch(self, request: Request, _login: str, name: str) -> object:
        ref = request.body.get("ref")
        if not isinstance(ref, str):
            raise Answer(422, {"message": "Invalid request."})
        number = 1000 + len(self.workflows)
        sha = self.repository.head(ref)
        run = {"id": number, "name": name, "head_sha": sha, "status": "queued", "conclusion": None}
        self.workflows[number] = {**run, "event": "workflow_dispatch"}
        raise Answer(204)

    def workflow_runs(self, request: Request, _login: str, name: str) -> object:
        sha = request.query.get("head_sha", "")
        found = [each for each in self.workflows.values() if each["name"] == name and sha in {"", each["head_sha"]}]
        return {"total_count": len(found), "workflow_runs": self.paged(request, found)}

    def workflow_run(self, _request: Request, _login: str, number: str) -> object:
        if int(number) not in self.workflows:
            raise Answer(404, {"message": "Not Found"})
        return self.workflows[int(number)]

    def _user(self, login: str) -> dict[str, object]:
        return {"login": login, "id": 1 + len(login), "type": "User", "url": f"{self.url}/users/{login}"}

    def _state(self, pull: FakePull) -> str:
        return "open" if pull.state == "open" else "closed"

    def _pull(self, pull: FakePull) -> dict[str, object]:
        repo = {"full_name": pull.more.get("repo", self.path)}
        return {
            "id": pull.number,
            "number": pull.number,
            "title": pull.title,
            "state": self._state(pull),
            "user": self._user(pull.author),
            "draft": pull.is_draft,
            "labels": [{"name": name} for name in pull.labels],
            "created_at": CREATED,
            "merged_at": CREATED if pull.state == "merged" else None,
            "merge_commit_sha": pull.merge_commit or None,
            "html_url": f"{self.site}/{self.path}/pull/{pull.number}",
            "url": f"{self.url}/repos/{self.path}/pulls/{pull.number}",
            "issue_url": f"{self.url}/repos/{self.path}/issues/{pull.number}",
            "head": {"ref": pull.source, "sha": self.head(pull), "repo": repo},
            "base": {"ref": pull.target, "repo": {"full_name": self.path}},
        }

    def _review(self, number: int, review: dict[str, Any]) -> dict[str, object]:
        association = "MEMBER" if review["login"] in self.writers else "NONE"
        return {
            "id": number,
            "user": self._user(review["login"]),
            "state": review["state"],
            "commit_id": review["sha"],
            "body": review["body"],
            "author_association": association,
            "submitted_at": CREATED,
        }
