from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.core.errors import BadValue, SettingsError
from slack_alert.settings import ListenAddress
from slack_alert.settings.listening import parse_hosts, parse_listen
from tests.fakes.machine import Machine


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("127.0.0.1:8080", ["127.0.0.1:8080"]),
        ("8080", ["127.0.0.1:8080"]),
        ("[::1]:8080", ["[::1]:8080"]),
        ("127.0.0.1:8080, [::1]:8080", ["127.0.0.1:8080", "[::1]:8080"]),
        ("127.0.0.1:8080 127.0.0.1:8080", ["127.0.0.1:8080"]),
        ("localhost:0", ["localhost:0"]),
        ("0.0.0.0:80", ["0.0.0.0:80"]),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, addresses: list[str]) -> None:
    assert [str(address) for address in parse_listen(text)] == addresses


@pytest.mark.parametrize(
    "text",
    [":8080", "*:8080", "localhost", "::1:8080", "[localhost]:80", "a:b", "a:65536", "a:-1", "http://a:80", "é é"],
)
def test_an_address_that_leaves_something_open_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="is not an address with a port"):
        parse_listen(text)


def test_names_of_hosts_are_compared_in_small_letters() -> None:
    assert parse_hosts("Alerts.Internal, *.example.com [::1] *") == ("alerts.internal", "*.example.com", "::1", "*")


@pytest.mark.parametrize("text", ["http://a", "a:80", "a/b", "*a", "a.*", "**", "a..b"])
def test_what_is_no_name_of_a_host_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="is not the name of a host"):
        parse_hosts(text)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "cwd").mkdir()
    return Machine(tmp_path / "cwd", tmp_path / "home")


def test_the_web_server_is_off_unless_it_is_told_where_to_listen(machine: Machine) -> None:
    settings = machine.load().settings

    assert (settings.web_listen, settings.web_public_url, settings.web_allow_hosts) == ((), None, ())


def test_the_section_of_the_web_server_is_read_from_file_and_environment(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[web]\nlisten = 127.0.0.1:8080\npublic-url = https://a.example.com\n")

    settings = machine.load({"SLACK_ALERT_WEB_ALLOW_HOSTS": "b", "SLACK_ALERT_WEB_LISTEN": "[::1]:9090"}).settings

    assert settings.web_listen == (ListenAddress("::1", 9090),)
    assert (settings.web_public_url, settings.web_allow_hosts) == ("https://a.example.com", ("b",))


def test_a_wrong_address_names_its_place_and_what_to_write(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[web]\nlisten = 127.0.0.1\n")

    with pytest.raises(SettingsError) as raised:
        machine.load()

    assert str(raised.value) == (
        "slack_alert.conf:2: listen: '127.0.0.1' is not an address with a port. Write 127.0.0.1:8080 for this machine "
        "only, 0.0.0.0:8080 for all of its addresses, or [::1]:8080."
    )
