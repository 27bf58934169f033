"""Pull requests from the chat: people write commands, and a host with a real repository does what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from slack_alert.testing import Answer, ChatRehearsal
from tests.fakes.git_hosts.gitea import FakeGitea
from tests.fakes.git_hosts.gitee import FakeGitee
from tests.fakes.git_hosts.github import FakeGitHub
from tests.fakes.git_hosts.gitlab import FakeGitLab
from tests.fakes.git_hosts.world import BOT, TOKEN, FakeHost, Fault, Request

pytestmark = pytest.mark.slow

Open = Callable[..., ChatRehearsal]
STORY = Path(__file__).parents[2] / "transcripts" / "git" / "a-day-of-a-pull-request.txt"
SLACK = "[slack]\nchannel = #ops\ntimezone = UTC\n"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as host:
        yield host
        assert host.violations == []


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Start a program with the repository of a host."""
    kinds = [f"_hosts.{kind}.UNCHECKED_PAUSES" for kind in ("github", "gitlab", "gitee", "gitea")]
    for name in ("_hosts.http.PAUSES", "_merging.PAUSES", *kinds):
        monkeypatch.setattr(f"slack_alert.packs.git.{name}", (0.0, 0.0))
    monkeypatch.setattr("slack_alert.packs.git._testing.PAUSE", 0.0)
    chat = ChatRehearsal()

    def started(host: FakeHost, more: str = "", *, kind: str = "github", **keys: str) -> ChatRehearsal:
        (tmp_path / "project" / "plugins").mkdir(parents=True)
        shop = f"[git.shop]\nhost = {kind}\nurl = {host.url}\nrepo = {host.path}\ntoken = {TOKEN}\n"
        shop += "".join(f"{key} = {value}\n" for key, value in keys.items())
        chat.load(tmp_path / "project", start="2026-11-03T09:00", config=f"{SLACK}{shop}{more}\n")
        return chat

    yield started
    chat.close()


def said(answers: list[Answer]) -> str:
    return "\n".join(answers)


def test_open_pull_requests_are_a_table(github: FakeGitHub, start: Open) -> None:
    basket = github.opens()
    github.is_green(basket)
    github.reviews(basket, "bob")
    draft = github.opens("Write <!channel> *loud*\nthings", author="bob", is_draft=True)
    github.is_green(draft)
    github.runs_check(draft, "lint", "in_progress", None)

    table = said(start(github).says("ann", "!prs"))

    assert [line.split() for line in table.splitlines() if line[:1].isdigit()] == [
        ["2", "draft:", "Write", "<!channel>", "∗loud∗", "things", "bob", "2", "d", "running:", "lint", "-"],
        ["1", "Add", "a", "basket", "ann", "2", "d", "passed", "bob"],
    ]


def test_a_pull_request_is_shown_with_what_is_missing(github: FakeGitHub, start: Open) -> None:
    pull = github.opens(labels=["hold"])
    github.is_green(pull)
    github.runs_check(pull, "lint", conclusion="timed_out")

    shown = said(start(github).says("cat", "!pr 1"))

    assert "it has the label hold" in shown
    assert "the check lint failed (timed_out)" in shown
    assert "nobody but the author has approved it (approve 1)" in shown


def test_what_the_host_refuses_is_told_without_the_token(github: FakeGitHub, start: Open) -> None:
    github.accounts.clear()

    shown = said(start(github).says("cat", "!prs"))

    assert "GitHub does not take the token (401: Bad credentials)." in shown
    assert TOKEN not in shown


@pytest.fixture(params=[FakeGitHub, FakeGitLab, FakeGitee, FakeGitea], ids=["github", "gitlab", "gitee", "gitea"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeHost]:
    with request.param(tmp_path) as fake:
        yield fake
        assert fake.violations == []


def kind(host: FakeHost) -> str:
    return type(host).__name__.removeprefix("Fake").lower()


def people(host: FakeHost) -> str:
    lines = "".join(f"U0{name.upper()} = {kind(host)}:{name}\n" for name in ("ann", "bob", "cat"))
    return f"[chat]\nadmins = U0ANN, U0BOB, U0CAT\n[people]\n{lines}"


CHECK = "[command.check]\nrun = echo {sha} of {branch}\nparams = sha, branch\n"


def test_a_day_of_a_pull_request(host: FakeHost, start: Open) -> None:
    """The story: it is seen, tested, approved by another person, and merged as one real commit."""
    pull = host.opens()
    head = host.head(pull)
    chat = start(host, f"{people(host)}{CHECK}", kind=kind(host), test="command:check")

    assert "Add a basket" in said(chat.says("U0CAT", "!prs"))
    assert "its newest commit was not tested (test 1)" in said(chat.says("U0ANN", "!merge 1"))
    assert f"{head} of topic-1" in said(chat.says("U0ANN", "!test 1"))
    assert "#1 is yours: somebody else has to approve it." in said(chat.says("U0ANN", "!approve 1"))
    assert f"#1 is approved by bob, for {head[:8]} alone" in said(chat.says("U0BOB", "!approve 1"))
    assert "missing       nothing" in said(chat.says("U0ANN", "!pr 1"))
    assert f"#1 is merged: {head[:8]} is in main as" in said(chat.says("U0ANN", "!merge 1"))
    assert "#1 was merged before." in said(chat.says("U0BOB", "!merge 1"))
    assert host.merges == [(1, head)]
    assert head in host.repository.commits("main")
    assert [text.partition("\n")[0] for text in host.comments_of(1)] == [
        f"`bob` has approved {head} in the chat, as `slack:U0BOB`."
    ]
    assert len(host.statuses[head]) == 2
    assert "No pull request is open in acme/shop." in said(chat.says("U0ANN", "!prs"))


def test_a_push_ends_approval_and_test(host: FakeHost, start: Open) -> None:
    pull = host.opens()
    chat = start(host, f"{people(host)}{CHECK}", kind=kind(host), test="command:check")
    chat.says("U0ANN", "!test 1")
    chat.says("U0BOB", "!approve 1")
    old = host.head(pull)
    host.pushes(pull)

    shown = said(chat.says("U0ANN", "!merge 1"))

    assert f"bob approved {old[:8]}, and it was pushed to since (approve 1)" in shown
    assert "its newest commit was not tested (test 1)" in shown
    assert host.merges == []


def test_what_is_on_hold_waits(host: FakeHost, start: Open) -> None:
    host.opens()
    chat = start(host, f"{people(host)}{CHECK}", kind=kind(host), test="command:check")
    chat.says("U0ANN", "!test 1")
    chat.says("U0BOB", "!approve 1")
    chat.says("U0CAT", "!hold 1")

    assert "U0CAT has put it on hold (unhold 1)" in said(chat.says("U0ANN", "!merge 1"))
    chat.says("U0CAT", "!unhold 1")
    assert "is merged" in said(chat.says("U0ANN", "!merge 1 --method squash"))
    assert len(host.repository.commits("main")) == 2


def test_a_push_between_the_look_and_the_merge_is_not_merged(host: FakeHost, start: Open) -> None:
    pull = host.opens()
    chat = start(host, f"{people(host)}{CHECK}", kind=kind(host), test="command:check")
    chat.says("U0ANN", "!test 1")
    chat.says("U0BOB", "!approve 1")

    def push(request: Request) -> None:
        # Gitee takes no commit with a merge: there it is looked at right before.
        is_files = request.path.endswith(("/files", "/diffs"))
        if is_files if kind(host) == "gitee" else "/merge" in request.path and request.method != "GET":
            host.before = lambda _: None
            host.pushes(pull)

    host.before = push
    shown = said(chat.says("U0ANN", "!merge 1"))

    assert "is not merged" in shown
    assert host.merges == []


def ready(host: FakeHost, start: Open, more: str = "", **keys: str) -> ChatRehearsal:
    """Start a program in which #1 was tested."""
    host.opens()
    chat = start(host, f"{people(host)}{CHECK}{more}", kind=kind(host), test="command:check", **keys)
    assert "#1 passed" in said(chat.says("U0ANN", "!test 1"))
    return chat


def test_an_approval_survives_a_restart_and_a_kill(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    chat.says("U0BOB", "!approve 1")
    chat.restart()
    assert "You have approved" in said(chat.says("U0BOB", "!approve 1"))
    chat.crash()

    assert "#1 is merged" in said(chat.says("U0ANN", "!merge 1"))
    assert len(host.comments_of(1)) == 1


def test_a_review_of_the_token_is_given_on_the_host_as_well(host: FakeHost, start: Open) -> None:
    chat = ready(host, start, approve="review")
    if isinstance(host, FakeGitee):
        host.names(host.pulls[1], "assignees", BOT)
        assert "0 of 1 reviewers have accepted it there" in said(chat.says("U0BOB", "!pr 1"))

    answer = said(chat.says("U0BOB", "!approve 1"))

    assert "The review on the host is by the account of the token." in answer
    marks = host.pulls[1].more.get("assignees") or host.pulls[1].reviews
    assert [each["login"] for each in marks] == [BOT]
    # It is one approval, that of a person.
    assert "approved by   bob" in said(chat.says("U0ANN", "!pr 1"))
    assert "#1 is merged" in said(chat.says("U0ANN", "!merge 1"))


def test_the_review_of_the_token_alone_approves_nothing(host: FakeHost, start: Open) -> None:
    """Whoever has the token could approve what nobody has seen."""
    chat = ready(host, start)
    if isinstance(host, FakeGitee):
        host.names(host.pulls[1], "assignees", BOT)
        host.pulls[1].more["assignees"][0]["accept"] = True
    else:
        cast(Any, host).reviews(host.pulls[1], BOT)

    assert "nobody but the author has approved it" in said(chat.says("U0ANN", "!merge 1"))


def test_an_approval_on_the_host_counts_for_the_commit_it_is_about(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    if isinstance(host, FakeGitee):
        host.names(host.pulls[1], "assignees", "bob")
        host.pulls[1].more["assignees"][0]["accept"] = True
        # It does not tell which commit that was.
        assert "nobody but the author has approved it" in said(chat.says("U0ANN", "!merge 1"))
        return
    cast(Any, host).reviews(host.pulls[1], "bob")
    assert "approved by   bob" in said(chat.says("U0ANN", "!pr 1"))
    host.pushes(host.pulls[1])
    host.pulls[1].more["pushed_at"] = "2026-11-01T11:00:00Z"
    chat.says("U0ANN", "!test 1")

    assert "is not merged" in said(chat.says("U0ANN", "!merge 1"))
    assert host.merges == []


def test_owners_of_changed_files_have_to_approve(host: FakeHost, start: Open) -> None:
    host.opens(file="db/001.sql")
    owners = f"[roles]\nrelease = U0CAT\n[owners.shop]\ndb/** = release\n*.py = {kind(host)}:bob\n"
    chat = start(host, f"{people(host)}{CHECK}{owners}", kind=kind(host), test="command:check")
    chat.says("U0ANN", "!test 1")
    chat.says("U0BOB", "!approve 1")

    assert "db/∗∗ is changed, which one of release has to approve" in said(chat.says("U0ANN", "!merge 1"))
    chat.says("U0CAT", "!approve 1")
    assert "#1 is merged" in said(chat.says("U0ANN", "!merge 1"))


def test_who_has_no_account_on_the_host_does_not_approve(host: FakeHost, start: Open) -> None:
    host.opens()
    chat = start(host, "[chat]\nadmins = U0DAN\n", kind=kind(host))

    answer = said(chat.says("U0DAN", "!approve 1"))

    assert f"Somebody has to write ˋU0DAN = {kind(host)}:LOGINˋ into [people]." in answer
    assert host.comments_of(1) == []


def test_who_may_not_changes_nothing(host: FakeHost, start: Open) -> None:
    host.opens()
    chat = start(host, people(host), kind=kind(host))

    for line in ("test 1", "approve 1", "merge 1", "hold 1", "unhold 1"):
        assert "denied" in said(chat.says("U0DAN", f"!{line}"))
    assert "Add a basket" in said(chat.says("U0DAN", "!prs"))
    assert [each.method for each in host.requests if each.method != "GET"] == []


def test_a_line_about_a_repository_holds_where_it_is_not_named(host: FakeHost, start: Open) -> None:
    """`merge 1` means `merge 1 shop` here."""
    host.opens()
    lines = "[permissions]\nmerge = members\nmerge repo:shop = U0CAT\nhold = members\nhold repo:shop = U0CAT\n"
    chat = start(
        host, f"{people(host).replace('admins = U0ANN, U0BOB, U0CAT', 'admins = U0ANN')}{lines}", kind=kind(host)
    )

    for line in ("merge 1 shop", "merge 1", "hold 1 shop", "hold 1"):
        assert "is for U0CAT" in said(chat.says("U0BOB", f"!{line}"))
    assert "nobody but the author has approved it" in said(chat.says("U0CAT", "!merge 1"))
    assert "#1 is on hold" in said(chat.says("U0CAT", "!hold 1"))


def test_an_approval_of_somebody_who_may_not_any_more_is_none(host: FakeHost, start: Open) -> None:
    host.opens()
    rights = people(host).replace("U0ANN, U0BOB, U0CAT", "U0ANN")
    chat = start(host, f"{rights}{CHECK}", kind=kind(host), test="command:check")
    chat.permissions("approve = U0BOB")
    chat.says("U0ANN", "!test 1")
    assert "is approved by bob" in said(chat.says("U0BOB", "!approve 1"))
    assert "missing       nothing" in said(chat.says("U0ANN", "!pr 1"))
    chat.restart()
    chat.permissions("approve = U0CAT")

    assert "nobody but the author has approved it" in said(chat.says("U0ANN", "!merge 1"))


def test_a_comment_whose_answer_is_lost_is_there_once(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    host.faults.append(Fault("cut", method="POST", path="(comments|notes)$", is_after=True))

    answer = said(chat.says("U0BOB", "!approve 1"))

    assert "not certain" not in answer
    assert len(host.comments_of(1)) == 1


def test_an_approval_holds_where_the_host_takes_no_comment(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    host.faults.append(Fault("json", method="POST", path="(comments|notes)$", status=403))

    answer = said(chat.says("U0BOB", "!approve 1"))

    assert "It is kept here, but it is not certain that the host has a comment about it" in answer
    assert "#1 is merged" in said(chat.says("U0ANN", "!merge 1"))


def test_a_failed_test_keeps_it_from_being_merged(host: FakeHost, start: Open) -> None:
    host.opens()
    failing = CHECK.replace("run = echo", "run = false")
    chat = start(host, f"{people(host)}{failing}", kind=kind(host), test="command:check")

    assert "exit code 1: false" in said(chat.says("U0ANN", "!test 1"))
    chat.says("U0BOB", "!approve 1")
    assert "the test of its newest commit failed (test 1)" in said(chat.says("U0ANN", "!merge 1"))
    last = host.statuses[host.head(host.pulls[1])][-1]
    assert {last.get("state"), last.get("status"), last.get("conclusion")} & {"failure", "failed"}


def test_a_host_that_takes_no_status_does_not_stop_a_test(host: FakeHost, start: Open) -> None:
    host.opens()
    chat = start(host, f"{people(host)}{CHECK}", kind=kind(host), test="command:check")
    host.faults.append(Fault("json", method="POST", path="(statuses/|check-runs$)", times=9, status=403))

    answer = said(chat.says("U0ANN", "!test 1"))

    assert "#1 passed" in answer
    assert "It is not certain that the host shows it" in answer


def test_a_branch_that_looks_like_an_option_is_given_to_no_program(host: FakeHost, start: Open) -> None:
    pull = host.opens()
    host.repository.git("update-ref", "refs/heads/-rf", host.head(pull))
    pull.source = "-rf"
    chat = start(host, f"{people(host)}{CHECK}", kind=kind(host), test="command:check")

    assert "begins with a dash" in said(chat.says("U0ANN", "!test 1"))


def test_another_check_that_failed_keeps_it_from_being_merged(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    chat.says("U0BOB", "!approve 1")
    cast(Any, host).is_green(host.pulls[1], "lint", "failed" if isinstance(host, FakeGitLab) else "failure")

    assert "the check lint failed" in said(chat.says("U0ANN", "!merge 1"))


def test_a_word_that_nobody_knows_is_shown_and_not_taken_as_fine(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    chat.says("U0BOB", "!approve 1")
    cast(Any, host).is_green(host.pulls[1], "lint", "sublime")

    answer = said(chat.says("U0ANN", "!merge 1"))

    assert "the check lint says something that is not known here (sublime)" in answer


def test_two_that_conflict_are_not_both_merged(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    host.opens("Another basket")
    chat.says("U0ANN", "!test 2")
    for number in (1, 2):
        chat.says("U0BOB", f"!approve {number}")

    assert "#1 is merged" in said(chat.says("U0ANN", "!merge 1"))
    assert "#2 is not merged: the host says that it cannot be merged" in said(chat.says("U0ANN", "!merge 2"))


def test_titles_and_logins_are_text(host: FakeHost, start: Open) -> None:
    host.opens("!merge 1\n<!channel> <@U0ANN> `x` *y* \u202eevil", author="ann-*x*")
    chat = start(host, people(host), kind=kind(host))

    shown = said(chat.says("U0CAT", "!prs"))

    assert "!merge 1 <!channel> <@U0ANN> ˋxˋ ∗y∗ evil" in shown
    assert host.merges == []


def test_repositories_are_named_where_there_are_several(host: FakeHost, start: Open) -> None:
    host.opens()
    site = f"[git.site]\nhost = {kind(host)}\nurl = {host.url}\nrepo = acme/site\ntoken = {TOKEN}\n"
    chat = start(host, f"{people(host)}{site}", kind=kind(host))

    assert "Which repository? Write its name behind: shop, site." in said(chat.says("U0ANN", "!prs"))
    assert "Add a basket" in said(chat.says("U0ANN", "!prs shop"))
    assert "There is no repository 'shup'. Did you mean shop?" in said(chat.says("U0ANN", "!pr 1 shup"))
    assert "approve 1 shop" in said(chat.says("U0ANN", "!pr 1 shop"))


def test_two_merges_exclude_each_other(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    host.opens("Add a till", file="till.py")
    chat.says("U0ANN", "!test 2")
    for number in (1, 2):
        chat.says("U0BOB", f"!approve {number}")

    with chat.held("merge"):
        first, second = said(chat.says("U0ANN", "!merge 1")), said(chat.says("U0BOB", "!merge 2 shop"))

    assert ("queued" in first, "queued" in second) == (False, True)
    assert [number for number, _ in host.merges] == [1, 2]


def test_what_has_to_be_stopped_is_stopped_without_the_host(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    chat.says("U0BOB", "!approve 1")
    host.faults.append(Fault("cut", times=2))

    assert "#1 is on hold." in said(chat.says("U0ANN", "!hold 1"))
    host.faults.clear()
    assert "has put it on hold" in said(chat.says("U0ANN", "!merge 1"))


def test_the_newest_of_many_are_listed_with_how_many_there_are(host: FakeHost, start: Open) -> None:
    for number in range(23):
        host.opens(f"Change {number}", file=f"{number}.py")
    chat = start(host, people(host), kind=kind(host))

    chat.says("U0CAT", "!prs")

    shown = "\n".join(chat.answers)
    assert "23 are open, of which the newest 20 are here." in shown
    assert ("Change 22" in shown, "Change 3 " in shown, "Change 2 " in shown) == (True, True, False)


# --- what hosts have alone


def test_github_is_asked_again_whether_it_can_be_merged(github: FakeGitHub, start: Open) -> None:
    pull = github.opens(unchecked=2)
    github.is_green(pull)
    chat = start(github, people(github))

    assert "whether it can be merged" not in said(chat.says("U0ANN", "!pr 1"))
    pull.unchecked = 99
    assert "the host has not found out yet whether it can be merged" in said(chat.says("U0ANN", "!pr 1"))


def test_required_checks_of_github_must_have_run(github: FakeGitHub, start: Open) -> None:
    pull = github.opens()
    github.is_green(pull)
    github.required, github.ruled = ["build", "deploy"], ["scan"]
    shown = said(start(github, people(github)).says("U0ANN", "!pr 1"))

    assert "the check deploy is required, and has not run" in shown
    assert "the check scan is required, and has not run" in shown
    assert "the check build is required" not in shown


def test_the_refusal_of_a_merge_queue_is_told(github: FakeGitHub, start: Open) -> None:
    github.queues_merges = True
    github.is_green(github.opens())
    chat = start(github, people(github))
    chat.says("U0BOB", "!approve 1")

    answer = said(chat.says("U0ANN", "!merge 1"))

    assert "#1 is not merged. GitHub refuses (405: Pull Request is not mergeable)." in answer


def test_changes_that_somebody_asks_for_stand_until_they_are_approved(github: FakeGitHub, start: Open) -> None:
    pull = github.opens()
    github.is_green(pull)
    github.reviews(pull, "cat", "CHANGES_REQUESTED")
    github.reviews(pull, "cat", "COMMENTED")
    chat = start(github, people(github))
    chat.says("U0BOB", "!approve 1")

    assert "cat asks for changes on the host" in said(chat.says("U0ANN", "!merge 1"))
    github.reviews(pull, "cat")
    assert "#1 is merged" in said(chat.says("U0ANN", "!merge 1"))


def test_a_stranger_on_github_approves_nothing(github: FakeGitHub, start: Open) -> None:
    pull = github.opens()
    github.is_green(pull)
    github.reviews(pull, "mallory")

    assert "nobody but the author has approved it" in said(start(github, people(github)).says("U0ANN", "!merge 1"))


@pytest.mark.parametrize(("conclusion", "told"), [("success", "#1 passed"), ("failure", "ci.yml failed (failure)")])
def test_a_workflow_of_github_is_started_and_followed(
    github: FakeGitHub, start: Open, conclusion: str, told: str
) -> None:
    github.opens()
    chat = start(github, people(github), test="github:ci.yml")
    rounds = []

    def go_on(request: Request) -> None:
        if "/actions/runs/" in request.path:
            rounds.append(request.path)
            state = {"status": "in_progress"} if len(rounds) < 3 else {"status": "completed", "conclusion": conclusion}
            github.workflows[1000] |= state

    github.before = go_on

    assert told in said(chat.says("U0ANN", "!test 1"))
    assert (len(rounds), len(github.workflows)) == (3, 1)


def test_a_workflow_whose_start_was_not_answered_is_found(github: FakeGitHub, start: Open) -> None:
    github.opens()
    chat = start(github, people(github), test="github:ci.yml")
    github.faults.append(Fault("cut", method="POST", path="dispatches$", is_after=True))

    def go_on(request: Request) -> None:
        if "/actions/runs/" in request.path:
            github.workflows[1000] |= {"status": "completed", "conclusion": "success"}

    github.before = go_on

    assert "#1 passed" in said(chat.says("U0ANN", "!test 1"))
    assert len(github.workflows) == 1


def test_a_pipeline_of_gitlab_is_started_and_followed(tmp_path: Path, start: Open) -> None:
    with FakeGitLab(tmp_path) as gitlab:
        gitlab.opens()
        chat = start(gitlab, people(gitlab), kind="gitlab", test="gitlab:pipeline")

        def go_on(request: Request) -> None:
            if "/pipelines/" in request.path and request.method == "GET":
                gitlab.pipelines[0]["status"] = "running" if gitlab.pipelines[0]["status"] == "created" else "success"

        gitlab.before = go_on

        assert "#1 passed" in said(chat.says("U0ANN", "!test 1"))
        assert len(gitlab.pipelines) == 1
        # What is not known is shown, and what keeps it from being merged is named.
        gitlab.word = "blessed"
        assert "says of merging something that is not known here (blessed)" in said(chat.says("U0ANN", "!pr 1"))
        gitlab.word = "discussions_not_resolved"
        assert "it cannot be merged (discussions_not_resolved)" in said(chat.says("U0ANN", "!pr 1"))


def test_gitea_that_still_finds_out_is_asked_again(tmp_path: Path, start: Open) -> None:
    with FakeGitea(tmp_path) as gitea:
        gitea.is_green(gitea.opens(unchecked=2))
        chat = start(gitea, people(gitea), kind="gitea")
        chat.says("U0BOB", "!approve 1")

        assert "#1 is merged" in said(chat.says("U0ANN", "!merge 1"))


def test_all_pages_of_statuses_are_read(tmp_path: Path, start: Open) -> None:
    """A page of Gitea is shorter than what it is asked for."""
    with FakeGitea(tmp_path) as gitea:
        pull = gitea.opens()
        for number in range(60):
            gitea.is_green(pull, f"job {number}", "success" if number < 59 else "failure")
        chat = start(gitea, people(gitea), kind="gitea")

        assert "the check job 59 failed (failure)" in said(chat.says("U0ANN", "!pr 1"))


def test_what_gitee_asks_of_testers_is_met_by_the_test(tmp_path: Path, start: Open) -> None:
    with FakeGitee(tmp_path) as gitee:
        pull = gitee.opens()
        gitee.names(pull, "testers", BOT, "cat", number=1)
        chat = start(gitee, f"{people(gitee)}{CHECK}", kind="gitee", test="command:check")
        assert "0 of 1 testers have accepted it there" in said(chat.says("U0ANN", "!pr 1"))

        chat.says("U0ANN", "!test 1")
        chat.says("U0BOB", "!approve 1")

        answer = said(chat.says("U0ANN", "!merge 1"))
        assert "#1 is merged" in answer
        assert "Gitee takes no commit with a merge: it was looked at right before." in answer
        assert gitee.violations == []


def test_the_token_is_in_nothing_that_is_said_or_kept(host: FakeHost, start: Open) -> None:
    chat = ready(host, start)
    body = f'{{"message": "the token {TOKEN} may not"}}'.encode()
    host.faults.append(Fault("json", method="GET", times=3, status=403, body=body))
    for line in ("prs", "pr 1", "merge 1", "approve 1", "merge 1"):
        chat.says("U0BOB", f"!{line}")

    kept = (
        [one.text for one in chat.shown] + [repr(entry) for entry in chat.audit] + [repr(one) for one in chat.history]
    )
    assert any("may not" in text for text in kept)
    assert [text for text in kept if TOKEN in text] == []


def test_the_story_goes_as_it_is_written(host: FakeHost, start: Open) -> None:
    """It reads the same on all hosts, but for what Gitee has to say about merges."""
    host.opens()
    known = people(host).partition("[people]")
    chat = start(host, f"{known[1]}{known[2]}{CHECK}", kind=kind(host), test="command:check")
    story = STORY.read_text(encoding="utf-8")

    told = chat.perform(story).replace(" Gitee takes no commit with a merge: it was looked at right before.", "")

    assert told == story
