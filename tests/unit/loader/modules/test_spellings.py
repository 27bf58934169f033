"""Names that look the same are the same, however a system or a keyboard encodes their accents: NFC and NFD."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from unicodedata import normalize

import pytest

from slack_alert.core.catalog import full_name
from slack_alert.core.events import Emitted
from slack_alert.core.model.address import Address, parse_conversation
from slack_alert.core.model.run import Action
from slack_alert.core.rules.rule import Rule
from slack_alert.loader import unload
from slack_alert.loader.modules.lazy import FunctionLoader
from tests.fakes.plugins import loaded

NFC, NFD = "NFC", "NFD"
FORMS = pytest.mark.parametrize(("form", "other"), [(NFC, NFD), (NFD, NFC), (NFD, NFD)])
NOON = datetime(2026, 11, 16, 12, tzinfo=timezone.utc)


def spelled(form: str, text: str) -> str:
    return normalize(form, text)  # type: ignore[arg-type]


JOBS = """
from .gemeinsam_ä import wort
import _hilfe_ö

@deco(hours=1, emits="geändert")
def zähle():
    return wort + _hilfe_ö.wort


@deco(hours=1, name="Zürich")
def other():
    return "other"


@deco(on="geändert", where={"größe": "Käse*"})
def folgt(ctx):
    return ctx.event["größe"]
"""


@pytest.fixture(params=[NFC, NFD])
def plugins(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Files named, and written, as one or the other system does."""
    folder = tmp_path / "plugins" / spelled(request.param, "Büro")
    folder.mkdir(parents=True)
    helpers = {"_gemeinsam_ä": "wort = 'a'\n", "_hilfe_ö": "wort = 'b'\n"}
    source = JOBS.replace("gemeinsam", "_gemeinsam")
    for name, text in {**helpers, "café": source}.items():
        file = folder / f"{spelled(request.param, name)}.py"
        file.write_text(spelled(NFC if request.param == NFD else NFD, text), encoding="utf-8")
    return tmp_path


NAMES = ["Büro.café.zähle", "Büro.café.Zürich", "Büro.café.folgt"]


def test_jobs_are_named_in_one_form_whatever_the_files_are(plugins: Path) -> None:
    with loaded(plugins, {}) as catalog:
        names = [job.name for job in catalog.jobs]
        said = catalog.jobs[0].action.function

        assert (catalog.problems, names) == ((), NAMES)
        assert said is not None
        assert said() == "ab"
        assert catalog.jobs[0].emits == ("geändert",)


@pytest.fixture
def shelf(plugins: Path) -> Iterator[FunctionLoader]:
    yield FunctionLoader(plugins, ())
    unload()


def test_a_process_of_its_own_finds_their_files(shelf: FunctionLoader) -> None:
    found = [shelf.load(Action(name, "plugins/Büro/café.py", 1))() for name in NAMES[:2]]

    assert found == ["ab", "other"]


def test_copies_of_files_are_found_where_the_files_are_gone(plugins: Path, shelf: FunctionLoader) -> None:
    copies: dict[str, bytes | None] = {str(file): file.read_bytes() for file in plugins.rglob("*.py")}
    for file in copies:
        Path(file).unlink()
    shelf.update(copies)

    assert shelf.load(Action(NAMES[0], "plugins/Büro/café.py", 1))() == "ab"


def test_of_two_files_of_one_name_one_is_loaded_and_the_other_is_a_problem(tmp_path: Path) -> None:
    both: dict[str, str | bytes] = {
        f"{spelled(form, 'café')}.py": "@deco(hours=1)\ndef lag(): pass\n" for form in (NFC, NFD)
    }
    with loaded(tmp_path, both) as catalog:
        assert [job.name for job in catalog.jobs] == ["café.lag"]
        assert [(problem.code, problem.file) for problem in catalog.problems] == [("SA206", "plugins")]


@FORMS
def test_a_typed_name_is_found(form: str, other: str) -> None:
    names = [spelled(other, name) for name in NAMES]

    assert full_name(spelled(form, "Büro.café.Zürich"), names) == names[1]
    assert full_name(spelled(form, "Zürich"), names) == names[1]


@FORMS
@pytest.mark.parametrize("written", ["#café", "café", "@jürgen", "console:#café"])
def test_a_conversation_is_one_however_it_is_written(written: str, form: str, other: str) -> None:
    assert Address.parse(spelled(form, written), "slack") == Address.parse(spelled(other, written), "slack")
    assert parse_conversation(spelled(form, "café")) == spelled(NFC, "#café")


@FORMS
@pytest.mark.parametrize(
    ("criterion", "value", "holds"),
    [
        ("Zürich", "Zürich", True),
        ("*/Büro/*", "/srv/Büro/x", True),
        ("?ü*", "Zürich", True),
        ("== Zürich", "Zürich", True),
        ("!= Zürich", "Zürich", False),
        (["Köln", "Zürich"], "Zürich", True),
        ("Zurich", "Zürich", False),
    ],
)
def test_criteria_and_fields_are_compared_in_one_form(
    criterion: str | list[str], value: str, holds: bool, form: str, other: str
) -> None:
    wanted = spelled(form, criterion) if isinstance(criterion, str) else [spelled(form, one) for one in criterion]
    rule = Rule((spelled(form, "geändert.*"),), {spelled(form, "ort.größe"): wanted})
    fields = {spelled(other, "ort"): {spelled(other, "größe"): spelled(other, value)}}

    assert rule.matches(Emitted(spelled(other, "geändert.viel"), NOON, fields)) is holds
    assert fields == {spelled(other, "ort"): {spelled(other, "größe"): spelled(other, value)}}  # As it came.
