"""Changes of a plugins folder are noticed: by notifications of the system, and by polling without them."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from slack_alert.loader.files.watcher import PluginWatcher

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
def watch(folder: Path) -> Iterator[PluginWatcher]:
    watch = PluginWatcher(folder)
    watch.start()
    yield watch
    watch.stop()


def _fails(*_: object, **__: object) -> None:
    raise OSError(28, "OS file watch limit reached")


def notices(watch: PluginWatcher) -> bool:
    """Ask for as long as it may take, with a clock of our own that makes each look at the links due."""
    until = time.monotonic() + 10
    for passed in count(step=5):
        if watch.has_changed(passed):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    raise AssertionError


def settled(watch: PluginWatcher, folder: Path) -> PluginWatcher:
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
def test_the_system_tells_of_a_change(watch: PluginWatcher, folder: Path, change: Change) -> None:
    settled(watch, folder)
    change(folder)

    assert notices(watch)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["notes.txt", "__pycache__"])
def test_what_is_no_plugin_does_not_matter(watch: PluginWatcher, folder: Path, name: str) -> None:
    settled(watch, folder)
    (folder / name).write_text("x", encoding="utf-8")
    time.sleep(0.6)

    assert watch.has_changed(0) is False


def test_what_a_link_leads_to_is_looked_at(watch: PluginWatcher, folder: Path) -> None:
    """Nobody tells of what is edited behind a link."""
    settled(watch, folder)
    (folder.parent / "old" / "jobs.py").write_text("edited", encoding="utf-8")

    assert notices(watch)


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that tells nothing of what happens on it: a network's share, a mount, another machine's edit."""
    silent = ModuleType("watchfiles")
    silent.watch = lambda *_, **__: iter(())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "watchfiles", silent)


def _edit_behind_the_link(folder: Path) -> None:
    (folder.parent / "old" / "jobs.py").write_text("edited", encoding="utf-8")


def _edit_keeping_size_and_time(folder: Path) -> None:
    before = (folder / "plain.py").stat()
    (folder / "plain.py").write_text("9\n", encoding="utf-8")
    os.utime(folder / "plain.py", ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace_the_folder(folder: Path) -> None:
    folder.rename(folder.parent / "before")
    folder.mkdir()


SEEN: dict[str, Change] = {
    "edited in place": _edit,
    "edited, its size and time kept": _edit_keeping_size_and_time,
    "put in its place": _replace,
    "link swapped": _swap,
    "edited behind a link": _edit_behind_the_link,
    "deleted": lambda folder: (folder / "plain.py").unlink(),
    "new file": lambda folder: (folder / "new.py").write_text("", encoding="utf-8"),
    "new file below": lambda folder: (folder / "below" / "new.py").write_text("", encoding="utf-8"),
    "what others import": lambda folder: (folder / "_common.py").write_text("", encoding="utf-8"),
    "folder replaced": _replace_the_folder,
    "folder gone": lambda folder: folder.rename(folder.parent / "away"),
}


def looks(watch: PluginWatcher, begin: int) -> bool:
    """Let a minute of our own clock pass, in which it may look several times."""
    changed = False
    for passed in range(begin, begin + 60, 2):
        changed |= watch.has_changed(passed)
        for thread in threading.enumerate():
            if thread.name == "look":
                thread.join(10)
    return changed | watch.has_changed(begin + 59)


def test_link_above_the_folder_may_be_turned_and_what_it_leads_to_then_is_watched(folder: Path) -> None:
    """As deployments turn `current` to the next release."""
    for number in (1, 2):
        (folder.parent / f"{number}").mkdir()
        (folder.parent / f"{number}" / "plugins").mkdir()
        (folder.parent / f"{number}" / "plugins" / "plain.py").write_text("1\n", encoding="utf-8")
    current = folder.parent / "current"
    current.symlink_to("1")
    watch = PluginWatcher(current / "plugins")
    watch.start()
    settled(watch, current / "plugins")
    assert looks(watch, 100)  # The first look finds everything new.
    (folder.parent / "next").symlink_to("2")
    (folder.parent / "next").replace(current)

    assert looks(watch, 1000)
    settled(watch, folder.parent / "2" / "plugins")
    _edit(folder.parent / "2" / "plugins")
    assert notices(watch)
    watch.stop()


@pytest.fixture
def looked(folder: Path, mute: None) -> Iterator[PluginWatcher]:
    """A watch that has looked already."""
    (folder / "below").mkdir()
    watch = PluginWatcher(folder)
    watch.start()
    looks(watch, 100)
    yield watch
    watch.stop()


@pytest.mark.parametrize("change", SEEN.values(), ids=SEEN.keys())
def test_what_the_system_does_not_tell_is_seen_in_a_look(looked: PluginWatcher, folder: Path, change: Change) -> None:
    change(folder)

    assert looks(looked, 1000)
    assert not looks(looked, 2000)


@pytest.mark.parametrize("name", ["notes.txt", "__pycache__", ".git", "tests/test_x.py", "node_modules/x.py"])
def test_a_look_passes_over_what_is_no_plugin(looked: PluginWatcher, folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x", encoding="utf-8")

    assert not looks(looked, 1000)


def test_a_look_walks_no_circles(looked: PluginWatcher, folder: Path) -> None:
    (folder / "below" / "again").symlink_to(folder)

    assert not looks(looked, 1000)


def test_a_look_opens_no_file(looked: PluginWatcher, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", None)
    monkeypatch.setattr("builtins.open", None)
    (folder / "plain.py").unlink()

    assert looks(looked, 1000)


def test_a_disk_that_does_not_answer_holds_up_nobody_and_is_asked_once(folder: Path, mute: None) -> None:
    """The rest of the program turns on the thread that asks."""
    answers, asked = threading.Event(), []

    def hangs(call: Callable[..., object], *arguments: object) -> None:
        asked.append(call)
        answers.wait(10)
        call(*arguments)

    watch = PluginWatcher(folder, blocking=hangs)
    for passed in range(0, 60, 5):
        watch.has_changed(passed)
    begun = len(asked)
    answers.set()

    assert begun == 1
    assert looks(watch, 1000)


def test_where_no_thread_can_be_started_the_next_look_is_waited_for(
    looked: PluginWatcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    _edit(folder)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        looked.start()
        refused = looks(looked, 1000)

    assert not refused
    assert looks(looked, 2000)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_look_that_finds_no_descriptor_says_nothing_of_the_files(
    looked: PluginWatcher, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_: str) -> None:
        raise OSError(number, "wanting")

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refuse)
        refused = looks(looked, 1000)

    assert not refused
    assert not looks(looked, 2000)


@pytest.mark.parametrize(
    "module",
    [None, SimpleNamespace(watch=_fails)],
    ids=["not installed", "too many watches"],
)
def test_where_watching_fails_looks_alone_serve(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, module: object
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", module)
    watch = PluginWatcher(folder)
    watch.start()
    looks(watch, 100)
    _edit(folder)

    assert looks(watch, 1000)
    assert "plugin files cannot be watched, they are looked at instead" in caplog.text


@pytest.mark.parametrize("name", ["pack.toml", "requirements.txt", "plugin.py"])
@pytest.mark.parametrize("is_watched", [True, False])
def test_a_change_in_a_pack_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_watched: bool
) -> None:
    pack = folder.with_name("packs") / "mypack"
    (pack / ".venv" / "lib").mkdir(parents=True)
    (pack / name).write_text("1\n", encoding="utf-8")
    if not is_watched:
        monkeypatch.setattr("watchfiles.watch", _fails)
    watch = PluginWatcher(folder, packs=pack.parent)
    watch.start()
    try:
        assert notices(watch)  # that all of it is new
        (pack / name).write_text("another\n", encoding="utf-8")
        assert notices(watch)
    finally:
        watch.stop()


def test_packs_without_plugins_are_watched(tmp_path: Path) -> None:
    pack = tmp_path / "packs" / "mypack"
    pack.mkdir(parents=True)
    watch = PluginWatcher(tmp_path / "plugins", packs=pack.parent)
    watch.start()
    try:
        (pack / "plugin.py").write_text("1\n", encoding="utf-8")
        assert notices(watch)
    finally:
        watch.stop()
