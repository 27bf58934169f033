"""Evaluate a marker's keywords and its function's signature into a declaration."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.commands.command import ANY
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.schedule.triggers import TIME_KEYWORDS
from slack_alert.loader.parsing.always_says import always_says
from slack_alert.loader.parsing.declaration import Declaration, plain_fields
from slack_alert.loader.parsing.literals import KEYWORDS, TRIGGER_KEYWORDS, NotLiteral, evaluate, keyword_suggestion
from slack_alert.loader.parsing.scan import Function
from slack_alert.loader.parsing.source import ParsedFile

CONTEXT = "ctx"
_TIMED = frozenset(TIME_KEYWORDS)
#: The trigger keywords beside `emits`.
_TRIGGERS = frozenset([*TRIGGER_KEYWORDS, "absent"]) - {"emits"}
#: What has a `yield` of its own.
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
#: What calls a function with arguments.
_ASKED = frozenset(["on", "command", "guard"])


def keyword_values(
    source: ParsedFile, call: ast.Call, constants: Mapping[str, ast.expr], *, place: tuple[int, int]
) -> tuple[dict[str, object], list[Problem]]:
    """Evaluate the keywords of a marker; those that cannot be evaluated are problems at `place`, the marker's."""
    values: dict[str, object] = {}
    faults: list[tuple[str, str, str]] = []
    for argument in call.args:
        said = f"a marker takes keywords only, got {source.segment(argument)}"
        faults.append(("SA201", said, "Write minutes=5, or another trigger keyword, in front of the value."))
    for keyword in call.keywords:
        faults.extend(_note(source, keyword, constants, values))
    if not faults and not any(word in TRIGGER_KEYWORDS for word in values):
        faults.append(("SA201", "the marker does not say when", f"Add one of: {', '.join(TRIGGER_KEYWORDS)}."))
    line, column = place
    shown = source.file.shown
    return values, [Problem(shown, line, column, Severity.ERROR, code, said, hint) for code, said, hint in faults]


def make_declaration(
    node: Function,
    call: ast.Call,
    *,
    values: Mapping[str, object],
    place: tuple[int, int],
    attribute: str,
    is_sound: bool,
    signature: Sequence[Parameter] = (),
) -> Declaration:
    """Return the declaration of a marked function; `signature` has the parameters of a command."""
    doc = ast.get_docstring(node, clean=False)
    # How other decorators change the parameters is known only when they run.
    is_plain = not node.decorator_list
    # Parameters that can be passed by name.
    named = (*node.args.args, *node.args.kwonlyargs)
    return Declaration(
        function=node.name,
        attribute=attribute,
        line=place[0],
        column=place[1],
        keywords=values,
        is_timed=not _TIMED.isdisjoint([keyword.arg for keyword in call.keywords]),
        doc=_first_line(doc),
        required=_required(node.args) if is_plain else (),
        parameters=tuple([each.arg for each in named if each.arg != CONTEXT]) if not _ASKED.isdisjoint(values) else (),
        takes_context=CONTEXT in [each.arg for each in named],
        is_async=isinstance(node, ast.AsyncFunctionDef),
        is_sound=is_sound,
        signature=tuple(map(plain_fields, signature)),
        examples=tuple(_examples(doc)) if doc and "command" in values else (),
        never_recovers=values.get("recover") is True and _is_answering(values) and always_says(node),
        is_endless="emits" in values and _TRIGGERS.isdisjoint(values) and _may_yield(node),
    )


def _is_answering(values: Mapping[str, object]) -> bool:
    """Return whether a function runs for events alone, and not for their absence."""
    return "on" in values and "absent" not in values and _TIMED.isdisjoint(values)


def _note(
    source: ParsedFile, keyword: ast.keyword, constants: Mapping[str, ast.expr], values: dict[str, object]
) -> list[tuple[str, str, str]]:
    if keyword.arg is None:
        said = f"**{source.segment(keyword.value)} cannot be read without running the file"
        return [("SA201", said, "Write the keywords out.")]
    if keyword.arg not in KEYWORDS:
        return [("SA202", f"a marker knows no keyword `{keyword.arg}`", keyword_suggestion(keyword.arg))]
    if keyword.arg in values:
        return [("SA201", f"{keyword.arg} is given twice", "Keep one of them.")]
    try:
        values[keyword.arg] = evaluate(keyword.value, constants)
    except BadValue as error:
        if keyword.arg == "guard":
            # The marker does not count, and what it guards is not known: a guard that is missing must refuse.
            values["guard"] = ANY
        return [("SA201", _sentence(source, keyword, error), error.hint)]
    return []


def _sentence(source: ParsedFile, keyword: ast.keyword, error: BadValue) -> str:
    if not isinstance(error, NotLiteral):
        return f"{keyword.arg}={source.segment(keyword.value)}: {error}"
    reason = f": {error}" if isinstance(error.node, ast.Name) else ""
    return f"{keyword.arg} must be known before the file runs, got {source.segment(error.node)}{reason}"


def _may_yield(node: Function) -> bool:
    """Return whether a function is a generator, or is decorated, so that its source does not show what it is."""
    waiting: list[ast.AST] = [*node.body]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(each, _SCOPES):
            waiting.extend(ast.iter_child_nodes(each))
    return bool(node.decorator_list)


def _required(arguments: ast.arguments) -> tuple[str, ...]:
    """Return the parameters without a default; `ctx` is passed by name, so it counts only if it cannot be."""
    if not (arguments.args or arguments.posonlyargs or arguments.kwonlyargs):
        return ()
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    without = positional[: len(positional) - len(arguments.defaults)]
    only_positional = {argument.arg for argument in arguments.posonlyargs}
    named = [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return tuple(name for name in (*without, *named) if name != CONTEXT or name in only_positional)


def _first_line(doc: str | None) -> str | None:
    lines = inspect.cleandoc(doc).splitlines() if doc else []
    return _encodable(lines[0]).strip() or None if lines else None


def _examples(doc: str) -> Iterator[str]:
    """Yield what stands beside `Example:`, and the lines below: up to an empty one, or to one that is not indented."""
    is_example = is_beside = False
    for line in _encodable(inspect.cleandoc(doc)).splitlines():
        if found := _EXAMPLE.match(line):
            is_example, is_beside = True, bool(found[1])
            line = found[1]  # noqa: PLW2901 - what stands beside it
        elif not line.strip() or (is_beside and not line[0].isspace()):
            is_example = False
        if is_example and line.strip():
            yield line.strip().strip("`")


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


_EXAMPLE = lazy_pattern(r"\s*Examples?:\s*(.*)", re.IGNORECASE)
