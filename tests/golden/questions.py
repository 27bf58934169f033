"""What is asked of the program, and what of it is wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.golden.terminal import Terminal, unpack

HERE = Path(__file__).parent
COMMANDS = (
    "run", "check", "jobs", "trigger", "simulate", "history", "explain", "report", "status", "pause", "resume", "mute",
    "unmute", "ack", "outbox", "send", "exec", "emit", "doctor", "manifest", "demo", "init", "completion",
)  # fmt: skip


#: Of each job the slots whose explanation is pinned, besides now and ahead.
SLOTS = {
    "lag": ("9:01", "9:01:20", "9:03:20", "9:20", "8:00"),
    "broken": ("9:00:30", "9:02:30"),
    "nested": ("9:01", "9:02"),
    "replicas": ("9:01:30", "9:04:30"),
    "space": ("9:01:30",),
    "version": ("9:00:40", "9:01:00", "9:04:00"),
    "payments": ("9:01:40", "9:05:00"),
    "owned": ("9:02", "9:06"),
    "flapping": ("9:01:20", "9:03:00"),
    "noisy": ("9:00:45", "9:02:00"),
    "hangs": ("9:01", "9:03"),
    "stuck": ("9:02", "9:04", "9:14", "9:42", "9:44"),
    "long": ("9:00:20", "9:11"),
    "retried": ("9:02", "9:04"),
    "usual": ("9:09:05", "9:10"),
    "quiet": ("9:01:00", "9:05"),
    "nightly": ("9:01",),
    "opening": ("9:01", "9:02", "9:06"),
    "table": ("9:01", "9:02", "9:08"),
    "measured": ("9:05", "9:11"),
    "several": ("9:03",),
    "in_context": ("9:03", "9:06"),
    "flood": ("9:05",),
    "long_text": ("9:03",),
    "disks": ("9:01",),
    "events.disk": ("9:01", "9:05"),
    "any_disk": ("9:01", "9:02"),
    "backup": ("9:02", "9:10"),
    "deployed": ("9:01", "9:20"),
    "morning": ("9:05", "9:40"),
    "missed": ("9:20", "9:30"),
    "daily": ("9:03",),
    "once": ("9:04",),
    "bounded": ("9:30", "9:31"),
    "dump": ("9:01:32", "9:01"),
    "cert": ("9:02",),
    "nobody": (),
}

#: A slot of each kind.
_AS_JSON = {
    "lag": "9:01:20",
    "broken": "9:00:30",
    "version": "9:01:00",
    "once": "9:04",
    "missed": "9:20",
    "stuck": "9:14",
}


def asked(terminal: Terminal) -> None:
    """Ask everything that reads, about the first day."""
    call = terminal.call
    for words in (["history"], ["history", "--limit", "2000"], ["history", "--since", "9:40", "--limit", "30"]):
        call("history", *words)
    call("history", "history", "db.*", "--limit", "20")
    call("history", "history", "nobody")
    for pattern in ("db.*", "shapes.*", "events.*", "clock.*", "dump", "faulty.*"):
        call("history-json", "history", pattern, "--json", "--limit", "90")
    call("outbox", "outbox")
    call("outbox", "outbox", "--all")
    call("outbox-json", "outbox", "--json")
    for words in ([], ["--json"]):
        call("jobs", "jobs", *words)
        call("status", "status", *words)
        call("report", "report", *words)
        call("report", "report", "db.*", "--since", "9:05", *words)
        call("report", "report", "measured", "--since", "7d", *words)
    _explained(terminal)
    span = ["--since", "2026-11-16T09:00", "--until", "2026-11-16T09:06"]
    for words in (span, [*span, "--outcome", "lag=quiet", "--outcome", "broken=error"], [*span, "--execute"]):
        call("simulate", "simulate", *words)
    call("simulate-json", "simulate", *span, "--json")
    call("simulate", "simulate", *span, "--outcome", "lag=loud")
    for options in ([], ["--max-alert", "1"], ["--pause-time", "10", "--working-hours", "9:03-9:20"]):
        call("replay", "simulate", "--replay", "--since", "9:00", *options)
    call("replay", "simulate", "--replay", "--since", "9:00", "--max-alert", "1", "--json")
    for words in (["check"], ["check", "--json"], ["check", "--load"]):
        call("check", *words)
    call("check", "check", "--dry-run")
    call("doctor", "doctor")
    call("doctor", "doctor", "--json")


def _explained(terminal: Terminal) -> None:
    """Ask why, of many slots."""
    call = terminal.call
    for job, slots in SLOTS.items():
        call("explain", "explain", job)
        for slot in slots:
            call("explain", "explain", job, "--at", slot)
    for job in ("lag", "nightly", "opening", "missed", "once", "bounded", "disk", "backup", "version", "dump"):
        call("explain", "explain", job, "--at", "2026-11-17T09:00")
    for job, slot in _AS_JSON.items():
        call("explain-json", "explain", job, "--json")
        call("explain-json", "explain", job, "--at", slot, "--json")


def by_hand(terminal: Terminal) -> None:
    """Run single functions because a person asks."""
    names = ("lag", "quiet", "table", "measured", "blocks", "picture", "several", "in_context", "broken", "nested")
    for name in names:
        terminal.call("trigger", "trigger", name)
    for name in ("table", "broken", "quiet", "several"):
        terminal.call("trigger", "trigger", name, "--json")
    for words in (["misspelt"], ["nobody"], ["events.disk"], ["hangs"], ["retried"], ["lag", "--post"], ["endless"]):
        terminal.call("trigger", "trigger", *words)
    terminal.call("trigger", "history", "--limit", "5")
    for words in (
        ["manifest"],
        ["demo", "--fast"],
        ["completion", "bash"],
        ["completion", "zsh"],
        ["completion", "fish"],
        ["--version"],
    ):
        terminal.call(words[0].strip("-"), *words)
    empty = terminal.folder.parent / "empty"
    empty.mkdir()
    for words in (["init"], ["init"], ["check"], ["run", "--dry-run", "--max-alert", "x"]):
        terminal.call("init", *words, "--path", str(empty))
    shutil.rmtree(empty / "plugins")
    (empty / "plugins").mkdir()
    for words in (["check"], ["run"], ["jobs"], ["simulate"], ["check", "--budget"], ["status"], ["doctor"]):
        terminal.call("nothing-to-run", *words, "--path", str(empty))
    shutil.rmtree(empty)


#: What nobody should write.
_WRONG = (
    ["frobnicate"], ["hist"], ["history", "--limit", "0"], ["history", "--limit", "many"],
    ["history", "--since", "soon"],
    ["history", "--since", "25:00"], ["explain"], ["explain", "lag", "--at", "never"], ["explain", "lga"],
    ["explain", "l*"], ["pause"], ["pause", "lag", "--for", "0s"], ["pause", "lag", "--for", "long"],
    ["pause", "nobody"], ["resume"], ["mute"], ["mute", "lag"], ["mute", "lag", "--for", "1h", "--until", "9:00"],
    ["mute", "lag", "--until", "2020-01-01"], ["mute", "lag", "--for", "20y"], ["mute", "--all"],
    ["mute", "lag", "--all", "--for", "1h"], ["unmute"], ["unmute", "nobody"], ["ack"], ["ack", "lag", "--by", ""],
    ["outbox", "retry"], ["outbox", "retry", "x"], ["outbox", "drop", "-1"], ["outbox", "frob"], ["send"],
    ["send", ""], ["send", "x", "--to", "a b"], ["exec"], ["exec", "nightly"], ["exec", "a b", "--", "true"],
    ["exec", "x", "--timeout", "soon", "--", "true"], ["emit"], ["emit", "a b"], ["emit", "disk", "percent"],
    ["emit", "disk", "=1"], ["trigger"], ["trigger", "lga"], ["simulate", "--since", "x"],
    ["simulate", "--since", "10:00", "--until", "9:00"], ["simulate", "--outcome", "lag"],
    ["simulate", "--outcome", "nobody=alert"], ["simulate", "--replay", "--execute"],
    ["simulate", "--replay", "--outcome", "lag=quiet"], ["report", "--since", "2027-01-01"],
    ["report", "--to", "#a", "--json"], ["report", "nobody"], ["completion"], ["completion", "tcsh"], ["check", "x"],
    ["check", "--lod"], ["--frob"], ["jobs", "--frob", "1"], ["status", "--path"], ["doctor", "x"], ["manifest", "x"],
    ["demo", "x"], ["init", "x"], ["run", "x"], ["--max-alert", "-1"], ["--max-alert", "x"], ["--pause-time", "0"],
    ["--working-hours", "9-5"], ["--timezone", "Berlin"], ["-s", "Cron"], ["--log-level", "loud"],
    ["--log-format", "xml"], ["--database", "mysql://x"], ["--channel", "a b"], ["-c", "nowhere.conf"],
    ["--path", "nowhere"], ["--path", "/dev/null"],
)  # fmt: skip

#: Configurations that cannot be used, or are odd.
_CONFS = (
    "[slack]\nchanel = #ops\n",
    "[slak]\nchannel = #ops\n",
    "channel = #ops\n",
    "[slack]\nchannel\n",
    "[slack]\nchannel = #ops\nchannel = #dev\n",
    "[slack]\nmax_alert = many\n",
    "[slack]\nmax_alert = -1\n",
    "[slack]\npause_time = 0\n",
    "[slack]\nworking_hours = 19:00\n",
    "[slack]\nworking_hours = mon-fry 9:00-18:00\n",
    "[slack]\ntimezone = Europe/Berlyn\n",
    "[slack]\nscheduler = Cron\n",
    "[slack]\nreload = always\n",
    "[slack]\nisolation = vm\n",
    "[slack]\nmemory_limit = 10\n",
    "[slack]\nthreads = 0\n",
    "[slack]\ntimeout = soon\n",
    "[slack]\nlog_format = xml\n",
    "[slack]\nheartbeat_url = gopher://x\n",
    "[slack]\napi_url = x\n",
    "[slack]\ntoken_file = /nowhere\n",
    "[slack]\ntoken = xoxb-hunter2\n",
    "[slack]\ntoken = xoxb-hunter2\ntoken_file = x\n",
    "[slack]\nchannel = #ops #dev\n",
    "[slack]\ndatabase = mysql://x\n",
    "[slack]\npath = x\n",
    "[slack]\nburst = 0\n",
    "[slack]\nmessages_per_second = fast\n",
    "[slack]\nwhile_paused = sleep\n",
    "[slack]\nmarkers = 1x\n",
    "[slack]\napp_token = xapp-1\nsigning_secret = s\n",
    "[quiet]\nnight = 25:00-26:00\n",
    "[quiet]\nholidays = 2026-13-01\n",
    "[quiet]\na b = sat 02:00-04:00\n",
    "[web]\nlisten = x\n",
    "[smtp]\nlisten = x\n",
)


def words(terminal: Terminal) -> None:
    """Ask for help, and write what nobody should."""
    terminal.call("help", "--help")
    for command in COMMANDS:
        terminal.call("help", command, "--help")
    for command in ("retry", "drop"):
        terminal.call("help", "outbox", command, "--help")
    for words in _WRONG:
        terminal.call("usage-errors", *words)
    own = terminal.folder / "slack_alert.conf"
    kept = own.read_text(encoding="utf-8")
    for conf in _CONFS:
        own.write_text(conf, encoding="utf-8")
        terminal.note("settings-errors", conf)
        terminal.call("settings-errors", "jobs" if "xoxb" not in conf else "run")
    own.write_text(kept, encoding="utf-8")
    for name, value in {"MAX_ALERT": "x", "MAX_ALLERT": "3", "PORT": "tcp://10.0.0.1:80", "PATH": "nowhere"}.items():
        os.environ[f"SLACK_ALERT_{name}"] = value
        terminal.note("settings-errors", f"SLACK_ALERT_{name}={value}")
        terminal.call("settings-errors", "status")
        del os.environ[f"SLACK_ALERT_{name}"]


def problems(terminal: Terminal) -> None:
    """Check files with every problem there is."""
    folder = terminal.folder.parent / "problems"
    unpack(HERE / "problems", folder)
    (folder / "plugins" / "sa104.py").chmod(0o666)
    (folder / "plugins" / "dangling.py").symlink_to("nowhere.py")
    path = ["--path", str(folder)]
    for words in (["check"], ["check", "--json"], ["check", "--load"], ["jobs"], ["doctor"]):
        terminal.call("problems", *words, *path)

    def act() -> None:
        terminal.world.sleep(5)
        terminal.stop()

    terminal.live("life-5-problems", ["run", *path, "--database", f"sqlite:///{folder}/state.db"], act)
    for file in folder.glob("plugins/*.py"):
        file.unlink()
    loud = "\n\n".join(
        f'@deco(cron="0 9 * * *", to="#{number // 70}")\ndef job{number}():\n    pass' for number in range(72)
    )
    (folder / "plugins" / "loud.py").write_text(loud, encoding="utf-8")
    for words in (["check", "--budget"], ["check", "--budget", "--json"], ["check", "--budget", "--max-alert", "1"]):
        terminal.call("budget", *words, *path)
    os.environ["SLACK_ALERT_TOKEN"] = "xoxb-test"
    for words in (["check", "--budget"], ["check", "--budget", "--json"]):
        terminal.call("budget", *words, *path)
    del os.environ["SLACK_ALERT_TOKEN"]
