"""Find the packs: folders below PATH/packs, and those that come with the program or with another distribution."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path

import slack_alert
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.errors import BadValue
from slack_alert.core.pack import Manifest, Pack, PackSection, PackSettings
from slack_alert.core.structs import Struct, field, replace
from slack_alert.core.units.names import suggestion
from slack_alert.loader.files.discovery import PACKS, PluginTree
from slack_alert.loader.packs.configuration import check_config
from slack_alert.loader.packs.environment import NO_ENVIRONMENT, find_environment
from slack_alert.loader.packs.manifest import MANIFEST, read_manifest
from slack_alert.loader.packs.source_record import source_of
from slack_alert.loader.packs.toml_text import read_toml

#: Packs that load by themselves, and are no plugin folders with a manifest.
_BUILT_IN = frozenset({"chat"})


class PackFolder(Struct, frozen=True):
    """The folder of a pack, which may have faults."""

    name: str
    path: Path
    #: As shown to people.
    shown: str
    #: `folder`, `shipped` or `installed`.
    origin: str


class FoundPacks(Struct, frozen=True):
    """The packs of a configuration."""

    #: Those that can be loaded, by name.
    packs: Mapping[str, Pack] = field(default_factory=dict)
    #: All folders that were found, by name.
    folders: Mapping[str, PackFolder] = field(default_factory=dict)
    #: Those that cannot be loaded.
    faulty: tuple[Pack, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def every(self) -> tuple[Pack, ...]:
        """All packs, those among them that cannot be loaded."""
        return (*self.packs.values(), *(pack for pack in self.faulty if pack.name not in self.packs))

    def keeping(self, former: FoundPacks) -> FoundPacks:
        """Return these packs, and the former version of each whose folder is there and cannot be loaded now."""
        kept = {name: pack for name, pack in former.packs.items() if name in self.folders and name not in self.packs}
        if not kept:
            return self
        # In the order of the folders.
        packs = {name: pack for name in self.folders if (pack := self.packs.get(name) or kept.get(name)) is not None}
        return replace(self, packs=packs)

    @property
    def trees(self) -> tuple[PluginTree, ...]:
        """The plugin files of the packs."""
        return tuple(
            PluginTree(pack.folder, f"{PACKS}.{pack.name}", pack.shown, pack.name, is_isolated=bool(pack.python))
            for pack in self.packs.values()
        )


NO_PACKS = FoundPacks()


def find_packs(root: Path, settings: PackSettings | None, zone: tzinfo) -> FoundPacks:
    """Return the packs below `root`, and the others that the configuration has a section for."""
    settings = settings or PackSettings()
    folders = {each.name: each for each in own_folders(root)}
    problems: list[Problem] = []
    if not settings.is_empty:
        folders = _with_others(folders, settings, problems)
    sections = settings.of(list(folders))
    problems += _unknown_sections(folders, settings, problems)
    reading = _Reading(root, zone, sections)
    found = [reading.read(folder) for folder in folders.values()]
    packs = {pack.name: pack for pack in found if pack.fault is None}
    faulty = tuple(pack for pack in found if pack.fault is not None)
    return FoundPacks(packs, folders, faulty, (*problems, *reading.problems))


def find_pack(folder: Path, root: Path, settings: PackSettings | None, zone: tzinfo) -> FoundPacks:
    """Return the pack in a folder alone, which need not lie below `root` nor have the pack's name."""
    name = name_in(folder)
    found = PackFolder(name, folder, f"{PACKS}/{name}", "folder")
    reading = _Reading(root, zone, (settings or PackSettings()).of([name]))
    pack = reading.read(found)
    packs, faulty = ({}, (pack,)) if pack.fault else ({name: pack}, ())
    return FoundPacks(packs, {name: found}, faulty, tuple(reading.problems))


def name_in(folder: Path) -> str:
    """Return the name that a pack's manifest has; that of the folder where it has none."""
    try:
        written = read_toml((folder / MANIFEST).read_text(encoding="utf-8-sig")).get("name")
    except (OSError, UnicodeDecodeError, BadValue):
        written = None
    return written if isinstance(written, str) and written else folder.name


def own_folders(root: Path) -> Iterator[PackFolder]:
    """Yield the folders below PATH/packs that have a manifest or may be meant to have one, in the order of names."""
    top = root.absolute() / PACKS
    try:
        with os.scandir(top) as entries:
            names = sorted(entry.name for entry in entries if _may_be_pack(entry))
    except OSError:
        return
    for name in names:
        yield PackFolder(name, top / name, f"{PACKS}/{name}", "folder")


def _may_be_pack(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith((".", "_")) or not entry.is_dir():
        return False
    try:
        names = os.listdir(entry.path)  # noqa: PTH208 - as for plugin files
    except OSError:
        return True  # Reading the manifest tells why.
    # Without a manifest it may be a pack of another product, or one that is being made.
    return MANIFEST in names or ("pack.yaml" not in names and any(not name.startswith(".") for name in names))


def _with_others(
    own: Mapping[str, PackFolder], settings: PackSettings, problems: list[Problem]
) -> dict[str, PackFolder]:
    """Return the folders with those of packs that the configuration names and that lie elsewhere."""
    shipped = dict(_shipped())
    named = [name for name in settings.of([*shipped, *own]) if name in shipped]
    problems += [_replacing(own[name]) for name in named if name in own]
    folders = {**{name: shipped[name] for name in named}, **own}
    others = settings.sections.keys() - folders.keys() - _BUILT_IN
    if others:
        from slack_alert.loader.packs.installed import installed_packs

        for name, found in installed_packs(others):
            if isinstance(found, Problem):
                problems.append(found)
            elif name not in folders:
                folders[name] = PackFolder(name, found, f"(installed)/{name}", "installed")
    return dict(sorted(folders.items()))


def _replacing(folder: PackFolder) -> Problem:
    said = f"this folder replaces the pack {folder.name} that comes with the program"
    hint = "Rename the folder to have both, or remove it for the one that comes with the program."
    return Problem(f"{folder.shown}/{MANIFEST}", 1, 1, Severity.NOTICE, "SA406", said, hint)


def _shipped() -> Iterator[tuple[str, PackFolder]]:
    """Yield the packs that come with the program."""
    top = Path(slack_alert.__path__[0]) / PACKS
    for place in sorted(top.iterdir()):
        if (place / MANIFEST).is_file():
            yield place.name, PackFolder(place.name, place, f"slack_alert/{PACKS}/{place.name}", "shipped")


def _unknown_sections(
    folders: Mapping[str, PackFolder], settings: PackSettings, problems: Sequence[Problem]
) -> Iterator[Problem]:
    broken = [each.message for each in problems if each.code == "SA407"]
    for name, section in settings.sections.items():
        if name not in folders and name not in _BUILT_IN and not any(f" pack {name}," in said for said in broken):
            file, _, line = section.where.rpartition(":")
            said = f"there is no pack {name}"
            hint = (
                suggestion(name, list(folders)) if folders else f"Put it into {PACKS}/{name}, or take the section out."
            )
            yield Problem(file, int(line), 1, Severity.WARNING, "SA403", said, hint)


class _Reading(Struct):
    """Reads manifests, and gathers what is wrong with them and with the configuration of their packs."""

    root: Path
    zone: tzinfo
    sections: Mapping[str, PackSection]
    problems: list[Problem] = field(default_factory=list)

    def read(self, folder: PackFolder) -> Pack:
        """Return the pack in a folder, with the fault that keeps it out, if any."""
        manifest, faults = _manifest(folder)
        checked = check_config(manifest, self.sections.get(folder.name), self.root, self.zone) if manifest else None
        environment = find_environment(folder.path, folder.shown) if folder.origin == "folder" else NO_ENVIRONMENT
        faults = [*faults, *(checked.problems if checked else ()), *environment.faults]
        self.problems += [*faults, *environment.warnings]
        source = source_of(folder.path) if folder.origin == "folder" else None
        named = manifest or Manifest(folder.name)
        pack = Pack(named, folder.shown, str(folder.path), folder.origin, str(source) if source else "")
        pack = replace(pack, config=checked.config, python=environment.python) if checked else pack
        return replace(pack, fault=(faults[0].code, faults[0].message)) if faults else pack


def _manifest(folder: PackFolder) -> tuple[Manifest | None, list[Problem]]:
    shown = f"{folder.shown}/{MANIFEST}"
    try:
        text = (folder.path / MANIFEST).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        hint = f'Write one with name = "{folder.name}" in it, or move the folder out of {PACKS}/.'
        return None, [Problem(shown, 1, 1, Severity.ERROR, "SA401", "the file is missing", hint)]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        return None, [Problem(shown, 1, 1, Severity.ERROR, "SA401", f"it cannot be read: {why}", "Correct it.")]
    return read_manifest(text, folder.name, shown)
