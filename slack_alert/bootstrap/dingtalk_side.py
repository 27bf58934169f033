"""Make the channel to DingTalk, and the doors by which it lets people in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from slack_alert.core.structs import Struct, field
from slack_alert.engine.ports import Clock, Door, People, WebRoutes

if TYPE_CHECKING:
    from slack_alert.bootstrap.runtime import Runtime
    from slack_alert.channels.dingtalk.channel import DingTalkChannel
    from slack_alert.settings import Settings
    from slack_alert.settings.model import DingTalkSection

#: The pack of the values that doors keep; no folder has such a name.
_VALUES = ".chat"


class DingTalkSide(Struct, frozen=True):
    """What DingTalk has to do with commands."""

    doors: tuple[Door, ...] = ()
    #: Doors that the web server serves, with their addresses.
    served: tuple[tuple[Door, WebRoutes], ...] = ()
    people: Mapping[str, People] = field(default_factory=dict)


def dingtalk_channel(settings: Settings, clock: Clock) -> DingTalkChannel:
    """Make the channel to all robots."""
    from slack_alert.channels.dingtalk.access import DingTalkAccess
    from slack_alert.channels.dingtalk.channel import DingTalkChannel, Robot

    def robot(section: DingTalkSection) -> Robot:
        webhook, secret, client_secret = (
            "" if each is None else each.reveal() for each in (section.webhook, section.secret, section.client_secret)
        )
        return Robot(
            section.name, webhook, secret, section.keyword, section.client_id, client_secret, section.robot_code,
            section.api_url, section.door == "stream",
        )  # fmt: skip

    return DingTalkChannel([*map(robot, settings.dingtalk)], DingTalkAccess(settings.proxy, settings.ca_file), clock)


def dingtalk_side(settings: Settings, runtime: Runtime, channel: DingTalkChannel) -> DingTalkSide:
    """Make what lets people in from DingTalk."""
    from slack_alert.channels.dingtalk.inbound.people import DingTalkPeople

    heard = [robot for robot in settings.dingtalk if robot.door]
    served = [robot for robot in heard if robot.door == "http" and settings.web_listen]
    return DingTalkSide(
        tuple(_stream(settings, runtime, channel, robot) for robot in heard if robot.door == "stream"),
        tuple(_hooks(runtime, channel, robot, is_only=len(served) == 1) for robot in served),
        {"dingtalk": DingTalkPeople()} if heard else {},
    )


def _stream(settings: Settings, runtime: Runtime, channel: DingTalkChannel, robot: DingTalkSection) -> Door:
    from slack_alert.channels.dingtalk.inbound.corporation import OwnCorporation
    from slack_alert.channels.dingtalk.inbound.stream import DingTalkStreamDoor

    assert robot.client_secret is not None, "a robot with a door has one"
    return DingTalkStreamDoor(
        robot.name,
        robot.client_id,
        robot.client_secret.reveal(),
        runtime.clock,
        keep_session=channel.keep_session,
        corporation=OwnCorporation(robot.name, runtime.services.key_value_store(_VALUES)),
        api_url=robot.api_url,
        proxy=settings.proxy,
        ca_file=settings.ca_file,
    )


def _hooks(
    runtime: Runtime, channel: DingTalkChannel, robot: DingTalkSection, *, is_only: bool
) -> tuple[Door, WebRoutes]:
    from slack_alert.channels.dingtalk.inbound.http import DingTalkHooks

    assert robot.client_secret is not None, "a robot with a door has one"
    hooks = DingTalkHooks(
        robot.name,
        robot.client_secret.reveal(),
        runtime.clock,
        keep_session=channel.keep_session,
        api_url=robot.api_url,
        is_only=is_only,
    )
    return hooks, hooks.routes()
