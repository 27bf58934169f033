"""What all tests share: the kit that plugin authors have, and nothing else."""

from __future__ import annotations

import pytest

from slack_alert import testing_pytest


def pytest_configure(config: pytest.Config) -> None:
    # Where the package is installed, its entry point was here first.
    if not config.pluginmanager.has_plugin("slack_alert"):
        config.pluginmanager.register(testing_pytest, "slack_alert")
