"""Let processes that plugins start with `multiprocessing` import what plugin files define.

A process that is spawned, or comes from a fork server, imports the function it calls by name. First it runs the main
module of its parent process again; here that is `slack_alert.bootstrap.spawned`, which finds plugin files as this
program does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path

from slack_alert.loader.files.discovery import PACKAGE, PACKS, PluginTree, find_tree_files
from slack_alert.loader.modules.importer import PluginFinder
from slack_alert.loader.reading.file_reader import FileReader

#: An environment variable for child processes; not a setting.
_PLUGINS = "SLACKALERT_PLUGINS"
_MAIN = "slack_alert.bootstrap.spawned"


def become_spawnable() -> None:
    """Make processes spawned from this one run `bootstrap.spawned` first; the program must own the process."""
    sys.modules["__main__"].__spec__ = ModuleSpec(_MAIN, None)


@contextmanager
def spawnable(root: Path, markers: Sequence[str]) -> Iterator[None]:
    """Let processes that are spawned meanwhile find the plugins below `root`."""
    before = os.environ.get(_PLUGINS)
    os.environ[_PLUGINS] = json.dumps([str(root.absolute()), list(markers)])
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_PLUGINS, None)  # A plugin may have emptied the environment.
        else:
            os.environ[_PLUGINS] = before


def find_plugins_again() -> None:
    """Install a finder for the plugin files of the process that spawned this one."""
    if _PLUGINS not in os.environ:
        return
    root, markers = json.loads(os.environ[_PLUGINS])
    folder = Path(root) / PACKAGE
    finder = PluginFinder(folder, FileReader(tuple(markers)), _packs(folder.with_name(PACKS)))
    finder.know(file for tree in finder.trees for file in find_tree_files(tree)[0])
    finder.install()


def _packs(top: Path) -> list[PluginTree]:
    """Return the packs below a folder; what is wrong with them was told where they were loaded."""
    if not top.is_dir():
        return []
    names = sorted(place.name for place in top.iterdir() if place.is_dir() and not place.name.startswith((".", "_")))
    return [PluginTree(str(top / name), f"{PACKS}.{name}", f"{PACKS}/{name}", name) for name in names]
