"""Find packs that other distributions bring: entry points in the group `slack_alert.packs`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from slack_alert.core.catalog import Problem, Severity
from slack_alert.loader.packs.manifest import MANIFEST

GROUP = "slack_alert.packs"


def installed_packs(wanted: Collection[str]) -> Iterator[tuple[str, Path | Problem]]:
    """Yield the folders of wanted packs by name; a broken entry point is a warning that names its package."""
    for point in entry_points(group=GROUP):
        if point.name in wanted:
            try:
                yield point.name, _folder(point)
            except Exception as error:  # noqa: BLE001 - finding it may execute a package of somebody else
                said = f"{_owner(point)} brings the pack {point.name}, which cannot be found: {error}"
                hint = f"Reinstall {_owner(point)}, or take [pack.{point.name}] out."
                yield point.name, Problem(f"({_owner(point)})", 1, 1, Severity.WARNING, "SA407", said, hint)


def _folder(point: EntryPoint) -> Path:
    """Return the folder that an entry point names as a package; raise LookupError where there is no pack in it."""
    spec = find_spec(point.module)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / MANIFEST).is_file():
            return Path(place)
    raise LookupError(f"there is no package {point.module} with a {MANIFEST} in it")


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module
