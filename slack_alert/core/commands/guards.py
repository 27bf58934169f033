"""What becomes of a command when a guard has answered: it goes on, with other arguments perhaps, or it is refused."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import PurePath

from slack_alert.core.commands.arguments import MASK, text_of
from slack_alert.core.commands.command import ANY, Command, Guard
from slack_alert.core.commands.permission_lines import choices_of, is_like
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.commands.suggestions import spelling, spellings
from slack_alert.core.model.run import Arguments
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


def guards_of(command: Command, guards: Iterable[Guard]) -> list[Guard]:
    """Return the guards that are asked before a command, in their order."""
    named = set(spellings(command))
    return [
        guard
        for guard in guards
        if ANY in guard.words or any(tuple(spelling(words).split()) in named for words in guard.words)
    ]


def shown_to_guard(command: Command, arguments: Arguments) -> dict[str, object]:
    """Return the arguments as a guard sees them: as the function would, with defaults, but for those of other code."""
    shown: dict[str, object] = {}
    for parameter in command.parameters:
        if parameter.is_variadic:
            shown[parameter.name] = list(arguments.rest)
        elif parameter.name in arguments.values:
            value = arguments.values[parameter.name]
            shown[parameter.name] = list(value) if isinstance(value, list) else value
        elif not parameter.default:
            shown[parameter.name] = None
        else:
            shown |= _default(parameter)
    return shown


def changes_of(returned: object, shown: Mapping[str, object]) -> object:
    """Return a guard's answer without arguments that it only handed back."""
    if not isinstance(returned, Mapping):
        return returned
    return {name: value for name, value in returned.items() if not _is_same(name, value, shown)}


def told_changes(guard: str, parameters: Sequence[Parameter], answer: Guarded) -> str:
    """Return what a guard has changed, for the record; secrets are masked."""
    secret = {parameter.name for parameter in parameters if parameter.is_secret}
    parts = [
        f"{name} {_told(name, before, secret)} -> {_told(name, after, secret)}"
        for name, (before, after) in answer.changed.items()
    ]
    return f"{guard} changed {', '.join(parts)}"


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
    if not isinstance(value, str | int | float | date | timedelta | PurePath):
        return None
    text = text_of(value)
    allowed = choices_of(parameter)
    return text if not allowed or any(is_like(parameter.kind, text, _literal(choice)) for choice in allowed) else None


def _literal(text: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in text)


def _default(parameter: Parameter) -> dict[str, object]:
    """Return a default under its name; nothing where only Python knows it."""
    try:
        return {parameter.name: literal_eval(parameter.default)}
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        # `Env.PROD` is the choice `PROD`.
        choice = parameter.default.rpartition(".")[2] if parameter.enum else parameter.default
        return {parameter.name: choice} if choice in choices_of(parameter) else {}


def _is_same(name: object, value: object, shown: Mapping[str, object]) -> bool:
    if not isinstance(name, str) or name not in shown:
        return False
    # 1 is True, and no yes.
    return type(value) is type(shown[name]) and bool(value == shown[name])


def _told(name: str, text: str | Sequence[str] | None, secret: set[str]) -> str:
    if text is None:
        return "(default)"
    if name in secret:
        return MASK
    return text if isinstance(text, str) else ",".join(text)
