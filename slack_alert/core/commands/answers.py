"""The texts that people read about the commands they asked for: one message a run, edited as it goes on.

What people typed, and what a run printed or raised, is escaped, redacted before it is cut, and formats nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from enum import Enum
from math import isfinite

from slack_alert.core.commands.decision import Refused
from slack_alert.core.commands.queue import QueuedRun
from slack_alert.core.content.markup import Markup, unformatted, visible
from slack_alert.core.content.pieces import LIMIT, Blocks, Piece, Text, Upload, deliverable, split
from slack_alert.core.errors import BadValue
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.model.run import LOOKED_AT, Failure
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.redaction.redaction import REACH, Redaction
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.humanize import format_distance, format_time, humanize_duration

#: Number of the last lines of output that are shown, and the length at which each is cut.
TAIL_LINES = 3
_LINE = 200
#: Length at which texts are cut; a command that is longer is not repeated.
_WORDS, _SENTENCE, _STEP, _NAME = 1000, 500, 200, 80
#: Number of the last characters of output that are looked at; what is before them shows where a secret begins.
_OUTPUT = LOOKED_AT - REACH


class RunState(str, Enum):
    """How far a run is; the values begin what people read."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"
    #: The program ended while it ran.
    INTERRUPTED = "interrupted"
    #: It came too long after it was written.
    EXPIRED = "expired"

    def __str__(self) -> str:
        """Return the word users see."""
        return self.value


class CommandProgress(Struct, frozen=True):
    """How far a running command is by its own account (`ctx.progress`), and the end of its output."""

    #: From 0 to 1; None: it does not say.
    fraction: float | None = None
    step: str = ""
    tail: str = ""


class FormerRuns(Struct, frozen=True):
    """How the last runs of a command went."""

    #: None: too few are known.
    usual: timedelta | None = None
    succeeded: int = 0
    count: int = 0


class RunView(Struct, frozen=True):
    """All that is told about a run; fields that do not belong to its state are ignored."""

    run: QueuedRun
    state: RunState
    now: datetime
    #: Its place in line (1 is the next), when it is expected to start, and the run that has its lock.
    position: int | None = None
    expected: datetime | None = None
    held_by: QueuedRun | None = None
    progress: CommandProgress = CommandProgress()
    #: How long it ran; None: it did not start.
    duration: timedelta | None = None
    former: FormerRuns = FormerRuns()
    failure: Failure | None = None
    #: How to write the command, where its failure may come from wrong words.
    usage: str = ""
    #: The name of the person who canceled it; while it runs: it is about to end.
    canceled_by: str = ""
    #: It is a question: its value is the whole answer.
    is_question: bool = False


class AnswerOptions(Struct, frozen=True):
    """What all answers of a channel share."""

    mark: Markup
    zone: tzinfo
    redaction: Redaction = Redaction()
    #: Whom to ask: `[chat] support`.
    support: str = ""
    #: What a typed command begins with.
    prefix: str = "!"


class RunAnswer(Struct, frozen=True):
    """The text that a run's message becomes, and the pieces that follow in its thread."""

    edit: Text
    follow: tuple[Piece, ...] = ()


def answer(view: RunView, options: AnswerOptions, value: Sequence[Piece] = ()) -> RunAnswer:
    """Return what is told about a run; `value` is what it returned, laid out and redacted."""
    if view.is_question and view.state is RunState.DONE and value and isinstance(value[0], Text):
        first, *others = _followers(value, view.run.command.rpartition(".")[2])
        assert isinstance(first, Text), "as it was before"
        return RunAnswer(first, tuple(others))
    text = Text(_TEXTS[view.state](view, options))
    return _with_value(text, value, name=view.run.command.rpartition(".")[2])


def refused_text(refused: Refused, options: AnswerOptions, *, usage: str = "", nearest: Iterable[str] = ()) -> Text:
    """Return why a command does not run: wrong words, a guard, no right, too late.

    Mentions and links that a guard made with ctx stay as they are.
    """
    word = "not run" if refused.verdict is AuditVerdict.REFUSED else refused.verdict.value
    meant = " or ".join(_code(near, options, _NAME) for near in nearest)
    lines = [
        f"{word}: {_sentences(refused.reason, options, 2 * _SENTENCE)}",
        f"Did you mean {meant}?" if meant else "",
        _sentences(refused.hint, options, 2 * _SENTENCE),
        f"Usage: {_code(usage, options, _SENTENCE)}" if usage else "",
    ]
    return Text("\n".join(filter(None, lines)))


def denied_text(rule: str, options: AnswerOptions, *, who: Sequence[str], line: str = "") -> Text:
    """Return that a person may not: the rule, who may (nobody is called), and the line that would allow it."""
    may = ", ".join(one_line(each, options, _NAME) for each in who[:_MOST_NAMES]) or "nobody"
    more = f" and {len(who) - _MOST_NAMES} more" if len(who) > _MOST_NAMES else ""
    lines = [
        f"denied: {one_line(rule, options, _SENTENCE)}",
        f"Who may: {may}{more}.",
        f"This line would allow it: {_code(line, options, _SENTENCE)}" if line else "",
        f"Ask {_support(options)}." if options.support else "",
    ]
    return Text("\n".join(filter(None, lines)))


def harmless_start(text: str) -> str:
    """Return canonical text that begins with no other bot's prefix: an invisible character goes in front of one."""
    first = visible(text[:100]).lstrip()[:1]
    is_ours = not first or first.isalnum() or first == "`" or text.startswith("<")
    return text if is_ours else f"{_INVISIBLE}{text}"


def percent(fraction: float | None) -> str:
    """Return a fraction as `40 %`, 100 only at the end; empty if there is none."""
    if fraction is None or not isfinite(fraction):
        return ""
    return f"{int(min(max(fraction, 0.0), 1.0) * 100 + 1e-9)} %"


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `3rd`, `11th`."""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def format_wait(at: datetime, now: datetime) -> str:
    """Return an expected start, as roughly as it is known: `in about 3 min`, `any moment`."""
    wait = at - now
    step = next(step for longest, step in _STEPS if wait < longest)
    rounded = round(wait / step) * step
    return f"in about {format_distance(rounded)}" if rounded > timedelta() else "any moment"


def format_took(duration: timedelta) -> str:
    """Return how long a run took: `80 ms`, `58 s`, `1 m 12 s`, `2 h 3 m`."""
    return humanize_duration(max(duration, timedelta())).replace("min", "m")


def one_line(text: str, options: AnswerOptions, longest: int) -> str:
    """Return what people typed or functions said as canonical text in one line that formats and mentions nothing."""
    line = " ".join(_begin(text, options, longest).split())
    return _short(options.mark.escape(unformatted(line)), longest)


_MOST_NAMES = 10
#: U+200B is no white space to `strip` and regular expressions, so that it stays where it is.
_INVISIBLE = "\u200b"
_STEPS = (
    (timedelta(minutes=1), timedelta(seconds=10)),
    (timedelta(hours=1), timedelta(minutes=1)),
    (timedelta(days=1), timedelta(minutes=10)),
    (timedelta.max, timedelta(hours=1)),
)


# --- the states


def _queued(view: RunView, options: AnswerOptions) -> str:
    run = view.run
    if run.not_before is not None and not run.is_in_line(view.now):
        ahead = format_distance(run.not_before - view.now)
        first = f"queued for {format_time(run.not_before, options.zone, view.now)}, in {ahead}"
    else:
        place = ordinal(view.position) if view.position else ""
        start = f"starts {format_wait(view.expected, view.now)}" if view.expected else ""
        first = ", ".join(filter(None, ("queued", place, start)))
    held = view.held_by
    holder = f"It waits for {one_line(held.lock, options, _NAME)}: {_named(held, options)}." if held else ""
    cancel = f"{_code(f'{options.prefix}cancel {run.run}', options)} takes it out of the queue."
    return "\n".join(filter(None, (first, holder, cancel)))


def _running(view: RunView, options: AnswerOptions) -> str:
    if view.canceled_by:
        first = f"canceling, as {one_line(view.canceled_by, options, _NAME)} asked"
    else:
        reached = _reached(view, options)
        separator = " " if percent(view.progress.fraction) or not reached else ", "
        first = f"running{separator}{reached}".rstrip()
    return "\n".join(filter(None, (first, _tail(view.progress.tail, options))))


def _done(view: RunView, _options: AnswerOptions) -> str:
    former = view.former
    known = [
        f"usually {format_took(former.usual)}" if former.usual else "",
        f"{former.succeeded:,} of the last {former.count:,} succeeded" if former.count else "",
    ]
    compared = "; ".join(filter(None, known))
    took = f" in {format_took(view.duration)}" if view.duration is not None else ""
    return f"done{took}{f' ({compared})' if compared else ''}"


def _failed(view: RunView, options: AnswerOptions) -> str:
    number = f"E-{view.run.run}"
    lines = [
        f"failed{_after(view)}{_at_step(view, options)}, {number}: {_what_failed(view.failure, options)}",
        _again(view, options, "tries it again"),
        f"Usage: {_code(view.usage, options, _SENTENCE)}" if view.usage else "",
        f"Ask {_support(options)}, and name {number}." if options.support else "",
        f"{_code(f'slack-alert explain {number}', options)} has the rest.",
    ]
    return "\n".join(filter(None, lines))


def _canceled(view: RunView, options: AnswerOptions) -> str:
    who = f" by {one_line(view.canceled_by, options, _NAME)}" if view.canceled_by else ""
    when = _after(view) or ("" if view.run.started else " before it started")
    lines = [f"canceled{who}{when}{_at_step(view, options)}", _tail(view.progress.tail, options)]
    return "\n".join(filter(None, lines))


def _interrupted(view: RunView, options: AnswerOptions) -> str:
    lines = [
        f"interrupted{_after(view)}{_at_step(view, options)}: the program ended while it ran.",
        "What it had done by then is done; it does not go on by itself.",
        _tail(view.progress.tail, options),
        _again(view, options, "runs it again"),
    ]
    return "\n".join(filter(None, lines))


def _expired(view: RunView, options: AnswerOptions) -> str:
    late = format_distance(view.now - view.run.asked)
    first = f"expired: it came {late} after it was written, and was not run."
    return "\n".join(filter(None, (first, _again(view, options, "runs it now"))))


_TEXTS = {
    RunState.QUEUED: _queued,
    RunState.RUNNING: _running,
    RunState.DONE: _done,
    RunState.FAILED: _failed,
    RunState.CANCELED: _canceled,
    RunState.INTERRUPTED: _interrupted,
    RunState.EXPIRED: _expired,
}


# --- their parts


def _after(view: RunView) -> str:
    return f" after {format_took(view.duration)}" if view.duration is not None else ""


def _at_step(view: RunView, options: AnswerOptions) -> str:
    reached = _reached(view, options)
    return f" at {reached}" if reached else ""


def _reached(view: RunView, options: AnswerOptions) -> str:
    return f"{percent(view.progress.fraction)} {one_line(view.progress.step, options, _STEP)}".strip()


def _named(run: QueuedRun, options: AnswerOptions) -> str:
    return f"{_code(run.words, options, _STEP)} of {one_line(run.name or run.by, options, _NAME)} ({run.run}) has it"


def _again(view: RunView, options: AnswerOptions, what: str) -> str:
    words = view.run.again or view.run.words
    return f"{_code(f'{options.prefix}{words}', options)} {what}." if words and len(words) <= _WORDS else ""


def _support(options: AnswerOptions) -> str:
    """Return whom to ask; an id becomes a mention, a name stays text so that nobody is called by each failure."""
    support = options.support.strip()
    if support.isascii() and support.isalnum() and support.isupper():
        try:
            return options.mark.escape(options.mark.mention(support))
        except BadValue:
            pass
    return one_line(support, options, _NAME)


def _what_failed(failure: Failure | None, options: AnswerOptions) -> str:
    if failure is None:
        return "it did not say why."
    said = _without_traceback(failure.message, options.redaction)
    # The last line of a program's output is its error as a rule; what is above it may be a traceback.
    last = next(iter(_last_lines(failure.output, 1, options.redaction)), "")
    parts = (failure.kind, said, last if last.strip() not in said else "")
    return one_line(": ".join(part.strip() for part in parts if part.strip()), options, _SENTENCE)


def _without_traceback(message: str, redaction: Redaction) -> str:
    before, traceback, after = message.partition("Traceback (most recent call last)")
    if not traceback:
        return message
    last = next(iter(_last_lines(after.replace("\\n", "\n").rstrip("'\") \n"), 1, redaction)), "")
    return f"{before.strip()} {last.strip()}".strip()


def _tail(output: str, options: AnswerOptions) -> str:
    lines = _last_lines(output, TAIL_LINES, options.redaction)
    shown = [_short(options.mark.escape(line), _LINE) for line in lines]
    body = "\n".join(shown).replace("`" * 3, "ˋˋˋ")
    return f"```\n{body}\n```" if body.strip() else ""


def _last_lines(output: str, count: int, redaction: Redaction) -> list[str]:
    """Return the last lines that are not blank, as a terminal shows them in the end: not coloured, not overwritten."""
    text = _CONTROLS.sub("", redaction.tail(output, _OUTPUT))
    lines = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))
    return [line for line in lines if line.strip()][-count:]


#: Sequences that colour a terminal's text, move its cursor, or set its title.
_CONTROLS = lazy_pattern(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]")


def _sentences(text: str, options: AnswerOptions, longest: int) -> str:
    """Return what plugins and the program say as canonical text, with their own mentions and links."""
    return _short(options.mark.escape(_begin(text, options, longest)), longest).replace("`" * 3, "ˋˋˋ")


def _code(text: str, options: AnswerOptions, longest: int = 2 * _WORDS) -> str:
    """Return text to be copied and typed, exactly as it is, as code."""
    canonical = _short(options.mark.escape(_begin(text, options, longest)), longest)
    if "`" not in canonical and "\n" not in canonical:
        return f"`{canonical}`"
    # Within a fence single backticks are themselves.
    return f"```\n{canonical.replace('`' * 3, 'ˋˋˋ')}\n```"


def _begin(text: str, options: AnswerOptions, longest: int) -> str:
    return options.redaction.head(text, longest + 1)[0] if len(text) > longest else options.redaction(text)


def _short(canonical: str, longest: int) -> str:
    """Return canonical text cut to a length; a text that does not fit ends with an ellipsis."""
    return canonical if len(canonical) <= longest else split(canonical, longest - 1)[0].rstrip() + "…"


# --- the value


def _with_value(text: Text, value: Sequence[Piece], *, name: str) -> RunAnswer:
    """Return the text with the value below it where that fits; else the value follows in messages of its own."""
    if not value:
        return RunAnswer(text)
    first, *others = value
    if isinstance(first, Text) and text.size + 1 + first.size <= LIMIT:
        return RunAnswer(Text(f"{text.text}\n{first.text}", first.entries), _followers(others, name))
    return RunAnswer(text, _followers(value, name))


def _followers(pieces: Iterable[Piece], name: str) -> tuple[Piece, ...]:
    parts = (part for piece in pieces for part in deliverable(piece, name=name, limit=LIMIT - len(_INVISIBLE)))
    return tuple(_harmless(part) for part in parts)


def _harmless(piece: Piece) -> Piece:
    if isinstance(piece, Text):
        return replace(piece, text=harmless_start(piece.text))
    if isinstance(piece, Upload):
        return replace(piece, comment=harmless_start(piece.comment))
    said = piece.payload.get("text")
    return Blocks({**piece.payload, "text": harmless_start(said)}) if isinstance(said, str) else piece
