"""The hashes of entries, which stay what they are from one version, and one Python, to the next."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from datetime import timedelta, timezone
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.commands.audit_chain import GENESIS, canonical, chain_hash, compact_json, keepable
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.structs import asdict, replace
from tests.fakes.audit import AT, CHANGES, ENTRY, KEY


class Colour(str, Enum):
    RED = "red"


def test_an_entry_always_has_the_same_form() -> None:
    entry = replace(
        ENTRY, name="Ann Ö", reason='says "no"\n', params={"n": 1, "x": 0.1, "on": True, "list": [None, "ü"]}
    )

    assert canonical(7, entry) == (
        '{"at":1795253400000000,"by":"slack:T1/U1","channel":"#ops","chat":"slack","command":"deploy shop prod",'
        '"door":"slack.socket","duration":72000000,"id":7,"name":"Ann \\u00d6",'
        '"params":{"list":[null,"\\u00fc"],"n":1,"on":true,"x":0.1},"reason":"says \\"no\\"\\n","run":412,'
        '"verdict":"ran"}'
    )


def test_an_entry_always_has_the_same_hash() -> None:
    assert chain_hash(KEY, GENESIS, 1, ENTRY) == "e19b48e4d574e674b50f625f83dbc133cb25b018a3efea3d0b792f001f9eb5f6"


def test_what_an_entry_does_not_have_is_left_out_so_that_later_fields_change_no_hash() -> None:
    bare = replace(ENTRY, name="", channel="", params={}, run=None, duration=None)

    assert set(json.loads(canonical(1, bare))) == {"id", "at", "by", "chat", "door", "command", "verdict"}


def test_nothing_is_not_left_out_where_it_is_a_number() -> None:
    assert json.loads(canonical(1, replace(ENTRY, duration=timedelta(), run=0)))["duration"] == 0


def test_the_hash_can_be_made_with_what_every_language_has() -> None:
    text = f"{'0' * 64}\n{canonical(1, ENTRY)}"

    assert chain_hash(KEY, GENESIS, 1, ENTRY) == hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("name", CHANGES)
def test_each_field_counts(name: str) -> None:
    assert set(CHANGES) == set(ENTRY.__struct_fields__)
    assert chain_hash(KEY, GENESIS, 1, replace(ENTRY, **{name: CHANGES[name]})) != chain_hash(KEY, GENESIS, 1, ENTRY)


def test_number_key_and_the_hash_before_count() -> None:
    hashes = [
        chain_hash(KEY, GENESIS, 1, ENTRY),
        chain_hash(KEY, GENESIS, 2, ENTRY),
        chain_hash(b"other", GENESIS, 1, ENTRY),
        chain_hash(KEY, "f" * 64, 1, ENTRY),
    ]

    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Path("/a"), "/a"),
        (Colour.RED, "red"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (AT, "2026-11-21 09:30:00+00:00"),
        (("a", 1), ["a", 1]),
        ({1: {"a": b"x"}}, {"1": {"a": "b'x'"}}),
        ("a\0b\ud800", "a\ufffdb\ufffd"),
        (None, None),
        (2**70, 2**70),
    ],
)
def test_parameters_are_kept_as_json_has_them(value: object, kept: object) -> None:
    params = keepable(replace(ENTRY, params={"p": value})).params

    assert params == {"p": kept}
    assert json.loads(compact_json(params)) == params


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    there = replace(ENTRY, at=AT.astimezone(timezone(timedelta(hours=8))))

    assert canonical(1, keepable(there)) == canonical(1, ENTRY)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(params=st.dictionaries(st.text(max_size=5), _values, max_size=4), name=st.text(max_size=9))
def test_what_is_read_back_has_the_same_form(params: dict[str, object], name: str) -> None:
    kept = keepable(replace(ENTRY, params=params, name=name))
    again = replace(kept, params=json.loads(compact_json(kept.params)))

    assert canonical(1, again) == canonical(1, kept)
    assert keepable(kept) == kept
    assert asdict(kept)["verdict"] is AuditVerdict.RAN
