"""A folder of plugins that a test edits while it runs."""

from __future__ import annotations

from pathlib import Path

from slack_alert.core.catalog import Catalog, CatalogChange
from slack_alert.loader import Plugins, find_plugins, open_plugins
from slack_alert.loader.files.changes import UNFINISHED
from slack_alert.loader.reload.plugins import GRACE
from tests.fakes.plugins import DEFAULTS, write


class Desk:
    """A folder of plugins that runs, and a clock that the test moves."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._passed = 0.0
        self.plugins: Plugins

    def load(self, **files: str) -> None:
        self.write(**files)
        self.plugins = open_plugins(find_plugins(self._root), lambda: DEFAULTS)

    def write(self, **files: str) -> None:
        write(self._root, {f"{name}.py": content for name, content in files.items()})

    def path(self, name: str) -> Path:
        return self._root / "plugins" / name

    def wait(self) -> None:
        self._passed += GRACE

    def reload(self) -> CatalogChange | None:
        change = self.plugins.reload(self._passed)
        if change is not None and not change.has_news:  # It may be written still.
            self._passed += UNFINISHED
            change = self.plugins.reload(self._passed)
        return change

    def seen_after(self, seconds: float) -> bool:
        """Let time pass, and tell whether something was taken up then."""
        self._passed += seconds
        change = self.plugins.reload(self._passed)
        return change is not None and change.has_news

    def change(self, **files: str) -> CatalogChange:
        self.write(**files)
        change = self.reload()
        assert change is not None, "nothing changed"
        return change

    @property
    def catalog(self) -> Catalog:
        return self.plugins.catalog

    @property
    def codes(self) -> list[str]:
        return [f"{problem.file} {problem.code}" for problem in self.catalog.problems]
