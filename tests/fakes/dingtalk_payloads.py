"""What DingTalk sends to a robot: the bodies of its callbacks, as the vendor's samples have them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from tests.fakes.slack_rules import Json

CORPORATION = "ding9f50b15bccd16741"
ROBOT_USER = "$:LWCP_v1:$robot+KM8k7B=="
CONVERSATION = "cidbWykSYH4VBmX0naFuJKylC0IWbX/byxZtsaUuznx8Cs="
CLIENT_ID, CLIENT_SECRET = "dingtestclientid", "test-client-secret"
SESSION = "https://oapi.dingtalk.com/robot/sendBySession?session=0123456789abcdef"
#: In milliseconds, from `createAt` to the end of the session webhook.
SESSION_MILLISECONDS = 90 * 60 * 1000


def message_body(
    text: str,
    *,
    staff: str = "0123",
    number: str = "msg+1/A==",
    at: float = 1_700_000_000.0,
    direct: bool = False,
    conversation: str = CONVERSATION,
    session: str = SESSION,
) -> Json:
    """Return the body for a text that mentions the robot in a group, or is written to it alone."""
    made = round(at * 1000)
    return {
        "msgId": number,
        "msgtype": "text",
        # The mention of the robot is taken off, and the space behind it stays.
        "text": {"content": text if direct else f" {text}"},
        "createAt": made,
        "conversationId": conversation,
        "conversationType": "1" if direct else "2",
        **({} if direct else {"conversationTitle": "ops", "isInAtList": True}),
        "atUsers": [] if direct else [{"dingtalkId": ROBOT_USER}],
        "chatbotCorpId": CORPORATION,
        "chatbotUserId": ROBOT_USER,
        "senderId": f"$:LWCP_v1:${staff}==",
        "senderStaffId": staff,
        "senderCorpId": CORPORATION,
        "senderNick": f"Person {staff}",
        "senderPlatform": "Mac",
        "isAdmin": False,
        "robotCode": CLIENT_ID,
        "sessionWebhook": session,
        "sessionWebhookExpiredTime": made + SESSION_MILLISECONDS,
    }


def press_body(action: str, value: str = "", *, staff: str = "0123", card: str = "card-1", **fields: object) -> Json:
    """Return the body for a pressed button; parts of it are texts in JSON, as DingTalk writes them."""
    params = {"action": action, "value": value}
    return {
        "type": "actionCallback",
        "outTrackId": card,
        "corpId": CORPORATION,
        "userId": staff,
        "userIdType": 1,
        "spaceType": "IM_GROUP",
        "spaceId": CONVERSATION,
        "extension": "{}",
        "content": json.dumps({"cardPrivateData": {"actionIds": [action], "params": params}}),
        **fields,
    }


def signed_headers(at: float, *, secret: str = CLIENT_SECRET) -> dict[str, str]:
    """Return the headers by which DingTalk signs a callback; they say nothing about its body."""
    timestamp = str(round(at * 1000))
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}
