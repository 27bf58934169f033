"""How the suite is spread over processes: test by test, but for files whose tests share programs, or are quick."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

#: Quick ones are handed out by the file, and come last: to hand out a test takes as long as most of these do.
QUICK = "tests/unit/"
#: Of those the ones that wait for programs and time limits, each test as long as a file of the others.
WAITING = (
    "tests/unit/engine/app/test_shutdown.py",
    "tests/unit/engine/context/test_context.py",
    "tests/unit/loader/modules/test_background_loading.py",
)
#: Begun once by the first test that looks at them; each process of the suite would begin them anew.
SHARING = (
    "tests/acceptance/plugins/test_example.py",
    "tests/acceptance/plugins/test_runs_that_hang.py",
    "tests/acceptance/test_wheel.py",
    "tests/contract/executors/test_isolated.py",
    "tests/contract/test_schedulers.py",
    "tests/golden/test_golden.py",
)


class Distribution(LoadScopeScheduling):  # type: ignore[misc]  # the library leaves out a type
    """Hands out one test after the other, and those files whole, in the order in which they are collected."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False
        self._places: dict[str, int] = {}

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        is_whole = file in SHARING or (file.startswith(QUICK) and file not in WAITING)
        return file if is_whole else nodeid

    # The library looks through all that a process has done, and for the place of a test through all tests, each time;
    # with thousands of them that takes this process longer than the reports do.

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:  # noqa: ARG002 - the library's
        test = self.registered_collections[node][item_index]
        assigned, scope = self.assigned_work[node], self._split_scope(test)
        del assigned[scope][test]
        if not assigned[scope]:
            del assigned[scope]
        self._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._places:
            self._places = {test: place for place, test in enumerate(self.registered_collections[node])}
        scope, tests = self.workqueue.popitem(last=False)
        self.assigned_work[node][scope] = tests
        node.send_runtest_some([self._places[test] for test in tests])


def send_less(config: pytest.Config) -> None:
    """Let this process tell the one that hands out the tests of no beginning, and of no preparation that went well.

    Of each test it tells six times, and to say, read and count all that is a tenth of what the suite takes.
    """
    if config.getoption("durations") or config.getoption("xmlpath") or config.getoption("verbose") > 0:
        return  # There they are looked at.
    for plugin in config.pluginmanager.get_plugins():
        if type(plugin).__name__ == "WorkerInteractor":  # The class is made anew in each process.
            plugin.sendevent = _without_the_usual(plugin.sendevent)


def _without_the_usual(send: Any) -> Any:
    def sendevent(name: str, **told: Any) -> None:
        report = told["data"] if name == "testreport" else None
        if name != "logstart" and not (report and report["when"] != "call" and report["outcome"] == "passed"):
            send(name, **told)

    return sendevent
