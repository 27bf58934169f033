"""Load the settings: of each key the strongest source wins, its text is parsed, and all others have defaults."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timezone, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slack_alert.core.errors import BadValue, SettingsError
from slack_alert.core.model.address import SERVICES, check_address, parse_conversation
from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.core.redaction.credentials import hidden_parts
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import Struct, replace
from slack_alert.settings.keys import BY_NAME, KEYS, PACK_SECTIONS, Key
from slack_alert.settings.model import (
    CommandSection,
    DingTalkSection,
    GitSection,
    HookSection,
    LoadedSettings,
    Settings,
    TimezoneSource,
)
from slack_alert.settings.paths import StartPlace, is_folder, is_there, logical_folder, read_file
from slack_alert.settings.secret import SECRET_URLS, Secret, quoted, settings_error
from slack_alert.settings.timezones import MachineZone, machine_zone
from slack_alert.settings.value_sources import QUIET, GatheredSources, GivenValue, Layer, SettingFault, gather
from slack_alert.settings.values import parse_value

if TYPE_CHECKING:
    from slack_alert.core.commands.permissions import Permissions
    from slack_alert.core.pack import PackConfig, PackSection, PackSettings


def load_settings(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    *,
    cwd: Path,
    home: Path | None,
    etc: Path = Path("/etc"),
    posix: bool = os.name == "posix",
    running: Layer | None = None,
    skip_unreadable: bool = False,
) -> LoadedSettings:
    """Return the settings from all sources; raise SettingsError if one cannot be read or has an invalid value.

    `flags` holds key names (underscores) and `config`, `ignore_global_config`, `dry_run`; None: not given. A user may
    have no `home`. `running` holds the settings of a running program, which only flags override. `skip_unreadable`
    skips files that this user may not read.
    """
    place = StartPlace(cwd.resolve(), home and home.resolve(), logical_folder(cwd, environ))
    gathered = gather(flags, environ, place, posix=posix, running=running, skip_unreadable=skip_unreadable)
    chosen = {key.name: found for key in KEYS if (found := gathered.strongest(key)) is not None}
    faults = list(gathered.faults)
    zone = _Zone.decide(chosen, environ, etc, faults)
    reader = _Reader(place, gathered.path, zone.value, faults)
    values = {key.name: reader.read(key, chosen.get(key.name)) for key in KEYS}
    quiet = gathered.free("quiet")
    values["quiet"] = _windows(quiet, zone.value, faults)
    values["queues"] = dict(_queues(gathered.free("queues"), faults))
    values["chat_prefixes"] = dict(_channel_prefixes(gathered.free("chat_prefix"), faults))
    values["rights"] = rights = _rights(gathered, chosen, faults)

    values["commands"] = _commands(gathered.free("command"), place, faults)
    values["hooks"] = _hooks(gathered, reader, faults)
    values["dingtalk"], values["channels"] = _further_channels(gathered, reader, faults)
    _check_services(values, chosen, faults)
    values["git"] = _git(gathered, reader, rights, faults)
    values["packs"] = _packs(gathered.free("pack"), gathered.free("pack_variable"), _of_git(values))
    if faults:
        raise _first_fault(faults)
    values["other_secrets"] = tuple(_other_secrets(gathered, chosen, environ))
    settings = _settings(values, zone.source, dry_run=bool(flags.get("dry_run")))
    origins = {name: given.where for name, (_, given) in chosen.items()}
    warnings = (
        *gathered.warnings,
        *zone.warnings(settings.working_hours),
        *_odd_token_warnings(settings, origins),
        *_unused_warnings(settings, origins),
        *_unconfirmed_warnings(settings),
    )
    given = {name: given for name, (_, given) in chosen.items()}
    return LoadedSettings(settings, warnings, origins, given | {f"{QUIET}{name}": one for name, one in quiet.items()})


# Any: the kind in the table decides the type of each value; a test compares them with the fields' annotations.
def _settings(values: dict[str, Any], source: TimezoneSource, *, dry_run: bool) -> Settings:
    return Settings(**values, timezone_source=source, dry_run=dry_run)


class _Zone(Struct, frozen=True):
    """The time zone and its source."""

    value: tzinfo
    source: TimezoneSource
    machine: MachineZone

    @classmethod
    def decide(
        cls,
        chosen: Mapping[str, tuple[str, GivenValue]],
        environ: Mapping[str, str],
        etc: Path,
        faults: list[SettingFault],
    ) -> _Zone:
        _, given = chosen.get("timezone", ("", None))
        if given is not None and given.text:
            key = BY_NAME["timezone"]
            written = _parse_checked(key, given, lambda: parse_value(key, given.text), faults)
            return cls(written if isinstance(written, tzinfo) else timezone.utc, "set", MachineZone(None))
        machine = machine_zone(environ, etc)
        if machine.zone is None:
            return cls(timezone.utc, "utc fallback", machine)
        return cls(machine.zone, "machine", machine)

    def warnings(self, hours: WorkingHours) -> Iterator[str]:
        yield from self.machine.warnings
        if self.source == "utc fallback":
            yield "timezone: not set, and this machine names none, so UTC is used: set `timezone = Europe/Berlin`."
        elif self.source == "machine" and not hours.is_always:
            yield (
                f"timezone: not set, so working hours follow this machine's, {self.value}: "
                f"set `timezone = {_name(self.value)}` to keep them when the machine changes."
            )


def _name(zone: tzinfo) -> str:
    return "Europe/Berlin" if str(zone) == "localtime" else str(zone)


class _Reader(Struct, frozen=True):
    """Parses the values of keys, for some of which it needs the folder and the time zone."""

    place: StartPlace
    path: Path
    zone: tzinfo
    faults: list[SettingFault]

    def read(self, key: Key, found: tuple[str, GivenValue] | None) -> object:
        """Return the value of a key; None where a fault was added."""
        spelling, given = found or (key.name, GivenValue(key.default, "the default", self.path))
        is_secret_file = spelling != key.name
        return _parse_checked(key, given, lambda: self._parse(key, given, is_secret_file=is_secret_file), self.faults)

    def _parse(self, key: Key, given: GivenValue, *, is_secret_file: bool) -> object:
        if is_secret_file:
            given = self._from_file(key, given)
        if key.kind == "zone":
            return self.zone
        if key.kind == "folder":
            return self.path
        if key.kind == "hours":
            return WorkingHours.parse(given.text or "always", self.zone)
        if key.kind == "database" and given.text:
            return self.place.database(given.text, self.path)
        if key.kind == "file" and given.text:
            return self._existing(given)
        if key.kind == "path" and given.text:
            return self._new(given)
        return parse_value(key, given.text)

    def _existing(self, given: GivenValue) -> Path:
        path = self.place.resolve(given.text, given.folder)
        hint = "Check the path, or take the setting out."
        if not is_there(path) or not path.is_file():
            raise BadValue(f"{quoted(given.text)} is not a file", hint=hint)
        try:
            path.open("rb").close()
        except OSError as error:
            raise BadValue(f"{quoted(given.text)} cannot be read ({error.strerror})", hint=hint) from None
        return path

    def _new(self, given: GivenValue) -> Path:
        """Return the path of a file that need not be there; a relative one is below the folder with the plugins."""
        path = self.place.resolve(given.text, self.path)
        if is_folder(path):
            raise BadValue(f"{quoted(given.text)} is a folder", hint="Write the path of a file.")
        return path

    def secret(self, name: str, given: Mapping[str, GivenValue]) -> Secret | None:
        """Return a secret that is given itself or by a file, or None; raise BadValue."""
        if f"{name}_file" not in given:
            return Secret(given[name].text) if name in given and given[name].text else None
        if name in given:
            raise BadValue(f"{name} and {name}_file are both set", hint="Keep one.")
        key = Key(name=name, kind="secret", meaning="")
        return Secret(self._from_file(key, given[f"{name}_file"]).text)

    def _from_file(self, key: Key, given: GivenValue) -> GivenValue:
        """Return the secret in a file that holds nothing else."""
        if not given.text:
            return given
        try:
            text = read_file(self.place.resolve(given.text, given.folder)).decode("utf-8-sig").strip()
        except OSError as error:
            hint = f"Check the path, or set {key.name} itself."
            raise BadValue(f"{quoted(given.text)} cannot be read ({error.strerror})", hint=hint) from None
        except UnicodeDecodeError:
            # `from None` here and above: the cause would contain the bytes of the secret.
            raise BadValue(f"{quoted(given.text)} is not text in UTF-8") from None
        if not text:
            raise BadValue(f"{quoted(given.text)} is empty", hint=f"Put the {key.name} in.")
        return replace(given, text=text)


def _parse_checked(key: Key, given: GivenValue, parse: Callable[[], object], faults: list[SettingFault]) -> object:
    try:
        return parse()
    except BadValue as error:
        faults.append(SettingFault(given.place, _with_place(key, given, error)))
        return None


def _windows(written: Mapping[str, GivenValue], zone: tzinfo, faults: list[SettingFault]) -> tuple[QuietWindow, ...]:
    """Return the windows of [quiet]; an empty value removes the window of a weaker file."""
    named = ((name, given) for name, given in written.items() if given.text)
    windows = (_window(name, given, zone, faults) for name, given in named)
    return tuple(window for window in windows if window is not None)


def _window(name: str, given: GivenValue, zone: tzinfo, faults: list[SettingFault]) -> QuietWindow | None:
    try:
        return QuietWindow(name, given.text, zone)
    except BadValue as error:
        faults.append(SettingFault(given.place, settings_error(f"{error}.", where=given.where, hint=error.hint)))
        return None


def _queues(written: Mapping[str, GivenValue], faults: list[SettingFault]) -> Iterator[tuple[str, int]]:
    for name, given in written.items():
        key = Key(name=f"queues_{name}", section="queues", kind="whole", meaning="", default="1", least=1, most=1000)
        count = _parse_checked(key, given, partial(parse_value, key, given.text), faults)
        if isinstance(count, int):
            yield name, count


def _channel_prefixes(
    written: Mapping[str, GivenValue], faults: list[SettingFault]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield a channel and its prefixes; an empty text alone where each message may be a command."""
    key = BY_NAME["chat_prefix"]
    for channel, given in written.items():
        # A variable cannot be empty, so that quotes stand for it there.
        if given.text in {"", "''", '""'}:
            found: object = ("",)
        else:
            found = _parse_checked(key, given, partial(parse_value, key, given.text), faults)
        named = _parse_checked(key, given, partial(parse_conversation, channel), faults)
        if isinstance(found, tuple) and isinstance(named, str):
            yield named, found


def _rights(
    gathered: GatheredSources, chosen: Mapping[str, tuple[str, GivenValue]], faults: list[SettingFault]
) -> Permissions | None:
    """Return who may, or None where nothing is said about it."""
    sections = {name: gathered.free(name) for name in ("roles", "permissions", "people")}
    named = {key.written: chosen[key.name][1] for key in KEYS if key.kind == "members" and key.name in chosen}
    if not any(sections.values()) and not named:
        return None
    # Imported only where it is needed: a program without commands has none of it.
    from slack_alert.settings.rights import read_rights

    return read_rights(sections["roles"], sections["permissions"], sections["people"], named, faults)


def _commands(
    written: Mapping[str, GivenValue], place: StartPlace, faults: list[SettingFault]
) -> tuple[CommandSection, ...]:
    """Return the commands of the sections [command.NAME], in the order of their names."""
    found = (_command(name, given, place, faults) for name, given in _by_section(written).items())
    return tuple(section for section in found if section is not None)


def _by_section(written: Mapping[str, GivenValue]) -> dict[str, dict[str, GivenValue]]:
    """Return the values of sections with a name, by that; the empty key is the section itself."""
    sections: dict[str, dict[str, GivenValue]] = {}
    for name, given in written.items():
        section, _, key = name.rpartition(".")
        sections.setdefault(section, {})[key] = given
    return sections


def _hooks(gathered: GatheredSources, reader: _Reader, faults: list[SettingFault]) -> tuple[HookSection, ...]:
    """Return the hooks of the sections [webhook.NAME] and [git.NAME]."""
    sections = {kind: _by_section(gathered.free(kind)) for kind in ("webhook", "git")}
    if not any(sections.values()):
        return ()
    # Imported only where there are some.
    from slack_alert.settings.hook_sections import read_hooks

    return read_hooks(sections, reader.secret, faults)


def _git(
    gathered: GatheredSources, reader: _Reader, rights: Permissions | None, faults: list[SettingFault]
) -> tuple[GitSection, ...]:
    """Return the repositories of the sections [git.NAME]."""
    sections, owners = _by_section(gathered.free("git")), gathered.free("owners")
    _, default = gathered.strongest(BY_NAME["git_default"]) or ("", None)
    if not sections and not owners and default is None:
        return ()
    from slack_alert.core.commands.roles import Roles
    from slack_alert.settings.git_sections import check_default, read_git

    found = read_git(sections, owners, reader.secret, rights.roles if rights else Roles(), faults)
    check_default(default, found, faults)
    return found


def _of_git(values: Mapping[str, Any]) -> PackConfig | None:
    """Return what the pack of that name reads; None: there is no repository."""
    found: tuple[GitSection, ...] = values["git"]
    if not found:
        return None
    from slack_alert.core.pack import PackConfig

    default = values["git_default"] or (found[0].name if len(found) == 1 else "")
    named = {"repositories": [each.name for each in found], "default": default}
    plain = {key: value for each in found for key, value in each.plain.items()}
    return PackConfig("git", {**named, **plain}, [f"{each.name}.token" for each in found])


def _further_channels(
    gathered: GatheredSources, reader: _Reader, faults: list[SettingFault]
) -> tuple[tuple[DingTalkSection, ...], dict[str, Secret]]:
    """Return the robots of [dingtalk.NAME], and what [channels] names."""
    robots, written = _by_section(gathered.free("dingtalk")), gathered.free("channels")
    if not robots and not written:
        return (), {}
    from slack_alert.settings.channel_sections import read_channels, read_dingtalk

    return read_dingtalk(robots, reader.secret, faults), dict(read_channels(written, faults))


def _check_services(
    values: Mapping[str, Any], chosen: Mapping[str, tuple[str, GivenValue]], faults: list[SettingFault]
) -> None:
    """Report an address in the configuration of a service, or a robot, that it does not have."""
    robots = [robot.name for robot in values["dingtalk"]]
    for key in KEYS:
        if key.kind == "address" and key.name in chosen and values[key.name] is not None:
            given = chosen[key.name][1]
            check = partial(check_address, values[key.name], (*SERVICES, *values["channels"]), robots)
            _parse_checked(key, given, check, faults)


def _command(
    name: str, given: Mapping[str, GivenValue], place: StartPlace, faults: list[SettingFault]
) -> CommandSection | None:
    from slack_alert.settings.command_sections import SectionFault, read_section

    head = given[""]
    file, _, line = head.where.rpartition(":")
    texts = {key: one.text for key, one in given.items()}
    try:
        return read_section(
            name,
            texts,
            place=(file, int(line)),
            folder=lambda text: place.resolve(text, given["cwd"].folder),
        )
    except SectionFault as error:
        at = given[error.key]
        # A key that is misspelt is told before the one that it is missing for.
        where = at.place if error.key else (at.place[0], _LAST)
        said = f"{error.key}: {str(error).removesuffix('.')}." if error.key else f"{str(error).removesuffix('.')}."
        faults.append(SettingFault(where, settings_error(said, where=at.where, hint=error.hint)))
        return None


def _packs(
    written: Mapping[str, GivenValue], variables: Mapping[str, GivenValue], git: PackConfig | None
) -> PackSettings | None:
    """Return what is said of packs, or None where nothing is; that of Git has sections of its own."""
    if not written and not variables and git is None:
        return None
    from slack_alert.core.pack import GivenText, PackSection, PackSettings

    def given(one: GivenValue) -> GivenText:
        return GivenText(one.text, one.where, one.folder)

    sections: dict[str, PackSection] = {}
    for name, one in written.items():
        pack, _, key = name.rpartition(".")
        section = sections.get(pack) or PackSection(pack, one.where)
        sections[pack] = replace(section, values={**section.values, key: given(one)}) if key else section
    for pack in PACK_SECTIONS:
        _fold_tables(pack, sections)
    if git is not None:
        sections["git"] = replace(sections.get("git") or PackSection("git", ""), read=git)
    return PackSettings(sections, {name: given(one) for name, one in variables.items()})


def _fold_tables(pack: str, sections: dict[str, PackSection]) -> None:
    """Make a list of pairs of a section such as [jenkins.services], as the value of that key of the pack."""
    for name in [each for each in sections if each.startswith(f"{pack}.")]:
        table = sections.pop(name)
        pairs = [f"{key} = {value.text}" for key, value in table.values.items()]
        first = next(iter(table.values.values()), None)
        if first is not None:
            own = sections.get(pack) or replace(table, name=pack, values={})
            listed = replace(first, text=", ".join(pairs))
            sections[pack] = replace(own, values={**own.values, name.removeprefix(f"{pack}."): listed})


#: A line after all others.
_LAST = 2**31


def _unconfirmed_warnings(settings: Settings) -> Iterator[str]:
    """Yield a warning for each command that asks for a confirmation, which nobody can give in this version."""
    for command in settings.commands:
        if command.is_confirmed:
            at = f"{command.file}:{command.line}"
            yield f"{at}: confirm is not there yet in this version: the command {command.name} does not run."


def _with_place(key: Key, given: GivenValue, error: BadValue) -> SettingsError:
    said = str(error).removesuffix(".")
    subject = "" if key.kind == "hours" else given.subject
    return settings_error(f"{subject}{said}.", where=given.where, hint=error.hint)


def _first_fault(faults: list[SettingFault]) -> SettingsError:
    """Return the first of all faults, with the places of the others in its hint."""
    first, *others = (one.error for one in sorted(faults, key=lambda one: one.place))
    if not others:
        return first
    more = f" and {len(others) - _PLACES_NAMED} more" if len(others) > _PLACES_NAMED else ""
    also = f"Also wrong: {', '.join(other.where for other in others[:_PLACES_NAMED])}{more}."
    return SettingsError(first.args[0], where=first.where, hint=f"{first.hint} {also}".lstrip())


#: The greatest number of other places named.
_PLACES_NAMED = 5


def _odd_token_warnings(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for each token with an unusual prefix; only Slack can tell whether it is valid."""
    for name, secret, start in (("token", settings.token, "xoxb-"), ("app_token", settings.app_token, "xapp-")):
        if secret is not None and start not in secret.reveal():
            yield f"{origins[name]}: {name} does not begin with {start} as Slack's do."


def _other_secrets(
    gathered: GatheredSources, chosen: Mapping[str, tuple[str, GivenValue]], environ: Mapping[str, str]
) -> Iterator[Secret]:
    """Yield secrets that are no settings: overridden values, and passwords in the environment's proxies."""
    for key in KEYS:
        for _, given in gathered.every(key):
            if given is chosen[key.name][1] or not given.text:
                continue
            if key.kind == "secret" or key.name in SECRET_URLS:
                yield Secret(given.text)
            elif key.kind in ("url", "database"):
                yield from map(Secret, hidden_parts(given.text))
    for variable, text in environ.items():
        if variable.lower() in _PROXIES:
            yield from map(Secret, hidden_parts(text))


_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def _unused_warnings(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for each setting that has no effect without another one."""
    for name, needed in _unmet(settings):
        yield f"{origins[name]}: {BY_NAME[name].written} has no effect without {needed}."


def _unmet(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each setting that is set without the one that it needs, and that one."""
    doors = {
        "app_token": (settings.app_token is not None, True, ""),
        "signing_secret": (settings.signing_secret is not None, bool(settings.web_listen), "`listen` in [web]"),
        "chat_poll": (settings.chat_poll is not None, bool(settings.chat_channels), "`channels` in [chat]"),
    }
    for name, (is_set, is_complete, needed) in doors.items():
        if is_set and not is_complete:
            yield name, needed
        elif is_set and settings.token is None:
            yield name, "`token`"
    if settings.chat_channels and settings.chat_poll is None:
        yield "chat_channels", "`poll` in [chat]"
    if settings.audit_channel is None:
        if settings.audit_sensitive:
            yield "audit_sensitive", "`channel` in [audit]"
        if not settings.audit_office_hours.is_always:
            yield "audit_office_hours", "`channel` in [audit]"
