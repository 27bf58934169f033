"""What all tests share: the kit that plugin authors have, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import settings

from slack_alert import testing_pytest

# No test fails because a machine is slow.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    # Where the package is installed, its entry point was here first.
    if not config.pluginmanager.has_plugin("slack_alert"):
        config.pluginmanager.register(testing_pytest, "slack_alert")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Spread the tests over processes."""
    from tests.distribution import Distribution

    return Distribution(config, log)
