"""Resolve and complete the names of jobs as people type them."""

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

#: The number of names in a sentence; the others are counted.
_NAMED = 10
#: The options that decide where the plugins are.
_PLACES = ("path", "config", "ignore_global_config")


def job_names(settings: Settings, snapshot: Snapshot) -> tuple[list[str], list[str]]:
    """Return the names of present and of former jobs; raise SettingsError if there is neither a folder nor history."""
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


def resolve_job(said: str, present: list[str], gone: list[str]) -> str:
    """Return the job with a full name or last part; raise BadValue if there is none.

    A last part means a former job only if no present job has it.
    """
    from slack_alert.core.catalog import full_name

    said = composed(said)
    is_there = said not in map(composed, gone) and any(composed(name).endswith(f".{said}") for name in present)
    return full_name(said, present if is_there else [*present, *gone])


def resolve_jobs(said: str, present: list[str], gone: list[str]) -> list[str]:
    """Return the jobs that match a full name, a last part or a pattern such as `db.*`; raise BadValue for none."""
    said = composed(said)
    if not any(sign in said for sign in "*?["):
        return [resolve_job(said, present, gone)]
    names = [*present, *gone]
    found = [name for name in names if fnmatchcase(composed(name), said)]
    if not found:
        near = _near(said, names)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`slack-alert jobs` lists them."
        raise BadValue(f"No job is called like {said!r}.", hint=hint)
    return found


def find_jobs(settings: Settings, said: str) -> list[str]:
    """Return the plugins' jobs that match a full name, a last part or a pattern; raise BadValue for none."""
    from slack_alert.bootstrap import plugin_loading
    from slack_alert.bootstrap.oneshot import job_lookup

    catalog = plugin_loading.survey_plugins(settings)
    try:
        return resolve_jobs(said, [job.name for job in catalog.jobs], [])
    except BadValue:
        job_lookup.check_files(settings, catalog, said)
        raise


def join_names(names: Sequence[str]) -> str:
    """Return the first names and the number of the rest: `a, b and 3 more`."""
    named = [*names[:_NAMED], *([f"{len(names) - _NAMED} more"] if len(names) > _NAMED else [])]
    return " and ".join(part for part in (", ".join(named[:-1]), named[-1]) if part)


def warn_not_running(*, is_taken: bool) -> None:
    """Print, if no program runs, that the change takes effect at the next start."""
    if not is_taken:
        click.echo("slack-alert is not running: this holds when it starts.", err=True)


def _near(said: str, names: list[str]) -> list[str]:
    """Return similar names, and patterns for whole files."""
    patterns = [f"{file}.*" for file in dict.fromkeys(name.rpartition(".")[0] for name in names)]
    return alike(said, [*patterns, *names, *(name.rpartition(".")[2] for name in names)], most=3)


def complete_job(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the completions of a job's name; none where the project has errors, which a shell cannot show."""
    from slack_alert.bootstrap import plugin_loading

    before = ctx.parent.params if ctx.parent else {}
    given = {name: ctx.params.get(name) or before.get(name) for name in _PLACES}
    try:
        jobs = plugin_loading.survey_plugins(configured(given).settings).jobs
    except (SlackAlertError, OSError):
        return []
    return [job.name for job in jobs if job.name.startswith(composed(incomplete))]
