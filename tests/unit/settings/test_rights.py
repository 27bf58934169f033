from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.core.commands.permissions import Permissions, decide
from slack_alert.core.commands.roles import person_of
from slack_alert.core.model.asked import Identity
from slack_alert.settings import decode_published, encode_published
from tests.fakes.machine import USER_CONF, Machine
from tests.fakes.rights import APP, ENV, OPS, asker, command

CONF = """\
[roles]
ops = U123, U456, S789          # people, a Slack user group
release = dingtalk:0123, U123
UK = release
[permissions]
deploy = ops                    # where allow= is there too, both must hold
deploy env:prod = release
cancel = ops in #ops
jobs=x = members
[people]
U123 = github:ann, gitee:ann-w, dingtalk:0123
[queues]
deploy = 2
db-jobs = 3
[chat]
admins = U9
prefix = !, ops:
prefix.#deploys =
prefix.C0123 = $
poll = 5s
channels = #ops, C0123
rate = 5
support = #help
may_use = members, ops
cli_role = ops
tags = on
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "cwd").mkdir()
    return Machine(tmp_path / "cwd", tmp_path / "home")


def lines(found: Permissions) -> list[str]:
    return [line.shown for line in found.lines]


def test_the_sections_are_read_as_they_are_written(machine: Machine) -> None:
    machine.write("slack_alert.conf", CONF)

    settings = machine.load().settings

    roles = settings.permissions.roles
    assert {name: [each.shown for each in members] for name, members in roles.named.items()} == {
        "ops": ["U123", "U456", "S789"],
        "release": ["dingtalk:0123", "U123"],
        "UK": ["release"],
    }
    assert [(line.shown, line.where) for line in settings.permissions.lines] == [
        ("deploy = ops", "slack_alert.conf:6"),
        ("deploy env:prod = release", "slack_alert.conf:7"),
        ("cancel = ops in #ops", "slack_alert.conf:8"),
        ("jobs=x = members", "slack_alert.conf:9"),
    ]
    assert [each.shown for each in roles.admins] == ["U9"]
    assert [each.shown for each in settings.permissions.may_use] == ["members", "ops"]
    assert [each.shown for each in roles.cli_role] == ["ops"]
    assert settings.queues == {"deploy": 2, "db-jobs": 3}
    assert (settings.chat_prefix, settings.chat_prefixes) == (("!", "ops:"), {"#deploys": ("",), "C0123": ("$",)})
    assert (settings.chat_poll, settings.chat_channels) == (timedelta(seconds=5), ("#ops", "C0123"))
    assert (settings.chat_rate, settings.chat_support, settings.chat_tags) == (5, "#help", "on")


def test_joined_accounts_are_one_person(machine: Machine) -> None:
    machine.write("slack_alert.conf", CONF)

    roles = machine.load().settings.permissions.roles

    assert person_of(roles, Identity("gitee", "", "ann-w")) == person_of(roles, Identity("slack", "T1", "U123"))


def test_permissions_of_a_file_decide(machine: Machine) -> None:
    machine.write("slack_alert.conf", CONF)
    given = machine.load().settings.permissions
    deploy = command("deploy", APP, ENV)

    assert decide(given, asker("U456"), deploy, {"app": "shop"}, OPS).is_allowed
    assert not decide(given, asker("U456"), deploy, {"app": "shop", "env": "prod"}, OPS).is_allowed
    assert decide(given, asker("U123"), deploy, {"app": "shop", "env": "prod"}, OPS).is_allowed


def test_a_key_ends_at_the_first_equals_sign_with_white_space_around_it(machine: Machine) -> None:
    machine.write("slack_alert.conf", '[permissions]\ndeploy tag:a=b  msg:"x = y" = members\n  in #ops\n')

    # The first such sign is inside the quotes here: it ends the key, and the quote is not closed.
    assert "has a quote that is not closed" in str(machine.fault())


def test_a_value_goes_on_in_indented_lines(machine: Machine) -> None:
    machine.write(
        "slack_alert.conf", "[roles]\nops = U1,\n  U2\n[permissions]\ndeploy   tag:a=b = ops\n  in #ops # here\n"
    )

    found = machine.load().settings.permissions

    assert [each.shown for each in found.roles.named["ops"]] == ["U1", "U2"]
    assert lines(found) == ["deploy tag:a=b = ops in #ops"]


def test_a_stronger_file_decides_each_key_for_itself(machine: Machine) -> None:
    machine.write(
        USER_CONF, "[roles]\nops = U1\nweb = U2\n[permissions]\ndeploy  env:prod = ops\n[chat]\nadmins = ops\n"
    )
    machine.write("slack_alert.conf", "[roles]\nops = U3\n[permissions]\ndeploy env:prod = web\n")

    found = machine.load().settings.permissions

    assert {name: [each.shown for each in members] for name, members in found.roles.named.items()} == {
        "ops": ["U3"],
        "web": ["U2"],
    }
    assert lines(found) == ["deploy env:prod = web"]


def test_every_key_has_a_variable(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[roles]\nop-s = U1\n[permissions]\ndeploy env:prod = op-s\n")

    loaded = machine.load(
        {
            "SLACK_ALERT_ROLES_OP_S": "U7",
            "SLACK_ALERT_ROLES_WEB": "U8",
            "SLACK_ALERT_PERMISSIONS_DEPLOY_ENV_PROD": "web",
            "SLACK_ALERT_PERMISSIONS_PR_MERGE": "members",
            "SLACK_ALERT_PEOPLE_U8": "github:bob",
            "SLACK_ALERT_QUEUES_DEPLOY": "4",
            "SLACK_ALERT_CHAT_ADMINS": "U9",
            "SLACK_ALERT_CHAT_PREFIX_DEPLOYS": "''",
        }
    )

    found = loaded.settings.permissions
    assert loaded.warnings == ()
    assert {name: [each.shown for each in members] for name, members in found.roles.named.items()} == {
        "op-s": ["U7"],
        "web": ["U8"],
    }
    assert [(line.shown, line.where) for line in found.lines] == [
        ("deploy env:prod = web", "SLACK_ALERT_PERMISSIONS_DEPLOY_ENV_PROD"),
        ("pr merge = members", "SLACK_ALERT_PERMISSIONS_PR_MERGE"),
    ]
    assert found.roles.people["github:bob"] == ("slack:U8", "github:bob")
    assert loaded.settings.queues == {"deploy": 4}
    assert loaded.settings.chat_prefixes == {"#deploys": ("",)}


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ("[roles]\nops = U1\n[permissions]\ndeploy = opps", "4: deploy: there is no role opps. Did you mean ops?"),
        ("[roles]\nops = opss", "2: ops: there is no role opss. Did you mean ops?"),
        ("[chat]\nadmins = root", "2: admins: there is no role root. Roles: members, admins, nobody."),
        ("[chat]\nmay_use = everybody", "2: may_use: there is no role everybody."),
        ("[chat]\ncli_role = admin", "2: cli_role: there is no role admin. Did you mean admins?"),
        ("[chat]\ncli_role = U123", "2: cli_role: U123 is not a role, and users of this machine have no"),
        ("[roles]\nops = @ann", "2: ops: '@ann' is a name, which people change. Write the id, such as U123"),
        ("[roles]\nops =", "2: ops: the value is empty. Write who it is, or nobody, or take the line out."),
        ("[roles]\nops = ''", "2: ops: the value is empty."),
        ("[permissions]\ndeploy =", "2: deploy: the value is empty."),
        ("[people]\nU1 =", "2: U1: the value is empty."),
        ("[queues]\ndeploy =", "2: deploy: the value is empty. Write a value such as 1, or take the line out."),
        ("[queues]\ndeploy = 0", "2: deploy: '0' is not a whole number from 1 to 1000."),
        ("[queues]\ndeploy = many", "2: deploy: 'many' is not a whole number from 1 to 1000."),
        ("[roles]\nmembers = U1", "2: members: members is there already. Give it another name."),
        ("[roles]\nadmins = U1", "2: admins: admins is there already. Set admins in [chat]."),
        ("[roles]\nU123 = U1", "2: U123: U123 is an id, not a role."),
        ("[roles]\na = b\nb = a", "2: a: the role is within itself: a > b > a."),
        ("[roles]\na = admins\n[chat]\nadmins = a", "2: a: the role is within itself: a > admins > a."),
        ("[roles]\nops = U1\nops = U2", "3: ops is set twice, here and in line 2. Keep one of the two."),
        ("[permissions]\ndeploy  a:1 = members\ndeploy a:1 = members", "3: deploy a:1 is set twice, here and in"),
        (
            "[permissions]\ndeploy a:1 b:2 = members\nDeploy b:2 a:1 = admins",
            "3: Deploy b:2 a:1: it is about the same as `deploy a:1 b:2 = members` (slack_alert.conf:2)."
        ),
        ("[permissions]\ndeploy=members", "2: The = has no white space around it. Write `key = ...`"),
        ("[permissions]\nenv:prod = members", "2: env:prod: 'env:prod' does not begin with the words of a command."),
        ("[permissions]\ndeploy = members in", "2: deploy: 'members in' names no channel behind `in`."),
        ("[permissions]\ndeploy = members in #a!", "2: deploy: '#a!' is not one channel."),
        ("[people]\nann = github:ann", "2: ann: 'ann' is not the account of a person."),
        ("[people]\nU1 = github:ann\nU2 = github:ann", "3: U2: github:ann belongs to somebody else already"),
        ("[people]\nU1 = cli:ann", "2: U1: 'cli:ann': the terminal and the HTTP API have roles of their own."),
        ("[people]\nU1 = githb:ann", "2: U1: 'githb:ann': there is no service 'githb'. Did you mean github?"),
        ("[chat]\nadmin = U1", "2: admin is not a key of [chat]. Did you mean admins?"),
        ("[chat]\nprefix =", "2: prefix: the value is empty. Write a value such as !, or take the line out."),
        ("[chat]\nprefix.#a! = x", "2: The line is neither a section, a comment nor `key = value`."),
        ("[chat]\npoll = 0", "2: poll: '0' is too short. Write 1s or more."),
        ("[chat]\ntags = yes", "2: tags: 'yes' is not known. Allowed: off, on."),
        ("[chat]\nchannels = #a!", "2: channels: '#a!' is not one channel."),
        ("[role]\nops = U1", "1: [role] is not a section. Did you mean roles?"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_stops_the_start_with_its_line(conf: str, said: str, machine: Machine) -> None:
    machine.write("slack_alert.conf", f"{conf}\n")

    assert f"slack_alert.conf:{said}" in str(machine.fault())


def test_of_a_circle_one_role_is_told(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[roles]\nb = c\nc = a\na = b\n")

    assert "Also wrong" not in str(machine.fault())


def test_a_variable_that_cannot_be_used_is_named(machine: Machine) -> None:
    assert str(machine.fault({"SLACK_ALERT_ROLES_OPS": "@ann"})).startswith("SLACK_ALERT_ROLES_OPS: '@ann' is a name")


def test_who_may_is_not_published_to_commands_beside_the_program(machine: Machine) -> None:
    """They read it themselves, so that nothing clashes with roles that only one of them has."""
    machine.write("slack_alert.conf", CONF)

    published = decode_published(encode_published(machine.load(), "slack"))

    assert published is not None
    assert {name for name in published.texts if name.startswith("chat_")} == {
        "chat_prefix", "chat_poll", "chat_channels", "chat_rate", "chat_support", "chat_tags",
    }  # fmt: skip


@pytest.mark.slow
def test_a_configuration_without_commands_costs_no_import(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom slack_alert.settings import load_settings\n"
        f"load_settings({{}}, {{}}, cwd=pathlib.Path({str(tmp_path)!r}), home=None)\n"
        "late = ('commands.permissions', 'commands.roles', 'settings.rights')\n"
        "print([name for name in sys.modules if name.endswith(late)])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"
