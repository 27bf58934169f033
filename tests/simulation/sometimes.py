"""What a long run must have met: where one of these stays at zero, the simulation does not reach what it should."""

from __future__ import annotations

from collections import Counter

ALWAYS: tuple[str, ...] = ()


def never_met(met: Counter[str]) -> list[str]:
    """Return what was not met."""
    return [name for name in ALWAYS if not met[name]]
