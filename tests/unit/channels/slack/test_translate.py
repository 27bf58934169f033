"""What comes from Slack becomes what people say, and everything else becomes nothing."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from slack_alert.channels.slack.inbound.translate import (
    Arrival,
    DirectoryChange,
    SlackInstallation,
    moment,
    plain_text,
    translate,
)
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import ButtonPress, ChatMessage, Identity, ReplyTo
from tests.fakes.slack_events import (
    bot_event,
    edit_event,
    event_body,
    mention_event,
    message_event,
    press_payload,
    slash_form,
)
from tests.fakes.slack_rules import Json

AT = datetime(2026, 11, 30, 12, 0, tzinfo=timezone.utc)
ARRIVAL = Arrival(SlackInstallation("T0TEST", "U0BOT"), "slack.socket", AT, "/slack-alert")
TS, SINCE = "1700000000.000100", datetime(2023, 11, 14, 22, 13, 20, 100, tzinfo=timezone.utc)
ANN = Identity("slack", "T0TEST", "U0ANN")
HOOK = "https://hooks.slack.com/commands/T0TEST/1"


def event(text: object = "!deploy shop", **fields: object) -> Json:
    return {**message_event("", user="U0ANN", channel="C0OPS", ts=TS), "text": text, **fields}


def heard(told: Json, **body: object) -> object:
    return translate("events_api", {**event_body(told, event_id="Ev1", at=1_700_000_000), **body}, ARRIVAL)


def message(told: Json, **body: object) -> ChatMessage:
    said = heard(told, **body)
    assert isinstance(said, ChatMessage)
    return said


def test_a_message_is_what_somebody_wrote() -> None:
    assert message(event()) == ChatMessage(
        ids=("slack:event/Ev1", f"slack:T0TEST/C0OPS/{TS}"),
        at=SINCE,
        by=ANN,
        reply_to=ReplyTo(Address("slack", "C0OPS"), f"C0OPS/{TS}"),
        text="!deploy shop",
        door="slack.socket",
    )


def test_a_message_in_a_thread_is_answered_there() -> None:
    assert message(event(thread_ts="1699999999.000200")).reply_to.thread == "C0OPS/1699999999.000200"


def test_both_events_of_a_mention_are_the_same_message() -> None:
    written = event("<@U0BOT> deploy shop")
    first, second = message(mention_event(written)), message(written, event_id="Ev2")

    assert set(first.ids) & set(second.ids) == {f"slack:T0TEST/C0OPS/{TS}"}
    assert (first.text, first.is_mention) == (second.text, second.is_mention) == ("deploy shop", True)


def test_the_same_message_is_the_same_by_whichever_workspace_it_comes() -> None:
    assert message(event(), team_id="T0FAR").ids == message(event()).ids


@pytest.mark.parametrize(
    ("text", "line", "is_mention"),
    [
        ("<@U0BOT> deploy", "deploy", True),
        ("  <@U0BOT|slack-alert>: deploy", "deploy", True),
        ("<@U0BOT>，deploy", "deploy", True),
        ("<@U0BOT> <@U0BOT> deploy", "deploy", True),
        ("<@U0BOT>", "", True),
        ("<@U0ANN> deploy", "<@U0ANN> deploy", False),
        ("<@U0ANN> <@U0BOT> deploy", "<@U0ANN> <@U0BOT> deploy", False),
        ("thanks <@U0BOT>", "thanks <@U0BOT>", False),
        ("&lt;@U0BOT&gt; deploy", "<@U0BOT> deploy", False),
    ],
)
def test_a_mention_that_a_message_begins_with_is_taken_off(text: str, line: str, *, is_mention: bool) -> None:
    said = message(event(text))

    assert (said.text, said.is_mention) == (line, is_mention)


@pytest.mark.parametrize(("channel", "kind", "is_direct"), [("D0ANN", "im", True), ("C0OPS", "channel", False)])
def test_direct_messages_are_told_from_others(channel: str, kind: str, *, is_direct: bool) -> None:
    assert message(event(channel=channel, channel_type=kind)).is_direct is is_direct


def test_a_message_with_a_file_and_a_reply_shown_in_the_channel_are_messages() -> None:
    assert message(event(subtype="file_share", files=[])).text == "!deploy shop"
    assert message(event(subtype="thread_broadcast", thread_ts="1.000001")).reply_to.thread == "C0OPS/1.000001"


@pytest.mark.parametrize(
    ("fields", "team"),
    [
        ({}, "T0TEST"),
        ({"team": "T0FAR"}, "T0FAR"),
        ({"user_team": "T0FAR", "source_team": "T0FAR"}, "T0FAR"),
        ({"user_team": "T0FAR", "source_team": "T0TEST"}, "T0FAR"),
        ({"source_team": "T0FAR", "team": "T0TEST"}, "T0FAR"),
        ({"user_team": None, "source_team": 5, "team": None}, "T0BODY"),
    ],
)
def test_a_stranger_of_a_shared_channel_is_of_his_own_team(fields: Json, team: str) -> None:
    assert message(event(**fields), team_id="T0BODY").by == Identity("slack", team, "U0ANN")


@pytest.mark.parametrize(
    "nothing",
    [
        bot_event("!deploy", channel="C0OPS", ts=TS),
        bot_event("!deploy", channel="C0OPS", ts=TS, user="U0OTHER", bot="B0OTHER"),
        event(subtype="bot_message", bot_id="B0OTHER"),
        event(user="U0BOT"),
        event(user="USLACKBOT"),
        event(hidden=True),
        event(edited={"user": "U0ANN", "ts": TS}),
        mention_event(event("<@U0BOT> deploy", edited={"user": "U0ANN", "ts": TS})),
        edit_event(event(), "!deploy other", at=TS),
        *(event(subtype=each) for each in ("channel_join", "message_deleted", "me_message", "channel_topic", "new")),
        event(subtype=["file_share"]),
        event(text=None, user=None),
        event(text=5),
        event(text="x" * 40_001),
        event(text="\ud800"),
        event(ts="soon"),
        event(ts="999999999999.0"),
        event(ts="１７００００００００.000100"),
        event(channel=""),
        event(channel={"id": "C0OPS"}),
        event(channel="C0OPS/../D0BOB"),
        {"type": "reaction_added", "user": "U0ANN"},
        {"type": "app_home_opened", "user": "U0ANN", "channel": "D0ANN"},
        {"type": ["message"]},
        {},
    ],
)
def test_what_nobody_has_just_said_is_nothing(nothing: Json) -> None:
    assert heard(nothing) is None


@pytest.mark.parametrize("body", [{"type": "url_verification"}, {"type": None}, {"event": "message"}])
def test_a_body_that_is_no_event_is_nothing(body: Json) -> None:
    assert heard(event(), **body) is None


@pytest.mark.parametrize("payload", [None, [], "{}", 5, {}])
@pytest.mark.parametrize("kind", ["events_api", "slash_commands", "interactive", "hello", ""])
def test_what_is_no_payload_is_nothing(kind: str, payload: object) -> None:
    assert translate(kind, payload, ARRIVAL) is None


@pytest.mark.parametrize(
    ("told", "change"),
    [
        ({"type": "user_change", "user": {"id": "U0ANN"}}, DirectoryChange(user="U0ANN")),
        ({"type": "team_join", "user": {"id": "U0ANN"}}, DirectoryChange(user="U0ANN")),
        ({"type": "subteam_members_changed", "subteam_id": "S0OPS"}, DirectoryChange(group="S0OPS")),
        ({"type": "subteam_updated", "subteam": {"id": "S0OPS"}}, DirectoryChange(group="S0OPS")),
        ({"type": "user_change", "user": "U0ANN"}, None),
        ({"type": "subteam_updated"}, None),
    ],
)
def test_changes_of_accounts_and_groups_are_told(told: Json, change: DirectoryChange | None) -> None:
    assert heard(told) == change


def slash(command: object, text: object, **fields: object) -> object:
    form = slash_form(
        "",
        "",
        user="U0ANN",
        name="ann",
        channel="C0OPS",
        channel_name="ops",
        trigger="1.2.abc",
        response_url=HOOK,
    )
    return translate("slash_commands", {**form, "command": command, "text": text, **fields}, ARRIVAL)


@pytest.mark.parametrize(
    ("command", "text", "line"),
    [
        ("/slack-alert", "deploy shop prod", "deploy shop prod"),
        ("/Slack-Alert", "deploy shop prod", "deploy shop prod"),
        ("/slack-alert", "", ""),
        ("/deploy", "shop prod", "deploy shop prod"),
        ("/queue", "", "queue"),
        ("/deploy", "<https://example.com|example.com> a &amp;&amp; b", "deploy example.com a && b"),
    ],
)
def test_a_slash_command_is_a_line(command: str, text: str, line: str) -> None:
    said = slash(command, text)

    assert isinstance(said, ChatMessage)
    assert (said.text, said.is_slash, said.is_mention) == (line, True, False)


def test_a_slash_command_is_answered_where_it_was_given() -> None:
    assert slash("/deploy", "shop") == ChatMessage(
        ids=("slack:slash/1.2.abc",),
        at=AT,
        by=Identity("slack", "T0TEST", "U0ANN", "ann"),
        reply_to=ReplyTo(Address("slack", "C0OPS"), response_url=HOOK),
        text="deploy shop",
        door="slack.socket",
        is_slash=True,
    )


def test_a_slash_command_without_a_trigger_is_known_by_who_when_and_what() -> None:
    said = slash("/deploy", "shop", trigger_id=None)

    assert isinstance(said, ChatMessage)
    assert said.ids == (f"slack:slash/T0TEST/U0ANN/deploy/{AT.timestamp():.0f}",)


@pytest.mark.parametrize(
    "fields",
    [
        {"team_id": None},
        {"user_id": 5},
        {"channel_id": "<C0>"},
        {"channel_id": None},
        {"command": ""},
        {"command": 5},
        {"text": ["x"]},
        {"text": "\udfff"},
    ],
)
def test_a_slash_command_that_lacks_something_is_nothing(fields: Json) -> None:
    assert slash(**{"command": "/deploy", "text": "shop", **fields}) is None


def press(**fields: object) -> object:
    shape = {"type": "message", "ts": "1699999999.000200", **({"thread_ts": TS} if fields.pop("threaded", 0) else {})}
    payload = press_payload(
        "ack",
        "disk.usage",
        user="U0ANN",
        name="ann",
        message=shape,
        channel="C0OPS",
        channel_name="ops",
        at=TS,
        trigger="1.2.abc",
        response_url=HOOK,
        ephemeral=bool(fields.pop("ephemeral", False)),
    )
    return translate("interactive", {**payload, **fields}, ARRIVAL)


def test_a_press_is_of_a_button_of_a_message() -> None:
    assert press() == ButtonPress(
        ids=(f"slack:click/{TS}/U0ANN/ack",),
        at=SINCE,
        by=Identity("slack", "T0TEST", "U0ANN", "ann"),
        reply_to=ReplyTo(Address("slack", "C0OPS"), "C0OPS/1699999999.000200", HOOK),
        door="slack.socket",
        action="ack",
        value="disk.usage",
        message="C0OPS/1699999999.000200",
    )


def test_a_press_in_a_thread_is_answered_in_that_thread() -> None:
    said = press(threaded=True)

    assert isinstance(said, ButtonPress)
    assert (said.reply_to.thread, said.message) == (f"C0OPS/{TS}", "C0OPS/1699999999.000200")


def test_a_message_for_one_person_cannot_be_edited() -> None:
    said = press(ephemeral=True)

    assert isinstance(said, ButtonPress)
    assert (said.reply_to.thread, said.message, said.reply_to.response_url) == ("", "", HOOK)


def test_what_is_chosen_from_a_list_is_a_press() -> None:
    chosen = {"action_id": "env", "selected_option": {"value": "prod"}, "action_ts": TS}
    said = press(actions=[chosen])

    assert isinstance(said, ButtonPress)
    assert (said.action, said.value) == ("env", "prod")


def test_a_stranger_presses_as_one_of_his_own_team() -> None:
    said = press(user={"id": "U0FAR", "team_id": "T0FAR"})

    assert isinstance(said, ButtonPress)
    assert said.by == Identity("slack", "T0FAR", "U0FAR")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "view_submission"},
        {"type": "message_action"},
        {"actions": []},
        {"actions": None},
        {"actions": ["ack"]},
        {"actions": [{"action_id": "ack", "value": "x", "action_ts": "now"}]},
        {"actions": [{"action_id": "", "value": "x", "action_ts": TS}]},
        {"actions": [{"action_id": "ack", "value": "x" * 2_001, "action_ts": TS}]},
        {"actions": [{"action_id": "ack", "value": 5, "action_ts": TS}]},
        {"user": None},
        {"user": {"id": "U0ANN"}, "team": None},
        {"channel": None, "container": {"type": "view"}},
    ],
)
def test_what_is_no_press_of_a_button_of_a_message_is_nothing(fields: Json) -> None:
    assert press(**fields) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt;", "&lt;"),
        ("<https://example.com>", "https://example.com"),
        ("<https://example.com/?a=1&amp;b=2>", "https://example.com/?a=1&b=2"),
        ("<http://example.com|example.com>", "example.com"),
        ("<http://example.com/|example.com>", "example.com"),
        ("<mailto:ann@example.com|ann@example.com>", "ann@example.com"),
        ("<tel:+491234|+491234>", "+491234"),
        ("<https://evil.example|shop>", "https://evil.example"),
        ("<@U0ANN> <@U0ANN|ann> <#C0OPS|ops>", "<@U0ANN> <@U0ANN|ann> <#C0OPS|ops>"),
        ("<!subteam^S0OPS|@ops>", "<!subteam^S0OPS|@ops>"),
        ("<!here> <!channel|@channel>", "@here @channel"),
        ("<!date^1700000000^{date}|14 Nov>", "14 Nov"),
        ("a < b > c <> <|> <:> <x>", "a < b > c <> <|> <:> <x>"),
        ("echo `$(id)`\n-x", "echo `$(id)`\n-x"),
    ],
)
def test_a_text_is_as_it_was_typed(text: str, plain: str) -> None:
    assert plain_text(text) == plain


@pytest.mark.parametrize(
    ("ts", "at"),
    [
        (TS, SINCE),
        ("1700000000", SINCE.replace(microsecond=0)),
        ("1700000000.1", SINCE.replace(microsecond=100_000)),
        ("1700000000.123456789", SINCE.replace(microsecond=123_456)),
        ("999999999999", None),
        ("-1", None),
        ("", None),
        ("1700000000.", None),
    ],
)
def test_a_ts_is_a_moment(ts: str, at: datetime | None) -> None:
    assert moment(ts) == at
