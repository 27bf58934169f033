"""What DingTalk shows of canonical text, whom it calls, and how a request to a robot is signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import subprocess
from datetime import datetime, timezone
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from slack_alert.channels.dingtalk.robots import LARGEST, signed_url, webhook_content
from slack_alert.channels.dingtalk.text import as_markdown, as_text
from slack_alert.core.content.markup import entities

AT = datetime(2026, 12, 1, 9, 0, tzinfo=timezone.utc)
WEBHOOK = "https://oapi.dingtalk.com/robot/send?access_token=0123"


@pytest.mark.parametrize(
    ("canonical", "text", "markdown"),
    [
        ("late", "late", "late"),
        ("a &lt; b &amp; c", "a < b & c", "a < b & c"),
        ("one\ntwo", "one\ntwo", "one  \ntwo"),
        ("*bold* and 2 * 3", "*bold* and 2 * 3", "**bold** and 2 * 3"),
        ("see <https://x.example/a?b=1&amp;c=2|the graph>", "see the graph (https://x.example/a?b=1&c=2)",
         "see [the graph](https://x.example/a?b=1&c=2)"),
        ("<https://x.example>", "https://x.example", "https://x.example"),
        ("<https://x.example/(a)|[x]>", "[x] (https://x.example/(a))", "[(x)](https://x.example/(a%29)"),
        ("`*a*` and ```\nb\n```", "`*a*` and ```\nb\n```", "`*a*` and ```\nb\n```"),
        ("<@0123> look", "@0123 look", "@0123 look"),
        ("<!channel> look", "@channel look", "@channel look"),
    ],
)  # fmt: skip
def test_text_is_shown_as_it_is_meant(canonical: str, text: str, markdown: str) -> None:
    assert (as_text(canonical).text, as_markdown(canonical).text) == (text, markdown)


@given(text=some.text())
def test_what_is_no_markup_is_shown_as_it_is(text: str) -> None:
    assert as_text(entities(text)).text == entities(text).replace("&lt;", "<").replace("&gt;", ">").replace(
        "&amp;", "&"
    )


def test_people_and_everybody_are_called() -> None:
    rendered = as_markdown("<@0123> and <@0124>, <@0123>: <!here>")

    assert (rendered.at, rendered.at_all) == (("0123", "0124"), True)
    assert as_text("<#C1|ops> <https://x.example/@a|x>").at == ()


@pytest.mark.parametrize(
    ("canonical", "title"),
    [
        ("\n *Late*\nmore", "Late"),
        ("<https://x.example|graph> is up", "graph is up"),
        ("", "slack-alert"),
        ("x" * 99, "x" * 59 + "…"),
    ],
)
def test_the_title_is_the_first_line_without_markup(canonical: str, title: str) -> None:
    assert as_markdown(canonical).title == title


def test_who_asked_is_called_and_a_keyword_is_added_where_it_is_missing() -> None:
    content = webhook_content("late", "Alert", "0123")

    assert content == {
        "msgtype": "text",
        "text": {"content": "@0123 late\nAlert"},
        "at": {"atUserIds": ["0123"], "isAtAll": False},
    }
    assert webhook_content("an alert", "Alert")["text"] == {"content": "an alert"}
    linked = webhook_content("<https://x.example|graph>", "Alert")
    assert linked["markdown"] == {"title": "graph", "text": "[graph](https://x.example)  \nAlert"}


@given(text=some.text(alphabet="a漢😀", min_size=1, max_size=30), length=some.integers(4_000, 12_000))
def test_no_message_is_longer_than_dingtalk_takes(text: str, length: int) -> None:
    content = webhook_content((text * length)[:length])

    assert len(content["text"]["content"].encode()) <= LARGEST  # type: ignore[index]


def test_a_request_is_signed_over_its_time_and_encoded_once() -> None:
    url = signed_url(WEBHOOK, "SEC+/=abc", AT)
    query = parse_qs(urlsplit(url).query)
    stamp = str(int(AT.timestamp() * 1000))
    digest = hmac.new(b"SEC+/=abc", f"{stamp}\nSEC+/=abc".encode(), hashlib.sha256).digest()

    assert query == {"access_token": ["0123"], "timestamp": [stamp], "sign": [base64.b64encode(digest).decode()]}
    assert "%25" not in url
    assert signed_url(WEBHOOK, "", AT) == WEBHOOK


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
@pytest.mark.parametrize("secret", ["SEC0123456789", "a b+c/d=", "秘密"])
def test_openssl_signs_the_same(secret: str) -> None:
    url = signed_url(WEBHOOK, secret, AT)
    text = f"{int(AT.timestamp() * 1000)}\n{secret}"
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{secret.encode().hex()}", "-binary"],
        input=text.encode(), capture_output=True, check=True,
    ).stdout  # fmt: skip

    assert unquote_plus(url.rpartition("&sign=")[2]) == base64.b64encode(made).decode()
