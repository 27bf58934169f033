"""Find the jobs that a person names, or the reason why there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property

from slack_alert.core.bindings import Binding, Job
from slack_alert.core.catalog import LISTING, Catalog, Problem, Severity, full_name
from slack_alert.core.errors import BadValue, SettingsError, SlackAlertError
from slack_alert.core.units.names import alike, composed
from slack_alert.engine.batches import Snapshot

#: The number of a file's problems that are shown with a name that was not found because of them.
_TOLD = 3


class JobLookup:
    """Finds jobs by their names as people type them; the plugins are read once, and only if they are needed."""

    def __init__(self, survey: Callable[[], Catalog], source: Callable[[str], str], *, listing: str = LISTING) -> None:
        """`source` returns the text of a plugin file, empty if it cannot be read; `listing` lists all names."""
        self._listing = listing
        self._survey = survey
        self._source = source

    @cached_property
    def catalog(self) -> Catalog:
        """What the plugins declare; raise SettingsError if there is no folder of them."""
        return self._survey()

    def jobs(self, said: str) -> list[Job]:
        """Return the jobs that match a full name, a last part or a pattern such as `db.*`; raise BadValue for none."""
        jobs = {job.name: job for job in self.catalog.jobs}
        try:
            return [jobs[name] for name in _resolve_all(said, list(jobs), listing=self._listing)]
        except BadValue:
            self._check_files(said)
            raise

    def binding(self, said: str) -> Binding:
        """Return the binding with a full name or a last part.

        Raise BadValue if there is none, and SlackAlertError if a file that may define it does not load.
        """
        try:
            return self.catalog.lookup(said, listing=self._listing)
        except BadValue:
            self._check_files(said)
            raise

    def recorded(self, said: str | None, snapshot: Snapshot) -> list[str] | None:
        """Return the present and former jobs that match, as `jobs` does; None stands for all.

        Raise SettingsError if there is neither a folder of plugins nor any history: the path may be wrong.
        """
        if said is None and snapshot.last_run:
            return None
        catalog, former = self._recorded(snapshot)
        return _resolve_all(said, _names(catalog), former, listing=self._listing) if said else None

    def recorded_job(self, said: str, snapshot: Snapshot) -> tuple[str, Job | None]:
        """Return the name of a present or former job, and the job, which is None if no plugin declares it any more."""
        catalog, former = self._recorded(snapshot)
        name = _resolve(said, _names(catalog), former, listing=self._listing)
        return name, next((job for job in catalog.jobs if job.name == name), None)

    def _recorded(self, snapshot: Snapshot) -> tuple[Catalog, list[str]]:
        """Return the catalog, empty if only history is there, and the names of former jobs."""
        recorded = {*snapshot.seen, *snapshot.states, *snapshot.holds}
        try:
            catalog = self.catalog
        except SettingsError:
            if not recorded:
                raise
            catalog = Catalog()
        return catalog, sorted(recorded.difference(_names(catalog)))

    def _check_files(self, name: str) -> None:
        """Raise SlackAlertError if no binding has this name and a file that may define it has errors."""
        if any(binding.name == name or binding.name.endswith(f".{name}") for binding in self.catalog.bindings):
            return
        if found := list(self._obstacles(name)):
            told = "\n".join(map(str, found[:_TOLD]))
            raise SlackAlertError(f"{name} is in no file that can be used:\n{told}")

    def _obstacles(self, name: str) -> Iterator[Problem]:
        """Yield the errors of files that may define a function of this name."""
        last = re.escape(name.rpartition(".")[2])
        defined = re.compile(rf"""\bdef\s+{last}\b|['\"]{last}['\"]""")
        for problem in self.catalog.problems:
            is_its = name.startswith(f"{_name_of(problem.file)}.") or (
                "." not in name and defined.search(self._source(problem.file)) is not None
            )
            if problem.severity is Severity.ERROR and is_its:
                yield problem


def _name_of(file: str) -> str:
    """Return the name of the functions of a file, or of the pack that it is in."""
    top, _, inside = file.removeprefix("slack_alert/").partition("/")
    if top == "packs":
        return inside.partition("/")[0]
    return file.removeprefix("plugins/").removesuffix(".py").replace("/", ".")


def _names(catalog: Catalog) -> list[str]:
    return list(dict.fromkeys(binding.name for binding in catalog.bindings))


def _resolve(said: str, present: Sequence[str], former: Sequence[str] = (), *, listing: str) -> str:
    """Return the job with a full name or last part; a last part means a former job only if no present job has it."""
    said = composed(said)
    is_there = said not in map(composed, former) and any(composed(name).endswith(f".{said}") for name in present)
    return full_name(said, present if is_there else [*present, *former], listing=listing)


def _resolve_all(said: str, present: Sequence[str], former: Sequence[str] = (), *, listing: str) -> list[str]:
    said = composed(said)
    if not any(sign in said for sign in "*?["):
        return [_resolve(said, present, former, listing=listing)]
    names = [*present, *former]
    found = [name for name in names if fnmatchcase(composed(name), said)]
    if not found:
        near = _near(said, names)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"`{listing}` lists them."
        raise BadValue(f"No job is called like {said!r}.", hint=hint)
    return found


def _near(said: str, names: list[str]) -> list[str]:
    """Return similar names, and patterns for whole files."""
    patterns = [f"{file}.*" for file in dict.fromkeys(name.rpartition(".")[0] for name in names)]
    return alike(said, [*patterns, *names, *(name.rpartition(".")[2] for name in names)], most=3)
