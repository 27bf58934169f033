"""Objects that a plugin file makes at module level work in its functions, on any thread, also after edits."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slack_alert.core.error_hints import advice_on, with_advice
from slack_alert.loader import Plugins, find_plugins, open_plugins, unload
from tests.fakes.plugins import DEFAULTS, call, write

#: As plugins may write it; from 3.13 on Python would rather have the names.
pytestmark = pytest.mark.filterwarnings("ignore:Passing more than 1 positional:DeprecationWarning")

#: What a file makes at its top level, and what its function does with it: it returns "there".
MADE = {
    "connection": (
        "import sqlite3\nC = sqlite3.connect(':memory:')",
        "C.execute('select ?', ('there',)).fetchone()[0]",
    ),
    "connection by an imported name": (
        "from sqlite3 import connect\nC = connect(':memory:', 5)",
        "C.execute('select ?', ('there',)).fetchone()[0]",
    ),
    "connection of the module that libraries take": (
        "from sqlite3 import dbapi2\nC = dbapi2.connect(':memory:')",
        "C.execute('select ?', ('there',)).fetchone()[0]",
    ),
    "connection in an object": (
        "import sqlite3\nclass Orders:\n    def __init__(self): self.c = sqlite3.connect(':memory:')\nO = Orders()",
        "O.c.execute('select ?', ('there',)).fetchone()[0]",
    ),
    "connection that a class makes": (
        "import sqlite3\nclass C(sqlite3.Connection): pass\nC = sqlite3.connect(':memory:', factory=C)",
        "C.execute('select ?', ('there',)).fetchone()[0]",
    ),
    "value of a local": ("import threading\nL = threading.local()\nL.v = 'there'", "L.v"),
    "value of a local by an imported name": ("from threading import local\nL = M = local()\nM.v = 'there'", "L.v"),
    "local of a neighbour": ("from _common import L", "L.v"),
    "local in a neighbour": ("import _common", "_common.L.v"),
    "lock of asyncio": (
        "import asyncio\nL = asyncio.Lock()\nQ = asyncio.Queue()",
        "(Q.put_nowait('there'), Q.get_nowait())[1]",
    ),
    "loop": (
        "import asyncio\nL = asyncio.new_event_loop()\nasync def g(): return 'there'",
        "L.run_until_complete(g())",
    ),
    "default loop": (
        "import asyncio\nL = asyncio.get_event_loop()\nasync def g(): return 'there'",
        "L.run_until_complete(g())",
    ),
}
COMMON = "import threading\nL = threading.local()\nL.v = 'there'\n"


def source(made: str, used: str, number: int) -> str:
    return f"{made}\nVERSION = {number}\n@deco(hours=1)\ndef f(): return {used}, VERSION\n"


def on_a_thread(use: Callable[[], object]) -> object:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(use()))
    thread.start()
    thread.join()
    return found[0]


def opened(root: Path) -> Plugins:
    return open_plugins(find_plugins(root), lambda: DEFAULTS)


@pytest.fixture(autouse=True)
def _unloaded() -> Iterator[None]:
    yield
    unload()


@pytest.mark.parametrize("name", MADE)
def test_what_the_top_level_makes_works_on_every_thread_at_the_start_after_edits_and_a_restart(
    tmp_path: Path, name: str
) -> None:
    made, used = MADE[name]
    write(tmp_path, {"x.py": source(made, used, 1), "_common.py": COMMON})
    plugins = opened(tmp_path)

    def close() -> None:
        """Close a loop: nobody else does, and these tests count what is left open."""
        for made in vars(sys.modules["plugins.x"]).values():
            if isinstance(made, asyncio.AbstractEventLoop):
                made.close()

    def uses() -> list[object]:
        def function() -> object:
            return call(plugins.catalog, "x.f")

        # Plain functions run on threads, `async def` ones on the main one.
        return [on_a_thread(function), function(), on_a_thread(function)]

    assert uses() == [("there", 1)] * 3
    for number in (2, 3):
        close()
        write(tmp_path, {"x.py": source(made, used, number)})
        plugins.reload(number * 10.0)
        plugins.reload(number * 10.0 + 5)
        assert plugins.catalog.problems == ()
        assert uses() == [("there", number)] * 3
    close()
    plugins = opened(tmp_path)
    assert uses() == [("there", 3)] * 3
    close()


def test_what_one_thread_sets_in_a_local_is_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"x.py": "from _common import L\n@deco(hours=1)\ndef f():\n    L.v += '!'\n    return L.v"})
    write(tmp_path, {"_common.py": COMMON})
    plugins = opened(tmp_path)

    assert [on_a_thread(lambda: call(plugins.catalog, "x.f")) for _ in range(2)] == ["there!", "there!"]
    assert [call(plugins.catalog, "x.f") for _ in range(2)] == ["there!", "there!!"]


def test_local_that_something_else_refers_to_stays_one_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    kept = "import threading\nL = threading.local()\nL.v = 1\nKEPT = [L]\n"
    write(tmp_path, {"x.py": f"{kept}@deco(hours=1)\ndef f(): return KEPT[0] is L and L.v"})
    plugins = opened(tmp_path)
    with pytest.raises(AttributeError) as caught:
        call(plugins.catalog, "x.f")

    assert "set it in the function" in with_advice("AttributeError", str(caught.value))


def test_empty_local_stays_what_it_is(tmp_path: Path) -> None:
    write(tmp_path, {"x.py": "import threading\nL = threading.local()\n@deco(hours=1)\ndef f(): return type(L)"})

    assert call(opened(tmp_path).catalog, "x.f") is threading.local


@pytest.mark.parametrize("said", ["check_same_thread=True", "5.0, 0, None, True"])
def test_connection_that_is_said_to_be_of_one_thread_is(tmp_path: Path, said: str) -> None:
    made = f"import sqlite3\nC = sqlite3.connect(':memory:', {said})"
    write(tmp_path, {"x.py": source(made, "C.execute('select 1')", 1)})
    plugins = opened(tmp_path)
    # Here and not on a thread, which may get the number of the one that has loaded the file.
    with pytest.raises(sqlite3.ProgrammingError) as caught:
        call(plugins.catalog, "x.f")
    assert "check_same_thread=False" in with_advice("ProgrammingError", str(caught.value))


def test_connection_that_a_function_makes_is_of_its_thread(tmp_path: Path) -> None:
    write(tmp_path, {"x.py": "import sqlite3\n@deco(hours=1)\ndef f(): return sqlite3.connect(':memory:')"})
    plugins = opened(tmp_path)
    connection = on_a_thread(lambda: call(plugins.catalog, "x.f"))
    assert isinstance(connection, sqlite3.Connection)

    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("select 1")


def test_sqlite_is_what_it_was_once_the_plugins_are_gone(tmp_path: Path) -> None:
    before = sqlite3.connect
    write(tmp_path, {"x.py": "import sqlite3"})
    opened(tmp_path)
    assert sqlite3.connect is not before
    unload()

    assert sqlite3.connect is before
    assert sys.modules["sqlite3.dbapi2"].connect is before


@pytest.mark.parametrize(
    ("kind", "message", "advice"),
    [
        ("error", "cannot switch to a different thread", "make it in the function"),
        ("error", "cannot switch to a different thread (which happens to have exited)", "make it in the function"),
        ("RuntimeError", "There is no current event loop in thread 'puller-1'.", "async def"),
        ("RuntimeError", "no running event loop", "async def"),
        ("RuntimeError", "<asyncio.Lock object> is bound to a different event loop", "make it in the function"),
        ("RuntimeError", "Task <Task> got Future <Future> attached to a different loop", "make it in the function"),
        ("ValueError", "signal only works in main thread of the main interpreter", "isolation"),
        ("ValueError", "invalid literal", ""),
        ("AttributeError", "'Order' object has no attribute 'x'", ""),
    ],
)
def test_error_of_what_belongs_to_one_thread_or_loop_says_what_to_do(kind: str, message: str, advice: str) -> None:
    assert advice in advice_on(kind, message)
    assert with_advice(kind, message) == (f"{message} ({advice_on(kind, message)})" if advice else message)
