"""Watch addresses over HTTP: all at once, and none waits for another."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from slack_alert import deco

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_alert import Context

#: In bytes: so much of an answer is searched.
_READ = 1024 * 1024


@deco(minutes=1, after=2, repeat="update", recover=True)
async def answers(ctx: Context) -> list[str]:
    """Tell which addresses do not answer as they should, twice in a row."""
    timeout = aiohttp.ClientTimeout(total=ctx.config["timeout"].total_seconds())
    headers = dict(_header(line) for line in ctx.config["headers"])
    async with aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=True) as session:
        said = await asyncio.gather(*(_ask(session, url, ctx.config) for url in ctx.config["urls"]))
    return [one for one in said if one]


@deco(hours=6, repeat="update", recover=True, at_start=True)
async def certificates(ctx: Context) -> list[str]:
    """Tell which certificates end soon."""
    urls = [url for url in ctx.config["urls"] if url.startswith("https://")]
    said = await asyncio.gather(*(_certificate(url, ctx.config, ctx.now) for url in urls))
    return [one for one in said if one]


async def _ask(session: aiohttp.ClientSession, url: str, config: Mapping[str, Any]) -> str:
    """Return what is wrong with an address; empty if nothing."""
    begun = time.monotonic()
    try:
        async with session.get(url) as answer:
            body = await answer.content.read(_READ)
    except asyncio.TimeoutError:
        return f"{_shown(url)} does not answer within {session.timeout.total:g} s"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return f"{_shown(url)} does not answer: {_reason(error)}"
    took = time.monotonic() - begun
    if answer.status >= 400:
        return f"{_shown(url)} answers {answer.status} {answer.reason or ''}".rstrip()
    wanted = str(config["contains"])
    if wanted and wanted.encode() not in body:
        return f"{_shown(url)} answers without “{wanted}”"
    slow = config.get("slow")
    if slow is not None and took > slow.total_seconds():
        return f"{_shown(url)} is slow: more than {slow.total_seconds():g} s"
    return ""


async def _certificate(url: str, config: Mapping[str, Any], now: datetime) -> str:
    place = urlsplit(url)
    host, port = place.hostname or "", place.port or 443
    try:
        ends = await asyncio.wait_for(_end_of(host, port), config["timeout"].total_seconds())
    except asyncio.TimeoutError:
        return ""  # That it does not answer is told by the other function.
    except ssl.SSLCertVerificationError as error:
        return f"{host}: {error.verify_message}"
    except (OSError, ssl.SSLError):
        return ""
    days = (ends - now).days
    return (
        f"{host}: the certificate ends in {days} days, on {ends:%Y-%m-%d}" if days < config["certificate_days"] else ""
    )


async def _end_of(host: str, port: int) -> datetime:
    """Return when the certificate of a host ends; raise SSLCertVerificationError for one that is not good now."""
    _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context(), server_hostname=host)
    try:
        found = writer.get_extra_info("peercert")
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), timezone.utc)
    finally:
        writer.close()
        with suppress(OSError):  # How it ends says nothing of the certificate.
            await writer.wait_closed()


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not (colon and name.strip()):
        raise ValueError(f'headers: {line!r} is not a header: write "Accept: text/html"')
    return name.strip(), value.strip()


def _reason(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        error = error.certificate_error
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error) or type(error).__name__


def _shown(url: str) -> str:
    """Return an address without what may be secret in it."""
    place = urlsplit(url)
    port = f":{place.port}" if place.port else ""
    return f"{place.scheme}://{place.hostname}{port}{place.path}"
