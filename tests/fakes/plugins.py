"""A folder of plugins written by a test, and what the configuration says about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta, timezone
from pathlib import Path
from textwrap import dedent

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.model.address import Address
from slack_alert.core.structs import replace
from slack_alert.loader import OptionDefaults, load, survey, unload

OPS = Address("slack", "#ops")
DEFAULTS = OptionDefaults(
    zone=timezone.utc,
    working_hours="",
    max_alert=3,
    pause_time=timedelta(minutes=60),
    mutes=False,
    to=OPS,
    errors_to=OPS,
)


def write(root: Path, files: dict[str, str | bytes]) -> None:
    """Write files below `plugins`."""
    folder = root / "plugins"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())


def surveyed(root: Path, content: str | bytes, *markers: str) -> Catalog:
    """Survey one file, x.py."""
    write(root, {"x.py": content})
    return survey(root, replace(DEFAULTS, markers=markers))


@contextmanager
def loaded(root: Path, files: dict[str, str | bytes], *, cache: Path | None = None) -> Iterator[Catalog]:
    """Load files, and unload them at the end."""
    write(root, files)
    try:
        yield load(root, DEFAULTS, cache=cache)
    finally:
        unload()


def problems(catalog: Catalog) -> list[tuple[str, int, int]]:
    """Return the code, line and column of each problem."""
    return [(problem.code, problem.line, problem.column) for problem in catalog.problems]


def names(catalog: Catalog) -> list[str]:
    """Return the full names of all bindings."""
    return [binding.name for binding in catalog.bindings]


def call(catalog: Catalog, name: str, **arguments: object) -> object:
    """Call the function of a job."""
    function = catalog.lookup(name).action.function
    assert function is not None
    return function(**arguments)


def job(catalog: Catalog, name: str = "f") -> Job:
    """Find a job."""
    found = catalog.lookup(name)
    assert isinstance(found, Job)
    return found
