"""Many new files are read by two processes; each test is a program of its own, because threads forbid it here."""

from __future__ import annotations

import subprocess
import sys
from ast import literal_eval
from pathlib import Path
from textwrap import dedent

from tests.fakes.plugins import write

HEAD = """
    import os
    import sys
    from slack_alert.loader.reading.prefetch import Prefetcher
    from slack_alert.loader.files.discovery import PluginFile

    files = [PluginFile(f"/plugins/{number}.py", (str(number),)) for number in range(300)]
    read, (seen, seeing) = [], os.pipe()


    def look(file):
        os.write(seeing, b".")
        read.append(file.name)


    def sealed():
        return " ".join(read).encode()
"""


def said(program: str) -> list[str]:
    """Run a program on three hundred files; return the lines it prints."""
    words = [sys.executable, "-c", dedent(HEAD) + dedent(program)]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.splitlines()


def test_two_processes_read_every_file_from_both_ends() -> None:
    met, theirs, ours = said("""
        ahead = Prefetcher(files, look, sealed)
        os.read(seen, 1)  # The other one has begun.
        ours = []
        for file in files:
            if ahead.has_reached(file):
                break
            ours.append(file.name)
        theirs = ahead.results().decode().split()
        print(set(ours) | set(theirs) == {file.name for file in files})
        print(theirs == [file.name for file in files[: -len(theirs) - 1 : -1]])
        print(len(ours) + len(theirs) <= len(files) + 1)
    """)

    assert (met, theirs, ours) == ("True", "True", "True")


def test_where_this_one_was_slow_the_other_has_read_everything() -> None:
    assert said("""
        ahead = Prefetcher(files, look, sealed)
        for _ in files:
            os.read(seen, 1)
        print(ahead.has_reached(files[0]), len(ahead.results().split()))
    """) == ["True 300"]


def test_a_file_it_was_not_given_is_met_nowhere() -> None:
    assert said("""
        ahead = Prefetcher(files, look, sealed)
        for _ in files:
            os.read(seen, 1)
        print(ahead.has_reached(PluginFile("/plugins/other.py", ("other",))), len(ahead.results().split()))
    """) == ["False 300"]


def test_a_second_process_that_fails_leaves_everything_to_this_one() -> None:
    assert said("""
        def fail(file):
            raise MemoryError

        ahead = Prefetcher(files, fail, sealed)
        print(ahead.results())
    """) == ["b''"]


def test_it_ends_with_the_program_that_began_it() -> None:
    # The second process has the output open, too: it is read to its end.
    assert said("""
        import time


        def wait(file):
            look(file)
            time.sleep(0.1)


        ahead = Prefetcher(files, wait, sealed)
        os.read(seen, 1)
        print("gone")
        sys.stdout.flush()
        os._exit(0)
    """) == ["gone"]


def test_it_waits_for_nobody_who_is_gone() -> None:
    assert said("""
        ahead = Prefetcher(files[:1], look, lambda: bytes(10_000_000))
        os.read(seen, 1)
        print("gone")
        sys.stdout.flush()
        os._exit(0)
    """) == ["gone"]


def test_an_interrupt_never_makes_it_the_program() -> None:
    assert said("""
        def interrupt(file):
            raise KeyboardInterrupt

        try:
            ahead = Prefetcher(files, interrupt, sealed)
        finally:
            print("once")
            sys.stdout.flush()
        print(ahead.results())
    """) == ["once", "b''"]


def test_many_files_say_the_same_read_by_two_processes_and_from_the_cache(tmp_path: Path) -> None:
    source = "@deco(hours=1)\ndef f(): return {0}\n@deco(hour=1)\ndef g(): ...\n"
    write(tmp_path, {f"f{number}.py": source.format(number) for number in range(250)})

    said_first, said_again = said(f"""
        from pathlib import Path
        from slack_alert.loader import load
        from tests.fakes.plugins import DEFAULTS

        for _ in range(2):
            catalog = load(Path({str(tmp_path)!r}), DEFAULTS, cache=Path({str(tmp_path / "cache")!r}))
            values = [[one.name, one.action.function()] for one in catalog.bindings]
            print([values, [str(problem) for problem in catalog.problems]])
    """)

    values, problems = literal_eval(said_first)
    assert said_again == said_first
    assert sorted(value for _, value in values) == list(range(250))
    assert len(problems) == 250
