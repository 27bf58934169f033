"""The checks of `slack-alert doctor`, one function for each; every finding says what to do."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import slack_alert
from slack_alert.cli.setup.chat_checks import chat_needs, check_chat
from slack_alert.cli.setup.finding import Finding, Status
from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import SettingsError, SlackAlertError, StoreError
from slack_alert.core.structs import replace
from slack_alert.core.units.humanize import counted, format_time

if TYPE_CHECKING:
    from slack_alert.channels.slack import SlackFinding
    from slack_alert.settings import Settings


_OF_SLACK = ("slack_sdk", "aiohttp", "aiohappyeyeballs")
#: The libraries whose behaviour users see.
LIBRARIES = (*_OF_SLACK, "apscheduler", "tornado", "gevent", "click", "msgspec", "watchfiles")


def examine(settings: Settings, search_path: Sequence[str]) -> list[Finding]:
    """Return the findings of all checks; the network is used only if there is a token."""
    findings = [*_python(), *_libraries()]

    findings += shadows(search_path)
    for look in (_plugins, _database, _running, _timezone, _token, _dingtalk, check_chat):
        findings += _guarded(look, settings)
    return findings


def _guarded(look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> list[Finding]:
    """Return the findings of a check, or its error as a finding, so that the other checks still run."""
    try:
        return list(look(settings))
    except SlackAlertError as error:
        return [Finding(look.__name__.strip("_"), "fail", str(error), getattr(error, "hint", ""))]
    except Exception as error:
        lack = machine_lack(error)
        if not lack:
            raise
        return [Finding(look.__name__.strip("_"), "fail", str(error), lack)]


def _python() -> Iterator[Finding]:
    import sys

    from slack_alert import __version__

    yield Finding("python", "ok", f"slack-alert {__version__} on Python {platform.python_version()}, {sys.executable}")


def _libraries() -> Iterator[Finding]:
    found = {name: _version(name) for name in LIBRARIES}
    if missing := [name for name, version in found.items() if version is None]:
        yield Finding(
            "libraries",
            "fail",
            f"missing: {', '.join(missing)}",
            "install slack-alert again from its source",
        )
    else:
        yield Finding("libraries", "ok", ", ".join(f"{name} {version}" for name, version in found.items()))


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _plugins(settings: Settings) -> Iterator[Finding]:
    from slack_alert.bootstrap import plugin_loading

    try:
        catalog = plugin_loading.survey_plugins(settings)
    except SettingsError as error:
        yield Finding("plugins", "fail", error.without_hint, error.hint)
        return
    loose = [problem for problem in catalog.problems if problem.code == "SA104"]
    for problem in loose:
        yield Finding("permissions", "warn", f"{problem.file}: {problem.message}", problem.hint)
    place = f"{counted(len(catalog.jobs), 'job')} in {settings.path / 'plugins'}"
    if others := len(catalog.problems) - len(loose):
        said = f"{place}, {counted(others, 'problem')}"
        yield Finding("plugins", "fail" if catalog.has_errors else "warn", said, "`slack-alert check` lists them")
    elif not catalog.jobs:
        yield Finding("plugins", "warn", place, "`slack-alert init` writes an example")
    else:
        yield Finding("plugins", "ok", place)


def _database(settings: Settings) -> Iterator[Finding]:
    from slack_alert.bootstrap import plugin_files
    from slack_alert.stores import sqlite_version
    from slack_alert.stores.files.access_errors import is_there, owner_of, user_name
    from slack_alert.stores.files.paths import read_only
    from slack_alert.stores.sqlite.integrity import find_damage, find_unwritable, find_write_error

    path = plugin_files.database(settings)
    blocked = find_unwritable(path)
    is_others = is_there(path) and owner_of(path) != user_name()
    if blocked is not None and not is_others:
        advice = read_only(blocked) or "give this user the right to write there, or set `database` to another place"
        yield Finding("database", "fail", f"{blocked} cannot be written", advice)
        return
    if blocked is None and (reason := find_write_error(path)) is not None:
        yield Finding("database", "fail", f"{path.parent} takes nothing more ({reason})", "make room there")
        return
    try:
        damage = find_damage(path, is_traceless=settings.dry_run)
    except StoreError as error:
        yield Finding("database", "fail", str(error))
        return
    if damage:
        advice = "stop slack-alert and move the file away: a new one is made; or put a backup in its place"
        yield Finding("database", "fail", f"{path} is damaged: {'; '.join(damage)}", advice)
    else:
        state = "whole" if path.exists() else "made at the first start"
        state += f", this user ({user_name()}) may only read it" if blocked is not None else ""
        yield Finding("database", "ok", f"{path}, {state}, SQLite {sqlite_version()}")


def _running(settings: Settings) -> Iterator[Finding]:
    from slack_alert.bootstrap import database
    from slack_alert.bootstrap.oneshot.status import read_vitals

    pid = database.running_pid(settings)
    vitals = read_vitals(settings)
    dead = vitals.store.dead
    who = "not running" if pid is None else f"process {pid}"
    message = f"{who}, {vitals.store.queued:,} queued, {dead:,} dead messages"
    if pid is None and not dead:
        yield Finding("running", "ok", "not running")
    elif pid is not None and not vitals.is_ticking:
        yield Finding("running", "warn", f"process {pid} gives no sign of life", "look at its log; start it again")
    elif dead:
        yield Finding("running", "warn", message, "`slack-alert outbox` lists them")
    else:
        yield Finding("running", "ok", message)


def _timezone(settings: Settings) -> Iterator[Finding]:
    from slack_alert.engine.clock import SystemClock

    now = SystemClock().now()
    said = f"{settings.timezone}, where it is {format_time(now, settings.timezone, seconds='always')}"
    if settings.timezone_source == "utc fallback":
        time_of_day = format_time(now, settings.timezone, now, seconds="always")
        said = f"not set, and this machine names none, so it is UTC: {time_of_day}"
        yield Finding("timezone", "warn", said, "set `timezone = Europe/Berlin` in slack_alert.conf")
    elif settings.timezone_source == "machine" and not settings.working_hours.is_always:
        advice = f"set `timezone = {settings.timezone}`, so that working hours stay when the machine changes"
        yield Finding("timezone", "warn", f"not set, so it is this machine's: {said}", advice)
    else:
        source = "this machine's" if settings.timezone_source == "machine" else "as set"
        yield Finding("timezone", "ok", f"{said} ({source})")


def _token(settings: Settings) -> Iterator[Finding]:
    """Check the token, and with it all that Slack can be asked."""
    if settings.token is None and settings.service == "slack":
        advice = "run doctor as the running program's user and with its environment, to have Slack asked"
        yield Finding("token", "warn", "the running program has one, this command does not", advice)
        return
    if settings.token is None and settings.dingtalk:
        return
    if settings.token is None:
        advice = "`slack-alert manifest` prints what makes a Slack app; then set `token` and `channel`"
        yield Finding("token", "warn", "not set: messages go to the terminal", advice)
        return
    if lack := settings.missing():
        yield Finding("channel", "fail", lack.without_hint.rstrip(":"), lack.hint)
    yield from _token_kind(settings.token.reveal())
    yield from _slack(settings)


def _token_kind(token: str) -> Iterator[Finding]:
    kinds = {"xapp-": "an app-level token", "xoxp-": "a user's token", "xoxe": "a token that expires"}
    kind = next((kind for start, kind in kinds.items() if token.startswith(start)), None)
    if kind is not None:
        yield Finding("token", "warn", f"this is {kind}", "take the bot token (xoxb-) from OAuth & Permissions")


def _slack(settings: Settings) -> Iterator[Finding]:
    import asyncio
    import io

    from slack_alert.bootstrap import wiring
    from slack_alert.channels.slack import SlackChannel
    from slack_alert.engine.clock import SystemClock

    # A dry run sends nothing, but Slack can still be asked.
    channel = wiring.make_channels(replace(settings, dry_run=False), io.StringIO())["slack"]
    assert isinstance(channel, SlackChannel)
    slack, conversations, chat = channel, _conversations(settings), chat_needs(settings)

    async def asked() -> list[Finding]:
        await slack.open()
        try:
            found = await slack.check(conversations, now=SystemClock().now(), chat=chat)
            if settings.app_token is not None:
                found.append(await _app_token(settings))
        finally:
            await slack.close()
        return [Finding("slack", _STATUS[each.level], each.what, each.action) for each in found]

    yield from asyncio.run(asked())


def _dingtalk(settings: Settings) -> Iterator[Finding]:
    """Check the robots of DingTalk, as far as it can be asked without posting."""
    if not settings.dingtalk:
        return
    import asyncio

    from slack_alert.bootstrap.dingtalk_side import dingtalk_channel
    from slack_alert.engine.clock import SystemClock

    for robot in settings.dingtalk:
        if robot.webhook is not None:
            said = "signed" if robot.secret is not None else "not signed"
            yield Finding("dingtalk", "ok", f"{robot.name}: a group's robot, {said}; `slack-alert send` tries it")
    channel = dingtalk_channel(settings, SystemClock())

    async def asked() -> list[Finding]:
        await channel.open()
        try:
            found = await channel.check()
        finally:
            await channel.close()
        return [
            Finding("dingtalk", "ok", f"{name}: DingTalk knows the app")
            if wrong is None
            else Finding("dingtalk", "fail", f"{name}: {wrong.reason}", wrong.hint)
            for name, wrong in found
        ]

    yield from asyncio.run(asked())


_STATUS: dict[str, Status] = {"ok": "ok", "warning": "warn", "error": "fail"}


async def _app_token(settings: Settings) -> SlackFinding:
    from slack_alert.channels.slack.chat_diagnostics import check_app_token
    from slack_alert.channels.slack.client import API_URL, Client, SlackAccess

    assert settings.app_token is not None, "it is checked only where it is set"
    token = settings.app_token.reveal().strip()
    app = Client(SlackAccess(token, settings.api_url or API_URL, settings.proxy, settings.ca_file))
    try:
        return await check_app_token(app)
    finally:
        await app.close()


def _conversations(settings: Settings) -> list[str]:
    """Return all Slack conversations to which a job or the configuration posts."""
    from slack_alert.bootstrap import addresses, plugin_loading

    to = [addresses.address(settings, said) for said in (settings.channel, settings.errors_to) if said]
    try:
        jobs = plugin_loading.survey_plugins(settings).jobs
    except SlackAlertError:
        jobs = ()
    to += [address for job in jobs for address in (job.to, job.errors_to)]
    return list(dict.fromkeys(each.conversation for each in to if each.channel == "slack" and each.conversation))


_ADVICE = (
    "run `pip uninstall slack-alert` until nothing is left, then install this one again from its source: "
    "on PyPI the name is still the 2015 package's"
)


def shadows(search_path: Sequence[str]) -> Iterator[Finding]:
    """Check the import path for the old module and the old distribution."""
    found = [f"{module}: the module of 2015" for module in _modules(search_path)]
    found += [f"slack-alert {version}: the package of 2015" for version in _versions(search_path)]
    for message in found:
        yield Finding("installation", "fail", message, _ADVICE)
    if not found:
        yield Finding("installation", "ok", f"{Path(slack_alert.__file__).parent}, nothing shadows it")


def _modules(search_path: Sequence[str]) -> Iterator[Path]:
    for folder in dict.fromkeys(search_path):
        module = Path(folder or ".") / "slack_alert.py"
        if module.is_file():
            yield module


def _versions(search_path: Sequence[str]) -> list[str]:
    installed = metadata.distributions(path=list(search_path))
    # Broken installations have no name.
    named = [each for each in installed if re.sub(r"[-_.]+", "-", each.metadata["Name"] or "").lower() == "slack-alert"]
    return sorted({each.version for each in named if each.version.startswith("0.")})
