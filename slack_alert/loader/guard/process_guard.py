"""Prevent changes that a plugin makes to the whole process from stopping the program's other work."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.model.run import Isolation
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.guard.forbidden_calls import HINT, ForbiddenCalls
from slack_alert.loader.guard.library_patches import remove_hooks
from slack_alert.loader.guard.process_state import ProcessState, own_tracing
from slack_alert.loader.modules.execute import DeclaredFile

T = TypeVar("T")


class ProcessGuard:
    """Refuses what could not be undone, and undoes the rest: after each file, and while the program runs."""

    def __init__(self, scheduler: str) -> None:
        remove_hooks()
        self._process = os.getpid()
        self._fences = ForbiddenCalls(scheduler)
        self._fences.install()
        self._state = ProcessState()
        #: Messages already reported about functions, which may repeat the change with each run.
        self._said: set[str] = set()

    def call(self, load: Callable[[], T], file: PluginFile) -> tuple[T, list[Problem]]:
        """Execute a file by `load`; return its result, and the problems of what the file may not do."""
        with self._fences.around_file(), own_tracing():
            result = load()
        if os.getpid() != self._process:
            os._exit(0)  # It forked and both returned: the child must not go on as a second program.
        if not self._fences.is_up:  # The plugins were unloaded while it was loading.
            return result, []
        refused, changed = self._fences.drain(), self._state.restored()
        undone = [f"while loading, it changed {each}, for the whole program: undone" for each in changed]
        said = [*refused, *((each, HINT) for each in undone)]
        return result, [Problem(file.shown, 1, 1, Severity.WARNING, "SA105", each, hint) for each, hint in said]

    def restore(self) -> list[str]:
        """Undo changes by functions that would stop others; return new messages about them."""
        changed = self._state.restored(is_running=True)
        said = [f"a plugin has changed {each}, for the whole program: undone" for each in changed]
        said += [f"of a plugin, {each}. {hint}" for each, hint in self._fences.drain()]
        new = [each for each in said if each not in self._said]
        self._said.update(new)
        return new


def blamed(read: DeclaredFile, problems: Sequence[Problem]) -> Sequence[Problem]:
    """Return the problems to report for a file: none if all its functions run in processes of their own."""
    return () if problems and _is_isolated(read) else problems


def _is_isolated(read: DeclaredFile) -> bool:
    bindings = [binding for plan in read.plans if plan for binding in plan.bindings()]
    return all(isinstance(each, Job) and each.run_options.isolation is Isolation.PROCESS for each in bindings)
