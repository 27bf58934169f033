"""Make bindings of the commands in the configuration."""

from __future__ import annotations

from ast import literal_eval
from typing import TYPE_CHECKING

from slack_alert.core.commands.command import Command
from slack_alert.core.model.run import DEFAULT_OPTIONS, Action, RunOptions

if TYPE_CHECKING:
    from slack_alert.settings import Settings
    from slack_alert.settings.model import CommandSection


def configured_commands(settings: Settings) -> tuple[Command, ...]:
    """Return the commands of the configuration that can run; those that ask for a confirmation cannot yet."""
    return tuple(_command(section, settings) for section in settings.commands if not section.is_confirmed)


def _command(section: CommandSection, settings: Settings) -> Command:
    # Its program is a process of its own already.
    run_options = RunOptions(section.timeout or settings.timeout)
    return Command(
        f"command.{section.name}",
        _action(section),
        words=section.name,
        parameters=section.parameters,
        allow=section.allow,
        queue=section.queue,
        lock=section.lock,
        program=section.run,
        run_options=DEFAULT_OPTIONS if run_options == DEFAULT_OPTIONS else run_options,
    )


def _action(section: CommandSection) -> Action:
    from slack_alert.engine.context.program_call import ProgramCall
    from slack_alert.settings.command_sections import PLACEHOLDER

    defaults = {one.name: literal_eval(one.default) for one in section.parameters if one.default}
    variadic = next((one.name for one in section.parameters if one.is_variadic), "")
    return Action(
        f"command.{section.name}",
        section.file,
        section.line,
        section.help or None,
        ProgramCall(section.run, PLACEHOLDER, defaults, variadic, section.cwd),
        takes_context=True,
        parameters=tuple(one.name for one in section.parameters),
    )
