"""Changes that plugin files make to the whole process: undone or refused, reported, and their jobs run all the same."""

from __future__ import annotations

import gc
import locale
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

import pytest

from slack_alert.core.catalog import Catalog
from slack_alert.loader import Plugins, find_plugins, open_plugins, unload
from slack_alert.loader.guard.process_state import ProcessState
from slack_alert.loader.modules.background_loading import LoadOptions
from tests.fakes.plugins import DEFAULTS, call, names, write

JOB = "\n@deco(hours=1)\ndef f(): return __name__\n"

#: What is done, and what is said of it.
UNDONE = {
    "import time; time.sleep = None": "`time.sleep`",
    "import time; time.sleep = time.time = None": "`time.sleep`, `time.time`",
    "import socket; socket.socket = object": "`socket.socket`",
    "import socket; del socket.create_connection": "`socket.create_connection`",
    "import threading; threading.Thread = threading.Lock = None": "`threading.Lock`, `threading.Thread`",
    "import threading; threading.stack_size(65536)": "the stack size of threads",
    "import threading; threading.settrace(print)": "`threading.settrace`",
    "import subprocess; subprocess.Popen = None": "`subprocess.Popen`",
    "import builtins; builtins.open = None": "`builtins.open`",
    "import json; json.dumps = str": "`json.dumps`",
    "import datetime; datetime.datetime = None": "`datetime.datetime`",
    "import ssl; ssl.create_default_context = None": "`ssl.create_default_context`",
    "import asyncio\nclass Own(asyncio.DefaultEventLoopPolicy): pass\nasyncio.set_event_loop_policy(Own())": (
        "asyncio's event loop policy"
    ),
    "import os; os.chdir('/')": "the working directory",
    "import os; os.umask(0)": "the umask",
    "import os; os.environ['PATH'] = '/nowhere'": "`PATH`",
    "import os; os.environ.clear()": "`PATH`",
    "import sys; sys.setrecursionlimit(90)": "the recursion limit",
    "import sys; sys.setswitchinterval(5)": "the switch interval",
    "import sys; sys.stdout = None": "`sys.stdout`",
    "import io, sys; sys.stderr = io.StringIO()": "`sys.stderr`",
    "import sys; sys.excepthook = None": "`sys.excepthook`",
    "import sys; del sys.unraisablehook": "`sys.unraisablehook`",
    "import threading; threading.excepthook = None": "`threading.excepthook`",
    "import sys; sys.path.clear()": "`sys.path`",
    "import sys; sys.meta_path.clear()": "`sys.meta_path`",
    "import logging; logging.disable()": "what is logged, and where",
    "import logging; logging.basicConfig(force=True)": "what is logged, and where",
    "import logging.config; logging.config.dictConfig({'version': 1})": "what is logged, and where",
    "import warnings; warnings.filterwarnings('error', 'of mine')": "warnings into exceptions",
    "import signal; signal.alarm(600)": "the alarm clock of the process",
    "import signal; signal.setitimer(signal.ITIMER_REAL, 600)": "the alarm clock of the process",
    "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (50, r.getrlimit(r.RLIMIT_NOFILE)[1]))": (
        "the limit RLIMIT_NOFILE"
    ),
}

REFUSED = {
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)": "it wants to handle SIGTERM",
    "from signal import *; signal(SIGINT, SIG_DFL)": "it wants to handle SIGINT",
    "import signal; signal.set_wakeup_fd(-1)": "it calls signal.set_wakeup_fd",
    "import os; os.closerange(3, 4096)": "it closes the descriptors 3 to 4095",
    "import os; os.close(0)": "it closes descriptor 0",
    "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (20, 20))": "it lowers the limit RLIMIT_NOFILE for good",
    "import resource as r; r.prlimit(0, r.RLIMIT_FSIZE, (9, 9))": "it lowers the limit RLIMIT_FSIZE for good",
}

#: Nobody else is stopped by it.
BORNE = [
    "import socket; socket.setdefaulttimeout(9)",
    "import random; random.seed(0)",
    "import gc; gc.disable()",
    "import sys; sys.setrecursionlimit(9000)",
    "import sys; sys.path.append('/srv/lib')",
    "import sys; sys.excepthook = print",
    "import threading; threading.excepthook = print",
    "import decimal; decimal.getcontext().prec = 3",
    "import locale; locale.setlocale(locale.LC_ALL, 'C')",
    "import os; os.environ['PATH'] += ':/opt/bin'; os.environ['MINE'] = '1'",
    "import os; r, w = os.pipe(); os.close(r); os.close(w)",
    "import subprocess; subprocess.run(['true'], check=True)",
    "import warnings; warnings.simplefilter('ignore')",
    "import logging; logging.getLogger().addHandler(logging.NullHandler())",
    "import atexit; atexit.register(print)",
    "import asyncio; asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())",
    "import asyncio\nasync def g(): pass\nasyncio.run(g())",
    "import faulthandler; faulthandler.dump_traceback_later(60, exit=True)",
    "import threading; threading.Thread(target=print, daemon=True).start()",
]


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Yield a call that returns the changes since the test began; all of them are undone at the end."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    environment, limit, filters, path = dict(os.environ), sys.getrecursionlimit(), list(warnings.filters), [*sys.path]
    language = locale.setlocale(locale.LC_ALL)
    with no_alarm():
        state = ProcessState()

        def changed() -> list[str]:
            unload()
            return state.restored()

        yield changed
        changed()
    os.environ.clear()
    os.environ.update(environment)
    sys.setrecursionlimit(limit)
    socket.setdefaulttimeout(None)
    locale.setlocale(locale.LC_ALL, language)
    warnings.filters[:] = filters  # type: ignore[index]  # it is a list
    sys.path[:] = path
    gc.enable()


@contextmanager
def no_alarm() -> Iterator[None]:
    """Suspend the alarm by which the test runner ends a test that hangs."""
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    handler = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, left)


def opened(root: Path, source: str) -> Plugins:
    write(root, {"x.py": f"{source}{JOB}", "y.py": f"import time\n{JOB}"})
    return open_plugins(find_plugins(root), lambda: DEFAULTS)


def said(catalog: Catalog) -> list[tuple[str, str, str]]:
    return [(problem.file, problem.code, problem.message) for problem in catalog.problems]


@pytest.mark.parametrize(("source", "what"), UNDONE.items())
def test_what_a_file_changes_for_everybody_is_undone_and_told(
    tmp_path: Path, process: Callable[[], list[str]], source: str, what: str
) -> None:
    catalog = opened(tmp_path, source).catalog

    assert said(catalog) == [
        ("plugins/x.py", "SA105", f"while loading, it changed {what}, for the whole program: undone")
    ]
    assert names(catalog) == ["x.f", "y.f"]
    assert call(catalog, "x.f") == "plugins.x"
    assert process() == []


@pytest.mark.parametrize(("source", "what"), REFUSED.items())
def test_what_could_not_be_undone_is_not_done(
    tmp_path: Path, process: Callable[[], list[str]], source: str, what: str
) -> None:
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    reading, writing = os.pipe()
    catalog = opened(tmp_path, source).catalog

    assert [(file, code) for file, code, _ in said(catalog)] == [("plugins/x.py", "SA105")]
    assert said(catalog)[0][2].startswith(what)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == handlers
    assert names(catalog) == ["x.f", "y.f"]
    for descriptor in (reading, writing):
        os.close(descriptor)


@pytest.mark.parametrize("source", BORNE)
def test_what_stops_nobody_is_left(tmp_path: Path, process: Callable[[], list[str]], source: str) -> None:
    catalog = opened(tmp_path, source).catalog

    assert said(catalog) == []
    assert names(catalog) == ["x.f", "y.f"]


@pytest.mark.parametrize("source", [*list(UNDONE)[:5], *REFUSED])
def test_file_whose_functions_have_processes_of_their_own_may_do_it_there(
    tmp_path: Path, process: Callable[[], list[str]], source: str
) -> None:
    write(tmp_path, {"x.py": f'{source}\n@deco(hours=1, isolation="process")\ndef f(): pass'})
    catalog = open_plugins(find_plugins(tmp_path), lambda: DEFAULTS).catalog

    assert said(catalog) == []
    assert process() == []


def test_edit_that_changes_the_process_is_undone_and_told(tmp_path: Path, process: Callable[[], list[str]]) -> None:
    plugins = opened(tmp_path, "")
    write(tmp_path, {"x.py": f"import time; time.sleep = None{JOB}"})
    plugins.reload(0.0)
    plugins.reload(10.0)

    assert [(file, code) for file, code, _ in said(plugins.catalog)] == [("plugins/x.py", "SA105")]
    assert callable(time.sleep)


def test_what_a_function_changes_later_is_undone_and_told_once(
    tmp_path: Path, process: Callable[[], list[str]]
) -> None:
    plugins = opened(tmp_path, "import time\n@deco(hours=1)\ndef g(): time.sleep = None")
    assert plugins.guard.restore() == []
    for expected in (["a plugin has changed `time.sleep`, for the whole program: undone"], []):
        call(plugins.catalog, "x.g")

        assert plugins.guard.restore() == expected
        assert callable(time.sleep)


def test_working_directory_of_a_running_function_is_left_to_it(
    tmp_path: Path, process: Callable[[], list[str]]
) -> None:
    plugins = opened(tmp_path, "import os\n@deco(hours=1)\ndef g(): os.chdir('/')")
    before = Path.cwd()
    call(plugins.catalog, "x.g")

    assert plugins.guard.restore() == []
    assert Path.cwd() == Path("/")
    os.chdir(before)


@pytest.fixture
def patcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Install a library that patches the standard library when its function is called."""

    def install(name: str) -> None:
        package, _, module = name.partition(".")
        folder = tmp_path / "site" / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        patches = "import time\nDONE = []\ndef is_module_patched(name): return False\n"
        patches += "".join(f"def {each}(*_, **__): DONE.append(1)\n" for each in ("patch_all", "monkey_patch"))
        (folder / f"{module}.py").write_text(patches)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        for known in [known for known in sys.modules if known.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, known)

    yield install
    unload()
    for known in ("gevent", "gevent.monkey", "eventlet", "eventlet.patcher"):
        with suppress(KeyError):
            module: ModuleType = sys.modules[known]
            if str(tmp_path) in str(module.__file__):
                del sys.modules[known]


@pytest.mark.parametrize(
    ("module", "function", "scheduler", "hint"),
    [
        ("gevent.monkey", "patch_all", "AsyncIOScheduler", "scheduler = GeventScheduler"),
        ("gevent.monkey", "patch_all", "TornadoScheduler", "scheduler = GeventScheduler"),
        ("gevent.monkey", "patch_all", "GeventScheduler", None),
        ("eventlet.patcher", "monkey_patch", "AsyncIOScheduler", 'isolation="process"'),
        ("eventlet.patcher", "monkey_patch", "GeventScheduler", 'isolation="process"'),
    ],
)
@pytest.mark.parametrize("is_lazy", [False, True])
def test_library_that_patches_everything_patches_nothing(
    tmp_path: Path, patcher: Callable[[str], None], module: str, function: str, scheduler: str, hint: str | None,
    *, is_lazy: bool,
) -> None:  # fmt: skip
    patcher(module)
    source = f"from {module} import {function}, DONE\n{function}(thread=False)"
    job = "@deco(hours=1)\ndef f(): return DONE"
    if is_lazy:
        job = f"@deco(hours=1)\ndef f():\n    from {module} import {function}, DONE\n    {function}()\n    return DONE"
        source = ""
    write(tmp_path, {"x.py": f"{source}\n{job}"})
    plugins = open_plugins(find_plugins(tmp_path), lambda: DEFAULTS, options=LoadOptions(scheduler=scheduler))

    assert call(plugins.catalog, "x.f") == []
    told = plugins.guard.restore() if is_lazy else [f"{each.message} {each.hint}" for each in plugins.catalog.problems]
    assert len(told) == (hint is not None)
    assert all(hint and hint in each and scheduler in each for each in told)
