"""The entry point and the group of commands, whose modules are imported only when called: `--help` stays fast."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

import click
from click.exceptions import Exit

from slack_alert import __version__
from slack_alert.cli import exit_codes
from slack_alert.cli.init_process import fork_if_init
from slack_alert.cli.option_order import move_options
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.standard_streams import failure, prepare_streams
from slack_alert.cli.process_end import end_process
from slack_alert.core.errors import BadValue, SettingsError, SlackAlertError
from slack_alert.core.excerpts import abridged

#: The commands: name to module and summary.
COMMANDS = {
    "run": ("control.run", "Start: run the jobs until Ctrl+C, then drain. What `slack-alert` alone does."),
    "check": ("plan.check", "Read every plugin without executing any; print jobs and problems."),
    "jobs": ("query.jobs", "List the jobs with their triggers, next runs and state."),
    "sensors": ("query.sensors", "List the sensors: what they emit, and what their processes are at."),
    "trigger": ("control.trigger", "Run one job now, here, and print its value."),
    "simulate": ("plan.simulate", "Show what would run and be said."),
    "history": ("query.history", "List runs with their verdicts and messages."),
    "explain": ("query.explain", "Say why a job spoke, or why it did not."),
    "events": ("query.events", "List events and what became of them; follow them."),
    "rules": ("query.rules", "List the rules, their events and criteria."),
    "rule": ("query.rules", "Test an event against the rules, without running anything."),
    "report": ("query.report", "Sum up runs, durations, errors, alerts and numbers; as a picture in a channel."),
    "audit": ("query.audit", "List what people asked for; prove that nothing of it was changed."),
    "status": ("query.status", "Tell whether it is alive; exit 1 when not."),
    "queue": ("query.queue", "List the commands that run, wait, or are for later."),
    "cancel": ("control.cancel", "End a command that runs, or take it out of the queue."),
    "pause": ("control.pause", "Let a job rest."),
    "resume": ("control.pause", "Let a paused job run again."),
    "mute": ("control.mute", "Let a job run and say nothing for a while."),
    "unmute": ("control.mute", "Let a muted job speak again."),
    "ack": ("control.ack", "Say that somebody takes care of an incident."),
    "outbox": ("control.outbox", "List messages; send dead ones again, or drop them."),
    "send": ("control.send", "Say something in the channel."),
    "exec": ("control.exec_command", "Run any command as a job: recorded, and told when it fails."),
    "chat": ("control.chat", "Talk to the program from this terminal: each line is a command."),
    "emit": ("control.emit", "Tell the jobs that wait for it what was noticed."),
    "store": ("control.store", "Read and change what functions keep in ctx.store."),
    "pack": ("setup.pack", "Write a pack, check it, install one, or remove one."),
    "packs": ("query.packs", "List the packs, and whether they are loaded."),
    "actions": ("query.packs", "List the functions that can be run by hand."),
    "doctor": ("setup.doctor", "Look for what is wrong, and say what to do about it."),
    "manifest": ("setup.manifest", "Print the Slack app's manifest, to paste when creating the app."),
    "demo": ("setup.demo", "Show in a minute what it does, on a clock that jumps; nothing is sent or kept."),
    "init": ("setup.init", "Write an example plugin and a commented slack_alert.conf."),
    "completion": ("setup.completion", "Print the shell's completion script: bash, zsh or fish."),
}


class LazyGroup(click.Group):
    """A group that imports the module of a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the names of the commands in the order of the overview."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as click calls it
        """Import and return a command, or None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = COMMANDS[cmd_name][0]
        function = "execute" if cmd_name == "exec" else cmd_name  # Python has an `exec` of its own.
        found = getattr(import_module(f"slack_alert.cli.{module}"), function)
        assert isinstance(found, click.Command)
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; a command's own options may stand before its name."""
        return super().parse_args(ctx, move_options(self, COMMANDS, lambda name: self.get_command(ctx, name), args))

    def invoke(self, ctx: click.Context) -> object:
        """Call the command, and print its error here, where the secrets to redact are known."""
        try:
            return super().invoke(ctx)
        except SlackAlertError as error:
            raise Exit(_print_error(error)) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; raise UsageError with a suggestion if there is none."""
        name = args[0] if args else ""
        if name not in COMMANDS and not name.startswith("-"):
            from slack_alert.core.units.names import alike

            near = alike(name, COMMANDS, most=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"The commands are: {', '.join(COMMANDS)}."
            raise click.UsageError(f"There is no command {name!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as click
        """Write the overview without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in COMMANDS.items()])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@common
@click.option("--standby", is_flag=True, default=None, help="run: wait for the database's lock instead of giving up.")
@click.option("--json", "as_json", is_flag=True, help="Reading commands: JSON instead of tables.")
@click.version_option(__version__, "--version", prog_name="slack-alert", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, *, as_json: bool, **flags: object) -> object:
    """Write a Python function, drop it into plugins/, read its result in the team's channel.

    `slack-alert` alone is `slack-alert run`. Every option stands before or after the command.
    """
    remember(ctx, flags)
    if as_json:
        ctx.default_map = {name: {"as_json": True} for name in COMMANDS}
    if ctx.invoked_subcommand is not None:
        return None
    command = cli.get_command(ctx, "run")
    assert command is not None
    return ctx.invoke(command)


def main() -> NoReturn:
    """Run the command line as the process, and end it with the exit code, whatever threads are left."""
    fork_if_init()
    prepare_streams()
    try:
        command_line()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else exit_codes.FINE
    except BaseException as error:  # noqa: BLE001 - it is printed as Python would
        sys.excepthook(type(error), error, error.__traceback__)
        code = exit_codes.FOUND
    end_process(code)


def command_line() -> NoReturn:
    """Run the command line; raise SystemExit with its exit code."""
    code = _code()
    sys.stdout.flush()
    lost = failure(sys.stdout)
    # A closed pipe is no error: its reader has seen enough.
    if lost is not None and not isinstance(lost, BrokenPipeError):
        from slack_alert.cli.logs import report_error

        report_error(f"Standard output cannot be written: {lost.strerror or lost}.")
        code = code or exit_codes.FOUND
    sys.exit(code)


def _code() -> int:
    try:
        code = cli.main(standalone_mode=False, prog_name="slack-alert")
    except click.ClickException as error:
        vars(error)["message"] = abridged(error.message)  # Click alone prints it, with the usage.
        error.show()
        return error.exit_code
    except SlackAlertError as error:
        return _print_error(error)
    except (click.Abort, KeyboardInterrupt):
        return exit_codes.INTERRUPTED
    except Exception as error:
        from slack_alert.cli.logs import report_error
        from slack_alert.core.environment_faults import machine_lack

        lack = machine_lack(error)
        if lack:
            report_error(f"{lack} ({type(error).__name__}: {error})")
        elif isinstance(error, OSError) and error.filename is not None:
            _print_error(SlackAlertError(f"{error.filename}: {error.strerror}."))
        else:
            raise
        return exit_codes.FOUND
    return code if isinstance(code, int) else exit_codes.FINE


def _print_error(error: SlackAlertError) -> int:
    """Print an error; return the exit code."""
    from slack_alert.cli.logs import report_error
    from slack_alert.cli.output.streams import redacted
    from slack_alert.settings.secret import masked

    report_error(redacted(masked(error.sentences)))
    return exit_codes.USAGE if isinstance(error, (SettingsError, BadValue)) else exit_codes.FOUND
