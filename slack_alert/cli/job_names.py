"""The names of jobs, as people type them and as the shell completes them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from slack_alert.cli.session import configured
from slack_alert.core.errors import BadValue, SettingsError, SlackAlertError
from slack_alert.core.units.names import alike, composed

if TYPE_CHECKING:
    from slack_alert.engine.batches import Snapshot
    from slack_alert.settings import Settings

#: More are counted.
_NAMED = 10
#: The options that say which plugins are meant.
_PLACES = ("path", "config", "ignore_global_config")


def job_names(settings: Settings, snapshot: Snapshot) -> tuple[list[str], list[str]]:
    """Return the jobs there are, and those that were; raise SettingsError where there is no trace of either."""
    from slack_alert.bootstrap import plugin_loading

    gone = sorted({*snapshot.seen, *snapshot.states, *snapshot.holds})
    try:
        present = [binding.name for binding in plugin_loading.survey_plugins(settings).bindings]
    except SettingsError:
        if not gone:
            raise
        present = []
    there = dict.fromkeys(present)
    return list(there), [name for name in gone if name not in there]


def meant(said: str, present: list[str], gone: list[str]) -> str:
    """Find the job that is meant by a full name or a last part; raise BadValue for none.

    A last part means what is gone only where nothing that is there has it.
    """
    from slack_alert.core.catalog import full_name

    said = composed(said)
    is_there = said not in map(composed, gone) and any(composed(name).endswith(f".{said}") for name in present)
    return full_name(said, present if is_there else [*present, *gone])


def chosen(said: str, present: list[str], gone: list[str]) -> list[str]:
    """Find what is meant by a full name, a last part or a pattern such as `db.*`; raise BadValue for nothing."""
    said = composed(said)
    if not any(sign in said for sign in "*?["):
        return [meant(said, present, gone)]
    names = [*present, *gone]
    found = [name for name in names if fnmatchcase(composed(name), said)]
    if not found:
        near = _near(said, names)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`slack-alert jobs` lists them."
        raise BadValue(f"No job is called like {said!r}.", hint=hint)
    return found


def chosen_jobs(settings: Settings, said: str) -> list[str]:
    """Find the jobs that are meant by a full name, a last part or a pattern; raise BadValue for none."""
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.bootstrap.oneshot import job_lookup

    catalog = plugin_loading.survey_plugins(settings)
    try:
        return chosen(said, [job.name for job in catalog.jobs], [])
    except BadValue:
        job_lookup.check_files(settings, catalog, said)
        raise


def listed(names: Sequence[str]) -> str:
    """Name a few things, and count the rest: `a, b and 3 more`."""
    named = [*names[:_NAMED], *([f"{len(names) - _NAMED} more"] if len(names) > _NAMED else [])]
    return " and ".join(part for part in (", ".join(named[:-1]), named[-1]) if part)


def remark_absence(*, is_taken: bool) -> None:
    """Say where nobody runs that what was asked for counts from the next start on."""
    if not is_taken:
        click.echo("slack-alert is not running: this holds when it starts.", err=True)


def _near(said: str, names: list[str]) -> list[str]:
    """Find names, and patterns for whole files, that were perhaps meant."""
    patterns = [f"{file}.*" for file in dict.fromkeys(name.rpartition(".")[0] for name in names)]
    return alike(said, [*patterns, *names, *(name.rpartition(".")[2] for name in names)], most=3)


def complete_job(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Offer the jobs to the shell; whatever is wrong with the project is none of the shell's business."""
    from slack_alert.bootstrap import plugin_loading

    before = ctx.parent.params if ctx.parent else {}
    given = {name: ctx.params.get(name) or before.get(name) for name in _PLACES}
    try:
        jobs = plugin_loading.survey_plugins(configured(given).settings).jobs
    except (SlackAlertError, OSError):
        return []
    return [job.name for job in jobs if job.name.startswith(composed(incomplete))]
