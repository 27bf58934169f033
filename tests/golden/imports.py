"""What is imported by whom: libraries, and the heavy parts of Python's own; what is not there costs no start.

The names are those of others, so that no move within the product changes them; and the product is called by what people
know of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: What was imported when this was last found right; `python -m tests.golden.refresh` renews it.
KEPT = Path(__file__).with_suffix(".txt")
_ROOT = Path(__file__).parents[2]
#: What gevent has to patch before it is imported, what costs time, and every library there may be; not what one Python
#: imports by itself and another does not, as `subprocess` and `urllib`.
_WATCHED = {
    "asyncio", "concurrent", "ctypes", "difflib", "email", "http", "json", "logging", "multiprocessing", "queue",
    "socket", "sqlite3", "ssl", "threading", "unittest", "xml", "zipfile", "zoneinfo",
    "aiohttp", "anyio", "apscheduler", "click", "gevent", "greenlet", "hypothesis", "msgspec", "multidict", "pygal",
    "pytest", "resvg_py", "slack_sdk", "tornado", "tzlocal", "watchfiles", "yarl",
}  # fmt: skip
#: Where a program would import STOP, or ends, it writes down what was imported before.
_WATCH = """
import os, runpy, sys

ROOT, STOP, *CALL = sys.argv[1:]
sys.path.insert(0, ROOT)
BEFORE = {*sys.modules}
leave = os._exit


def tell(*_):
    with open("found.txt", "w") as file:  # Its streams may be diverted.
        file.write(" ".join({name.partition(".")[0] for name in {*sys.modules} - BEFORE}))
    leave(0)


class Stopper:
    def find_spec(self, name, path=None, target=None):
        if name == STOP:
            tell()


os._exit = tell
sys.meta_path.insert(0, Stopper())
if CALL[0] == "import":
    __import__(CALL[1])
else:
    sys.argv = CALL
    runpy.run_module("slack_alert", run_name="__main__", alter_sys=True)
tell()
"""
#: Tells what its process has imported, and ends the program; that is not who started this test.
_ISOLATED = f"""
@deco(seconds=1, isolation="process")
def modules():
    import os, signal, sys

    with open("found.txt", "w") as file:
        file.write(" ".join(name.partition(".")[0] for name in sys.modules))
    if os.getppid() != {os.getpid()}:
        os.kill(os.getppid(), signal.SIGTERM)
"""
#: What is called, and before which import it is stopped.
_CALLS = {
    "the package": (("import", "slack_alert"), ""),
    "the kit for plugins": (("import", "slack_alert.testing"), ""),
    "--help": (("slack-alert", "--help"), ""),
    "settings that are wrong": (("slack-alert", "run", "--working-hours", "9:30"), ""),
    "jobs": (("slack-alert", "jobs"), ""),
    "what comes before gevent's patch": (("slack-alert", "-s", "GeventScheduler", "--dry-run"), "gevent"),
    "what comes before the clock": (("slack-alert", "run", "--dry-run"), "apscheduler"),
}


def imports(folder: Path) -> str:
    """Return a line for each call: what is imported for it."""
    plugins = folder / "plugins"
    plugins.mkdir()
    (plugins / "db.py").write_text("@deco(minutes=5)\ndef lag():\n    return 1\n", encoding="utf-8")
    # Without what site has in store for others, whose modules would count as ours.
    watch = ("-I", "-c", _WATCH, str(_ROOT))
    told = {what: _imported(folder, *watch, stop, *call) for what, (call, stop) in _CALLS.items()}
    (plugins / "db.py").write_text(_ISOLATED, encoding="utf-8")
    told["an isolated process"] = _imported(folder, "-m", "slack_alert", "run") - _of_site(folder)
    return "".join(f"{what}: {' '.join(sorted(names)) or 'nothing'}\n" for what, names in told.items())


def _imported(folder: Path, *words: str) -> set[str]:
    """Return which libraries and heavy modules are imported by a program."""
    found = folder / "found.txt"
    found.unlink(missing_ok=True)
    done = _done(folder, *words)
    assert found.exists(), done.stdout + done.stderr
    return {*found.read_text(encoding="utf-8").split()} & _WATCHED


def _of_site(folder: Path) -> set[str]:
    """Return what any program of this installation imports."""
    return {*_done(folder, "-c", "import sys; print(*sys.modules)").stdout.split()}


def _done(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"HOME": str(folder), "TZ": "Europe/Berlin", "PYTHONPATH": str(_ROOT)},
        timeout=50,
    )
