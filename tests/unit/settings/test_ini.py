from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.errors import SettingsError
from slack_alert.settings.ini import ConfFile, read_conf, without_comment

KEEP_ONE = "Keep one of the two (dashes and underscores are the same)."
NO_SETTING = "The line is neither a section, a comment nor `key = value`."
OR_COMMENT = ", or begin the line with # to make it a comment."


def read(tmp_path: Path, text: str | bytes) -> ConfFile:
    file = tmp_path / "x.conf"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_conf(file, "x.conf", posix=True)


def values_of(conf: ConfFile) -> dict[str, str]:
    return {entry.key: entry.value for entry in conf.entries}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("channel = test", "test"),
        ("channel=test", "test"),
        ("channel = test  # where to", "test"),
        ("channel = test\t#\twhere to", "test"),
        ("channel = test #", "test"),
        ("channel = #ops", "#ops"),
        ("channel = #ops # where to", "#ops"),
        ("channel = # where to", ""),
        ("channel = test #where", "test #where"),
        ("channel = test# where", "test# where"),
        ("channel = a; b ; c", "a; b ; c"),
        ("channel = a = b", "a = b"),
        ("channel = a: b", "a: b"),
        ("channel = 100% of %(it)s", "100% of %(it)s"),
        ("channel = ${it}", "${it}"),
        ("channel = ''", ""),
        ('channel = ""', ""),
        ("channel = ':fire:'", ":fire:"),
        ("channel = ' a '   # kept apart", " a "),
        ("channel = 'a # b'", "a # b"),
        ("channel = 'it's'", "it's"),
        ("channel = Bob's", "Bob's"),
        ("channel =", ""),
        ("CHANNEL = test", "test"),
        ("   channel = test", "test"),
    ],
)
def test_a_value_is_what_is_left_without_comment_and_quotes(written: str, value: str, tmp_path: Path) -> None:
    assert values_of(read(tmp_path, f"[slack]\n{written}\n")) == {"channel": value}


@pytest.mark.parametrize("line", ["# channel = a", "; channel = a", "   # channel = a", "\t;channel = a", "", "   "])
def test_a_line_that_begins_with_a_comment_sign_says_nothing(line: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"[slack]\n{line}\n").entries == ()


def test_dashes_in_names_equal_underscores(tmp_path: Path) -> None:
    assert values_of(read(tmp_path, "[slack]\nmax-alert = 4\n")) == {"max_alert": "4"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_key_knows_its_line(end: str, tmp_path: Path) -> None:
    lines = [
        "# top",
        "",
        "[slack]  # here",
        "channel = a",
        "working_hours =",
        "  mon 9:00-10:00;",
        "  # why",
        "  tue 9:00-10:00",
    ]
    conf = read(tmp_path, end.join([*lines, "", "burst = 2", "token = x", ""]))

    assert [(entry.key, entry.line) for entry in conf.entries] == [
        ("channel", 4),
        ("working_hours", 5),
        ("burst", 10),
        ("token", 11),
    ]
    assert conf.sections == (("slack", 3),)


def test_an_indented_line_continues_the_value_above(tmp_path: Path) -> None:
    conf = read(tmp_path, "[slack]\nmarkers = deco,  # ours\n  alert\n\tnotify # old\n")

    assert values_of(conf) == {"markers": "deco, alert notify"}


def test_an_indented_key_is_never_swallowed_by_the_value_above(tmp_path: Path) -> None:
    assert values_of(read(tmp_path, "[slack]\nchannel = a\n  burst = 2\n")) == {"channel": "a", "burst": "2"}


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    assert values_of(read(tmp_path, b"\xef\xbb\xbf[slack]\nusername = \xc3\xa9\n")) == {"username": "é"}


def test_a_quote_that_is_not_closed_is_told(tmp_path: Path) -> None:
    conf = read(tmp_path, "[slack]\nusername = 'slack\nicon_emoji = ':fire:'\n")

    assert values_of(conf)["username"] == "'slack"
    assert conf.warnings == ("x.conf:2: username begins with a quote that is not closed; it is part of the value.",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("channel = a\n", "x.conf:1: There is no section above channel. Put the line [slack] above it."),
        ("[slack\n", "x.conf:1: The line begins with [ but is no section. Write [slack] on its own."),
        (
            "[slack]\n\nburst = 1\nburst = 2\n",
            f"x.conf:4: burst is set twice, here and in line 3. {KEEP_ONE}",
        ),
        (
            "[slack]\nmax_alert = 1\nmax-alert = 2\n",
            f"x.conf:3: max_alert is set twice, here and in line 2. {KEEP_ONE}",
        ),
        (
            "[slack]\na = 1\n[slack]\na = 2\n",
            f"x.conf:4: a is set twice, here and in line 2. {KEEP_ONE}",
        ),
        (
            "[slack]\nhunter2\n",
            f"x.conf:2: {NO_SETTING} Write `key = ...`{OR_COMMENT}",
        ),
        (
            "[slack]\ntoken: hunter2\n",
            f"x.conf:2: {NO_SETTING} Write `token = ...`{OR_COMMENT}",
        ),
        (
            "[slack]\nburst = 2\n\n  3\n",
            f"x.conf:4: {NO_SETTING} Write `key = ...`{OR_COMMENT}",
        ),
        (b"[slack]\r\ntoken = x\r\nusername = \xe9\r\n", "x.conf:3: Byte 0xe9 is not UTF-8. Save the file as UTF-8."),
        ("[slack]\n".encode("utf-16-le"), "x.conf: The file is not text. Save the file as UTF-8."),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        read(tmp_path, text)

    assert str(raised.value) == said
    assert raised.value.__cause__ is None


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^x.conf: The file cannot be read \(Is a directory\)\. "):
        read_conf(tmp_path, "x.conf", posix=True)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_a_quoted_value_survives_whatever_it_holds(text: str) -> None:
    quote = "'" if '"' in text else '"'
    if quote not in text:
        assert without_comment(f" {quote}{text}{quote}  # comment") == text
