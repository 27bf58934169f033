"""The examples in plugins/ load without a word, and say what they promise and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from slack_alert.loader import survey
from slack_alert.testing import Rehearsal, Said
from tests.fakes import loopback
from tests.fakes.plugins import DEFAULTS

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(path.stem for path in (ROOT / "plugins").glob("*.py"))
SETTINGS = ("WEBSITE_URL", "CERTIFICATE_HOST")


class Usage(NamedTuple):
    total: float
    free: float


@pytest.fixture(autouse=True)
def _unconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "*")


def have_disk(monkeypatch: pytest.MonkeyPatch, *, free: float) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(500e9, 500e9 * free))


def texts(said: list[Said]) -> list[str]:
    return [one.text for one in said]


def test_the_examples_have_no_problems() -> None:
    catalog = survey(ROOT, DEFAULTS)

    assert catalog.problems == ()
    assert [job.name for job in catalog.jobs] == [
        "certificate.certificate",
        "disk.free_space",
        "hello.hello",
        "website.website",
    ]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_short_and_says_what_it_is_for(name: str) -> None:
    lines = (ROOT / "plugins" / f"{name}.py").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 40
    assert lines[0].startswith('"""')


def test_as_they_come_they_say_one_friendly_thing_at_the_start_and_every_morning(
    slack_alert: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_disk(monkeypatch, free=0.5)
    slack_alert.load(ROOT, start="2026-03-02T08:00")

    at_start, in_a_day = slack_alert.advance(), slack_alert.advance(hours=24)

    assert [(one.job, f"{one.at:%H:%M}") for one in at_start + in_a_day] == [
        ("hello.hello", "08:00"),
        ("hello.hello", "09:00"),
    ]
    assert at_start[0].text.startswith("Hello from ")


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (0.10, []),
        (0.097, ["/ has 9.7% of its space left (48.5 GB)"]),
        (0.0, ["/ has 0.0% of its space left (0.0 GB)"]),
    ],
)
def test_disk_names_a_disk_that_is_nearly_full(
    slack_alert: Rehearsal, monkeypatch: pytest.MonkeyPatch, free: float, said: list[str]
) -> None:
    have_disk(monkeypatch, free=free)
    slack_alert.load("plugins/disk.py")

    assert texts(slack_alert.advance(minutes=5)) == said


def test_disk_works_on_this_machine(slack_alert: Rehearsal) -> None:
    slack_alert.load("plugins/disk.py")

    (one,) = slack_alert.run("free_space")

    assert one.traceback is None


@pytest.mark.parametrize(("status", "said"), [(200, []), (500, ["{} answers 500 Internal Server Error"])])
def test_website_tells_an_answer_that_is_an_error(
    slack_alert: Rehearsal, monkeypatch: pytest.MonkeyPatch, status: int, said: list[str]
) -> None:
    with loopback.website(status) as url:
        monkeypatch.setenv("WEBSITE_URL", url)
        slack_alert.load("plugins/website.py")

        assert texts(slack_alert.advance(minutes=1)) == [text.format(url) for text in said]


def test_website_tells_that_nobody_answers(slack_alert: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    url = loopback.unused_address()
    monkeypatch.setenv("WEBSITE_URL", url)
    slack_alert.load("plugins/website.py")

    (one,) = slack_alert.advance(minutes=1)

    assert one.text.startswith(f"{url} does not answer: ")
    assert one.traceback is None


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("2119-12-17T23:00", []),
        ("2119-12-18T01:00", ["The certificate of localhost expires on 2120-01-01, days left: 13"]),
        ("2119-12-31T10:00", ["The certificate of localhost expires on 2120-01-01, days left: 0"]),
    ],
)
def test_certificate_tells_the_days_that_are_left(
    slack_alert: Rehearsal, monkeypatch: pytest.MonkeyPatch, start: str, said: list[str]
) -> None:
    with loopback.certified() as host:
        monkeypatch.setenv("CERTIFICATE_HOST", host)
        monkeypatch.setenv("SSL_CERT_FILE", str(loopback.CERTIFICATE))
        slack_alert.load("plugins/certificate.py", start=start)

        assert texts(slack_alert.advance(seconds=1)) == said


def test_certificate_tells_one_that_is_not_trusted(slack_alert: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback.certified() as host:
        monkeypatch.setenv("CERTIFICATE_HOST", host)
        slack_alert.load("plugins/certificate.py", start="2026-03-02T10:00")

        (one,) = slack_alert.advance()

    # OpenSSL's own words differ by a hyphen from version to version.
    assert one.text.replace("-", " ") == "The certificate of localhost is not valid: self signed certificate"
