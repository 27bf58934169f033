"""Whether a caller of a hook has its secret, what repeats a call, and what its event is.

The signatures were computed with openssl: `printf '%s' BODY | openssl dgst -sha256 -hmac SECRET -hex`, and for Gitee
`printf 'TIME\\nSECRET' | openssl dgst -sha256 -hmac SECRET -binary | base64`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.webhooks import ForgedError, Hook, UnreadableError, read_call

NOW = datetime.fromtimestamp(1_796_118_425, timezone.utc)
BODY = b'{"id":5}'
SIGNED = "9f104304cf922cb5633345158be1bf436dde03c2947e56774f404270f199a3ad"
SHOP = Hook("/hooks/shop", "webhook", "shop", "s3cret", "x-signature", is_signed=True, id_header="x-delivery")
TOKEN = Hook("/hooks/ci", "webhook", "ci", "s3cret", "x-token")
GITHUB = Hook("/hooks/github", "github", "main", "s3cret")
GITEA = Hook("/hooks/gitea", "gitea", "main", "s3cret")
GITLAB = Hook("/hooks/gitlab", "gitlab", "main", "s3cret")
GITEE = Hook("/hooks/gitee", "gitee", "main", "S3CRET")
GITEE_TIME, GITEE_SIGN = "1796118425000", "PthTtGsPhcod9l0xhxv9op360+jh/1/IU19nXECsxnQ="
GOOD: tuple[tuple[Hook, Mapping[str, str], str], ...] = (
    (SHOP, {"x-signature": SIGNED}, "webhook.shop"),
    (SHOP, {"x-signature": f"sha256={SIGNED.upper()}".replace("SHA256", "sha256")}, "webhook.shop"),
    (TOKEN, {"x-token": "s3cret"}, "webhook.ci"),
    (GITHUB, {"x-hub-signature-256": f"sha256={SIGNED}", "x-github-event": "pull_request"}, "github.pull_request"),
    (GITEA, {"x-gitea-signature": SIGNED, "x-gitea-event": "push"}, "gitea.push"),
    (GITLAB, {"x-gitlab-token": "s3cret", "x-gitlab-event": "Merge Request Hook"}, "gitlab.merge_request"),
    (GITLAB, {"x-gitlab-token": "s3cret"}, "gitlab.unknown"),
    (GITEE, {"x-gitee-token": "S3CRET", "x-gitee-event": "Merge Request Hook"}, "gitee.pull_request"),
    (
        GITEE,
        {"x-gitee-token": GITEE_SIGN, "x-gitee-timestamp": GITEE_TIME, "x-gitee-event": "Push Hook"},
        "gitee.push",
    ),
)


@pytest.mark.parametrize(("hook", "headers", "name"), GOOD)
def test_a_call_with_the_secret_is_an_event_with_the_fields_of_its_body(
    hook: Hook, headers: Mapping[str, str], name: str
) -> None:
    call = read_call(hook, headers, BODY, NOW)

    assert (call.event.name, call.event.fields, call.event.at) == (name, {"id": 5}, NOW)


FORGED: tuple[tuple[Hook, Mapping[str, str]], ...] = (
    (SHOP, {}),
    (SHOP, {"x-signature": ""}),
    (SHOP, {"x-signature": "0" * 64}),
    (SHOP, {"x-signature": "s3cret"}),
    (SHOP, {"x-token": "s3cret"}),
    (TOKEN, {"x-token": "S3cret"}),
    (TOKEN, {"x-token": "s3cret\N{LATIN SMALL LETTER E WITH ACUTE}"}),
    (GITHUB, {"x-hub-signature": f"sha1={SIGNED}"}),
    (GITLAB, {"x-gitlab-token": SIGNED}),
    (GITEE, {"x-gitee-token": GITEE_SIGN}),
    (GITEE, {"x-gitee-token": GITEE_SIGN, "x-gitee-timestamp": "1796118425001"}),
    (GITEE, {"x-gitee-token": GITEE_SIGN, "x-gitee-timestamp": "9" * 400}),
    (GITEE, {"x-gitee-token": GITEE_SIGN, "x-gitee-timestamp": "-1"}),
)


@pytest.mark.parametrize(("hook", "headers"), FORGED)
def test_a_call_without_the_secret_is_refused(hook: Hook, headers: Mapping[str, str]) -> None:
    with pytest.raises(ForgedError):
        read_call(hook, headers, BODY, NOW)


@pytest.mark.parametrize("away", [timedelta(hours=1, seconds=1), -timedelta(hours=1, seconds=1)])
def test_a_signature_over_the_time_ends_after_an_hour(away: timedelta) -> None:
    headers = {"x-gitee-token": GITEE_SIGN, "x-gitee-timestamp": GITEE_TIME}

    with pytest.raises(ForgedError):
        read_call(GITEE, headers, BODY, NOW + away)


def test_a_signed_body_cannot_be_changed() -> None:
    with pytest.raises(ForgedError):
        read_call(GITHUB, {"x-hub-signature-256": f"sha256={SIGNED}"}, BODY + b" ", NOW)


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"a": NaN}', b"[" * 200_000, b'{"a": ' + b"9" * 10_000 + b"}", b"nothing"]
)
def test_a_body_that_cannot_be_read_is_told_only_to_who_has_the_secret(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_call(TOKEN, {"x-token": "s3cret"}, body, NOW)
    with pytest.raises(ForgedError):
        read_call(TOKEN, {"x-token": "another"}, body, NOW)


@pytest.mark.parametrize(
    ("body", "content_type", "fields"),
    [
        (b"", "", {}),
        (b"[1, 2]", "application/json", {"value": [1, 2]}),
        (b"a=1&b=%C3%A9", "application/x-www-form-urlencoded", {"a": "1", "b": "\N{LATIN SMALL LETTER E WITH ACUTE}"}),
        (b"payload=%7B%22a%22%3A1%7D", "application/x-www-form-urlencoded", {"a": 1}),
        (b'{"a": 1}', "application/x-www-form-urlencoded; charset=utf-8", {"a": 1}),
    ],
)
def test_the_body_is_json_or_a_form(body: bytes, content_type: str, fields: Mapping[str, object]) -> None:
    call = read_call(TOKEN, {"x-token": "s3cret", "content-type": content_type}, body, NOW)

    assert call.event.fields == fields


def marks(hook: Hook, headers: Mapping[str, str]) -> tuple[str, ...]:
    return read_call(hook, headers, BODY, NOW).marks


def test_a_delivery_is_known_by_its_id_and_by_its_signature() -> None:
    signed = {"x-hub-signature-256": f"sha256={SIGNED}"}
    first, again = marks(GITHUB, {**signed, "x-github-delivery": "a"}), marks(GITHUB, {**signed})

    assert len(first) == 2
    assert set(again) < set(first)


def test_without_an_id_a_generic_hook_repeats_nothing() -> None:
    assert marks(TOKEN, {"x-token": "s3cret"}) == ()
    assert marks(SHOP, {"x-signature": SIGNED}) == ()
    assert len(marks(SHOP, {"x-signature": SIGNED, "x-delivery": "a"})) == 1


def test_two_hooks_have_no_delivery_in_common() -> None:
    other = Hook("/hooks/github/other", "github", "other", "s3cret")
    headers = {"x-hub-signature-256": f"sha256={SIGNED}", "x-github-delivery": "a"}

    assert set(marks(GITHUB, headers)).isdisjoint(marks(other, headers))


@given(
    st.sampled_from([SHOP, TOKEN, GITHUB, GITLAB, GITEE, GITEA]),
    st.dictionaries(
        st.sampled_from(["x-token", "x-signature", "x-gitee-token", "x-gitee-timestamp", "x-hub-signature-256"]),
        st.text(max_size=30),
    ),
    st.binary(max_size=200),
)
def test_whatever_comes_is_refused_in_one_of_two_ways(hook: Hook, headers: Mapping[str, str], body: bytes) -> None:
    try:
        read_call(hook, headers, body, NOW)
    except (ForgedError, UnreadableError):
        return
    # It was luck, or the secret: nothing else gets so far.
    assert "s3cret" in {value.strip() for value in headers.values()}


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.booleans()))
def test_every_json_object_comes_through_as_it_is(fields: Mapping[str, object]) -> None:
    body = json.dumps(fields).encode()

    assert read_call(TOKEN, {"x-token": "s3cret"}, body, NOW).event.fields == fields
