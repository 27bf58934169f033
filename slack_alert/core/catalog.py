"""Everything the plugins declared: the bindings by name or by the events they want, and the problems on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import Enum

from slack_alert.core.bindings import Binding, Job
from slack_alert.core.errors import BadValue
from slack_alert.core.events import Event
from slack_alert.core.excerpts import abridged
from slack_alert.core.structs import Struct, derive
from slack_alert.core.units.names import alike, composed

#: In characters; most problems are not looked at any closer.
_LONG = 500


class Severity(str, Enum):
    """How much a problem weighs; an error keeps its function (or file) out."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"

    def __str__(self) -> str:
        """Return the word users see."""
        return self.value


class Problem(Struct, frozen=True):
    """A fault in a plugin file, with the place and what to do."""

    #: Below PATH, `/` between folders.
    file: str
    line: int
    #: In characters, from 1.
    column: int
    severity: Severity
    code: str
    message: str
    hint: str = ""

    def __post_init__(self) -> None:
        if len(self.message) + len(self.hint) > _LONG:
            derive(self, "message", abridged(self.message))
            derive(self, "hint", abridged(self.hint))

    def __str__(self) -> str:
        """Return the one line people and editors read."""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.severity}: {self.message}{hint}"


class Catalog(Struct, frozen=True):
    """All bindings, in the order of the files."""

    bindings: tuple[Binding, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The bindings that run by themselves."""
        return tuple([binding for binding in self.bindings if isinstance(binding, Job)])

    @property
    def has_errors(self) -> bool:
        """Whether any problem is an error."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def lookup(self, name: str) -> Binding:
        """Find a binding by its full name, or by its last part where that is unique; else raise BadValue."""
        names = [binding.name for binding in self.bindings]
        return self.bindings[names.index(full_name(name, names))]


class CatalogChange(Struct, frozen=True):
    """What became of the catalog when plugin files changed; the names in the order of the files."""

    catalog: Catalog
    added: tuple[str, ...] = ()
    #: Those whose fingerprint is another one now.
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    #: How many go on as they are.
    kept: int = 0
    #: False: something seems to be gone, which may be back in a moment; ask again.
    is_settled: bool = True
    #: False: the catalog is what it was.
    has_news: bool = True
    #: Does what the end of the process would do for the versions of before, once nothing of them goes on.
    end_former: Callable[[], object] | None = None

    @classmethod
    def between(cls, before: Catalog, after: Catalog, replaced: Collection[str], *, is_settled: bool) -> CatalogChange:
        """Return what became of one catalog in another, where the jobs of these names are others now."""
        old = dict.fromkeys(binding.name for binding in before.bindings)
        new = dict.fromkeys(binding.name for binding in after.bindings)
        added, removed = tuple(name for name in new if name not in old), tuple(name for name in old if name not in new)
        changed = tuple(name for name in new if name in replaced)
        return cls(after, added, changed, removed, len(new) - len(added) - len(changed), is_settled)

    @property
    def is_empty(self) -> bool:
        """Whether every job is what it was."""
        return not (self.added or self.replaced or self.removed)


def match(catalog: Catalog, event: Event) -> list[Job]:
    """Find the jobs that want an event, in the order of the files."""
    return [job for job in catalog.jobs if job.rule is not None and job.rule.wants(event)]


def full_name(name: str, names: Iterable[str]) -> str:
    """Complete what a person typed to one of `names`; raise BadValue with the nearest ones."""
    name, known = composed(name), {composed(full): full for full in names}
    if name in known:
        return known[name]
    found = [its_name for full, its_name in known.items() if full.endswith(f".{name}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadValue(f"{name!r} is the last part of several jobs.", hint=f"Write one of: {', '.join(found)}.")
    offered = list(dict.fromkeys([*known, *(full.rpartition(".")[2] for full in known)]))
    near = alike(name, offered, most=3)
    raise BadValue(
        f"There is no job {name!r}.",
        hint=f"Did you mean {' or '.join(near)}?" if near else "`slack-alert jobs` lists them.",
    )
