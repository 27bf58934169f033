"""Check the section of a pack in the configuration against what its manifest declares."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path
from typing import Any

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.errors import BadValue
from slack_alert.core.pack import ConfigField, GivenText, Manifest, PackConfig, PackSection, read_default, read_value
from slack_alert.core.structs import Struct, field, replace
from slack_alert.core.units.names import suggestion

#: A secret may also be in a file of its own.
_FILE = "_file"


class CheckedConfig(Struct, frozen=True):
    """The configuration of a pack, and what is wrong with it."""

    config: PackConfig
    problems: tuple[Problem, ...] = ()


def check_config(manifest: Manifest, section: PackSection | None, root: Path, zone: tzinfo) -> CheckedConfig:
    """Return the values of a pack's section, with the defaults of its manifest; relative paths are below their file."""
    reading = _Reading(manifest.name, section or PackSection(manifest.name, ""), root, zone)
    read = {each.name: reading.value(each) for each in manifest.config}
    values = {name: value for name, value in read.items() if value is not None}
    secret = [each.name for each in manifest.config if each.type.is_secret]
    if (further := reading.section.read) is not None:
        values, secret = {**values, **further}, [*secret, *further.secret_keys]
    problems = (*reading.problems, *_unknown(manifest, reading.section))
    return CheckedConfig(PackConfig(manifest.name, values, secret), problems)


class _Reading(Struct):
    """Reads the values of a section, and gathers what is wrong with them."""

    pack: str
    section: PackSection
    root: Path
    zone: tzinfo
    problems: list[Problem] = field(default_factory=list)

    def value(self, each: ConfigField) -> Any:  # Any: of the declared type
        """Return the value of a key; None where it has none."""
        try:
            given = _given(each, self.section)
            if given is not None:
                return _located(read_value(each.type, given.text, self.zone), given.folder)
            if each.default is not None:
                return _located(read_default(each.type, each.default, self.zone), self.root)
        except BadValue as error:
            where, said = _place(each, self.section), f"[pack.{self.pack}] {each.name}: {error}"
            self.problems.append(_problem(where, said, error.hint))
            return None
        if each.is_required:
            self.problems.append(_missing(self.pack, each, self.section))
        return None


def _given(each: ConfigField, section: PackSection) -> GivenText | None:
    given = section.values.get(each.name)
    if given is not None or not each.type.is_secret:
        return given
    named = section.values.get(each.name + _FILE)
    return None if named is None else replace(named, text=_content(named))


def _content(named: GivenText) -> str:
    try:
        text = (named.folder / Path(named.text).expanduser()).read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise BadValue(f"{named.text!r} cannot be read ({error.strerror})", hint="Check the path.") from None
    except UnicodeDecodeError:  # `from None`: the cause would contain the bytes of the secret.
        raise BadValue(f"{named.text!r} is not text in UTF-8") from None
    if not text:
        raise BadValue(f"{named.text!r} is empty", hint="Put the secret in.")
    return text


def _located(value: Any, folder: Path) -> Any:  # Any: as above
    if isinstance(value, list):
        return [_located(one, folder) for one in value]
    return folder / value.expanduser() if isinstance(value, Path) else value


def _place(each: ConfigField, section: PackSection) -> str:
    named = section.values.get(each.name) or section.values.get(each.name + _FILE)
    return named.where if named else section.where


def _missing(pack: str, each: ConfigField, section: PackSection) -> Problem:
    said = f"the pack {pack} needs {each.name} ({each.type}), which is not set"
    line = f"`{each.name} = ...` into [pack.{pack}] of slack_alert.conf"
    hint = f"Write {line}{': ' if each.description else ''}{each.description.rstrip('.')}."
    return _problem(section.where, said, hint)


def _unknown(manifest: Manifest, section: PackSection) -> Iterator[Problem]:
    known = [each.name for each in manifest.config]
    files = [each.name + _FILE for each in manifest.config if each.type.is_secret]
    for key, given in section.values.items():
        if key not in known and key not in files:
            said = f"{key} is not a key of [pack.{manifest.name}]"
            hint = suggestion(key, known) if known else "The pack has no configuration."
            yield _problem(given.where, said, hint)


def _problem(where: str, said: str, hint: str) -> Problem:
    file, _, line = where.rpartition(":")
    is_place = line.isdigit() and bool(file)
    return Problem(
        file if is_place else (where or "slack_alert.conf"),
        int(line) if is_place else 1,
        1,
        Severity.ERROR,
        "SA402",
        said,
        hint,
    )
