from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from unicodedata import category
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.commands.arguments import canonical, parse_arguments, text_of
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.schedule_words import split_time
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.commands.suggestions import commands_by_words, find_command
from slack_alert.core.commands.words import QuotedWord, quote_word, split_line
from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import Action, Arguments

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)
#: What a person can have written: neither refused nor left out.
LEGIBLE = st.characters(
    exclude_categories=["Cc", "Cs"],
    exclude_characters="\u00ad\u200b\u2060\ufeff\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)
TRICKY = st.sampled_from(
    [*"\"'`\\-=<>&|@#!$(){};*?~,.:/ \t\n", "“", "”", "„", "«", "»", "&amp;", "<@U1>", "——", "＝", "　"]
)
VALUES = st.lists(LEGIBLE | TRICKY, max_size=12).map("".join)
ARBITRARY = st.lists(st.characters() | TRICKY, max_size=30).map("".join)
#: Everything that makes two words of one, or another meaning of one, somewhere: none may.
INJECTED = [
    "`id`",
    "$(id)",
    "; rm -rf /",
    "a && b",
    "a | b",
    "a\nb",
    "'",
    '"',
    "-x",
    "--",
    "--env=prod",
    "../x",
    "*",
    "~",
    "env=prod",
]


@given(VALUES)
def test_a_quoted_value_is_read_as_it_is(value: str) -> None:
    assert split_line(f"say {quote_word(value)} now") == ["say", value, "now"]


@given(ARBITRARY)
def test_any_line_is_words_or_a_sentence_about_it(line: str) -> None:
    try:
        words = split_line(line)
    except BadValue:
        words = []
    else:
        assert all(category(character) != "Cc" or character in "\t\n" for word in words for character in word)
        assert all(isinstance(word, QuotedWord) or not any(map(str.isspace, word)) or "=" in word for word in words)


def parameters() -> st.SearchStrategy[tuple[Parameter, ...]]:
    return st.lists(st.tuples(st.sampled_from(ValueKind), st.booleans(), st.booleans(), st.booleans()), max_size=4).map(
        lambda kinds: (
            *(
                Parameter(f"p_{place}", kind, ("a", "b c", 3) if kind is ValueKind.CHOICE else (), is_list=is_list,
                          is_required=is_required, is_named=is_named, takes_dash=True)
                for place, (kind, is_list, is_required, is_named) in enumerate(kinds)
            ),
        )
    )  # fmt: skip


SINGLE: dict[ValueKind, st.SearchStrategy[object]] = {
    ValueKind.TEXT: VALUES,
    ValueKind.WHOLE: st.integers(-(2**63) + 1, 2**63 - 1),
    ValueKind.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    ValueKind.FLAG: st.booleans(),
    ValueKind.CHOICE: st.sampled_from(["a", "b c", 3]),
    ValueKind.DATETIME: st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - the zone follows
        lambda wall: wall.replace(tzinfo=timezone.utc).astimezone(BERLIN)
    ),
    ValueKind.DATE: st.dates(date(1980, 1, 1), date(2100, 1, 1)),
    ValueKind.DURATION: st.timedeltas(timedelta(), timedelta(days=3000)),
    ValueKind.PATH: st.lists(st.sampled_from("abé -"), min_size=1).map("".join).map(Path),
}


@given(st.data(), parameters(), st.lists(VALUES, max_size=3), st.booleans())
def test_the_exact_command_is_read_as_the_same_arguments(
    data: st.DataObject, signature: tuple[Parameter, ...], rest: list[str], has_rest: bool
) -> None:
    values: dict[str, object] = {}
    for parameter in signature:
        if parameter.is_required or data.draw(st.booleans()):
            one = SINGLE[parameter.kind]
            values[parameter.name] = data.draw(st.lists(one, min_size=1, max_size=3) if parameter.is_list else one)
    if has_rest and all(parameter.name in values for parameter in signature):
        variadic = Parameter("rest", is_list=True, is_variadic=True, is_required=False, takes_dash=True)
        signature = (*signature, variadic)
    else:
        rest = []
    arguments = Arguments(values, tuple(rest))
    command = Command("x.put", Action("x.put", "x.py", 1), words="put it", parameters=signature)

    line = canonical(command, arguments)
    words, at = split_time(split_line(line), zone=BERLIN, now=NOW)
    found, after = find_command(words, commands_by_words([command]))

    assert (found, at) == (command, None)
    assert parse_arguments(after, signature, zone=BERLIN, now=NOW) == arguments


@given(st.sampled_from(INJECTED), st.sampled_from(INJECTED))
def test_whatever_a_person_types_stays_one_argument(first: str, second: str) -> None:
    signature = (Parameter("a"), Parameter("env", is_required=False), Parameter("b", is_named=True, is_required=False))
    try:
        found = parse_arguments([QuotedWord(first), QuotedWord(second)], signature, zone=BERLIN, now=NOW)
    except BadValue:
        assert first.startswith("-") or second.startswith("-")
    else:
        assert found.values == {"a": first, "env": second}


@given(st.timedeltas(timedelta(), timedelta(days=30)))
def test_durations_are_written_as_they_are_read(duration: timedelta) -> None:
    parameter = Parameter("p", ValueKind.DURATION)

    assert parse_arguments([text_of(duration)], [parameter], zone=BERLIN, now=NOW).values == {"p": duration}
