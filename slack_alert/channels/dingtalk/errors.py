"""The meaning of DingTalk's answers: codes of group robots (`errcode`), and of the app's API (`code`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from slack_alert.core.errors import SlackAlertError
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.retry import SendResult, SendStatus

#: After so many such answers in a row an unknown code is taken as final.
UNKNOWN_LIMIT = 10
#: More than 20 messages a minute, and a robot takes none for so long.
THROTTLED = timedelta(minutes=10)
_LIMITED = timedelta(seconds=10)

_SIGN = "the secret is another one, or this clock is wrong: copy `secret` from the settings of the robot"
_KEYWORD = "the robot wants a keyword: set `keyword` as in the settings of the robot"
_ADDRESS = "the robot takes messages from other addresses only: allow this one in its settings"
_WEBHOOK = "there is no such robot any more: copy `webhook` from the settings of the robot again"
_CREDENTIALS = "check `client_id` and `client_secret`, and that a version of the app is published"
_PERMISSION = "give the app the permission at https://open-dev.dingtalk.com: sending cards (Card.Instance.Write)"
_PLACE = "the robot is not in that conversation, or the person has left: add the robot to the group"
_VENDOR = "DingTalk has a problem of its own; the message is tried again"
_INTERMEDIARY = "something between here and DingTalk answered in its place: check `proxy`, `api_url` and the firewall"
_UNREADABLE = "the answer broke off, or was not DingTalk's: check `proxy` where this goes on"
_UNKNOWN = "look up {code} in DingTalk's documentation, and report it to slack-alert"
_BUG = "this is a fault of slack-alert: please report it with its version"


class DingTalkRefusal(SlackAlertError):
    """DingTalk did not accept a message, or could not be reached."""

    def __init__(self, outcome: SendResult, *, is_token: bool = False, is_forbidden: bool = False) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome
        #: Whether the access token is over, so that another one may do; whether the app has no right to the call.
        self.is_token = is_token
        self.is_forbidden = is_forbidden


def judge_robot(status: int, said: Mapping[str, object] | None) -> SendResult | None:
    """Return the outcome of an answer of a group's robot; None: the message was accepted."""
    code = said.get("errcode") if said is not None else None
    if status != 200 or said is None or isinstance(code, bool) or not isinstance(code, int):
        return _without_code(status)
    words = said.get("errmsg")
    text = words.lower() if isinstance(words, str) else ""
    if code == 0:
        return None
    if code in _ROBOT_LIMITS or "too fast" in text:
        return SendResult(SendStatus.WAIT, reason=f"errcode {code}", is_answer=True, after=THROTTLED)
    if code in _ROBOT_SECURITY:
        reason, hint = next(((word, hint) for word, hint in _SECURITY if word in text), ("refused", _SIGN))
        # Somebody may correct it in the settings of the robot: the messages wait for that.
        return SendResult(SendStatus.RETRY, reason=f"errcode {code}: {reason}", is_answer=True, hint=hint)
    if code in _ROBOT_GONE or "token is not exist" in text:
        return SendResult(SendStatus.RETRY, reason=f"errcode {code}", is_answer=True, hint=_WEBHOOK)
    if code in _ROBOT_PAYLOAD:
        return SendResult(SendStatus.PAYLOAD, reason=f"errcode {code}", is_answer=True, hint=_BUG)
    return _unknown(f"errcode {code}", is_busy=code == -1)


def judge_app(status: int, said: Mapping[str, object] | None) -> DingTalkRefusal | None:
    """Return the refusal in an answer of the app's API; None: it was accepted."""
    if status == 200 and said is not None:
        return None
    written = said.get("code") if said is not None else None
    code = written if isinstance(written, str) and _CODE.fullmatch(written) else ""
    if not code:
        return DingTalkRefusal(_without_code(status))
    if status == 429 or _LIMITS.search(code):
        return DingTalkRefusal(SendResult(SendStatus.WAIT, reason=code, is_answer=True, after=_LIMITED))
    if status == 403:
        refused = SendResult(SendStatus.DESTINATION, reason=code, is_answer=True, hint=_PERMISSION)
        return DingTalkRefusal(refused, is_forbidden=True)
    if status == 401 or _TOKENS.search(code):
        hint = _CREDENTIALS
        return DingTalkRefusal(SendResult(SendStatus.RETRY, reason=code, is_answer=True, hint=hint), is_token=True)
    return DingTalkRefusal(_other(status, code))


def _other(status: int, code: str) -> SendResult:
    """Return the outcome of a code that says nothing of limits, tokens and rights."""
    if status in (400, 404) and _PLACES.search(code):
        return SendResult(SendStatus.DESTINATION, reason=code, is_answer=True, hint=_PLACE)
    if status == 400:
        return SendResult(SendStatus.PAYLOAD, reason=code, is_answer=True, hint=_BUG)
    return _unknown(code, is_busy=status >= 500)


def unreachable(error: BaseException, lack: str) -> SendResult:
    """Return the outcome of a call for which there was surely no connection."""
    hint = lack or "cannot connect to DingTalk: check the network, `proxy`, `ca_file` and `api_url`"
    return SendResult(SendStatus.RETRY, reason=type(error).__name__, hint=hint)


def broken_off(error: BaseException) -> SendResult:
    """Return the outcome of a call whose answer did not come: it may have been accepted."""
    return SendResult(SendStatus.AMBIGUOUS, reason=type(error).__name__, hint=_UNREADABLE)


def _without_code(status: int) -> SendResult:
    if status >= 500:
        return SendResult(SendStatus.AMBIGUOUS, reason=f"HTTP {status}", is_answer=True, hint=_VENDOR)
    if status == 200:
        return SendResult(SendStatus.AMBIGUOUS, reason="unreadable answer", hint=_UNREADABLE)
    return SendResult(SendStatus.RETRY, reason=f"HTTP {status}", is_answer=True, hint=_INTERMEDIARY)


def _unknown(code: str, *, is_busy: bool) -> SendResult:
    hint = _VENDOR if is_busy else _UNKNOWN.format(code=code)
    limit = None if is_busy else UNKNOWN_LIMIT
    return SendResult(SendStatus.AMBIGUOUS, reason=code, is_answer=True, hint=hint, limit=limit)


_CODE = lazy_pattern(r"[A-Za-z0-9_.:-]{1,100}")
_ROBOT_LIMITS = frozenset({130101, 410100, 90018})
_ROBOT_SECURITY = frozenset({310000})
_ROBOT_GONE = frozenset({300001, 300005, 40014})
_ROBOT_PAYLOAD = frozenset({40035, 43004, 400101, 460101, 400013, 400105, 400106})
_SECURITY = (("keyword", _KEYWORD), ("ip", _ADDRESS), ("sign", _SIGN), ("timestamp", _SIGN))
_LIMITS = lazy_pattern(r"(?i)limit|throttl")
_TOKENS = lazy_pattern(r"(?i)accesstoken|InvalidAuthentication|authFailed|invalidClient|invalidAppKey")
_PLACES = lazy_pattern(r"(?i)space|conversation|chat|user|group|robot")
