from __future__ import annotations

import os
import subprocess
import sys
from datetime import timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.structs import replace
from slack_alert.settings import Secret
from tests.fakes.machine import Machine

ROOT = Path(__file__).parents[3]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "cwd").mkdir()
    return Machine(tmp_path / "cwd", tmp_path / "home")


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ("[slck]\n", "slack_alert.conf:1: [slck] is not a section. Did you mean slack?"),
        (
            "[slack]\n\nchanel = a\n",
            "slack_alert.conf:3: chanel is not a key of [slack]. Did you mean channel?",
        ),
        (
            "[slack]\nmax-alerts = 3\n",
            "slack_alert.conf:2: max_alerts is not a key of [slack]. Did you mean max_alert?",
        ),
        (
            "[slack]\nretries = 3\n",
            (
                "slack_alert.conf:2: retries is not a key of [slack]. "
                "Each job has its own: write it in the marker, @deco(minutes=5, retries=...)."
            ),
        ),
        (
            "# x\n[slack]\nmax_alert = x\n",
            "slack_alert.conf:3: max_alert: 'x' is not a whole number of at least 0.",
        ),
        (
            "[slack]\nscheduler = Gevnt\n",
            (
                "slack_alert.conf:2: scheduler: 'Gevnt' is not known. Did you mean GeventScheduler? "
                "Allowed: AsyncIOScheduler, BackgroundScheduler, GeventScheduler, TornadoScheduler."
            ),
        ),
        ("max_alert = 3\n", "slack_alert.conf:1: There is no section above max_alert. Put the line [slack] above it."),
        (
            "[slack]\ntoken = a\ntoken_file = b\n",
            "slack_alert.conf:2: token and token_file are both set. Keep one.",
        ),
        (
            "[slack]\ntoken_file = none\n",
            (
                "slack_alert.conf:2: token_file: 'none' cannot be read (No such file or directory). "
                "Check the path, or set token itself."
            ),
        ),
    ],
)
def test_a_fault_in_a_file_stops_the_start_with_its_line(conf: str, said: str, machine: Machine) -> None:
    machine.write("slack_alert.conf", conf)

    assert str(machine.fault()) == said


LINK = "Mend the link, or remove it."
FILE = "Make it a file that this user may read, or remove it."


@pytest.mark.parametrize("name", ["slack_alert.conf", "../home/.config/slack_alert.conf"])
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("dangling", f"The file cannot be read (No such file or directory). {LINK}"),
        ("loop", f"The file cannot be read (Too many levels of symbolic links). {LINK}"),
        ("pipe", f"The file cannot be read (Not a regular file). {FILE}"),
        ("folder", f"The file cannot be read (Is a directory). {FILE}"),
    ],
)
def test_what_is_called_like_a_file_and_is_none_stops_the_start(
    name: str, kind: str, said: str, machine: Machine
) -> None:
    _make(machine.write(name, ""), kind)

    assert str(machine.fault()).removeprefix(name.replace("../home", "~")) == f": {said}"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("dangling", "No such file or directory"),
        ("loop", "Too many levels of symbolic links"),
        ("pipe", "Not a regular file"),
        ("folder", "Is a directory"),
    ],
)
def test_a_secret_is_read_from_a_file_only(kind: str, said: str, machine: Machine) -> None:
    _make(machine.write("secret", ""), kind)
    machine.write("slack_alert.conf", "[slack]\ntoken_file = secret\n")

    hint = "Check the path, or set token itself."
    assert str(machine.fault()) == f"slack_alert.conf:2: token_file: 'secret' cannot be read ({said}). {hint}"


def test_a_file_of_nothing_says_nothing(machine: Machine) -> None:
    machine.write("slack_alert.conf", "").unlink()
    (machine.cwd / "slack_alert.conf").symlink_to(os.devnull)

    assert machine.load().origins == {}


def _make(path: Path, kind: str) -> None:
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "loop" else "nowhere")


@pytest.mark.parametrize("text", ["discord:#x", "foo bar", "a,b", "=x", "@"])
@pytest.mark.parametrize("key", ["channel", "errors_to"])
def test_a_channel_that_means_nothing_stops_the_start_with_its_line(key: str, text: str, machine: Machine) -> None:
    machine.write("slack_alert.conf", f"[slack]\n{key} = {text}\n")

    assert str(machine.fault()).startswith(f"slack_alert.conf:2: {key}: '{text}")


def test_a_file_of_certificates_that_is_not_there_stops_the_start_without_a_token(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\nca_file = /nope\n")

    said = "slack_alert.conf:2: ca_file: '/nope' is not a file. Check the path, or take the setting out."
    assert str(machine.fault()) == said


def test_of_several_faults_the_first_in_the_file_is_told_and_where_the_others_are(machine: Machine) -> None:
    machine.write(
        "slack_alert.conf",
        "[slack]\nthreads = 0\nmax_alert = x\ntimezone = Mars/Phobos\nchanel = a\ntoken_file = none\n[slck]\na = 1\n",
    )

    assert str(machine.fault()) == (
        "slack_alert.conf:2: threads: '0' is not a whole number from 1 to 1000. Also wrong: slack_alert.conf:3, "
        "slack_alert.conf:4, slack_alert.conf:5, slack_alert.conf:6, slack_alert.conf:7."
    )


def test_many_faults_are_counted(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\n" + "".join(f"a{number} =\n" for number in range(9)))

    assert str(machine.fault()).endswith("slack_alert.conf:6, slack_alert.conf:7 and 3 more.")


def test_what_is_wrong_on_the_command_line_comes_before_what_is_wrong_in_a_file(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\nmax_alert = x\n")
    machine.write("../home/.config/slack_alert.conf", "[slack]\nburst = x\n")

    error = machine.fault({"SLACK_ALERT_GIVE_UP": "x"}, threads="x")

    assert error.where == "--threads"
    assert error.hint == "Also wrong: SLACK_ALERT_GIVE_UP, slack_alert.conf:2, ~/.config/slack_alert.conf:2."


def test_a_percent_sign_is_fine(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\nusername = 100% %(sure)s\nchannel = a\n")

    assert machine.load().settings.username == "100% %(sure)s"


def test_a_bad_variable_is_told_by_its_name(machine: Machine) -> None:
    error = machine.fault({"SLACK_ALERT_BURST": "many"})

    assert str(error) == "SLACK_ALERT_BURST: 'many' is not a whole number of at least 1."


@pytest.mark.parametrize("name", ["token", "app_token", "signing_secret"])
def test_a_secret_may_be_given_as_a_file(name: str, machine: Machine) -> None:
    secret = machine.write("bot/secret.txt", "xoxb-hunter2\n", mode=0o644)
    machine.write("bot/slack_alert.conf", f"[slack]\n{name}_file = secret.txt\n", mode=0o644)

    in_file = machine.load(path="bot")
    in_variable = machine.load({f"SLACK_ALERT_{name.upper()}_FILE": str(secret)})

    assert getattr(in_file.settings, name) == getattr(in_variable.settings, name) == Secret("xoxb-hunter2")
    assert in_file.origins[name] == "bot/slack_alert.conf:2"
    assert not [said for said in in_file.warnings if "chmod" in said]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\n", "SLACK_ALERT_TOKEN_FILE: 's' is empty. Put the token in."),
        (b"hunter2\xff", "SLACK_ALERT_TOKEN_FILE: 's' is not text in UTF-8."),
    ],
)
def test_a_secret_file_without_a_secret_is_an_error(content: bytes, said: str, machine: Machine) -> None:
    (machine.cwd / "s").write_bytes(content)

    error = machine.fault({"SLACK_ALERT_TOKEN_FILE": "s"})

    assert str(error) == said
    assert error.__cause__ is None


def test_a_stronger_token_beats_a_weaker_token_file(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\ntoken_file = nowhere\n")

    assert machine.load(token="xoxb-1").settings.token == Secret("xoxb-1")


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_token_that_others_can_read_is_a_warning(mode: int, is_told: bool, machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\ntoken = xoxb-hunter2\n", mode=mode)

    warnings = machine.load().warnings

    told = "slack_alert.conf: it holds a secret and others on this machine can read it: chmod 600 slack_alert.conf"
    assert warnings == ((told,) if is_told else ())


def test_a_file_that_all_can_read_is_fine_without_a_secret(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\nchannel = a\ntoken =\n", mode=0o644)

    assert machine.load().warnings == ()


def test_working_hours_in_a_zone_nobody_set_are_a_warning(machine: Machine) -> None:
    unset, chosen = (
        machine.load(working_hours="9:00-10:00"),
        machine.load(working_hours="9:00-10:00", timezone="Asia/Tokyo"),
    )

    assert unset.warnings == (
        (
            "timezone: not set, so working hours follow this machine's, Europe/Berlin: "
            "set `timezone = Europe/Berlin` to keep them when the machine changes."
        ),
    )
    assert (unset.settings.timezone_source, unset.settings.working_hours.zone) == ("machine", ZoneInfo("Europe/Berlin"))
    assert (chosen.warnings, chosen.settings.timezone_source) == ((), "set")
    assert chosen.settings.timezone == chosen.settings.working_hours.zone == ZoneInfo("Asia/Tokyo")


def test_a_machine_without_a_zone_means_utc_with_a_warning(machine: Machine) -> None:
    loaded = machine.load({"TZ": ""})

    assert (loaded.settings.timezone, loaded.settings.timezone_source) == (timezone.utc, "utc fallback")
    assert loaded.warnings == (
        "timezone: not set, and this machine names none, so UTC is used: set `timezone = Europe/Berlin`.",
    )


def test_with_a_token_a_channel_is_required_unless_it_is_a_dry_run(machine: Machine) -> None:
    settings = machine.load(token="xoxb-1").settings

    assert str(settings.missing()) == (
        "There is a token but no channel to send to: set `channel = #ops` in slack_alert.conf, "
        "SLACK_ALERT_CHANNEL in the environment, or pass --channel."
    )
    assert replace(settings, channel="#ops").missing() is None
    assert replace(settings, token=None).missing() is None
    assert machine.load(token="xoxb-1", dry_run=True).settings.missing() is None


@pytest.mark.slow
def test_importing_it_brings_in_nothing_that_gevent_must_patch_first() -> None:
    code = "import sys, slack_alert.settings; print(*sorted({'asyncio', 'logging', 'socket', 'ssl'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout == "\n"


def test_a_token_in_the_place_of_a_key_is_not_repeated(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\nxoxb-hunter2 = 1\n")

    assert str(machine.fault()).startswith("slack_alert.conf:2: *** is not a key of [slack].")


def test_a_relative_file_is_beside_the_file_that_names_it(machine: Machine) -> None:
    file = machine.write("bot/company.pem", "x")
    machine.write("bot/slack_alert.conf", "[slack]\nca_file = company.pem\n")

    assert machine.load(path="bot").settings.ca_file == file
