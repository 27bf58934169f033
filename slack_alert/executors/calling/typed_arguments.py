"""Pass the arguments of a command to its function: by position where the signature asks for it, else by name."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import Action, Arguments

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def bind_arguments(
    action: Action, arguments: Arguments, context: Mapping[str, object]
) -> tuple[list[object], dict[str, object]]:
    """Return what an action's function is called with; `context` is passed by name as far as possible.

    Where there are values for `*args`, everything before them is passed by position, because Python would give them to
    the parameters before.
    """
    function = action.function
    assert function is not None, "only executed modules are run"
    enums = {name: _enum_class(action, function, of) for name, of in arguments.enums.items()}
    named = {name: _members(value, enums.get(name)) for name, value in arguments.values.items()} | dict(context)
    rest = arguments.rest
    if not rest and _takes_names(function):  # As mostly; a signature takes longer to make than most functions run.
        return [], named
    positional: list[object] = []
    for parameter in _signature(function):
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            rest = tuple(_members(value, enums.get(parameter.name)) for value in rest)
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY or (rest and parameter.kind in _BY_POSITION):
            if parameter.name not in named and parameter.default is inspect.Parameter.empty:
                break
            positional.append(named.pop(parameter.name, parameter.default))
    return [*positional, *rest], named


def _takes_names(function: Callable[..., Any]) -> bool:
    """Return whether a function surely takes all its parameters by name."""
    # A wrapper has the function that it wraps, or a signature, among its attributes.
    is_plain = isinstance(function, FunctionType) and not vars(function)
    return is_plain and not function.__code__.co_posonlyargcount


def _signature(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # A callable without one, such as some of C's.
        return []


def _members(value: object, enum: Any) -> object:  # Any: a class of the plugin's
    if enum is None:
        return value
    return [enum[name] for name in value] if isinstance(value, list) else enum[value]


def _enum_class(action: Action, function: Callable[..., Any], name: str) -> Any:  # Any: as above
    """Return a class of the plugin's file, whose names a decorator of another file does not have."""
    module = sys.modules.get(action.file.removesuffix(".py").replace("/", "."))
    for names in (getattr(inspect.unwrap(function), "__globals__", {}), vars(module) if module else {}):
        if name in names:
            return names[name]
    raise BadValue(f"{action.file} has no {name} any more, which {action.name} takes")
