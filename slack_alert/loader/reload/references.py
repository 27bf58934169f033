"""Find the names of its module that a piece of code may use, and the modules it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from slack_alert.loader.files.discovery import PACKAGE, PACKS
from slack_alert.loader.parsing.scan import local_names

# Tuples, because a union would be created anew at each use.
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_ScopedFunction = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

#: A module, and the name imported from it; None: the module itself.
Import = tuple[str, str | None]


def free_names(node: ast.AST) -> set[str]:
    """Return the names that a piece of code may take from its module: rather too many than too few."""
    if isinstance(node, _FUNCTIONS):
        return _names_of_function(node)
    if isinstance(node, ast.Lambda):
        parameters = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
        return _names_within(node.args) | (free_names(node.body) - parameters)
    if isinstance(node, _COMPREHENSIONS):
        return _names_of_comprehension(node)
    names = {node.id} if isinstance(node, ast.Name) else set()
    if isinstance(node, ast.Global):
        names.update(node.names)
    return names | _names_within(node)


def import_statements(node: ast.AST, *, is_deep: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports of a module; `is_deep`: also those inside its functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case) and (
            is_deep or not isinstance(child, _FUNCTIONS)
        ):
            yield from import_statements(child, is_deep=is_deep)


def imports(statement: ast.Import | ast.ImportFrom, alias: ast.alias, module: str, package: str) -> list[Import]:
    """Return the plugin modules that an import may mean, whether they exist or not."""
    if isinstance(statement, ast.Import):
        found: list[Import] = [
            (".".join(parts[:depth]), None)
            for name in _absolute(alias.name, package)
            for parts in (name.split("."),)
            for depth in range(2, len(parts) + 1)
        ]
    else:
        bases = _bases(statement, package)
        found = [(base, alias.name) for base in bases] + [(f"{base}.{alias.name}", None) for base in bases]
    return [each for each in dict.fromkeys(found) if each[0] not in (module, PACKAGE, PACKS)]


def _names_within(node: ast.AST) -> set[str]:
    return {name for child in ast.iter_child_nodes(node) for name in free_names(child)}


def _names_of_function(node: _ScopedFunction) -> set[str]:
    shared = {name for each in ast.walk(node) if isinstance(each, ast.Global) for name in each.names}
    inside = {name for statement in node.body for name in free_names(statement)}
    around = [*node.decorator_list, node.args, *([node.returns] if node.returns else [])]
    outside = {name for part in around for name in free_names(part)}
    return outside | (inside - (local_names((node,)) - shared))


def _names_of_comprehension(node: _Comprehension) -> set[str]:
    targets = {name for generator in node.generators for name in free_names(generator.target)}
    # The iterable may be a name of the module that is also the name of the target.
    gone_through = {name for generator in node.generators for name in free_names(generator.iter)}
    return (_names_within(node) - targets) | gone_through


def _absolute(name: str, package: str) -> list[str]:
    """Return the possible meanings of a name without leading dots: a neighbour, or a full name of a plugin's module."""
    beside = f"{package}.{name}"
    return [beside, name] if name.startswith((f"{PACKAGE}.", f"{PACKS}.")) else [beside]


def _bases(statement: ast.ImportFrom, package: str) -> list[str]:
    if not statement.level:
        return _absolute(statement.module or "", package) + ([PACKAGE] if statement.module == PACKAGE else [])
    parts = package.split(".")
    around = parts[: len(parts) - statement.level + 1]
    return [".".join([*around, *([statement.module] if statement.module else [])])] if around else []
