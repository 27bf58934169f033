from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.core.commands.audit_notices import head_notice
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.operations.audit import audit_head
from slack_alert.stores import SqliteReader
from tests.docs.book import ROOT, Page
from tests.fakes.audit import ENTRY
from tests.fakes.project import Project, ago

#: An hour ago, so that what is said of it does not depend on the time of day.
ENTRIES = (
    replace(ENTRY, at=ago(days=2)),
    replace(
        ENTRY, at=ago(hours=3), by="slack:T1/U2", name="", command="cancel 412", params={"run": 412}, run=None,
        verdict=AuditVerdict.DENIED, reason="cancel = ops: ask ann", duration=None, channel="",
    ),
    replace(
        ENTRY, at=ago(hours=1), command="deploy web", verdict=AuditVerdict.FAILED, reason="KeyError", ip="192.0.2.1"
    ),
)  # fmt: skip


@pytest.fixture
def audited(project: Project) -> Project:
    project.remember(Batch(audit=list(ENTRIES)))
    return project


@dataclass(frozen=True)
class Tampering:
    """What somebody does who has the database."""

    statement: str
    told: str
    kind: str
    numbers: tuple[int, int]


TAMPERINGS = {
    "changed": Tampering("UPDATE audit SET author = 'x' WHERE id = 2", "Entry 2 of .* is not as", "changed", (2, 2)),
    "first gone": Tampering("DELETE FROM audit WHERE id = 1", "Entry 1 is missing, before", "missing", (1, 1)),
    "middle gone": Tampering("DELETE FROM audit WHERE id = 2", "Entry 2 is missing, between", "missing", (2, 2)),
    "end cut off": Tampering("DELETE FROM audit WHERE id = 3", "Entry 3 is missing at the end", "cut off", (3, 3)),
    "all gone": Tampering("DELETE FROM audit", "Entries 1 to 3 are missing at the end", "cut off", (1, 3)),
}


def tamper(project: Project, statement: str) -> None:
    with closing(sqlite3.connect(project.database)) as connection:
        connection.execute(statement)
        connection.commit()


def head_of(project: Project) -> str:
    reader = SqliteReader(project.database)
    head = audit_head(reader)
    reader.close()
    assert head is not None
    return f"{head.id}:{head.hash[:16]}"


def test_every_line_has_all_of_an_entry(audited: Project) -> None:
    first, second, third = audited.run("audit", "--json").json_lines

    assert re.fullmatch("[0-9a-f]{64}", first.pop("hash"))
    assert first == {
        "id": 1,
        "at": first["at"],
        "by": "slack:T1/U1",
        "name": "ann",
        "chat": "slack",
        "channel": "#ops",
        "door": "slack.socket",
        "session": "",
        "ip": "",
        "command": "deploy shop prod",
        "params": {"app": "shop", "env": "prod"},
        "verdict": "ran",
        "reason": "",
        "run": 412,
        "duration": 72.0,
    }
    assert (second["run"], second["duration"], second["verdict"]) == (None, None, "denied")
    assert third["ip"] == "192.0.2.1"


def test_people_read_a_table_the_newest_last(audited: Project) -> None:
    done = audited.run("audit")

    assert done.code == 0
    head, *rows = [line.split() for line in done.lines]
    assert head == ["ID", "AT", "BY", "IN", "COMMAND", "VERDICT", "REASON"]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert [row[3] for row in rows] == ["ann", "slack:T1/U2", "ann"]
    assert [row[4] for row in rows] == ["#ops", "slack.socket", "#ops"]
    assert rows[1][5:] == ["cancel", "412", "denied", "cancel", "=", "ops:", "ask", "ann"]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [(["--since", "4h"], [2, 3]), (["--limit", "1"], [3]), (["--since", "4h", "--limit", "1"], [3])],
)
def test_a_part_of_it_can_be_read(audited: Project, words: list[str], numbers: list[int]) -> None:
    assert [line["id"] for line in audited.run("audit", "--json", *words).json_lines] == numbers
    assert [int(line.split()[0]) for line in audited.run("audit", *words).lines[1:]] == numbers


def test_without_entries_it_says_so(project: Project) -> None:
    assert project.run("audit").out == "Nobody has asked for anything.\n"
    assert project.run("audit", "--json").out == ""
    assert project.run("audit", "--verify").out == "There is nothing to verify: nobody has asked for anything.\n"
    assert not (project.path / ".slack_alert").exists()


# --- verify


def test_what_was_not_changed_is_whole(audited: Project) -> None:
    done = audited.run("audit", "--verify")

    assert done.code == 0
    assert re.fullmatch(r"3 entries, up to [-\d]+ [:\d]+, are as they were written\.\nhead 3:[0-9a-f]{16}\n", done.out)
    assert audited.run("audit", "--verify", "--json").json["whole"] is True


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_was_changed_is_named_and_the_exit_code_says_so(audited: Project, name: str) -> None:
    tampering = TAMPERINGS[name]
    tamper(audited, tampering.statement)
    done, document = audited.run("audit", "--verify"), audited.run("audit", "--verify", "--json")

    assert (done.code, document.code) == (1, 1)
    assert re.match(tampering.told, done.out)
    (fault,) = document.json["faults"]
    assert (fault["kind"], fault["first"], fault["last"]) == (tampering.kind, *tampering.numbers)
    assert document.json["whole"] is False


def test_a_cut_off_end_is_noticed_by_a_head_that_was_posted(audited: Project) -> None:
    """Whoever has the folder may put the head that lies there back as well."""
    posted, head = head_of(audited), audited.path / ".slack_alert" / "audit.key.head"
    tamper(audited, "DELETE FROM audit WHERE id = 3")
    head.unlink()
    blind = audited.run("audit", "--verify")
    assert blind.code == 1
    assert "nobody can tell whether the end was cut off" in blind.out
    assert audited.run("audit", "--verify", "--json").json["is_headless"] is True

    done = audited.run("audit", "--verify", "--head", posted)

    assert done.code == 1
    assert done.out.startswith("Entry 3 is missing at the end")


def test_the_posted_command_verifies(audited: Project) -> None:
    reader = SqliteReader(audited.database)
    head = audit_head(reader)
    reader.close()
    assert head is not None
    words = re.findall(r"`slack-alert (.+)`", head_notice(head, ago().tzinfo or ENTRY.at.tzinfo).text)[0].split()  # type: ignore[arg-type]

    assert audited.run(*words).code == 0
    tamper(audited, "DELETE FROM audit WHERE id = 3")
    assert audited.run(*words).code == 1


def test_with_another_key_it_says_so(audited: Project) -> None:
    (audited.path / ".slack_alert" / "audit.key").write_text("0" * 64, encoding="ascii")
    done = audited.run("audit", "--verify")

    assert done.code == 1
    assert done.lines[0].startswith("No entry fits the key in ")
    assert ".slack_alert/audit.key: it is another one" in done.lines[0]


def test_without_the_key_nothing_can_be_verified(audited: Project) -> None:
    (audited.path / ".slack_alert" / "audit.key").unlink()
    done = audited.run("audit", "--verify")

    assert (done.code, done.out) == (1, "")
    assert "the key of the audit is not there" in done.err
    assert audited.run("audit", "--json").code == 0
    assert not (audited.path / ".slack_alert" / "audit.key").exists()


def test_a_key_that_others_can_read_is_told(audited: Project) -> None:
    (audited.path / ".slack_alert" / "audit.key").chmod(0o644)

    assert "chmod 600" in audited.run("audit", "--verify").err


def test_the_key_is_looked_for_where_the_settings_say(audited: Project) -> None:
    (audited.path / ".slack_alert" / "audit.key").rename(audited.path / "elsewhere.key")
    (audited.path / ".slack_alert" / "audit.key.head").rename(audited.path / "elsewhere.key.head")
    audited.write("slack_alert.conf", "[audit]\nkey_file = elsewhere.key\n")

    assert audited.run("audit", "--verify").code == 0


def test_what_cannot_be_read_is_left_out_and_told(audited: Project) -> None:
    tamper(audited, "UPDATE audit SET verdict = 'sang' WHERE id = 2")
    done = audited.run("audit", "--json")

    assert [line["id"] for line in done.json_lines] == [1, 3]
    assert "entry 2 cannot be read" in done.err
    assert audited.run("audit", "--verify").lines[0].startswith("Entry 2 is not as it was written")


@pytest.mark.parametrize(
    "words",
    [
        ["--head", "3:abcdef01"],
        ["--verify", "--head", "3"],
        ["--verify", "--head", "3:abc"],
        ["--verify", "--head", "0:abcdef01"],
        ["--verify", "--export", "a"],
        ["--verify", "--since", "1h"],
        ["--verify", "--limit", "1"],
        ["--limit", "0"],
        ["--since", "soon"],
        ["--export", "."],
        ["--export", os.devnull],
    ],
)
def test_odd_options_are_refused(audited: Project, words: list[str]) -> None:
    done = audited.run("audit", *words)

    assert (done.code, done.out) == (2, "")
    assert done.err


# --- export


def test_an_export_has_all_of_it_and_only_its_owner_may_read_it(audited: Project) -> None:
    done = audited.run("audit", "--export", "audit.jsonl")
    file = audited.path / "audit.jsonl"

    assert (done.code, done.out) == (0, "3 entries written to audit.jsonl.\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines == audited.run("audit", "--json").json_lines


def test_an_export_replaces_a_file_that_others_could_read(audited: Project) -> None:
    file = audited.write("audit.jsonl", "old\n")
    file.chmod(0o644)
    audited.run("audit", "--export", "audit.jsonl", "--since", "2h")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [json.loads(line)["id"] for line in file.read_text(encoding="utf-8").splitlines()] == [3]
    assert [path.name for path in audited.path.iterdir() if path.name.startswith(".audit")] == []


def test_an_export_is_only_tried_in_a_dry_run(audited: Project) -> None:
    done = audited.run("audit", "--export", "audit.jsonl", "--dry-run")

    assert done.out == "Dry run, nothing is changed; without it: 3 entries written to audit.jsonl.\n"
    assert not (audited.path / "audit.jsonl").exists()


def test_an_export_that_fails_leaves_what_was_there(audited: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    file = audited.write("audit.jsonl", "old\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = audited.run("audit", "--export", "audit.jsonl")

    assert done.code == 1
    assert "No space left" in done.err
    assert file.read_text(encoding="utf-8") == "old\n"
    assert [path.name for path in audited.path.iterdir() if path.name.startswith(".audit")] == []


def script() -> str:
    (found,) = [
        block.text for block in Page(ROOT / "docs" / "howto" / "record.md").blocks() if block.note == "proof.py"
    ]
    return found


@pytest.mark.slow
def test_an_export_is_verified_by_the_program_on_the_page(audited: Project) -> None:
    """It shares no line with ours: the form is what the page says."""
    odd = replace(ENTRIES[0], name="Ann Ö\u2028", params={"x": 0.1, "list": [None, True]}, duration=timedelta(0, 0, 1))
    audited.remember(Batch(audit=[odd]))
    audited.write("proof.py", script())
    audited.run("audit", "--export", "audit.jsonl")

    def proved() -> tuple[int, str]:
        command = [sys.executable, "proof.py", ".slack_alert/audit.key", "audit.jsonl"]
        done = subprocess.run(command, cwd=audited.path, capture_output=True, text=True, check=False, timeout=30)
        return done.returncode, done.stdout

    assert proved() == (0, "4 entries are as they were written\n")
    file = audited.path / "audit.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace("deploy web", "deploy shop"), encoding="utf-8")
    assert proved() == (1, "entry 3 is not as it was written\n")


def test_nothing_is_written_by_reading(audited: Project) -> None:
    folder: Path = audited.path / ".slack_alert"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix not in ("-shm", ".db-shm")}
    for words in ([], ["--json"], ["--verify"], ["--export", "a"]):
        audited.run("audit", *words)

    assert {name: (folder / name).read_bytes() for name in before if "shm" not in name and "wal" not in name} == {
        name: content for name, content in before.items() if "shm" not in name and "wal" not in name
    }
