"""The catalog: all bindings that the plugins declare, and the problems found in their files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from slack_alert.core.bindings import Binding, Job
from slack_alert.core.commands.command import Guard
from slack_alert.core.errors import BadValue
from slack_alert.core.events import Emitted
from slack_alert.core.excerpts import abridged
from slack_alert.core.rules.matching import RuleIndex
from slack_alert.core.structs import Struct, Word, derive
from slack_alert.core.units.names import alike, composed

if TYPE_CHECKING:
    from slack_alert.core.pack import Pack

#: In characters; shorter problems need not be abridged.
_LONG = 500

#: The command that lists all names.
LISTING = "slack-alert jobs"


class Severity(Word):
    """Severity of a problem; an error excludes its function (or file)."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Problem(Struct, frozen=True):
    """A fault in a plugin file, with its position and a hint."""

    #: Path relative to PATH, with `/` between folders.
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
        """Return the problem as one line that people and editors can read."""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.severity}: {self.message}{hint}"


class Catalog(Struct, frozen=True):
    """All bindings, in the order of the files."""

    bindings: tuple[Binding, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: Guards that are declared and did not load: they cannot be asked, and refuse.
    unavailable_guards: tuple[Guard, ...] = ()
    packs: tuple[Pack, ...] = ()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The bindings that run by themselves."""
        return tuple([binding for binding in self.bindings if isinstance(binding, Job)])

    @property
    def has_errors(self) -> bool:
        """Whether any problem is an error."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def guards(self) -> tuple[Guard, ...]:
        """The guards, those first that cannot be asked: they refuse whatever the others would answer."""
        return (*self.unavailable_guards, *(binding for binding in self.bindings if isinstance(binding, Guard)))

    def functions(self) -> list[list[Binding]]:
        """Return the bindings grouped by function."""
        grouped: dict[str, list[Binding]] = {}
        for binding in self.bindings:
            grouped.setdefault(binding.name, []).append(binding)
        return list(grouped.values())

    def lookup(self, name: str, *, listing: str = LISTING) -> Binding:
        """Return the binding of a full name, or of a unique last part of one; raise BadValue if there is none.

        `listing` is what one writes to see all names.
        """
        names = [binding.name for binding in self.bindings]
        return self.bindings[names.index(full_name(name, names, listing=listing))]


class CatalogChange(Struct, frozen=True):
    """The effect of changed plugin files on the catalog; names are in the order of the files."""

    catalog: Catalog
    added: tuple[str, ...] = ()
    #: Names of bindings whose fingerprint has changed.
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    #: Number of unchanged bindings.
    kept: int = 0
    #: False: a file seems to be gone and may be back in a moment; reload again.
    is_settled: bool = True
    #: False: the catalog is unchanged.
    has_news: bool = True
    #: Does for the former versions what the end of the process would do; to be called once none of them runs any more.
    end_former: Callable[[], object] | None = None

    @classmethod
    def between(cls, before: Catalog, after: Catalog, replaced: Collection[str], *, is_settled: bool) -> CatalogChange:
        """Return the change from one catalog to another; `replaced` names the jobs that are different now."""
        old = dict.fromkeys(binding.name for binding in before.bindings)
        new = dict.fromkeys(binding.name for binding in after.bindings)
        added, removed = tuple(name for name in new if name not in old), tuple(name for name in old if name not in new)
        changed = tuple(name for name in new if name in replaced)
        return cls(after, added, changed, removed, len(new) - len(added) - len(changed), is_settled)

    @property
    def is_empty(self) -> bool:
        """Whether no job was added, replaced or removed."""
        return not (self.added or self.replaced or self.removed)


def match(catalog: Catalog, event: Emitted) -> list[Job]:
    """Return the jobs whose rules match an event, in the order of the files; for many events, index them once."""
    return RuleIndex(catalog.jobs).matched(event)


#: The code of a payload that is not as it is declared.
PAYLOAD_CODE = "SA405"


def payload_fault(catalog: Catalog, event: Emitted) -> str | None:
    """Return what is wrong with an event whose pack declares its payload, as text; None: nothing."""
    pack, _, name = event.name.partition(".")
    schema = next((each.manifest.events.get(name) for each in catalog.packs if each.name == pack), None)
    return "; ".join(schema.faults(event.fields)) or None if schema is not None else None


def full_name(name: str, names: Iterable[str], *, listing: str = LISTING) -> str:
    """Return the one of `names` that a person meant by `name`; raise BadValue with the nearest ones if unclear."""
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
        hint=f"Did you mean {' or '.join(near)}?" if near else f"`{listing}` lists them.",
    )
