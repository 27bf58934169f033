from __future__ import annotations

import os
from pathlib import Path

import pytest

from slack_alert.core.catalog import Catalog
from slack_alert.loader import load, plugins_folder, survey, unload
from slack_alert.loader.files.discovery import find_files
from slack_alert.loader.files.sources import DiskSources
from slack_alert.loader.parsing.compiler import read_file
from slack_alert.loader.reading.cache import ReadingCache
from tests.fakes.plugins import DEFAULTS, call, loaded, names, problems, write

SOURCE = "@deco(hours=1)\ndef f(ctx=None): return 1\n@deco(hours=0)\ndef g(): pass\nx = 1 is 1\n"


def entries(cache: Path) -> dict[str, tuple[int, int]]:
    """Return the inode and mtime of the cache files, which change with each write."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in cache.iterdir()}


def once(root: Path, files: dict[str, str | bytes]) -> tuple[Catalog, object]:
    with loaded(root, files, cache=root / "state/cache") as catalog:
        return catalog, call(catalog, "x.f")


def test_an_unchanged_file_comes_from_the_cache_and_says_the_same(tmp_path: Path) -> None:
    before, value = once(tmp_path, {"x.py": SOURCE})
    kept = entries(tmp_path / "state/cache")
    after, again = once(tmp_path, {})

    assert entries(tmp_path / "state/cache") == kept
    assert (value, again) == (1, 1)
    assert after.problems == before.problems
    assert [str(problem.severity) for problem in after.problems] == ["error", "notice"]
    assert names(after) == names(before) == ["x.f"]
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_survey_takes_unchanged_files_from_the_cache_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    cache = tmp_path / "state/cache"
    once(tmp_path, {"x.py": SOURCE})
    _replace_reading(tmp_path, cache, SOURCE.replace("def f", "def from_cache"))
    kept = entries(cache)
    first = survey(tmp_path, DEFAULTS, cache=cache)
    write(tmp_path, {"x.py": SOURCE + "\n"})
    then = survey(tmp_path, DEFAULTS, cache=cache)

    assert (names(first), names(then)) == (["x.from_cache"], ["x.f"])
    assert entries(cache) == kept


def _replace_reading(root: Path, folder: Path, source: str) -> None:
    """Let the cache say of the only file what is not in it, to tell a reading from the cache."""
    (file,), _ = find_files(plugins_folder(root))
    neighbours = DiskSources().names_beside(file.folder)
    cache = ReadingCache(folder, DEFAULTS.markers)
    reading = read_file(file, source.encode(), markers=DEFAULTS.markers, neighbours=neighbours)
    cache.store(file, cache.key(file, SOURCE.encode(), neighbours), reading)
    cache.packed()()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    once(tmp_path, {"x.py": SOURCE})
    catalog, value = once(tmp_path, {"x.py": "@deco(hours=1)\ndef f(): return 2"})

    assert (value, problems(catalog)) == (2, [])
    assert len(entries(tmp_path / "state/cache")) == 1


def test_a_new_neighbour_changes_what_an_import_means(tmp_path: Path) -> None:
    source = "import json\n@deco(hours=1)\ndef f(): return json.__name__"
    _, before = once(tmp_path, {"x.py": source})
    _, after = once(tmp_path, {"json.py": ""})

    assert (before, after) == ("json", "plugins.json")


def test_other_markers_make_another_reading(tmp_path: Path) -> None:
    from slack_alert.core.structs import replace

    once(tmp_path, {"x.py": SOURCE})
    catalog = load(tmp_path, replace(DEFAULTS, markers=("alert",)), cache=tmp_path / "state/cache")
    unload()

    assert names(catalog) == []


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 200, None])
def test_a_damaged_entry_is_made_anew(tmp_path: Path, damage: bytes | None) -> None:
    once(tmp_path, {"x.py": SOURCE})
    (entry,) = (tmp_path / "state/cache").iterdir()
    damaged = entry.read_bytes()[:-3] + b"zzz" if damage is None else damage
    entry.write_bytes(damaged)
    _, value = once(tmp_path, {})
    made = entry.read_bytes()
    once(tmp_path, {})

    assert value == 1
    assert made != damaged
    assert entry.read_bytes() == made


@pytest.mark.parametrize("obstacle", ["file", "folder"])
def test_a_cache_that_cannot_be_written_harms_nothing(tmp_path: Path, obstacle: str) -> None:
    cache = tmp_path / "state/cache"
    if obstacle == "file":
        cache.parent.mkdir()
        cache.write_text("not a folder")
    else:
        once(tmp_path, {"x.py": SOURCE})
        (entry,) = cache.iterdir()
        entry.unlink()
        entry.mkdir()
    _, value = once(tmp_path, {"x.py": SOURCE})

    assert value == 1
    assert not cache.is_dir() or len(list(cache.iterdir())) == 1


def test_what_somebody_left_unfinished_is_taken_away(tmp_path: Path) -> None:
    cache = tmp_path / "state/cache"
    cache.mkdir(parents=True)
    (cache / "readings.new").write_bytes(b"half of it")
    once(tmp_path, {"x.py": SOURCE})

    assert [*entries(cache)] == ["readings.bin"]


@pytest.mark.skipif(os.name == "nt", reason="the system has no such rights")
@pytest.mark.parametrize(("mode", "hidden"), [(0o644, 0o000), (0o640, 0o007), (0o600, 0o077), (0o604, 0o070)])
def test_nobody_reads_what_was_kept_who_may_not_read_a_file_of_it(mode: int, hidden: int, tmp_path: Path) -> None:
    write(tmp_path, {"x.py": SOURCE, "b.py": "PASSWORD = 'told to few'"})
    (tmp_path / "plugins/x.py").chmod(0o644)
    (tmp_path / "plugins/b.py").chmod(mode)

    once(tmp_path, {})

    [kept] = (tmp_path / "state/cache").iterdir()
    assert b"told to few" in kept.read_bytes()
    assert kept.stat().st_mode & 0o077 & hidden == 0
    assert kept.stat().st_mode & 0o400


def test_modules_that_others_import_are_kept_as_well(tmp_path: Path) -> None:
    source = "import _common\n@deco(hours=1)\ndef f(): return _common.X"
    once(tmp_path, {"x.py": source, "_common.py": "X = 1"})
    kept = entries(tmp_path / "state/cache")
    once(tmp_path, {})
    unchanged = entries(tmp_path / "state/cache")
    _, value = once(tmp_path, {"_common.py": "X = 2"})

    assert unchanged == kept
    assert value == 2


def test_a_file_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    once(tmp_path, {"x.py": SOURCE, "y.py": f"{SOURCE}Y = {'y' * 1000!r}"})
    (entry,) = (tmp_path / "state/cache").iterdir()
    before = entry.stat().st_size
    (tmp_path / "plugins/y.py").unlink()
    once(tmp_path, {})

    assert entry.stat().st_size < before - 1000


def test_what_is_imported_after_loading_is_read_as_it_is_then(tmp_path: Path) -> None:
    source = "@deco(hours=1)\ndef f():\n  import _late\n  return _late.X"
    with loaded(tmp_path, {"x.py": source, "_late.py": "X = 1"}, cache=tmp_path / "state/cache") as catalog:
        write(tmp_path, {"_late.py": "X = 2"})

        assert call(catalog, "x.f") == 2
