"""The words of the command line, which are read before anything of the standard library is replaced."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def read(words: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description="Simulate the whole program by seeds; 1 where a law is broken, 2 where something was never met.",
    )
    parser.add_argument("--seeds", type=int, default=30, help="how many seeds (30)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--jobs", type=int, default=1, help="in so many processes (1)")
    parser.add_argument("--go-on", action="store_true", help="play the other seeds after one that fails")
    parser.add_argument("--shrink", type=int, default=200, help="so many plays to make one that fails simpler (200)")
    parser.add_argument("--sometimes", action="store_true", help="fail where something was never met")
    parser.add_argument("--seed", type=int, help="this one only, with all that happens in it")
    parser.add_argument("--quiet", action="store_true", help="with --seed: no events")
    parser.add_argument("--faults", help="these faults only, or `none`")
    parser.add_argument("--only", default="", help="only these plugins")
    parser.add_argument("--hours", type=float, help="so many hours with faults")
    parser.add_argument("--mutant", default="", help="plant this fault in the program")
    parser.add_argument("--mutants", action="store_true", help="plant each of them, and print what finds it")
    parser.add_argument("--figures", action="store_true", help="print one line of JSON, as other processes read it")
    return parser.parse_args(words)
