"""The fingerprint of a function: its syntax tree and all of its module that it reaches, without how it is laid out.

Two versions of a file give a function the same fingerprint where it does the same, as far as that can be read.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from slack_alert.core.structs import Struct, field
from slack_alert.loader.reload.references import Import, free_names, import_statements, imports

#: Whoever uses one of these may reach anything.
_EVERYTHING = frozenset({"globals", "eval", "exec", "vars", "__import__"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)


class ComparedFile(NamedTuple):
    """A plugin file as it is compared: what it says, and the package that its relative imports begin from."""

    content: bytes
    package: str


class Fingerprints:
    """Fingerprints in one version of the files; `find` gives a module's text, None where it is no plugin's."""

    def __init__(self, find: Callable[[str], ComparedFile | None]) -> None:
        self._find = find
        self._pages: dict[str, _Page | None] = {}
        #: By module and name; an empty one is being made: files may import each other.
        self._known: dict[tuple[str, str | None], str] = {}

    def lookup(self, module: str, name: str | None) -> str:
        """Return the fingerprint of a name of a module, or of a module as a whole (None); empty where it is absent."""
        key = (module, name)
        if key not in self._known:
            self._known[key] = ""
            page = self._page(module)
            self._known[key] = self._digest(page, name) if page else ""
        return self._known[key]

    def _digest(self, page: _Page, name: str | None) -> str:
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

    def _page(self, module: str) -> _Page | None:
        if module not in self._pages:
            text = self._find(module)
            self._pages[module] = _Page.read(text, module) if text else None
        return self._pages[module]


class _Piece(Struct, frozen=True, eq=False):
    """A statement at module level, or one name of an import."""

    text: str
    #: What it may take from its module.
    reads: frozenset[str] = frozenset()
    imports: tuple[Import, ...] = ()


class _Page(Struct):
    """One file, cut into pieces by the names they bind."""

    #: In their order.
    all: list[_Piece] = field(default_factory=list)
    bound: dict[str, list[_Piece]] = field(default_factory=dict)
    #: What may do anything, to everything.
    loose: list[_Piece] = field(default_factory=list)

    @classmethod
    def read(cls, text: ComparedFile, module: str) -> _Page:
        """Cut a file into pieces; one that cannot be parsed is one piece."""
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
        found = set(self.loose)
        waiting = [name, *(read for piece in self.loose for read in piece.reads)]
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
        if isinstance(statement, _IMPORTS) and not _is_sweeping(statement):
            for piece, name in _import_pieces(statement, module, package):
                self._keep(piece, [name])
        elif not _says_nothing(statement):
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
            self.loose.append(piece)
        for name in names or ():
            self.bound.setdefault(name, []).append(piece)

    def _names_bound(self, statement: ast.stmt) -> set[str] | None:
        """Name what a statement makes, or makes something else of; None where that cannot be said."""
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
    """Take out what is layout only: how docstrings are indented, and the u before a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.kind = None
        if isinstance(node, (*_DEFINITIONS, ast.Module)) and node.body and ast.get_docstring(node, clean=False):
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            assert isinstance(first.value, ast.Constant)
            first.value.value = inspect.cleandoc(str(first.value.value))
    return tree


def _says_nothing(statement: ast.stmt) -> bool:
    """Return whether a statement does nothing when the file is loaded: text on its own, and what other programs run."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.If)
        and not statement.orelse
        and ast.unparse(statement.test) in ("__name__ == '__main__'", "TYPE_CHECKING", "typing.TYPE_CHECKING")
    )


def _is_sweeping(statement: ast.Import | ast.ImportFrom) -> bool:
    """Return whether an import says nothing of what it binds, or changes what all else means."""
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
    """Name what an assignment binds, and what it changes a part of; None where it cannot be said."""
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
