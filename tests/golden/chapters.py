"""What happens, in the order in which it does: the lives of one program, and everything that is asked about them."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web

from tests.fakes.slack_faults import Fault, Faults
from tests.fakes.slack_site import Site
from tests.fakes.slack_socket import SlackSocket
from tests.fakes.slack_workspace import Workspace
from tests.golden import aside, questions
from tests.golden.rows import Rows
from tests.golden.terminal import Terminal
from tests.golden.virtual_world import VirtualWorld

HERE = Path(__file__).parent
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, day: int = 16) -> datetime:
    """Read `09:05` or `09:05:30` of a day of November 2026, whose 16th is a Monday."""
    return datetime.fromisoformat(f"2026-11-{day:02} {text}").replace(tzinfo=BERLIN)


def tell(world: VirtualWorld, folder: Path) -> dict[str, str]:
    """Live through all of it; return the texts by name."""
    terminal, rows = Terminal(world, folder), Rows()
    _before(terminal)
    _morning(terminal)
    _after_a_kill(terminal)
    rows.note(terminal, "rows-terminal")
    questions.asked(terminal)
    _on_slack(terminal)
    rows.note(terminal, "rows-slack")
    questions.by_hand(terminal)
    questions.words(terminal)
    questions.problems(terminal)
    aside.reloaded(terminal)
    aside.dry(terminal)
    aside.kit(terminal)
    return terminal.texts


def live_two_days(terminal: Terminal) -> None:
    """Live through what leaves most in the history, without asking anything about it afterwards."""
    _morning(terminal)
    _after_a_kill(terminal)
    _on_slack(terminal)


def _before(terminal: Terminal) -> None:
    """Ask when nothing was ever run."""
    for words in (["status"], ["jobs"], ["jobs", "--json"], ["history"], ["outbox"], ["report"], ["check"], ["doctor"]):
        terminal.call("before-the-first-run", *words)
    for job in ("lag", "events.disk", "clock.missed", "nightly"):
        terminal.call("before-the-first-run", "explain", job)
        terminal.call("before-the-first-run", "explain", job, "--at", "2026-11-16T09:20")
        terminal.call("before-the-first-run", "explain", job, "--at", "8:00")
    terminal.call("before-the-first-run", "ack", "lag")
    terminal.call("before-the-first-run", "outbox", "retry", "1")


def _morning(terminal: Terminal) -> None:
    """Run on the terminal, with somebody who uses it beside; it ends by kill -9."""
    until, world = terminal.until, terminal.world

    def call(*words: str, stdin: str = "") -> None:
        terminal.call("beside-1", *words, stdin=stdin)

    def act() -> None:
        until(at("09:00:45"))
        call("run")
        call("status")
        call("status", "--json")
        call("jobs")
        call("pause", "db.quiet", "--for", "1m")
        call("mute", "version", "--for", "40s")
        call("ack", "owned", "--by", "bob")
        call("ack", "lag")
        call("ack", "quiet")
        call("send", "good <morning> & all", "--to", "#random")
        call("send", "-", stdin="from\nstandard input")
        call("emit", "deploy.web", "version=1.4", "ok=true", "by=ann")
        until(at("09:01:05"))
        for job in ("lag", "long", "quiet", "version", "owned", "payments", "replicas", "flapping", "noisy", "broken"):
            call("explain", job)
        until(at("09:01:32"))
        call("pause", "table")
        call("mute", "opening", "--until", "9:04")
        call("jobs")
        call("jobs", "--json")
        call("explain", "table")
        call("explain", "hung")
        call("explain", "table", "--at", "9:05")
        call("explain", "opening", "--at", "9:03")
        call("explain", "lag", "--at", "9:02")
        call("explain", "long", "--at", "9:01:20")
        call("exec", "dump", "--timeout", "5s", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
        call("exec", "hung", "--timeout", "5s", "--", "sleep", "100")
        call("exec", "cert", "--quiet-output", "--", "sh", "-c", "echo fine")
        until(at("09:02:20"))
        call("resume", "table")
        call("resume", "table")
        call("emit", "backup.done")
        call("explain", "hangs", "--at", "9:02:00")
        call("explain", "stuck", "--at", "9:02:00")
        until(at("09:03:05"))
        call("mute", "--all", "--for", "30s")
        until(at("09:03:20"))
        call("status")
        call("unmute", "opening")
        until(at("09:03:40"))
        call("mute", "db.*", "--for", "1h")
        until(at("09:04:30"))
        call("unmute", "--all")
        call("unmute", "lag")
        call("outbox")
        call("outbox", "drop", "1")
        until(at("09:08:30"))
        call("explain", "measured")
        call("explain", "table")
        until(at("09:10:30"))
        world.micros += 95_000_000  # The machine slept.
        until(at("09:13"))
        world.micros -= 20_000_000  # Somebody set the clock back.
        until(at("09:13:30"))
        call("status")
        until(at("09:14:05"))
        world.kill()

    terminal.live("life-1-terminal", [], act)
    terminal.call("after-the-kill", "status")
    terminal.call("after-the-kill", "status", "--json")
    terminal.call("after-the-kill", "explain", "stuck")
    terminal.call("after-the-kill", "trigger", "quiet")
    world.jump(at("09:14:30"))
    terminal.call("after-the-kill", "pause", "quiet", "--for", "2m")
    terminal.call("after-the-kill", "resume", "clock.once")
    terminal.call("after-the-kill", "mute", "lag", "--for", "2h")
    terminal.call("after-the-kill", "unmute", "lag")
    terminal.call("after-the-kill", "ack", "payments")
    terminal.call("after-the-kill", "emit", "deploy.mail", "n=3")
    terminal.call("after-the-kill", "send", "nobody runs")
    terminal.call("after-the-kill", "exec", "dump", "--", "sh", "-c", "exit 1")


def _after_a_kill(terminal: Terminal) -> None:
    """Run again, with another log; the drain's time is over before every run has ended."""

    def act() -> None:
        terminal.until(at("09:40:10"))
        terminal.call("beside-2", "status")
        terminal.call("beside-2", "explain", "stuck", "--at", "9:14")
        terminal.until(at("09:44:05"))
        terminal.stop()

    terminal.world.jump(at("09:40"))
    terminal.live("life-2-json-log", ["--log-format", "json", "--log-level", "debug"], act)

    def idle() -> None:
        terminal.until(at("09:47"))
        terminal.stop(signal.SIGINT)

    terminal.world.jump(at("09:46:10"))
    terminal.live("life-3-short", ["run", "--working-hours", "9:00-12:00"], idle)


def _on_slack(terminal: Terminal) -> None:
    """Run with a token, in a storm, with a service that fails now and then; two Ctrl+C end it."""
    world, until = terminal.world, terminal.until
    world.jump(at("10:00", 17))
    workspace = Workspace(now=world.seconds)
    faults = Faults(world.seconds)
    site = Site(workspace, faults, SlackSocket(workspace, lambda coroutine: coroutine.close()))
    os.environ["SLACK_ALERT_TOKEN"] = "xoxb-test"
    _serve(world, site)
    shutil.copy(HERE / "slack" / "storm.py.txt", terminal.folder / "plugins" / "storm.py")
    (terminal.folder / "plugins" / "storm.py").chmod(0o600)

    def call(*words: str) -> None:
        terminal.call("beside-4", *words)

    def act() -> None:
        until(at("10:00:40", 17))
        call("status")
        call("outbox")
        call("explain", "web")
        until(at("10:01:30", 17))
        call("explain", "web", "--at", "10:01:00")
        call("explain", "nowhere")
        call("explain", "nowhere", "--at", "10:01:00")
        call("explain", "mail", "--at", "10:01:27")
        until(at("10:02:30", 17))
        faults.add(Fault("status", seconds=20))
        until(at("10:02:55", 17))
        call("status")
        call("explain", "person", "--at", "10:02:00")
        call("explain", "db.version", "--at", "10:02:40")
        call("explain", "table", "--at", "10:02:00")
        faults.add(Fault("reset_after", times=1, method="chat.postMessage"))
        faults.add(Fault("rate_limited", times=1, retry_after=3))
        until(at("10:03:30", 17))
        call("doctor")
        call("mute", "web", "--for", "1m")
        call("ack", "replicas")
        call("ack", "space", "--by", "bob")
        until(at("10:04:30", 17))
        faults.add(Fault("error", code="not_in_channel", times=1, method="chat.postMessage"))
        until(at("10:06:20", 17))
        call("outbox", "retry", "100000")
        faults.add(Fault("status", seconds=600))
        until(at("10:08:00", 17))
        call("status", "--json")
        call("outbox")
        call("explain", "table", "--at", "10:07:00")
        call("explain", "table", "--at", "10:08:00")
        call("explain", "long", "--at", "10:08:00")
        call("explain", "usual", "--at", "10:08:00")
        call("send", "in the middle of it")
        until(at("10:08:10", 17))
        terminal.stop(signal.SIGINT)
        until(at("10:08:11", 17))
        terminal.stop(signal.SIGINT)

    terminal.live("life-4-slack", [], act)
    faults.clear()
    for slot in ("10:06:00", "10:08:00"):
        terminal.call("after-slack", "explain", "table", "--at", slot)
        terminal.call("after-slack", "explain", "storm.nowhere", "--at", slot)
        terminal.call("after-slack", "explain", "person", "--at", slot)
    terminal.call("after-slack", "explain", "mail", "--at", "10:07:30")
    terminal.call("after-slack", "explain", "morning", "--at", "2026-11-17T10:08:05")
    for words in (["outbox"], ["outbox", "--all"], ["status"], ["explain", "web"], ["explain", "nowhere"]):
        terminal.call("after-slack", *words)
    dead = _dead(terminal)
    terminal.call("after-slack", "outbox", "retry", *dead[:1])
    terminal.call("after-slack", "outbox", "drop", *dead[1:3], "999999")
    terminal.call("after-slack", "doctor")
    terminal.call("after-slack", "report", "--to", "#reports")
    terminal.call("after-slack", "send", "to nobody", "--to", "#gone")
    terminal.call("after-slack", "send", "to ann", "--to", "@ann")
    terminal.call("after-slack", "trigger", "table", "--post")
    terminal.call("after-slack", "simulate", "--replay", "--since", "10:00", "--max-alert", "1")
    terminal.call("after-slack", "report", "storm.*", "--since", "10:00")
    terminal.call("after-slack", "history", "storm.*", "--since", "10:00", "--limit", "40")
    # What is posted to several conversations within a moment comes in the order in which Python goes on with tasks.
    order = sorted(workspace.messages, key=lambda posted: (posted.ts.partition(".")[0], posted.channel))
    for number, posted in enumerate(order, 1):
        thread = f" in the thread of {posted.thread_ts}" if posted.thread_ts else ""
        head = f"{number}. {posted.channel} {posted.ts}{thread}{' edited' if posted.edited else ''}"
        files = f"\nfiles: {', '.join(posted.files)}" if posted.files else ""
        terminal.note("slack-posted", f"{head}\n{posted.text}\n{posted.blocks or ''}{files}\n")
    _gone(world)
    for name in ("SLACK_ALERT_TOKEN", "SLACK_ALERT_API_URL"):
        del os.environ[name]
    terminal.call("after-slack", "jobs")
    terminal.call("after-slack", "outbox")


def _dead(terminal: Terminal) -> list[str]:
    with closing(sqlite3.connect(terminal.folder / ".slack_alert" / "state.db")) as base:
        return [str(row[0]) for row in base.execute("SELECT id FROM delivery WHERE status = 'dead' ORDER BY id")]


def _serve(world: VirtualWorld, site: Site) -> None:
    """Let Slack be there, on the loop of whichever program runs."""
    listening = socket.create_server(("127.0.0.1", 0))
    site.origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    os.environ["SLACK_ALERT_API_URL"] = f"{site.origin}/api/"

    async def guest() -> None:
        served = web.Server(site.serve, access_log=None)
        server = await asyncio.get_running_loop().create_server(served, sock=listening.dup())
        try:
            await asyncio.Event().wait()
        finally:
            server.close()

    world.guest = guest


def _gone(world: VirtualWorld) -> None:
    world.guest = None
