"""Read and load the plugins of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from slack_alert.bootstrap.addresses import address, errors_address, reachable, service, services
from slack_alert.bootstrap.audit import audit_key
from slack_alert.bootstrap.database import owning, reading
from slack_alert.bootstrap.plugin_files import code_cache, database
from slack_alert.core.bindings import Binding, Job
from slack_alert.core.catalog import LISTING, Catalog, CatalogChange, Problem
from slack_alert.core.commands.command import VERBS, Command, Guard
from slack_alert.core.errors import NotAllowed, SlackAlertError
from slack_alert.core.model.run import Isolation, RunOptions
from slack_alert.core.structs import Struct, replace
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.ports import Reload
from slack_alert.loader import FoundFiles, JobSnapshots, OptionDefaults, load, open_plugins, survey
from slack_alert.loader.modules.background_loading import LoadOptions
from slack_alert.operations.job_lookup import JobLookup
from slack_alert.stores import SqliteStore, inbox_path
from slack_alert.stores.files.access_errors import not_allowed
from slack_alert.stores.files.exposure import inbox_exposure
from slack_alert.stores.sqlite.integrity import find_unwritable

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def defaults(settings: Settings) -> OptionDefaults:
    """Return the options of a job that its marker leaves out."""
    return OptionDefaults(
        zone=settings.timezone,
        working_hours=settings.working_hours.text,
        max_alert=settings.max_alert,
        pause_time=settings.pause_time,
        mutes=settings.while_paused == "mute",
        to=address(settings),
        errors_to=errors_address(settings),
        markers=settings.markers,
        run_options=RunOptions(
            settings.timeout,
            isolation=Isolation(settings.isolation),
            memory=settings.memory_limit,
            cpu=settings.cpu_limit,
        ),
        channel=service(settings),
        services=services(settings),
        robots=tuple(robot.name for robot in settings.dingtalk),
        commands=_configured(settings),
        built_in=VERBS,
        packs=settings.packs,
        now=SystemClock().now(),
    )


def _configured(settings: Settings) -> tuple[Command, ...]:
    if not settings.commands:
        return ()
    from slack_alert.bootstrap.configured_commands import configured_commands

    return configured_commands(settings)


def survey_plugins(settings: Settings) -> Catalog:
    """Return the catalog of all plugins without executing them."""
    return as_configured(settings, survey(settings.path, defaults(settings), cache=code_cache(settings)))


def job_lookup(settings: Settings, catalog: Catalog | None = None, *, listing: str = LISTING) -> JobLookup:
    """Return the lookup of jobs in a catalog; without one the plugins are read, and not executed."""

    def source(file: str) -> str:
        try:
            return (settings.path / file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    return JobLookup(partial(survey_plugins, settings) if catalog is None else lambda: catalog, source, listing=listing)


def job_names(settings: Settings) -> list[str]:
    """Return the names of the plugins' bindings; empty if there is no plugin folder."""
    try:
        return [binding.name for binding in survey_plugins(settings).bindings]
    except SlackAlertError:
        return []


def load_plugins(
    settings: Settings, progress: Callable[[int, int], None] | None = None, *, wanted: str | None = None
) -> Catalog:
    """Read, compile and execute every plugin; once the `wanted` name is loaded, slow files are left out."""

    def is_enough(bindings: Sequence[Binding]) -> bool:
        names = [binding.name for binding in bindings]
        return wanted is not None and any(name == wanted or name.endswith(f".{wanted}") for name in names)

    # On threads, whatever the scheduler: gevent has patched nothing in a short command.
    options = LoadOptions(timeout=settings.load_timeout, scheduler=settings.scheduler)
    catalog = load(
        settings.path,
        defaults(settings),
        cache=code_cache(settings),
        progress=progress,
        options=options,
        is_enough=is_enough,
    )
    return as_configured(settings, catalog)


class FollowedPlugins(Struct, frozen=True):
    """The loaded plugins, and the functions to follow changes of their files."""

    catalog: Catalog
    #: Reloads what changed.
    reload: Reload
    #: The files as they are loaded.
    snapshots: JobSnapshots
    #: Writes the cache.
    keep: Callable[[], None]
    #: Adopts files that were still loading; returns None if none has finished since.
    take_up: Callable[[], CatalogChange | None]
    #: Undoes changes to the process that would stop other functions, and returns them in words.
    guard: Callable[[], list[str]]
    #: Jobs that do not run by themselves here, but may be asked for; None: all jobs run.
    idle: tuple[Job, ...] | None = None


def follow_plugins(
    settings: Settings, found: FoundFiles, progress: Callable[[int, int], None] | None = None
) -> FollowedPlugins:
    """Load the plugins as `load_plugins` does, and return them with the functions to follow their files."""
    options = _load_options(settings)
    plugins = open_plugins(found, lambda: defaults(settings), progress, options=options)

    def reachable(change: CatalogChange | None) -> CatalogChange | None:
        return change and replace(change, catalog=as_configured(settings, change.catalog))

    return FollowedPlugins(
        as_configured(settings, plugins.catalog),
        lambda passed: reachable(plugins.reload(passed)),
        plugins.snapshots,
        plugins.save_cache,
        lambda: reachable(plugins.adopt_loaded()),
        plugins.guard.restore,
    )


def _load_options(settings: Settings) -> LoadOptions:
    options = LoadOptions(timeout=settings.load_timeout, scheduler=settings.scheduler)
    if settings.scheduler != "GeventScheduler":
        return options
    from slack_alert.schedulers.greenlets import GreenletCarrier

    return replace(options, carrier=GreenletCarrier(min(options.slow, options.timeout)))


def as_configured(settings: Settings, catalog: Catalog) -> Catalog:
    """Return the catalog as the configuration has it: with its addresses, and with the problems of its permissions."""
    problems = _permission_problems(settings, catalog)
    configured = replace(catalog, problems=(*catalog.problems, *problems)) if problems else catalog
    return _redirect_to_terminal(settings, configured)


def _permission_problems(settings: Settings, catalog: Catalog) -> Sequence[Problem]:
    """Return what is wrong with lines of [permissions], with roles in markers, and with the words of guards."""
    guards = [binding for binding in catalog.bindings if isinstance(binding, Guard)]
    commands = [binding for binding in catalog.bindings if isinstance(binding, Command)]
    if settings.rights is None and not guards and not any(command.allow for command in commands):
        return ()
    # Imported only where somebody says who may: a program without commands never does.
    from slack_alert.core.commands.permission_checks import check, check_guards
    from slack_alert.loader.shipped import load_shipped

    verbs = [binding for binding in load_shipped("chat", defaults(settings)) if isinstance(binding, Command)]
    known = [*commands, *verbs]
    return [*check(settings.permissions, known), *check_guards(guards, known)]


def _redirect_to_terminal(settings: Settings, catalog: Catalog) -> Catalog:
    """Return the catalog with addresses that are not reached replaced by the terminal's."""
    bindings = [_redirect_binding(settings, binding) for binding in catalog.bindings]
    return catalog if bindings == [*catalog.bindings] else replace(catalog, bindings=tuple(bindings))


def _redirect_binding(settings: Settings, binding: Binding) -> Binding:
    if not isinstance(binding, Job):
        return binding
    to, errors_to = reachable(settings, binding.to), reachable(settings, binding.errors_to)
    is_same = to == binding.to and errors_to == binding.errors_to
    return binding if is_same else replace(binding, to=to, errors_to=errors_to)


def check_can_submit(settings: Settings) -> None:
    """Raise NotAllowed if this user cannot submit requests to the program."""
    place = inbox_path(database(settings))
    if place.parent.exists() and find_unwritable(place) is not None:
        raise not_allowed(place, "write")


def check_is_private(settings: Settings) -> None:
    """Raise NotAllowed if others could ask in the name of whoever sits at the terminal."""
    if not settings.dry_run and (exposure := inbox_exposure(database(settings))):
        raise NotAllowed(f"{exposure[0].upper()}{exposure[1:]}")


def read_snapshot(settings: Settings) -> Snapshot:
    """Return the stored state; where no program runs, with what a kill has left in the journal."""
    if not settings.dry_run:
        with owning(settings, timedelta(), is_brief=True) as lock:
            if lock is not None:
                with closing(SqliteStore(database(settings), audit_key(settings))) as store:
                    return store.open()
    with reading(settings) as reader:
        return reader.snapshot()
