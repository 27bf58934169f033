"""The fixture `chat`, as a plugin author uses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.core.errors import SettingsError
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.model.record import Verdict
from slack_alert.testing import Answer, ChatRehearsal, FaultyPluginError
from slack_alert.testing import chat as new_chat

OPS = """
from typing import Annotated, Literal

@deco(command=["deploy", "ship"], allow="ops", queue="deploy")
def deploy(ctx, app: str, env: Literal["staging", "prod"] = "staging"):
    ctx.progress(0.4, "pulling")
    if app == "bad":
        raise ValueError("there is no such app")
    return f"{app} is on {env}"

@deco(command="sweep", allow="members")
def sweep(ctx):
    return "canceled" if ctx.canceled else "swept"

@deco(command="wait", allow="members")
async def wait():
    return "waited"

@deco(command="login", allow="members")
def login(token: Annotated[str, "secret"]):
    return "in"

@deco(command="slow", allow="members")
def slow(ctx):
    ctx.progress(0.1, "first")
    nap(3)
    ctx.progress(0.7, "second")
    nap(60)
    return "at last"

def nap(seconds):
    pass

@deco(minutes=5)
def disk():
    return "full"
"""


@pytest.fixture
def ops(chat: ChatRehearsal) -> ChatRehearsal:
    chat.load(OPS, name="ops")
    chat.roles(ops=["ann", "bob"])
    return chat


def first_lines(answers: list[Answer]) -> list[str]:
    return [answer.splitlines()[0] for answer in answers]


def test_a_command_is_answered_with_its_value(ops: ChatRehearsal) -> None:
    said = ops.says("ann", "!deploy shop prod")

    assert said == ops.answers == ["done\nshop is on prod"]
    assert (said[0].to, said[0].by, said[0].before) == ("#ops", "ann", ())


def test_what_is_no_command_is_not_answered(ops: ChatRehearsal) -> None:
    assert ops.says("ann", "deploy shop prod") == []
    assert first_lines(ops.says("ann", "deploy shop", direct=True)) == ["done"]
    assert first_lines(ops.says("ann", "deploy shop", mention=True)) == ["done"]


def test_answers_are_in_the_thread_of_the_question(ops: ChatRehearsal) -> None:
    first = ops.says("ann", "!deploy shop")[0]

    assert ops.says("bob", "!deploy blog", thread=first.thread)[-1].thread == first.thread
    assert ops.says("bob", "!deploy blog")[0].thread != first.thread


def test_a_role_that_is_missing_refuses_and_names_the_line(ops: ChatRehearsal) -> None:
    ops.permissions("deploy env:prod = cat in #prod")
    ops.admins("cat")

    assert "(slack_alert.conf:" in ops.says("ann", "!deploy shop prod")[0]
    assert first_lines(ops.says("ann", "!deploy shop")) == ["done"]
    assert ops.says("eve", "!deploy shop")[0].startswith("denied: `deploy` is for ops (U0ANN, U0BOB)")
    assert first_lines(ops.says("cat", "!deploy shop prod", channel="#prod")) == ["done"]


@pytest.mark.parametrize("standing", ["guest", "stranger", "bot", "disabled"])
def test_who_is_no_member_may_not_what_members_may(ops: ChatRehearsal, standing: str) -> None:
    getattr(ops, standing)("eve")

    ops.says("eve", "!sweep")
    assert (ops.audit[-1].verdict, ops.history) == (AuditVerdict.DENIED, [])
    ops.member("eve")
    assert ops.says("eve", "!sweep") == ["done\nswept"]


def test_groups_have_members(chat: ChatRehearsal) -> None:
    chat.load(OPS)
    chat.roles(ops="S0OPS")
    chat.group("S0OPS", "ann")

    assert first_lines([*chat.says("ann", "!deploy shop"), *chat.says("bob", "!deploy shop")])[0] == "done"
    assert chat.audit[-1].verdict is AuditVerdict.DENIED


def test_held_runs_wait_for_each_other_until_they_are_released(ops: ChatRehearsal) -> None:
    with ops.held("deploy") as deploys:
        for app in ("a", "b", "c"):
            ops.says("ann", f"!deploy {app}")
        assert [(one.command, one.state) for one in ops.queue] == [
            ("deploy a", "running"),
            ("deploy b", "waiting"),
            ("deploy c", "waiting"),
        ]
        ops.advance(minutes=2)
        deploys.release()
        assert first_lines(ops.answers)[-1] == "done in 2 m"
        assert [one.command for one in ops.queue] == ["deploy b", "deploy c"]
        assert ops.says("bob", "!sweep") == ["done\nswept"]

    assert ops.queue == []
    assert [record.verdict for record in ops.history] == [Verdict.SAID] * 4


def test_edits_are_the_texts_before(ops: ChatRehearsal) -> None:
    with ops.held("ship"):
        ops.says("ann", "!deploy a")
        (second,) = ops.says("ann", "!deploy b")
        assert second.startswith("queued, 1st")

    second = ops.answers[-1] if ops.answers[-1].before else ops.answers[0]
    assert (second.splitlines()[0], second.before[0].startswith("queued")) == ("done", True)


def test_a_function_that_lets_time_pass_is_told_as_it_goes_on(
    ops: ChatRehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops.module("ops"), "nap", lambda seconds: ops.advance(seconds=seconds))

    (answer,) = ops.says("ann", "!slow")

    assert answer == "done in 1 m 3 s\nat last"
    assert answer.before == ("running 10 % first", "running 70 % second")


def test_a_waiting_run_is_canceled_at_once_and_a_running_one_is_asked_to_end(ops: ChatRehearsal) -> None:
    with ops.held():
        ops.says("ann", "!sweep")
        ops.says("ann", "!sweep")
        ops.says("bob", "!wait")
        for one in ops.queue:
            ops.cancel(one.run, by="cat")

    assert [record.verdict for record in ops.history] == [Verdict.CANCELED] * 3
    assert all("canceled by cat" in answer for answer in ops.answers)


def test_a_later_run_begins_at_its_time(ops: ChatRehearsal) -> None:
    assert ops.says("ann", "!deploy shop in 20m")[0].startswith("queued for 09:20, in 20 min")
    assert [one.state for one in ops.queue] == ["later"]
    ops.advance(minutes=19)
    assert [one.state for one in ops.queue] == ["later"]

    ops.advance(minutes=1)

    assert (ops.queue, first_lines(ops.answers)[0]) == ([], "done")


def test_what_was_written_long_ago_expires(ops: ChatRehearsal) -> None:
    assert ops.says("ann", "!deploy shop", written=timedelta(minutes=11))[0].startswith("expired: ")
    assert ops.audit[-1].verdict is AuditVerdict.EXPIRED


def test_a_killed_program_goes_on_with_what_waits_and_not_with_what_ran(ops: ChatRehearsal) -> None:
    with ops.held("deploy"):
        ops.says("ann", "!deploy a")
        ops.says("ann", "!deploy b")
        ops.crash()
        assert [(one.command, one.state) for one in ops.queue] == [("deploy b", "running")]

    assert [(record.run, record.verdict) for record in ops.history] == [(1, Verdict.INTERRUPTED), (2, Verdict.SAID)]


def test_rights_are_read_again_when_the_program_starts_again(ops: ChatRehearsal) -> None:
    assert ops.says("eve", "!deploy shop")[0].startswith("denied")
    with pytest.raises(RuntimeError, match="call restart"):
        ops.roles(ops="eve")

    ops.restart()
    ops.roles(ops="eve")

    assert ops.says("eve", "!deploy shop") == ["done\nshop is on staging"]


def test_jobs_of_the_same_file_run_as_time_passes(ops: ChatRehearsal) -> None:
    ops.advance(minutes=10)

    assert [(answer, answer.to, answer.by) for answer in ops.answers][:1] == [("full", "#alerts", "")]


def test_verbs_work_on_the_program_of_the_test(ops: ChatRehearsal) -> None:
    ops.admins("cat")
    assert "slack-alert is alive" in ops.says("ann", "!status")[0]

    ops.says("cat", "!mute disk for 1h")
    ops.advance(minutes=10)
    assert [record.verdict for record in ops.history if record.binding == "ops.disk"] == [Verdict.MUTED] * 2

    assert first_lines(ops.says("cat", "!run disk")) == ["done"]
    assert "`deploy`" in ops.says("ann", "!help")[0]


def test_an_alert_has_buttons_until_somebody_takes_care(ops: ChatRehearsal) -> None:
    ops.admins("cat")
    ops.advance(minutes=5)
    (alert,) = ops.answers
    assert "ack ops.disk" in alert.buttons

    ops.presses("cat", "ack", "ops.disk", channel=alert.to)

    assert (ops.answers[0].before, "cat" in ops.answers[0]) == (("full",), True)
    assert "ack ops.disk" not in ops.answers[0].buttons


def test_buttons_are_pressed(ops: ChatRehearsal) -> None:
    assert ops.presses("ann", "deploy", "shop") == ["ann: deploy shop\ndone\nshop is on staging"]


GUARDED = """
@deco(guard="deploy")
def freeze(by, command, args, channel):
    return "nothing is deployed on Fridays" if args["app"] == "shop" else None

@deco(command="deploy", allow="members")
def deploy(app):
    return app
"""


def test_guards_are_asked_whatever_is_held(chat: ChatRehearsal) -> None:
    chat.load(GUARDED)
    with chat.held():
        assert chat.says("ann", "!deploy shop") == ["not run: nothing is deployed on Fridays"]
        assert chat.says("ann", "!deploy blog") == []
        assert "1 running" in chat.says("ann", "!queue")[0]
    assert chat.answers[-1] == "done\nblog"


def test_secrets_are_in_no_answer_and_in_no_record(ops: ChatRehearsal) -> None:
    ops.says("ann", "!login hunter2")

    assert "hunter2" not in f"{ops.answers}{ops.audit}{ops.history}{ops.queue}"


def test_a_file_of_settings_holds_with_the_ids_in_it(chat: ChatRehearsal) -> None:
    chat.load(
        OPS,
        config="""
            [slack]
            token_file = /run/secrets/token
            app_token_file = /run/secrets/app_token
            signing_secret_file = /run/secrets/signing_secret
            database = sqlite:////var/lib/alerts/state.db
            channel = #ops
            path = /srv/alerts
            [audit]
            key_file = /etc/alerts/audit.key
            [roles]
            ops = U123
            [queues]
            deploy = 2
            [command.greet]
            run = echo hello
            allow = members
            """,
    )

    assert first_lines(chat.says("U123", "!deploy shop")) == ["done"]
    assert "hello" in chat.says("ann", "!greet")[0]
    assert chat.says("ann", "!deploy shop")[0].startswith("denied")


def test_queues_are_configured(ops: ChatRehearsal) -> None:
    ops.configure("queues", deploy=2)
    with ops.held():
        for app in ("a", "b", "c"):
            ops.says("ann", f"!deploy {app}")

        assert [one.state for one in ops.queue] == ["running", "running", "waiting"]


Use = Callable[[ChatRehearsal], object]


@pytest.mark.parametrize(
    ("use", "error", "told"),
    [
        (lambda chat: (chat.close(), chat.says("ann", "!x")), LookupError, "Nothing is loaded yet"),
        (lambda chat: (chat.close(), chat.roles(ops="ann")), LookupError, "Nothing is loaded yet"),
        (lambda chat: chat.load("plugins/nowhere.py"), FileNotFoundError, "There is no plugin"),
        (lambda chat: chat.permissions("deploy"), ValueError, "'deploy' is no permission"),
        (lambda chat: chat.held("deply").__enter__(), LookupError, "no command or job 'deply' to hold. Loaded: deploy"),
        (lambda chat: chat.cancel(7), LookupError, "no run 7"),
        (lambda chat: (chat.permissions("deploy = opps"), chat.says("ann", "!x")), SettingsError, "no role opps"),
        (lambda chat: (chat.permissions("deplo = ops"), chat.says("ann", "!x")), FaultyPluginError, "deplo"),
        (lambda chat: chat.advance(minutes=-1), ValueError, "forwards only"),
        (lambda chat: chat.perform("what?\n"), ValueError, "line 1: 'what"),
        (lambda chat: chat.perform("(deploy goes on)\n"), ValueError, "it is not held"),
    ],
)
def test_a_mistake_in_a_test_is_told_in_a_sentence(
    ops: ChatRehearsal, use: Use, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        use(ops)


def test_it_works_without_pytest(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "ops.py").write_text(OPS)

    with new_chat(tmp_path) as chat:
        chat.load("plugins/ops.py")
        chat.roles(ops=[])
        assert chat.says("ann", "!sweep") == ["done\nswept"]


def test_the_same_happens_every_time(ops: ChatRehearsal) -> None:
    def story() -> list[str]:
        ops.load(OPS, name="ops")
        ops.roles(ops=["ann"])
        with ops.held("deploy"):
            for app in ("a", "bad", "c"):
                ops.says("ann", f"!deploy {app}")
            ops.advance(minutes=7)
        return [
            *ops.answers,
            *map(str, ops.audit),
            *[str((line.run, line.slot, line.verdict, line.duration)) for line in ops.history],
        ]

    assert story() == story()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("!why disk at 9:06", "was due at 09:05 (every 5m).\nIt ran for"),
        ("!why disk at 2026-03-02T09:11", "was due at 09:10 (every 5m)."),
        ("!why disk at tomorrow 9:00", "ops.disk is due at"),
        ("!why E-1 at 9:06", "not run: E-1 is a run, which was once. Write `why E-1`."),
        ("!why sweep at 9:06", "not run: ops.sweep is a command, which is never due. `history sweep` has its runs."),
    ],
)
def test_why_is_answered_for_a_time(ops: ChatRehearsal, asked: str, said: str) -> None:
    ops.advance(minutes=12)

    assert said in "".join(ops.says("ann", asked))
