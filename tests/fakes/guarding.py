"""Guards made of functions of a test, and what calls them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

from slack_alert.core.commands.command import Guard
from slack_alert.core.model.run import Action, Run
from slack_alert.engine.ports import RunHost
from slack_alert.executors.direct import DirectExecutor


class OnThread(DirectExecutor):
    """Calls on another thread, as the pool does, and waits for it."""

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        thread = threading.Thread(target=super().submit, args=(runs, host))
        thread.start()
        thread.join()


Function = Callable[..., Any]  # Any: a guard returns anything


def guard(function: Function, *words: str, name: str = "freeze") -> Guard:
    code = function.__code__
    takes = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    is_async = asyncio.iscoroutinefunction(function)
    action = Action(
        f"rules.{name}", "plugins/rules.py", 1, None, function, "ctx" in takes, is_async, tuple(set(takes) - {"ctx"})
    )
    return Guard(f"rules.{name}", action, words or ("*",))
