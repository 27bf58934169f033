from __future__ import annotations

import asyncio
import io
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from slack_alert.core.content.render import Upload, fallback
from slack_alert.core.model.run import Failure, Result, Run, RunOutput
from slack_alert.core.structs import replace
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.executors.calling.output import KEPT, captured, current, keep
from tests.fakes.engine_rig import at
from tests.fakes.stage import Stage, plugin, run_of


def called(source: str, **where: str) -> Result:
    return Stage().call(run_of(plugin(source, **where)))


def awaited(source: str) -> Result:
    return asyncio.run(Stage().await_(run_of(plugin(source), is_async=True)))


def failure(result: Result) -> Failure:
    assert result.failure is not None
    assert result.pieces == ()
    return result.failure


def texts(result: Result) -> list[str]:
    return [fallback(piece) for piece in result.pieces]


class Array:
    """An object without a truth value, like a library's array."""

    def __init__(self, *values: int) -> None:
        self._values = values

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")

    def __len__(self) -> int:
        return len(self._values)

    def __str__(self) -> str:
        return str(self._values)


@pytest.mark.parametrize("value", [None, False, 0, 0.0, "", [], (), {}, set(), Array(), " \n", [None, ""]])
def test_empty_value_is_quiet(value: object) -> None:
    result = Stage().call(run_of(lambda: value))

    assert (result.pieces, result.failure) == ((), None)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (True, "The replica lags."), ("a<b", "a&lt;b"), (["a", "", "b"], "a\nb"), (Array(1, 2), "(1, 2)")],
)
def test_value_is_said(value: object, text: str) -> None:
    assert [text] == texts(Stage().call(run_of(lambda: value)))


@pytest.mark.parametrize(
    ("value", "numbers"),
    [(None, None), (False, None), ("", None), ({}, None), (0, {"": 0}), (0.0, {"": 0.0}), (3, {"": 3}), ("3", None)],
)
def test_what_a_value_measures_is_kept_also_where_it_is_quiet(value: object, numbers: object) -> None:
    assert Stage().call(run_of(lambda: value)).numbers == numbers


@pytest.mark.parametrize("call", [called, awaited])
def test_of_what_several_values_measure_the_last_of_each_name_is_kept(call: Callable[[str], Result]) -> None:
    keyword = "async def" if call is awaited else "def"
    result = call(f"{keyword} job():\n    yield {{'a': 1, 'b': 2}}\n    yield 'text'\n    yield {{'b': 3}}\n")

    assert (result.numbers, result.failure) == ({"a": 1, "b": 3}, None)


def test_what_a_coroutine_measures_is_kept() -> None:
    assert awaited("async def job():\n    return {'lag': 2}\n").numbers == {"lag": 2}


def test_start_and_duration_are_written_down() -> None:
    run = run_of(lambda: None)
    result = Stage().call(run)

    assert run.progress.started == at("16 09:11")
    assert result.duration.total_seconds() >= 0


def test_file_is_read_while_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "lag.txt"
    file.write_bytes(b"9s")

    [piece] = Stage().call(run_of(lambda: file)).pieces

    assert isinstance(piece, Upload)
    assert (piece.name, piece.content) == ("lag.txt", b"9s")


def test_file_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    found = failure(Stage().call(run_of(lambda: tmp_path / "gone.txt")))

    assert (found.kind, found.place) == ("FileNotFoundError", "plugins/db.py:3")
    assert found.traceback.startswith("FileNotFoundError: [Errno 2]")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="elsewhere every file has an end")
def test_file_without_an_end_is_told_and_not_read() -> None:
    [said] = texts(Stage().call(run_of(lambda: Path("/dev/zero"))))

    assert said.startswith("zero: a file of more than 16 MB is not sent, 16 MB is the most.")


def test_file_that_is_too_great_is_told_with_its_size(tmp_path: Path) -> None:
    file = tmp_path / "dump.bin"
    with file.open("wb") as sparse:
        sparse.truncate(250_000_000)

    [said] = texts(Stage().call(run_of(lambda: file)))

    assert said.startswith("dump.bin: a file of 250 MB is not sent, 16 MB is the most.")


def test_run_that_yields_for_ever_says_only_so_much() -> None:
    run = run_of(lambda: (("part.bin", bytes(9_000_000)) for _ in range(5)))
    stage = Stage()
    stage.call(run)

    assert stage.texts == [
        "part.bin (9 MB)",
        "part.bin (9 MB)",
        "… cut: one run says 20 MB at most, what is beyond is left out",
    ]


def test_context_is_handed_in_where_it_is_taken() -> None:
    run = run_of(lambda ctx: f"{ctx.now:%H:%M}", takes_context=True)

    assert texts(Stage().call(run)) == ["08:10"]


# --- generators


def test_each_yielded_value_is_said_as_it_comes() -> None:
    stage = Stage()
    heard: list[list[str]] = []

    def job() -> Iterator[object]:
        for value in ("one", "", "two"):
            yield value
            heard.append(stage.texts)

    result = stage.call(run_of(job))

    assert (result.pieces, result.failure) == ((), None)
    assert heard == [["one"], ["one"], ["one", "two"]]


def test_failure_after_a_yield_keeps_what_was_said() -> None:
    stage = Stage()
    result = stage.call(run_of(plugin("def job():\n    yield 'one'\n    1 / 0")))

    assert stage.texts == ["one"]
    assert (failure(result).kind, failure(result).place) == ("ZeroDivisionError", "plugins/db.py:3")


def test_failing_say_is_a_failure_of_the_run() -> None:
    def refuse(run: Run, said: object) -> None:
        raise OSError("the disk is full")

    found = failure(Stage(say=refuse).call(run_of(plugin("def job():\n    yield 'one'"))))

    assert (found.kind, found.message, found.place) == ("OSError", "the disk is full", "plugins/db.py:3")
    assert "refuse" in found.traceback


def test_an_asynchronous_iterator_of_a_canceled_run_is_asked_no_more() -> None:
    source = """
        class Endless:
            def __aiter__(self):
                return self
            async def __anext__(self):
                return "again"
        def job():
            return Endless()
    """
    run = run_of(plugin(source))
    said: list[object] = []

    def say(run: Run, pieces: object) -> None:
        said.append(pieces)
        run.progress.is_canceled = len(said) == 2

    result = Stage(say=say).call(run)

    assert (len(said), result.failure) == (2, None)


def test_asynchronous_generator_says_each_value() -> None:
    stage = Stage()
    job = plugin("async def job():\n    yield 'one'\n    yield None\n    yield 2")
    result = asyncio.run(stage.await_(run_of(job, is_async=True)))

    assert (result.pieces, result.failure) == ((), None)
    assert stage.texts == ["one", "2"]


# --- coroutine functions


def test_coroutine_function_is_awaited() -> None:
    assert texts(awaited("import asyncio\nasync def job():\n    await asyncio.sleep(0)\n    return 'up'")) == ["up"]


def test_coroutine_function_that_a_decorator_made_plain_is_called() -> None:
    source = """
        import asyncio
        def plain(function):
            return lambda: 'plain'
        @plain
        async def job(): ...
    """

    assert texts(awaited(source)) == ["plain"]


@pytest.mark.parametrize("error", ["ValueError('no')", "SystemExit(1)", "asyncio.CancelledError()"])
def test_failure_of_a_coroutine_function_has_its_place(error: str) -> None:
    found = failure(awaited(f"import asyncio\nasync def job():\n    raise {error}"))

    assert (found.kind, found.place) == (error.partition("(")[0].removeprefix("asyncio."), "plugins/db.py:3")


# --- failures


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        ("ValueError('no route')", "ValueError", "no route"),
        ("SystemExit(3)", "SystemExit", "3"),
        ("KeyboardInterrupt()", "KeyboardInterrupt", ""),
        ("GeneratorExit()", "GeneratorExit", ""),
        ("StopIteration(1)", "StopIteration", "1"),
        ("type('Own', (BaseException,), {})('x')", "Own", "x"),
    ],
)
def test_nothing_a_plugin_raises_escapes(error: str, kind: str, message: str) -> None:
    found = failure(called(f"def job():\n    raise {error}"))

    assert (kind, message, "plugins/db.py:2") == (found.kind, found.message, found.place)


@pytest.mark.parametrize("raised", ["ValueError('broken')", "SystemExit()"])
@pytest.mark.parametrize("method", ["__str__", "__len__"])
def test_value_that_cannot_be_read_is_a_failure(method: str, raised: str) -> None:
    source = f"class Own:\n    def {method}(self):\n        raise {raised}\ndef job():\n    return Own()"
    found = failure(called(source))

    assert (raised.partition("(")[0], "plugins/db.py:3") == (found.kind, found.place)


@pytest.mark.parametrize(("raised", "kind"), [("KeyError()", "KeyError"), ("SystemExit()", "SystemExit")])
def test_message_that_cannot_be_read_is_told_as_that(raised: str, kind: str) -> None:
    source = f"class Own(Exception):\n    def __str__(self):\n        raise {raised}\ndef job():\n    raise Own()"
    found = failure(called(source))

    assert (found.kind, found.message) == ("Own", f"({kind} while printing the message)")


@pytest.mark.parametrize(
    ("module", "file", "place"),
    [
        ("plugins.db", "/srv/app/plugins/db.py", "plugins/db.py:2"),
        ("plugins.db.replicas", "/srv/app/plugins/db/replicas.py", "plugins/db/replicas.py:2"),
        ("plugins.plugins.db", "/srv/plugins/app/plugins/plugins/db.py", "plugins/plugins/db.py:2"),
        ("plugins.db", "/srv/app/plugins/db/__init__.py", "plugins/db/__init__.py:2"),
    ],
)
def test_place_is_the_file_below_the_folder_of_plugins(module: str, file: str, place: str) -> None:
    assert place == failure(called("def job():\n    1 / 0", module=module, file=file)).place


def test_place_is_the_innermost_line_of_the_plugins_not_of_a_library() -> None:
    library = plugin("def job():\n    1 / 0", module="vendor.plugins.csv", file="/lib/vendor/plugins/csv.py")
    space = plugin("def job(library):\n    inner(library)\n\n\ndef inner(library):\n    library()")
    found = failure(Stage().call(run_of(lambda: space(library))))

    assert found.place == "plugins/db.py:6"
    assert "csv.py" in found.traceback


def test_traceback_begins_with_the_plugin() -> None:
    found = failure(called("def job():\n    1 / 0"))

    assert found.traceback.startswith('Traceback (most recent call last):\n  File "/srv/app/plugins/db.py", line 2')
    assert "perform.py" not in found.traceback


def test_huge_traceback_is_cut_in_the_middle() -> None:
    found = failure(called("def job():\n    raise ValueError('x' * 1_000_000 + ' the end')"))

    assert len(found.traceback) < 21_000
    assert "\n[...]\n" in found.traceback
    assert found.traceback.endswith("the end\n")


def test_endless_recursion_is_a_failure() -> None:
    found = failure(called("def job():\n    even()\ndef even():\n    odd()\ndef odd():\n    even()"))

    assert found.kind == "RecursionError"
    assert len(found.traceback) < 21_000


# --- what is printed


def printed(source: str, run: Run | None = None) -> tuple[Run, str]:
    stderr = io.StringIO()
    run = run or run_of(plugin(source))
    with captured(stderr):
        Stage().call(run)
    return run, stderr.getvalue()


def test_output_goes_to_standard_error_under_the_name_and_into_the_record() -> None:
    run, stderr = printed("def job():\n    print('one\\ntwo')\n    print('thr', end='')\n    print('ee')")

    assert stderr == "db.job | one\ndb.job | two\ndb.job | three\n"
    assert run.printed == "one\ntwo\nthree\n"


def test_open_line_is_ended_with_the_run() -> None:
    run, stderr = printed("def job():\n    print('half', end='')\n    1 / 0")

    assert stderr == "db.job | half\n"
    assert run.printed == "half\n"


def test_output_outside_a_run_is_passed_on_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    stderr = io.StringIO()
    with captured(stderr):
        sys.stdout.write("starting\n")
        sys.stdout.flush()
    sys.stdout.write("after\n")

    assert stderr.getvalue() == "starting\n"
    assert capsys.readouterr().out == "after\n"


@pytest.mark.parametrize(
    ("length", "kept"),
    [
        (KEPT, "x" * (KEPT - 1) + "\n"),
        (KEPT + 1, "x" * KEPT + "\n[cut after 262,144 of 262,145 characters]"),
        (300_000, "x" * KEPT + "\n[cut after 262,144 of 300,000 characters]"),
    ],
)
def test_printed_text_has_a_limit_and_says_so(length: int, kept: str) -> None:
    run, stderr = printed(f"import sys\ndef job():\n    sys.stdout.write('x' * {length - 1})\n    print()")

    assert kept == run.printed
    assert len(stderr) == length + len("db.job | ")


def test_beyond_the_limit_is_marked_once() -> None:
    run, _ = printed("def job():\n    for number in range(20_000):\n        print('a line of text ..')")

    assert (run.printed or "").count("[cut after") == 1
    assert (run.printed or "").endswith("\n[cut after 262,144 of 360,000 characters]")


def test_what_a_run_that_goes_on_has_printed_beyond_the_limit_is_marked_already() -> None:
    output = RunOutput()
    keep(output, "x" * (KEPT + 1))

    assert output.printed[-1] == "\n[more was printed]"


def test_lost_terminal_fails_nobody() -> None:
    stderr = io.StringIO()
    stderr.close()
    run = run_of(plugin("def job():\n    print('one', flush=True)\n    return 1"))
    with captured(stderr):
        result = Stage().call(run)

    assert texts(result) == ["1"]
    assert run.printed == "one\n"


def test_runs_side_by_side_print_into_their_own_records() -> None:
    source = """
        import asyncio
        async def job():
            for _ in range(3):
                print(NAME, end='')
                await asyncio.sleep(0)
    """
    runs = [run_of(plugin(source.replace("NAME", repr(name))), is_async=True) for name in "ab"]
    stage = Stage()

    async def both() -> Any:
        await asyncio.gather(*map(stage.await_, runs))

    with captured(io.StringIO()):
        asyncio.run(both())

    assert [run.printed for run in runs] == ["aaa\n", "bbb\n"]
    assert current.get() is None


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("'a\\nb\\n'", "\nIts output:\na\nb\n"),
        ("b'a\\xff'", "\nIts output:\na\ufffd\n"),
        ("'x\\n' * 30 + 'end'", "\nIts output, the last 20 of 31 lines:\n" + "x\n" * 19 + "end\n"),
    ],
)
def test_what_a_failed_program_printed_ends_the_traceback(output: str, expected: str) -> None:
    failed = failure(called(f"def job():\n    error = OSError('no')\n    error.output = {output}\n    raise error"))

    assert failed.traceback.endswith("OSError: no\n" + expected)
    assert failed.message == "no"


@pytest.mark.parametrize("output", ["None", "''", "'\\n'", "7", "['a']"])
def test_an_exception_without_a_programs_output_is_told_as_it_is(output: str) -> None:
    failed = failure(called(f"def job():\n    error = OSError('no')\n    error.output = {output}\n    raise error"))

    assert failed.traceback.endswith("OSError: no\n")


def test_of_an_endless_iterator_a_sensor_notices_each_item_as_it_comes() -> None:
    noticed: list[object] = []

    def notice(run: Run, value: object) -> None:
        noticed.append(value)
        if len(noticed) == 3:
            raise KeyError("enough")

    run = run_of(lambda: itertools.count(1), emits=("found",))
    result = Stage(emit=notice).call(run)

    assert (noticed, failure(result).kind) == ([1, 2, 3], "KeyError")


def test_what_a_sensor_hands_back_to_be_awaited_is_noticed() -> None:
    stage = Stage()
    run = run_of(plugin("async def fetch():\n    return ['a', 'b']\ndef job():\n    return fetch()"), emits=("found",))
    stage.call(run)

    assert stage.noticed == ["a", "b"]


def test_an_endless_iterator_is_cut_and_the_cut_is_told() -> None:
    [many] = texts(Stage().call(run_of(lambda: itertools.repeat(7))))
    [great] = texts(Stage().call(run_of(lambda: itertools.repeat("x" * 1_000_000))))

    assert many.splitlines()[-2:] == ["7", "… cut: the first 100,000 items"]
    assert great.splitlines()[-2:] == ["… cut: the first 3 of 21 lines", "… cut: the first 21 items"]


def test_what_a_run_started_beside_itself_ends_with_it() -> None:
    stage = Stage()

    stage.call(run_of(lambda **_: None, takes_context=True, number=7))
    stage.call(run_of(lambda: None, number=8))

    assert stage.over == [7]


#: How a sensor may notice something, and what it does in its turn.
SENSORS = [
    ("set('n', 1); return ['a', 'b']", ["noticed a", "noticed b", "kept 1"]),
    ("set('n', 1)", ["kept 1"]),
    ("set('n', 1); return filter(None, ['a', '', 'b'])", ["noticed a", "noticed b", "kept 1"]),
    ("set('n', 1); return {'a': 1, 'b': 2}.keys()", ["noticed a", "noticed b", "kept 1"]),
    ("set('n', 1); return ['a', print, 'b']", ["noticed a", "noticed b", "kept 1"]),
    ("set('n', 1); raise OSError", []),
    ("set('n', 1); yield 'a'; set('n', 2); raise OSError", ["noticed a", "kept 1"]),
    (
        "set('n', 1); yield 'a'; set('n', 2); yield 'b'; set('n', 3)",
        ["noticed a", "kept 1", "noticed b", "kept 2", "kept 3"],
    ),
]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(("source", "expected"), SENSORS)
def test_what_a_sensor_sets_is_kept_once_it_has_noticed(source: str, expected: list[str], *, is_async: bool) -> None:
    """A kill in between must not leave a mark that says that all before it was told of."""
    done: list[str] = []
    stage = Stage(emit=lambda _, value: done.append(f"noticed {value}"))
    key_value_store = KeyValueStore(
        "db", (), write=lambda new: done.extend(f"kept {one.value}" for one in new), now=stage.clock.now
    )
    stage.services = replace(stage.services, key_value_store=lambda _: key_value_store)
    head = "async def" if is_async else "def"
    job = plugin(f"{head} job(ctx): set = ctx.store.set; {source}")
    run = run_of(job, is_async=is_async, takes_context=True, emits=("found",))
    asyncio.run(stage.await_(run)) if is_async else stage.call(run)

    assert done == expected
