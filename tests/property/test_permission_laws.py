from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.commands.denials import explain
from slack_alert.core.commands.permission_lines import Conversation, parse_line
from slack_alert.core.commands.permissions import decide, may_sometimes
from slack_alert.core.commands.roles import parse_members
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import AccountStatus, Asker
from tests.fakes.rights import APP, DIRECT, ENV, OPS, TERMINAL, asker, command, permissions

WORDS = st.text(alphabet="ab:=*?[]!-'\"\\ ,\t\n#@Ué9in", max_size=20) | st.text(max_size=20)
KEYS = st.sampled_from(["deploy", "ship", "deploy env:prod", "deploy env:s*", "deploy app:a*", "deploy evn:x", "jobs"])
VALUES = st.sampled_from(["ops", "members", "admins", "nobody", "U1", "S7", "ops in #ops", "all, U9", "ops, S7 in C1"])
LINES = st.dictionaries(KEYS, VALUES, max_size=5)
ROLES = {"ops": "U1, S8", "all": "ops, U2"}
PEOPLE = st.sampled_from(
    [
        *(asker(user, standing) for user in ("U1", "U2", "U4", "U9") for standing in AccountStatus),
        asker("U5", groups=["S7"]),
        asker("U5", unknown=["S7", "S8"]),
        asker("0123", service="dingtalk"),
        TERMINAL,
    ]
)
ALLOW = st.sampled_from([(), ("ops",), ("all", "admins"), ("nobody",), ("opps",)])
PLACES = st.sampled_from([OPS, DIRECT])
ENVS = st.sampled_from(["prod", "staging"])


@given(WORDS, WORDS)
def test_every_text_is_a_line_or_is_told_to_be_none(key: str, value: str) -> None:
    with suppress(BadValue):
        assert parse_line(key, value).roles
    with suppress(BadValue):
        assert parse_members(value)


@given(LINES, KEYS, VALUES, PEOPLE, ALLOW, PLACES, ENVS)
def test_a_further_line_only_restricts_where_something_says_who_may(
    lines: dict[str, str], key: str, value: str, who: Asker, allow: tuple[str, ...], where: Conversation, env: str
) -> None:
    before = {"deploy": "members, U4", **lines}
    after = before if key in before else {**before, key: value}
    deploy, asked = command("deploy", APP, ENV, allow=allow, aliases=("ship",)), {"app": "a", "env": env}
    less, more = (permissions(each, roles=ROLES, admins="U4") for each in (before, after))

    was_allowed = decide(less, who, deploy, asked, where).is_allowed

    assert was_allowed or not decide(more, who, deploy, asked, where).is_allowed


@given(LINES, PEOPLE, ALLOW, ENVS)
def test_who_is_not_known_to_be_of_the_workspace_may_nothing(
    lines: dict[str, str], who: Asker, allow: tuple[str, ...], env: str
) -> None:
    given_ = permissions(lines, roles=ROLES, admins="U1, U2, U4", may_use="members, U1, all")
    decision = decide(given_, who, command("deploy", APP, ENV, allow=allow), {"app": "a", "env": env}, OPS)
    nobody = {AccountStatus.BOT, AccountStatus.DISABLED, AccountStatus.STRANGER, AccountStatus.UNKNOWN}

    assert not (decision.is_allowed and who.standing in nobody)
    assert (explain(decision, given_.roles) == "") == decision.is_allowed


@given(LINES, PEOPLE, ALLOW, PLACES, ENVS)
def test_help_shows_what_one_may(
    lines: dict[str, str], who: Asker, allow: tuple[str, ...], where: Conversation, env: str
) -> None:
    """It may show more, where lines exclude each other, and never less."""
    given_ = permissions(lines, roles=ROLES, admins="U4")
    deploy = command("deploy", APP, ENV, allow=allow, aliases=("ship",))
    decision = decide(given_, who, deploy, {"app": "a", "env": env}, where)

    assert may_sometimes(given_, who, deploy, where) or not decision.is_allowed
