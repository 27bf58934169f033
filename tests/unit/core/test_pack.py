from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.errors import BadValue
from slack_alert.core.pack import (
    TYPES,
    EventSchema,
    GivenText,
    PackConfig,
    PackSection,
    PackSettings,
    PayloadField,
    ValueType,
    check_pack_name,
    fits,
    parse_type,
    read_default,
    read_value,
)

NOON = datetime(2026, 12, 24, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("str", "a # b", "a # b"),
        ("int", "-7", -7),
        ("int", "1_000", 1000),
        ("float", "1.5", 1.5),
        ("bool", "Yes", True),
        ("bool", "off", False),
        ("datetime", "2026-12-24T12:00", NOON),
        ("datetime", "2026-12-24 13:00 +01:00", NOON),
        ("duration", "1h30m", timedelta(minutes=90)),
        ("duration", "90", timedelta(seconds=90)),
        ("path", "a/b", Path("a/b")),
        ("url", "https://example.com/x", "https://example.com/x"),
        ("secret", "hunter2", "hunter2"),
        ("list[int]", "1, 2,3", [1, 2, 3]),
        ("list[str]", """a, "b, c", 'd'""", ["a", "b, c", "d"]),
        ("list[path]", "", []),
    ],
)
def test_a_text_is_read_by_its_type(kind: str, text: str, value: object) -> None:
    assert read_value(parse_type(kind), text, timezone.utc) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "1.5"),
        ("int", "many"),
        ("float", "much"),
        ("bool", "perhaps"),
        ("datetime", "tomorrow"),
        ("duration", "-1s"),
        ("url", "example.com"),
        ("url", "http://[::1"),
        ("list[int]", "1, x"),
    ],
)
def test_a_text_of_another_type_is_refused(kind: str, text: str) -> None:
    with pytest.raises(BadValue):
        read_value(parse_type(kind), text, timezone.utc)


def test_a_choice_is_one_of_them() -> None:
    kind = parse_type("str", ["staging", "prod"])

    assert read_value(kind, "prod", timezone.utc) == "prod"
    with pytest.raises(BadValue, match="'prdo' is not allowed") as refused:
        read_value(kind, "prdo", timezone.utc)
    assert refused.value.hint == "Did you mean prod?"


def test_an_error_shows_no_secret() -> None:
    kind = ValueType("secret", choices=("hunter2",))

    with pytest.raises(BadValue) as refused:
        read_value(kind, "swordfish", timezone.utc)
    assert "swordfish" not in str(refused.value)


@pytest.mark.parametrize("written", ["text", "list[text]", "list", "list[]", 7, None, [], ["a", 1]])
def test_a_type_that_does_not_exist_is_refused(written: object) -> None:
    with pytest.raises(BadValue):
        parse_type(written)


@pytest.mark.parametrize("choices", [[], "a", [1], ["a", 1]])
def test_choices_are_values_of_the_type(choices: object) -> None:
    with pytest.raises(BadValue):
        parse_type("str", choices)


@pytest.mark.parametrize("name", [*TYPES, *(f"list[{name}]" for name in TYPES)])
def test_a_type_is_written_as_it_is_read(name: str) -> None:
    assert str(parse_type(name)) == name


@pytest.mark.parametrize(
    ("kind", "value", "is_fitting"),
    [
        ("str", "a", True),
        ("str", 1, False),
        ("int", 1, True),
        ("int", True, False),
        ("int", 1.5, False),
        ("float", 1, True),
        ("float", 1467158400.5, True),
        ("float", "1.5", False),
        ("bool", "true", False),
        ("bool", True, True),
        ("path", Path("/a"), True),
        ("path", "/a", True),
        ("path", 1, False),
        ("datetime", NOON, True),
        ("datetime", NOON.isoformat(), True),
        ("datetime", "soon", False),
        ("duration", 90, True),
        ("duration", "1h", True),
        ("duration", True, False),
        ("url", "https://a.b", True),
        ("url", "a.b", False),
        ("list[str]", ["a", "b"], True),
        ("list[str]", ("a",), True),
        ("list[str]", "ab", False),
        ("list[str]", ["a", 1], False),
        (["created", "deleted"], "created", True),
        (["created", "deleted"], "renamed", False),
        ([1, 2], 1, True),
        ([1, 2], True, False),
    ],
)
def test_a_value_of_an_event_is_of_a_type_or_not(kind: object, value: object, is_fitting: bool) -> None:
    assert fits(parse_type(kind), value) is is_fitting


#: As StackStorm decides them, where its types are ours; see the cases of its schemas.
@pytest.mark.parametrize(
    ("fields", "payload", "faults"),
    [
        ({"path": "str"}, {"path": "/a"}, []),
        ({"time": "str"}, {"time": 1.5}, ["time must be str, got 1.5"]),
        ({"a": "str"}, {"a": "x", "b": 1}, []),
        ({"a": "str"}, {"a": None}, []),
        ({"a": "str"}, {}, []),
        ({"a": "int"}, {"a": 1.5}, ["a must be int, got 1.5"]),
        ({"a": "float"}, {"a": 1}, []),
        ({"a": "bool"}, {"a": "true"}, ["a must be bool, got 'true'"]),
        ({"s": ["created", "deleted"]}, {"s": "renamed"}, ["s must be str, one of created, deleted, got 'renamed'"]),
        ({"a": "int", "b": "int"}, {"a": "x", "b": "y"}, ["a must be int, got 'x'", "b must be int, got 'y'"]),
        ({"a": "secret"}, {"a": 12345678}, ["a must be secret, got ***"]),
    ],
)
def test_a_payload_is_as_its_schema_says(
    fields: Mapping[str, object], payload: Mapping[str, object], faults: list[str]
) -> None:
    schema = EventSchema("e", tuple(PayloadField(name, parse_type(kind)) for name, kind in fields.items()))

    assert list(schema.faults(payload)) == faults


@pytest.mark.parametrize("payload", [{}, {"a": None}])
def test_a_required_field_must_be_there(payload: Mapping[str, object]) -> None:
    schema = EventSchema("e", (PayloadField("a", ValueType(), is_required=True),))

    assert list(schema.faults(payload)) == ["a is missing"]


@given(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(TYPES)),
    st.dictionaries(st.text(max_size=3), st.one_of(st.none(), st.integers(), st.text(), st.lists(st.integers()))),
)
def test_fields_that_no_schema_names_never_matter(fields: dict[str, str], payload: dict[str, object]) -> None:
    schema = EventSchema("e", tuple(PayloadField(name, parse_type(kind)) for name, kind in fields.items()))
    named = {name: value for name, value in payload.items() if name in fields}

    assert list(schema.faults(payload)) == list(schema.faults(named))


@given(st.sampled_from(TYPES), st.text())
def test_what_is_read_is_of_its_type(name: str, text: str) -> None:
    kind = ValueType(name)
    try:
        value = read_value(kind, text, timezone.utc)
    except BadValue:
        return

    assert fits(kind, value)


@pytest.mark.parametrize(
    ("kind", "default", "value"),
    [
        ("duration", 30, timedelta(seconds=30)),
        ("duration", "5m", timedelta(minutes=5)),
        ("path", "a", Path("a")),
        ("float", 1, 1),
        ("list[path]", ["a"], [Path("a")]),
        ("datetime", NOON, NOON),
    ],
)
def test_a_default_is_read_as_a_text_of_the_configuration_would_be(kind: str, default: object, value: object) -> None:
    assert read_default(parse_type(kind), default, timezone.utc) == value


@pytest.mark.parametrize(("kind", "default"), [("int", 1.5), ("list[int]", 1), ("bool", 0), ("int", "many")])
def test_a_default_of_another_type_is_refused(kind: str, default: object) -> None:
    with pytest.raises(BadValue):
        read_default(parse_type(kind), default, timezone.utc)


@pytest.mark.parametrize("name", ["", "1a", "a.b", "a b", "a/b", "_a", "..", "chat", "command"])
def test_a_name_that_no_pack_can_have_is_refused(name: str) -> None:
    with pytest.raises(BadValue):
        check_pack_name(name)


def test_a_configuration_shows_no_secret_and_says_what_to_write() -> None:
    config = PackConfig("mypack", {"log": Path("a"), "token": "hunter2"}, ["token"])

    assert "hunter2" not in f"{config} {config!r}"
    assert (config["token"], config.get("other"), config.secrets) == ("hunter2", None, ("hunter2",))
    with pytest.raises(KeyError, match=r"write `other = ...` into \[pack.mypack\]"):
        config["other"]


def test_a_variable_belongs_to_the_longest_name_of_a_pack() -> None:
    text = GivenText("7", "SLACK_ALERT_PACK_MY_PACK_LIMIT", Path("/"))
    section = PackSection("my", "slack_alert.conf:1")
    settings = PackSettings({"my": section}, {"my_pack_limit": text})

    found = settings.of(["my", "my-pack"])
    assert found["my"] == section
    assert found["my-pack"].values == {"limit": text}
    assert settings.of(["my"])["my"].values == {"pack_limit": text}
