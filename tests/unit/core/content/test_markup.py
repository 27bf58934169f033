from __future__ import annotations

import json

import pytest

from slack_alert.core.content.markup import MAX_LINK, Markup, plain, unformatted, visible
from slack_alert.core.errors import BadValue

MARK = Markup("8842")
#: What somebody could write who knows how a mark is made, but not the nonce.
FORGED = Markup("8841").mention("channel")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("up", "up"),
        ("a & b", "a &amp; b"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("&amp;", "&amp;amp;"),
        ("*bold* _stays_", "*bold* _stays_"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb", "a\nb"),
        ("50\r51", "50\ufffd51"),
        ("\x00\x1b[31m\x7f\x85", "\ufffd\ufffd[31m\ufffd\ufffd"),
        ("\ud800 and \udfff", "\ufffd and \ufffd"),
        ("数据库 🚨", "数据库 🚨"),
    ],
)
def test_everything_a_plugin_writes_is_escaped(text: str, canonical: str) -> None:
    assert canonical == MARK.escape(text)


@pytest.mark.parametrize(
    ("who", "raw"),
    [
        ("U0ANN", "<@U0ANN>"),
        ("@W012345", "<@W012345>"),
        ("@ann", "<@ann>"),
        ("ann.lee-x", "<@ann.lee-x>"),
        ("张伟", "<@张伟>"),
        ("@CHARLIE", "<@CHARLIE>"),
        ("here", "<!here>"),
        ("@channel", "<!channel>"),
        ("!everyone", "<!everyone>"),
        ("S0ONCALL", "<!subteam^S0ONCALL>"),
        ("C0123", "<#C0123>"),
        ("#C0123", "<#C0123>"),
    ],
)
def test_a_mention_calls(who: str, raw: str) -> None:
    assert f"ask {raw}!" == MARK.escape(f"ask {MARK.mention(who)}!")


@pytest.mark.parametrize("who", ["", "@", "ann lee", "ann>", "a|b", "a&b", "a\nb", "x" * 81])
def test_a_mention_of_nobody_says_what_to_write(who: str) -> None:
    with pytest.raises(BadValue, match=r"give a person \('@ann', 'U0123'\)"):
        MARK.mention(who)


@pytest.mark.parametrize(
    ("url", "text", "raw"),
    [
        ("https://x.org/a", "text", "<https://x.org/a|text>"),
        ("https://x.org/a", "", "<https://x.org/a>"),
        ("HTTP://x.org", "t", "<HTTP://x.org|t>"),
        ("mailto:a@x.org", "Ann", "<mailto:a@x.org|Ann>"),
        ("https://x.org/?a=1&b=2", "a & b", "<https://x.org/?a=1&amp;b=2|a &amp; b>"),
        ("https://x.org/<a>|b c", "<a|b>", "<https://x.org/%3Ca%3E%7Cb%20c|&lt;a¦b&gt;>"),
        ("https://x.org/数据", "two\nlines", "<https://x.org/数据|two lines>"),
    ],
)
def test_a_link_is_safe_whatever_it_is_made_of(url: str, text: str, raw: str) -> None:
    assert raw == MARK.escape(MARK.link(url, text))


@pytest.mark.parametrize("url", ["", "x.org", "javascript:alert(1)", "file:///etc/passwd", "ftp://x.org", "https:// x"])
def test_a_link_leads_to_the_web_or_to_mail_only(url: str) -> None:
    with pytest.raises(BadValue, match="begin it with 'https://'"):
        MARK.link(url, "text")


def test_a_link_within_a_links_text_is_only_its_words() -> None:
    assert MARK.escape(MARK.link("https://x.org", f"for {MARK.mention('ann')}")) == "<https://x.org|for @ann>"


def test_an_address_too_long_for_a_link_stays_text() -> None:
    url = "https://x.org/" + "a" * MAX_LINK

    assert f"logs {url}" == MARK.escape(MARK.link(url, "logs"))


def test_a_mention_survives_what_is_done_to_strings() -> None:
    said = "\n".join([f"{MARK.mention('ann'):>40}".strip(), MARK.mention("U0BOB") + "<", f"x {MARK.mention('here')}"])

    assert MARK.escape(said) == "<@ann>\n<@U0BOB>&lt;\nx <!here>"


def test_a_mention_survives_repr_and_json() -> None:
    who = MARK.mention("ann")

    assert MARK.escape(str([who])) == "['<@ann>']"
    assert MARK.escape(json.dumps({"a": who})) == '{"a": "<@ann>"}'


def test_a_forged_mention_is_plain_text() -> None:
    assert MARK.escape(f"{FORGED} <b>") == "8841!channel &lt;b&gt;"
    assert MARK.escape(f"{FORGED} {MARK.mention('ann')}") == "8841!channel <@ann>"


def test_a_mention_that_was_cut_apart_shows_no_nonce() -> None:
    assert MARK.escape(f"ask {MARK.mention('U0ANN')}"[:14]) == "ask @U0A"


def test_a_mark_whose_inside_was_tampered_with_is_plain_text() -> None:
    assert MARK.escape(MARK.mention("ann").replace("@ann", "<!channel>")) == "&lt;!channel&gt;"


def test_slacks_own_text_is_not_escaped_but_gets_the_mentions() -> None:
    assert MARK.reveal(f"<!here> *a* & {MARK.mention('ann')} \x00{FORGED}") == "<!here> *a* & <@ann> \ufffd8841!channel"


@pytest.mark.parametrize("nonce", ["", "a b", "a.*", "é"])
def test_a_nonce_is_letters_and_digits(nonce: str) -> None:
    with pytest.raises(BadValue, match="A nonce is ASCII letters and digits"):
        Markup(nonce)


@pytest.mark.parametrize(
    ("canonical", "in_terminal", "in_slack"),
    [
        ("a &amp;lt; b", "a &lt; b", "a &lt; b"),
        ("&lt;!here&gt;", "<!here>", "<!here>"),
        ("<@U1>", "@U1", "@U1"),
        ("<@U1|ann>", "@ann", "@ann"),
        ("<!here>", "@here", "@here"),
        ("<!subteam^S1>", "@S1", "@S1"),
        ("<!subteam^S1|@ops>", "@ops", "@ops"),
        ("<!date^1^{date}|noon>", "noon", "noon"),
        ("<#C1>", "#C1", "#C1"),
        ("<#C1|ops>", "#ops", "#ops"),
        ("<https://x.org|text>", "text (https://x.org)", "text"),
        ("<https://x.org>", "https://x.org", "https://x.org"),
        ("<https://x.org/?a&amp;b|a&lt;b>", "a<b (https://x.org/?a&b)", "a<b"),
        ("<mailto:a@x.org|a@x.org>", "a@x.org", "a@x.org"),
    ],
)
def test_markup_is_read_back(canonical: str, in_terminal: str, in_slack: str) -> None:
    assert (in_terminal, in_slack) == (plain(canonical), visible(canonical))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* _slanted_ ~struck~", "∗bold∗ ˍslantedˍ ∼struck∼"),
        ("say `rm -rf`", "say ˋrm -rfˋ"),
        ("*_both_*", "∗ˍbothˍ∗"),
        ("**/*.log ~/.profile", "∗∗/∗.log ∼/.profile"),
        ("__init__", "ˍˍinitˍˍ"),
        ("> quoted\n> twice, 2 > 1", "＞ quoted\n＞ twice, 2 > 1"),
        ("well :tada: and :+1: and :white_check_mark:", "well ꞉tada: and ꞉+1: and ꞉white_check_mark:"),
        ("*", "∗"),
    ],
)
def test_plain_text_holds_no_sign_that_slack_formats(text: str, shown: str) -> None:
    assert shown == unformatted(text)


@pytest.mark.parametrize(
    "text", ["", "snake_case_name", "2 * 3 ~ 6", "2*3*4", "12:30:45", "a: b", "https://example.org/a_b", "数_据"]
)
def test_plain_text_keeps_signs_that_format_nothing(text: str) -> None:
    assert text == unformatted(text)
