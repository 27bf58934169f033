"""Functions that hand back everything a function can, and what is said of each: a text a message, or an error."""

from __future__ import annotations

from collections.abc import Mapping

SOURCE = """
import array, asyncio, collections, concurrent.futures, csv, dataclasses, datetime, decimal, enum, fractions, functools
import io, ipaddress, itertools, pathlib, re, sqlite3, subprocess, sys, tempfile, time, types, uuid
import xml.etree.ElementTree as ElementTree


async def fetch():
    await asyncio.sleep(0)
    return "fetched"


async def nothing():
    return None


async def breaks():
    raise ValueError("no route")


async def pages():
    yield "one"
    yield ""
    yield fetch()


def timed(function):
    @functools.wraps(function)
    def wrapper():
        return function()
    return wrapper


def check():
    return 1


class Promise:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return fetch()


class Endless:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self


class Caller:
    async def ask(self):
        return "asked"

    def check(self):
        return 1

    @classmethod
    def make(cls):
        return 1

    def __call__(self):
        return fetch()


class Thing:
    pass


class Hosts:
    def __iter__(self):
        return iter(["db1", "db2"])


class Pages:
    def __init__(self):
        self.left = ["one", "two"]

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


class Level(enum.Enum):
    OK = 0
    WARN = 1


class Word(str, enum.Enum):
    DOWN = "down"


class Loud(str):
    def __str__(self):
        return Loud(self.upper())

    def replace(self, *_):
        raise RuntimeError("not yours")


@dataclasses.dataclass
class Disk:
    path: object
    free: object = 3
    key: str = dataclasses.field(default="hidden", repr=False)


Lag = collections.namedtuple("Lag", "host seconds")


class Pool:
    def __repr__(self):
        return f"<Pool of 3 at {id(self):#x}>"


class Wrong:
    def __init__(self, **methods):
        for name, method in methods.items():
            setattr(type(self), name, method)


def wrong(**methods):
    return type("Wrong", (), methods)()


def named(content, **how):
    file = tempfile.NamedTemporaryFile(mode="w+", suffix=".csv", prefix="report", delete=False, **how)
    file.write(content)
    return file


def temporary(mode):
    file = tempfile.TemporaryFile(mode)
    file.write(b"a,b" if "b" in mode else "a,b")
    return file


def spooled():
    file = tempfile.SpooledTemporaryFile()
    file.write(b"a,b")
    return file


def future():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: "from the pool")


def own_loop():
    LOOPS.append(asyncio.new_event_loop())
    return LOOPS[-1].create_task(fetch())


LOOPS = []


def itself():
    row = [1]
    row.append(row)
    return row


def deep():
    value = "bottom"
    for _ in range(10_000):
        value = [value]
    return value


def rows():
    return sqlite3.connect(":memory:").execute("SELECT 'db1' AS host, 3 AS lag UNION SELECT 'db2', 40")


def raising():
    return map(lambda number: 1 // number, [1, 0])


def yields_a_call():
    yield check


def yields_promises():
    yield fetch()
    yield ["a", fetch][:1]


async def coroutine_of_generator():
    return (word for word in ("one", "two"))


async def coroutine_of_coroutine():
    return fetch()


async def asynchronous_filter():
    return filter(None, ["", "a"])


def failed_program():
    return subprocess.run([sys.executable, "-c", "raise SystemExit('disk full')"], stderr=subprocess.PIPE, check=False)


def returned_exception():
    try:
        1 / 0
    except ZeroDivisionError as error:
        return error


def group():
    error = ValueError("two hosts")
    error.exceptions = (OSError("db1"), KeyError("db2"))
    return error


MADE = {
    "coroutine": lambda: fetch(),
    "nothing": lambda: nothing(),
    "partial": functools.partial(functools.partial(fetch)),
    "wrapped": timed(fetch),
    "method": Caller().ask,
    "callable_object": Caller(),
    "promise": Promise,
    "endless": Endless,
    "future": future,
    "own_loop": own_loop,
    "generator_wrapped": timed(pages),
    "asynchronous_iterator": Pages,
    "coroutine_that_breaks": lambda: breaks(),
    "coroutine_of_generator": coroutine_of_generator,
    "coroutine_of_coroutine": coroutine_of_coroutine,
    "asynchronous_filter": asynchronous_filter,
    "yields_promises": yields_promises,
    "yields_a_call": yields_a_call,
    "filter_none": lambda: filter(None, ["", 0]),
    "map_none": lambda: map(str, []),
    "map_": lambda: map(str.upper, ["a", "b"]),
    "zip_": lambda: zip(["a", "b"], [1, 20]),
    "chain": lambda: itertools.chain(["a"], ["b"]),
    "iter_": lambda: iter(["a", "b"]),
    "raising": raising,
    "keys": lambda: {"a": 1, "b": 2}.keys(),
    "no_keys": lambda: {}.keys(),
    "values": lambda: {"a": 1, "b": 2}.values(),
    "items": lambda: {"a": 1, "b": 2}.items(),
    "deque": lambda: collections.deque(["a", "b"]),
    "range_": lambda: range(1, 3),
    "iterable": Hosts,
    "nothing_for_ever": lambda: itertools.repeat(None),
    "dict_reader": lambda: csv.DictReader(["host,lag", "db1,3"]),
    "cursor": rows,
    "tuples": lambda: [("db1", 3), ("db2", 40)],
    "singles": lambda: [("db1",), ("db2",)],
    "function": lambda: check,
    "a_lambda": lambda: lambda: 1,
    "bound": lambda: Caller().check,
    "class_method": lambda: Caller.make,
    "class_": lambda: Thing,
    "module": lambda: re,
    "builtin": lambda: len,
    "partial_itself": lambda: functools.partial(check),
    "cached": lambda: functools.lru_cache(check),
    "caller": Caller,
    "thing": Thing,
    "things": lambda: ["a", Thing()],
    "calls": lambda: [check],
    "coroutines": lambda: [Promise()],
    "thing_in_a_cell": lambda: {"pool": Pool(), "thing": Thing(), "check": check, "all": [Pool()]},
    "pool": Pool,
    "iterators_in_cells": lambda: {"down": filter(None, ["", "db1"]), "keys": [{"a": 1}.keys()]},
    "own_words": lambda: wrong(__str__=lambda self: "fault at 0x10"),
    "nested": lambda: {"at": [datetime.date(2026, 1, 1)], "by": {"n": decimal.Decimal("1.5"), "w": Word.DOWN}},
    "records": lambda: [[Disk("/", Lag("db1", fractions.Fraction(1, 3)))]],
    "record": lambda: Disk(Disk("/")),
    "namespace": lambda: types.SimpleNamespace(a=1),
    "counter": lambda: collections.Counter("aab"),
    "chain_map": lambda: collections.ChainMap({"a": 1}),
    "proxy": lambda: types.MappingProxyType({"a": 1}),
    "system_tuple": lambda: types.SimpleNamespace(**{"y": time.gmtime(0)}).y[:3],
    "struct_time": lambda: time.gmtime(0),
    "enum": lambda: Level.WARN,
    "enums": lambda: [Level.OK, Word.DOWN],
    "loud": lambda: Loud("ab"),
    "louds": lambda: [Loud("ab"), {"a": Loud("cd")}["a"]],
    "uuid_": lambda: uuid.UUID(int=1),
    "address": lambda: ipaddress.ip_address("10.0.0.1"),
    "pure_path": lambda: pathlib.PurePosixPath("/srv"),
    "xml": lambda: ElementTree.fromstring("<a><b/></a>"),
    "empty_xml": lambda: ElementTree.fromstring("<a/>"),
    "text_bytes": lambda: b"disk full\\n",
    "latin": lambda: "gr\\xfc\\xdfe".encode("latin-1"),
    "utf16": lambda: "h\\xe4".encode("utf-16"),
    "jpeg": lambda: b"\\xff\\xd8\\xff\\xe0\\x00\\x10JFIF" + bytes(range(256)),
    "gif": lambda: b"GIF89a\\x01\\x00",
    "gif_by_name": lambda: b"GIF89a is a format",
    "webp": lambda: b"RIFF\\x01\\x00\\x00\\x00WEBPVP8 ",
    "pdf": lambda: bytearray(b"%PDF-1.7\\n"),
    "svg": lambda: b'<?xml version="1.0"?><svg xmlns="x"></svg>',
    "sheet": lambda: b"PK\\x03\\x04\\x14\\x00xl/workbook.xml",
    "unknown": lambda: memoryview(b"\\x00\\x01\\x02"),
    "bytes_in_a_cell": lambda: {"raw": b"\\x00\\x01", "text": b"ok"},
    "two_files": lambda: [b"\\x00", b"\\x01", "and"],
    "numbers_array": lambda: array.array("d", [1.5, 2.5]),
    "bytes_array": lambda: array.array("B", b"abc"),
    "buffer": lambda: io.BytesIO(b"a,b\\n"),
    "empty_buffer": lambda: io.BytesIO(),
    "text_buffer": lambda: io.StringIO("text"),
    "named_buffer": lambda: ("a.csv", io.BytesIO(b"a")),
    "named_text": lambda: ("a\\nb.csv", io.StringIO("a")),
    "temporary": lambda: temporary("w+b"),
    "temporary_text": lambda: temporary("w+"),
    "spooled": spooled,
    "program": lambda: subprocess.run([sys.executable, "-c", "print('up')"], stdout=subprocess.PIPE, check=False),
    "silent_program": lambda: subprocess.CompletedProcess(["true"], 0),
    "failed_program": failed_program,
    "returned_exception": returned_exception,
    "exceptions": lambda: [ValueError("bad"), "x"],
    "group": group,
    "itself": itself,
    "deep": deep,
    "surrogate": lambda: ["a\\ud800"],
    "no_text": lambda: wrong(__str__=lambda self: 3),
    "no_truth": lambda: wrong(__bool__=lambda self: 3, __str__=lambda self: "no truth"),
    "no_length": lambda: wrong(__len__=lambda self: -1),
    "no_items": lambda: wrong(__iter__=lambda self: 3),
    "huge_in_blocks": lambda: {"text": "big", "blocks": [{"type": "section", "n": 10**5000, "f": float("nan")}]},
}


def job(name):
    return MADE[name]()
"""


def fenced(*lines: str) -> list[str]:
    return ["\n".join(["```", *lines, "```"])]


#: By the name of what is made: the messages, or how the error begins.
EXPECTED: Mapping[str, list[str] | str] = {
    "coroutine": ["fetched"],
    "nothing": [],
    "partial": ["fetched"],
    "wrapped": ["fetched"],
    "method": ["asked"],
    "callable_object": ["fetched"],
    "promise": ["fetched"],
    "endless": "TypeError: returned what gives something to await each time it is awaited (Endless)",
    "future": ["from the pool"],
    "own_loop": ["fetched"],
    "generator_wrapped": ["one", "fetched"],
    "asynchronous_iterator": ["one", "two"],
    "coroutine_that_breaks": "ValueError: no route",
    "coroutine_of_generator": ["one", "two"],
    "coroutine_of_coroutine": ["fetched"],
    "asynchronous_filter": ["a"],
    "yields_promises": ["fetched", "a"],
    "yields_a_call": "TypeError: returned the function check: call it, return check()",
    "filter_none": [],
    "map_none": [],
    "map_": ["A\nB"],
    "zip_": fenced("a   1", "b  20"),
    "chain": ["a\nb"],
    "iter_": ["a\nb"],
    "raising": "ZeroDivisionError: integer division or modulo by zero",
    "keys": ["a\nb"],
    "no_keys": [],
    "values": ["1\n2"],
    "items": fenced("a  1", "b  2"),
    "deque": ["a\nb"],
    "range_": ["1\n2"],
    "iterable": ["db1\ndb2"],
    "nothing_for_ever": [],
    "dict_reader": fenced("host  lag", "----  ---", "db1   3"),
    "cursor": fenced("db1   3", "db2  40"),
    "tuples": fenced("db1   3", "db2  40"),
    "singles": ["db1\ndb2"],
    "function": "TypeError: returned the function check: call it, return check()",
    "a_lambda": "TypeError: returned a lambda: call it",
    "bound": "TypeError: returned the method check of a Caller object: call it, return ...check()",
    "class_method": "TypeError: returned the method make of Caller: call it, return ...make()",
    "class_": "TypeError: returned the class Thing: make one of it, return Thing(...)",
    "module": "TypeError: returned the module re: return something that is in it",
    "builtin": "TypeError: returned the function len: call it, return len()",
    "partial_itself": "TypeError: returned a partial of check: call it",
    "cached": "TypeError: returned the function check: call it, return check()",
    "caller": "TypeError: returned a Caller object, which has no text: call it, or return what is to be read of it",
    "thing": "TypeError: returned a Thing object, which has no text: return what is to be read of it, "
    "or give Thing a __str__",
    "things": "TypeError: returned a list that holds a Thing object, which has no text: "
    "return what is to be read of it, or give Thing a __str__",
    "calls": "TypeError: returned a list that holds the function check: call it, return check()",
    "coroutines": "TypeError: returned a list that holds the coroutine Promise: await it",
    "thing_in_a_cell": fenced(
        "pool   &lt;Pool of 3&gt;", "thing  &lt;plugins.db.Thing&gt;", "check  &lt;function check&gt;",
        "all    [&lt;Pool of 3&gt;]",
    ),
    "pool": ["&lt;Pool of 3&gt;"],
    "iterators_in_cells": fenced("down  ['db1']", "keys  [['a']]"),
    "own_words": ["fault at 0x10"],
    "nested": fenced("at  [2026-01-01]", "by  {'n': 1.5, 'w': Word.DOWN}"),
    "records": ["[Disk(path='/', free=Lag(host='db1', seconds=1/3))]"],
    "record": fenced("path  Disk(path='/', free=3)", "free  3"),
    "namespace": fenced("a  1"),
    "counter": fenced("a  2", "b  1"),
    "chain_map": fenced("a  1"),
    "proxy": fenced("a  1"),
    "system_tuple": ["1970\n1\n1"],
    "struct_time": fenced(
        "tm_year   1970", "tm_mon    1", "tm_mday   1", "tm_hour   0", "tm_min    0", "tm_sec    0", "tm_wday   3",
        "tm_yday   1", "tm_isdst  0",
    ),
    "enum": ["Level.WARN"],
    "enums": ["Level.OK\nWord.DOWN"],
    "loud": ["AB"],
    "louds": ["AB\nCD"],
    "uuid_": ["00000000-0000-0000-0000-000000000001"],
    "address": ["10.0.0.1"],
    "pure_path": ["/srv"],
    "xml": ["&lt;a&gt;&lt;b /&gt;&lt;/a&gt;"],
    "empty_xml": ["&lt;a /&gt;"],
    "text_bytes": ["disk full\n"],
    "latin": ["gr\ufffd\ufffde"],
    "utf16": ["h\xe4"],
    "jpeg": ["job.jpg (266 B)"],
    "gif": ["job.gif (8 B)"],
    "gif_by_name": ["GIF89a is a format"],
    "webp": ["job.webp (16 B)"],
    "pdf": ["job.pdf (9 B)"],
    "svg": ["job.svg (42 B)"],
    "sheet": ["job.xlsx (21 B)"],
    "unknown": ["job.bin (3 B)"],
    "bytes_in_a_cell": fenced("raw   2 bytes (bin)", "text  ok"),
    "two_files": ["job-1.bin (1 B)", "job-2.bin (1 B)", "and"],
    "numbers_array": ["1.5\n2.5"],
    "bytes_array": ["abc"],
    "buffer": ["a,b\n"],
    "empty_buffer": [],
    "text_buffer": ["text"],
    "named_buffer": ["a.csv (1 B)"],
    "named_text": ["a b.csv (1 B)"],
    "temporary": ["a,b"],
    "temporary_text": ["a,b"],
    "spooled": ["a,b"],
    "program": ["up\n"],
    "silent_program": [],
    "failed_program": "CalledProcessError: Command ",
    "returned_exception": "ZeroDivisionError: division by zero",
    "exceptions": ["ValueError: bad\nx"],
    "group": "ValueError: two hosts; OSError: db1; KeyError: 'db2'",
    "itself": ["1\n[1, [...]]"],
    "deep": ["[" * 31 + "..." + "]" * 31],
    "surrogate": ["a\ufffd"],
    "no_text": "TypeError: __str__ returned non-string (type int)",
    "no_truth": ["no truth"],
    "no_length": "ValueError: __len__() should return >= 0",
    "no_items": "TypeError: iter() returned non-iterator of type 'int'",
    "huge_in_blocks": ["big"],
}  # fmt: skip
