"""Laws of what leaves: no secret, in no form, and no part of one, wherever it stood and wherever something was cut."""

from __future__ import annotations

import io
import json
import sys
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import make_dataclass
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.content import drafts, limits
from slack_alert.core.content.drafts import Draft
from slack_alert.core.content.notices import error_card
from slack_alert.core.content.render import Piece, Text, Upload, deliverable, fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryProgress, Message, RunPart, Status
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.record import Outcome, Record, Verdict
from slack_alert.core.model.run import Run
from slack_alert.core.redaction.redaction import MARK, REACH, Redaction
from slack_alert.engine.recording.redacting import cleaned_pieces, redacted_message, redacted_progress, redacted_record
from slack_alert.executors.calling.call import DraftRender
from slack_alert.executors.calling.failures import failure_of, redact_failure
from slack_alert.executors.calling.output import KEPT, captured
from slack_alert.executors.calling.rendering import Render
from slack_alert.executors.command_output import ProgramOutput
from slack_alert.executors.isolated.protocol import from_failure, from_line, from_pieces, to_failure, to_line, to_pieces
from tests.fakes.engine_rig import MARK as MARKUP
from tests.fakes.planted import FORMS, PARTS, SECRETS, leaked
from tests.fakes.stage import Stage, run_of

REDACTION = Redaction(SECRETS)
Value = Callable[[str], object]

every_form = pytest.mark.parametrize("form", FORMS)
#: Where each takes long: some of them, and all in a thorough round.
_SOME = ("as it is", "JSON", "base64 behind 1")
some_forms = pytest.mark.parametrize(
    "form", [form if form in _SOME else pytest.param(form, marks=pytest.mark.thorough) for form in FORMS]
)


def rotated(names: Iterable[str]) -> list[ParameterSet]:
    """Pair each name with each form: in a usual run with every fourth of them, for each name with others."""
    return [
        pytest.param(name, form, marks=() if (number + turn) % 4 == 0 else pytest.mark.thorough)
        for number, name in enumerate(names)
        for turn, form in enumerate(FORMS)
    ]


Pair = namedtuple("Pair", "name text")  # noqa: PYI024 - plugins have such ones
Row = make_dataclass("Row", [("name", str), ("text", str)])

VALUES: dict[str, Value] = {
    "text": lambda text: text,
    "bytes": lambda text: text.encode(),
    "list": lambda text: ["first", text],
    "lines": lambda text: ["first", *text.splitlines()],
    "lines of a column": lambda text: [{"a": line} for line in ["first", *text.splitlines()]],
    "tuple": lambda text: ("first", text),
    "set": lambda text: {"first", text},
    "dict": lambda text: {"name": text},
    "key": lambda text: {text: 1},
    "key with words": lambda text: {text: "one", "two": "three"},
    "list in a dict": lambda text: {"name": [text, {"deep": (text,)}]},
    "data class": lambda text: Row("name", text),
    "named tuple": lambda text: Pair("name", text),
    "table": lambda text: [{"a": 1, "b": text, "c": 3}, {"a": 1, "b": "x", "c": 3}],
    "head of a table": lambda text: [{text: 1, "b": 2}],
    "exception": ValueError,
    "object": lambda text: type("Odd", (), {"__str__": lambda _: text})(),
    "file": lambda text: ("log.txt", text.encode()),
    "file in UTF-16": lambda text: ("log.txt", text.encode("utf-16")),
    "name of a file": lambda text: (text + ".txt", b"fine"),
    "form": lambda text: {"text": text},
    "blocks": lambda text: {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]},
    "key in blocks": lambda text: {"text": "x", "blocks": [], "metadata": {"event_payload": {text: text}}},
    "address of a link": lambda text: MARKUP.link(f"https://example.com/{''.join(text.split())}", "label"),
    "label of a link": lambda text: MARKUP.link("https://example.com/", text),
}


def told(said: tuple[Piece, ...]) -> Iterator[str]:
    """Yield all that is sent, kept and shown of what a run says."""
    for piece in cleaned_pieces(said, REDACTION):
        for part in deliverable(piece):
            yield from _shown(part)
            yield from _shown(redacted_message(Message("key", Address("slack", "#ops"), part), REDACTION).piece)
        if isinstance(piece, Text):
            yield from (word for entry in piece.entries for word in entry)


def _shown(piece: Piece) -> Iterator[str]:
    yield fallback(piece)
    if isinstance(piece, Upload):
        assert isinstance(piece.content, bytes)
        yield from (
            piece.name,
            piece.title,
            piece.comment,
            piece.content.replace(b"\0", b"").decode("utf-8", "replace"),
        )
    elif not isinstance(piece, Text):
        yield json.dumps(piece.payload, ensure_ascii=False)


def drafted(value: object, *, elsewhere: bool = False) -> tuple[Piece, ...]:
    """Render a value; elsewhere: in a process that knows no secret, and hands it over as a line."""
    run = run_of(print)
    if not elsewhere:
        return Render(MARKUP, REDACTION).draft(run, value)
    said = DraftRender(MARKUP)(run, value)
    return to_pieces(from_line(to_line(pieces=from_pieces(said)))["pieces"])


@pytest.mark.parametrize(("kind", "form"), rotated(VALUES))
def test_no_value_says_a_secret(kind: str, form: str) -> None:
    for number, secret in enumerate(PARTS):
        value = VALUES[kind](f"seen: {FORMS[form](secret)} there")

        assert not any(map(leaked, told(drafted(value, elsewhere=(len(form) + number) % 2 == 0))))


#: So many characters before each place at which something is cut.
EDGES = {"table": 60, "head of a table": 60, "key": 60, "dict": 500, "text": 4000, "list": 4000, "blocks": 4000}


@some_forms
@pytest.mark.parametrize("step", [13, pytest.param(1, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("kind", EDGES)
def test_no_cut_leaves_half_a_secret(kind: str, form: str, step: int) -> None:
    for number, secret in enumerate(PARTS):
        encoded = FORMS[form](secret)
        for before in range(EDGES[kind] - len(encoded) - 8 + number, EDGES[kind] + 3, step):
            said = drafted(VALUES[kind]("x" * max(0, before) + encoded + " y" * 80), elsewhere=before % 2 == 0)

            assert not any(leaked(text[:400]) or leaked(text[-400:]) for text in told(said))


@some_forms
@pytest.mark.parametrize("kind", ["text", "bytes", "dict", "list"])
def test_no_value_that_is_too_long_ends_with_half_a_secret(
    kind: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (limits, drafts):
        monkeypatch.setattr(module, "LONGEST", 9_000)
    for secret in PARTS:
        encoded = FORMS[form](secret)
        for before in range(9_000 - len(encoded) - 2, 9_002, 19):
            value = VALUES[kind]("x" * before + encoded + "k" * 12_000)
            for text in told(drafted(value, elsewhere=before % 2 == 0)):
                assert not leaked(text[-400:])


@some_forms
@pytest.mark.parametrize("length", [0, 480, 19_980, pytest.param(200_000, marks=pytest.mark.thorough)])
def test_no_error_tells_a_secret(form: str, length: int) -> None:
    for secret in PARTS:
        text = FORMS[form](secret)
        for before in range(max(0, length - len(text)), length + 1, 17):
            error = ValueError("x" * before + text + "y" * 300)
            raw = failure_of(error, run_of(print).action)
            sent = to_failure(from_line(to_line(failure=from_failure(raw)))["failure"])
            assert sent is not None
            failure = redact_failure(sent, REDACTION)
            card = error_card("job", failure.kind, failure.message, failure.place, mark=MARKUP)

            assert not leaked(card.text)
            assert not leaked(failure.traceback[9_000:-9_000] if len(failure.traceback) > 19_000 else failure.traceback)
            assert not leaked(failure.message[-400:])


@some_forms
def test_no_output_of_a_failed_program_tells_half_a_secret(form: str) -> None:
    for secret in PARTS:
        for behind in range(7900, 8100, 61):
            error = OSError("failed")
            error.output = f"{'x' * 9000}{FORMS[form](secret)}{'y' * behind}"  # type: ignore[attr-defined]
            failure = redact_failure(failure_of(error, run_of(print).action), REDACTION)

            assert not leaked(failure.traceback.replace("y" * 2000, "").replace("x" * 2000, ""))


def test_no_class_and_no_file_name_tells_a_secret() -> None:
    failure = failure_of(type(PARTS[1], (Exception,), {})("no"), run_of(print).action)

    assert not leaked(redact_failure(failure, REDACTION).kind)


# --- what is printed


def printed(writes: list[str], *, in_run: bool = True) -> tuple[str, str]:
    """Print from a run, or beside all runs; give standard error and the record."""
    stderr = io.StringIO()
    run = run_of(print)
    with captured(stderr, REDACTION):
        if in_run:
            run = _called(writes)
        else:
            for text in writes:
                sys.stdout.write(text)
                sys.stdout.flush()
    kept = redacted_record(_record(printed="".join(run.printed or ())), REDACTION).printed or ""
    return stderr.getvalue(), kept


def _called(writes: list[str]) -> Run:
    stage = Stage(redaction=REDACTION)

    def job() -> None:
        for text in writes:
            sys.stdout.write(text)
            sys.stdout.flush()

    run = run_of(job)
    stage.call(run)
    return run


@every_form
@pytest.mark.parametrize("in_run", [True, False])
def test_nothing_printed_shows_a_secret_however_it_is_written(form: str, in_run: bool) -> None:
    for secret in PARTS:
        text = FORMS[form](secret)
        if "\n" in text and in_run is False:
            continue  # The lines are written one by one, and each is passed on at once.
        for cut in range(1, len(text), 19):
            stderr, kept = printed(["sees ", text[:cut], text[cut:], " there\n"], in_run=in_run)

            assert not leaked(kept)
            assert not leaked(stderr) or "\n" in text[:cut]


@pytest.mark.parametrize("in_run", [True, False])
@pytest.mark.parametrize("length", [8192, 8192 + REACH, 20_000])
def test_no_line_without_an_end_is_cut_within_a_secret(length: int, in_run: bool) -> None:
    for secret in PARTS:
        for before in range(length - len(secret) - 2, length + 2, 9):
            stderr, _ = printed(["x" * before, secret, "k" * 9000, "q" * 9000, "\n"], in_run=in_run)

            assert not leaked("\n".join(line[:400] + " " + line[-400:] for line in stderr.splitlines()))


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 1000])
def test_no_record_of_what_was_printed_ends_with_half_a_secret(size: int) -> None:
    for secret in PARTS:
        for before in range(KEPT - len(secret) - 2, KEPT + 2, 9):
            _, kept = printed([PARTS[0] * 900, "x" * (before - 900 * 36), secret[:9], secret[9:], "k\n" * size])

            assert not leaked(kept[-400:])


@pytest.mark.parametrize("form", ["as it is", "percent, all of it", "base64 behind 1"])
def test_no_output_of_exec_is_cut_within_a_secret(form: str) -> None:
    for secret in PARTS:
        encoded = FORMS[form](secret).encode()
        whole = b"x" * 9000 + encoded + b"k" * 9000
        for cut in range(0, len(encoded), 7):
            for edge in (0, REACH):
                head, tail = whole[: 9000 + cut + edge], whole[9000 + cut - edge :]
                shown = ProgramOutput(head, tail, 10**6).shown(REDACTION)

                assert not leaked(shown.replace("x" * 100, "").replace("k" * 100, ""))


# --- what is written down


def _record(**fields: str) -> Record:
    return Record(1, "db.job", datetime(2026, 1, 5, 9, tzinfo=timezone.utc), Verdict.SAID)._replace(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("field", "form"), rotated(["printed", "asked_by"]))
def test_no_record_holds_a_secret(field: str, form: str) -> None:
    for secret in PARTS:
        record = redacted_record(_record(**{field: f"a {FORMS[form](secret)} b"}), REDACTION)

        assert not leaked(repr(getattr(record, field)))


@every_form
def test_what_a_run_said_in_parts_joins_to_no_secret(form: str) -> None:
    for secret in PARTS:
        said = "first\n" + FORMS[form](secret)
        record = redacted_record(_record(text=said)._replace(outcome=Outcome(said)), REDACTION)
        message = redacted_message(
            Message("k", Address("slack", "#ops"), Text(said), RunPart("db.job", None, 1, 0)), REDACTION
        )

        assert not leaked(repr((record, message)))


@every_form
def test_no_reason_holds_a_secret(form: str) -> None:
    for secret in PARTS:
        told = f"a {FORMS[form](secret)} b"
        reasons = (Reason(ReasonCode.CAME, by=told, what=told, said=told),)
        record = redacted_record(_record()._replace(reasons=reasons), REDACTION)

        assert not leaked(repr(record.reasons))


@every_form
def test_what_a_service_answers_is_kept_without_secrets(form: str) -> None:
    for secret in PARTS:
        answer = f"407 from {FORMS[form](secret)}"
        progress = redacted_progress(
            DeliveryProgress(1, Status.QUEUED, 1, datetime.now(timezone.utc), reason=answer), REDACTION
        )

        assert not leaked(progress.reason or "")


@every_form
def test_what_a_value_measures_has_names_without_secrets(form: str) -> None:
    for secret in PARTS:
        for before in range(0, 80, 7):
            numbers = Render(MARKUP, REDACTION).numbers({f"{'x' * before}{FORMS[form](secret)}": 1, "b": 2})

            assert not leaked(" ".join(numbers or ()))


# --- how a text is searched


@given(
    st.lists(st.sampled_from([*PARTS, "x", " ", "yy", MARK, " xoxb-12-ab", "&amp;"]), max_size=12), st.integers(0, 120)
)
def test_a_text_is_cut_as_if_it_had_been_cleaned_whole(words: list[str], limit: int) -> None:
    text = "".join(words)
    head, end = REDACTION.head(text, limit)
    tail = REDACTION.tail(text, limit)

    assert REDACTION(text).startswith(head)
    assert end >= min(limit, len(text))
    assert REDACTION(text[end:]) in REDACTION(text)
    assert REDACTION(text).endswith(tail)
    assert REDACTION(REDACTION(text)) == REDACTION(text)


@given(st.lists(st.text(alphabet="ab0\n\x00") | st.sampled_from(PARTS), max_size=8))
def test_many_texts_are_cleaned_at_once_as_one_by_one(texts: list[str]) -> None:
    assert list(REDACTION.redact_all(texts)) == [REDACTION(text) for text in texts]


@given(st.lists(st.integers(1, 35), max_size=3))
def test_neighbouring_texts_are_cleaned_as_one(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(PARTS[0])]
    texts = [PARTS[0][begin:end] for begin, end in pairwise(places)]

    assert not leaked("".join(REDACTION.redact_joined(["a ", *texts, " b"])))


@given(st.text(max_size=200))
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    assert REDACTION(text) == text


def test_no_text_makes_the_search_repeat_itself() -> None:
    """Each must end at once; a pattern that goes back and forth would take hours."""
    for start in ("Tr0ub4dor", "hunter2", "https://hc-ping.com/", "VHIwdWI0ZG9y", "hooks.slack.com/services/"):
        for filler in ("\\", "%25", "&amp;", "\n", "a", "x" + "\\" * 9, start):
            REDACTION((start + filler * 60) * 200)


def test_a_draft_is_nothing_to_read_before_it_is_laid_out(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(PARTS[0])
    [draft] = DraftRender(MARKUP)(run_of(print), PARTS[0])
    [file] = Render(MARKUP, REDACTION)(run_of(print), tmp_path / "log.txt")

    assert isinstance(draft, Draft)
    assert draft.text == ""
    assert isinstance(file, Upload)
    assert file.content == MARK.encode()
