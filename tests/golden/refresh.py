"""Renew what is kept: `python -m tests.golden.refresh`, then read the difference with `git diff`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.golden import imports


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        imports.KEPT.write_text(imports.imports(Path(place)), encoding="utf-8")


if __name__ == "__main__":
    main()
