"""How the suite is spread over processes: test by test, but for files whose tests share programs that run for long."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

#: Begun once by the first test that looks at them; each process of the suite would begin them anew.
SHARING = (
    "tests/acceptance/test_example.py",
    "tests/acceptance/test_runs_that_hang.py",
    "tests/acceptance/test_wheel.py",
    "tests/contract/test_schedulers.py",
)


class Distribution(LoadScopeScheduling):  # type: ignore[misc]  # the library leaves out a type
    """Hands out one test after the other, and those files whole."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in SHARING else nodeid
