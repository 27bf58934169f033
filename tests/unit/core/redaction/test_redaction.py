"""Which parts of a configuration are secret, and which are not redacted."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable

import pytest

from slack_alert.core.excerpts import excerpt
from slack_alert.core.redaction.credentials import Login, credentials, hidden_parts, is_secret
from slack_alert.core.redaction.redaction import Redaction

#: Longer than what is looked for in one piece.
_KEY = "".join(f"{number:x}" for number in range(1000, 1333))


@pytest.mark.parametrize(
    ("address", "texts"),
    [
        ("https://hc-ping.com/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", ("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",)),
        ("https://hc-ping.com/Zk3j9x2LqPw8VbN4mTt0Aa/nightly-backup", ("Zk3j9x2LqPw8VbN4mTt0Aa",)),
        ("https://nosnch.in/c2354d53d2", ("c2354d53d2",)),
        ("https://kuma.example.com/api/push/AbCdEfGhIj?status=up&msg=OK&ping=", ("AbCdEfGhIj",)),
        ("https://uptime.example.com/api/v1/heartbeat/abc123DEF456ghi789", ("abc123DEF456ghi789",)),
        (
            "https://hooks.slack.com/services/T01234567/B01234567/abcDEF123ghiJKL456",
            ("T01234567", "B01234567", "abcDEF123ghiJKL456"),
        ),
        ("https://api.telegram.org/bot123456:ABC-DEF1234gh/sendMessage", ("bot123456:ABC-DEF1234gh",)),
        ("https://example.com/ping?token=swordfish&format=json&timeout=30", ("swordfish",)),
        ("https://example.com/ping?sig=a%2Bb%2Fc123", ("a+b/c123", "a%2Bb%2Fc123")),
        ("https://example.com/ping?4f9a8c7d6e5b", ("4f9a8c7d6e5b",)),
        ("https://example.com/#4f9a8c7d6e5b", ("4f9a8c7d6e5b",)),
        ("http://ann:hunter2%2Bsecret@proxy:3128", ("hunter2+secret", "hunter2%2Bsecret")),
        ("http://ann:a:b@c:3@proxy:3128/", ("a:b@c:3",)),
        ("https://4f9a8c7d6e5b@sentry.example.com/1", ("4f9a8c7d6e5b",)),
        ("https://ghp_0123456789abcdef:x-oauth-basic@github.com/", ("x-oauth-basic", "ghp_0123456789abcdef")),
        ("postgresql://ann:hunter22@db/alerts?sslpassword=swordfish", ("hunter22", "swordfish")),
        ("sqlite:////srv/a1b2c3d4e5f6/state.db", ()),
        ("https://slack-gov.com/api/", ()),
        ("https://example.com/nightly-backup/web01/server-2024", ()),
        ("https://example.com/MyBackup/sendMessage/v1?status=up&name=nightly-backup", ()),
        ("http://[::1/", ()),
        ("http://proxy.example.com:3128", ()),
    ],
)
def test_what_is_secret_of_an_address_is_known(address: str, texts: tuple[str, ...]) -> None:
    assert set(credentials(address).texts) == set(texts)


@pytest.mark.parametrize("password", ["a", "12345", "secret", "Password", "monitoring"])
def test_a_password_that_is_short_or_a_word_is_known_beside_its_user_only(password: str) -> None:
    clean = Redaction([f"http://ann:{password}@proxy:3128"])
    header = b64encode(f"ann:{password}".encode()).decode()

    assert credentials(f"http://ann:{password}@proxy").logins == (Login("ann", password),)
    assert clean(f"ann:{password}@proxy refused") == "[secret]@proxy refused"
    assert clean(f"Basic {header}") == "Basic [secret]"
    assert clean(f"a {password} in a message, 12345678") == f"a {password} in a message, 12345678"


@pytest.mark.parametrize("text", ["", "a", "token", "secret", "PASSWORD", "admins"])
def test_what_stands_in_every_second_message_is_not_searched_for(text: str) -> None:
    assert not is_secret(text)
    assert Redaction([text])(f"<{text}> is said") == f"<{text}> is said"


@pytest.mark.parametrize(
    ("secrets", "text", "expected"),
    [
        (["swordfish", "swordfishes"], "swordfishes", "[secret]"),
        (["abcdefgh1", "efgh1ijkl"], "abcdefgh1ijkl", "[secret]"),
        (["abcdefgh1", "cdefg1"], "abcdefgh1 cdefg1", "[secret] [secret]"),
        (["first1", "second2"], "first1second2", "[secret][secret]"),
        ([" swordfish\n"], "a swordfish", "a [secret]"),
        (["swordfish"], "swordfish" * 3, "[secret]" * 3),
    ],
)
def test_secrets_may_hold_each_other(secrets: list[str], text: str, expected: str) -> None:
    assert Redaction(secrets)(text) == expected


@pytest.mark.parametrize("encode", [str.encode, lambda text: b64encode(b"~~" + text.encode())])
def test_a_secret_of_any_length_is_found(encode: Callable[[str], bytes]) -> None:
    cleaned = Redaction([_KEY])(f"a {encode(_KEY).decode()} b")

    assert re.fullmatch(r"a \w{0,3}(\[secret\][\w=]{0,2})+ b", cleaned)


@pytest.mark.parametrize(
    "text",
    [
        "a xoxb-1234-abc b",
        "xoxe.xoxp-1-abc",
        "xapp-1-A0123-456-abcdef",
        '{"event": "line\\nxoxb-1234-abc"}',
        "line%0Axoxb-1234-abc",
        "\\u0020xoxb-1234-abc",
        "tokenxoxb-1234567890-abc",
        "https://hooks.slack.com/services/T0/B0/xyz123",
        "https://hooks.slack.com/commands/T0/1/xyz123",
        "https://hooks.slack.com/actions/T0/1/xyz123",
        "https%3A%2F%2Fhooks.slack.com%2Fservices%2FT0%2FB0%2Fxyz123",
        "https:\\/\\/hooks.slack.com\\/services\\/T0\\/B0\\/xyz123",
        "https://hooks.slack-gov.com/workflows/T0/A0/1/xyz123",
    ],
)
def test_what_looks_like_a_token_of_slack_is_taken_out_wherever_it_stands(text: str) -> None:
    cleaned = Redaction()(text)

    assert "[secret]" in cleaned
    assert not any(part in cleaned for part in ("1234-abc", "xyz123", "-1-", "567890"))


@pytest.mark.parametrize("text", ["foxapp-store", "boxxox-e", "xoxb", "hooks.slack.com/help", "xoxb-a"])
def test_what_only_looks_a_little_like_one_stays(text: str) -> None:
    assert Redaction()(text) == text


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("https://ann:hunter22@slack.example.com/api/", ("https://ann:hunter22@", "hunter22")),
        ("https://slack-gov.com/api/", ()),
        ("sqlite:////srv/state.db", ()),
    ],
)
def test_an_address_that_is_no_secret_has_secret_parts(address: str, parts: tuple[str, ...]) -> None:
    assert hidden_parts(address) == parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short", "short"),
        ("a few words more", "a few…"),
        ("one 0a1b2c3d-4e5f-6071-8293", "one…"),
        ("0a1b2c3d-4e5f-6071-8293", "…"),
        ("'ab', 0a1b2c3d-4e5f", "'ab',…"),
    ],
)
def test_a_quotation_is_cut_between_words(text: str, expected: str) -> None:
    assert excerpt(text, 10) == expected


def test_what_is_hidden_is_redacted_until_all_who_hid_it_reveal_it() -> None:
    clean = Redaction(["swordfish"])
    clean.hide(1, ["zebra-1"])
    clean.hide(2, ["zebra-1"])
    clean.hide(2, ["zebra-2"])
    both = clean("swordfish zebra-1 zebra-2")
    clean.reveal(2)
    first = clean("swordfish zebra-1 zebra-2")
    clean.reveal(1)

    assert both == "[secret] [secret] [secret]"
    assert first == "[secret] [secret] zebra-2"
    assert clean("swordfish zebra-1 zebra-2") == "[secret] zebra-1 zebra-2"
