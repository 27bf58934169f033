"""The Web API methods of the fake Slack with their contracts; the table of them is at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.slack_chat import post_message, react, update
from tests.fakes.slack_conversations import (
    conversation,
    group_members,
    history,
    list_conversations,
    list_users,
    open_conversation,
    replies,
    user_by_email,
    user_info,
)
from tests.fakes.slack_files import complete_upload, upload_url
from tests.fakes.slack_rules import Json, SlackError, require_scopes
from tests.fakes.slack_shapes import identity
from tests.fakes.slack_workspace import Workspace


@dataclass(frozen=True, slots=True)
class Method:
    """A method's contract: what it does, the scope it needs, the arguments it knows, how it may be called."""

    call: Callable[[Workspace, Json], Json]
    scope: str
    arguments: frozenset[str]
    reads: bool = False  # may be called by GET
    takes_json: bool = True  # the older reading methods ignore a JSON body
    a_minute: int = 0  # calls; 0: Slack's limit is not kept here
    is_of_app: bool = False  # takes the app's token instead of the bot's


def call(workspace: Workspace, method: Method, arguments: Json) -> Json:
    """Carry out one authenticated call, or raise the error Slack would answer."""
    require_scopes(method.scope, frozenset(workspace.app_scopes if method.is_of_app else workspace.scopes))
    return {"ok": True, **method.call(workspace, arguments)}


def _api_test(workspace: Workspace, arguments: Json) -> Json:
    if "error" in arguments:
        raise SlackError(str(arguments["error"]), args=arguments)
    return {"args": arguments} if arguments else {}


def _auth_test(workspace: Workspace, arguments: Json) -> Json:
    return identity(workspace)


def _open_connection(workspace: Workspace, arguments: Json) -> Json:
    if not workspace.socket_mode:
        raise SlackError("link_disabled")
    return {"url": ""}  # the server puts it there


def _named(arguments: str) -> frozenset[str]:
    return frozenset(arguments.split())


TIER_2, TIER_3, TIER_4 = 20, 50, 100
_CONTENT = "channel text blocks attachments markdown_text metadata as_user link_names parse reply_broadcast"
METHODS = {
    "api.test": Method(_api_test, "", _named("error foo"), reads=True),
    "auth.test": Method(_auth_test, "", _named(""), reads=True),
    "chat.postMessage": Method(
        post_message,
        "chat:write",
        _named(f"{_CONTENT} icon_emoji icon_url mrkdwn thread_ts unfurl_links unfurl_media username"),
    ),
    "chat.update": Method(update, "chat:write", _named(f"{_CONTENT} ts file_ids")),
    "conversations.list": Method(
        list_conversations, "", _named("cursor exclude_archived limit team_id types"), reads=True, takes_json=False
    ),
    "conversations.info": Method(
        conversation, "", _named("channel include_locale include_num_members"), reads=True, takes_json=False
    ),
    "conversations.history": Method(
        history,
        "",
        _named("channel cursor include_all_metadata inclusive latest limit oldest"),
        reads=True,
        takes_json=False,
    ),
    "conversations.replies": Method(
        replies,
        "",
        _named("channel ts cursor include_all_metadata inclusive latest limit oldest"),
        reads=True,
        takes_json=False,
    ),
    "conversations.open": Method(open_conversation, "im:write", _named("channel prevent_creation return_im users")),
    "users.list": Method(
        list_users, "users:read", _named("cursor include_locale limit team_id"), reads=True, takes_json=False
    ),
    "users.info": Method(
        user_info, "users:read", _named("user include_locale"), reads=True, takes_json=False, a_minute=TIER_4
    ),
    "usergroups.users.list": Method(
        group_members,
        "usergroups:read",
        _named("usergroup include_disabled team_id"),
        reads=True,
        takes_json=False,
        a_minute=TIER_2,
    ),
    "apps.connections.open": Method(_open_connection, "connections:write", _named(""), a_minute=TIER_3, is_of_app=True),
    "users.lookupByEmail": Method(user_by_email, "users:read.email", _named("email"), reads=True, takes_json=False),
    "files.getUploadURLExternal": Method(
        upload_url, "files:write", _named("filename length alt_txt snippet_type"), reads=True, takes_json=False
    ),
    "files.completeUploadExternal": Method(
        complete_upload,
        "files:write",
        _named("files channel_id channels initial_comment thread_ts blocks"),
    ),
    "reactions.add": Method(react, "reactions:write", _named("channel name timestamp")),
}
