"""The cost of a command: from a message in Slack to its answer there, beside Errbot and opsdroid.

All three take it from Socket Mode and answer by `chat.postMessage`, one command after another, in the same fake Slack,
which notes the time of both: opsdroid with its own Slack connector, Errbot with `benchmarks/chat/errbot_backend`,
which does no more than that. This program writes each command to the disk twice meanwhile, they never do.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.process import Process
from benchmarks.references import ERRBOT, OPSDROID
from benchmarks.report import Options, Row, main
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_workspace import BOT_USER

_HERE = Path(__file__).parent / "chat"
_ROOT = Path(__file__).parents[1]
#: So many commands are not counted, and so many are.
_WARM, _COUNT = 20, 200
_IDLE_SECONDS = 3.0
_PING = '@deco(command="ping", allow="members")\ndef ping(words: str):\n    return f"pong {words}"\n'


@dataclass(frozen=True, slots=True)
class Bot:
    """A program with the command `!ping WORD`: makes its folder, and tells how it is called there."""

    name: str
    words: Callable[[Path, FakeSlack], tuple[str, ...]]
    environment: Mapping[str, str]


def rows(options: Options) -> Iterator[Row]:
    """Compare with both."""
    found: defaultdict[str, list[tuple[float, float, float]]] = defaultdict(list)
    bots = (
        Bot("slack-alert", _product, {"PYTHONPATH": str(_ROOT)}),
        Bot("Errbot", _errbot, {}),
        Bot("opsdroid", _opsdroid, {}),
    )
    for _ in range(options.rounds):
        for bot in bots:
            found[bot.name].append(_measured(bot))
    figures = {name: [median(each) for each in zip(*rounds, strict=True)] for name, rounds in found.items()}
    ours = figures.pop("slack-alert")
    for name, theirs in figures.items():
        kinds = (
            ("message to answer, p50", "ms", 1e3, 1 / 3),
            ("CPU a command", "ms", 1e3, 1 / 3),
            ("memory, idle", "MB", 1e-6, 1.0),
        )
        for (what, unit, scale, bar), our, their in zip(kinds, ours, theirs, strict=True):
            detail = f"{our * scale:.2f} {unit}, {their * scale:.2f} {unit}"
            yield Row(f"a command, {what}, vs {name}", our / their, round(bar, 3), detail)


def _measured(bot: Bot) -> tuple[float, float, float]:
    """Return seconds to the answer, processor seconds a command, and the idle program's bytes."""
    with FakeSlack() as slack, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # opsdroid looks itself up.
        slack.workspace.users = {**slack.workspace.users, BOT_USER: "bot"}
        slack.workspace.accounts = {BOT_USER: {"is_bot": True, "profile": {"bot_id": "B0BOT"}}}
        words = bot.words(folder, slack)
        environment = {"PATH": os.environ["PATH"], "HOME": name, "BENCH_SLACK": slack.url, "TZ": "UTC"}
        with Process(words, environment | bot.environment, folder) as process:
            try:
                slack.socket.wait(lambda: slack.socket.sockets, seconds=60)
                time.sleep(_IDLE_SECONDS)
                memory = process.resident_bytes
                for number in range(_WARM):
                    _ask(slack, number)
                began = process.processor_seconds
                times = [_ask(slack, _WARM + number) for number in range(_COUNT)]
                time.sleep(0.5)  # What is left to do of the last one.
                return median(times), (process.processor_seconds - began) / _COUNT, memory
            except AssertionError as error:
                raise RuntimeError(f"{bot.name}: {error}\n{process.errors[:3000]}") from error


def _ask(slack: FakeSlack, number: int) -> float:
    """Return the seconds from a message to its answer, by the clock of the fake Slack."""
    before = len(slack.workspace.messages)
    asked = slack.socket.says("U0ANN", f"!ping w{number}")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for each in slack.workspace.messages[before:]:
            if each.text.rstrip().endswith(f"pong w{number}"):
                return each.at - asked.at
        time.sleep(0.002)
    raise AssertionError(f"no answer to {number}: {[each.text for each in slack.messages[-3:]]}")


def _product(folder: Path, slack: FakeSlack) -> tuple[str, ...]:
    (folder / "plugins").mkdir()
    (folder / "plugins" / "ping.py").write_text(_PING, encoding="utf-8")
    (folder / "bench.conf").write_text(
        f"[slack]\ntoken = {slack.workspace.token}\napp_token = {slack.workspace.app_token}\nchannel = #ops\n"
        f"api_url = {slack.url}\nmessages_per_second = 0\n[chat]\nrate = 0\n",
        encoding="utf-8",
    )
    (folder / "bench.conf").chmod(0o600)
    return (sys.executable, "-m", "slack_alert", "--config", str(folder / "bench.conf"), "--path", str(folder))


def _errbot(folder: Path, slack: FakeSlack) -> tuple[str, ...]:
    (folder / "data").mkdir()
    (folder / "config.py").write_text(
        "import logging\nBACKEND = 'Socket'\n"
        f"BOT_EXTRA_BACKEND_DIR = {str(_HERE / 'errbot_backend')!r}\n"
        f"BOT_EXTRA_PLUGIN_DIR = {str(_HERE / 'errbot_plugins')!r}\n"
        f"BOT_DATA_DIR = {str(folder / 'data')!r}\nBOT_LOG_FILE = None\nBOT_LOG_LEVEL = logging.WARNING\n"
        f"BOT_IDENTITY = {{'token': {slack.workspace.token!r}, 'app_token': {slack.workspace.app_token!r}}}\n"
        "BOT_ADMINS = ('U0ANN',)\nBOT_PREFIX = '!'\nSTORAGE = 'Memory'\nSUPPRESS_CMD_NOT_FOUND = True\n",
        encoding="utf-8",
    )
    script = str(ERRBOT.python.with_name("errbot"))
    return ("env", f"PYTHONPATH={_HERE / 'path'}", str(ERRBOT.python), script, "-c", str(folder / "config.py"))


def _opsdroid(folder: Path, slack: FakeSlack) -> tuple[str, ...]:
    skill = folder / "skill"
    shutil.copytree(_HERE / "opsdroid_skill", skill)
    (folder / "configuration.yaml").write_text(
        "logging:\n  level: warning\nwelcome-message: false\nweb:\n  port: 0\nparsers:\n  regex: {}\n"
        f"connectors:\n  slack:\n    bot-token: {slack.workspace.token}\n    app-token: {slack.workspace.app_token}\n"
        f"    socket-mode: true\nskills:\n  ping:\n    path: {skill}\n",
        encoding="utf-8",
    )
    script = str(OPSDROID.python.with_name("opsdroid"))
    return (
        "env", f"PYTHONPATH={_HERE / 'path'}", str(OPSDROID.python), script, "start", "-f",
        str(folder / "configuration.yaml"),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
