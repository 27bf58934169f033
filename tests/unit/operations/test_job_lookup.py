"""Which jobs a person means, and what is said where none is meant."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from slack_alert.core.catalog import Catalog, Problem, Severity
from slack_alert.core.errors import BadValue, SettingsError, SlackAlertError
from slack_alert.core.policy.quota import Pause, State
from slack_alert.engine.batches import JobProgress, Snapshot
from slack_alert.operations.job_lookup import JobLookup
from tests.fakes.engine_rig import at, make_job

HISTORY = Snapshot(
    seen={"db.lag": JobProgress(at("10 00:00")), "web.old": JobProgress(at("10 00:00"))},
    states={"db.gone": State()},
    holds={"db.lag": Pause()},
    last_run=7,
)


def lookup(*names: str, broken: str = "", source: str = "") -> JobLookup:
    problems = (Problem(broken, 1, 1, Severity.ERROR, "SA001", "does not load"),) if broken else ()
    catalog = Catalog(tuple(make_job(name) for name in names), problems)
    return JobLookup(lambda: catalog, lambda _: source)


def no_folder() -> Catalog:
    raise SettingsError("There is no folder plugins.")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("db.lag", ["db.lag"]),
        ("size", ["db.size"]),
        ("db.*", ["db.lag", "db.size"]),
        ("*.lag", ["db.lag", "web.lag"]),
        ("web.la?", ["web.lag"]),
    ],
)
def test_a_job_is_meant_by_its_name_its_last_part_or_a_pattern(said: str, found: Sequence[str]) -> None:
    assert [job.name for job in lookup("db.lag", "db.size", "web.lag").jobs(said)] == found


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        ("db.lap", "There is no job 'db.lap'.", "Did you mean db.lag or web.lag?"),
        ("dv.*", "No job is called like 'dv.*'.", "Did you mean db.*?"),
        ("lag", "'lag' is the last part of several jobs.", "Write one of: db.lag, web.lag."),
    ],
)
def test_a_name_without_a_job_is_refused_with_those_that_are_similar(said: str, message: str, hint: str) -> None:
    with pytest.raises(BadValue) as refused:
        lookup("db.lag", "db.size", "web.lag").jobs(said)

    assert (str(refused.value), refused.value.hint) == (message, hint)


@pytest.mark.parametrize(("said", "source"), [("shop.sale", ""), ("sale", "def sale(): pass")])
def test_a_name_that_a_faulty_file_may_define_is_refused_with_its_fault(said: str, source: str) -> None:
    found = lookup("db.lag", broken="plugins/shop.py", source=source)

    with pytest.raises(SlackAlertError, match=r"is in no file that can be used:\nplugins/shop\.py:1:1: SA001"):
        found.binding(said)
    with pytest.raises(SlackAlertError, match="is in no file that can be used"):
        found.jobs(said)


def test_history_knows_former_jobs_as_well() -> None:
    found = lookup("db.lag", "db.size")

    assert found.recorded("db.*", HISTORY) == ["db.lag", "db.size", "db.gone"]
    assert found.recorded("old", HISTORY) == ["web.old"]
    assert found.recorded_job("web.old", HISTORY) == ("web.old", None)
    assert found.recorded_job("lag", HISTORY) == ("db.lag", make_job("db.lag"))


def test_all_of_a_history_are_asked_for_without_reading_a_plugin() -> None:
    assert JobLookup(no_folder, str).recorded(None, HISTORY) is None


def test_a_folder_that_is_missing_matters_only_where_nothing_is_recorded() -> None:
    found = JobLookup(no_folder, str)

    assert found.recorded("lag", HISTORY) == ["db.lag"]
    with pytest.raises(SettingsError):
        found.recorded(None, Snapshot())


def test_plugins_are_read_once() -> None:
    reads: list[int] = []

    def survey() -> Catalog:
        reads.append(1)
        return Catalog((make_job(),))

    found = JobLookup(survey, str)
    found.jobs("lag")
    found.recorded("lag", HISTORY)

    assert reads == [1]
