from __future__ import annotations

from textwrap import dedent

import pytest

from slack_alert.core.pack import ConfigField, PayloadField, ValueType, parse_type
from slack_alert.loader.packs.manifest import read_manifest
from slack_alert.loader.packs.toml_text import line_of

WHOLE = """
    name = "mypack"
    version = "1.0.0"
    description = "Watch files."
    author = "Ann"

    [config.directories]
    type = "list[path]"
    required = true
    description = "Where to look."
    [config.log]
    type = "path"
    default = "changes.log"
    [config]
    env = {choices = ["staging", "prod"]}

    [events.changed_file]
    path = "path"
    status = ["created", "deleted"]
    size = {type = "int", required = true}

    [action.append]
    on = "changed_file"
    run = ["./append.sh", "{path}"]
"""


def faults(text: str) -> list[tuple[int, str]]:
    manifest, problems = read_manifest(dedent(text), "mypack", "packs/mypack/pack.toml")
    assert (manifest is None) == bool(problems)
    assert {(each.code, each.file) for each in problems} <= {("SA401", "packs/mypack/pack.toml")}
    return [(each.line, each.message) for each in problems]


def test_a_manifest_says_what_is_in_a_pack() -> None:
    # The table [config] may come after its own tables; the keys of a table are one set.
    text = dedent(WHOLE).replace("[config]\nenv = {", "[config.env]\n").replace('"prod"]}', '"prod"]')
    manifest, problems = read_manifest(text, "mypack", "packs/mypack/pack.toml")

    assert problems == []
    assert manifest is not None
    assert (manifest.name, manifest.version, manifest.description) == ("mypack", "1.0.0", "Watch files.")
    assert manifest.config == (
        ConfigField("directories", parse_type("list[path]"), True, None, "Where to look."),
        ConfigField("log", parse_type("path"), False, "changes.log"),
        ConfigField("env", parse_type("str", ["staging", "prod"])),
    )
    assert manifest.events["changed_file"].fields == (
        PayloadField("path", parse_type("path")),
        PayloadField("status", ValueType("str", choices=("created", "deleted"))),
        PayloadField("size", parse_type("int"), is_required=True),
    )
    assert manifest.actions == {"append": {"on": "changed_file", "run": ["./append.sh", "{path}"]}}


def test_an_empty_manifest_is_enough() -> None:
    assert faults("") == []


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name = ", 1, "this is not TOML"),
        ('name = "mypack"\nversion = 1.0\n', 2, "version must be a text"),
        ('name = "other"\n', 1, "the name is 'other', and the folder 'mypack'"),
        ('name = "mypack"\nversoin = "1"\n', 2, "versoin is not a key of pack.toml"),
        ("[config.a]\ntpye = 'str'\n", 2, "tpye is not a key of [config.a]"),
        ("[config.a]\ntype = 'text'\n", 2, "config.a.type: 'text' is not a type"),
        ("[config.a]\ntype = 'int'\ndefault = 'x'\n", 3, "config.a.default: 'x' is not a whole number"),
        ("[config.a]\nrequired = 'yes'\n", 2, "required must be true or false"),
        ("[config.a]\nrequired = true\ndefault = 'x'\n", 3, "a is required and has a default"),
        ("[config.'A-b']\n", 1, "'A-b' is no key of a configuration"),
        ("config = 3\n", 1, "config must be a table"),
        ("[config]\na = 'str'\n", 2, "config.a must be a table"),
        ("[events.e]\npath = 'text'\n", 2, "events.e.path: 'text' is not a type"),
        ("[events.e]\npath = []\n", 2, "events.e.path: [] are no choices"),
        ("[events.'a.b']\n", 1, "has a dot in its name"),
        ("[action]\nx = 1\n", 2, "action.x must be a table"),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, line: int, said: str) -> None:
    (found,) = faults(text)

    assert found[0] == line
    assert said in found[1]


def test_every_fault_is_told() -> None:
    text = "versoin = '1'\n[config.a]\ntype = 'x'\n[events.e]\nf = 'y'\n"

    assert [line for line, _ in faults(text)] == [1, 3, 5]


@pytest.mark.parametrize(
    ("table", "key", "line"),
    [
        ("", "name", 1),
        ("config.a", "", 2),
        ("config.a", "type", 3),
        ("config.b", "", 5),
        ("config.b", "type", 5),
        ("events.e", "missing", 6),
        ("nowhere", "x", 1),
    ],
)
def test_the_line_of_a_key(table: str, key: str, line: int) -> None:
    text = 'name = "x"\n[ config . a ]\n"type" = "int"\n[config]\nb = {type = "int"}\n[events.e]\nz = "str"\n'

    assert line_of(text, table, key) == line
