"""What a test must not leave to the next one in its process."""

from __future__ import annotations

import sys

import pytest


def refuse_loaded_plugins() -> None:
    """Fail where plugins are loaded still, having unloaded them: else a later test fails that has done nothing.

    Finders are looked at by their names, as a test that loads no plugins is not to import the loader.
    """
    left = [finder for finder in sys.meta_path if type(finder).__module__.startswith("slack_alert.")]
    if left:
        sys.modules["slack_alert.loader"].unload()
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in left]
        names = ", ".join(type(finder).__name__ for finder in left)
        pytest.fail(f"plugins are still loaded ({names} in sys.meta_path): call `unload()`", pytrace=False)
