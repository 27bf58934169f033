"""Guards: functions of plugins that are asked before a command is queued."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from slack_alert.core.commands.command import Guard
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.model.run import Result, Run
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.engine.ports import RunHost
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.failures import timeout_failure
from slack_alert.executors.calling.rendering import Render
from tests.fakes.chat_rig import MARK, ChatRig, command
from tests.fakes.guarding import Function, OnThread, guard

APP = Parameter("app")
ENV = Parameter("env", ValueKind.CHOICE, choices=("staging", "prod"), is_required=False, default="'staging'")
COUNT = Parameter("count", ValueKind.WHOLE, is_required=False)
TOKEN = Parameter("token", is_required=False, is_secret=True)


def rig_with(*guards: Guard) -> ChatRig:
    deploy = command("deploy", parameters=(APP, ENV, COUNT, TOKEN), lock="{env}")
    rig = ChatRig(deploy, command("status", queue=None), guards=guards)
    rig.guard_executor = OnThread(Caller(rig.clock, Render(MARK, Redaction())))
    rig.start()
    return rig


def entries(rig: ChatRig) -> list[tuple[str, str, str]]:
    return [
        (str(each.entry.verdict), each.entry.reason, each.entry.command)
        for each in rig.store.audit(since=None, limit=None)
        if each.entry is not None
    ]


def test_a_guard_sees_who_asks_for_what_and_where() -> None:
    seen: list[object] = []

    def freeze(by: Any, command: str, args: dict[str, object], channel: str) -> None:
        seen.extend([by.id, command, args, channel])

    rig_with(guard(freeze)).says("ann", "deploy shop --count 3")

    expected = {"app": "shop", "env": "staging", "count": 3, "token": None}
    assert seen == ["ann", "deploy", expected, "C0OPS"]


def test_what_no_guard_minds_runs() -> None:
    rig = rig_with(guard(lambda: None))
    rig.says("ann", "deploy shop")

    assert rig.executor.running == [1]


@pytest.mark.parametrize("words", [("*",), ("deploy",), ("status", "deploy"), ("Deploy",), ("plugin.deploy",)])
def test_a_text_refuses_with_it(words: tuple[str, ...]) -> None:
    rig = rig_with(guard(lambda: "Nothing is deployed on Fridays.", *words))
    rig.says("ann", "deploy shop")

    assert rig.executor.begun == []
    assert rig.answers == ["1: not run: Nothing is deployed on Fridays."]
    assert entries(rig) == [("refused", "Nothing is deployed on Fridays.", "deploy shop")]
    assert rig.store.open().asked == ()


def test_a_guard_of_other_words_is_not_asked() -> None:
    rig = rig_with(guard(lambda: "no", "status"))
    rig.says("ann", "deploy shop")

    assert rig.executor.running == [1]


def test_a_dict_changes_arguments_and_the_record_says_so() -> None:
    rig = rig_with(guard(lambda args: {**args, "env": "prod", "token": "hunter2"}))
    rig.says("ann", "deploy shop --count=2")
    rig.executor.end(1)

    run = rig.executor.begun[0]
    assert run.arguments is not None
    assert run.arguments.values == {"app": "shop", "env": "prod", "count": 2, "token": "hunter2"}
    told = "rules.freeze changed env (default) -> prod, token (default) -> ***"
    assert entries(rig) == [("ran", told, "deploy shop prod 2 ***")]


def test_the_lock_is_that_of_the_changed_arguments() -> None:
    rig = rig_with(guard(lambda args: {"env": "prod"} if args["app"] == "shop" else None))
    rig.says("ann", "deploy shop")

    assert [each.lock for each in rig.runner.queue.running] == ["prod"]


def raising() -> None:
    raise LookupError("a secret")


async def raising_later() -> None:
    raise LookupError("a secret")


def returning_it() -> Any:
    return raising_later()


def generator() -> Any:
    yield "a text"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (raising, "The guard rules.freeze failed (LookupError), so this is refused."),
        (raising_later, "The guard rules.freeze failed (LookupError), so this is refused."),
        (returning_it, "The guard rules.freeze failed (LookupError), so this is refused."),
        (lambda: exit(0), "The guard rules.freeze failed (SystemExit), so this is refused."),
        (lambda: True, "The guard rules.freeze returned bool, and not None, a text or a dict, so this is refused."),
        (generator, "The guard rules.freeze returned generator, and not None, a text or a dict, so this is refused."),
        (lambda: {"evn": "prod"}, "The guard rules.freeze changes 'evn', which is no argument."),
        (lambda: {"env": "moon"}, "The guard rules.freeze gives `env` a value it cannot have."),
        (lambda: {"app": "-rf"}, "A guard gives an argument a value it cannot have: app: '-rf' begins with -."),
        (
            lambda: {"count": "many"},
            "A guard gives an argument a value it cannot have: count: 'many' is not a whole number.",
        ),
        (lambda ctx: ctx.say("x"), "The guard rules.freeze failed (RuntimeError), so this is refused."),
    ],
)
def test_whatever_is_no_answer_refuses(function: Function, said: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        rig = rig_with(guard(function))
        rig.says("ann", "deploy shop")

    assert rig.executor.begun == []
    assert rig.answers[0].startswith(f"1: not run: {said}")
    assert entries(rig)[0][0] == "refused"


def test_a_guard_that_did_not_load_refuses_what_it_would_be_asked_about() -> None:
    fault = "plugins/rules.py:3: failed while loading: ImportError: no"
    rig = rig_with(replace(guard(lambda: None, "deploy"), fault=fault))
    rig.says("ann", "deploy shop")
    rig.says("ann", "status")

    said = f"The guard rules.freeze cannot be asked, so this is refused: {fault}."
    assert rig.answers[0] == f"1: not run: {said}"
    assert entries(rig) == [("refused", said, "deploy shop")]
    assert [run.binding for run in rig.executor.begun] == ["plugin.status"]


@pytest.mark.parametrize("is_async", [False, True])
def test_plain_and_async_guards_answer(is_async: bool) -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return "no"

    def plain() -> object:
        return later()

    rig = rig_with(guard(later if is_async else plain))
    rig.says("ann", "deploy shop")

    assert rig.answers == ["1: not run: no"]


def test_guards_are_asked_in_order_and_see_what_those_before_have_changed() -> None:
    seen: list[object] = []
    first = guard(lambda: {"env": "prod"}, name="first")
    second = guard(lambda args: seen.append(args["env"]), name="second")
    third = guard(lambda: "no", name="third")
    fourth = guard(lambda: seen.append("asked"), name="fourth")
    rig = rig_with(first, second, third, fourth)
    rig.says("ann", "deploy shop")

    assert seen == ["prod"]
    assert rig.answers == ["1: not run: no"]


def test_what_a_guard_does_to_the_arguments_themselves_changes_nothing() -> None:
    rig = rig_with(guard(lambda args: args.clear()))
    rig.says("ann", "deploy shop")

    run = rig.executor.begun[0]
    assert run.arguments is not None
    assert run.arguments.values == {"app": "shop"}


class NeverAnswers:
    """An executor of guards that answer when a test says so, as a timeout or as they are."""

    def __init__(self, rig: ChatRig) -> None:
        self.asked: list[tuple[Run, RunHost]] = []
        self._direct = OnThread(Caller(rig.clock, Render(MARK, Redaction())))

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        self.asked += [(run, host) for run in runs]

    def answer(self, place: int = 0) -> None:
        run, host = self.asked.pop(place)
        self._direct.submit([run], host)

    def expire(self) -> None:
        run, host = self.asked.pop(0)
        host.done(run, Result((), timeout_failure(run.action, run.run_options), timedelta(seconds=10)))

    def stop(self) -> None:
        """Do nothing."""


def held(rig: ChatRig) -> NeverAnswers:
    executor = NeverAnswers(rig)
    rig.guard_executor = executor
    rig.start()
    return executor


def test_a_guard_that_takes_too_long_refuses(caplog: pytest.LogCaptureFixture) -> None:
    rig = rig_with(guard(lambda: None))
    executor = held(rig)
    rig.says("ann", "deploy shop")
    executor.expire()

    assert rig.answers == ["1: not run: The guard rules.freeze took longer than 10s, so this is refused."]
    assert rig.executor.begun == []


def test_nothing_overtakes_in_a_queue_while_guards_are_asked() -> None:
    rig = rig_with(guard(lambda: None, "deploy"))
    executor = held(rig)
    rig.says("ann", "deploy one")
    rig.says("bob", "deploy two")
    rig.says("eve", "status")
    assert [run.binding for run in rig.executor.begun] == ["plugin.status"]

    executor.answer(1)
    assert len(rig.executor.begun) == 1
    executor.answer(0)

    assert [run.by.id for run in rig.executor.begun if run.by] == ["eve", "ann"]
    assert [each.name for each in rig.runner.queue.waiting] == ["bob"]


def test_what_a_kill_cut_off_while_guards_were_asked_is_decided_anew() -> None:
    rig = rig_with(guard(lambda: {"env": "prod"}))
    executor = held(rig)
    rig.says("ann", "deploy shop")
    assert rig.runner.is_busy
    assert len(rig.store.open().asked) == 1

    rig.start()
    assert isinstance(rig.guard_executor, NeverAnswers)
    executor.answer(1)

    run = rig.executor.begun[0]
    assert (run.id, run.arguments and run.arguments.values["env"]) == (1, "prod")


def test_what_waited_in_the_queue_is_asked_again_after_a_kill() -> None:
    answers: list[object] = [None, None, "The freeze has begun."]
    rig = rig_with(guard(lambda: answers.pop(0)))
    rig.says("ann", "deploy one")
    rig.says("ann", "deploy two")
    rig.start()

    assert rig.executor.begun == []
    assert ("refused", "The freeze has begun.", "deploy two") in entries(rig)
    assert rig.store.open().asked == ()


def test_a_later_run_that_two_answers_let_go_on_runs_once() -> None:
    rig = rig_with(guard(lambda: None))
    rig.says("ann", "deploy shop in 5m")
    executor = held(rig)
    executor.answer()
    rig.passes(minutes=5)
    rig.runner._take_up_later()
    executor.answer()
    rig.executor.end(1)
    executor.answer()

    assert [run.id for run in rig.executor.begun] == [1]
    assert [verdict for verdict, _, _ in entries(rig)] == ["ran"]


def test_the_lock_of_a_later_run_is_that_of_what_a_guard_makes_of_it_then() -> None:
    answers: list[object] = [None, {"env": "prod"}]
    rig = rig_with(guard(lambda: answers.pop(0)))
    rig.says("ann", "deploy shop in 5m")
    rig.passes(minutes=5)

    assert [(each.lock, each.words) for each in rig.runner.queue.running] == [("prod", "deploy shop prod")]
