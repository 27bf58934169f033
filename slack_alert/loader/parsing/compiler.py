"""Read a plugin file: remove its markers, make its imports of neighbours relative and compile the rest."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator

from slack_alert.loader.files.content import UnusableFileError
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.parsing.declaration import FileReading
from slack_alert.loader.parsing.markers import MarkerReader
from slack_alert.loader.parsing.scan import ModuleScan, scan_module
from slack_alert.loader.parsing.source import compile_tree, parse

#: The name that `import a.b` binds for the submodule when it is rewritten; nothing uses it.
_UNUSED = "__slack_alert_import__"


def read_file(
    file: PluginFile, content: bytes, *, markers: tuple[str, ...], neighbours: Collection[str]
) -> FileReading:
    """Read a file without running it; every fault becomes a problem of the reading.

    `neighbours` are the modules of its folder that it can import by their bare name.
    """
    try:
        source = parse(file, content)
    except UnusableFileError as error:
        return FileReading(problems=(error.problem,))
    try:
        found = scan_module(source.tree, has_walrus=":=" in source.text)
        reader = MarkerReader(source, found, markers)
        declarations = reader.extract()
        # A file that imports its own name means the library of that name.
        _make_relative(found, lambda name: name in neighbours and name != file.parts[-1])
        code = compile_tree(source)
    except UnusableFileError as error:
        return FileReading(problems=(*source.problems, error.problem))
    return FileReading(declarations, (*source.problems, *reader.problems), code)


def _make_relative(found: ModuleScan, is_neighbour: Callable[[str], bool]) -> None:
    """Make imports of neighbours mean the module in this package: one object, and `sys.path` is unchanged."""
    for block in found.imports:
        block[:] = [new for statement in block for new in _rewritten(statement, is_neighbour)]


def _rewritten(statement: ast.stmt, is_neighbour: Callable[[str], bool]) -> Iterator[ast.stmt]:
    if isinstance(statement, ast.ImportFrom):
        if not statement.level and statement.module and is_neighbour(_first(statement.module)):
            statement.level = 1
        yield statement
    elif isinstance(statement, ast.Import) and any(is_neighbour(_first(alias.name)) for alias in statement.names):
        for alias in statement.names:
            yield from _import_of(alias, statement, is_neighbour)
    else:
        yield statement


def _import_of(alias: ast.alias, statement: ast.Import, is_neighbour: Callable[[str], bool]) -> Iterator[ast.stmt]:
    first, _, rest = alias.name.partition(".")
    if not is_neighbour(first):
        yield ast.copy_location(ast.Import([alias]), statement)
        return
    if rest and alias.asname:
        module, _, last = alias.name.rpartition(".")
        yield _import_from(statement, module, ast.alias(last, alias.asname))
        return
    if rest:
        yield _import_from(statement, alias.name, ast.alias("__name__", _UNUSED))
    yield _import_from(statement, None, ast.alias(first, alias.asname))


def _import_from(statement: ast.Import, module: str | None, alias: ast.alias) -> ast.stmt:
    return ast.copy_location(ast.ImportFrom(module, [ast.copy_location(alias, statement)], 1), statement)


def _first(name: str) -> str:
    return name.partition(".")[0]
