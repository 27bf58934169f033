"""Nothing that leaves shows a secret: no message, no file of ours, no line, no answer of any command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from slack_alert.core.model.record import Verdict
from tests.fakes.planted import FORMS, PARTS, PASSWORD, PROXY, SIGNING, UUID, leaked
from tests.fakes.program import Program
from tests.fakes.project import Project

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

CONF = f"""
    heartbeat_url = https://127.0.0.1:9/{UUID}
    signing_secret = {SIGNING}
    proxy = {PROXY.replace("proxy.example.com:3128", "127.0.0.1:9")}
    max_alert = 0
"""
PLUGIN = """
    import json, logging, sys, threading, warnings
    from pathlib import Path

    PLANTED = json.loads(Path(__file__).with_name("planted.json").read_text())


    @deco(seconds=600, at_start=True{more})
    def says(ctx):
        for number, text in enumerate(PLANTED):
            ctx.say([
                [{{"what": "x" * 50 + text, text: 1}}],
                {{text: "x" * 490 + text}},
                ("log.txt", text.encode()),
                {{"blocks": [{{"type": "section", "text": {{"type": "mrkdwn", "text": text}}}}]}},
                ctx.link("https://example.com/" + "".join(text.split()), text),
            ][number % 5])
            ctx.log.warning("sees " + text, extra={{"field": text}})
        return {{text[:300]: number for number, text in enumerate(PLANTED[:40])}}


    @deco(seconds=600, at_start=True{more})
    def prints():
        for text in PLANTED:
            if "\\n" in text:
                continue
            sys.stdout.write("x" * 8000 + text[:9])
            sys.stdout.flush()
            sys.stderr.write(text[9:] + "\\n")
        sys.stdout.write("x" * (262_144 - 5))
        sys.stdout.write(PLANTED[0] + "k" * 9000)
        warnings.warn(PLANTED[1])
        thread = threading.Thread(target=lambda: [print(text, end=" ", flush=True) for text in PLANTED[:20]])
        thread.start()
        thread.join()


    @deco(seconds=600, at_start=True{more})
    def fails(ctx):
        raise ValueError("x" * 470 + PLANTED[0] + " " + " ".join(PLANTED))


    @deco(seconds=600, at_start=True{more})
    def starts(ctx):
        ctx.run([sys.executable, "-c", "import sys; print(sys.argv[1]); sys.exit(3)", "x" * 7990 + PLANTED[0]])
"""


def _planted() -> list[str]:
    return [encode(part) for part in PARTS for encode in FORMS.values()]


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", pytest.param(', isolation="process"', marks=pytest.mark.thorough)])
def test_no_secret_leaves_a_running_program(more: str, project: Project) -> None:
    program = Program(project.path, PLUGIN.format(more=more), CONF)
    (project.path / "plugins" / "planted.json").write_text(json.dumps(_planted()))
    jobs = ("says", "prints", "fails", "starts")
    program.start("--log-format", "json")
    try:
        program.wait_until(lambda: all(program.verdicts(job) for job in jobs), "every job has run", 30)
        program.wait_until(lambda: all(line.delivery in (None, "sent") for line in program.history()), "all is sent")
    finally:
        program.kill()

    assert {Verdict.SAID} == program.verdicts("says")
    assert {Verdict.ERROR} == program.verdicts("fails") == program.verdicts("starts")
    assert program.out.count("[secret]") > len(_planted())
    assert program.errors.count("[secret]") > 2 * len(_planted())
    assert not _leaked_lines(program.out)
    assert not _leaked_lines(program.errors)
    for file in (project.path / ".slack_alert").rglob("*"):
        assert not _leaked_lines(file.read_bytes().decode("utf-8", "replace") if file.is_file() else "")
    for words in ("history", "outbox", "status", "jobs", "report", "check"):
        done = project.run(words, "--json")
        assert not _leaked_lines(done.out + done.err)
    for asked in (["explain", "fails"], ["history"], ["outbox"], ["doctor"], ["check", "--load"]):
        done = project.run(*asked)
        assert not _leaked_lines(done.out + done.err)


def _leaked_lines(text: str) -> list[str]:
    """Look at a long text in pieces that overlap, which is far faster, and leave out what only fills it."""
    text = text.replace("x" * 400, "").replace("k" * 400, "")
    return [found for at in range(0, len(text), 20_000) if (found := leaked(text[at : at + 20_400]))]


def test_no_secret_leaves_what_a_person_starts(project: Project) -> None:
    project.write("slack_alert.conf", f"[slack]\n{CONF}")
    project.write("plugins/db.py", f"raise ValueError('no ' + 'x' * 30 + '{UUID}')")
    address = f"https://hc-ping.com/ping/of/this/machine/{UUID}"
    project.write("plugins/other.py", f"@deco(minutes='{address}')\ndef a(): ...")

    for words in (
        ["check", "--load"],
        ["check", "--json", "--load"],
        ["send", f"see {PASSWORD}" + "\n" + "x" * 3990 + SIGNING],
        ["exec", f"backup {UUID}", "--", sys.executable, "-c", f"print('{SIGNING}' * 2); raise SystemExit(7)"],
        ["history", "--json"],
        ["outbox", "--json"],
        ["trigger", UUID],
        ["doctor"],
    ):
        done = project.run(*words)
        assert not leaked(done.out), words
        assert not leaked(done.err), words


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("heartbeat_url", f"hc-ping.com/{UUID}"),
        ("proxy", f"alerts:{SIGNING}@proxy.example.com:3128"),
        ("proxy", f"ftp://alerts:{SIGNING * 4}@proxy.example.com:3128"),
        ("database", f"mysql://alerts:{SIGNING}@db/alerts"),
        ("api_url", f"ftp://alerts:{SIGNING}@slack.example.com"),
        ("timeout", f"xoxb-{SIGNING}"),
        ("signing_secret", f"two words {SIGNING}"),
    ],
)
def test_no_fault_of_the_configuration_quotes_a_secret(key: str, value: str, project: Project) -> None:
    project.write("slack_alert.conf", f"[slack]\n{key} = {value}\n")

    done = project.run("check")

    assert done.code == 2
    assert not leaked(done.err)


_CRASH = """
from slack_alert.cli.logs import configure
from slack_alert.settings import load_settings
from pathlib import Path

configure(load_settings({}, {"SLACK_ALERT_SIGNING_SECRET": SECRET}, cwd=Path.cwd(), home=Path.cwd()).settings)
raise RuntimeError("unknown url type: " + SECRET)
"""


def test_a_program_that_breaks_off_shows_no_secret(tmp_path: Path) -> None:
    program = [sys.executable, "-c", f"SECRET = '{SIGNING[:16]}' '{SIGNING[16:]}'\n{_CRASH}"]
    ended = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert ended.returncode == 1
    assert "RuntimeError: unknown url type: [secret]" in ended.stderr
