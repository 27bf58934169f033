"""Document the keys: the commented configuration file, and the rows of the reference page."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from slack_alert.core.structs import Struct
from slack_alert.settings.keys import KEYS, Key


class FreeSection(Struct, frozen=True):
    """A section whose keys are names chosen by people; the section is a field of Settings."""

    name: str
    meaning: str
    example: str
    value: str


FREE: tuple[FreeSection, ...] = (
    FreeSection(
        "quiet",
        "Times in which jobs run and nothing is said, each under a name of yours: mon-fri 22:00-06:00 every week, "
        "2026-12-24 or 2026-12-24..2026-12-26 for days, 2026-12-24 10:00-12:00; a semicolon between several. What was "
        "withheld is told in one message when it ends.",
        "maintenance",
        "sat 02:00-04:00; 2026-12-24",
    ),
    FreeSection(
        "roles",
        "Who is in a role of yours, by ids and never by names: people (U123, dingtalk:0123), user groups of Slack "
        "(S789), other roles. There are besides: members, admins, nobody.",
        "ops",
        "U123, S789",
    ),
    FreeSection(
        "permissions",
        "Who may run a command, or a command with such an argument (a value, or a glob as in env:pr*), perhaps in some "
        "channels only. All lines that match must hold; admins satisfy each.",
        "deploy env:prod",
        "admins in #ops",
    ),
    FreeSection(
        "people",
        "Accounts that belong to one person.",
        "U123",
        "github:ann, dingtalk:0123",
    ),
    FreeSection(
        "channels",
        "Further channels, each under a name of yours and with an address of apprise (extra `apprise`); "
        'a message goes there with to="pager:".',
        "pager",
        "mailto://user:password@example.com",
    ),
    FreeSection(
        "queues",
        "How many runs of a queue may go on at once; one, where it is not said.",
        "deploy",
        "2",
    ),
)

SECTIONS = tuple(dict.fromkeys([*(key.section for key in KEYS), *(free.name for free in FREE)]))


class ReferenceRow(Struct, frozen=True):
    """A row of the table of keys."""

    key: str
    section: str
    default: str
    flag: str
    variable: str
    meaning: str


def reference() -> tuple[ReferenceRow, ...]:
    """Return a row for each key, in the order of the table of keys."""
    return tuple(
        ReferenceRow(key.written, key.section, key.default or key.unset, key.flag or "", key.variable, key.meaning)
        for key in KEYS
    )


def render_conf() -> str:
    """Return the text of a slack_alert.conf with all keys commented out."""
    lines = [*_PREFACE]
    for section in SECTIONS:
        lines += ["", f"[{section}]"]
        for key in KEYS:
            if key.section == section:
                lines += _key_lines(key)
        for free in FREE:
            if free.name == section:
                lines += ["", *_comment_lines(free.meaning), f"#{free.example} = {free.value}"]
    return "\n".join([*lines, *_COMMAND_EXAMPLE]) + "\n"


_PREFACE = (
    "# Every setting of slack-alert with its default. Take away the # at the beginning of a line to set one.",
    "#",
    "# Stronger than this file: the command line, then the environment (channel is SLACK_ALERT_CHANNEL).",
    "# A line that begins with # or ; is a comment; within a line a comment is white space, #, white space.",
    "# Quotes around a value are taken off; dashes in names equal underscores.",
)

_COMMAND_EXAMPLE = (
    "",
    "# A command that people write in the chat, and the program that it runs: words with parameters in them, never a",
    "# shell. `name?` may be left out, `a|b` are the allowed values, `*rest` takes all words that are left.",
    "# [command.deploy]",
    "# run = ./deploy.sh {app} {env} {version}",
    "# params = app, env: staging|prod = staging, version?",
    "# allow = ops",
    "# queue = deploy",
    "# lock = {env}",
    "# cwd = .",
    "# timeout = 10m",
    "# help = Put a version of an application into an environment.",
)

_WIDTH = 100


def _key_lines(key: Key) -> Iterator[str]:
    yield ""
    default = "" if key.default else f" Default: {key.unset}."
    yield from _comment_lines(key.meaning + default)
    if key.kind == "secret":
        yield f"# Better kept in a file of its own: {key.written}_file = /run/secrets/{key.name}"
    yield f"#{key.written} = {key.default or key.example}"


def _comment_lines(meaning: str) -> Iterator[str]:
    yield from (f"# {line}" for line in wrap(meaning, _WIDTH, break_on_hyphens=False))
