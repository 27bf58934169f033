"""What Slack's codes mean for the app-level token, by which sockets are opened."""

from __future__ import annotations


def app_token_hint(code: str) -> str:
    """Return what somebody has to mend before a socket can be opened, by Slack's code; empty for other codes."""
    return _OF_APP.get(code, "")


_CHECK = "check `app_token`: it begins with xapp- and is under Basic Information, App-Level Tokens"
_RENEW = "make an app-level token under Basic Information, and put it into `app_token`"
_OF_APP = {
    "invalid_auth": _CHECK,
    "not_authed": _CHECK,
    "not_allowed_token_type": _CHECK,
    "missing_scope": "give the app-level token the scope connections:write, under Basic Information",
    "token_revoked": _RENEW,
    "token_expired": _RENEW,
    "account_inactive": _RENEW,
}
