"""Read the session webhook of a message: a URL by which its conversation can be answered for a while, a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlsplit

from slack_alert.channels.dingtalk.inbound.translate import moment
from slack_alert.core.model.asked import ChatMessage

#: Takes the conversation of the reply address, the URL and the end of a session webhook; must not block.
KeepSession: TypeAlias = Callable[[str, str, datetime], None]

API_URL = "https://api.dingtalk.com"
_MOST = 2_000
_DINGTALK = "dingtalk.com"


def session_webhook(payload: Mapping[str, object], api_url: str) -> tuple[str, datetime] | None:
    """Return the URL and the end of the session webhook of a message, or None where there is none to be trusted.

    Answers go there, and over HTTP no signature covers the URL: so it has to be DingTalk's, or where `api_url` is.
    """
    url, ends = payload.get("sessionWebhook"), moment(payload.get("sessionWebhookExpiredTime"))
    if not isinstance(url, str) or ends is None or len(url) > _MOST or not _is_trusted(url, api_url):
        return None
    return url, ends


def tell_session(keep: KeepSession, payload: Mapping[str, object], said: ChatMessage, api_url: str) -> None:
    """Hand the session webhook of a message on, if it has one."""
    if (session := session_webhook(payload, api_url)) is not None:
        keep(said.reply_to.to.conversation, *session)


def _is_trusted(url: str, api_url: str) -> bool:
    if not (url.isascii() and url.isprintable() and " " not in url and "\\" not in url):
        return False
    try:
        address, own = urlsplit(url), urlsplit(api_url)
        port = address.port
    except ValueError:
        return False
    if "@" in address.netloc:
        return False
    host = address.hostname or ""
    is_vendors = (
        address.scheme == "https" and port in (None, 443) and (host == _DINGTALK or host.endswith(f".{_DINGTALK}"))
    )
    return is_vendors or (address.scheme, address.netloc) == (own.scheme, own.netloc)
