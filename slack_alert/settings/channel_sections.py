"""Read the channels besides Slack from the sections [dingtalk.NAME] and [channels]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from slack_alert.core.errors import BadValue
from slack_alert.core.model.address import SERVICES
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.units.names import suggestion
from slack_alert.settings.hook_sections import Given, ReadSecret
from slack_alert.settings.model import DingTalkSection
from slack_alert.settings.secret import Secret, quoted, settings_error
from slack_alert.settings.value_sources import GivenValue, SettingFault

#: Where DingTalk's apps are served.
API_URL = "https://api.dingtalk.com"


def read_dingtalk(
    sections: Mapping[str, Given], secret: ReadSecret, faults: list[SettingFault]
) -> tuple[DingTalkSection, ...]:
    """Return the robots of the sections [dingtalk.NAME], by name; what is wrong is added to the faults."""
    found: list[DingTalkSection] = []
    for name, given in sections.items():
        try:
            found.append(_robot(name, given, secret))
        except BadValue as error:  # noqa: PERF203 - each is told with its place
            at = min(given.values(), key=lambda one: one.place)
            said = f"[dingtalk.{name}] {str(error).removesuffix('.')}."
            faults.append(SettingFault(at.place, settings_error(said, where=at.where, hint=error.hint)))
    return tuple(found)


def read_channels(written: Mapping[str, GivenValue], faults: list[SettingFault]) -> Iterator[tuple[str, Secret]]:
    """Yield the channels of [channels] with their URLs, which are secrets; an empty one is none."""
    for name, given in written.items():
        try:
            _check_channel(name, given.text)
        except BadValue as error:
            said = f"[channels] {name}: {str(error).removesuffix('.')}."
            faults.append(SettingFault(given.place, settings_error(said, where=given.where, hint=error.hint)))
            continue
        if given.text:
            yield name, Secret(given.text)


def _robot(name: str, given: Given, secret: ReadSecret) -> DingTalkSection:
    if not _NAME.fullmatch(name):
        raise BadValue("is not a name of a robot", hint="Write small letters, digits, - and _: [dingtalk.ops].")
    webhook, client_secret = secret("webhook", given), secret("client_secret", given)
    client_id, door = _text(given, "client_id"), _text(given, "door")
    if webhook is not None:
        _check_webhook(webhook.reveal())
    elif not client_id:
        hint = "Set webhook = https://... for a group's robot, or client_id and client_secret for an app's."
        raise BadValue("has neither a webhook nor a client_id", hint=hint)
    if bool(client_id) != (client_secret is not None):
        lacking = "client_secret" if client_id else "client_id"
        raise BadValue(f"has no {lacking}", hint="Both are on the page of the app, under its credentials.")
    if door and door not in _DOORS:
        hint = suggestion(door, _DOORS) or "Write stream, or http."
        raise BadValue(f"door: {quoted(door)} is not a door", hint=hint)
    if door and not client_id:
        raise BadValue("door: a group's robot receives nothing", hint="Set client_id and client_secret of an app.")
    api_url = _text(given, "api_url") or API_URL
    if not _is_address(api_url):
        raise BadValue(f"api_url: {quoted(api_url)} is not an address", hint="Write https://api.dingtalk.com.")
    return DingTalkSection(
        name, webhook, secret("secret", given), _text(given, "keyword"), client_id, client_secret, door, api_url,
        _text(given, "robot_code") or client_id,
    )  # fmt: skip


def _check_webhook(url: str) -> None:
    """Raise BadValue for what is no webhook of a robot; it is not repeated, because it is a secret."""
    if not _is_address(url) or not parse_qs(urlsplit(url).query).get("access_token"):
        hint = "Copy it from the settings of the robot: https://oapi.dingtalk.com/robot/send?access_token=..."
        raise BadValue("webhook: that is not the webhook of a robot", hint=hint)


def _check_channel(name: str, url: str) -> None:
    if not name.isidentifier() or name in SERVICES:
        hint = f"Write letters, digits and _, and none of {', '.join(SERVICES)}: pager = apprise://..."
        raise BadValue("that is not a name of a channel", hint=hint)
    if url and not _URL.match(url):
        raise BadValue(
            "that is not an address", hint="Write what apprise takes: pager = mailto://user:word@example.com."
        )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _text(given: Given, key: str) -> str:
    return given[key].text if key in given else ""


_DOORS = ("stream", "http")
_NAME = lazy_pattern(r"[a-z0-9][a-z0-9_-]*")
_URL = lazy_pattern(r"[A-Za-z][A-Za-z0-9+.-]*://\S+$")
