"""`slack-alert demo`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from difflib import ndiff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from slack_alert.channels.console import has_colour
from slack_alert.cli import exit_codes
from slack_alert.cli.options import common
from slack_alert.cli.output.streams import echo
from slack_alert.cli.output.text_tables import Style, history_table, paint

if TYPE_CHECKING:
    from slack_alert.bootstrap.oneshot.demo import Demo

#: The source of the demo's plugin.
PLUGIN = """\
from pathlib import Path

@deco(minutes=5, repeat="update", recover=True)
def disk():
    free = int(Path(__file__).with_name("free.txt").read_text())
    if free < 20:
        return f"{free} GB left on /"
"""
EDITED = PLUGIN.replace("free < 20", "free < 30")
CONF = "[slack]\nchannel = #ops\ntimezone = UTC\nworking_hours = mon-fri 9:00-18:00\n"
#: A Monday, 09:00.
START = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
#: The job's interval.
_STEP = timedelta(minutes=5)
#: The reading time of a line; the whole demo takes a minute then.
_SECONDS = 0.9


@click.command()
@common
@click.option("--fast", is_flag=True, help="Do not wait for whoever reads; a pipe never does.")
def demo(*, fast: bool, **_: object) -> int:
    """Show in a minute what it does: alerts, a change while it runs, the recovery, a rest, the reasons.

    It plays in a folder of its own, on a clock that jumps: no configuration has a say, and nothing is sent or kept.
    """
    printer = _SlowPrinter(is_waiting=sys.stdout.isatty() and not fast)
    with _demo_project() as (folder, program):
        _show_plugin(printer)
        _alert(printer, folder, program)
        _edit(printer, folder, program)
        _recover(printer, folder, program)
        _explain(printer, program)
        _simulate(printer, program)
    printer.echo()
    printer.echo("Nothing of it is left behind. Your turn: `slack-alert init`, then `slack-alert`.", "bold")
    return exit_codes.FINE


class _SlowPrinter:
    """Prints text at reading speed."""

    def __init__(self, *, is_waiting: bool) -> None:
        self._is_waiting = is_waiting

    def echo(self, text: str = "", style: Style = "", *, lines: int | None = None) -> None:
        """Print a text and wait for the time to read it; `lines` is the number of lines to read."""
        echo(paint(text, style, sys.stdout))
        self.wait(lines if lines is not None else text.count("\n") + bool(text))

    def start_part(self, title: str) -> None:
        """Print the title of a part."""
        self.echo()
        self.echo(f"— {title}", "bold", lines=2)

    def wait(self, lines: int) -> None:
        """Wait for the time to read this number of lines."""
        if self._is_waiting and lines:
            import asyncio

            from slack_alert.engine.clock import SystemClock

            asyncio.run(SystemClock().sleep(lines * _SECONDS))


@contextmanager
def _demo_project() -> Iterator[tuple[Path, Demo]]:
    """Make a temporary project, and yield its folder and a program on it."""
    from slack_alert.bootstrap.oneshot.demo import Demo

    with TemporaryDirectory(prefix="slack-alert-demo-") as name:
        folder = Path(name).resolve()
        (folder / "plugins").mkdir()
        (folder / "slack_alert.conf").write_text(CONF, encoding="utf-8")
        _write(folder, PLUGIN)
        _set_free(folder, 34)
        program = Demo(folder, START, colour=has_colour(sys.stdout))
        try:
            yield folder, program
        finally:
            program.close()


def _write(folder: Path, source: str) -> None:
    (folder / "plugins" / "disk.py").write_text(source, encoding="utf-8")


def _set_free(folder: Path, free: int) -> None:
    """Write the free space that the plugin reads."""
    (folder / "plugins" / "free.txt").write_text(f"{free}\n", encoding="utf-8")


def _show_plugin(printer: _SlowPrinter) -> None:
    printer.echo("One Monday in a minute: a folder of its own, a clock that jumps, and nothing is sent.", "bold")
    printer.start_part("Six lines in plugins/disk.py")
    printer.echo(PLUGIN.rstrip("\n"))


def _alert(printer: _SlowPrinter, folder: Path, program: Demo) -> None:
    printer.start_part("They alert; while it goes on, that one message is edited (✎)")
    for free in (34, 18, 17, 16):
        _run_slot(printer, folder, program, free)


def _edit(printer: _SlowPrinter, folder: Path, program: Demo) -> None:
    printer.start_part("20 GB is late: somebody edits the file while it runs, and the count goes on")
    for line in ndiff(PLUGIN.splitlines(), EDITED.splitlines()):
        if line.startswith(("- ", "+ ")):
            printer.echo(line, "red" if line.startswith("-") else "green")
    _write(folder, EDITED)
    change = program.reload()
    printer.echo(f"reloaded: {', '.join(change.replaced)}", "dim")
    _run_slot(printer, folder, program, 25)


def _recover(printer: _SlowPrinter, folder: Path, program: Demo) -> None:
    printer.start_part("Room again, which the same message says")
    _run_slot(printer, folder, program, 60)


def _explain(printer: _SlowPrinter, program: Demo) -> None:
    printer.start_part("It is 22:00. Why did it speak this morning, and why does it not now?")
    program.advance(START + timedelta(hours=13) - program.clock.now())
    for at in (START + timedelta(minutes=25), program.clock.now()):
        printer.echo(f"$ slack-alert explain disk --at {at:%H:%M}", "dim")
        for sentence in program.explain("disk.disk", at):
            printer.echo(sentence)


def _simulate(printer: _SlowPrinter, program: Demo) -> None:
    printer.start_part("And if it is full again tomorrow evening?")
    since, until = (START + timedelta(days=1, hours=8, minutes=minutes) for minutes in (40, 90))
    printer.echo(f"$ slack-alert simulate --since {since:%Y-%m-%dT%H:%M} --until {until:%Y-%m-%dT%H:%M}", "dim")
    printer.echo(history_table(program.simulate(since, until), timezone.utc, sys.stdout, at="AT (UTC)"))


def _run_slot(printer: _SlowPrinter, folder: Path, program: Demo, free: int) -> None:
    """Set the free space, advance to the next slot and print its message."""
    _set_free(folder, free)
    if said := program.advance(_STEP):
        printer.echo(said.rstrip("\n"))
