from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.content.markup import Markup, plain
from slack_alert.core.content.render import Text, deliverable, pieces, split, with_notice
from slack_alert.core.content.tables import cut, display_width

MARK = Markup("0123456789")
NOTICE = "3 alerts: paused for 60 min, until 14:32"

anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
whos = st.sampled_from(["ann", "U0ANN", "here", "S0OPS", "C0123"])
marked = st.one_of(
    anything,
    whos.map(MARK.mention),
    st.builds(MARK.link, st.sampled_from(["https://x.org/a?b&c", "mailto:a@x.org"]), anything),
)
said = st.lists(marked, max_size=12).map("".join)
fenced = st.lists(st.sampled_from(["```\n", "word ", "\n", "`", "&amp;", "<@U0ANN>", "line of text\n"]), max_size=80)
limits = st.integers(min_value=40, max_value=90)
nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(anything, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)
RAW = re.compile(r"<(?:@|!|#|https://|mailto:)[^<>]*>")
UNSENDABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdd2]")


def is_canonical(text: str) -> bool:
    rest = RAW.sub("", text)
    return not re.search(r"[<>]|&(?!amp;|lt;|gt;)", rest) and not UNSENDABLE.search(text)


@given(anything)
def test_nothing_a_stranger_writes_becomes_markup(text: str) -> None:
    canonical = MARK.escape(text)

    assert not RAW.search(canonical)
    assert is_canonical(canonical)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufdd0\ufdd1\ufdd2")))
def test_a_terminal_shows_what_was_written(text: str) -> None:
    assert text == plain(MARK.escape(text))


@given(said)
def test_escaped_text_is_canonical_and_keeps_every_mark(text: str) -> None:
    canonical = MARK.escape(text)

    assert is_canonical(canonical)
    assert text.count("\ufdd00123456789\ufdd1") == len(RAW.findall(canonical))
    assert MARK.nonce not in canonical


@given(said, limits)
def test_joined_parts_give_the_text_back(text: str, limit: int) -> None:
    canonical = MARK.escape(text.replace("`", ""))

    assert canonical == "".join(split(canonical, limit))


@given(st.lists(st.sampled_from(["a", " ", "\n", "&amp;", "&lt;", "<@U0ANN>", "<https://x.org|a b>"])), limits)
def test_every_part_is_whole_and_within_the_limit(tokens: list[str], limit: int) -> None:
    parts = split("".join(tokens * 3), limit)

    assert all(len(part) <= limit for part in parts)
    assert all(is_canonical(part) for part in parts)


@given(fenced, limits)
def test_a_cut_within_a_fence_closes_and_opens_it(tokens: list[str], limit: int) -> None:
    text = "".join(tokens)
    if text.count("```") % 2:
        text += "\n```"
    parts = split(text, limit)

    assert all(len(part) <= limit for part in parts)
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert re.sub(r"[`\n]", "", text) == re.sub(r"[`\n]", "", "".join(parts))


@pytest.mark.slow
@given(nested)
def test_whatever_is_returned_can_be_sent(value: object) -> None:
    texts = [piece.text for piece in pieces(value, mark=MARK, name="job", doc=None) if isinstance(piece, Text)]

    assert all(is_canonical(text) and text.strip() for text in texts)
    assert all(text.count("```") % 2 == 0 for text in texts if text.startswith("```\n"))


@given(st.lists(st.sampled_from(["word ", "\n", "x" * 700, "```\n", "&amp;"]), max_size=40))
def test_a_notice_ends_the_last_part_on_a_line_of_its_own(tokens: list[str]) -> None:
    noticed = with_notice([Text("first"), Text("".join(["begin ", *tokens]))], NOTICE)
    sent = [part for piece in noticed for part in deliverable(piece)]

    assert Text("first") == sent[0]
    assert isinstance(sent[-1], Text)
    assert sent[-1].text.endswith(f"\n{NOTICE}")
    assert sent[-1].text != f"\n{NOTICE}"
    assert all(isinstance(part, Text) and len(part.text) <= 4000 for part in sent)


@given(st.text(), st.integers(min_value=1, max_value=30))
def test_a_cut_cell_fits_its_column(text: str, width: int) -> None:
    assert display_width(cut(text, width)) <= width
