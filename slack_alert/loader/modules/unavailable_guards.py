"""Find the guards of a file that cannot be asked, because the file, or their marker, did not load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.commands.command import ANY, Guard
from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import Action
from slack_alert.core.patterns import lazy_pattern
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.options.option_checks import parse_guarded
from slack_alert.loader.parsing.declaration import Declaration, FileReading


def unavailable_guards(
    file: PluginFile,
    reading: FileReading,
    content: bytes | None,
    bindings: Iterable[Binding],
    problems: Sequence[Problem],
) -> tuple[Guard, ...]:
    """Return the guards that a file declares and that are not among its bindings.

    A file that could not be parsed may declare any: it stands for a guard of all commands, unless its text is known
    and names none. `content` is None where the file could not be read.
    """
    if reading.code is None:
        if content is not None and not _WRITTEN.search(content):
            return ()
        return (Guard(file.name, Action(file.name, file.shown, 1), (ANY,), fault=_fault(file, problems)),)
    declared = [each for each in reading.declarations if "guard" in each.keywords and each.is_enabled]
    if not declared:
        return ()
    available = {binding.name for binding in bindings if isinstance(binding, Guard)}
    missing = [each for each in declared if each.name_in(file.name) not in available]
    return tuple([_unavailable(file, each, _fault(file, problems)) for each in missing])


def _unavailable(file: PluginFile, declaration: Declaration, fault: str) -> Guard:
    name = declaration.name_in(file.name)
    try:
        words = parse_guarded(declaration.keywords["guard"])
    except BadValue:
        words = (ANY,)
    return Guard(name, Action(name, file.shown, declaration.line), words, fault=fault)


def _fault(file: PluginFile, problems: Sequence[Problem]) -> str:
    errors = [each for each in problems if each.file == file.shown and each.severity is Severity.ERROR]
    return f"{file.shown}:{errors[0].line}: {errors[0].message}" if errors else f"{file.shown} is still loading"


#: In a text that is no Python, a marker is known by this alone.
_WRITTEN = lazy_pattern(rb"\bguard\s*=")
