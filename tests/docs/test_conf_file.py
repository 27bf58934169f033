from __future__ import annotations

import re
from pathlib import Path

import pytest

from slack_alert.settings import FREE, KEYS, SECTIONS, Key, Settings, load_settings, reference, render_conf
from slack_alert.settings.reference import FreeSection

SHIPPED = Path(__file__).parents[2] / "slack_alert.conf"
BY_ITSELF = frozenset(
    {
        "timezone_source",
        "git",
        "dry_run",
        "other_secrets",
        "service",
        "chat_prefixes",
        "commands",
        "packs",
        "hooks",
        "dingtalk",
    }
)
#: The field of a section with free keys, where several make up one.
FIELDS = dict.fromkeys(("roles", "permissions", "people"), "rights")


def settings_of(conf: str, folder: Path) -> Settings:
    file = folder / "given.conf"
    file.write_text(conf, encoding="utf-8")
    file.chmod(0o600)
    flags = {"config": file}
    return load_settings(flags, {"TZ": "UTC"}, cwd=folder, home=folder).settings


def uncommented(conf: str, names: set[str], section: str = "") -> str:
    """Take the # away from keys, of all sections or of one."""
    before, header, text = conf.partition(f"\n[{section}]\n") if section else ("", "", conf)
    text, following, rest = text.partition("\n[") if section else (text, "", "")
    found = re.sub(
        r"^#(\S.*?)(?= = )", lambda match: match[1] if match[1] in names else match[0], text, flags=re.MULTILINE
    )
    return before + header + found + following + rest


def test_the_shipped_file_is_written_from_the_table() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == render_conf()


def test_the_shipped_file_changes_nothing(tmp_path: Path) -> None:
    assert settings_of(render_conf(), tmp_path) == settings_of("", tmp_path)


def test_uncommenting_the_keys_that_have_a_default_changes_nothing(tmp_path: Path) -> None:
    conf = render_conf()
    for section in {key.section for key in KEYS}:
        conf = uncommented(conf, {key.written for key in KEYS if key.default and key.section == section}, section)

    assert conf != render_conf()
    assert settings_of(conf, tmp_path) == settings_of("", tmp_path)


@pytest.mark.parametrize(
    "key", [key for key in KEYS if not key.default and key.kind != "file"], ids=lambda key: key.name
)
def test_every_example_can_be_uncommented_as_it_stands(key: Key, tmp_path: Path) -> None:
    conf = uncommented(render_conf(), {key.written}, key.section)

    assert getattr(settings_of(conf, tmp_path), key.name) != getattr(settings_of("", tmp_path), key.name)


@pytest.mark.parametrize("free", FREE, ids=lambda free: free.name)
def test_example_of_a_section_with_free_keys_can_be_uncommented_as_it_stands(free: FreeSection, tmp_path: Path) -> None:
    conf = uncommented(render_conf(), {free.example}, free.name)
    field = FIELDS.get(free.name, free.name)

    assert getattr(settings_of(conf, tmp_path), field) != getattr(settings_of("", tmp_path), field)


def test_every_key_is_in_the_file_commented_out_with_its_meaning() -> None:
    written = re.findall(r"^#(?! )(.+?) = .+$", render_conf(), flags=re.MULTILINE)

    assert written == [
        *(key.written for section in SECTIONS for key in KEYS if key.section == section),
        *(free.example for free in FREE),
    ]
    assert all(meaning.endswith(".") for meaning in [key.meaning for key in KEYS] + [free.meaning for free in FREE])


def test_every_setting_has_a_key_and_every_key_a_setting() -> None:
    free = {FIELDS.get(free.name, free.name) for free in FREE}

    assert {key.name for key in KEYS} | free == set(Settings.__struct_fields__) - BY_ITSELF


def test_the_reference_names_every_key_with_default_and_variable() -> None:
    rows = {row.key: row for row in reference()}

    assert [(row.section, row.key) for row in reference()] == [(key.section, key.written) for key in KEYS]
    assert (rows["pause_time"].default, rows["pause_time"].flag) == ("60", "--pause-time")
    assert (rows["working_hours"].default, rows["working_hours"].variable) == ("always", "SLACK_ALERT_WORKING_HOURS")


def test_a_key_of_another_section_is_named_after_it() -> None:
    key = Key(name="web_port", section="web", kind="whole", meaning="")

    assert (key.written, key.variable) == ("port", "SLACK_ALERT_WEB_PORT")
