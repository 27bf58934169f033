from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timezone
from pathlib import Path

import click
import pytest

from slack_alert.cli.main import COMMANDS, cli
from slack_alert.core.errors import SettingsError
from slack_alert.core.model.address import SERVICES
from slack_alert.core.structs import replace
from slack_alert.loader import load, survey, unload
from slack_alert.settings import load_settings
from tests.docs.book import ROOT, Block, Page, pages
from tests.docs.performance import performed
from tests.fakes.packs import write_pack
from tests.fakes.plugins import DEFAULTS

PAGES = pages()
#: With the channels that the pages configure.
NOWADAYS = replace(
    DEFAULTS, now=datetime.now(timezone.utc), services=(*SERVICES, "pager", "phone"), robots=("ops", "bot")
)
CODES = re.compile(r"SA\d{3}")
#: Found where the words of all commands are known, those of the verbs built in included.
WITH_VERBS = {"SA215"}


def blocks(*languages: str) -> list[tuple[Page, Block]]:
    return [(page, block) for page in PAGES for block in page.blocks() if block.language in languages]


def place(given: object) -> str:
    return given.name if isinstance(given, Page) else f"{given.line}" if isinstance(given, Block) else str(given)


def is_test(block: Block) -> bool:
    return "def test_" in block.text


def is_script(block: Block) -> bool:
    return "slack_alert.testing" in block.text


PLAYED = [page for page in PAGES if any(block.language == "console" for block in page.blocks())]


def is_of_others(block: Block) -> bool:
    """Return whether a block shows what a plugin was for another program."""
    return "from errbot import" in block.text


PLUGINS = [each for each in blocks("python") if not any(kind(each[1]) for kind in (is_test, is_script, is_of_others))]
KINDS = {"python", "console", "ini", "toml", "sh", "systemd", "dockerfile"}
#: Found where a manifest has such files beside it; a payload is looked at once an event comes.
BESIDE = {"SA404": {"requirements.txt": "requests==2.32.3\n"}}
LATER = {"SA405"}


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    odd = [f"{page.name}:{block.line}" for page in PAGES for block in page.blocks() if block.language not in KINDS]

    assert odd == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PLAYED, ids=place)
def test_commands_print_what_the_page_says(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for block, printed in performed(page, tmp_path, monkeypatch):
        assert printed == block.text, (
            f"{page.name}:{block.line}: `python -m tests.docs.refresh {page.name}` corrects it"
        )


@pytest.mark.parametrize(("page", "block"), PLUGINS, ids=place)
def test_plugins_load_as_the_page_says(page: Page, block: Block, tmp_path: Path) -> None:
    write(block, tmp_path)
    try:
        catalog = load(tmp_path, NOWADAYS)
    finally:
        unload()
    promised = CODES.findall(block.note) or codes_on(page, block)

    assert sorted({problem.code for problem in catalog.problems}) == [
        each for each in promised if each not in WITH_VERBS
    ]
    assert promised or catalog.bindings or "@" not in block.text


@pytest.mark.parametrize(("page", "block"), blocks("toml"), ids=place)
def test_manifests_are_read_as_the_page_says(page: Page, block: Block, tmp_path: Path) -> None:
    codes = CODES.findall(block.note)
    beside = BESIDE[codes[0]] if codes and codes[0] in BESIDE else {}
    named = re.search(r'^name = "(.+)"$', block.text, re.MULTILINE)
    write_pack(tmp_path, named[1] if named else "mypack", {"pack.toml": block.text, **beside})
    found = {problem.code for problem in survey(tmp_path, DEFAULTS).problems}

    # What a manifest that is shown requires of the configuration is on the same page.
    assert found - (set() if codes else {"SA402"}) == set(codes) - LATER


@pytest.mark.parametrize(
    "block", [block for _, block in blocks("ini") if block.note.startswith("SA4")], ids=lambda block: block.note
)
def test_sections_of_packs_have_the_problems_that_the_page_says(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of SA406 there is a folder of that name, of SA407 a distribution that says that it brings the pack."""
    (tmp_path / "given.conf").write_text(block.text, encoding="utf-8")
    write_pack(tmp_path, "files" if block.note == "SA406" else "mypack", {})
    about = tmp_path / "site" / "disks-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: disks\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[slack_alert.packs]\ndisks = nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(str(about.parent))
    found = load_settings({"config": "given.conf"}, {"TZ": "UTC"}, cwd=tmp_path, home=tmp_path).settings.packs

    assert [problem.code for problem in survey(tmp_path, replace(DEFAULTS, packs=found)).problems] == [block.note]


def write(block: Block, folder: Path) -> None:
    """Make a plugin of a block."""
    plugin = folder / "plugins" / "example.py"
    plugin.parent.mkdir()
    plugin.write_text(block.text, encoding="utf-8")
    if "SA104" in block.note:  # It is not in the text.
        plugin.chmod(0o666)


def codes_on(page: Page, block: Block) -> list[str]:
    """Return the codes of a named file, which its page shows right after it in the output of `check`."""
    told = [
        each.text for each in page.blocks() if each.language == "console" and block.note and block.note in each.text
    ]
    found = re.findall(rf"{re.escape(block.note)}:\d+:\d+: (SA\d{{3}})", "\n".join(told)) if block.note else []
    found += re.findall(rf'"file": "{re.escape(block.note)}",(?:\n.*){{3}}\n *"code": "(SA\d{{3}})"', "\n".join(told))
    return sorted(set(found))


@pytest.mark.parametrize(("page", "block"), [each for each in PLUGINS if CODES.search(each[1].note)], ids=place)
def test_problems_are_found_without_executing_anything(page: Page, block: Block, tmp_path: Path) -> None:
    write(block, tmp_path)
    found = {problem.code for problem in survey(tmp_path, NOWADAYS).problems}

    assert found == set(CODES.findall(block.note)) - {"SA103", "SA105", *WITH_VERBS}


@pytest.mark.slow
def test_tests_shown_to_readers_pass(tmp_path: Path) -> None:
    tested = {"plugins/disk.py", "plugins/releases.py"}
    shown = [block for _, block in blocks("python") if is_test(block) or is_script(block) or block.note in tested]
    for number, block in enumerate(shown):
        file = tmp_path / (block.note or f"tests/test_{number}.py")
        file.parent.mkdir(exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "slack_alert.testing_pytest",
        "tests",
    ]
    # No other plugin of this environment: readers need none, and each takes its time to begin.
    environ = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ended = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=50)

    assert (ended.returncode, ended.stdout.splitlines()[-1:] and " passed" in ended.stdout) == (0, True), ended.stdout


@pytest.mark.parametrize(("page", "block"), blocks("ini"), ids=place)
def test_configurations_are_read_or_refused_as_the_page_says(page: Page, block: Block, tmp_path: Path) -> None:
    """One that is shown to explain an error is called `wrong.conf`."""
    text = re.sub(r"(?<=_file = )/", f"{tmp_path}/", block.text)
    for name in re.findall(r"_file = (\S+)", text):
        secret = tmp_path / name
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text("xoxb-1", encoding="utf-8")
    conf = tmp_path / "given.conf"
    conf.write_text(text, encoding="utf-8")
    expectation = pytest.raises(SettingsError) if block.note == "wrong.conf" else nullcontext()

    with expectation:
        found = load_settings({"config": conf}, {"TZ": "UTC"}, cwd=tmp_path, home=tmp_path)
        read = found.settings
        sections = (read.quiet, read.rights, read.commands, read.packs, read.hooks, read.dingtalk, read.channels)
        assert found.origins or any(sections)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "block"), blocks("sh"), ids=place)
def test_shell_lines_are_shell(page: Page, block: Block) -> None:
    ended = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_commands_and_options_exist() -> None:
    shown = blocks("sh", "systemd", "dockerfile", "console")

    assert [
        f"{page.name}:{block.line}: {word}"
        for page, block in shown
        for words in calls(block.text)
        for word in unknown(words)
    ] == []
    assert shown


#: In a shell, behind a prompt, in a unit, in a container file, inside another command.
_CALL = re.compile(
    r"^(?:\$ |[A-Z_]+=\S+ )*(?:ExecStart(?:Pre)?=|sudo -u \w+ |docker exec \w+ |.*CMD \[\"|ENTRYPOINT \[\")?"
    r'(?:/\S+/)?slack-alert(?=[ ",]|$)([^|;&>#)]*)'
)


def calls(text: str) -> Iterator[list[str]]:
    """Find the calls of the program in lines of any kind."""
    for line in text.replace("\\\n", "").splitlines():
        if found := _CALL.search(line):
            yield shlex.split(re.sub(r'[\[\],"]', " ", found[1]), posix=False)


def unknown(words: list[str]) -> Iterator[str]:
    """Name the words that neither the program nor its command knows."""
    command: click.Command = cli
    for word in words:
        if word == "--":  # What comes is another program's.
            return
        if isinstance(command, click.Group) and (found := command.get_command(click.Context(command), word)):
            command = found
        elif word.startswith("-") and word != "-":
            known = {
                spelling for each in (*cli.params, *command.params) for spelling in (*each.opts, *each.secondary_opts)
            }
            if word.partition("=")[0] not in known | {"-h", "--help"}:
                yield word


def test_the_search_for_commands_finds_what_is_wrong() -> None:
    text = "$ slack-alert check --lod\nExecStart=/srv/bin/slack-alert run --stand\nslack-alert trigger a --post\n"

    assert [word for words in calls(text) for word in unknown(words)] == ["--lod", "--stand"]
    assert set(COMMANDS) >= {"check", "run", "trigger"}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_targets_of_make_exist() -> None:
    named = {
        (page.name, target)
        for page in PAGES
        for target in re.findall(r"(?:^|`)make ([a-z]+)", page.text, flags=re.MULTILINE)
    }

    assert [each for each in sorted(named) if each[1] not in targets()] == []
    assert named


@pytest.mark.parametrize(("page", "block"), blocks("systemd"), ids=place)
def test_units_can_be_read(page: Page, block: Block) -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.read_string(block.text)

    assert set(unit.sections()) <= {"Unit", "Service", "Install"}


INSTRUCTIONS = {"FROM", "RUN", "COPY", "USER", "WORKDIR", "VOLUME", "ENV", "HEALTHCHECK", "ENTRYPOINT"}


@pytest.mark.parametrize(("page", "block"), blocks("dockerfile"), ids=place)
def test_container_files_hold_instructions(page: Page, block: Block) -> None:
    assert {line.split()[0] for line in block.text.splitlines()} <= INSTRUCTIONS


def test_links_lead_somewhere() -> None:
    assert [f"{page.name}: {link}" for page in PAGES for link in page.links() if not leads(page, link)] == []


def leads(page: Page, link: str) -> bool:
    if link.startswith(("https://", "mailto:")):
        return True
    path, _, anchor = link.partition("#")
    target = (page.path.parent / path).resolve() if path else page.path
    return target.exists() and (not anchor or anchor in Page(target).anchors())


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = Page(waiting.pop())
        if page.path not in reached:
            reached.add(page.path)
            found = [
                (page.path.parent / link.partition("#")[0]).resolve() for link in page.links() if "://" not in link
            ]
            waiting += [path for path in found if path.suffix == ".md"]

    assert {page.path for page in PAGES} - reached == set()
