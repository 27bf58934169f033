"""What older versions left on disk is read, and gone on with, by this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.difference import difference
from tests.golden.refresh import ARCHIVES, HISTORIES, kept_history, read, read_history


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.name.removesuffix(".tar.xz"))
def test_what_a_version_left_is_gone_on_with(archive: Path, tmp_path: Path) -> None:
    kept = archive.with_name(archive.name.replace(".tar.xz", ".txt"))

    assert difference(kept.read_text(encoding="utf-8"), read(archive, tmp_path / "read.txt")) == ""


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize("archive", HISTORIES, ids=lambda archive: archive.name.removesuffix(".tar.xz"))
def test_what_is_asked_of_a_history_that_a_version_has_written_is_answered_as_it_was(
    archive: Path, tmp_path: Path
) -> None:
    kept = archive.with_name(archive.name.replace(".tar.xz", ".txt.xz"))

    assert difference(kept_history(kept), read_history(archive, tmp_path / "read.txt.xz")) == ""
