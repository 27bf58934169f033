"""Packs written by a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from slack_alert.core.catalog import Catalog
from slack_alert.core.pack import GivenText, PackSection, PackSettings
from slack_alert.core.structs import replace
from slack_alert.loader import OptionDefaults, load, unload
from tests.fakes.plugins import DEFAULTS

MANIFEST = 'name = "{name}"\n'
FUNCTION = "@deco(minutes=5)\ndef f(): return 1\n"


def write_pack(root: Path, name: str, files: Mapping[str, str], manifest: str = "") -> Path:
    """Write a pack, with a manifest that has its name and what is given."""
    folder = root / "packs" / name
    for file, content in {"pack.toml": f'name = "{name}"\n{dedent(manifest)}', **files}.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content), encoding="utf-8")
    return folder


def configured(root: Path, sections: Mapping[str, Mapping[str, str]]) -> OptionDefaults:
    """Return options with these sections [pack.NAME], a line for each section and key."""
    lines = iter(range(1, 1000))
    found: dict[str, PackSection] = {}
    for name, values in sections.items():
        where = f"slack_alert.conf:{next(lines)}"
        texts = {key: GivenText(text, f"slack_alert.conf:{next(lines)}", root) for key, text in values.items()}
        found[name] = PackSection(name, where, texts)
    return replace(DEFAULTS, packs=PackSettings(found))


@contextmanager
def loaded_packs(root: Path, sections: Mapping[str, Mapping[str, str]] | None = None) -> Iterator[Catalog]:
    """Load what is below `root`, and unload it at the end."""
    try:
        yield load(root, configured(root, sections) if sections else DEFAULTS)
    finally:
        unload()
