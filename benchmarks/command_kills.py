"""Kill the program while commands wait, run and end, and count what is forgotten, run twice, or told wrongly.

`--rounds` is the number of kills. The fake Slack sends again what was not acknowledged; so all that is asked for must
end: once in the record, and at most once in its function.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.report import Options, Row, main
from slack_alert.core.model.audit import AuditEntry, AuditVerdict
from slack_alert.stores import SqliteReader
from tests.fakes.program import Program
from tests.fakes.slack import FakeSlack, Posted

_PLUGINS = """
    import os, time

    @deco(command="deploy", allow="members")
    def deploy(app: str, seconds: float):
        with open("called.txt", "a") as file:
            file.write(app + "\\n")
        time.sleep(seconds)
        if app.endswith("7"):
            raise RuntimeError("no room")
        return f"{app} is deployed"
"""
_WORDS = {
    AuditVerdict.RAN: "done", AuditVerdict.FAILED: "failed", AuditVerdict.INTERRUPTED: "interrupted",
    AuditVerdict.EXPIRED: "not run",
}  # fmt: skip
#: Commands that are asked for in each life.
_EACH = 4
_END_SECONDS = 120.0


def rows(options: Options) -> Iterator[Row]:
    """Count each kind of fault."""
    with FakeSlack() as slack, tempfile.TemporaryDirectory() as name:
        asked, program = _lived(slack, Path(name), options)
        with closing(SqliteReader(program.database)) as reader:
            entries = [each.entry for each in reader.audit(since=None, limit=None)]
            left = reader.snapshot().asked
        called = Counter((Path(name) / "called.txt").read_text(encoding="utf-8").split())
        ended: dict[str, list[AuditEntry]] = {app: [] for app in asked}
        for entry in entries:
            ended[entry.command.split()[1]].append(entry)
        ends = Counter(str(entry.verdict) for entry in entries)
        detail = f"{len(asked)} commands, {options.kills} kills: " + ", ".join(f"{n} {end}" for end, n in ends.items())
        wrong = _wrongly_told(slack, asked, ended)
        for kind, count in {
            "commands forgotten": len(left) + sum(not each for each in ended.values()),
            "commands ended twice": sum(len(each) > 1 for each in ended.values()),
            "commands run twice": sum(count > 1 for count in called.values()),
            "commands done that were not called": sum(
                entry.verdict is AuditVerdict.RAN and not called[app] for app, found in ended.items() for entry in found
            ),
            "commands whose message tells another end": len(wrong),
        }.items():
            yield Row(f"{kind}, kill -9", count, 0, detail)
        for text in wrong[:5]:
            print(text)


def _lived(slack: FakeSlack, folder: Path, options: Options) -> tuple[dict[str, Posted], Program]:
    """Let the program live and die; return what was asked for by its first word, and the program after its end."""
    chance = random.Random(options.seed)
    slack.socket.rules.acknowledge, slack.socket.rules.retries = 0.5, (0.2,) * 1000
    conf = (
        f"token = {slack.workspace.token}\napp_token = {slack.workspace.app_token}\nchannel = #ops\n"
        f"api_url = {slack.url}\nmessages_per_second = 0\n[chat]\nrate = 0\n[queues]\ndefault = 2\n"
    )
    program = Program(folder, _PLUGINS, conf)
    asked: dict[str, Posted] = {}
    try:
        for life in range(options.kills):
            program.start(is_awaited=False)
            slack.socket.wait(lambda: slack.socket.sockets, seconds=60)
            for number in range(_EACH):
                app = f"a{life * _EACH + number}"
                asked[app] = slack.socket.says("U0ANN", f"!deploy {app} {chance.uniform(0, 0.3):.2f}")
            time.sleep(chance.uniform(0, 0.5))
            program.kill()
        program.start()
        program.wait_until(lambda: _is_over(program, asked), "all has ended", _END_SECONDS, step=0.5)
        program.stop()
    finally:
        program.kill()
    return asked, program


def _is_over(program: Program, asked: Mapping[str, Posted]) -> bool:
    with closing(SqliteReader(program.database)) as reader:
        ended = {each.entry.command.split()[1] for each in reader.audit(since=None, limit=None)}
        return ended >= set(asked) and not reader.waiting(None, 0, 1)


def _wrongly_told(
    slack: FakeSlack, asked: Mapping[str, Posted], ended: Mapping[str, Sequence[AuditEntry]]
) -> list[str]:
    """Return where the last message in a thread does not say how the run ended, or another one says so as well."""
    threads: dict[str, list[str]] = {}
    for each in slack.messages:
        if each.thread_ts:
            threads.setdefault(each.thread_ts, []).append(each.text)
    found: list[str] = []
    for app, message in asked.items():
        texts = threads.get(message.ts, [])
        words = [_WORDS.get(entry.verdict, "?") for entry in ended[app]]
        told = [text for text in texts if text.startswith(tuple(words))]
        if len(told) != 1 or not texts[-1].startswith(tuple(words)):
            found.append(f"{app}: {words}: {texts}")
    return found


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
