from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.core.bindings import Binding
from slack_alert.loader import survey
from tests.fakes.packs import FUNCTION, configured, write_pack

SCHEMA = """
    [config.directories]
    type = "list[path]"
    required = true
    description = "The folders to watch"
    [config.env]
    choices = ["staging", "prod"]
    default = "staging"
    [config.token]
    type = "secret"
    [config.limit]
    type = "int"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_pack(tmp_path, "mypack", {"plugin.py": FUNCTION}, SCHEMA)
    return tmp_path


def found(root: Path, **values: str) -> tuple[dict[str, object], list[tuple[int, str, str]]]:
    """Return the configuration with these values, and what is wrong: lines, codes and texts."""
    catalog = survey(root, configured(root, {"mypack": values}))
    bindings: list[Binding] = list(catalog.bindings)
    pack = bindings[0].action.pack if bindings else None
    return dict(pack.config) if pack else {}, [(each.line, each.code, each.message) for each in catalog.problems]


def test_values_have_the_types_of_the_manifest_and_defaults_stand_in(root: Path) -> None:
    config, problems = found(root, directories="a, /b", limit="3")

    assert problems == []
    assert config == {"directories": [root / "a", Path("/b")], "env": "staging", "limit": 3}


@pytest.mark.parametrize(
    ("values", "line", "said"),
    [
        ({}, 1, "the pack mypack needs directories (list[path]), which is not set"),
        ({"directories": "a", "limit": "many"}, 3, "[pack.mypack] limit: 'many' is not a whole number"),
        ({"directories": "a", "env": "prdo"}, 3, "[pack.mypack] env: 'prdo' is not allowed"),
        ({"directories": "a", "limti": "3"}, 3, "limti is not a key of [pack.mypack]"),
        ({"directories": "a", "limit_file": "x"}, 3, "limit_file is not a key of [pack.mypack]"),
        ({"directories": "a", "token_file": "nowhere"}, 3, "[pack.mypack] token: 'nowhere' cannot be read"),
    ],
)
def test_a_fault_of_the_configuration_keeps_the_pack_out(
    root: Path, values: dict[str, str], line: int, said: str
) -> None:
    config, ((at, code, message),) = found(root, **values)

    assert (config, at, code) == ({}, line, "SA402")
    assert message.startswith(said)


def test_a_pack_that_needs_nothing_needs_no_section(tmp_path: Path) -> None:
    write_pack(tmp_path, "mypack", {"plugin.py": FUNCTION})

    assert found(tmp_path) == ({}, [])


def test_a_secret_may_be_in_a_file_of_its_own(root: Path) -> None:
    (root / "token.txt").write_text("hunter22\n")

    assert found(root, directories="a", token_file="token.txt")[0]["token"] == "hunter22"


@pytest.mark.parametrize("content", [b"", b"\xff\xfehunter"])
def test_a_file_without_a_secret_is_told(root: Path, content: bytes) -> None:
    (root / "token.txt").write_bytes(content)

    _, ((_, code, _message),) = found(root, directories="a", token_file="token.txt")
    assert code == "SA402"


def test_what_is_lacking_is_told_with_the_line_to_write(root: Path) -> None:
    (problem,) = survey(root, configured(root, {"mypack": {}})).problems

    assert problem.hint == ("Write `directories = ...` into [pack.mypack] of slack_alert.conf: The folders to watch.")
