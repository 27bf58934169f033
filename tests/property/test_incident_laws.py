from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slack_alert.core.content.render import fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message
from slack_alert.core.model.run import QUIET, Result, RunPosts
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.pipeline.settle import settle
from slack_alert.core.policy.incidents import Escalation, Repeat, RepeatPolicy
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import MARK, OPS, at, failed, make_job, make_policy, said
from tests.fakes.reasons import MAINTENANCE

pytestmark = pytest.mark.slow

LEAD = Address("slack", "@lead")
RESULTS = {"a": said("a"), "b": said("b"), "long": said("c" * 5000), "quiet": QUIET, "error": failed()}
#: What a run returned, and whether somebody wanted nothing said.
runs = st.lists(st.tuples(st.sampled_from(sorted(RESULTS)), st.booleans()), max_size=40)


@st.composite
def voices(draw: st.DrawFn) -> RepeatPolicy:
    return RepeatPolicy(
        after=draw(st.integers(1, 3)),
        repeat=draw(st.sampled_from(list(Repeat))),
        remind=draw(st.sampled_from([None, timedelta(minutes=3)])),
        recovers=True,
        escalation=draw(st.sampled_from([None, Escalation(LEAD, timedelta(minutes=2))])),
    )


def told(repeat_policy: RepeatPolicy, plan: list[tuple[str, bool]], max_alert: int) -> list[Message]:
    """Run each minute, at last in quiet and free to speak; return what was said but for errors."""
    policy = make_policy(max_alert=max_alert, pause=timedelta(minutes=5), mutes=True)
    job = make_job(policy=replace(policy, repeat_policy=repeat_policy))
    state, sent = State(), list[Message]()
    for minute, (outcome, is_muted) in enumerate([*plan, ("quiet", False)]):
        slot = at("16 12:00") + timedelta(minutes=minute)
        gate(job, state, slot)
        result: Result = RESULTS[outcome]
        mute, run = MAINTENANCE if is_muted else None, RunPosts(minute, job.name, slot)
        settlement = settle(job, state, run, result, MARK, mute=mute)
        state = settlement.state
        sent.extend(message for message in settlement.messages if message.to != job.errors_to)
    assert not state.is_alerting
    return sent


def is_recovery(message: Message) -> bool:
    return "recovered after" in fallback(message.piece)


def is_digest(message: Message) -> bool:
    """What the quota withheld is told by a quiet run in a line of its own."""
    return fallback(message.piece).startswith("*db.lag*: ") and "withheld since" in fallback(message.piece)


@given(voices(), runs, st.sampled_from([0, 1, 2]))
@example(RepeatPolicy(recovers=True), [("a", False), *[("quiet", False)] * 2, *[("a", False)] * 9], 1)
def test_a_recovery_is_told_for_each_incident_that_was_told_and_only_then(
    repeat_policy: RepeatPolicy, plan: list[tuple[str, bool]], max_alert: int
) -> None:
    for to in (OPS, LEAD):
        is_open = False
        for message in told(repeat_policy, plan, max_alert):
            if message.to != to or is_digest(message):
                continue
            assert is_open or not is_recovery(message), "nobody heard of it"
            is_open = not is_recovery(message)

        assert not is_open, "it was never told to be over"


@given(voices(), runs)
def test_every_message_has_a_key_of_its_own(repeat_policy: RepeatPolicy, plan: list[tuple[str, bool]]) -> None:
    keys = [message.key for message in told(repeat_policy, plan, 0)]

    assert len(keys) == len(set(keys))
