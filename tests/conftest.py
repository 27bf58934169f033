"""What all tests share: the kit that plugin authors have, and nothing else."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import settings

from slack_alert import testing_pytest
from tests.left_behind import refuse_loaded_plugins

# No test fails because a machine is slow.
settings.register_profile("usual", deadline=None, max_examples=10)
settings.register_profile("thorough", deadline=None, max_examples=100)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        default=bool(os.environ.get("CI")),
        help="also what is marked `thorough`, and ten times the examples of each law; so it is where CI is set",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make no tests of the rows of a table that only a thorough run has: each process of the suite would make them."""
    if metafunc.config.getoption("thorough"):
        return
    parametrize = metafunc.parametrize

    def without_thorough(names: Any, values: Iterable[Any], *args: Any, **options: Any) -> None:
        rows = list(values)
        usual = [row for row in rows if not any(mark.name == "thorough" for mark in getattr(row, "marks", ()))]
        is_named = isinstance(options.get("ids"), Sequence)  # one by one, in the order of the rows
        parametrize(names, rows if is_named or not usual else usual, *args, **options)

    metafunc.parametrize = without_thorough  # type: ignore[method-assign, assignment]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a thorough run has."""
    if not config.getoption("thorough"):
        left_out = [item for item in items if item.get_closest_marker("thorough")]
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=left_out)


def pytest_configure(config: pytest.Config) -> None:
    # Else each of the many programs that tests start would compile everything anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    gc.disable()  # What is collected stays, and looking through it again and again is a quarter of the time it takes.
    settings.load_profile("thorough" if config.getoption("thorough") else "usual")
    # A shell lets what it starts in the background ignore Ctrl+C, and all that is started from there as well.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Where the package is installed, its entry point was here first.
    if not config.pluginmanager.has_plugin("slack_alert"):
        config.pluginmanager.register(testing_pytest, "slack_alert")


def pytest_sessionstart(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):
        from tests.distribution import send_less

        send_less(session.config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Generator[None]:
    """Look at what is left when all fixtures of the test are over."""
    yield
    refuse_loaded_plugins()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Spread the tests over processes."""
    from tests.distribution import Distribution

    return Distribution(config, log)
