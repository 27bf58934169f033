"""A command that could not say what it was asked to say ends with 1, also where the message waits for better days."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from slack_alert.bootstrap.oneshot import requests
from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryProgress, Message, Status
from slack_alert.engine.batches import Batch
from tests.fakes.project import Project, now
from tests.fakes.slack import FakeSlack

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough


@pytest.fixture
def refused(bare: Project) -> Iterator[Project]:
    """A project whose token Slack does not take."""
    with FakeSlack() as slack:
        conf = f"token = xoxb-revoked\nchannel = #ops\napi_url = {slack.url}"
        bare.write("slack_alert.conf", f"[slack]\n{conf}\n")
        slack.fault("error", code="invalid_auth")
        yield bare


ALL = ("send hello", "trigger lag --post", "report --to #ops", "outbox retry 1")


@pytest.mark.slow
@pytest.mark.parametrize("words", ["send hello", "trigger lag --post", "report --to #ops"])
def test_a_refused_token_is_exit_code_1_and_says_why(words: str, refused: Project) -> None:
    done = refused.run(*words.split())

    assert done.code == 1
    assert "Message 1 is queued: invalid_auth. It goes out when slack-alert runs." in done.err


@pytest.mark.slow
def test_what_is_sent_again_in_vain_is_exit_code_1(refused: Project) -> None:
    leave_dead_message(refused)
    refused.monkeypatch.setattr(requests, "DELIVERY_TIMEOUT", timedelta(seconds=0.2))

    assert refused.run("outbox", "retry", "1").code == 1


@pytest.mark.slow
def test_a_command_that_failed_keeps_its_exit_code(refused: Project) -> None:
    assert refused.run("exec", "nightly", "--", "sh", "-c", "exit 7").code == 7


@pytest.mark.parametrize(("troubles", "code"), [(["slack"], 1), (["console"], 0), ([], 0)])
@pytest.mark.parametrize("words", ALL)
def test_beside_a_running_program_that_is_refused_it_is_the_same(
    words: str, troubles: list[str], code: int, bare: Project
) -> None:
    bare.write("slack_alert.conf", "[slack]\ntoken = xoxb-revoked\nchannel = #ops\n")
    leave_dead_message(bare)
    pulse = {"at": now().isoformat(), "refused": troubles}
    bare.remember(Batch(pulse=json.dumps(pulse)))

    with bare.owned():
        done = bare.run(*words.split())

    assert done.code == code
    assert ("slack refuses what the running slack-alert sends" in done.err) is bool(code)


def leave_dead_message(project: Project) -> None:
    (delivery,) = project.remember(Batch(messages=[Message("a/1", Address("slack", "#ops"), Text("said"))], at=now()))
    mark = DeliveryProgress(delivery.id, Status.DEAD, 1, now(), reason="channel_not_found")
    project.remember(Batch(progress=[mark], at=now()))
