"""The three steps of an upload to the fake Slack, but for the bytes themselves."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.fakes.slack_chat import new_message
from tests.fakes.slack_rules import Json, SlackError, invalid_arguments, parsed
from tests.fakes.slack_shapes import file_shape
from tests.fakes.slack_workspace import Upload, Workspace


def upload_url(workspace: Workspace, arguments: Json) -> Json:
    missing = [name for name in ("filename", "length") if not arguments.get(name)]
    if missing:
        raise invalid_arguments(*(f"missing required field: {name}" for name in missing))
    if not re.fullmatch(r"\d+", str(arguments["length"])):
        raise invalid_arguments("must be an integer [json-pointer:/length]")
    if int(arguments["length"]) == 0:
        raise SlackError("missing_argument")
    name = f"F0{len(workspace.uploads) + 1:04d}"
    workspace.uploads[name] = Upload(name, str(arguments["filename"]), int(arguments["length"]))
    return {"file_id": name, "upload_url": name}  # the server puts its own address before it


def complete_upload(workspace: Workspace, arguments: Json) -> Json:
    files = parsed(arguments, "files", error="invalid_arguments")
    if not isinstance(files, list) or not files:
        raise invalid_arguments("missing required field: files")
    uploads = [_uploaded(workspace, each) for each in files]
    channels = [str(arguments[name]) for name in ("channel_id", "channels") if arguments.get(name)]
    shared = [_shareable(workspace, each) for name in channels for each in name.split(",")]
    for upload in uploads:
        workspace.uploads[upload.id] = replace(upload, channel=shared[0] if shared else None)
    if shared:
        message = new_message(workspace, {**arguments, "text": arguments.get("initial_comment"), "blocks": None})
        named = tuple(upload.filename for upload in uploads)
        for channel in shared:
            workspace.post(replace(message, channel=channel, files=named, ts=workspace.next_ts()))
    return {"files": [file_shape(workspace.uploads[each.id]) for each in uploads]}


def _uploaded(workspace: Workspace, named: object) -> Upload:
    upload = workspace.uploads.get(str(named.get("id"))) if isinstance(named, dict) else None
    if upload is None or upload.content is None or not isinstance(named, dict):
        raise SlackError("file_not_found")
    return replace(upload, title=str(named.get("title") or upload.filename))


def _shareable(workspace: Workspace, channel: str) -> str:
    if not re.fullmatch(r"[CGD][A-Z0-9]+", channel):
        raise SlackError("invalid_channel")
    if workspace.visible(channel) in workspace.absent:
        raise SlackError("not_in_channel")
    if channel in workspace.archived:
        raise SlackError("posting_to_channel_denied")
    return channel
