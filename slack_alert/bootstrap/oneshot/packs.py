"""Make, check, install and remove packs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from slack_alert.bootstrap.oneshot.requests import submit
from slack_alert.bootstrap.plugin_files import database
from slack_alert.bootstrap.plugin_loading import defaults
from slack_alert.core.catalog import Catalog
from slack_alert.core.errors import BadValue
from slack_alert.core.pack import Pack
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.names import suggestion
from slack_alert.engine.batches import keep_request
from slack_alert.engine.clock import SystemClock
from slack_alert.loader import load, unload
from slack_alert.loader.packs.folders import FoundPacks, PackFolder, find_packs
from slack_alert.loader.packs.install import remove_pack
from slack_alert.loader.packs.source_record import source_of
from slack_alert.stores import read_shared_values

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: In the environment of a pack what is installed there comes first, and what is installed here after it.
_PYTEST = "import sys; n = int(sys.argv[1]); sys.path += sys.argv[2 : 2 + n]; import pytest; "
_PYTEST += "sys.exit(pytest.main(sys.argv[2 + n :]))"
#: The code of a configuration that is not as the manifest declares it; tests have one of their own.
_UNCONFIGURED = "SA402"
#: pytest's exit codes.
_PASSED, _NO_TESTS = 0, 5


class PackTests(Struct, frozen=True):
    """What became of the tests of a pack."""

    has_passed: bool
    #: What pytest has printed.
    text: str


class CheckedPack(Struct, frozen=True):
    """A pack that was loaded by itself, and tested."""

    catalog: Catalog
    #: None: it has none.
    tests: PackTests | None = None

    @property
    def is_sound(self) -> bool:
        """Whether there is no error, and no test has failed."""
        return not self.catalog.has_errors and (self.tests is None or self.tests.has_passed)


class RemovedPack(Struct, frozen=True):
    """A pack that is gone."""

    #: The number of values that it had stored.
    values: int
    #: Where the configuration still has its section; empty: nowhere.
    section: str


def check_pack(settings: Settings, name: str) -> CheckedPack:
    """Load a pack by itself, executing its files, and run its tests; raise BadValue if there is no such pack."""
    found = _found(settings)
    folder = _folder(found, name)
    try:
        catalog = load(settings.path, defaults(settings), pack=folder.path)
    finally:
        unload()
    pack = next((each for each in catalog.packs if each.name == name), None)
    tests = folder.path / "tests"
    cannot_run = pack is not None and pack.fault is not None and pack.fault[0] != _UNCONFIGURED
    if pack is None or cannot_run or not any(tests.glob("**/test_*.py")):
        return CheckedPack(catalog)
    return CheckedPack(catalog, _tested(settings, pack, tests))


def remove(settings: Settings, name: str, *, is_sure: bool) -> RemovedPack:
    """Remove a pack's folder with its environment, and what it has stored.

    Raise BadValue if there is none below PATH/packs, or if it was written there and nobody `is_sure`.
    """
    folder = _folder(_found(settings), name)
    if folder.origin != "folder":
        hint = f"Take [pack.{name}] out of slack_alert.conf, and it is not loaded."
        raise BadValue(f"the pack {name} is not below packs/", hint=hint)
    if not is_sure and source_of(folder.path) is None:
        raise BadValue(f"{folder.shown} was written here, and would be gone", hint="--yes removes it all the same.")
    if not settings.dry_run:
        remove_pack(settings.path, name)
    section = settings.packs.sections.get(name) if settings.packs else None
    return RemovedPack(_forget_values(settings, name), section.where if section else "")


def _found(settings: Settings) -> FoundPacks:
    return find_packs(settings.path, settings.packs, settings.timezone)


def _folder(found: FoundPacks, name: str) -> PackFolder:
    if name not in found.folders:
        hint = suggestion(name, list(found.folders)) if found.folders else f"`slack-alert pack new {name}` writes one."
        raise BadValue(f"there is no pack {name!r}", hint=hint)
    return found.folders[name]


def _tested(settings: Settings, pack: Pack, tests: Path) -> PackTests:
    """Run the tests of a pack by the Python that runs its functions."""
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", f"--rootdir={pack.folder}"]
    paths = [path for path in sys.path if path]
    argv = [pack.python or sys.executable, "-c", _PYTEST, str(len(paths)), *paths, *options, str(tests)]
    ended = subprocess.run(  # noqa: S603 - arguments, never a shell
        argv,
        check=False,
        cwd=settings.path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    said = ended.stdout.strip()
    if "No module named 'pytest'" in said:
        said = "Its tests were not run: pytest is not installed here (pip install pytest)."
        return PackTests(has_passed=False, text=said)
    return PackTests(has_passed=ended.returncode in (_PASSED, _NO_TESTS), text=said)


def _forget_values(settings: Settings, pack: str) -> int:
    """Delete what a pack has stored, and return the number of values."""
    place = database(settings)
    if settings.dry_run or not place.exists():
        return 0
    now = SystemClock().now()
    entries = [each for each in read_shared_values(place, is_traceless=False) if each.pack == pack]
    stored = [each for each in entries if each.value is not None]
    if stored:
        submit(settings, *(keep_request(replace(each, value=None, expires=None), now) for each in stored))
    return len(stored)
