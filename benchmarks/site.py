"""A folder with generated plugins and a configuration, and the runs of a subject in it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.notes import Notes
from benchmarks.process import Process
from benchmarks.subjects import Subject

QUIET = "note({job})"
SPEAKING = "return say({job})"
BLOCKING = "note({job}); sleep(0.5)"
#: For benchmarks in which nothing fires.
IDLE = "return None"

_HEAD = "from time import sleep\n\nfrom probe import note, say\n"
_FUNCTION = "\n\n@deco({every})\ndef job_{job}():\n    {body}\n"
#: Nothing listens there.
NOWHERE = "http://127.0.0.1:9/api/"
_CONF = """[slack]
token = xoxb-bench
channel = bench
username = bench
icon_url = ''
icon_emoji = ''
messages_per_second = {pace}
api_url = {url}
"""


@dataclass(frozen=True, slots=True)
class Jobs:
    """Functions that are alike."""

    count: int
    body: str = QUIET
    every: str = "seconds=1"
    per_file: int = 100
    #: The number of the first; also where their files stand in the order of loading.
    first: int = 0


class Site:
    """Holds what a subject reads and writes; every start of a process has notes of its own."""

    def __init__(self, folder: Path, url: str = NOWHERE, *, pace: float = 0) -> None:
        self.folder = folder
        self.notes: list[Notes] = []
        self._url = url
        (folder / "plugins").mkdir()
        conf = folder / "bench.conf"
        conf.write_text(_CONF.format(url=url, pace=pace), encoding="utf-8")
        conf.chmod(0o600)

    def add(self, jobs: Jobs) -> None:
        """Write the files of these functions."""
        for start in range(jobs.first, jobs.first + jobs.count, jobs.per_file):
            own = range(start, min(start + jobs.per_file, jobs.first + jobs.count))
            functions = (_FUNCTION.format(every=jobs.every, job=job, body=jobs.body.format(job=job)) for job in own)
            file = self.folder / "plugins" / f"jobs_{start:06}.py"
            head = "" if jobs.body == IDLE else _HEAD
            file.write_text(head + "".join(functions), encoding="utf-8")

    def start(self, subject: Subject, scheduler: str, *, patience: float = 120.0) -> Process:
        """Start a subject and wait until its clock runs."""
        self.notes.append(Notes(self.folder / f"notes_{len(self.notes)}"))
        process = self.begin(subject, scheduler)
        try:
            process.wait_for(subject.ready, patience)
        except BaseException:
            process.kill()
            raise
        return process

    def begin(self, subject: Subject, scheduler: str) -> Process:
        """Start a subject and do not wait."""
        return Process(subject.command(self.folder, scheduler), self.environment(subject), self.folder)

    def history(self, subject: Subject, *words: str) -> Iterator[dict[str, object]]:
        """Yield the lines of the product's history."""
        command = (*subject.words, "--path", str(self.folder), "--config", str(self.folder / "bench.conf"))
        environment = self.environment(subject)
        with subprocess.Popen((*command, "history", "--json", *words), stdout=subprocess.PIPE, env=environment) as run:
            assert run.stdout is not None, "it was asked for"
            yield from map(json.loads, run.stdout)

    def environment(self, subject: Subject) -> dict[str, str]:
        """Return all that a process sees of this machine's environment."""
        notes = {"BENCH_NOTES": str(self.notes[-1].path)} if self.notes else {}
        home = {"HOME": str(self.folder), "PATH": os.environ.get("PATH", ""), "TZ": "UTC", "PYTHONUNBUFFERED": "1"}
        return {**home, **notes, **subject.environment, "BENCH_API_URL": self._url}


@contextmanager
def site(*groups: Jobs, url: str = NOWHERE, pace: float = 0) -> Iterator[Site]:
    """Make a site with these functions, and take it away."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        made = Site(Path(folder), url, pace=pace)
        for jobs in groups:
            made.add(jobs)
        yield made
