from __future__ import annotations

import pytest

from slack_alert.core.errors import BadValue
from slack_alert.core.model.address import Address


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("#ops", "slack:#ops"),
        ("ops", "slack:#ops"),
        (" ops-2_x ", "slack:#ops-2_x"),
        ("OPS", "slack:#OPS"),
        ("C01", "slack:#C01"),
        ("C0123", "slack:C0123"),
        ("G0123", "slack:G0123"),
        ("D0123", "slack:D0123"),
        ("U0123", "slack:U0123"),
        ("W0123", "slack:W0123"),
        ("@ann", "slack:@ann"),
        ("@Ann O'Neil", "slack:@Ann O'Neil"),
        ("slack:#ops", "slack:#ops"),
        ("slack: ops", "slack:#ops"),
        ("slack:@ann", "slack:@ann"),
        ("日本語", "slack:#日本語"),
        ("हिन्दी", "slack:#हिन्दी"),
        ("x" * 80, f"slack:#{'x' * 80}"),
        ("console:", "console:"),
        ("console:#ops", "console:#ops"),
        ("console:ops, and more", "console:#ops, and more"),
        ("", "slack:"),
    ],
)
def test_an_address_is_a_channel_an_id_a_person_or_the_terminal(text: str, meant: str) -> None:
    assert str(Address.parse(text, "slack")) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("discord:#x", "'discord:#x': there is no service 'discord'"),
        ("slak:#x", "'slak:#x': there is no service 'slak'"),
        ("foo bar", "'foo bar' is not one channel"),
        ("#a b", "'#a b' is not one channel"),
        ("a,b", "'a,b' is not one channel"),
        ("#a,#b", "'#a,#b' is not one channel"),
        ("=x", "'=x' is not one channel"),
        ("##x", "'##x' is not one channel"),
        ("#@x", "'#@x' is not one channel"),
        ('"ops"', "'\"ops\"' is not one channel"),
        ("“ops”", "'“ops”' is not one channel"),
        ("#a:b", "'#a:b' is not one channel"),
        ("9:30", "'9:30' is not one channel"),
        ("@ann,@bob", "'@ann,@bob' is not one channel"),
        ("@ ann", "'@ ann' is not one channel"),
        ("@", "'@' is not one channel"),
        ("#", "'#' names no channel"),
        ("slack:", "'' names no channel"),
        ("x" * 81, f"'{'x' * 80}'… is longer than the 80 characters of a channel's name"),
    ],
)
@pytest.mark.parametrize("channel", ["slack", "console"])
def test_an_address_that_means_nothing_is_refused_with_what_is_allowed(text: str, said: str, channel: str) -> None:
    with pytest.raises(BadValue) as raised:
        Address.parse(text, channel)

    assert str(raised.value) == said
    assert raised.value.hint


def test_the_nearest_service_is_named() -> None:
    with pytest.raises(BadValue) as raised:
        Address.parse("slak:#x", "slack")

    assert raised.value.hint == "Did you mean slack? Allowed services: slack, console, dingtalk."


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (Address("slack", "#ops"), "#ops"),
        (Address("console", ""), "console:"),
        (Address("console", "#ops"), "#ops"),
        (Address("pager", "#ops"), "pager:#ops"),
    ],
)
def test_an_address_is_shown_with_its_service_where_that_is_an_unusual_one(address: Address, shown: str) -> None:
    assert address.shown == shown
