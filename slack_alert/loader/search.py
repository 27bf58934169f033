"""Search the plugin files below PATH and those of packs: at the start, and again when something may have changed."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.structs import Struct
from slack_alert.loader.files.discovery import PACKS, PluginFile, PluginTree, find_files, find_tree_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_alert.core.pack import Pack, PackSettings
    from slack_alert.loader.packs.folders import FoundPacks


class PluginSearch(Struct):
    """Finds plugin files, and remembers the packs that it has found; a pack that became faulty stays as it was."""

    #: The folder `plugins`.
    folder: Path
    zone: tzinfo
    #: What the configuration says of packs; None: nothing.
    settings: PackSettings | None = None
    #: The folder of the only pack to read, with nothing else.
    pack: Path | None = None
    #: None: there are no packs, and nothing that reads them is imported.
    found: FoundPacks | None = None

    @property
    def packs(self) -> Mapping[str, Pack]:
        """The packs by name."""
        return self.found.packs if self.found else {}

    @property
    def trees(self) -> tuple[PluginTree, ...]:
        """The plugin files of the packs."""
        return self.found.trees if self.found else ()

    @property
    def every(self) -> tuple[Pack, ...]:
        """All packs, those among them that cannot be loaded."""
        return self.found.every if self.found else ()

    def run(self) -> tuple[list[PluginFile], list[Problem]]:
        """Return the files that may declare jobs, and what is wrong with folders and packs, in order."""
        has_packs = self.settings is not None or self.pack is not None or self.folder.with_name(PACKS).is_dir()
        if not has_packs and self.found is None:
            return find_files(self.folder)
        from slack_alert.loader.packs.folders import NO_PACKS, find_pack, find_packs

        root = self.folder.parent
        found = (
            find_pack(self.pack, root, self.settings, self.zone)
            if self.pack is not None
            else find_packs(root, self.settings, self.zone)
        )
        self.found = found.keeping(self.found or NO_PACKS)
        files, problems = ([], []) if self.pack is not None else self._bare_files()
        problems += self.found.problems
        for tree in self.trees:
            more, faults = find_tree_files(tree)
            files += more
            problems += faults
        return sorted(files, key=lambda file: (file.shown, file.path)), sorted(problems, key=_place)

    def _bare_files(self) -> tuple[list[PluginFile], list[Problem]]:
        """Return the files outside packs; one that has a pack's name is left out, as both would be called alike."""
        if not self.folder.is_dir():
            return [], []
        files, problems = find_files(self.folder)
        taken = [file for file in files if file.parts[0] in self.packs]
        problems += [_taken(file, self.packs[file.parts[0]]) for file in taken]
        return [file for file in files if file not in taken], problems


def _taken(file: PluginFile, pack: Pack) -> Problem:
    said = f"{file.parts[0]} is also the name of a pack, {pack.shown}, and this file is not read"
    return Problem(file.shown, 1, 1, Severity.ERROR, "SA206", said, "Rename one of the two.")


def _place(problem: Problem) -> tuple[str, int, int, str]:
    return problem.file, problem.line, problem.column, problem.code
