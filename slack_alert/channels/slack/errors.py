"""The meaning of Slack's answers: a table of its error codes, and rules for answers without a known code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from slack_alert.core.errors import SlackAlertError
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.retry import DEFAULT_WAIT, SendResult, SendStatus
from slack_alert.core.structs import Struct, replace

#: After so many such answers in a row, which takes a minute, an unknown code is taken as final.
UNKNOWN_LIMIT = 10

#: The message can no longer be edited or replied to; it is posted anew.
CANNOT_FOLLOW = frozenset({
    "message_not_found", "edit_window_closed", "cant_update_message", "thread_not_found", "invalid_thread_ts",
    "cannot_reply_to_message", "msg_too_long",
})  # fmt: skip
CUSTOMIZE = "chat:write.customize"
#: These concern a single method, not the whole channel.
CLOSES_ONE_METHOD = frozenset({"missing_scope", "not_allowed_token_type", "method_deprecated", "deprecated_endpoint"})
#: The metadata was refused, not the message itself.
REFUSES_METADATA = frozenset(
    {"invalid_metadata_format", "invalid_metadata_schema", "metadata_must_be_sent_from_app", "metadata_too_large"}
)
TOO_LONG = frozenset({"msg_too_long", "msg_blocks_too_long"})


class RefusedError(SlackAlertError):
    """Slack refused a call, or could not be reached."""

    def __init__(self, outcome: SendResult, *, needed: str = "") -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome
        #: The missing scope.
        self.needed = needed

    @property
    def code(self) -> str:
        return self.outcome.reason

    def before_posting(self) -> RefusedError:
        """Return the same error for a step that posts nothing: RETRY instead of AMBIGUOUS."""
        if self.outcome.status is not SendStatus.AMBIGUOUS:
            return self
        return RefusedError(replace(self.outcome, status=SendStatus.RETRY), needed=self.needed)


class SlackResult(Struct, frozen=True):
    """The parts of an answer that decide about a message."""

    status: int
    #: Slack's error code; empty where the body was no answer of Slack's.
    code: str = ""
    retry_after: str | None = None
    #: The scope needed, and the scopes of the token.
    needed: str = ""
    provided: str = ""


def classify(reply: SlackResult, *, to: str = "") -> SendResult:
    """Return the outcome for a message that was not accepted; `to` is the conversation named in hints."""
    code = reply.code if _CODE.fullmatch(reply.code) else ""
    if reply.status == 429 or code in _THROTTLED:
        after = _retry_after(reply.retry_after)
        return SendResult(SendStatus.WAIT, reason=code or "ratelimited", is_answer=True, after=after)
    if code in TABLE:
        status, hint = TABLE[code]
        words = {"to": to or "the conversation", "needed": reply.needed or "?", "provided": reply.provided or "none"}
        return SendResult(status, reason=code, is_answer=True, hint=hint.format(**words))
    if reply.status >= 500:
        said = code or f"HTTP {reply.status}"
        return SendResult(SendStatus.AMBIGUOUS, reason=said, is_answer=True, hint=_SLACK_DOWN)
    if reply.status >= 400 and not code:
        return SendResult(SendStatus.RETRY, reason=f"HTTP {reply.status}", is_answer=True, hint=_INTERMEDIARY)
    if not code:
        return SendResult(SendStatus.AMBIGUOUS, reason="unreadable answer", hint=_UNREADABLE)
    hint = _UNKNOWN.format(code=code)
    return SendResult(SendStatus.AMBIGUOUS, reason=code, is_answer=True, hint=hint, limit=UNKNOWN_LIMIT)


_CODE = lazy_pattern(r"[A-Za-z0-9_.:-]{1,100}")
_THROTTLED = frozenset({"ratelimited", "rate_limited"})
_SLACK_DOWN = "Slack has a problem of its own: see https://slack-status.com; the message is tried again"
_INTERMEDIARY = "something between here and Slack answered in its place: check `proxy`, `api_url` and the firewall"
_UNREADABLE = "the answer broke off, or was not Slack's: check `proxy` and `api_url` where this goes on"
_UNKNOWN = "look up {code} at https://docs.slack.dev/reference/methods/chat.postMessage and report it to slack-alert"
_CHECK = "check `token` (it begins with xoxb-), then run slack-alert doctor"
_INSTALL = "install the app to the workspace again, put the new token into `token`, then run slack-alert doctor"
_ADMIN = "ask an administrator of the workspace to allow the app, then run slack-alert doctor"
_MOVING = "the workspace is being moved to an organization; messages are kept until that is done"
_UPGRADE = "Slack has retired a method: upgrade slack-alert"
_SCOPE = (
    "add the scope {needed} under OAuth & Permissions (slack-alert manifest has all of them) and install the app "
    "again; the token has: {provided}"
)
_NO_CHANNEL = (
    "{to} does not exist, or it is private and the app is not in it: check the spelling, or invite the app there: "
    "/invite @slack-alert"
)
_INVITE = "invite the app: /invite @slack-alert in {to}"
_POLICY = "a rule of the workspace keeps the app from posting in {to}: ask an administrator, or set another channel"
_BLOCKS = "try the blocks in the Block Kit Builder: https://app.slack.com/block-kit-builder"
_SHORTEN = "make the message shorter, or return a file"
_ARGUMENTS = "something beside the text was not accepted: look at the dict the plugin returned"
_BUG = "this is a fault of slack-alert: please report it with its version"
_CONNECT = "Slack Connect does not share this with the other company: leave it out"
_METADATA = "the token is not an app's own bot token (xoxb-): create an app with slack-alert manifest"
_PERSON = "{to} cannot be written to: check the name, or give the member ID (U...) from the person's profile"
_FILES = "file uploads are restricted in this workspace: ask an administrator"
_AGAIN = "the message is looked for and tried again"
_THROTTLE = "too many messages: they are spread out, and none is lost"

#: Slack's codes by their meaning for the message, with a hint for people.
_BY_STATUS: Mapping[SendStatus, Mapping[str, str]] = {
    SendStatus.WAIT: {_THROTTLE: "ratelimited rate_limited"},
    SendStatus.AMBIGUOUS: {
        _SLACK_DOWN: "fatal_error internal_error service_unavailable",
        _AGAIN: "request_timeout file_update_failed",
    },
    SendStatus.RETRY: {_AGAIN: "invalid_cursor file_not_found streaming_state_conflict update_failed"},
    SendStatus.CREDENTIALS: {
        _CHECK: "invalid_auth not_authed not_allowed_token_type",
        _INSTALL: "token_revoked token_expired account_inactive",
        _SCOPE: "missing_scope",
        _ADMIN: "access_denied accesslimited app_access_restricted ekm_access_denied enterprise_is_restricted "
        "team_access_not_granted team_not_found two_factor_setup_required user_is_restricted",
        _MOVING: "org_login_required team_added_to_org",
        _UPGRADE: "deprecated_endpoint method_deprecated",
    },
    SendStatus.DESTINATION: {
        _NO_CHANNEL: "channel_not_found invalid_channel",
        _INVITE: "not_in_channel no_permission",
        "{to} is archived: unarchive it, or set another channel": "is_archived is_inactive",
        _POLICY: "restricted_action restricted_action_non_threadable_channel restricted_action_read_only_channel "
        "restricted_action_thread_locked restricted_action_thread_only_channel cannot_reply_to_message "
        "posting_to_channel_denied posting_to_general_channel_denied send_on_behalf_not_allowed "
        "channel_is_limited_access channels_limit_exceeded external_channel_migrating",
        "switch on the Messages tab under App Home in the app's settings": "messages_tab_disabled",
        "the workspace has used up its messages: delete old ones or change its plan": "message_limit_exceeded",
        _PERSON: "user_not_found users_not_found user_disabled user_not_visible cannot_dm_bot not_enough_users "
        "too_many_users users_list_not_supplied invalid_user_combination method_not_supported_for_channel_type",
    },
    SendStatus.PAYLOAD: {
        _BLOCKS: "invalid_blocks invalid_blocks_format",
        _SHORTEN: "msg_too_long msg_blocks_too_long",
        "there is nothing to say: return text": "no_text",
        "give at most 100 attachments": "too_many_attachments",
        "give smaller attachments": "attachment_payload_limit_exceeded",
        "give at most 10 contact cards": "too_many_contact_cards",
        "give either markdown_text or text and blocks, not both": "markdown_text_conflict",
        "leave out as_user": "as_user_not_supported",
        _ARGUMENTS: "invalid_arguments invalid_attachments missing_file_data duplicate_channel_not_found "
        "duplicate_message_not_found draft_already_deleted draft_already_sent draft_has_conflict draft_not_found "
        "agent_prompt_display_not_allowed thread_not_found invalid_thread_ts message_not_found",
        "this message cannot be changed any more: post a new one": "cant_update_message edit_window_closed "
        "cant_broadcast_message block_mismatch no_dual_broadcast_content_update",
        _CONNECT: "slack_connect_canvas_sharing_blocked "
        "slack_connect_file_link_sharing_blocked slack_connect_lists_sharing_blocked "
        "slack_connect_file_upload_sharing_blocked slack_connect_blocked_file_type slack_connect_clip_sharing_blocked",
        _METADATA: " ".join(sorted(REFUSES_METADATA)),
        _FILES: "file_uploads_disabled file_upload_size_restricted file_uploads_except_images_disabled "
        "blocked_file_type file_type_not_allowed storage_limit_reached malware_detected restricted_file",
        "a file must not be empty": "missing_argument",
        "give a shorter text or description with the file": "snippet_too_large alt_txt_too_large",
        _BUG: "invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_post_type "
        "missing_post_type invalid_json json_not_object missing_charset superfluous_charset unknown_method "
        "invalid_limit invalid_types invalid_ts_latest invalid_ts_oldest invalid_metadata_filter_keys limit_required "
        "pagination_not_available unknown_snippet_type unknown_subtype",
    },
}

TABLE: Mapping[str, tuple[SendStatus, str]] = {
    code: (status, hint)
    for status, hints in _BY_STATUS.items()
    for hint, codes in hints.items()
    for code in codes.split()
}


def _retry_after(header: str | None) -> timedelta:
    """Return the time in Retry-After; a proxy may have put a date or nonsense there."""
    try:
        seconds = float(header or "")
    except ValueError:
        return DEFAULT_WAIT
    if not math.isfinite(seconds) or seconds < 0:
        return DEFAULT_WAIT
    return timedelta(seconds=min(max(seconds, 1.0), 86_400.0))
