"""`slack-alert pack new`, `pack check`, `pack install` and `pack remove`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo
from slack_alert.cli.running_program import REQUEST_SETTINGS, effective_settings
from slack_alert.cli.session import begin_log, configured, current_folder, own_output
from slack_alert.core.units.humanize import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_alert.settings import Settings


class _PackGroup(click.Group):
    """A group that names its subcommands where another is typed."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raise UsageError with the subcommands for an unknown one."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            raise click.UsageError(f"There is no `pack {args[0]}`. Write one of: {', '.join(self.commands)}.", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_PackGroup)
@common
@click.pass_context
def pack(ctx: click.Context, /, **flags: object) -> None:
    """Write a pack, check it, install one, or remove one; `slack-alert packs` lists them."""
    remember(ctx, flags)


@pack.command()
@common
@click.argument("name")
@click.pass_context
def new(ctx: click.Context, /, *, name: str, **flags: object) -> int:
    """Write the files of a new pack into packs/NAME, with a test that passes."""
    from slack_alert.loader.packs.install import write_new
    from slack_alert.loader.packs.template import template_files

    settings = _settings(ctx, flags)
    if settings.dry_run:
        echo("\n".join(f"missing  packs/{name}/{path}" for path in template_files(name)))
        return exit_codes.FINE
    for file in write_new(settings.path, name):
        echo(f"written  {file.relative_to(settings.path)}")
    echo(f"\nNext: `slack-alert pack check {name}` runs its test, `slack-alert packs` lists it, `slack-alert` runs it.")
    return exit_codes.FINE


@pack.command()
@common
@click.argument("name")
@click.pass_context
def check(ctx: click.Context, /, *, name: str, **flags: object) -> int:
    """Load a pack by itself, executing its files, and run its tests. Exit 1 for an error or a test that fails."""
    from slack_alert.bootstrap.oneshot.packs import check_pack
    from slack_alert.cli.plan.check import show_catalog

    settings = _settings(ctx, flags)
    with own_output(settings) as out:
        checked = check_pack(settings, name)
        show_catalog(checked.catalog, out)
        if checked.tests is not None:
            echo(f"\n{checked.tests.text}", out)
        elif not checked.catalog.has_errors:
            echo(f"No tests: packs/{name}/tests/test_*.py would be run.", out)
    return exit_codes.FINE if checked.is_sound else exit_codes.FOUND


@pack.command()
@common
@click.argument("source", metavar="PATH|GIT-URL")
@click.option("--ref", default="", metavar="REF", help="The branch, tag or commit of a repository.")
@click.option("--replace", "replaces", is_flag=True, help="Put it in the place of a pack of the same name.")
@click.pass_context
def install(ctx: click.Context, /, *, source: str, ref: str, replaces: bool, **flags: object) -> int:
    """Put a pack into packs/, at one commit, and make the environment that its requirements.txt needs."""
    from slack_alert.loader.packs.install import install_pack

    settings = _settings(ctx, flags)
    if settings.dry_run:
        echo(f"Dry run, nothing is changed; without it {source} would be installed.")
        return exit_codes.FINE
    done = install_pack(settings.path, source, cwd=current_folder(), ref=ref, replaces=replaces)
    at = f" at {done.source.commit[:12]}" if done.source.commit else ""
    echo(f"{'replaced' if done.has_replaced else 'installed'}  packs/{done.name} from {done.source.source}{at}")
    if done.has_environment:
        echo(f"environment  packs/{done.name}/.venv")
    echo(f"\nNext: `slack-alert pack check {done.name}`.")
    return exit_codes.FINE


@pack.command()
@common
@click.argument("name")
@click.option("--yes", "is_sure", is_flag=True, help="Also where the folder was written here, not installed.")
@click.pass_context
def remove(ctx: click.Context, /, *, name: str, is_sure: bool, **flags: object) -> int:
    """Remove packs/NAME with its environment, and what the pack has stored."""
    from slack_alert.bootstrap.oneshot import packs

    settings = effective_settings(remember(ctx, flags), concerns=REQUEST_SETTINGS)
    done = packs.remove(settings, name, is_sure=is_sure)
    values = f", and {counted(done.values, 'value')} that it had stored" if done.values else ""
    echo(f"{'would be removed' if settings.dry_run else 'removed'}  packs/{name}{values}")
    if done.section:
        echo(f"{done.section} still has [pack.{name}]: take it out.", sys.stderr)
    return exit_codes.FINE


def _settings(ctx: click.Context, flags: Mapping[str, object]) -> Settings:
    loaded = configured(remember(ctx, flags))
    begin_log(loaded)
    return loaded.settings
