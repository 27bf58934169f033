"""Find functions that never have nothing to say: each call ends with a value that is not empty."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def always_says(node: _Function) -> bool:
    """Return whether no call of a function can be quiet, as far as its source tells; an exception is not quiet."""
    own = list(_own(node.body))
    if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own):
        return False
    values = [each.value for each in own if isinstance(each, ast.Return)]
    return bool(values) and _ends(node.body) and all(map(_is_full, values))


def _own(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield node
        if not isinstance(node, _INNER):
            yield from _own(list(ast.iter_child_nodes(node)))


def _ends(body: Sequence[ast.stmt]) -> bool:
    """Return whether a block never goes on behind its end."""
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _ends(last.body) and _ends(last.orelse)
    if isinstance(last, ast.With | ast.AsyncWith):
        return _ends(last.body)
    return isinstance(last, ast.Return | ast.Raise)


def _is_full(value: ast.expr | None) -> bool:
    if isinstance(value, ast.JoinedStr):
        return any(isinstance(part, ast.Constant) and str(part.value).strip() for part in value.values)
    return isinstance(value, ast.Constant) and bool(value.value)
