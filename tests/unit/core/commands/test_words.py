from __future__ import annotations

import pytest

from slack_alert.core.commands.words import LONGEST, QuotedWord, parse_command_words, quote_word, split_line
from slack_alert.core.errors import BadValue


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  deploy   shop\tprod ", ["deploy", "shop", "prod"]),
        ("deploy\u00a0shop\u3000prod\u2003now", ["deploy", "shop", "prod", "now"]),
        ('say "a b" \'c d\'', ["say", "a b", "c d"]),
        ("say “a b” ‘c d’ „e f“ ‚g h‘ „i j”", ["say", "a b", "c d", "e f", "g h", "i j"]),
        ("say «a b» ‹c d› 「e f」 『g h』 »i j«", ["say", "a b", "c d", "e f", "g h", "i j"]),
        ("say ＂a b＂ ＇c d＇", ["say", "a b", "c d"]),
        ("say don't 5\" O’Brien x«y»", ["say", "don't", '5"', "O’Brien", "x«y»"]),
        ("say 'don't do it' ‘it’s so’", ["say", "don't do it", "it’s so"]),
        ("say »quoted ’tis ”", ["say", "»quoted", "’tis", "”"]),
        ('env="a b" --app=“c d” x=\'e f\'', ["env=a b", "--app=c d", "x=e f"]),
        (r'"a \"b\" c" "C:\new\x" "\\srv\a" "end\\"', ['a "b" c', r"C:\new\x", r"\\srv\a", "end\\"]),
        (r"C:\new\x a\ b", [r"C:\new\x", "a\\", "b"]),
        ("\"\" ''", ["", ""]),
        ('"a\nb"', ["a\nb"]),
        ("ｄｅｐｌｏｙ　ｓｈｏｐ　１．４．２　－－ｅｎｖ＝ｐｒｏｄ", ["deploy", "shop", "1.4.2", "--env=prod"]),
        ("１８：００ ａ，ｂ 你好！ 重要：是 环境＝ｐｒｏｄ", ["18:00", "a,b", "你好！", "重要：是", "环境=prod"]),
        ('"ｄ１！"', ["ｄ１！"]),
        ("—flag –flag ——flag ―flag —-flag", ["--flag"] * 5),
        ("−5 –5 ‑x — – - --", ["-5", "-5", "-x", "—", "–", "-", "--"]),
        ("a—b x–y", ["a—b", "x–y"]),
        ("<@U123> <@W9|ann> <#C123|ops> <!subteam^S1|@devs> <!here> <!channel|channel>",
         ["U123", "W9", "C123", "S1", "@here", "@channel"]),
        ("<https://x.y/?a=1&amp;b=2|the page> <http://z> <mailto:a@b.c|a@b.c> <tel:1234|12 34>",
         ["https://x.y/?a=1&b=2", "http://z", "a@b.c", "1234"]),
        ("<!date^1^{date}|today> a&lt;b&gt;&amp;c &amp;lt; AT&T x<y>z", ["today", "a<b>&c", "&lt;", "AT&T", "x<y>z"]),
        ('"<@U123|ann> &amp; me"', ["U123 & me"]),
        ("`deploy` `a b` `—force` y`z` `x", ["deploy", "a b", "--force", "y`z`", "`x"]),
        ("note ```a\n  b``` now", ["note", "a\n  b", "now"]),
        ("a\u200bb \ufeffc \u00add", ["ab", "c", "d"]),
        ("`id` $(id) ; rm -rf / && x | y > z", ["id", "$(id)", ";", "rm", "-rf", "/", "&&", "x", "|", "y", ">", "z"]),
        ("😀 👩\u200d🚀", ["😀", "👩\u200d🚀"]),
    ],
)  # fmt: skip
def test_a_line_is_split_into_the_words_that_were_meant(line: str, words: list[str]) -> None:
    assert split_line(line) == words


def test_words_in_quotes_are_known_as_such_and_code_is_no_quote() -> None:
    words = split_line('say "a" “b” \'c\' `--d` `e f` g "h"i')

    assert [type(word) for word in words] == [
        str, QuotedWord, QuotedWord, QuotedWord, str, QuotedWord, str, QuotedWord,
    ]  # fmt: skip


@pytest.mark.parametrize("line", ['"abc', "'abc", "“abc", "„abc", "«abc", "‘abc", 'x="abc', r'"abc\"', 'a "b" "'])
def test_a_quote_that_is_never_closed_is_said_without_what_follows_it(line: str) -> None:
    with pytest.raises(BadValue, match=r"^The quote . is never closed\.$") as raised:
        split_line(line)

    assert raised.value.hint == "Close it, or take it out."


@pytest.mark.parametrize(
    "character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\x1c", "\x0b", "\u202e", "\u2066", "\u200f", "\ud800"]
)
@pytest.mark.parametrize("line", ["deploy a{}b", 'deploy "a{}b"', "deploy env=a{}"])
def test_control_characters_are_refused_in_quotes_too(line: str, character: str) -> None:
    with pytest.raises(BadValue, match="control character") as raised:
        split_line(line.format(character))

    assert character not in str(raised.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029"])
def test_a_command_is_one_line_because_the_rest_could_change_what_it_means(end: str) -> None:
    assert split_line(f"deploy shop{end}") == ["deploy", "shop"]
    with pytest.raises(BadValue, match="A command is one line"):
        split_line(f"deploy shop{end}prod")


def test_a_line_has_a_length() -> None:
    with pytest.raises(BadValue, match="16,001 characters"):
        split_line("a" * (LONGEST + 1))

    assert len(split_line("» " * (LONGEST // 2))) == LONGEST // 2


@pytest.mark.parametrize(("value", "written"), [("shop", "shop"), ("1.4.2", "1.4.2"), ("a b", '"a b"'), ("-x", '"-x"'),
    ("a=b", '"a=b"'), ("at", '"at"'), ("", '""'), ("<@U1>", '"&lt;@U1>"'), ("é", '"é"')])  # fmt: skip
def test_a_value_is_quoted_only_where_it_must_be(value: str, written: str) -> None:
    assert quote_word(value) == written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" /Deploy ", "Deploy"),
        ("pr  merge", "pr merge"),
        ("./deploy.sh", "./deploy.sh"),
        ("部署", "部署"),
        ("cafe\u0301", "café"),
    ],
)
def test_the_words_of_a_command_are_brought_into_one_form(text: str, words: str) -> None:
    assert parse_command_words(text, "") == words


@pytest.mark.parametrize("text", ["", "/", "-x", "a -x", "a=b", '"a"', ".", "a\0", "pr: merge"])
def test_words_that_could_not_be_told_from_something_else_are_refused(text: str) -> None:
    with pytest.raises(BadValue, match="cannot be a word of a command"):
        parse_command_words(text, "")


@pytest.mark.parametrize("word", ["{app}", "<app>", "[app]", "$app", ":app", "app=", "*apps", "(app)", "{app} {env}"])
def test_who_writes_parameters_among_the_words_is_told_where_they_come_from(word: str) -> None:
    with pytest.raises(BadValue) as raised:
        parse_command_words(f"pr merge {word}", "they come from there")

    assert raised.value.hint == 'Write the words alone, "pr merge": they come from there.'
