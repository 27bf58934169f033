"""The proxy of the environment, and its faults."""

from __future__ import annotations

import pytest

from slack_alert.engine.system.proxies import EnvironmentProxy, environment_proxy

SLACK = "https://slack.com/api/"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("HTTP://proxy:3128", "HTTP://proxy:3128"),
        ("https://proxy", "https://proxy"),
        ("proxy:3128", "http://proxy:3128"),
        ("127.0.0.1:3128", "http://127.0.0.1:3128"),
        ("[::1]:3128", "http://[::1]:3128"),
        ("proxy", "http://proxy"),
        ("ann:pass@proxy:3128", "http://ann:pass@proxy:3128"),
        (" proxy:3128 ", "http://proxy:3128"),
    ],
)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_an_http_proxy_is_taken_with_its_scheme_and_without(
    variable: str, written: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, written)

    assert environment_proxy(SLACK) == EnvironmentProxy(address, variable)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("socks5://ann:hunter2@proxy:1080", "names a SOCKS proxy (socks5://)"),
        ("socks5h://proxy:1080", "names a SOCKS proxy (socks5h://)"),
        ("SOCKS4://proxy", "names a SOCKS proxy (socks4://)"),
        ("ftp://ann:hunter2@proxy", "begins with ftp://"),
        ("http://", "is not the address of a proxy"),
        ("proxy:hunter2", "is not the address of a proxy"),
        ("http://proxy:0", "is not the address of a proxy"),
        ("http://ann:hunter2@", "is not the address of a proxy"),
    ],
)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_any_other_is_named_by_its_variable_without_its_password(
    variable: str, written: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, written)

    found = environment_proxy(SLACK)

    assert (found.address, found.is_general) == (None, variable.lower() == "all_proxy")
    assert found.fault.startswith(f"{variable} {said}")
    assert found.fault.endswith("set `proxy` to an HTTP proxy, or name slack.com in no_proxy to go without")
    assert "hunter2" not in found.fault + repr(found)


def test_the_one_for_the_scheme_comes_before_the_one_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://proxy:1080")
    monkeypatch.setenv("https_proxy", "proxy:3128")

    assert environment_proxy(SLACK) == EnvironmentProxy("http://proxy:3128", "https_proxy")


def test_another_scheme_s_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "proxy:3128")

    assert environment_proxy(SLACK) == EnvironmentProxy()


def test_a_host_that_is_excepted_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://proxy:1080")
    monkeypatch.setenv("no_proxy", "slack.com")

    assert environment_proxy(SLACK) == EnvironmentProxy()


def test_what_the_system_is_set_to_is_named_as_that() -> None:
    found = environment_proxy(SLACK, {}, {"https": "socks5://proxy:1080"})

    assert found.fault.startswith("the proxy of this system's settings names a SOCKS proxy")
