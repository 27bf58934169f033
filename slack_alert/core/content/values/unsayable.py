"""Detect values that are returned by mistake: functions not called, objects whose text is only a memory address."""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any  # A plugin returns values of any type.

from slack_alert.core.content.values.value_text import ADDRESS
from slack_alert.core.patterns import lazy_pattern


def check_sayable(value: object, *, inside: str = "") -> None:
    """Raise TypeError if a value has no useful text, with a hint; `inside` describes where the value was."""
    if type(value) in _SAYABLE:
        return
    mistake = _mistake_in(value)
    if mistake:
        raise TypeError(f"returned {inside}{mistake}")


_SAYABLE = frozenset({str, int, float, bool, type(None), bytes, list, tuple, dict, set, frozenset})
#: A text with nothing but a name and an address.
_ONLY_AN_ADDRESS = lazy_pattern(rf"<[\w.' <>-]+?{ADDRESS}>")


def _mistake_in(value: Any) -> str:
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}: return something that is in it"
    if isinstance(value, type):
        return f"the class {value.__name__}: make one of it, return {value.__name__}(...)"
    if isinstance(value, FunctionType):
        name = value.__name__
        return "a lambda: call it" if name == "<lambda>" else f"the function {name}: call it, return {name}()"
    if isinstance(value, MethodType):
        of = value.__self__.__name__ if isinstance(value.__self__, type) else _with_article(value.__self__)
        return f"the method {value.__name__} of {of}: call it, return ...{value.__name__}()"
    if isinstance(value, partial):
        return f"a partial of {getattr(value.func, '__name__', 'a callable')}: call it"
    if hasattr(type(value), "__await__"):
        return f"the coroutine {getattr(value, '__name__', type(value).__name__)}: await it"
    return _without_words(value)


def _without_words(value: Any) -> str:
    kind: Any = type(value)
    if kind.__str__ is not object.__str__:
        return ""
    text = str(value)
    if callable(value) and text.startswith("<"):
        name = getattr(value, "__name__", None)
        if isinstance(name, str):
            return f"the function {name}: call it, return {name}()"
        return f"{_with_article(value)}, which has no text: call it, or return what is to be read of it"
    # A `__repr__` that somebody wrote is meant to be read.
    if isinstance(kind.__repr__, FunctionType) or not _ONLY_AN_ADDRESS.fullmatch(text):
        return ""
    own = f", or give {kind.__name__} a __str__" if kind.__module__.startswith(("plugins.", "packs.")) else ""
    return f"{_with_article(value)}, which has no text: return what is to be read of it{own}"


def _with_article(value: object) -> str:
    name = type(value).__name__
    article = "an" if name[:1] in "AEIOUaeiou" else "a"
    return f"{article} {name}" if name.endswith("object") else f"{article} {name} object"
