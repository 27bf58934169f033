"""The fake hosts, proved by clients that others wrote: PyGithub, python-gitlab, gitee-client and gitea-async-sdk.

They are no dependencies of the tests; where one is not installed, its test is skipped.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.git_hosts.gitea import FakeGitea
from tests.fakes.git_hosts.gitee import FakeGitee
from tests.fakes.git_hosts.github import FakeGitHub
from tests.fakes.git_hosts.gitlab import FakeGitLab

pytestmark = pytest.mark.slow

#: Of a person, who may send it as he likes.
TOKEN = "token-of-bob"


def test_pygithub_reads_approves_and_merges(tmp_path: Path) -> None:
    github: Any = pytest.importorskip("github")
    with FakeGitHub(tmp_path) as fake:
        fake.accounts[TOKEN] = "bob"
        pull, moved = fake.opens(), fake.opens(file="x.py")
        head = fake.head(pull)
        repo = github.Github(auth=github.Auth.Token(TOKEN), base_url=fake.url, retry=None).get_repo("acme/shop")

        assert [each.number for each in repo.get_pulls(state="open")] == [2, 1]
        found = repo.get_pull(1)
        assert (found.title, found.user.login, found.head.sha, found.draft) == ("Add a basket", "ann", head, False)
        assert (found.mergeable, found.mergeable_state, found.merged) == (True, "clean", False)
        assert [each.filename for each in found.get_files()] == ["basket.py"]
        found.create_review(commit=repo.get_commit(head), body="fine", event="APPROVE")
        assert [(each.state, each.commit_id) for each in found.get_reviews()] == [("APPROVED", head)]
        repo.get_commit(head).create_status("success", context="build", description="built")
        status = repo.get_commit(head).get_combined_status()
        assert (status.state, [each.context for each in status.statuses]) == ("success", ["build"])
        fake.runs_check(pull, "lint")
        runs = repo.get_commit(head).get_check_runs()
        assert [(each.name, each.conclusion) for each in runs] == [("lint", "success")]
        assert found.create_issue_comment("hello").body == "hello"
        assert [each.body for each in found.get_issue_comments()] == ["hello"]
        old = fake.head(moved)
        fake.pushes(moved)
        with pytest.raises(github.GithubException) as caught:
            repo.get_pull(2).merge(sha=old)
        assert caught.value.status == 409
        merged = found.merge(merge_method="squash", sha=head)
        assert (merged.merged, merged.sha) == (True, fake.repository.head("main"))
        assert repo.get_pull(1).merged
        assert fake.violations == []


def test_python_gitlab_reads_approves_and_merges(tmp_path: Path) -> None:
    gitlab: Any = pytest.importorskip("gitlab")
    with FakeGitLab(tmp_path) as fake:
        fake.accounts[TOKEN] = "bob"
        pull, moved = fake.opens(), fake.opens(file="x.py")
        head = fake.head(pull)
        project = gitlab.Gitlab(fake.site, private_token=TOKEN).projects.get("acme/shop")

        assert [each.iid for each in project.mergerequests.list(state="opened", get_all=True)] == [2, 1]
        found = project.mergerequests.get(1)
        assert (found.title, found.author["username"], found.sha) == ("Add a basket", "ann", head)
        assert (found.detailed_merge_status, found.state, found.changes_count) == ("mergeable", "opened", "1")
        diffs = found.manager.gitlab.http_list("/projects/acme%2Fshop/merge_requests/1/diffs", get_all=True)
        assert [each["new_path"] for each in diffs] == ["basket.py"]
        found.approve(sha=head)
        assert [each["user"]["username"] for each in found.approvals.get().approved_by] == ["bob"]
        project.commits.get(head).statuses.create({"state": "success", "name": "build"})
        statuses = project.commits.get(head).statuses.list(get_all=True)
        assert [(each.name, each.status) for each in statuses] == [("build", "success")]
        found.notes.create({"body": "hello"})
        assert [each.body for each in found.notes.list(get_all=True)] == ["hello"]
        started = found.pipelines.create({})
        assert project.pipelines.get(started.id).status == "created"
        old = fake.head(moved)
        fake.pushes(moved)
        with pytest.raises(gitlab.GitlabError) as caught:
            project.mergerequests.get(2).merge(sha=old)
        assert caught.value.response_code == 409
        found.merge(sha=head)
        assert (found.state, found.merge_commit_sha) == ("merged", fake.repository.head("main"))
        assert fake.violations == []


def test_gitee_client_reads_accepts_and_merges(tmp_path: Path) -> None:
    gitee: Any = pytest.importorskip("gitee_client")
    with FakeGitee(tmp_path) as fake:
        fake.accounts[TOKEN] = "bob"
        pull = fake.opens()
        head = fake.head(pull)
        fake.names(pull, "assignees", "bob")
        fake.names(pull, "testers", "bob")
        client = gitee.GiteeClient(access_token=TOKEN, base_url=f"{fake.site}/api")
        place: dict[str, Any] = {"owner": "acme", "repo": "shop"}

        assert [each["number"] for each in client.pulls.list_repos_pulls(**place, state="open")] == [1]
        found = client.pulls.get_repos_pulls(1, **place)
        assert (found["title"], found["head"]["sha"], found["mergeable"]) == ("Add a basket", head, True)
        assert [each["filename"] for each in client.pulls.list_repos_pulls_files(1, **place)] == ["basket.py"]
        with pytest.raises(gitee.GiteeAPIError):
            client.pulls.update_repos_pulls_merge(1, **place)
        client.pulls.create_repos_pulls_review(1, **place)
        client.pulls.create_repos_pulls_test(1, **place)
        assert [each["accept"] for each in client.pulls.get_repos_pulls(1, **place)["assignees"]] == [True]
        client.checks.create_repos_check_runs(head, "build", **place, status="completed", conclusion="success")
        runs = client.checks.list_repos_commits_check_runs(ref=head, **place)["check_runs"]
        assert [(each["name"], each["conclusion"]) for each in runs] == [("build", "success")]
        client.pulls.create_repos_pulls_comments("hello", 1, **place)
        assert [each["body"] for each in client.pulls.list_repos_pulls_comments(1, **place)] == ["hello"]
        merged = client.pulls.update_repos_pulls_merge(1, **place, merge_method="merge")
        assert (merged["merged"], merged["sha"]) == (True, fake.repository.head("main"))
        assert fake.violations == []


def test_gitea_async_sdk_reads_approves_and_merges(tmp_path: Path) -> None:
    gitea: Any = pytest.importorskip("gitea_async")
    with FakeGitea(tmp_path) as fake:
        fake.accounts[TOKEN] = "bob"
        pull, moved = fake.opens(), fake.opens(file="x.py")
        old = fake.head(moved)
        fake.pushes(moved)
        asyncio.run(_gitea(gitea, fake, fake.head(pull), old))
        assert fake.violations == []


async def _gitea(gitea: Any, fake: FakeGitea, head: str, old: str) -> None:
    configuration = gitea.Configuration(host=fake.url)
    async with gitea.ApiClient(configuration, "Authorization", f"token {TOKEN}") as client:
        repos, issues = gitea.RepositoryApi(client), gitea.IssueApi(client)
        place = {"owner": "acme", "repo": "shop"}

        assert {each.number for each in await repos.repo_list_pull_requests(**place, state="open")} == {1, 2}
        found = await repos.repo_get_pull_request(**place, index=1)
        assert (found.title, found.user.login, found.head.sha) == ("Add a basket", "ann", head)
        assert (found.mergeable, found.merged, found.state) == (True, False, "open")
        files = await repos.repo_get_pull_request_files(**place, index=1)
        assert [each.filename for each in files] == ["basket.py"]
        review = gitea.CreatePullReviewOptions(event="APPROVED", commit_id=head, body="fine")
        await repos.repo_create_pull_review(**place, index=1, body=review)
        reviews = await repos.repo_list_pull_reviews(**place, index=1)
        assert [(each.state, each.commit_id, each.official) for each in reviews] == [("APPROVED", head, True)]
        status = gitea.CreateStatusOption(state="success", context="build")
        await repos.repo_create_status(**place, sha=head, body=status)
        combined = await repos.repo_get_combined_status_by_ref(**place, ref=head)
        assert [(each.context, each.status) for each in combined.statuses] == [("build", "success")]
        await issues.issue_create_comment(**place, index=1, body=gitea.CreateIssueCommentOption(body="hello"))
        assert [each.body for each in await issues.issue_get_comments(**place, index=1)] == ["hello"]
        with pytest.raises(gitea.ApiException) as caught:
            await repos.repo_merge_pull_request(
                **place, index=2, body=gitea.MergePullRequestOption(do="merge", head_commit_id=old)
            )
        assert caught.value.status == 409
        merge = gitea.MergePullRequestOption(do="squash", head_commit_id=head)
        await repos.repo_merge_pull_request(**place, index=1, body=merge)
        merged = await repos.repo_get_pull_request(**place, index=1)
        assert (merged.merged, merged.merge_commit_sha) == (True, fake.repository.head("main"))
