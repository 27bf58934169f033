"""Collect the texts of all sources, strongest first: flags, environment, files."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from slack_alert.core.errors import SettingsError
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import PrivateStruct, Struct
from slack_alert.core.units.names import nearest, suggestion
from slack_alert.settings.ini import ConfEntry, ConfFile, UnreadableFile, read_conf
from slack_alert.settings.keys import KEYS, NAMED_SECTIONS, OWNERS, PACK, PACK_SECTIONS, Key
from slack_alert.settings.paths import StartPlace, is_there
from slack_alert.settings.reference import FREE, SECTIONS
from slack_alert.settings.secret import masked, quoted, settings_error

PROJECT_CONF = "slack_alert.conf"


class GivenValue(PrivateStruct, frozen=True):
    """The text given for a key, and its place."""

    hidden = frozenset({"text"})

    text: str
    where: str
    #: The folder of relative paths.
    folder: Path
    #: The key's name, where `where` does not have it.
    subject: str = ""
    #: The rank of the source, from the strongest on, and the line.
    place: tuple[int, int] = (0, 0)


Layer = Mapping[str, GivenValue]


class SettingFault(Struct, frozen=True):
    """An error and its place; the first place of all is reported."""

    place: tuple[int, int]
    error: SettingsError


class GatheredSources(Struct, frozen=True):
    """The texts of all sources, strongest first, and the folder with the project's file."""

    layers: tuple[Layer, ...]
    path: Path
    warnings: tuple[str, ...]
    faults: tuple[SettingFault, ...]

    def free(self, section: str) -> dict[str, GivenValue]:
        """Return the strongest value of each key of a section with free keys, sorted by name."""
        found: dict[str, GivenValue] = {}
        for layer in reversed(self.layers):
            found |= {name: given for name, given in layer.items() if name.startswith(f"{section}{_DOT}")}
        return {name.partition(_DOT)[2]: found[name] for name in sorted(found)}

    def every(self, key: Key) -> Iterator[tuple[str, GivenValue]]:
        """Yield the values of a key from all sources, without files that hold a secret."""
        for layer in self.layers:
            yield from (found for found in _given(key, layer) if found[0] == key.name)

    def strongest(self, key: Key) -> tuple[str, GivenValue] | None:
        """Return the spelling and value of a key in the strongest source that has it, or None."""
        return next((found[0] for layer in self.layers if (found := _given(key, layer))), None)


def gather(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    place: StartPlace,
    *,
    posix: bool,
    running: Layer | None = None,
    skip_unreadable: bool = False,
) -> GatheredSources:
    """Return the texts of all sources; an unknown name in a file is a fault, in the environment a warning.

    Only flags override `running`, the settings of a running program. Raise UnreadableFile for a file that this user may
    not read, unless `skip_unreadable` is set.
    """
    faults: list[SettingFault] = []
    outer = (_of_flags(flags, place), running or {}, _of_variables(environ, place), _of_slack_variables(environ, place))
    with suppress(UnreadableFile) if skip_unreadable else nullcontext():
        own_conf = None
        own_conf = _user_file(flags, environ, place, posix=posix)
    own = _of_file(own_conf, _USER if flags.get("config") is None else PROJECT, faults)
    path = _path((*outer, own), place)
    with suppress(UnreadableFile) if skip_unreadable else nullcontext():
        project_conf = None
        if flags.get("config") is None:
            project_conf = _project_file(path, own_conf, place, posix=posix)
    project = _of_file(project_conf, PROJECT, faults)
    _refuse_other_path(project, path, place)
    remarks = [said for conf in (project_conf, own_conf) if conf for said in _file_warnings(conf)]
    warnings = tuple(masked(said) for said in [*_unknown_variables(environ), *remarks])
    layers = (*(_named_as_in_files(layer, {*project, *own}) for layer in outer), project, own)
    faults += [doubled for layer in layers for key in KEYS for doubled in _double_faults(key, layer)]
    return GatheredSources(layers, path, warnings, tuple(faults))


def _given(key: Key, layer: Layer) -> list[tuple[str, GivenValue]]:
    return [(name, layer[name]) for name in key.spellings if name in layer]


def _double_faults(key: Key, layer: Layer) -> Iterator[SettingFault]:
    found = _given(key, layer)
    if len(found) > 1:
        (one, first), (other, _) = found
        yield SettingFault(
            first.place, settings_error(f"{one} and {other} are both set.", where=first.where, hint="Keep one.")
        )


def _of_flags(flags: Mapping[str, object], place: StartPlace) -> Layer:
    layer = {}
    for name, value in flags.items():
        if name in _NOT_KEYS or value is None:
            continue
        # An unknown name here is a fault of the caller, hence KeyError.
        where = _FLAGS[name]
        layer[name] = GivenValue(str(value).strip(), where, place.cwd)
    return layer


def _of_variables(environ: Mapping[str, str], place: StartPlace) -> Layer:
    free = {variable: name for variable in environ if (name := _free_variable(variable)) is not None}
    return {
        name: GivenValue(environ[variable].strip(), variable, place.cwd, place=(_VARIABLE, 0))
        for variable, name in (_VARIABLES | free).items()
        # A container file passes on an unset variable as an empty one.
        if environ.get(variable, "").strip()
    }


def _free_variable(variable: str) -> str | None:
    """Return the key that a variable of a section with free keys sets: `SLACK_ALERT_QUIET_NIGHT` is `quiet.night`."""
    name = variable.removeprefix(_PREFIX)
    if variable == name or variable in _VARIABLES:
        return None
    if (channel := name.removeprefix(_CHANNEL_VARIABLE)) not in {name, ""}:
        return f"{CHANNEL_PREFIX}#{channel.lower()}"
    section, _, key = name.partition("_")
    section = section.lower()
    if section in _BY_VARIABLE:
        return _named_variable(section, key.lower())
    if section + _DOT == PACK and key:
        return f"{PACK_VARIABLE}{key.lower()}"
    if section in PACK_SECTIONS and key:
        return f"{PACK_VARIABLE}{section}_{key.lower()}"
    if section + _DOT == OWNERS and key:
        return f"{OWNERS}{key.lower()}"
    return f"{section}{_DOT}{_SPELL.get(section, str.lower)(key)}" if section in _FREE and key else None


def _named_variable(kind: str, name: str) -> str | None:
    """Return the key of a section such as [webhook.shop]: `SLACK_ALERT_WEBHOOK_SHOP_SECRET` is its secret."""
    for key in sorted(NAMED_SECTIONS[kind], key=len, reverse=True):
        if (own := name.removesuffix(f"_{key}")) not in {name, ""}:
            return f"{kind}{_DOT}{own}{_DOT}{key}"
    return None


def _named_as_in_files(layer: Layer, names: Collection[str]) -> Layer:
    """Return a layer in which a variable sets the key that a file has, whose name cannot be told from the variable's.

    `SLACK_ALERT_PERMISSIONS_DEPLOY_ENV_PROD` overrides `deploy env:prod`.
    """
    written: dict[str, list[str]] = {}
    for name in names:
        if _DOT in name:
            written.setdefault(_variable_form(name), []).append(name)
    found: dict[str, GivenValue] = {}
    for name, given in layer.items():
        found |= dict.fromkeys((_DOT in name and written.get(_variable_form(name))) or [name], given)
    return found


def _variable_form(name: str) -> str:
    return _NOT_IN_VARIABLES.sub("_", name).strip("_").upper()


def _of_slack_variables(environ: Mapping[str, str], place: StartPlace) -> Layer:
    return {
        key.name: GivenValue(environ[key.also].strip(), key.also, place.cwd, place=(_SLACK_VARIABLE, 0))
        for key in KEYS
        if key.also and environ.get(key.also, "").strip()
    }


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {*_VARIABLES, *(name for name in environ if _free_variable(name))}
    unknown = sorted(name for name in environ if name.startswith(_PREFIX) and name not in known)
    short = [variable.removeprefix(_PREFIX) for variable in _VARIABLES]
    # Kubernetes sets variables for a service called slack-alert, such as SLACK_ALERT_PORT: no misspelled keys.
    meant = {name: nearest(name.removeprefix(_PREFIX), short, likeness=0.8) for name in unknown}
    return [
        f"{name}: not a setting, passed over." + (f" Did you mean {_PREFIX}{close}?" if close else "")
        for name, close in meant.items()
    ]


def _user_file(
    flags: Mapping[str, object], environ: Mapping[str, str], place: StartPlace, *, posix: bool
) -> ConfFile | None:
    """Return the content of `-c FILE`, which must exist, or else of the user's file, or None where there is none."""
    explicit = flags.get("config")
    if explicit is not None:
        path = place.resolve(str(explicit), place.cwd)
        if not is_there(path):
            raise settings_error(
                f"There is no file {quoted(str(explicit))}.", where="--config", hint="Check the path after -c."
            )
        return read_conf(path, str(explicit), posix=posix)
    own = place.user_conf(environ, posix=posix)
    if flags.get("ignore_global_config") or own is None or not is_there(own):
        return None
    return read_conf(own, place.show(own), posix=posix)


def _path(layers: Sequence[Layer], place: StartPlace) -> Path:
    decided = next((layer["path"] for layer in layers if "path" in layer), None)
    if decided is not None and not decided.text:
        raise settings_error(
            f"{decided.subject}the value is empty.", where=decided.where, hint="Name the folder that holds plugins/."
        )
    # Relative to the start folder, whichever source it is from: uncommenting `path = .` must change nothing.
    return place.locate(decided.text if decided else ".")


def _project_file(path: Path, own: ConfFile | None, place: StartPlace, *, posix: bool) -> ConfFile | None:
    file = path / PROJECT_CONF
    # With PATH = ~/.config both are the same file.
    if not is_there(file) or (own is not None and os.path.realpath(own.path) == os.path.realpath(file)):
        return None
    return read_conf(file, place.show(file), posix=posix)


def _of_file(conf: ConfFile | None, rank: int, faults: list[SettingFault]) -> Layer:
    if conf is None:
        return {}
    layer = {}
    for written, line in conf.sections:
        section = _meant(written)
        if _keys_of_named(section) or section.startswith(PACK):
            # A section without a key is there, too.
            where = f"{conf.shown}:{line}"
            layer[f"{section}{_DOT}"] = GivenValue("", where, conf.path.parent, "", (rank, line))
        elif section not in SECTIONS and not section.startswith(OWNERS):
            said, hint = f"[{section}] is not a section.", suggestion(section, _sections_like(section))
            faults.append(SettingFault((rank, line), settings_error(said, where=f"{conf.shown}:{line}", hint=hint)))
    for entry in conf.entries:
        section = _meant(entry.section)
        valid = _valid_names(section)
        where = f"{conf.shown}:{entry.line}"
        name = _name_of(section, entry.key, valid)
        if name is not None:
            layer[name] = GivenValue(entry.value, where, conf.path.parent, f"{entry.key}: ", (rank, entry.line))
        elif valid:
            said, hint = f"{entry.key} is not a key of [{entry.section}].", _hint(entry.key, list(valid))
            faults.append(SettingFault((rank, entry.line), settings_error(said, where=where, hint=hint)))
    return layer


def _meant(section: str) -> str:
    """Return the name of a section, which some packs that come along may write without `pack.`."""
    return f"{PACK}{section}" if section.partition(_DOT)[0] in PACK_SECTIONS else section


def _name_of(section: str, key: str, valid: Mapping[str, str]) -> str | None:
    """Return the name of a value, or None if its section has no such key."""
    if section == "chat" and key.startswith("prefix."):
        return f"{CHANNEL_PREFIX}{key.removeprefix('prefix.')}"
    if section.startswith((PACK, OWNERS)):
        return f"{section}{_DOT}{key}"
    return f"{section}{_DOT}{key}" if section in _FREE else valid.get(key)


def _sections_like(section: str) -> Sequence[str]:
    name = section.partition(_DOT)[2]
    return [*SECTIONS, *(f"{kind}{_DOT}{name}" for kind in (*NAMED_SECTIONS, PACK.rstrip(_DOT)))] if name else SECTIONS


def _valid_names(section: str) -> Mapping[str, str]:
    """Return the names of the values of a section, by its keys; empty for one that is not known, or has free keys."""
    if named := _keys_of_named(section):
        return {key: f"{section}{_DOT}{key}" for key in named}
    return _NAMES_IN_FILES.get(section, {})


def _keys_of_named(section: str) -> Sequence[str]:
    """Return the keys of a section such as [command.deploy]; none for another one."""
    kind, dot, _ = section.partition(_DOT)
    return NAMED_SECTIONS.get(kind, ()) if dot else ()


def _hint(key: str, valid: Sequence[str]) -> str:
    if key in _MARKER_KEYWORDS:
        return f"Each job has its own: write it in the marker, @deco(minutes=5, {key}=...)."
    return suggestion(key, valid)


#: Keywords of markers, which concern a single job.
_MARKER_KEYWORDS = frozenset(
    ["after", "at_start", "catch_up", "escalate", "jitter", "recover", "remind", "repeat", "retries", "retry_delay"]
)


def _refuse_other_path(project: Layer, path: Path, place: StartPlace) -> None:
    given = project.get("path")
    if given is not None and place.resolve(given.text, given.folder) != Path(os.path.realpath(path)):
        raise settings_error(
            f"path = {given.text}: the file was found through path, so it cannot change it.",
            where=given.where,
            hint="Pass --path, set SLACK_ALERT_PATH, or write path into your own slack_alert.conf.",
        )


def _file_warnings(conf: ConfFile) -> list[str]:
    remarks = list(conf.warnings)
    holds_secret = any(entry.value and _is_secret(entry) for entry in conf.entries)
    if conf.is_open and holds_secret:
        remarks.append(
            f"{conf.shown}: it holds a secret and others on this machine can read it: chmod 600 {conf.shown}"
        )
    return remarks


def _is_secret(entry: ConfEntry) -> bool:
    if _keys_of_named(entry.section):
        return entry.key in _NAMED_SECRETS
    if entry.section == "channels":
        return True
    return _NAMES_IN_FILES.get(entry.section, {}).get(entry.key) in _SECRETS


#: The ranks of sources; flags have 0.
_VARIABLE, _SLACK_VARIABLE, PROJECT, _USER = range(1, 5)
_PREFIX = "SLACK_ALERT_"
#: Separates a section with free keys from the key; no other name contains it.
_DOT = "."
#: The prefix of the keys of section [quiet].
QUIET = f"quiet{_DOT}"
#: The prefix of the keys `prefix.#channel` of section [chat].
CHANNEL_PREFIX = f"chat_prefix{_DOT}"
#: The prefix of variables that set a key of a pack; which one, only the names of the packs can tell.
PACK_VARIABLE = "pack_variable."
_CHANNEL_VARIABLE = "CHAT_PREFIX_"
#: How a key without a line in a file is read from the name of a variable; elsewhere in lower case.
_SPELL: Mapping[str, Callable[[str], str]] = {
    "people": str,
    "permissions": lambda name: name.lower().replace("_", " "),
}
_NOT_IN_VARIABLES = lazy_pattern(r"[^A-Za-z0-9]+")
_FREE = frozenset(free.name for free in FREE)
#: The kinds of named sections whose keys variables can set; a command is a program, which no variable may name.
_BY_VARIABLE = frozenset(NAMED_SECTIONS) - {"command"}
_SECRETS = frozenset(key.name for key in KEYS if key.kind == "secret")
_NAMED_SECRETS = frozenset({"secret", "hook_secret", "client_secret", "webhook", "token"})
_NAMES_IN_FILES = {
    section: {
        key.written + name.removeprefix(key.name): name
        for key in KEYS
        if key.section == section
        for name in key.spellings
    }
    for section in SECTIONS
}
_FLAGS = {
    name: key.flag if key.flag and name == key.name else f"--{name.replace('_', '-')}"
    for key in KEYS
    for name in key.spellings
}
_NOT_KEYS = frozenset({"config", "ignore_global_config", "dry_run", "standby"})
_VARIABLES = {key.variable + name.removeprefix(key.name).upper(): name for key in KEYS for name in key.spellings}
