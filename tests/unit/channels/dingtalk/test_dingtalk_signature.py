"""A callback is DingTalk's by its signature and its age; the signature covers no body, so it is good for one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.channels.dingtalk.inbound.signature import UsedSignatures, forgery, signature, signature_id

#: By `printf '%s\n%s' TIMESTAMP SECRET | openssl dgst -sha256 -hmac SECRET -binary | base64`.
VECTORS = [
    ("1577262236757", "this is a secret", "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="),
    ("1764504000000", "SEC3f0f8e7d+/=é", "6uhciGxFGYN9t2CEQUpTOG68f68cRXZq+GLp4sM/MQI="),
]
AT = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
STAMP = str(int(AT.timestamp() * 1000))
SECRET = "test-client-secret"


def headers(stamp: str = STAMP, secret: str = SECRET) -> dict[str, str]:
    return {"timestamp": stamp, "sign": signature(secret, stamp).decode()}


@pytest.mark.parametrize(("stamp", "secret", "sign"), VECTORS)
def test_the_signature_is_what_openssl_makes(stamp: str, secret: str, sign: str) -> None:
    assert signature(secret, stamp).decode() == sign


def test_a_right_signature_is_accepted() -> None:
    assert forgery(SECRET, headers(), AT) == ""


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (timedelta(hours=1), ""),
        (timedelta(hours=-1), ""),
        (timedelta(hours=1, seconds=1), "it was signed 3601 s ago"),
        (timedelta(hours=-1, seconds=-1), "it was signed 3601 s ahead"),
        (timedelta(days=300), "it was signed 25920000 s ago"),
    ],
)
def test_beyond_an_hour_it_is_refused_in_both_directions(after: timedelta, reason: str) -> None:
    assert forgery(SECRET, headers(), AT + after) == reason


@pytest.mark.parametrize(
    "stamp", ["", "soon", "-1", "1.5", "１７００００００００００００", "9" * 14, "1e12", " 1", "\ud800"]
)
def test_without_a_time_it_is_refused(stamp: str) -> None:
    assert forgery(SECRET, {**headers(), "timestamp": stamp}, AT) == "it has no time"


@pytest.mark.parametrize(
    "sign", ["", "x", "é", "\ud800", signature("another", STAMP).decode(), headers()["sign"] + "="]
)
def test_another_signature_is_refused(sign: str) -> None:
    assert forgery(SECRET, {**headers(), "sign": sign}, AT) == "its signature is not by this client_secret"


@pytest.mark.parametrize("missing", ["timestamp", "sign"])
def test_both_headers_are_needed(missing: str) -> None:
    given = {name: value for name, value in headers().items() if name != missing}

    assert forgery(SECRET, given, AT) != ""


def test_the_time_is_signed() -> None:
    assert forgery(SECRET, {**headers(), "timestamp": str(int(STAMP) + 1)}, AT) != ""


def test_a_signature_is_good_for_one_body() -> None:
    used = UsedSignatures()

    assert not used.has_other_body(headers(), b"first", AT)
    assert not used.has_other_body(headers(), b"first", AT)
    assert used.has_other_body(headers(), b"second", AT)
    assert not used.has_other_body(headers(), b"first", AT)


def test_each_moment_has_a_signature_of_its_own() -> None:
    used = UsedSignatures()
    used.has_other_body(headers(), b"first", AT)

    assert not used.has_other_body(headers(str(int(STAMP) + 1)), b"second", AT)


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(minutes=59)])
def test_it_is_remembered_for_as_long_as_it_would_be_accepted(ahead: timedelta) -> None:
    stamp = str(int((AT + ahead).timestamp() * 1000))
    used = UsedSignatures()
    used.has_other_body(headers(stamp), b"first", AT)
    last = AT + ahead + timedelta(hours=1)
    used.has_other_body(headers(str(int(last.timestamp() * 1000))), b"x", last)

    assert forgery(SECRET, headers(stamp), last) == ""
    assert used.has_other_body(headers(stamp), b"second", last)


def test_what_is_too_old_to_be_accepted_takes_no_memory() -> None:
    used = UsedSignatures()
    for number in range(100):
        used.has_other_body(headers(str(int(STAMP) + number)), b"", AT)
    used.has_other_body(headers(str(int(STAMP) + 7_200_000)), b"", AT + timedelta(hours=2))

    assert (len(used._bodies), len(used._ends)) == (1, 1)


def test_the_id_of_a_signature_does_not_sign() -> None:
    assert headers()["sign"] not in signature_id(headers())
    assert signature_id(headers()) == signature_id(headers()) != signature_id(headers(str(int(STAMP) + 1)))
