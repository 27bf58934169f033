"""Load packs that come with the program: plugin files that are modules of its own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Problem
from slack_alert.core.commands.command import Command
from slack_alert.core.structs import replace
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.options.binder import Binder
from slack_alert.loader.options.resolve import OptionDefaults
from slack_alert.loader.reading.file_reader import FileReader

#: The verbs of the chat that change nothing, and the one that waits in a queue, as the command that it runs does.
READING = frozenset(
    f"chat.{name}" for name in ("help", "jobs", "status", "queue", "why", "whoami", "history", "report")
)
QUEUED = frozenset({"chat.run"})


def load_shipped(pack: str, defaults: OptionDefaults) -> Sequence[Binding]:
    """Return the bindings of a pack; they are named after it, whichever of its files they are in."""
    package = import_module(f"slack_alert.packs.{pack}")
    problems: list[Problem] = []
    binder, reader = Binder(replace(defaults, markers=(), commands=(), built_in=frozenset()), problems), FileReader()
    found: list[Binding] = []
    for path in sorted(Path(package.__path__[0]).glob("*.py")):
        if path.stem.startswith("_"):
            continue
        module = import_module(f"{package.__name__}.{path.stem}")
        file = PluginFile(str(path), (pack,))
        reading = reader.read(file)
        problems += reading.problems
        for declaration in reading.declarations:
            function = getattr(module, declaration.attribute)
            bindings = binder.bind(file, declaration)
            found += [_of_pack(replace(each, action=replace(each.action, function=function))) for each in bindings]
    assert not problems, f"a pack of our own has problems: {problems}"
    return found


def _of_pack(binding: Binding) -> Binding:
    if not isinstance(binding, Command):
        return binding
    queue = binding.queue if binding.name in QUEUED else None
    return replace(binding, queue=queue, is_reading=binding.name in READING)
