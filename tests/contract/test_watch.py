"""What is noticed of a folder of plugins: by notice of the system, and by looking where no notice comes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from slack_alert.loader.watch import Watch

pytestmark = pytest.mark.slow

Change = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as Kubernetes mounts it: a link to a link to what is there."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "jobs.py").write_text(name, encoding="utf-8")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "plain.py").write_text("1\n", encoding="utf-8")
    (tmp_path / "plugins" / "..data").symlink_to(tmp_path / "old")
    (tmp_path / "plugins" / "jobs.py").symlink_to("..data/jobs.py")
    return tmp_path / "plugins"


@pytest.fixture
def watch(folder: Path) -> Iterator[Watch]:
    watch = Watch(folder)
    watch.start()
    yield watch
    watch.stop()


def notices(watch: Watch) -> bool:
    """Ask for as long as it may take, with a clock of our own that makes each look at the links due."""
    until = time.monotonic() + 10
    for passed in count(step=5):
        if watch.has_changed(passed):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    raise AssertionError


def settled(watch: Watch, folder: Path) -> Watch:
    """Wait until it watches, which it shows by noticing something; then until nothing more comes of that."""
    until = time.monotonic() + 10
    while not watch.has_changed(0):
        (folder / "begin.py").write_text(f"{time.monotonic()}\n", encoding="utf-8")
        assert time.monotonic() < until, "it never noticed anything"
        time.sleep(0.05)
    for _ in range(2):
        time.sleep(0.5)
        watch.has_changed(0)
    return watch


def _edit(folder: Path) -> None:
    (folder / "plain.py").write_text("2\n", encoding="utf-8")


def _replace(folder: Path) -> None:
    beside = folder.parent / "beside"
    beside.write_text("3\n", encoding="utf-8")
    beside.replace(folder / "plain.py")


def _swap(folder: Path) -> None:
    beside = folder / "..tmp"
    beside.symlink_to(folder.parent / "new")
    beside.replace(folder / "..data")


@pytest.mark.parametrize(
    "change",
    [
        _edit,
        _replace,
        _swap,
        lambda folder: (folder / "plain.py").unlink(),
        lambda folder: (folder / "more").mkdir(),
    ],
    ids=["edited in place", "put in its place", "link swapped", "deleted", "new folder"],
)
def test_the_system_tells_of_a_change(watch: Watch, folder: Path, change: Change) -> None:
    settled(watch, folder)
    change(folder)

    assert notices(watch)


@pytest.mark.parametrize("name", ["notes.txt", "__pycache__"])
def test_what_is_no_plugin_does_not_matter(watch: Watch, folder: Path, name: str) -> None:
    settled(watch, folder)
    (folder / name).write_text("x", encoding="utf-8")
    time.sleep(0.6)

    assert watch.has_changed(0) is False


def test_what_a_link_leads_to_is_looked_at(watch: Watch, folder: Path) -> None:
    """Nobody tells of what is edited behind a link."""
    settled(watch, folder)
    (folder.parent / "old" / "jobs.py").write_text("edited", encoding="utf-8")

    assert notices(watch)


def test_where_nothing_is_told_everything_is_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    watch = Watch(folder)
    watch.start()

    assert notices(watch)
    assert "plugin files cannot be watched, they are looked at instead" in caplog.text
    assert [watch.has_changed(1e6), watch.has_changed(1e6 + 1), watch.has_changed(1e6 + 2)] == [True, False, True]
