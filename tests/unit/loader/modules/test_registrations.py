"""What a plugin file registers with the process exists once: after the start, after edits, after a restart."""

from __future__ import annotations

import atexit
import gc
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from slack_alert.core.catalog import CatalogChange
from slack_alert.loader import Plugins, find_plugins, open_plugins, unload
from tests.fakes.plugins import DEFAULTS, call, write

JOB = "\n@deco(hours=1)\ndef f(): return VERSION\n"

#: What a file registers, and how one makes it speak; it appends its version to SAID.
REGISTERED: dict[str, tuple[str, Callable[[], object]]] = {
    "handler of a logger": (
        """
import logging
class H(logging.Handler):
    def emit(self, record): SAID.append(VERSION)
logging.getLogger('of.plugins').addHandler(H())
        """,
        lambda: logging.getLogger("of.plugins").error("x"),
    ),
    "handler of the root logger": (
        """
import logging
class H(logging.Handler):
    def emit(self, record): SAID.append(VERSION)
logging.getLogger().addHandler(H())
        """,
        lambda: logging.getLogger("of.plugins").error("x"),
    ),
    "handlers that are configured": (
        """
import logging.config
class H(logging.Handler):
    def emit(self, record): SAID.append(VERSION)
logging.config.dictConfig({'version': 1, 'incremental': False, 'disable_existing_loggers': False,
    'handlers': {'h': {'()': H}}, 'loggers': {'of.plugins': {'handlers': ['h']}}})
        """,
        lambda: logging.getLogger("of.plugins").error("x"),
    ),
    "filter of a logger": (
        """
import logging
logging.getLogger('of.plugins').addFilter(lambda record: SAID.append(VERSION) or True)
        """,
        lambda: logging.getLogger("of.plugins").error("x"),
    ),
    "factory of records, made of the one before": (
        """
import logging
BEFORE = logging.getLogRecordFactory()
def make(*a, **k):
    SAID.append(VERSION)
    return BEFORE(*a, **k)
logging.setLogRecordFactory(make)
        """,
        lambda: logging.getLogger("of.plugins").error("x"),
    ),
    "hook for exceptions, made of the one before": (
        """
import sys
BEFORE = sys.excepthook
def hook(*a):
    SAID.append(VERSION)
    BEFORE(*a)
sys.excepthook = hook
        """,
        lambda: sys.excepthook(ValueError, ValueError(), None),
    ),
    "hook for the exceptions of threads": (
        """
import threading
def hook(args): SAID.append(VERSION)
threading.excepthook = hook
        """,
        lambda: threading.excepthook(threading.ExceptHookArgs((ValueError, None, None, None))),
    ),
    "what shows warnings": (
        """
import warnings
BEFORE = warnings.showwarning
def show(*a, **k): SAID.append(VERSION)
warnings.showwarning = show
        """,
        lambda: warnings.showwarning("x", UserWarning, "f", 1),
    ),
    "codec": (
        """
import codecs
def encode(text, errors='strict'):
    SAID.append(VERSION)
    return b'', 0
def search(name): return codecs.CodecInfo(encode, encode, name=name) if name == 'mine' else None
codecs.register(search)
        """,
        lambda: "x".encode("mine"),
    ),
    "finder of modules": (
        """
import sys
class Finder:
    def find_spec(self, name, *rest):
        if name == 'of_nobody': SAID.append(VERSION)
sys.meta_path.append(Finder())
        """,
        lambda: find_spec("of_nobody"),
    ),
    "callback of the collector": (
        """
import gc
def told(phase, info):
    if phase == 'stop': SAID.append(VERSION)
gc.callbacks.append(told)
        """,
        # The youngest are enough: looking through all that the suite has made takes a second.
        partial(gc.collect, 0),
    ),
    "collector of Prometheus": (
        """
from prometheus_client.registry import Gauge, REGISTRY
FULL = Gauge('disks', lambda: SAID.append(VERSION))
        """,
        lambda: [each() for each in sys.modules["prometheus_client.registry"].REGISTRY.collect()],
    ),
}

#: As much of the real library as refuses to have a name twice.
PROMETHEUS = """
class CollectorRegistry:
    def __init__(self): self.names = {}
    def register(self, collector):
        if collector.name in self.names: raise ValueError(f"Duplicated timeseries: {collector.name}")
        self.names[collector.name] = collector
    def unregister(self, collector): del self.names[collector.name]
    def collect(self): return [each.collect for each in self.names.values()]
REGISTRY = CollectorRegistry()
class Gauge:
    def __init__(self, name, collect):
        self.name, self.collect = name, collect
        REGISTRY.register(self)
Gauge("of the library", lambda: None)
"""


class Desk:
    """A folder with one plugin file that runs, and what its versions said."""

    def __init__(self, root: Path, said: list[object]) -> None:
        self.root = root
        self.said = said
        self._passed = 0.0
        self.plugins: Plugins

    def start(self, source: str = "") -> None:
        """Load the files as a start of the program does."""
        if source:
            self._write(source)
        self.plugins = open_plugins(find_plugins(self.root), lambda: DEFAULTS)

    def edit(self, source: str) -> CatalogChange:
        self._write(source)
        return self.reload()

    def remove(self) -> CatalogChange:
        (self.root / "plugins" / "x.py").unlink()
        self.reload()
        return self.reload()

    def reload(self) -> CatalogChange:
        self._passed += 2
        self.plugins.reload(self._passed)
        self._passed += 2
        change = self.plugins.reload(self._passed)
        return change or CatalogChange(self.plugins.catalog)

    def heard(self, speak: Callable[[], object]) -> list[object]:
        self.said.clear()
        speak()
        return list(self.said)

    def _write(self, source: str) -> None:
        write(self.root, {"x.py": source})


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    ledger = ModuleType("ledger")
    said: list[object] = []
    vars(ledger)["SAID"] = said
    monkeypatch.setitem(sys.modules, "ledger", ledger)
    (tmp_path / "site" / "prometheus_client").mkdir(parents=True)
    (tmp_path / "site" / "prometheus_client" / "__init__.py").write_text("")
    (tmp_path / "site" / "prometheus_client" / "registry.py").write_text(PROMETHEUS)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    # Those of the runner of these tests take what they hear for faults.
    for owner, name in ((sys, "excepthook"), (threading, "excepthook"), (warnings, "showwarning")):
        monkeypatch.setattr(owner, name, lambda *_: None)
    hooks = sys.excepthook, threading.excepthook, warnings.showwarning, logging.getLogRecordFactory()
    yield Desk(tmp_path, said)
    unload()
    for name in ("prometheus_client", "prometheus_client.registry"):
        sys.modules.pop(name, None)
    assert hooks == (sys.excepthook, threading.excepthook, warnings.showwarning, logging.getLogRecordFactory())


def version(number: int, source: str) -> str:
    return f"from ledger import SAID\nVERSION = {number}\n{source}{JOB}"


def codes(desk: Desk) -> list[str]:
    return [problem.code for problem in desk.plugins.catalog.problems]


@pytest.mark.parametrize("name", REGISTERED)
def test_what_is_registered_is_there_once_and_of_the_version_that_runs(desk: Desk, name: str) -> None:
    source, speak = REGISTERED[name]
    desk.start(version(1, source))
    assert desk.heard(speak) == [1]
    for number in (2, 3):
        desk.edit(version(number, source))
        assert codes(desk) == []
        assert desk.heard(speak) == [number]
    # One that fails after it has registered leaves the former version as it was.
    desk.edit(version(4, f"{source}\nraise OSError"))
    assert codes(desk) == ["SA103"]
    assert desk.heard(speak) == [3]
    desk.edit(version(5, source))
    assert desk.heard(speak) == [5]
    # After a restart it is the same; so it is with `trigger`, which loads as a start does.
    desk.start()
    assert desk.heard(speak) == [5]


@pytest.mark.parametrize("name", REGISTERED)
def test_what_a_file_registered_goes_with_the_file_and_comes_back_with_it(desk: Desk, name: str) -> None:
    source, speak = REGISTERED[name]
    desk.start(version(1, source))
    desk.heard(speak)
    desk.remove()
    if name != "codec":  # Nobody else knows this one.
        assert desk.heard(speak) == []
    desk.edit(version(2, source))

    assert codes(desk) == []
    assert desk.heard(speak) == [2]


@pytest.mark.parametrize("name", REGISTERED)
def test_file_that_failed_at_the_start_registers_when_it_is_mended(desk: Desk, name: str) -> None:
    source, speak = REGISTERED[name]
    desk.start(version(1, f"{source}\nraise OSError"))
    desk.edit(version(2, source))

    assert codes(desk) == []
    assert desk.heard(speak) == [2]


EXIT = "import atexit\natexit.register(SAID.append, VERSION)\n"


def test_call_at_the_end_is_made_once_for_each_version_when_its_end_has_come(desk: Desk) -> None:
    desk.start(version(1, EXIT))
    change = desk.edit(version(2, EXIT))
    assert desk.said == []
    assert change.end_former is not None
    change.end_former()
    assert desk.said == [1]
    desk.edit(version(3, f"{EXIT}raise OSError"))
    assert desk.said == [1, 3]
    unload()
    assert desk.said == [1, 3, 2]


def test_call_at_the_end_that_was_taken_back_by_the_plugin_is_not_made(desk: Desk) -> None:
    source = "import atexit\n@atexit.register\ndef end(): SAID.append(VERSION)\natexit.unregister(end)"
    desk.start(version(1, source))
    change = desk.edit(version(2, source))

    if change.end_former is not None:
        change.end_former()
    assert desk.said == []


def test_what_a_function_registers_when_it_runs_is_not_taken_back(desk: Desk) -> None:
    source = (
        "import logging\n@deco(hours=1)\ndef g(): logging.getLogger('of.plugins').addHandler(logging.NullHandler())"
    )
    desk.start(version(1, source))
    call(desk.plugins.catalog, "x.g")
    desk.edit(version(2, source))
    handlers, logging.getLogger("of.plugins").handlers = logging.getLogger("of.plugins").handlers, []

    assert len(handlers) == 1


def test_what_a_library_registers_when_it_is_imported_stays(desk: Desk) -> None:
    source = "import prometheus_client.registry"
    desk.start(version(1, source))
    desk.edit(version(2, "pass"))

    assert list(sys.modules["prometheus_client.registry"].REGISTRY.names) == ["of the library"]


def test_clearing_up_that_fails_is_logged_and_stops_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.start(version(1, "import atexit\natexit.register(lambda: 1 / 0)\natexit.register(SAID.append, 1)"))
    change = desk.edit(version(2, "pass"))
    assert change.end_former is not None
    change.end_former()

    assert desk.said == [1]
    assert "ZeroDivisionError" in caplog.text


def test_folder_that_a_file_puts_in_front_is_searched_once(desk: Desk) -> None:
    source = "import sys\nsys.path.insert(0, '/srv/of-plugins')"
    desk.start(version(1, source))
    for number in (2, 3):
        desk.edit(version(number, source))
    found = sys.path.count("/srv/of-plugins")
    sys.path.remove("/srv/of-plugins")

    assert found == 1


def test_thread_of_a_former_version_that_goes_on_is_told(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    source = "import threading as t\nGO = t.Event()\nt.Thread(target=GO.wait, name='poller', daemon=True).start()"
    desk.start(version(1, source))
    go = sys.modules["plugins.x"].GO
    change = desk.edit(version(2, "pass"))
    assert change.end_former is not None
    change.end_former()
    go.set()

    assert "goes on; a restart ends it" in caplog.text


def test_thread_of_a_former_version_that_its_own_call_at_the_end_ends_is_not_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    source = (
        "import atexit, threading\nGO = threading.Event()\nT = threading.Thread(target=GO.wait, daemon=True)\n"
        "T.start()\n@atexit.register\ndef end():\n    GO.set()\n    T.join()"
    )
    desk.start(version(1, source))
    change = desk.edit(version(2, "pass"))
    assert change.end_former is not None
    change.end_former()

    assert "goes on" not in caplog.text


REFUSING = "import registry\nregistry.register('disks')"


def test_edit_that_a_registry_of_a_library_refuses_says_that_a_restart_takes_it(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "site" / "registry.py").write_text(
        "NAMES = set()\ndef register(name):\n    if name in NAMES: raise ValueError(name)\n    NAMES.add(name)\n"
    )
    desk.start(version(1, REFUSING))
    desk.edit(version(2, REFUSING))
    (problem,) = desk.plugins.catalog.problems
    assert problem.hint.endswith("it loads after a restart of the program.")
    assert call(desk.plugins.catalog, "x.f") == 1
    # What is spelled wrong is so after a restart, too.
    desk.edit(version(3, "import nothing_of_that_name"))
    assert "restart" not in desk.plugins.catalog.problems[0].hint
    del sys.modules["registry"]
    desk.start()


def test_nothing_stands_in_the_way_of_others_once_the_plugins_are_gone(desk: Desk) -> None:
    before = atexit.register, logging.Logger.addHandler, logging.Filterer.addFilter, threading.Thread.start
    desk.start(version(1, EXIT))
    unload()

    assert (atexit.register, logging.Logger.addHandler, logging.Filterer.addFilter, threading.Thread.start) == before
