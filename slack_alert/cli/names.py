"""The names of jobs, as people type them and as the shell completes them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from slack_alert.cli.session import configured
from slack_alert.core.errors import BadValue, SettingsError, SlackAlertError

if TYPE_CHECKING:
    from slack_alert.engine.ports import Snapshot
    from slack_alert.settings import Settings

#: The options that say which plugins are meant.
_PLACES = ("path", "config", "ignore_global_config")


def job_names(settings: Settings, snapshot: Snapshot) -> list[str]:
    """Name the jobs there are, and those that were; raise SettingsError where there is no trace of either."""
    from slack_alert import bootstrap

    gone = sorted({*snapshot.seen, *snapshot.states, *snapshot.holds})
    try:
        present = [binding.name for binding in bootstrap.survey_plugins(settings).bindings]
    except SettingsError:
        if not gone:
            raise
        present = []
    return list(dict.fromkeys([*present, *gone]))


def chosen(said: str, names: list[str]) -> list[str]:
    """Find what is meant by a full name, a last part or a pattern such as `db.*`; raise BadValue for nothing."""
    from slack_alert.core.catalog import full_name

    if not any(sign in said for sign in "*?["):
        return [full_name(said, names)]
    found = [name for name in names if fnmatchcase(name, said)]
    if not found:
        raise BadValue(f"No job is called like {said!r}.", hint="`slack-alert jobs` lists them.")
    return found


def complete_job(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Offer the jobs to the shell; whatever is wrong with the project is none of the shell's business."""
    from slack_alert import bootstrap

    before = ctx.parent.params if ctx.parent else {}
    given = {name: ctx.params.get(name) or before.get(name) for name in _PLACES}
    try:
        jobs = bootstrap.survey_plugins(configured(given).settings).jobs
    except (SlackAlertError, OSError):
        return []
    return [job.name for job in jobs if job.name.startswith(incomplete)]
