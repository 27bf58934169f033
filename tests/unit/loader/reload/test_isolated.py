"""Many new files read by two processes give the same result as by one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slack_alert.loader import load, unload
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.reading.cache import ReadingCache
from tests.fakes.plugins import DEFAULTS, call, names, problems, write

_FORMS = (
    "@deco(hours=1)\ndef f():\n    '''Say {0}.'''\n    return {0}\n",
    "from n000 import f as first\n@deco(hours=1)\ndef g(): return first(), {0}\n",
    "@deco(hours=0)\ndef h(): pass\n@deco(minutes={0} + 1)\ndef i(ctx): return 1 is {0}\n",
    "def broken(:\n",
    "@deco(hours=1)\ndef j(): return {0}\nraise ValueError({0})\n",
)


def many(count: int) -> dict[str, str | bytes]:
    return {f"n{index:03}.py": _FORMS[index % len(_FORMS)].format(index) for index in range(count)}


@pytest.mark.slow
def test_two_processes_read_what_one_reads(tmp_path: Path) -> None:
    write(tmp_path, many(400))
    alone = load(tmp_path, DEFAULTS)
    values = [call(alone, "n395.f"), call(alone, "n396.g")]
    beside = load(tmp_path, DEFAULTS, cache=tmp_path / "state/cache")
    again = load(tmp_path, DEFAULTS, cache=tmp_path / "state/cache")

    assert names(alone) == names(beside) == names(again)
    assert problems(alone) == problems(beside) == problems(again)
    assert values == [call(again, "n395.f"), call(again, "n396.g")] == [395, (0, 396)]
    unload()


@pytest.mark.slow
def test_the_second_process_has_ended_when_all_is_read(tmp_path: Path) -> None:
    write(tmp_path, many(250))
    load(tmp_path, DEFAULTS, cache=tmp_path / "state/cache")
    unload()

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("sealed", [b"", b"half a readi"])
def test_what_a_process_could_not_hand_over_is_lacking(tmp_path: Path, sealed: bytes) -> None:
    cache, file = ReadingCache(tmp_path, ()), PluginFile(str(tmp_path / "x.py"), ("x",))
    cache.learn(sealed)

    assert cache.lacking([file]) == [file]
