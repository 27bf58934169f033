from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from slack_alert.core.errors import BadValue
from slack_alert.core.policy.quota import Pause
from slack_alert.core.structs import replace
from slack_alert.engine.batches import StoredValue
from tests.fakes.engine_rig import MARK, at
from tests.fakes.stage import Stage, run_of


def test_now_is_the_due_time_and_not_the_time_of_the_run() -> None:
    assert Stage().context().now == at("16 09:10")


def test_job_has_no_event_and_no_configuration_of_a_pack() -> None:
    ctx = Stage().context()

    assert ctx.event == {}
    assert ctx.config == {}


def test_say_speaks_at_once_in_the_channel_or_another() -> None:
    stage = Stage()
    stage.context().say("a<b")
    stage.context().say(["one", ""], to="#dev")
    stage.context().say("")

    assert stage.said == [("a&lt;b", None), ("one", "#dev")]


def test_links_and_mentions_survive_escaping() -> None:
    ctx = Stage().context()
    text = f"<{ctx.mention('U0123')}> {ctx.link('https://example.org', 'a & b')}"

    assert MARK.escape(text) == "&lt;<@U0123>&gt; <https://example.org|a &amp; b>"


def test_plain_text_is_shown_sign_by_sign() -> None:
    ctx = Stage().context()

    assert MARK.escape(f"*{ctx.plain('<*x*>')}*") == "*&lt;∗x∗&gt;*"


@pytest.mark.parametrize(
    ("for_", "hold"),
    [
        (None, Pause()),
        (60, Pause(at("16 09:12"))),
        ("1h30m", Pause(at("16 10:41"))),
        (timedelta(minutes=4), Pause(at("16 09:15"))),
    ],
)
def test_pause_lasts_as_long_as_asked(for_: object, hold: Pause) -> None:
    stage = Stage()
    stage.context().pause("web.up", for_)

    assert [("web.up", replace(hold, by="db.job"))] == stage.held


def test_pause_of_nonsense_is_refused() -> None:
    with pytest.raises(BadValue, match="'soon' is not a duration"):
        Stage().context().pause("web.up", "soon")


def test_resume_lets_a_job_run_again() -> None:
    stage = Stage()
    stage.context().resume("web.up")

    assert stage.held == [("web.up", None)]


def test_store_is_that_of_the_folder() -> None:
    stage = Stage()
    stage.context().store.set("last", 1)

    assert stage.kept == [StoredValue("db", "last", "1")]


def test_canceled_follows_the_run() -> None:
    stage = Stage()
    run = run_of(print)
    ctx = stage.context(run)

    assert not ctx.canceled
    run.progress.is_canceled = True
    assert ctx.canceled


def test_log_and_progress_carry_the_name_of_the_job(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Stage().context().progress(0.5, "half way")

    [record] = caplog.records
    assert (record.name, record.message) == ("db.job", "progress")
    assert (vars(record)["fraction"], vars(record)["text"]) == (0.5, "half way")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ask", "ctx.ask is not there yet in this version"),
        ("confirm", "ctx.confirm is not there yet in this version"),
        ("nowhere", "'Context' object has no attribute 'nowhere'"),
    ],
)
def test_what_is_not_there_is_named_as_such(name: str, said: str) -> None:
    ctx = Stage().context()
    assert not hasattr(ctx, name)

    with pytest.raises(AttributeError, match=f"^{said}$"):
        getattr(ctx, name)
