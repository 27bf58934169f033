"""Answers to a look into a conversation that are no answers: as a proxy, a bug or half a body makes them."""

from __future__ import annotations

import json

TS = "1.000001"
OTHER = {"type": "message", "ts": TS, "text": "something else"}


def whole(**changed: object) -> str:
    """Return the answer that one message of somebody else is there, but for these fields."""
    answer = {"ok": True, "messages": [OTHER], "has_more": False, "response_metadata": {"next_cursor": ""}, **changed}
    return json.dumps({name: part for name, part in answer.items() if part is not ...})


def marked(metadata: object) -> str:
    return whole(messages=[{**OTHER, "metadata": metadata}])


HALVES: dict[str, str] = {
    "nothing": "",
    "a page": "<!DOCTYPE html><html><body>Sign in to the proxy</body></html>",
    "half": whole()[:40],
    "null": "null",
    "a list": "[]",
    "a text": '"ok"',
    "a number": "1",
    "an empty object": "{}",
    "nested without end": '{"ok": true, "messages": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "ok only": '{"ok": true}',
    "no messages": whole(messages=...),
    "ok as a text": whole(ok="true"),
    "ok as a number": whole(ok=1),
    "ok as a list": whole(ok=[True]),
    "no ok": whole(ok=...),
    "not ok, without a word": whole(ok=False),
    "not ok, an unknown word": whole(ok=False, error="brand_new_code"),
    "not ok, no word": whole(ok=False, error={"code": 1}),
    "a refused token": '{"ok": false, "error": "token_expired"}',
    "messages null": whole(messages=None),
    "messages as an object": whole(messages={}),
    "messages as a text": whole(messages="none"),
    "messages as a number": whole(messages=0),
    "a message null": whole(messages=[None]),
    "a message as a text": whole(messages=["x"]),
    "a message as a list": whole(messages=[[]]),
    "a message without a number": whole(messages=[{"text": "x"}]),
    "a message with a number of another type": whole(messages=[{**OTHER, "ts": 1.000001}]),
    "a message with a number that is none": whole(messages=[{**OTHER, "ts": "yesterday"}]),
    "metadata as a text": marked("x"),
    "our metadata without content": marked({"event_type": "slack_alert_delivery"}),
    "our metadata with another content": marked({"event_type": "slack_alert_delivery", "event_payload": []}),
    "our metadata with another id": marked({"event_type": "slack_alert_delivery", "event_payload": {"id": 1}}),
    "files as a text": whole(messages=[{**OTHER, "files": "x"}]),
    "a file null": whole(messages=[{**OTHER, "files": [None]}]),
    "a file without an id": whole(messages=[{**OTHER, "files": [{}]}]),
    "more without a cursor": whole(has_more=True),
    "more without metadata": whole(has_more=True, response_metadata=...),
    "more, and metadata null": whole(has_more=True, response_metadata=None),
    "more as a text": whole(has_more="true"),
    "more null": whole(has_more=None),
    "metadata of the answer as a text": whole(response_metadata="x"),
    "metadata of the answer as a list": whole(response_metadata=[]),
    "a cursor of another type": whole(response_metadata={"next_cursor": 7}),
    "the same cursor again and again": whole(has_more=True, response_metadata={"next_cursor": "dGVhbQ=="}),
}

#: Unusual, and yet all that is asked for: nothing of ours is there.
WHOLES: dict[str, str] = {
    "as usual": whole(),
    "no messages at all": whole(messages=[]),
    "nothing of more": whole(has_more=..., response_metadata=...),
    "no cursor": whole(response_metadata={}),
    "cursor null": whole(response_metadata={"next_cursor": None}),
    "response metadata null": whole(response_metadata=None),
    "metadata null": marked(None),
    "metadata of others": marked({"event_type": "deployed", "event_payload": {"id": 1}}),
    "metadata without a type": marked({}),
    "files null": whole(messages=[{**OTHER, "files": None}]),
    "files of others": whole(messages=[{**OTHER, "files": [{"id": "F1", "mode": "tombstone"}]}]),
}
