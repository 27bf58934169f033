"""What becomes of a command when a guard has answered: it goes on, with other arguments perhaps, or it is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slack_alert.core.commands.arguments import text_of
from slack_alert.core.commands.permission_lines import choices_of, is_like
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.structs import Struct, field

#: Canonical texts by the names of parameters, of a list all of its items.
Values = Mapping[str, "str | Sequence[str]"]


class Guarded(Struct, frozen=True):
    """The arguments with which a command goes on, or why it does not."""

    arguments: Values
    #: The former and the new value of each argument that the guard changed; None: it had none.
    changed: Mapping[str, tuple[str | Sequence[str] | None, str | Sequence[str] | None]] = field(default_factory=dict)
    #: Empty: it goes on.
    refusal: str = ""


def guarded(guard: str, parameters: Sequence[Parameter], arguments: Values, returned: object) -> Guarded:
    """Return what a guard's answer makes of the arguments; an exception is handed over as what it returned.

    None lets the command go on, a text refuses it, a dict changes arguments: None as a value takes one out, so that its
    default holds. Whatever else is returned, or cannot be an argument, refuses. Who may is decided again afterwards.
    """
    if returned is None:
        return Guarded(arguments)
    if isinstance(returned, BaseException):
        return Guarded(arguments, refusal=f"The guard {guard} failed ({type(returned).__name__}), so this is refused.")
    if isinstance(returned, str):
        return Guarded(arguments, refusal=returned.strip() or f"The guard {guard} refuses this.")
    if not isinstance(returned, Mapping):
        said = f"returned {type(returned).__name__}, and not None, a text or a dict, so this is refused"
        return Guarded(arguments, refusal=f"The guard {guard} {said}.")
    return _changed(guard, parameters, arguments, returned)


def _changed(
    guard: str, parameters: Sequence[Parameter], arguments: Values, returned: Mapping[object, object]
) -> Guarded:
    known = {parameter.name: parameter for parameter in parameters}
    after, changed = dict(arguments), {}
    for name, value in returned.items():
        parameter = known.get(name) if isinstance(name, str) else None
        if parameter is None:
            return Guarded(arguments, refusal=f"The guard {guard} changes {name!r}, which is no argument.")
        text = _argument(parameter, value)
        if text is None and (value is not None or parameter.is_required):
            return Guarded(arguments, refusal=f"The guard {guard} gives `{parameter.name}` a value it cannot have.")
        if text == after.get(parameter.name):
            continue
        changed[parameter.name] = (after.get(parameter.name), text)
        after.pop(parameter.name, None)
        if text is not None:
            after[parameter.name] = text
    return Guarded(after, changed)


def _argument(parameter: Parameter, value: object) -> str | tuple[str, ...] | None:
    """Return a value as texts, or None where it is none that the parameter can have."""
    if parameter.is_list or parameter.is_variadic:
        items = [_text(parameter, item) for item in value] if isinstance(value, list | tuple) else []
        texts = tuple(item for item in items if item is not None)
        return texts if isinstance(value, list | tuple) and len(texts) == len(items) else None
    return _text(parameter, value)


def _text(parameter: Parameter, value: object) -> str | None:
    if not isinstance(value, str | int | float):
        return None
    text = text_of(value)
    allowed = choices_of(parameter)
    return text if not allowed or any(is_like(parameter.kind, text, _literal(choice)) for choice in allowed) else None


def _literal(text: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in text)
