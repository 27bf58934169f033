"""Decide which functions of a file are jobs: find the decorators that are markers, and return what they declare."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.structs import Struct, field
from slack_alert.core.units.names import alike
from slack_alert.loader.parsing.declaration import Declaration
from slack_alert.loader.parsing.literals import KEYWORDS, TRIGGER_KEYWORDS
from slack_alert.loader.parsing.scan import (
    OWN_MARKER,
    Decorated,
    Function,
    ModuleScan,
    Scopes,
    dotted_name,
    local_names,
    root_name,
)
from slack_alert.loader.parsing.signature import keyword_values, make_declaration
from slack_alert.loader.parsing.source import ParsedFile

if TYPE_CHECKING:
    from slack_alert.loader.parsing.parameters import SignatureReader

_TRIGGERS = frozenset(TRIGGER_KEYWORDS)
_UNLOADED = "the file will not load"
_MODULE_LEVEL = "Move the function to module level, outside of any class, function, if, try or with."


class MarkerReader(Struct):
    """Read the markers of a file; the tree is left without them, with its line numbers unchanged."""

    source: ParsedFile
    scan: ModuleScan
    #: The names that are markers; empty: any name.
    names: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    _constants: dict[str, ast.expr] = field(default_factory=dict)
    _locals: dict[Scopes, set[str]] = field(default_factory=dict)
    #: The outermost decorators of all functions and classes, before any is removed.
    _outermost: list[ast.expr] = field(default_factory=list)
    _sure: set[str] | None = None
    _signatures: SignatureReader | None = None

    def __post_init__(self) -> None:
        self._constants = _constants(self.source.tree, self.scan)
        self._outermost = [node.decorator_list[0] for node, _, _ in self.scan.decorated]

    def extract(self) -> tuple[Declaration, ...]:
        """Remove all markers and return the declarations of those at module level."""
        for call, below in self.scan.calls:
            self._note_call(call, below)
        found = [self._read(node, scopes, is_direct) for node, scopes, is_direct in self.scan.decorated]
        return tuple(declaration for declaration in found if declaration)

    def _read(self, node: Decorated, scopes: Scopes, is_direct: bool) -> Declaration | None:
        outermost = node.decorator_list[0]
        markers = [decorator for decorator in node.decorator_list if self._is_marker(decorator, scopes)]
        if not markers:
            declaration = self._read_unmarked(node, scopes, is_direct)
            self._note_unbound(node, scopes, f"{node.name} is not a job" if declaration is None else _UNLOADED)
            return declaration
        if not is_direct or isinstance(node, ast.ClassDef):
            self._misplaced(node, markers)
            return None
        inner = [marker for marker in markers if marker is not outermost]
        if inner:
            self._not_outermost(node, inner)
        if markers[0] is not outermost:
            return None
        declaration = self._declare(node, outermost)
        self._note_unbound(node, scopes, _UNLOADED)
        return declaration

    def _is_marker(self, decorator: ast.expr, scopes: Scopes) -> bool:
        if not _has_trigger(decorator):
            return False
        return self._is_own(decorator) or (self._is_named(decorator) and self._foreign(decorator, scopes) is None)

    def _is_own(self, decorator: ast.expr) -> bool:
        """Return whether this is the marker that the file imported from the product itself."""
        own = self.scan.own_markers
        return bool(own) and dotted_name(_called(decorator)) in own

    def _is_named(self, decorator: ast.expr) -> bool:
        return not self.names or dotted_name(_called(decorator)) in self.names

    def _foreign(self, decorator: ast.expr, scopes: Scopes) -> str | None:
        """Return why a decorator with a trigger keyword is real code that must stay; None if it is not."""
        root = root_name(decorator)
        if root is None:
            return "is an expression"
        if root in self.scan.imported:
            return "is imported"
        if root in self._local_names(scopes):
            return "is a name of the function or class around it"
        return None

    def _is_unbound(self, decorator: ast.expr, scopes: Scopes = ()) -> bool:
        root = root_name(decorator)
        return root is not None and not self.scan.is_bound(root) and root not in self._local_names(scopes)

    def _local_names(self, scopes: Scopes) -> set[str]:
        if scopes not in self._locals:
            self._locals[scopes] = local_names(scopes)
        return self._locals[scopes]

    def _read_unmarked(self, node: Decorated, scopes: Scopes, is_direct: bool) -> Declaration | None:
        outermost = node.decorator_list[0]
        if _has_trigger(outermost):
            self._report_unread(node, outermost, scopes)
        elif is_direct and isinstance(node, Function) and self._is_meant_as_marker(outermost):
            return self._declare(node, outermost)
        return None

    def _note_call(self, written: ast.Call, below: ast.stmt | None) -> None:
        """Report a marker that is called above nothing, for example because its @ was forgotten."""
        call = written.func if isinstance(written.func, ast.Call) else written
        is_meant = self._is_own(call) or (self._is_named(call) and self._is_unbound(call))
        if not (_has_trigger(call) and is_meant):
            return
        text = self.source.segment(call)
        if call is written and isinstance(below, Decorated):
            said = f"`{text}` above {below.name} is a call and no decorator, so {below.name} is not a job"
            hint = "Put an @ in front of it."
        else:
            said = f"`{text}` is called here, and a marker marks only the function it stands above"
            hint = f"Write @{text} directly above a function."
        line, column = self.source.start(call)
        self.problems.append(Problem(self.source.file.shown, line, column, Severity.WARNING, "SA212", said, hint))

    def _note_unbound(self, node: Decorated, scopes: Scopes, outcome: str) -> None:
        """Report a decorator that cannot be a marker and would make executing the file fail."""
        for decorator in node.decorator_list:
            if not scopes and self._is_unbound(decorator) and not _has_trigger(decorator):
                name = self._name_of(decorator)
                said = f"`{name}` is bound nowhere in this file, and has no trigger keyword: {outcome}"
                hint = f"Import it; or, as a marker, say when: @{name}(minutes=5)."
                self._report(decorator, "SA213", said, hint=hint)
                return

    def _report_unread(self, node: Decorated, decorator: ast.expr, scopes: Scopes) -> None:
        why = self._foreign(decorator, scopes)
        written = self._name_of(decorator)
        if why:
            said = f"`{written}` {why}, so it is left alone and {node.name} is not a job"
            hint = "If it is meant as a marker, use a name that nothing binds, or `from slack_alert import deco`."
            self._report(decorator, "SA205", said, hint=hint)
        elif self._is_unbound(decorator, scopes):
            node.decorator_list.remove(decorator)
            said = f"`{written}` is not in the configuration's `markers`, so {node.name} is not a job"
            self._report(decorator, "SA205", said, hint=f"Allowed: {', '.join(self.names)}.")

    def _is_meant_as_marker(self, decorator: ast.expr) -> bool:
        """Return whether a decorator without a trigger keyword was meant as a marker; left in, it would fail."""
        if self._is_own(decorator):
            return True
        if not self._is_unbound(decorator) or not self._is_named(decorator):
            return False
        keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
        written = [keyword.arg for keyword in keywords if keyword.arg]
        # After ** there may be any keyword.
        if len(written) < len(keywords):
            return True
        if any(word in KEYWORDS or alike(word, TRIGGER_KEYWORDS, most=1, likeness=0.75) for word in written):
            return True
        return self._name_of(decorator) in self._sure_names()

    def _sure_names(self) -> set[str]:
        """Return the names that are certainly meant as markers, whatever their keywords."""
        if self._sure is None:
            used = {self._name_of(decorator) for decorator in self._outermost if self._is_marker(decorator, ())}
            self._sure = {OWN_MARKER, *self.names, *used}
        return self._sure

    def _misplaced(self, node: Decorated, markers: list[ast.expr]) -> None:
        kind = "a class" if isinstance(node, ast.ClassDef) else "not directly at module level"
        said = f"{node.name} is {kind}; only a function directly at module level can be marked"
        self._report(markers[0], "SA204", said, hint=_MODULE_LEVEL, severity=Severity.ERROR)
        node.decorator_list = [decorator for decorator in node.decorator_list if decorator not in markers]

    def _not_outermost(self, node: Decorated, inner: list[ast.expr]) -> None:
        outermost = node.decorator_list[0]
        marker, first = self._name_of(inner[0]), self._name_of(outermost)
        is_job = self._is_marker(outermost, ())
        dropped = inner if is_job else [*inner, *(d for d in node.decorator_list if self._is_unbound(d))]
        if is_job:
            said = f"`{marker}` below `{first}` does nothing: only the outermost decorator declares {node.name}"
            hint = "Put all keywords into one marker."
        else:
            said = f"the marker `{marker}` is not the outermost decorator, so {node.name} is not a job"
            said += f"; `{first}` is bound nowhere and left out" if outermost in dropped else ""
            hint = f"Move @{marker}(...) above @{first}."
        self._report(outermost, "SA203", said, hint=hint)
        node.decorator_list = [decorator for decorator in node.decorator_list if decorator not in dropped]

    def _declare(self, node: Function, marker: ast.expr) -> Declaration:
        root = root_name(marker)
        if not self._is_own(marker) and root in self.scan.bound:
            said = f"`{self._name_of(marker)}` is taken as a marker: its own code, defined in this file, will not run"
            hint = "Remove the definition, or rename the keyword if it is not meant as a marker."
            self._report(marker, "SA208", said, hint=hint)
        place = self.source.place(marker)
        call = marker if isinstance(marker, ast.Call) else ast.Call(marker, [], [])
        values, faults = keyword_values(self.source, call, self._constants, place=place)
        self.problems.extend(faults)
        node.decorator_list.remove(marker)
        signature = self._signature(node) if "command" in values else ()
        attribute = self._attribute(node)
        return make_declaration(
            node,
            call,
            values=values,
            place=place,
            attribute=attribute,
            is_sound=not faults and signature is not None,
            signature=signature or (),
        )

    def _signature(self, node: Function) -> tuple[Parameter, ...] | None:
        """Return the parameters of a command; None, with a problem, if words cannot become one of them."""
        from slack_alert.loader.parsing.parameters import SignatureReader, UnreadableParameter

        self._signatures = self._signatures or SignatureReader(self.source.tree, self.scan, self._constants)
        try:
            return self._signatures.parameters(node)
        except UnreadableParameter as error:
            line, column = self.source.start(error.node)
            problem = Problem(self.source.file.shown, line, column, Severity.ERROR, "SA214", str(error), error.hint)
            self.problems.append(problem)
            return None

    def _attribute(self, node: Function) -> str:
        """Return the attribute that will hold the function; add one if its own name is bound again."""
        if self.scan.bound[node.name] == 1:
            return node.name
        attribute = f"__slack_alert_{node.lineno}__"
        keep = ast.Assign([ast.Name(attribute, ast.Store())], ast.Name(node.name, ast.Load()))
        ast.fix_missing_locations(ast.copy_location(keep, node))
        body = self.source.tree.body
        body.insert(body.index(node) + 1, keep)
        return attribute

    def _report(
        self, decorator: ast.expr, code: str, said: str, *, hint: str, severity: Severity = Severity.WARNING
    ) -> None:
        line, column = self.source.place(decorator)
        self.problems.append(Problem(self.source.file.shown, line, column, severity, code, said, hint))

    def _name_of(self, decorator: ast.expr) -> str:
        function = _called(decorator)
        return dotted_name(function) or self.source.segment(function)


def _called(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _has_trigger(decorator: ast.expr) -> bool:
    if not isinstance(decorator, ast.Call):
        return False
    return not _TRIGGERS.isdisjoint([word.arg for word in decorator.keywords])


def _constants(tree: ast.Module, scan: ModuleScan) -> dict[str, ast.expr]:
    """Return the names that are bound once, by an assignment directly at module level, with their values."""
    constants: dict[str, ast.expr] = {}
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        for target in targets:
            value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
            if isinstance(target, ast.Name) and value and scan.bound[target.id] == 1:
                constants[target.id] = value
    return {name: value for name, value in constants.items() if name not in scan.rebound}
