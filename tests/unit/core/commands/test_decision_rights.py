from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.core.catalog import Catalog
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.decision import RUN, Accepted, Decider, Refused
from slack_alert.core.commands.permissions import Permissions
from slack_alert.core.commands.rate import Rate
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Asker, ReplyTo
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import make_job
from tests.fakes.rights import ENV, asker, command, permissions

T = datetime(2026, 11, 21, 9, 0, tzinfo=timezone.utc)
FORCE = Parameter("force", ValueKind.CHOICE, (True, False), is_required=False, default="False")
STAGE = Parameter("stage", ValueKind.CHOICE, ("TEST", "PROD"), is_required=False, default="'PROD'", enum="Stage")
WAIT = Parameter("wait", ValueKind.DURATION, is_required=False, default="")
WORDS = Parameter("words", is_list=True, is_variadic=True, is_required=False)


def may(given: Permissions, text: str, commands: Sequence[Command], who: Asker | None = None, *, rate: int = 0) -> bool:
    who = who or asker("U1")
    catalog = Catalog((*[each for each in commands if not each.name.startswith("chat.")], make_job(name="db.report")))
    decider = Decider(
        lambda: commands,
        given,
        zone=timezone.utc,
        rate=Rate(rate),
        channel_name=lambda _: "ops",
        catalog=lambda: catalog,
    )
    asked = AskedCommand(("1",), T, who.identity, ReplyTo(Address("slack", "C1")), text, "test")
    return isinstance(decider(asked, who, T), Accepted)


@pytest.mark.parametrize(
    ("line", "parameter", "refused", "accepted"),
    [
        ("deploy env:prod", ENV, "deploy env=PROD", "deploy"),
        ("deploy env:prod", ENV, "deploy --env prod", "deploy --env staging"),
        ("deploy words:secret", WORDS, "deploy a secret b", "deploy a b"),
        ("deploy words:s*", WORDS, "deploy secret", "deploy"),
        ("deploy force:yes", FORCE, "deploy force=true", "deploy"),
        ("deploy stage:PROD", STAGE, "deploy", "deploy stage=test"),
        ("deploy wait:10m", WAIT, "deploy wait=600", "deploy wait=5m"),
        ("deploy wait:10m", WAIT, "deploy wait=600s", "deploy"),
    ],
)
def test_the_words_of_a_line_are_held_against_permissions_in_every_spelling(
    line: str, parameter: Parameter, refused: str, accepted: str
) -> None:
    given = permissions({"deploy": "members", line: "nobody"})

    assert may(given, accepted, [command("deploy", parameter)])
    assert not may(given, refused, [command("deploy", parameter)])


class TestRunOfACommand:
    RUN = replace(command("run", Parameter("job")), name=RUN)
    DEPLOY = replace(command("deploy"), name="caf\u00e9.deploy")

    @pytest.mark.parametrize("job", ["deploy", "caf\u00e9.deploy", "cafe\u0301.deploy"])
    def test_it_takes_both_rights_however_the_job_is_written(self, job: str) -> None:
        both: Mapping[str, str] = {"run": "members", "deploy": "U2"}

        assert not may(permissions(both), f"run {job}", [self.RUN, self.DEPLOY])
        assert may(permissions(both), f"run {job}", [self.RUN, self.DEPLOY], asker("U2"))

    def test_a_job_that_is_no_command_takes_the_right_to_run(self) -> None:
        assert may(permissions({"run": "members", "deploy": "U2"}), "run report", [self.RUN, self.DEPLOY])

    def test_a_job_is_run_as_a_command_of_its_own(self) -> None:
        accepted = self.decided("run report")

        assert isinstance(accepted, Accepted)
        assert (accepted.command.name, accepted.command.queue) == ("db.report", "default")
        assert (accepted.words, accepted.params) == ("run db.report", {"job": "db.report"})

    def test_the_fields_of_an_event_are_read_as_on_the_command_line(self) -> None:
        accepted = self.decided("run report size=12 'path=a b'")

        assert isinstance(accepted, Accepted)
        assert accepted.event == {"size": 12, "path": "a b"}
        assert accepted.words == 'run db.report size=12 path="a b"'

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("run", "job is missing."),
            ("run nothing", "There is no job 'nothing'."),
            ("run report quickly", "'quickly' is no field."),
        ],
    )
    def test_wrong_words_are_refused(self, text: str, reason: str) -> None:
        refused = self.decided(text)

        assert isinstance(refused, Refused)
        assert (refused.reason, refused.usage) == (reason, "run JOB")

    def decided(self, text: str) -> Accepted | Refused:
        catalog, who = Catalog((make_job(name="db.report"),)), asker("U1")
        given = permissions({"run": "members"})
        decider = Decider(lambda: [self.RUN], given, zone=timezone.utc, rate=Rate(0), catalog=lambda: catalog)
        return decider(AskedCommand(("1",), T, who.identity, ReplyTo(Address("slack", "C1")), text, "test"), who, T)


class TestJobsOfVerbs:
    """A line about a job is about it by whichever name, part or pattern somebody types."""

    PAUSE = replace(command("pause", Parameter("job", is_required=False)), name="chat.pause")
    SPELLINGS = ("report", "db.report", "db.*", "*", "")

    @pytest.mark.parametrize("line", ["pause job:report", "pause job:db.report", "pause job:db.*"])
    @pytest.mark.parametrize("typed", SPELLINGS)
    def test_a_line_that_forbids_a_job_holds_for_each_spelling(self, line: str, typed: str) -> None:
        given = permissions({"pause": "members", line: "U2"})

        assert not may(given, f"pause {typed}".strip(), [self.PAUSE])
        assert may(given, f"pause {typed}".strip(), [self.PAUSE], asker("U2"))

    @pytest.mark.parametrize("line", ["pause job:report", "pause job:db.report", "pause job:db.*"])
    @pytest.mark.parametrize("typed", SPELLINGS)
    def test_a_line_that_allows_a_job_holds_for_each_spelling(self, line: str, typed: str) -> None:
        assert may(permissions({line: "U1"}), f"pause {typed}".strip(), [self.PAUSE])
        assert not may(permissions({line: "U1"}), f"pause {typed}".strip(), [self.PAUSE], asker("U2"))

    def test_other_jobs_are_not_concerned(self) -> None:
        assert may(permissions({"pause": "members", "pause job:lag": "U2"}), "pause report", [self.PAUSE])


def test_the_name_of_the_channel_decides_where_it_is_known() -> None:
    assert may(permissions({"deploy": "members in #ops"}), "deploy", [command("deploy")])
    assert not may(permissions({"deploy": "members in #other"}), "deploy", [command("deploy")])


def test_what_is_too_much_in_a_minute_is_refused() -> None:
    deploy, who = command("deploy"), asker("U1")
    decider = Decider(lambda: [deploy], permissions({"deploy": "members"}), zone=timezone.utc, rate=Rate(1))
    asked = AskedCommand(("1",), T, who.identity, ReplyTo(Address("slack", "C1")), "deploy", "test")

    answers = [decider(asked, who, T + timedelta(seconds=seconds)) for seconds in (0, 1, 60)]

    assert [isinstance(answer, Accepted) for answer in answers] == [True, False, True]


def test_arguments_are_shown_in_no_denial() -> None:
    secret = Parameter("app", is_secret=True)
    given = permissions({"deploy app:hunter2": "nobody"})
    decider = Decider(lambda: [command("deploy", secret)], given, zone=timezone.utc, rate=Rate(0))
    asked = AskedCommand(("1",), T, asker().identity, ReplyTo(Address("slack", "C1")), "deploy app=other7", "test")

    assert "other7" not in str(decider(asked, asker(), T))
