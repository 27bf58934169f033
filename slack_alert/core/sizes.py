"""How much memory something takes, as people write it: `512MB`, `2GB`, or a bare number of bytes."""

from __future__ import annotations

import re

from slack_alert.core.errors import BadValue

_UNITS = {"GB": 1024**3, "MB": 1024**2, "KB": 1024, "B": 1}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Read a size in bytes; raise BadValue for anything else."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise BadValue(f"{text!r} is not a size", hint="Write 512MB or 2GB.")
    return int(float(match[1]) * _UNITS[f"{match[2].upper()}B"])


def format_size(size: int) -> str:
    """Write a size in the largest unit that says it exactly."""
    unit = next(unit for unit, factor in _UNITS.items() if size % factor == 0 and (size >= factor or factor == 1))
    return f"{size // _UNITS[unit]}{unit}"
