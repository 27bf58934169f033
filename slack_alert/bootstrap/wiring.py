"""Assemble the components of a running program."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, TextIO

from slack_alert.bootstrap.addresses import errors_address
from slack_alert.bootstrap.current_mutes import make_digests
from slack_alert.bootstrap.plugin_files import database
from slack_alert.bootstrap.plugin_loading import FollowedPlugins
from slack_alert.bootstrap.runtime import Runtime, blocking_of, make_processes, make_runtime, plugin_sources
from slack_alert.channels.console import ConsoleChannel, has_colour
from slack_alert.channels.terminal import TerminalChannel
from slack_alert.channels.web import WebChannel
from slack_alert.core.model.message import Delivery, Notice
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.retry import SendResult
from slack_alert.core.schedule.triggers import parse_trigger
from slack_alert.engine.app.components import Chat, Components, PluginFiles, Stores
from slack_alert.engine.app.liveness import EVERY, PULSE_NAME
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.delivery.prepare import Receipts
from slack_alert.engine.delivery.refusing import closed_channel
from slack_alert.engine.delivery.sender import Sender, SendRate
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import ChangeWatch, Channel, Clock, OutboxReader, Recorder, Source
from slack_alert.loader import plugins_folder
from slack_alert.stores.sqlite.integrity import stalled_addresses

if TYPE_CHECKING:
    from slack_alert.core.bindings import Job
    from slack_alert.engine.app.ping import Heartbeat
    from slack_alert.engine.app.sensor_supervisor import SensorSupervisor
    from slack_alert.schedulers import PlannedJob
    from slack_alert.settings import Settings


log = logging.getLogger(__name__)

#: Reads waiting deliveries: of an address or (None) of all, after an id, at most a number of them.
Waiting = Callable[[str | None, int, int], list[Delivery]]


def assemble(
    settings: Settings, plugins: FollowedPlugins, stores: Stores, redaction: Redaction, *, out: TextIO
) -> Components:
    """Assemble the components of an app; must be called on the loop on which it will run."""
    runtime = make_runtime(settings, plugins, stores, redaction)
    engine, writer, mutes = runtime.engine, runtime.writer, runtime.mutes
    channels = make_channels(settings, out)
    if runtime.api is not None:
        channels["web"] = runtime.api.channel
    slots = SlotSource(settings, engine, is_behind=writer.is_behind)
    blocking, reload = blocking_of(settings), None if settings.reload == "off" else plugins.reload
    digests = make_digests(
        settings, mutes, engine=engine, recorder=runtime.recorder, read=stores.read, blocking=blocking
    )
    return Components(
        stores=stores,
        plugins=PluginFiles(plugins.catalog, reload, plugins.take_up, plugins.guard, _watch(settings)),
        reader=runtime.reader,
        snapshot=runtime.snapshot,
        channels=channels,
        clock=runtime.clock,
        writer=writer,
        executor=runtime.executor,
        engine=engine,
        sender=make_sender(
            settings, channels, runtime.counter or writer, runtime.reader, _undeliverable_handler(settings, engine)
        ),
        make_source=slots.source,
        replan=slots.replan,
        stalled_addresses=_standing_still(settings),
        children=runtime.services.children,
        load=runtime.executor.load,
        muted_until=mutes.until,
        accept_mute=mutes.accept,
        post_digests=digests.poll,
        heartbeat=_heartbeat(settings),
        changed_zone=_changed_zone(settings),
        make_chat=partial(_make_chat, settings, runtime, stores, plugins.idle, channels),
        make_sensors=partial(_make_sensors, settings, plugins, runtime),
        beside=_beside(settings, runtime),
        has_doors=settings.has_doors or settings.has_api,
    )


def _beside(settings: Settings, runtime: Runtime) -> tuple[Callable[[], Coroutine[object, object, None]], ...]:
    """Return the web server where it listens, and no door of a chat is served by it; raise SettingsError."""
    if not settings.web_listen or settings.has_served_door:
        return ()
    from slack_alert.bootstrap.web_side import web_routes
    from slack_alert.web.server import web_server

    server = web_server(settings, web_routes(settings, runtime))
    server.bind()
    return (server.run,)


def _make_chat(
    settings: Settings,
    runtime: Runtime,
    stores: Stores,
    idle: tuple[Job, ...] | None,
    channels: Mapping[str, Channel],
) -> Chat:
    from slack_alert.bootstrap.chat import make_chat

    return make_chat(settings, runtime, stores, idle=idle, channels=channels)


def _make_sensors(
    settings: Settings, plugins: FollowedPlugins, runtime: Runtime, engine: Engine, grace: timedelta
) -> SensorSupervisor:
    from slack_alert.engine.app.sensor_supervisor import END_GRACE, SensorSupervisor
    from slack_alert.executors.isolated.sensor_processes import SensorProcesses

    services = runtime.services
    sources = plugin_sources(plugins)
    pool = make_processes(settings, sources, runtime.redaction, services.children, runtime.clock, most_idle=0)
    executor = SensorProcesses(pool, sources)
    return SensorSupervisor(engine, executor, runtime.clock, grace=min(grace, END_GRACE))


def make_channels(settings: Settings, out: TextIO) -> dict[str, Channel]:
    """Make the channels; without a token, messages to Slack wait until there is one."""
    console = ConsoleChannel(out, colour=has_colour(out), zone=settings.timezone)
    channels: dict[str, Channel] = {"console": console, "terminal": TerminalChannel(), "web": WebChannel()}
    if settings.dry_run:
        return {**channels, "slack": closed_channel("slack", "there is no token", "Set `token` to send what waits.")}
    channels["slack"] = _slack(settings)
    if settings.dingtalk:
        from slack_alert.bootstrap.dingtalk_side import dingtalk_channel

        channels["dingtalk"] = dingtalk_channel(settings, SystemClock())
    if settings.channels:
        from slack_alert.channels.apprise import AppriseChannel

        channels |= {name: AppriseChannel(name, url.reveal()) for name, url in settings.channels.items()}
    return channels


def _slack(settings: Settings) -> Channel:
    if settings.token is None:
        return closed_channel("slack", "there is no token", "Set `token` to send what waits.")
    from slack_alert.channels.slack import SlackChannel

    return SlackChannel(
        settings.token.reveal(),
        username=settings.username,
        icon_emoji=settings.icon_emoji,
        icon_url=settings.icon_url,
        api_url=settings.api_url,
        proxy=settings.proxy,
        ca_file=settings.ca_file,
        has_buttons=settings.has_slack_buttons,
    )


#: A group's robot of DingTalk takes 20 messages in a minute; more, and it takes none for ten.
_ROBOT_RATE = SendRate(0.25, 5)


def make_sender(
    settings: Settings,
    channels: Mapping[str, Channel],
    recorder: Recorder,
    reader: OutboxReader,
    undeliverable: Callable[[Delivery, SendResult], None] = lambda _, __: None,
    clock: Clock | None = None,
    waiting: Waiting | None = None,
) -> Sender:
    """Make the sender of all waiting deliveries, or of those that `waiting` reads; the terminal is never paced."""
    at_once = SendRate(0, 1)
    return Sender(
        channels,
        recorder=recorder,
        waiting=waiting or reader.waiting,
        last_receipt=reader.last_receipt,
        receipts=Receipts(reader.receipt),
        ended=reader.ended,
        clock=clock or SystemClock(),
        rates={
            "console": at_once,
            "terminal": at_once,
            "web": at_once,
            "slack": SendRate(settings.messages_per_second, settings.burst),
            **{f"dingtalk:{robot.name}": _ROBOT_RATE for robot in settings.dingtalk},
        },
        give_up=settings.give_up,
        zone=settings.timezone,
        undeliverable=undeliverable,
    )


class SlotSource:
    """Makes the source of slots, and replans it when the jobs change."""

    def __init__(self, settings: Settings, engine: Engine, *, is_behind: Callable[[], bool]) -> None:
        self._settings = settings
        self._engine = engine
        #: Returns whether so much waits to be written that nothing more should come due.
        self._is_behind = is_behind
        #: The start of the liveness pulse's interval.
        self._begun: datetime | None = None

    def source(self, now: datetime) -> Source:
        """Make a source for the engine's present jobs."""
        # The scheduler's library is imported here, so that short commands do not import it.
        from slack_alert.schedulers import make_source

        self._begun = now
        return make_source(self._settings.scheduler, self._planned(now), is_behind=self._is_behind)

    def replan(self, source: Source, now: datetime) -> None:
        """Give a source the engine's present jobs."""
        from slack_alert.schedulers import SchedulerSource

        assert isinstance(source, SchedulerSource), "it was made here"
        source.replan(self._planned(now))

    def _planned(self, now: datetime) -> list[PlannedJob]:
        from slack_alert.schedulers import PlannedJob

        beat = parse_trigger({"seconds": EVERY.total_seconds()}, zone=self._settings.timezone, name=PULSE_NAME)
        assert beat is not None, "seconds make a trigger"
        jobs = self._engine.jobs()
        planned = [
            PlannedJob(
                job_state.job.name,
                job_state.job.trigger,
                job_state.anchor,
                max(now, job_state.last or now),
                job_state.moved,
            )
            for job_state in jobs
        ]
        return [*planned, PlannedJob(PULSE_NAME, beat, self._begun or now, now)]


_UNDELIVERABLE = "undeliverable"


def _undeliverable_handler(settings: Settings, engine: Engine) -> Callable[[Delivery, SendResult], None]:
    """Return the function that reports an unreachable conversation to the errors' address, daily for each reason."""
    errors_to = errors_address(settings)

    def undeliverable(delivery: Delivery, outcome: SendResult) -> None:
        lost = delivery.message.to
        origin = delivery.message.origin
        if (
            lost == errors_to
            or lost.channel in ("terminal", "web")
            or (isinstance(origin, Notice) and origin.kind == _UNDELIVERABLE)
        ):
            return
        text = f"A message to {lost.shown} could not be delivered ({outcome.reason}). {outcome.hint}".rstrip()
        text += f" `slack-alert outbox retry {delivery.id}` sends it again."
        told = Notice(_UNDELIVERABLE, f"{lost}/{outcome.reason}/{delivery.created.date()}")
        engine.notify(told, text, errors_to)

    return undeliverable


def _standing_still(settings: Settings) -> Callable[[datetime, datetime], Sequence[str]]:
    if settings.dry_run:
        return lambda _began, _now: ()
    place = database(settings)
    return lambda began, now: stalled_addresses(place, began=began, now=now)


def _watch(settings: Settings) -> ChangeWatch | None:
    if settings.reload != "auto":
        return None
    from slack_alert.loader.files.discovery import PACKS
    from slack_alert.loader.files.watcher import PluginWatcher

    folder = plugins_folder(settings.path)
    return PluginWatcher(folder, packs=folder.with_name(PACKS), blocking=blocking_of(settings))


def _changed_zone(settings: Settings) -> Callable[[], tzinfo | None]:
    if settings.timezone_source == "set":
        return lambda: None
    from slack_alert.settings.timezone_watch import ZoneWatch

    return ZoneWatch(settings.timezone, os.environ).changed


def _heartbeat(settings: Settings) -> Heartbeat | None:
    if settings.heartbeat_url is None or settings.dry_run:  # A dry run must not count as alive.
        return None
    from slack_alert.engine.app.ping import Heartbeat
    from slack_alert.engine.system.proxies import environment_proxy

    ca_file = str(settings.ca_file) if settings.ca_file else None
    proxy = environment_proxy(settings.heartbeat_url)
    if proxy.fault and settings.proxy is None:
        log.warning("the heartbeat's proxy cannot be used", extra={"reason": proxy.fault})
    return Heartbeat(settings.heartbeat_url, proxy=settings.proxy or proxy.address, ca_file=ca_file)
