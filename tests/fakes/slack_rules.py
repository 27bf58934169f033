"""What Slack accepts, as pure functions: blocks, metadata, text, scopes. No state and no network."""

from __future__ import annotations

import json
import re
from typing import Any

Json = dict[str, Any]  # Any: what people put into JSON has no type

TEXT_LIMIT = 40_000  # beyond it chat.postMessage cuts and warns with message_truncated
UPDATE_TEXT_LIMIT = 4_000  # chat.update refuses instead: msg_too_long
MARKDOWN_LIMIT = 12_000
BLOCK_COUNT_LIMIT = 50
BLOCKS_SIZE_LIMIT = 13_200  # undocumented, observed: https://github.com/slackapi/bolt-js/issues/2509
METADATA_SIZE_LIMIT = 16_384  # undocumented; kept small so that nobody relies on more
ATTACHMENT_COUNT_LIMIT = 100


class SlackError(Exception):
    """Slack refuses the call with this code."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields

    def answer(self) -> Json:
        """Say it as Slack does: ok is false, and HTTP is none the wiser."""
        return {"ok": False, "error": self.code, **self.fields}


def invalid_arguments(*messages: str) -> SlackError:
    told = [f"[ERROR] {message}" for message in messages]
    return SlackError("invalid_arguments", response_metadata={"messages": told})


def is_true(value: object) -> bool:
    """Read a boolean as forms and query strings spell it."""
    return value is True or str(value).lower() in {"true", "1"}


def parsed(arguments: Json, name: str, *, error: str) -> Any:  # Any: JSON
    """Take a structured argument, which forms carry as a JSON string."""
    value = arguments.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise SlackError(error) from None


def check_content(arguments: Json, *, text_limit: int | None) -> None:
    """Refuse a message without content, or with content Slack does not take."""
    blocks = parsed(arguments, "blocks", error="invalid_blocks_format")
    attachments = parsed(arguments, "attachments", error="invalid_attachments")
    text, markdown = _optional_text(arguments, "text"), _optional_text(arguments, "markdown_text")
    if markdown and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if not (text.strip() or blocks or attachments or markdown):
        raise SlackError("no_text")
    if len(markdown) > MARKDOWN_LIMIT or (text_limit is not None and len(text) > text_limit):
        raise SlackError("msg_too_long")
    if attachments is not None:
        _check_attachments(attachments)
    if blocks is not None:
        check_blocks(blocks)


def check_blocks(blocks: object) -> None:
    """Refuse blocks that are malformed or beyond their limits, naming the place as Slack does."""
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    faults = [fault for number, block in enumerate(blocks) for fault in _block_faults(block, f"/blocks/{number}")]
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and block.get("block_id")]
    if len(set(map(str, ids))) < len(ids):
        faults.append("`block_id` already exists in this message [json-pointer:/blocks]")
    if len(blocks) > BLOCK_COUNT_LIMIT:
        faults.insert(0, f"no more than {BLOCK_COUNT_LIMIT} items allowed [json-pointer:/blocks]")
    if faults:
        told = [f"[ERROR] {fault}" for fault in faults]
        raise SlackError("invalid_blocks", errors=faults, response_metadata={"messages": told})
    if sum(len(json.dumps(block, ensure_ascii=False)) for block in blocks) > BLOCKS_SIZE_LIMIT:
        raise SlackError("msg_blocks_too_long")


def check_metadata(metadata: object) -> None:
    """Refuse metadata that is not an event type with a flat payload."""
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_format")
    kind, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(kind, str) or not re.fullmatch(r"[\w.:-]+", kind) or not isinstance(payload, dict):
        raise SlackError("invalid_metadata_format")
    if not all(isinstance(value, str | int | float | bool | dict | list) for value in payload.values()):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > METADATA_SIZE_LIMIT:
        raise SlackError("metadata_too_large")


def require_scopes(needed: str, provided: frozenset[str]) -> None:
    """Refuse when a scope is not granted, saying which one and what is."""
    if needed and needed not in provided:
        raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(provided)))


def required_text(arguments: Json, name: str, *, error: str) -> str:
    value = arguments.get(name)
    if value is None:
        raise invalid_arguments(f"missing required field: {name}")
    if not isinstance(value, str) or not value:
        raise SlackError(error)
    return value


def is_ts(value: object) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", str(value)) is not None


def _optional_text(arguments: Json, name: str) -> str:
    value = arguments.get(name) or ""
    if not isinstance(value, str):
        raise invalid_arguments(f"must be a string [json-pointer:/{name}]")
    return value


def _check_attachments(attachments: object) -> None:
    if not isinstance(attachments, list) or not all(isinstance(each, dict) for each in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > ATTACHMENT_COUNT_LIMIT:
        raise SlackError("too_many_attachments")


_COMMON = {"type", "block_id"}
_KEYS = {
    "section": {"text", "fields", "accessory", "expand"},
    "header": {"text", "level"},
    "divider": set[str](),
    "context": {"elements"},
    "actions": {"elements"},
    "image": {"image_url", "slack_file", "alt_text", "title"},
    "markdown": {"text"},
    "rich_text": {"elements"},
    "table": {"rows", "column_settings"},
    "video": {"alt_text", "title", "thumbnail_url", "video_url", "author_name", "description", "provider_name"},
    "file": {"external_id", "source"},
}
_ELEMENT_LIMITS = {"context": 10, "actions": 25}


def _block_faults(block: object, at: str) -> list[str]:
    if not isinstance(block, dict):
        return [f"must be an object [json-pointer:{at}]"]
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in _KEYS:
        return [f"unsupported type: {kind} [json-pointer:{at}/type]"]
    extra = sorted(set(block) - _COMMON - _KEYS[kind])
    faults = [f"invalid additional property: {name} [json-pointer:{at}]" for name in extra]
    faults += _length_faults(block.get("block_id", "b"), 255, f"{at}/block_id")
    return faults + _faults_of_kind(kind, block, at)


def _faults_of_kind(kind: str, block: Json, at: str) -> list[str]:
    if kind == "section":
        return _section_faults(block, at)
    if kind == "header":
        return _text_faults(block.get("text"), 150, f"{at}/text", kinds=("plain_text",))
    if kind == "markdown":
        return _length_faults(block.get("text"), MARKDOWN_LIMIT, f"{at}/text")
    if kind in _ELEMENT_LIMITS:
        return _element_faults(block.get("elements"), _ELEMENT_LIMITS[kind], at)
    if kind == "image" and not (block.get("alt_text") and (block.get("image_url") or block.get("slack_file"))):
        return [f"missing required field: alt_text, image_url [json-pointer:{at}]"]
    return []


def _section_faults(block: Json, at: str) -> list[str]:
    if "text" not in block and "fields" not in block:
        return [f"missing required field: text or fields [json-pointer:{at}]"]
    faults = _text_faults(block["text"], 3_000, f"{at}/text") if "text" in block else []
    fields = block.get("fields", [])
    if not isinstance(fields, list) or len(fields) > 10:
        return [*faults, f"no more than 10 items allowed [json-pointer:{at}/fields]"]
    for number, field in enumerate(fields):
        faults += _text_faults(field, 2_000, f"{at}/fields/{number}")
    return faults


def _element_faults(elements: object, limit: int, at: str) -> list[str]:
    if not isinstance(elements, list) or not elements:
        return [f"missing required field: elements [json-pointer:{at}]"]
    if len(elements) > limit:
        return [f"no more than {limit} items allowed [json-pointer:{at}/elements]"]
    bare = [number for number, element in enumerate(elements) if not (isinstance(element, dict) and "type" in element)]
    faults = [f"missing required field: type [json-pointer:{at}/elements/{number}]" for number in bare]
    buttons = [each for each in elements if isinstance(each, dict) and each.get("type") == "button"]
    for number, button in enumerate(buttons):
        faults += _button_faults(button, f"{at}/elements/{number}")
    known = [button["action_id"] for button in buttons if "action_id" in button]
    if len(set(known)) < len(known):
        faults.append(f"`action_id` already exists in this block [json-pointer:{at}/elements]")
    return faults


def _button_faults(button: Json, at: str) -> list[str]:
    extra = sorted(
        set(button) - {"type", "text", "action_id", "value", "url", "style", "confirm", "accessibility_label"}
    )
    faults = [f"invalid additional property: {name} [json-pointer:{at}]" for name in extra]
    faults += _text_faults(button.get("text"), 75, f"{at}/text", kinds=("plain_text",))
    faults += _length_faults(button.get("action_id", "a"), 255, f"{at}/action_id")
    return faults + _length_faults(button.get("value", "v"), 2_000, f"{at}/value")


def _text_faults(text: object, limit: int, at: str, *, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")) -> list[str]:
    if not isinstance(text, dict):
        return [f"must be an object [json-pointer:{at}]"]
    if text.get("type") not in kinds:
        return [f"unsupported type: {text.get('type')} [json-pointer:{at}/type]"]
    return _length_faults(text.get("text"), limit, f"{at}/text")


def _length_faults(text: object, limit: int, at: str) -> list[str]:
    if not isinstance(text, str):
        return [f"must be a string [json-pointer:{at}]"]
    if not text:
        return [f"must be more than 0 characters [json-pointer:{at}]"]
    if len(text) > limit:
        return [f"must be less than {limit + 1} characters [json-pointer:{at}]"]
    return []
