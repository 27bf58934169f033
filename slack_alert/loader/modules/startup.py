"""Execute the plugin files at the start; slow files go on in the background and are taken up when they end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from itertools import groupby

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Problem
from slack_alert.core.errors import GivenUpError
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.guard.process_guard import ProcessGuard, blamed
from slack_alert.loader.modules.background_loading import BackgroundLoading, LoadOptions
from slack_alert.loader.modules.execute import (
    DeclaredFile,
    ExecutedFile,
    attempted,
    executed,
    failed_because,
    import_packages,
)
from slack_alert.loader.modules.importer import PluginFinder
from slack_alert.loader.reload.reimport import Holds, succeed

#: Called after each file with the number of files done and the number of all files.
Progress = Callable[[int, int], None]
#: Returns whether the program can start with these bindings while other files are slow.
Enough = Callable[[Sequence[Binding]], bool]

#: At most this many inert files are executed together.
_TOGETHER = 100


class StartupExecution:
    """Executes all files that declare something."""

    def __init__(
        self,
        reads: Sequence[DeclaredFile],
        finder: PluginFinder,
        options: LoadOptions,
        guard: ProcessGuard,
        progress: Progress | None = None,
    ) -> None:
        self._all = len(reads)
        self.finder = finder
        self._options = options
        self.guard = guard
        self._progress = progress
        self._folders: set[str] = set()
        #: The paths of files that did not end in time at their last execution.
        self.given_up: set[str] = set()
        #: The problems of what files may not do, by path, until they are taken out.
        self.done: dict[str, list[Problem]] = {}
        self._done = 0
        #: Whether all results were returned.
        self._is_taken = False
        for read in reads:
            finder.expect(read.file, read.reading)
        self._batches = list(_batches(reads, finder.inert))
        self._loading = BackgroundLoading([batch[0][1].file for batch in self._batches], self._load, options)

    def run(self, problems: list[Problem], is_enough: Enough) -> list[Binding]:
        """Execute the files and return their bindings; slow files are left out if `is_enough` allows it."""
        bindings: list[Binding] = []

        def has_enough() -> bool:
            self._collect(bindings, problems)
            return is_enough(bindings)

        self._loading.run(has_enough)
        self._is_taken = self.is_over  # Before collecting: files that end after this are returned by `drain`.
        self._collect(bindings, problems)
        self._tell(self._all)
        self._let_go()
        return bindings

    def drain(self) -> list[tuple[DeclaredFile, ExecutedFile]]:
        """Return the files that have ended since, with their results."""
        if self._is_taken:
            return []
        self._is_taken = self.is_over  # Before draining: files that end after this are returned by the next call.
        self._loading.give_up_late()
        ended = list(self._ended())
        self._let_go()
        return ended

    def again(self, files: Mapping[str, PluginFile], holds: Holds) -> dict[str, BaseException]:
        """Execute files again, by their modules, as `succeed` does; return the exceptions they raised."""
        modules = list(files)

        def attempt(index: int) -> BaseException | None:
            module = modules[index]
            error, done = self.guard.call(partial(attempted, import_module, module), files[module])
            self.done[files[module].path] = done
            return error

        def execute() -> dict[str, BaseException]:
            loading = BackgroundLoading(list(files.values()), attempt, self._options)
            loading.run()
            return {modules[index]: error for index, error in loading.drain().items() if error is not None}

        errors = succeed(modules, execute, self.finder.registrations, holds)
        paths = {files[module].path for module, error in errors.items() if isinstance(error, GivenUpError)}
        self.given_up = self.given_up - {file.path for file in files.values()} | paths
        return errors

    @property
    def is_over(self) -> bool:
        """Whether no file is still loading."""
        return self._loading.is_over

    def _let_go(self) -> None:
        """Free the readings of the files, once all results were returned."""
        if self._is_taken:
            self.finder.forget()
            self._batches.clear()

    def _collect(self, bindings: list[Binding], problems: list[Problem]) -> None:
        for _, loaded in self._ended():
            bindings += loaded.bindings
            problems += loaded.problems

    def _ended(self) -> Iterator[tuple[DeclaredFile, ExecutedFile]]:
        """Yield the files that have ended since the last call, with their results."""
        for index, result in self._loading.drain().items():
            reads = [read for _, read in self._batches[index]]
            results = self._given_up(reads, result) if isinstance(result, GivenUpError) else result
            yield from zip(reads, results, strict=True)

    def _given_up(self, reads: Sequence[DeclaredFile], error: GivenUpError) -> list[ExecutedFile]:
        self.given_up.update(read.file.path for read in reads)
        return [ExecutedFile([], [failed_because(read.file, error)]) for read in reads]

    def _load(self, index: int) -> list[ExecutedFile]:
        return [self._load_file(read, place) for place, read in self._batches[index]]

    def _load_file(self, read: DeclaredFile, place: int) -> ExecutedFile:
        problems = list[Problem]()
        if read.file.path in self.finder.inert and read.file.folder in self._folders:
            bindings = self._execute(read, problems)
        else:
            bindings, done = self.guard.call(partial(self._execute, read, problems), read.file)
            problems += blamed(read, done)
        self._tell(place)
        return ExecutedFile(bindings, problems)

    def _tell(self, done: int) -> None:
        while self._progress and self._done < done:
            self._done += 1
            self._progress(self._done, self._all)

    def _execute(self, read: DeclaredFile, problems: list[Problem]) -> list[Binding]:
        if read.file.folder not in self._folders:
            self._folders.add(read.file.folder)
            import_packages(read.file, self.finder, problems)
        return executed(read, self.finder, problems)


def _batches(reads: Sequence[DeclaredFile], inert: Collection[str]) -> Iterator[list[tuple[int, DeclaredFile]]]:
    """Yield the files to execute, each with the number of files done after it; consecutive inert files together."""
    folders: set[str] = set()

    def batch(placed: tuple[int, DeclaredFile]) -> int:
        place, read = placed
        # The first file of a folder executes its packages, which may take long.
        is_alone = read.file.path not in inert or read.file.folder not in folders
        folders.add(read.file.folder)
        return -place if is_alone else place // _TOGETHER

    executed = [(place, read) for place, read in enumerate(reads, 1) if read.is_executed]
    for _, together in groupby(executed, batch):
        yield list(together)
