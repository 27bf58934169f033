"""Whatever comes in the place of a payload of Slack's is nothing, or something that can be stored; never an error."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.channels.slack.inbound.translate import Arrival, SlackInstallation, Translated, plain_text, translate
from slack_alert.core.structs import from_packed, to_packed
from tests.fakes.slack_events import edit_event, event_body, mention_event, message_event, press_payload, slash_form
from tests.fakes.slack_rules import Json

ARRIVAL = Arrival(
    SlackInstallation("T0TEST", "U0BOT"), "slack.socket", datetime(2026, 11, 30, tzinfo=timezone.utc), "/slack-alert"
)
MESSAGE = message_event(
    "<@U0BOT> deploy <http://a.b|a.b>", user="U0ANN", channel="C0OPS", ts="1700000000.000100", thread="1700000000.0"
)
SLASH = slash_form(
    "/deploy", "shop", user="U0ANN", name="ann", channel="C0OPS", channel_name="ops", trigger="1.2.a",
    response_url="https://hooks.slack.com/1",
)  # fmt: skip
PRESS = press_payload(
    "ack", "disk", user="U0ANN", name="ann", message=MESSAGE, channel="C0OPS", channel_name="ops",
    at="1700000000.000200", trigger="1.2.a", response_url="https://hooks.slack.com/1",
)  # fmt: skip
PAYLOADS: list[tuple[str, Json]] = [
    *(
        ("events_api", event_body(event, event_id="Ev1", at=1_700_000_000.0))
        for event in (MESSAGE, mention_event(MESSAGE), edit_event(MESSAGE, "x", at="1700000000.000300"))
    ),
    ("events_api", event_body({"type": "user_change", "user": {"id": "U0ANN"}}, event_id="Ev1", at=0.0)),
    ("events_api", event_body({"type": "subteam_updated", "subteam": {"id": "S0"}}, event_id="Ev1", at=0.0)),
    ("slash_commands", SLASH),
    ("interactive", PRESS),
]
NESTED: object = json.loads('{"a":' * 50 + "[]" + "}" * 50)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE00F), max_size=3),
    st.sampled_from(["", "\x00", "x" * 50_000, "<" * 40_000, "<@U0BOT>" * 4_000, "9" * 12, "1e9", "../..", "\ud800"]),
    st.from_regex(r"[0-9]{0,14}\.?[0-9]{0,12}"),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.just(NESTED)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)


def places(content: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of everything in a payload."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(content, dict):
        inner = list(content.items())
    elif isinstance(content, list):
        inner = list(enumerate(content))
    return [path, *(place for name, value in inner for place in places(value, (*path, name)))]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, object]:
    """Return a payload in which a few things are gone, or are something else."""
    kind, payload = draw(st.sampled_from(PAYLOADS))
    whole = {"": copy.deepcopy(payload)}
    for _ in range(draw(st.integers(1, 4))):
        path = ("", *draw(st.sampled_from(places(whole[""]))))
        within: object = whole
        for name in path[:-1]:
            within = within[name]  # type: ignore[index]
        assert isinstance(within, dict | list)
        if len(path) > 1 and isinstance(within, dict) and draw(st.booleans()):
            del within[path[-1]]
        else:
            within[path[-1]] = copy.deepcopy(draw(VALUES))  # type: ignore[index]
    return kind, whole[""]


@given(mutated())
def test_a_payload_that_is_not_as_slack_writes_it_is_no_error(sent: tuple[str, object]) -> None:
    said = translate(*sent, ARRIVAL)

    if said is not None:
        assert_storable(said)


@pytest.mark.parametrize(("kind", "payload"), PAYLOADS, ids=range(len(PAYLOADS)))
def test_however_deep_a_payload_is_it_is_no_error(kind: str, payload: Json) -> None:
    deep = _deep(20_000)

    for name in payload:
        translate(kind, {**payload, name: deep}, ARRIVAL)


@given(st.sampled_from(["events_api", "slash_commands", "interactive"]), VALUES)
def test_anything_at_all_is_no_error(kind: str, payload: object) -> None:
    assert translate(kind, payload, ARRIVAL) is None


@given(TEXTS)
def test_a_text_without_markup_stays(text: str) -> None:
    bare = text.replace("<", "").replace("&", "")

    assert plain_text(bare) == bare


def _deep(levels: int) -> object:
    content: object = []
    for _ in range(levels):
        content = {"event": content}
    return content


def assert_storable(said: Translated) -> None:
    assert from_packed(to_packed(said), type(said)) == said
