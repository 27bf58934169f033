"""Compute a function's fingerprint: its syntax tree and everything it reaches in its module, without layout.

Two versions of a function have the same fingerprint if they do the same, as far as the source shows.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from slack_alert.core.structs import Struct, field
from slack_alert.loader.reload.references import Import, free_names, import_statements, imports

#: Code that uses any of these may reach every name of its module.
_EVERYTHING = frozenset({"globals", "eval", "exec", "vars", "__import__"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)


class ComparedFile(NamedTuple):
    """A plugin file as it is compared: its content, and the package that its relative imports start from."""

    content: bytes
    package: str


class Fingerprints:
    """Fingerprints in one version of the files; `find` returns a module's text, None if it is not a plugin."""

    def __init__(self, find: Callable[[str], ComparedFile | None]) -> None:
        self._find = find
        self._pages: dict[str, _FilePieces | None] = {}
        #: By module and name; an empty fingerprint is being computed: files may import each other.
        self._known: dict[tuple[str, str | None], str] = {}

    def lookup(self, module: str, name: str | None) -> str:
        """Return the fingerprint of a name, or of a whole module (None); empty if it does not exist."""
        key = (module, name)
        if key not in self._known:
            self._known[key] = ""
            page = self._page(module)
            self._known[key] = self._digest(page, name) if page else ""
        return self._known[key]

    def _digest(self, page: _FilePieces, name: str | None) -> str:
        digest = hashlib.sha256()
        for piece in page.all if name is None else page.reached(name):
            digest.update(piece.text.encode("utf-8", "surrogatepass"))
            for module, taken in piece.imports:
                digest.update(self._of_import(module, taken).encode())
        return digest.hexdigest()

    def _of_import(self, module: str, name: str | None) -> str:
        page = self._page(module)
        if page is None:
            return "-"
        return self.lookup(module, name if name in page.bound else None)

    def _page(self, module: str) -> _FilePieces | None:
        if module not in self._pages:
            text = self._find(module)
            self._pages[module] = _FilePieces.read(text, module) if text else None
        return self._pages[module]


class _Piece(Struct, frozen=True, eq=False):
    """A statement at module level, or one name of an import."""

    text: str
    #: The names of its module that it may use.
    reads: frozenset[str] = frozenset()
    imports: tuple[Import, ...] = ()


class _FilePieces(Struct):
    """A file, cut into pieces by the names they bind."""

    #: All pieces, in the order of the file.
    all: list[_Piece] = field(default_factory=list)
    bound: dict[str, list[_Piece]] = field(default_factory=dict)
    #: Pieces that may change anything.
    unbound: list[_Piece] = field(default_factory=list)

    @classmethod
    def read(cls, text: ComparedFile, module: str) -> _FilePieces:
        """Cut a file into pieces; a file that cannot be parsed is one piece."""
        page = cls()
        try:
            tree = _normal(ast.parse(text.content))
            for statement in tree.body:
                page._add(statement, module, text.package)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            page = cls()
            page._keep(_Piece(hashlib.sha256(text.content).hexdigest()), None)
        return page

    def reached(self, name: str) -> Iterator[_Piece]:
        """Return the pieces that a name reaches, in the order of the file."""
        found = set(self.unbound)
        waiting = [name, *(read for piece in self.unbound for read in piece.reads)]
        seen: set[str] = set()
        while waiting:
            each = waiting.pop()
            if each in _EVERYTHING and each not in self.bound:
                return iter(self.all)
            if each not in seen:
                seen.add(each)
                new = self.bound.get(each, ())
                found.update(new)
                waiting.extend(read for piece in new for read in piece.reads)
        return (piece for piece in self.all if piece in found)

    def _add(self, statement: ast.stmt, module: str, package: str) -> None:
        if isinstance(statement, _IMPORTS) and not _binds_unknown_names(statement):
            for piece, name in _import_pieces(statement, module, package):
                self._keep(piece, [name])
        elif not _has_no_effect(statement):
            within = [
                each
                for inner in import_statements(ast.Module([statement], []), is_deep=True)
                for alias in inner.names
                for each in imports(inner, alias, module, package)
            ]
            piece = _Piece(ast.dump(statement), frozenset(free_names(statement)), tuple(within))
            self._keep(piece, self._names_bound(statement))

    def _keep(self, piece: _Piece, names: Iterable[str] | None) -> None:
        self.all.append(piece)
        if names is None:
            self.unbound.append(piece)
        for name in names or ():
            self.bound.setdefault(name, []).append(piece)

    def _names_bound(self, statement: ast.stmt) -> set[str] | None:
        """Return the names that a statement binds or changes; None if that cannot be known."""
        if isinstance(statement, _DEFINITIONS):
            return {statement.name}
        if not isinstance(statement, _ASSIGNMENTS) or any(
            isinstance(each, ast.NamedExpr) for each in ast.walk(statement)
        ):
            return None
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names: set[str] = set()
        for target in targets:
            roots = _roots(target)
            if roots is None or any(root not in self.bound or self.bound[root][0].imports for root in roots[1]):
                return None
            names |= roots[0] | roots[1]
        return names


def _normal(tree: ast.Module) -> ast.Module:
    """Remove what is layout only: the indentation of docstrings, and the `u` before a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.kind = None
        if isinstance(node, (*_DEFINITIONS, ast.Module)) and node.body and ast.get_docstring(node, clean=False):
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            assert isinstance(first.value, ast.Constant)
            first.value.value = inspect.cleandoc(str(first.value.value))
    return tree


def _has_no_effect(statement: ast.stmt) -> bool:
    """Return whether a statement has no effect on loading: bare text, or code for other programs only."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.If)
        and not statement.orelse
        and ast.unparse(statement.test) in ("__name__ == '__main__'", "TYPE_CHECKING", "typing.TYPE_CHECKING")
    )


def _binds_unknown_names(statement: ast.Import | ast.ImportFrom) -> bool:
    """Return whether an import does not name what it binds, or changes the meaning of other code."""
    is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
    return is_future or any(alias.name == "*" for alias in statement.names)


def _import_pieces(statement: ast.Import | ast.ImportFrom, module: str, package: str) -> Iterator[tuple[_Piece, str]]:
    for alias in statement.names:
        alone: ast.stmt
        if isinstance(statement, ast.Import):
            alone, name = ast.Import([alias]), alias.asname or alias.name.partition(".")[0]
        else:
            alone, name = ast.ImportFrom(statement.module, [alias], statement.level), alias.asname or alias.name
        yield _Piece(ast.dump(alone), imports=tuple(imports(statement, alias, module, package))), name


def _roots(target: ast.expr) -> tuple[set[str], set[str]] | None:
    """Return the names that an assignment binds, and those it changes a part of; None if unknown."""
    if isinstance(target, ast.Name):
        return {target.id}, set()
    if isinstance(target, ast.Starred):
        return _roots(target.value)
    if isinstance(target, ast.Tuple | ast.List):
        parts = [_roots(each) for each in target.elts]
        if None in parts:
            return None
        return {n for part in parts if part for n in part[0]}, {n for part in parts if part for n in part[1]}
    while isinstance(target, ast.Attribute | ast.Subscript):
        target = target.value
    return (set(), {target.id}) if isinstance(target, ast.Name) else None
