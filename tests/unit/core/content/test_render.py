from __future__ import annotations

import sqlite3
import sys
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import (
    Blocks,
    Piece,
    Text,
    Upload,
    deliverable,
    error_card,
    fallback,
    is_quiet,
    pause_notice,
    pieces,
    split,
    with_notice,
    with_slot_time,
)
from slack_alert.core.content.tables import MAX_COLUMNS, MAX_ROWS, cut, display_width

MARK = Markup("8842")
NOTICE = "3 alerts: paused for 60 min, until 14:32"
PNG = b"\x89PNG\r\n\x1a\n..."
HUGE = 10**5000


class Lag(NamedTuple):
    host: str
    seconds: float


@dataclass
class Disk:
    path: str
    free: int
    secret: str = field(default="s3cret", repr=False)


class Neither:
    """As numpy and pandas: neither true nor false, but perhaps with a length."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __bool__(self) -> bool:
        raise ValueError("the truth value is ambiguous")

    def __len__(self) -> int:
        return self.length

    def __str__(self) -> str:
        return "<neither>"


class Unknown:
    def __bool__(self) -> bool:
        raise TypeError("the truth value of NA is ambiguous")


class Speechless:
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Numberless:
    def __str__(self) -> str:
        raise ValueError("no number")


class RangeIndex:
    names = (None,)


class Index:
    def __init__(self, *names: str | None) -> None:
        self.names = names


class DataFrame:
    """The part of a pandas frame that is read."""

    __module__ = "pandas.core.frame"

    def __init__(self, columns: Sequence[str], rows: Sequence[tuple[object, ...]], index: object) -> None:
        self.columns = columns
        self.index = index
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def itertuples(self, *, name: None) -> Iterator[tuple[object, ...]]:
        assert name is None
        return iter(self._rows)


class Series:
    __module__ = "pandas.core.series"
    name = None

    def to_frame(self, name: str) -> DataFrame:
        return DataFrame([name], [("a", 1)], Index(None))


class Figure:
    __module__ = "matplotlib.figure"

    def savefig(self, target: object, *, format: str) -> None:  # noqa: A002  matplotlib's own word
        assert format == "png"
        target.write(PNG)  # type: ignore[attr-defined]


class PolarsFrame:
    """The part of a polars frame that is read."""

    def __init__(self, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
        self.columns = columns
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def head(self, most: int) -> PolarsFrame:
        return type(self)(self.columns, self._rows[:most])

    def rows(self) -> Sequence[tuple[object, ...]]:
        return self._rows


class PolarsSeries:
    name = "lag"

    def to_frame(self, name: str) -> PolarsFrame:
        return PolarsFrame([name], [(3,), (40,)])


class Axes:
    """The result of plotting with pandas."""

    __module__ = "matplotlib.axes._axes"
    figure = Figure()


class Image:
    __module__ = "PIL.Image"

    def save(self, target: object, *, format: str) -> None:  # noqa: A002  PIL's own word
        assert format == "png"
        target.write(PNG)  # type: ignore[attr-defined]


for vendor, kind in ((PolarsFrame, "DataFrame"), (PolarsSeries, "Series")):
    vendor.__module__, vendor.__name__ = "polars.frame", kind

numpy_true = type("bool", (), {"__module__": "numpy"})()


def said(value: object, *, doc: str | None = "Lag is high.\n\nMore.") -> tuple[Piece, ...]:
    return pieces(value, mark=MARK, name="db.lag", doc=doc)


def text(value: object) -> str:
    (piece,) = said(value)
    assert isinstance(piece, Text)
    return piece.text


def fenced(*lines: str) -> str:
    return "\n".join(["```", *lines, "```"])


# --- quiet


@pytest.mark.parametrize(
    "value", [None, False, 0, 0.0, "", b"", [], {}, (), set(), frozenset(), range(0), timedelta(0), Neither(0)]
)
def test_an_empty_thing_is_quiet(value: object) -> None:
    assert is_quiet(value)
    assert said(value) == ()


@pytest.mark.parametrize("value", [True, 1, "no", [0], {"a": 0}, Neither(1), Unknown(), float("nan"), object()])
def test_anything_else_is_not_quiet(value: object) -> None:
    assert not is_quiet(value)


@pytest.mark.parametrize(
    "value", [" \n\t", [None, "", 0, " "], {"text": " "}, {"blocks": []}, {"blocks": [], "text": ""}, b" ", [[], {}]]
)
def test_what_leaves_nothing_to_read_is_not_said(value: object) -> None:
    assert said(value) == ()


# --- text


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ("a < b & <!channel>", "a &lt; b &amp; &lt;!channel&gt;"),
        (" indented\n", " indented\n"),
        (1, "1"),
        (-2.5, "-2.5"),
        (float("nan"), "nan"),
        (Neither(2), "&lt;neither&gt;"),
        (b"\xffbytes", "\ufffdbytes"),
        (bytearray(b"more"), "more"),
        (ValueError("bad <host>"), "ValueError: bad &lt;host&gt;"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (["a", None, "", 0, "<b>", 2], "a\n&lt;b&gt;\n2"),
        ((1, 2), "1\n2"),
        ({"b", "a", "c"}, "a\nb\nc"),
        (frozenset({10, 9}), "10\n9"),
        ([["a", "b"], ("c", "d")], "['a', 'b']\n('c', 'd')"),
        (f"ask {MARK.mention('ann')} <now>", "ask <@ann> &lt;now&gt;"),
        ([MARK.link("https://x.org", "x")], "<https://x.org|x>"),
    ],
)
def test_a_plain_value_becomes_escaped_text(value: object, canonical: str) -> None:
    assert canonical == text(value)


@pytest.mark.parametrize(
    ("doc", "canonical"),
    [
        ("Lag is <high>.\n\nMore.", "Lag is &lt;high&gt;."),
        ("\n    Late.\n", "Late."),
        (" ", "db.lag"),
        (None, "db.lag"),
    ],
)
def test_true_says_the_first_line_of_the_docstring_or_the_name(doc: str | None, canonical: str) -> None:
    assert (Text(canonical),) == said(True, doc=doc)


def test_numpys_true_is_true() -> None:
    assert (Text("Lag is high."),) == said(numpy_true)


def test_what_the_value_raises_goes_through() -> None:
    with pytest.raises(RuntimeError, match="no words"):
        said(Speechless())
    with pytest.raises(ValueError, match="no number"):
        said(Numberless())


def test_a_number_too_long_for_decimal_is_written_in_hexadecimal() -> None:
    """Python refuses to convert an integer of more than 4,300 digits."""
    assert hex(HUGE) == text(HUGE)
    assert f"{hex(HUGE)}\n[1, {hex(HUGE)}]" == text([HUGE, [1, HUGE]])
    assert text({"n": HUGE}).startswith("```\nn  0x")


def test_values_that_hold_themselves_are_said() -> None:
    cycle: dict[str, object] = {}
    cycle["self"] = cycle
    row: list[object] = [1]
    row.append(row)
    huge: list[object] = [HUGE]
    huge.append([{"huge": huge}])

    assert f"[{hex(HUGE)}, 'a', 1]" == text([[HUGE, "a", 1]])
    assert fenced("self  {'self': {...}}") == text(cycle)
    assert text(row) == "1\n[1, [...]]"
    assert f"{hex(HUGE)}\n[{{'huge': [{hex(HUGE)}, [...]]}}]" == text(huge)


# --- tables


@pytest.mark.parametrize("value", [{"path": "/", "free": 3}, OrderedDict(path="/", free=3), Disk("/", 3)])
def test_keys_and_values_become_a_table(value: object) -> None:
    assert fenced("path  /", "free  3") == text(value)


@pytest.mark.parametrize(
    "value",
    [
        [{"host": "db1", "seconds": 1.5}, {"host": "db22", "seconds": 10}],
        (Lag("db1", 1.5), Lag("db22", 10)),
    ],
)
def test_rows_become_a_table_with_numbers_to_the_right(value: object) -> None:
    assert fenced("host  seconds", "----  -------", "db1       1.5", "db22       10") == text(value)


def test_a_named_tuple_is_a_row() -> None:
    assert fenced("host     db1", "seconds  1.5") == text(Lag("db1", 1.5))


def test_a_row_of_a_database_is_a_row() -> None:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    rows = connection.execute("SELECT 'db1' AS host, 3 AS lag").fetchall()
    connection.close()

    assert fenced("host  lag", "----  ---", "db1     3") == text(rows)


def test_rows_with_different_keys_share_one_table() -> None:
    assert fenced("a  b", "-  -", "1", "   2") == text([{"a": 1}, {"b": "2"}])


def test_columns_align_by_what_is_shown() -> None:
    rows = {"数据库": "<a>", "x": MARK.link("https://x.org", "y"), "e\u0301": "two\n lines"}

    assert fenced("数据库  &lt;a&gt;", "x       <https://x.org|y>", "e\u0301       two lines") == text(rows)


def test_backticks_do_not_end_the_fence() -> None:
    assert text({"```": "````"}).count("```") == 2


def test_a_long_cell_is_cut_and_says_so() -> None:
    rows = [{"a": "x" * 99, "b": MARK.link("https://x.org", "y" * 99)}]

    assert f"{'x' * 59}…  {'y' * 59}…" == text(rows).splitlines()[3]


def test_rows_and_columns_left_out_are_counted() -> None:
    many = text([{"n": 1}] * (MAX_ROWS + 120))
    wide = text([{f"c{at}": 1 for at in range(MAX_COLUMNS + 2)}])

    assert many.splitlines()[-2] == "… 120 more rows"
    assert f"… 2 more columns: c{MAX_COLUMNS}, c{MAX_COLUMNS + 1}" == wide.splitlines()[-2]


@pytest.mark.slow
def test_of_a_frame_no_more_rows_are_read_than_are_said() -> None:
    rows = [(1,)] * (MAX_ROWS + 7)

    assert text(PolarsFrame(["n"], rows)).splitlines()[-2] == "… 7 more rows"
    assert text(DataFrame(["n"], [(0, 1)] * len(rows), RangeIndex())).splitlines()[-2] == "… 7 more rows"


def test_a_frame_becomes_a_table() -> None:
    plain_frame = DataFrame(["host", "lag"], [(0, "db1", 3), (1, "db2", 40)], RangeIndex())
    by_name = DataFrame(["lag"], [("db1", 3), ("db2", 40)], Index("host"))
    by_two = DataFrame(["lag"], [(("db1", 1), 3)], Index("host", None))

    assert fenced("host  lag", "----  ---", "db1     3", "db2    40") == text(plain_frame)
    assert fenced("host  lag", "----  ---", "db1     3", "db2    40") == text(by_name)
    assert fenced("host     lag", "----  -  ---", "db1   1    3") == text(by_two)
    assert fenced("   value", "-  -----", "a      1") == text(Series())
    assert fenced("host  lag", "----  ----", "db1   None") == text(PolarsFrame(["host", "lag"], [("db1", None)]))
    assert fenced("lag", "---", "  3", " 40") == text(PolarsSeries())


@pytest.mark.parametrize(("word", "width"), [("ab", 2), ("数据", 4), ("e\u0301", 1), ("ｗ", 2), ("🚨", 2)])
def test_wide_characters_take_two_columns(word: str, width: int) -> None:
    assert width == display_width(word)


def test_a_cut_never_halves_a_wide_character() -> None:
    assert cut("数据库", 4) == "数…"


# --- files


def test_a_figure_that_was_drawn_is_closed_where_pyplot_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[object] = []
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", SimpleNamespace(close=closed.append))
    figure = Figure()
    pieces(figure, mark=MARK, name="db.lag", doc=None)

    assert closed == [figure]


@pytest.mark.parametrize(
    ("value", "files"),
    [
        (Path("out/report.csv"), [Upload("report.csv", Path("out/report.csv"))]),
        (PNG, [Upload("db.lag.png", PNG)]),
        (memoryview(PNG), [Upload("db.lag.png", PNG)]),
        (("a.bin", b"\x00"), [Upload("a.bin", b"\x00")]),
        (("a\x00.bin", bytearray(b"b")), [Upload("a\ufffd.bin", b"b")]),
        (("a.bin", b""), [Text("a.bin: an empty file")]),
        (Figure(), [Upload("db.lag.png", PNG)]),
        (Axes(), [Upload("db.lag.png", PNG)]),
        (Image(), [Upload("db.lag.png", PNG)]),
        ([Figure(), PNG], [Upload("db.lag-1.png", PNG), Upload("db.lag-2.png", PNG)]),
        ([("log", b"1"), ("log", b"2")], [Upload("log-1", b"1"), Upload("log-2", b"2")]),
        ([[Path("a"), Path("b")], Path("c")], [Upload(name, Path(name)) for name in "abc"]),
        ([Upload("own.txt", b"1"), Path("b")], [Upload("own.txt", b"1"), Upload("b", Path("b"))]),
        (Text("<!here>"), [Text("<!here>")]),
        (["see", "here:", PNG, "and"], [Text("see\nhere:"), Upload("db.lag.png", PNG), Text("and")]),
        (["disk", {"a": "b"}], [Text("disk\n```\na\n-\nb\n```")]),
    ],
)
def test_files_and_pictures_are_uploaded(value: object, files: list[Piece]) -> None:
    assert tuple(files) == said(value)


# --- Slack's own form


def test_slacks_own_form_is_sent_as_it_is() -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "<!here> *a*"}, "expand": True, "ratio": 0.5}

    assert (Blocks({"blocks": [section], "text": "a"}),) == said({"blocks": (section,), "text": "a"})
    assert (Blocks({"text": "<!here> *a*"}),) == said({"text": "<!here> *a*"})
    assert (Blocks({"blocks": [section]}), Blocks({"blocks": [section]})) == said([{"blocks": [section]}] * 2)


def test_slacks_own_form_may_hold_mentions_and_nothing_unsendable() -> None:
    assert (Blocks({"text": "<@ann> \ufffd"}),) == said({"text": f"{MARK.mention('ann')} \ud800"})
    assert (Blocks({"blocks": [{"at": "1:00:00"}]}),) == said({"blocks": [{"at": timedelta(hours=1)}]})


def test_slacks_own_form_takes_sdk_models() -> None:
    class Divider:
        def to_dict(self) -> dict[str, str]:
            return {"type": "divider"}

    assert (Blocks({"blocks": [{"type": "divider"}]}),) == said({"blocks": [Divider()]})


def test_blocks_that_hold_themselves_are_refused() -> None:
    blocks: list[object] = []
    blocks.append(blocks)

    with pytest.raises(ValueError, match="nested too deeply"):
        said({"blocks": blocks})


@pytest.mark.parametrize("value", [{"blocks": 3}, {"text": 3}, {"text": "a", "b": "c"}])
def test_a_dict_that_only_looks_like_slacks_form_is_a_table(value: dict[str, object]) -> None:
    assert text(value).startswith("```\n")


# --- splitting and sending


@pytest.mark.parametrize(
    ("long", "parts"),
    [
        ("", [""]),
        ("short", ["short"]),
        ("x" * 20, ["x" * 20]),
        ("line one\nline two\nline three\n", ["line one\nline two\n", "line three\n"]),
        ("x" * 30, ["x" * 20, "x" * 10]),
        ("words of one long line", ["words of one long ", "line"]),
        ("x" * 17 + "&amp;y", ["x" * 17, "&amp;y"]),
        ("x" * 15 + "<@U0ANN>y", ["x" * 15, "<@U0ANN>y"]),
        ("x" * 11 + "<!date^1|a b c>", ["x" * 11, "<!date^1|a b c>"]),
        ("```\nab\ncd\nef\ngh\nij\n```", ["```\nab\ncd\nef\ngh\n```", "```\nij\n```"]),
        ("```\nab\ncd\nef\ng\n```\nend", ["```\nab\ncd\nef\ng\n```", "\nend"]),
        ("text of lines\n```\nabc\n```", ["text of lines\n", "```\nabc\n```"]),
        ("text line\n```\nabc\ndefgh\n```", ["text line\n", "```\nabc\ndefgh\n```"]),
    ],
)
def test_a_long_text_is_split_at_line_ends(long: str, parts: list[str]) -> None:
    assert parts == split(long, 20)


def test_ten_parts_are_sent_and_more_become_a_file() -> None:
    line = "a &lt; b " + "x" * 3990 + "\n"

    assert (Text(line),) * 10 == deliverable(Text(line * 10))
    assert (
        Upload("job.txt", (line.replace("&lt;", "<") * 11).encode(), comment=f"{line[:203]}\n… 12 lines, in the file"),
    ) == deliverable(Text(line * 11), name="job")


def test_a_part_of_white_space_only_is_not_sent() -> None:
    assert (Text("a" + "\n" * 19), Text("\nb")) == deliverable(Text("a" + "\n" * 60 + "b"), limit=20)


@pytest.mark.parametrize("piece", [Text("a"), Blocks({"text": "a" * 5000}), Upload("a", b"b" * 5000)])
def test_what_fits_is_delivered_as_it_is(piece: Piece) -> None:
    assert (piece,) == deliverable(piece)


@pytest.mark.parametrize(
    ("piece", "canonical"),
    [
        (Text("a &lt; b"), "a &lt; b"),
        (Upload("a<b.csv", b"x" * 12_345), "a&lt;b.csv (12 KB)"),
        (Upload("a.csv", b"xx", title="Report", comment="see"), "Report (2 B)\nsee"),
        (Upload("a.csv", b"x" * 2_000_000), "a.csv (2 MB)"),
        (Upload("a.csv", Path("a.csv")), "a.csv"),
        (Blocks({"text": "said", "blocks": [{"type": "header", "text": "no"}]}), "said"),
        (Blocks({"blocks": [{"type": "divider"}]}), "a message without text"),
        (
            Blocks(
                {
                    "blocks": [
                        {"type": "header", "text": {"type": "plain_text", "text": "a < b"}},
                        {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* &lt;"}},
                        {"type": "image", "image_url": "https://x.org", "alt_text": "a cat"},
                    ]
                }
            ),
            "a &lt; b\n*bold* &lt;\na cat",
        ),
    ],
)
def test_every_piece_has_one_text_for_history(piece: Piece, canonical: str) -> None:
    assert canonical == fallback(piece)


# --- notices


def test_an_error_card_tells_job_type_message_and_place() -> None:
    card = error_card("db.lag", "ValueError", "bad <host>\n  at once", "plugins/db.py:12", mark=MARK)

    assert card.text == ":rotating_light: *db.lag* failed: ValueError: bad &lt;host&gt; at once\n`plugins/db.py:12`"


def test_an_error_card_without_words_tells_the_type() -> None:
    assert error_card("db.lag", "KeyError", "", "", mark=MARK).text == ":rotating_light: *db.lag* failed: KeyError"


def test_an_error_card_is_short_and_formats_nothing() -> None:
    card = error_card("a*b", "E", "*bold* `code` ~gone~ " + "&" * 400, "a`b.py", mark=MARK)

    assert card.text.startswith(":rotating_light: *a∗b* failed: E: ∗bold∗ ˋcodeˋ ∼gone∼ &amp;")
    assert card.text.endswith("&amp;…\n`aˋb.py`")
    assert len(card.text) < 560


@pytest.mark.parametrize(
    ("count", "pause", "notice"),
    [
        (3, timedelta(hours=1), NOTICE),
        (1, timedelta(hours=1), "1 alert: paused for 60 min, until 14:32"),
        (2, timedelta(seconds=30), "2 alerts: paused for 0.5 min, until 14:32"),
        (100, timedelta(days=2), "100 alerts: paused for 2880 min, until 14:32"),
    ],
)
def test_the_notice_counts_minutes(count: int, pause: timedelta, notice: str) -> None:
    assert notice == pause_notice(count, pause, "14:32")


def test_the_notice_can_speak_of_errors() -> None:
    notice = pause_notice(3, timedelta(hours=1), "14:32", word="error", verb="muted")

    assert notice == "3 errors: muted for 60 min, until 14:32"


CONTEXT = {"type": "context", "elements": [{"type": "mrkdwn", "text": NOTICE}]}
DIVIDER = {"type": "divider"}


@pytest.mark.parametrize(
    ("given", "noticed"),
    [
        ([], [Text(NOTICE)]),
        ([Text("a"), Text("b\n")], [Text("a"), Text(f"b\n{NOTICE}")]),
        ([Text("```\na\n```")], [Text(f"```\na\n```\n{NOTICE}")]),
        ([Text("a " * 1999)], [Text("a " * 1979), Text(f"{'a ' * 19}a\n{NOTICE}")]),
        ([Upload("a", b"b")], [Upload("a", b"b", comment=NOTICE)]),
        ([Upload("a", b"b", comment="c")], [Upload("a", b"b", comment=f"c\n{NOTICE}")]),
        ([Blocks({"text": "a"})], [Blocks({"text": f"a\n{NOTICE}"})]),
        ([Blocks({"text": "a" * 3990})], [Blocks({"text": "a" * 3990}), Text(NOTICE)]),
        ([Blocks({"blocks": [DIVIDER]})], [Blocks({"blocks": [DIVIDER, CONTEXT]})]),
        (
            [Blocks({"blocks": [DIVIDER], "text": "a"})],
            [Blocks({"blocks": [DIVIDER, CONTEXT], "text": f"a\n{NOTICE}"})],
        ),
        ([Blocks({"blocks": [DIVIDER] * 50})], [Blocks({"blocks": [DIVIDER] * 50}), Text(NOTICE)]),
    ],
)
def test_the_notice_ends_the_same_message(given: list[Piece], noticed: list[Piece]) -> None:
    assert tuple(noticed) == with_notice(given, NOTICE)


def test_the_notice_stands_beside_a_text_that_became_a_file() -> None:
    (upload,) = with_notice([Text("line\n" * 20_000)], NOTICE, name="job")

    assert isinstance(upload, Upload)
    assert ("job.txt", f"line\n… 20001 lines, in the file\n{NOTICE}") == (upload.name, upload.comment)


@pytest.mark.parametrize(("late", "told"), [("text", "[09:30] text"), ("```\ntable\n```", "[09:30]\n```\ntable\n```")])
def test_a_late_message_begins_with_its_slots_time(late: str, told: str) -> None:
    assert told == with_slot_time(late, "09:30")


# --- what is too much


@pytest.mark.slow
def test_long_text_is_cut_between_words_and_says_so_where_people_read_it() -> None:
    [said] = pieces("a & b s3cret\n" * 310_000, mark=MARK, name="job", doc=None)
    [file] = deliverable(said)

    assert isinstance(file, Upload)
    assert isinstance(file.content, bytes)
    assert file.content.endswith(b"\na &\n\xe2\x80\xa6 cut: the first 3,999,999 of 4,030,000 characters")
    assert fallback(file).splitlines()[1:] == [
        "a &amp; b s3cret",
        "… 307694 lines, in the file",
        "… cut: the first 3,999,999 of 4,030,000 characters",
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("x" * 5_000_000, "… cut: the first 4,000,000 of 5,000,000 characters"),
        (b"x" * 5_000_000, "… cut: the first 4,000,000 of 5,000,000 bytes"),
        (["x" * 1_000_000] * 9, "… cut: the first 3 of 9 lines"),
        (("dump", bytes(17_000_000)), "dump: a file of 17 MB is not sent, 16 MB is the most. "),
    ],
    ids=["text", "bytes", "list", "file"],
)
def test_what_is_too_much_is_cut_and_told(value: object, told: str) -> None:
    [said] = pieces(value, mark=MARK, name="job", doc=None)

    assert told in fallback(said).splitlines()[-1]


def test_slack_s_own_form_that_is_longer_than_slack_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="Slack's own form has 2,000,001 characters, 1,000,000 is the most"):
        pieces({"text": "x" * 2_000_000}, mark=MARK, name="job", doc=None)
