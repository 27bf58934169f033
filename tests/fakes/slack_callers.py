"""Two ways to call the fake Slack: slack_sdk, and raw HTTP that may break the rules."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.fakes.slack import FakeSlack

METADATA = {"event_type": "slack_alert_delivery", "event_payload": {"id": "412"}}
AUTHORIZED = {"Authorization": "Bearer xoxb-test"}
JSON = {**AUTHORIZED, "Content-Type": "application/json; charset=utf-8"}


def client(slack: FakeSlack, *, token: str = "xoxb-test") -> WebClient:
    return WebClient(token, base_url=slack.url, retry_handlers=[], timeout=5)


def section(text: str) -> dict[str, Any]:  # Any: JSON
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def refused(slack: FakeSlack, method: str, **arguments: object) -> Any:  # Any: JSON
    """Call and give the answer by which Slack refused."""
    with pytest.raises(SlackApiError) as caught:
        client(slack).api_call(method, json=arguments)
    return caught.value.response.data


def raw(
    slack: FakeSlack, method: str, *, body: bytes | str = b"", headers: Mapping[str, str], verb: str = "POST"
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", slack.port, timeout=5)
    try:
        connection.request(verb, f"/api/{method}", body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def error_of(slack: FakeSlack, method: str, *, body: bytes | str = b"", headers: Mapping[str, str]) -> object:
    return json.loads(raw(slack, method, body=body, headers=headers)[2]).get("error")
