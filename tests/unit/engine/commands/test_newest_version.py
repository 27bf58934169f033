"""What waited runs in its newest version: it is read, permitted and guarded again when its turn, or its time, comes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slack_alert.core.commands.command import Command, Guard
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.model.asked import AccountStatus
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.rendering import Render
from tests.fakes.chat_rig import MARK, ChatRig, command, text_parameter
from tests.fakes.guarding import OnThread, guard

APP = text_parameter("app")
ENV = Parameter("env", ValueKind.CHOICE, choices=("staging", "prod"), is_required=False, default="'staging'")
DEPLOY = command("deploy", parameters=(APP, ENV), lock="{env}")
STATUS = command("status")


def new_version(**changes: object) -> Command:
    return replace(DEPLOY, action=replace(DEPLOY.action, line=99), **changes)


def guarded_rig(*guards: Guard) -> ChatRig:
    rig = ChatRig(DEPLOY, STATUS, guards=guards)
    rig.guard_executor = OnThread(Caller(rig.clock, Render(MARK, Redaction())))
    rig.start()
    return rig


def waiting_rig(text: str = "deploy shop", *guards: Guard) -> ChatRig:
    """Return a rig where the second command waits for the first, and a third for both."""
    rig = guarded_rig(*guards)
    rig.says("ann", "status")
    rig.says("bob", text)
    rig.says("eve", "status")
    return rig


def later_rig(text: str = "deploy shop", *guards: Guard) -> ChatRig:
    """Return a rig where the second command waits for its time."""
    rig = guarded_rig(*guards)
    rig.says("ann", "status")
    rig.says("bob", f"{text} in 5m")
    rig.says("eve", "status in 6m")
    return rig


def its_turn(rig: ChatRig) -> None:
    rig.executor.end(1)
    rig.passes(minutes=7)


def ends(rig: ChatRig) -> list[tuple[str, str, str]]:
    found = [line.entry for line in rig.store.audit(since=None, limit=None) if line.entry is not None]
    return [(str(entry.verdict), entry.command, entry.reason) for entry in found if entry.run == 2]


Waiting = Callable[[str], ChatRig]
RIGS = pytest.mark.parametrize("waiting", [waiting_rig, later_rig])


@RIGS
def test_the_newest_version_runs(waiting: Waiting) -> None:
    rig = waiting("deploy shop")
    rig.commands = (new_version(queue="other", lock="{app}"), STATUS)
    its_turn(rig)

    assert [(run.id, run.action.line) for run in rig.executor.begun if run.id == 2] == [(2, 99)]
    assert [(each.queue, each.lock) for each in rig.runner.queue.running if each.run == 2] == [("other", "shop")]


@RIGS
def test_its_arguments_are_read_again(waiting: Waiting) -> None:
    rig = waiting("deploy 7")
    rig.commands = (new_version(parameters=(Parameter("app", ValueKind.WHOLE),)), STATUS)
    its_turn(rig)

    assert [run.arguments.values for run in rig.executor.begun if run.id == 2 and run.arguments] == [{"app": 7}]


@RIGS
@pytest.mark.parametrize(
    ("commands", "said"),
    [
        pytest.param((STATUS,), "There is no command 'deploy'.", id="gone"),
        pytest.param(
            (command("deploy-all", parameters=(APP,)), STATUS), "`deploy shop` is gone: by now", id="half a word now"
        ),
        pytest.param((new_version(parameters=(APP, Parameter("why"))), STATUS), "why is missing", id="one more"),
        pytest.param((new_version(parameters=()), STATUS), "There is one word too many: shop.", id="one less"),
        pytest.param(
            (new_version(parameters=(Parameter("app", ValueKind.CHOICE, choices=("web",)),)), STATUS),
            "app: 'shop' is not allowed.",
            id="not allowed any more",
        ),
    ],
)
def test_what_is_gone_or_does_not_fit_is_refused_and_the_queue_goes_on(
    waiting: Waiting, commands: tuple[Command, ...], said: str
) -> None:
    rig = waiting("deploy shop")
    rig.commands = commands
    its_turn(rig)

    assert [run.id for run in rig.executor.begun] == [1, 3]
    assert [(verdict, words) for verdict, words, _ in ends(rig)] == [("refused", "deploy shop")]
    assert ends(rig)[0][2].startswith(said)
    (answer,) = [answer for answer in rig.answers if answer.startswith("2:")]
    assert answer.startswith(f"2: not run: {said}")
    assert [asked.run for asked in rig.store.open().asked] == [3]


@RIGS
def test_who_may_no_more_when_it_would_run_is_denied_and_the_queue_goes_on(waiting: Waiting) -> None:
    rig = waiting("deploy shop")
    rig.people.standings["bob"] = AccountStatus.DISABLED
    its_turn(rig)

    assert [run.id for run in rig.executor.begun] == [1, 3]
    assert [verdict for verdict, _, _ in ends(rig)] == ["denied"]


@RIGS
def test_who_somebody_is_is_asked_until_that_is_known_and_nothing_overtakes(waiting: Waiting) -> None:
    rig = waiting("deploy shop")
    rig.people.standings["bob"] = AccountStatus.UNKNOWN
    rig.executor.end(1)
    rig.passes(minutes=5)
    before = [run.id for run in rig.executor.begun]
    rig.people.standings["bob"] = AccountStatus.MEMBER
    rig.passes(seconds=11)

    assert (before, [run.id for run in rig.executor.begun]) == ([1], [1, 2])


@pytest.mark.parametrize("waiting", [waiting_rig, later_rig])
def test_guards_are_asked_again_and_what_they_change_holds(waiting: Callable[..., ChatRig]) -> None:
    answers: list[object] = [None, {"env": "prod"}]
    rig = waiting("deploy shop", guard(lambda: answers.pop(0), "deploy"))
    its_turn(rig)

    (run,) = [run for run in rig.executor.begun if run.id == 2]
    assert run.arguments is not None
    assert run.arguments.values == {"app": "shop", "env": "prod"}
    assert [each.lock for each in rig.runner.queue.running if each.run == 2] == ["prod"]


def test_what_is_canceled_while_it_is_decided_about_once_more_never_begins() -> None:
    rig = waiting_rig("deploy shop")
    rig.people.standings["bob"] = AccountStatus.UNKNOWN
    rig.executor.end(1)
    rig.runner.cancel(2, "bob")
    rig.people.standings["bob"] = AccountStatus.MEMBER
    rig.passes(seconds=11)

    assert [run.id for run in rig.executor.begun] == [1, 3]
    assert [verdict for verdict, _, _ in ends(rig)] == ["canceled"]


def test_what_does_not_wait_is_decided_about_once() -> None:
    asked: list[str] = []

    def note(command: str) -> None:
        asked.append(command)

    rig = guarded_rig(guard(note))
    rig.says("ann", "deploy shop")

    assert asked == ["deploy"]
