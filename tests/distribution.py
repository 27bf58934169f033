"""How the suite is spread over processes: test by test, but for files whose tests share programs, or are quick."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

#: Quick ones are handed out by the file, and come last: to hand out a test takes as long as most of these do.
QUICK = "tests/unit/"
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

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in SHARING or file.startswith(QUICK) else nodeid
