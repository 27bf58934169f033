"""The jobs that the words of a command mean, for permissions and for `run JOB`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.command import Command
from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import Action
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import plural
from slack_alert.core.units.names import composed

#: A number without a leading zero, as `bc` prints it.
_SHORT = lazy_pattern(r"^\s*(-?)\.(\d+)\s*$")


class RunnableJob(Struct, frozen=True):
    """A function that a person runs by the name of its job."""

    #: It runs as this command: recorded, queued and canceled like any other.
    command: Command
    #: The function is a command of its own, so that its words are arguments; else they are the fields of an event.
    is_command: bool = False
    #: The events that its values become.
    emits: tuple[str, ...] = ()


def meant_jobs(said: str, names: Sequence[str]) -> list[str]:
    """Return the jobs with a full name or a last part, or those that a pattern matches; all for an empty text."""
    said = composed(said)
    if not said:
        return list(names)
    if any(sign in said for sign in "*?["):
        return [name for name in names if fnmatchcase(composed(name), said)]
    return [name for name in names if f".{composed(name)}".endswith(f".{said}")]


def runnable_job(said: str, catalog: Catalog) -> RunnableJob:
    """Return what `run JOB` runs; raise BadValue if there is no such job.

    A function that is a command as well runs as that command; others wait in the default queue.
    """
    name = catalog.lookup(said, listing="jobs").name
    of_it = [binding for binding in catalog.bindings if binding.name == name]
    command = next((each for each in of_it if isinstance(each, Command)), None)
    job = next((each for each in of_it if isinstance(each, Job)), None)
    if command is not None:
        return RunnableJob(command, is_command=True, emits=job.emits if job is not None else ())
    assert job is not None, "a binding is a job or a command"
    check_ends(job)
    options = job.run_options
    return RunnableJob(Command(name, job.action, f"run {name}", ("run",), run_options=options), emits=job.emits)


def check_ends(job: Job) -> None:
    """Raise BadValue if a job cannot be run by hand, because it runs for ever."""
    if job.is_endless:
        said = f"{job.name} is a sensor that runs for ever: it is not run by hand."
        raise BadValue(
            said, hint="`slack-alert sensors` tells what it is at; `slack-alert emit` emits an event by hand."
        )


def event_fields(words: Sequence[str]) -> dict[str, object]:
    """Return the fields in words such as `size=12`; raise BadValue for other words."""
    return dict(map(parse_field, words))


def parse_field(text: str) -> tuple[str, object]:
    """Return the name and the value of `FIELD=VALUE`; raise BadValue if there is no name or no `=`."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise BadValue(f"{text!r} is no field.", hint="Write each as FIELD=VALUE: size=12.")
    return composed(name.strip()), _value(value)


def require_fields(name: str, action: Action, fields: Mapping[str, object], how: str, field: str = "{}=...") -> None:
    """Raise BadValue if a function requires a field that is not among these; `how` is what one writes before them."""
    if missing := [each for each in _required(action) if each not in fields]:
        names = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
        wanted = " ".join(field.format(each) for each in missing)
        raise BadValue(
            f"{name} needs the {plural(len(missing), 'field')} {names}.", hint=f"Write `{how} {name} {wanted}`."
        )


def _required(action: Action) -> Iterator[str]:
    with suppress(TypeError, ValueError):  # A callable without a signature raises by itself when it is called.
        for parameter in inspect.signature(action.function or (lambda: None)).parameters.values():
            is_named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if is_named and parameter.default is parameter.empty and _is_field(parameter.name, action):
                yield parameter.name


def _is_field(name: str, action: Action) -> bool:
    """Return whether a parameter is the field of its name, and not made of others."""
    return name in action.parameters and name not in (action.params or ())


def _value(text: str) -> object:
    try:
        found = json.loads(_SHORT.sub(r"\g<1>0.\2", text))
    except (ValueError, RecursionError):
        return text
    # JSON knows no NaN and no infinity; Python's reader does.
    return found if not isinstance(found, float) or found - found == 0 else text
