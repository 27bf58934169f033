"""Evaluate the values in a marker without running anything: literals, arithmetic on them, constants of the file."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping

from slack_alert.core.errors import BadValue
from slack_alert.core.schedule.triggers import TIME_KEYWORDS
from slack_alert.core.units.names import nearest

ALLOWED = "Write a literal, arithmetic on literals, or a constant assigned once at module level to such a value."

#: No interval, size or count is larger, and arithmetic below it cannot take long.
_LARGEST = 10**18
_LARGEST_EXPONENT = 64
_DEEPEST = 50
_LONGEST = 100_000

# A tuple, because a union would be created anew at each use.
_NUMBERS = (int, float)

_BINARY: dict[type[ast.operator], Callable[[int | float, int | float], object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[int | float], object]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


class NotLiteral(BadValue):
    """The value is known only when the file runs."""

    def __init__(self, node: ast.expr, reason: str = "") -> None:
        super().__init__(reason, hint=ALLOWED)
        self.node = node


def evaluate(node: ast.expr, constants: Mapping[str, ast.expr], *, depth: int = 0) -> object:
    """Return the value of an expression as a JSON type; raise BadValue if it cannot be known or is too large."""
    if depth > _DEEPEST:
        raise BadValue("the value is nested too deeply, or made of itself", hint=ALLOWED)
    if isinstance(node, ast.Constant):
        return _plain(node.value, node)
    if isinstance(node, ast.Name):
        return _constant(node, constants, depth + 1)
    if isinstance(node, ast.UnaryOp | ast.BinOp):
        return _plain(_computed(node, constants, depth + 1), node)
    if isinstance(node, ast.List | ast.Tuple):
        return [evaluate(item, constants, depth=depth + 1) for item in node.elts]
    if isinstance(node, ast.Dict):
        return _mapping(node, constants, depth + 1)
    raise NotLiteral(node)


def _plain(value: object, node: ast.expr) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, _NUMBERS):
        raise NotLiteral(node)
    if not -_LARGEST <= value <= _LARGEST:
        raise BadValue(f"the number is not between -{_LARGEST:.0e} and {_LARGEST:.0e}", hint="Write a smaller one.")
    return value


def _text(value: str) -> str:
    if len(value) > _LONGEST:
        raise BadValue(f"the text has {len(value)} characters", hint=f"{_LONGEST} at most.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BadValue("the text holds half a character (\\ud800 to \\udfff)", hint="Write the whole character.")
    return value


def _constant(node: ast.Name, constants: Mapping[str, ast.expr], depth: int) -> object:
    if node.id not in constants:
        raise NotLiteral(node, f"{node.id} is not a constant that is assigned once, at module level")
    try:
        return evaluate(constants[node.id], constants, depth=depth)
    except NotLiteral as error:
        raise NotLiteral(node, f"{node.id} is not assigned a literal, or arithmetic on literals") from error


def _computed(node: ast.UnaryOp | ast.BinOp, constants: Mapping[str, ast.expr], depth: int) -> object:
    parts = (node.operand,) if isinstance(node, ast.UnaryOp) else (node.left, node.right)
    values = [evaluate(part, constants, depth=depth) for part in parts]
    if isinstance(node.op, ast.Add) and all(isinstance(value, str) for value in values):
        return "".join(str(value) for value in values)
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    apply = _UNARY.get(type(node.op)) if isinstance(node, ast.UnaryOp) else _BINARY.get(type(node.op))
    if apply is None or len(numbers) != len(parts):
        raise NotLiteral(node)
    if isinstance(node.op, ast.Pow) and abs(numbers[1]) > _LARGEST_EXPONENT:
        raise BadValue("the exponent is too large", hint=f"{_LARGEST_EXPONENT} at most.")
    try:
        result = apply(*numbers)
    except ArithmeticError as error:
        raise BadValue(f"the arithmetic fails: {error}", hint=ALLOWED) from error
    return math.inf if isinstance(result, complex) else result


def _mapping(node: ast.Dict, constants: Mapping[str, ast.expr], depth: int) -> dict[str, object]:
    pairs: dict[str, object] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = None if key is None else evaluate(key, constants, depth=depth)
        if not isinstance(name, str):
            raise BadValue("the keys must be strings", hint='Write {"path": "/etc/*"}.')
        pairs[name] = evaluate(value, constants, depth=depth)
    return pairs


EVENT_KEYWORDS = ("command", "on", "emits", "guard")
#: Any of these makes a decorator a marker.
TRIGGER_KEYWORDS = (*TIME_KEYWORDS, *EVENT_KEYWORDS)
OPTION_KEYWORDS = (
    "name",
    "enabled",
    "to",
    "errors_to",
    "timezone",
    "start",
    "end",
    "jitter",
    "at_start",
    "working_hours",
    "max_alert",
    "pause_time",
    "while_paused",
    "where",
    "any",
    "all",
    "not_",
    "within",
    "at_most",
    "collect",
    "otherwise",
    "params",
    "absent",
    "dedup",
    "after",
    "repeat",
    "remind",
    "recover",
    "escalate",
    "catch_up",
    "baseline",
    "timeout",
    "retries",
    "retry_delay",
    "queue",
    "lock",
    "isolation",
    "memory_limit",
    "cpu_limit",
    "allow",
    "confirm",
    "approve",
    "choices",
    "hidden",
)
KEYWORDS = (*TRIGGER_KEYWORDS, *OPTION_KEYWORDS)
#: Keywords that are read and checked, but have no effect in this version.
LATER_KEYWORDS = frozenset(["confirm", "approve", "choices"])
#: Those of them without which a command must not run: they say who agrees, and to what.
NEEDED_KEYWORDS = frozenset(["confirm", "approve", "choices"])
#: Keywords that have an effect on commands, and in this version none on what runs by itself.
COMMAND_KEYWORDS = frozenset(["queue", "lock", "allow"])
#: Words that people write for a keyword of another name.
_OTHERWISE = {
    "channel": "to",
    "every": "minutes",
    "interval": "minutes",
    "min": "minutes",
    "sec": "seconds",
    "schedule": "cron",
    "when": "at",
    "time": "at",
    "event": "on",
    "tz": "timezone",
}


def keyword_suggestion(word: str) -> str:
    """Return a hint with the keyword that was probably meant, or with all that work in this version."""
    meant = nearest(word, (*KEYWORDS, *_OTHERWISE), likeness=0.65)
    if meant:
        return f"Did you mean {_OTHERWISE.get(meant, meant)}?"
    allowed = [known for known in KEYWORDS if known not in LATER_KEYWORDS]
    return f"Allowed: {', '.join(allowed)}."
