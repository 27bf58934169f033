"""Watch this machine. Each function says what is wrong, in one message that is kept up to date, and when it is over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slack_alert import deco

if TYPE_CHECKING:
    from slack_alert import Context

_PROC = Path("/proc")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


@deco(minutes=1, repeat="update", recover=True)
def disks(ctx: Context) -> list[str]:
    """Tell which disks are full."""
    limit = ctx.config["disk_percent"]
    return [said for place in ctx.config["disks"] if (said := _disk(place, limit))]


@deco(minutes=1, after=3, repeat="update", recover=True)
def memory(ctx: Context) -> str | None:
    """Tell when little memory is left, for three minutes in a row."""
    total, available = _memory()
    percent = 100 * (total - available) / total
    if percent < ctx.config["memory_percent"]:
        return None
    return f"{percent:.0f} % of the memory is in use, {_size(available)} of {_size(total)} left"


@deco(minutes=1, after=3, repeat="update", recover=True)
def load(ctx: Context) -> str | None:
    """Tell when more programs wait than the processors can run, for three minutes in a row."""
    waiting, processors = os.getloadavg()[1], os.cpu_count() or 1
    if waiting < ctx.config["load"] * processors:
        return None
    return f"load is {waiting:.1f}, with {processors} processors"


@deco(minutes=1, after=2, repeat="update", recover=True)
def processes(ctx: Context) -> list[str]:
    """Tell which programs do not run, for two minutes in a row."""
    wanted = ctx.config["processes"]
    if not wanted:
        return []
    running = set(_processes())
    return [f"{name} does not run" for name in wanted if name not in running]


def _disk(place: Path, limit: float) -> str:
    try:
        total, used, free = shutil.disk_usage(place)
    except OSError as error:
        return f"{place} cannot be looked at: {error.strerror}"
    percent = 100 * used / total if total else 0.0
    return f"{place} is {percent:.0f} % full, {_size(free)} left" if percent >= limit else ""


def _memory() -> tuple[int, int]:
    """Return how much memory there is, and how much of it is available, in bytes."""
    try:
        text = (_PROC / "meminfo").read_text(encoding="ascii")
    except OSError:
        found = _psutil().virtual_memory()
        return found.total, found.available
    fields = _fields(text)
    return fields["MemTotal"], fields["MemAvailable"]


def _fields(text: str) -> Mapping[str, int]:
    lines = (line.partition(":") for line in text.splitlines())
    return {name: int(value.split()[0]) * 1024 for name, _, value in lines if value.strip()}


def _processes() -> Iterator[str]:
    """Yield the names of all programs that run: that of the file, and of the process."""
    if not (_PROC / "self" / "comm").exists():
        for process in _psutil().process_iter(["name"]):
            yield process.info["name"] or ""
        return
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                yield (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
                yield Path((folder / "cmdline").read_bytes().split(b"\0")[0].decode("utf-8", "replace")).name
            except OSError:  # It has ended meanwhile.
                continue


def _psutil() -> Any:  # Any: a library without types, which need not be there
    try:
        import psutil
    except ImportError:
        raise RuntimeError("this system tells nothing without psutil: pip install 'slack-alert[host]'") from None
    return psutil


def _size(count: float) -> str:
    for unit in _UNITS:
        if count < 1024 or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("the last unit takes all")
