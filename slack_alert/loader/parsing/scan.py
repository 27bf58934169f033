"""Collect what a file binds, decorates and imports, in one pass and without judging; jobs are found by `markers`."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator

from slack_alert.core.structs import Struct, field

Decorated = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef
Scopes = tuple[Decorated, ...]

#: The typed marker, for people whose linters require the decorator to exist; it does nothing.
OWN_PACKAGE, OWN_MARKER = "slack_alert", "deco"

# Tuples, because a union would be created anew at each use.
_DECORATED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_DOTTED = (ast.Attribute, ast.Subscript)
#: Statements that contain no other statements.
_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Pass, *_IMPORTS)
#: Statements with one value expression.
_VALUED = (ast.Expr, ast.Assign, ast.AnnAssign)
_BUILTINS = frozenset(dir(builtins))


class ModuleScan(Struct):
    """The names of a module's scope, and the nodes that later steps need."""

    #: How often each name is bound, in any way.
    bound: Counter[str] = field(default_factory=Counter)
    imported: set[str] = field(default_factory=set)
    #: Dotted names under which the file imported the typed marker.
    own_markers: set[str] = field(default_factory=set)
    #: Names that a function may rebind (`global`).
    rebound: set[str] = field(default_factory=set)
    has_star_import: bool = False
    #: Decorated functions and classes, with the scopes around them; True: directly at module level.
    decorated: list[tuple[Decorated, Scopes, bool]] = field(default_factory=list)
    #: Calls in the module's scope that are a statement or are assigned, with the statement below.
    calls: list[tuple[ast.Call, ast.stmt | None]] = field(default_factory=list)
    #: Lists of statements that hold an import.
    imports: list[list[ast.stmt]] = field(default_factory=list)

    def is_bound(self, name: str) -> bool:
        """Return whether a name is bound when the file runs; a star import may bind any name."""
        return self.has_star_import or name in self.bound or name in _BUILTINS


def scan_module(tree: ast.Module, *, has_walrus: bool) -> ModuleScan:
    """Return the scan of a file, which visits every statement once."""
    found = ModuleScan()
    bound: list[str] = []
    waiting: list[tuple[list[ast.stmt], Scopes, bool]] = [(tree.body, (), True)]
    while waiting:
        block, scopes, is_direct = waiting.pop()
        for place, statement in enumerate(block, 1):
            if not scopes:
                bound += _bound_by(statement, has_walrus=has_walrus)
                if isinstance(statement, _VALUED) and isinstance(statement.value, ast.Call):
                    found.calls.append((statement.value, block[place] if place < len(block) else None))
            if isinstance(statement, _DECORATED):
                _note_decorated(found, statement, scopes, is_direct=is_direct)
                waiting.append((statement.body, (*scopes, statement), False))
            elif isinstance(statement, ast.Global):
                found.rebound.update(statement.names)
            elif not isinstance(statement, _SIMPLE):
                waiting.extend((inner, scopes, False) for inner in _blocks(statement))
        _note_imports(found, block, scopes)
    found.bound.update(bound)
    found.decorated.sort(key=lambda item: item[0].lineno)
    return found


def local_names(scopes: Scopes) -> set[str]:
    """Return the names that enclosing functions and classes bind: parameters, assignments, imports."""
    names: set[str] = set()
    for scope in scopes:
        if not isinstance(scope, ast.ClassDef):
            names.update(argument.arg for argument in ast.walk(scope.args) if isinstance(argument, ast.arg))
        inner = ast.Module(body=scope.body, type_ignores=[])
        names.update(scan_module(inner, has_walrus=True).bound)
    return names


def dotted_name(node: ast.expr) -> str | None:
    """Return `a.b.c` as text; None for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def root_name(node: ast.expr) -> str | None:
    """Return the name that an expression like `a.b["c"]()` begins with."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, _DOTTED):
            node = node.value
        else:
            return None
    return node.id


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if block:
            yield block
    for clause in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield clause.body


def _note_decorated(found: ModuleScan, statement: Decorated, scopes: Scopes, *, is_direct: bool) -> None:
    if statement.decorator_list:
        found.decorated.append((statement, scopes, is_direct))


def _note_imports(found: ModuleScan, block: list[ast.stmt], scopes: Scopes) -> None:
    for statement in block:
        if isinstance(statement, _IMPORTS):
            found.imports.append(block)
            if not scopes:
                _note_imported(found, block)
            return


def _note_imported(found: ModuleScan, block: list[ast.stmt]) -> None:
    for statement in block:
        if isinstance(statement, ast.Import):
            found.imported.update(_import_names(statement))
            found.own_markers.update(
                f"{alias.asname or alias.name}.{OWN_MARKER}" for alias in statement.names if alias.name == OWN_PACKAGE
            )
        elif isinstance(statement, ast.ImportFrom):
            found.imported.update(_import_names(statement))
            found.has_star_import |= any(alias.name == "*" for alias in statement.names)
            if statement.module == OWN_PACKAGE and not statement.level:
                found.own_markers.update(
                    alias.asname or alias.name for alias in statement.names if alias.name == OWN_MARKER
                )


def _import_names(statement: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    return [alias.asname or alias.name for alias in statement.names if alias.name != "*"]


def _bound_by(statement: ast.stmt, *, has_walrus: bool) -> list[str]:
    """Return the names that a statement binds in its own scope, without the blocks inside it."""
    if isinstance(statement, _DECORATED):
        return [statement.name]
    if isinstance(statement, _IMPORTS):
        return _import_names(statement)
    names = [handler.name for handler in getattr(statement, "handlers", ()) if handler.name]
    for part in _binding_parts(statement):
        names.extend(_stored_names(part))
    if has_walrus:
        names.extend(_walrus_names(statement))
    return names


def _binding_parts(statement: ast.stmt) -> list[ast.AST]:
    """Return the parts of a statement in which names are written to."""
    if isinstance(statement, ast.Assign | ast.Delete):
        return list(statement.targets)
    if isinstance(statement, ast.AnnAssign):
        return [statement.target] if statement.value else []
    if isinstance(statement, ast.AugAssign | ast.For | ast.AsyncFor):
        return [statement.target]
    if isinstance(statement, ast.With | ast.AsyncWith):
        return [item.optional_vars for item in statement.items if item.optional_vars]
    if isinstance(statement, ast.Match):
        return [case.pattern for case in statement.cases]
    # `type X = int`, which Python 3.10 and 3.11 do not have.
    return [statement.name] if type(statement).__name__ == "TypeAlias" else []  # type: ignore[attr-defined]


def _stored_names(part: ast.AST) -> Iterator[str]:
    for node in ast.walk(part):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest


def _walrus_names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names bound by `:=` in the expressions of a statement; its blocks are statements of their own."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        for child in ast.iter_child_nodes(waiting.pop()):
            if isinstance(child, ast.NamedExpr):
                yield child.target.id
            if not isinstance(child, ast.stmt | ast.Lambda):
                waiting.append(child)
