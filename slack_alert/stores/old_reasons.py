"""Read the sentences of rows that former versions wrote, which had no reasons as data.

This is the only place that may take a sentence apart: what this version writes is read as it was decided.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any  # Any: what lies in a journal

from slack_alert.core.model.reason import Reason, ReasonCode, has
from slack_alert.core.model.record import Outcome, Record, Verdict
from slack_alert.core.patterns import lazy_pattern

#: The sentences that programs have to know by their codes; named groups are fields. The others are for people only.
_SENTENCES = {
    ReasonCode.OFF_HOURS: "outside (?P<what>.*)",
    ReasonCode.PAUSED: "paused(?: by (?P<by>.+?))? until .+?",
    ReasonCode.MUTED: "muted until .+? by (?P<by>.+?)",
    ReasonCode.ALL_MUTED: "all jobs muted until .+? by (?P<by>.+?)",
    ReasonCode.QUIET_WINDOW: "quiet window (?P<what>.+?),(?: until .+?)?",
    ReasonCode.UNCHANGED: "said already, unchanged",
    ReasonCode.ACKNOWLEDGED: "acknowledged by (?P<by>.+?)",
    ReasonCode.RECOVERED: "recovered after .+?",
}
_PATTERNS = {code: lazy_pattern(rf"{sentence}(?=; |\Z)", re.DOTALL) for code, sentence in _SENTENCES.items()}
_FAILED = frozenset({Verdict.ERROR, Verdict.TIMED_OUT})
#: Notices of the policies below an alert, or below the first of several messages, each on a line of its own.
_ADDED = lazy_pattern(
    r"\n(?:\d+ alerts?: (?:paused|muted) for [\d.]+ min, until [\d:]+"
    r"|\d+ alerts? (?:was|were) withheld since [\d:]+"
    r"|\d+ alerts since [\d:]+, last [\d:]+"
    r"|took [^\n]+, usually [^\n]+)(?=\n|$)"
)
#: The notice about withheld alerts that a quiet run posts.
_DIGEST = lazy_pattern(r"\*?(?P<job>[^\n*]+)\*?: \d+ alerts? (?:was|were) withheld since [\d:]+")
#: What an error card names: the type of an exception, or how a command ended.
_KIND = r"(exit code \d+|not started|given up|[^\s:]+)"
#: The kind of a command that timed out, and its error if that was withheld.
_GIVEN_UP = "given up"
_OVERDUE = lazy_pattern(r"^TimeoutError: took longer than \S+ \(timeout\)$", re.MULTILINE)
_ATTEMPT = lazy_pattern(r"^\(attempt (\d+) of \d+\)\s*\Z", re.MULTILINE)
_TYPE = lazy_pattern(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)


def with_sentence(record: Record, reason: str | None) -> Record:
    """Return a record with the reasons in a sentence, and with the outcome in its texts."""
    if reason is None and not record.text and record.error is None:
        return record
    told = record._replace(reasons=reasons_of(reason) if reason else ())
    return told._replace(outcome=_outcome(told))


@lru_cache(maxsize=4096)
def reasons_of(sentence: str) -> tuple[Reason, ...]:
    """Return the reasons in a sentence, which keep their parts of it."""
    found: list[Reason] = []
    while sentence:
        reason = _first_of(sentence)
        found.append(reason)
        sentence = sentence[len(reason.said) :].removeprefix("; ")
    return tuple(found)


def without_sentences(fields: list[Any], *, is_returned: bool) -> list[Any]:
    """Return the packed fields of a result or a batch with reasons in place of sentences."""
    if is_returned:
        *before, remark = fields
        return [*before, reasons_of(remark) if isinstance(remark, str) else remark]
    states, seen, records, *rest = fields
    return [states, seen, [_without_sentence(record) for record in records], *rest]


def _without_sentence(record: list[Any]) -> list[Any]:
    """Return the packed fields of a record; those of a former version have a sentence or nothing as their reason."""
    fields = dict(zip(Record._fields, record, strict=False))
    if isinstance(fields["reasons"], list):
        return record
    whole = Record(**{**fields, "verdict": Verdict(fields["verdict"]), "reasons": ()})
    return list(with_sentence(whole, fields["reasons"]))


def _first_of(sentence: str) -> Reason:
    for code, pattern in _PATTERNS.items():
        if found := pattern.match(sentence):
            words = found.groupdict(default="")
            what, by = words.get("what", ""), words.get("by", "")
            return Reason(code, by=by, what=what, said=found[0])
    return Reason(ReasonCode.OTHER, said=sentence)


def _outcome(record: Record) -> Outcome | None:
    """Return what the function of a recorded run itself said, as far as its texts show it."""
    if record.verdict in _FAILED or record.error is not None:
        return _failure(record)
    if record.verdict is Verdict.SAID and _had_nothing_to_say(record):
        return Outcome()
    said = _without_notices(record.text)
    return Outcome(said) if said != record.text else None


def _failure(record: Record) -> Outcome:
    card = re.search(rf"^✗ {re.escape(record.binding)} failed(?:: {_KIND})?", record.text, re.MULTILINE)
    said = _without_notices(record.text[: card.start()].rstrip("\n")) if card else ""
    trace = record.error or ""
    kind, _, message = trace.strip().rpartition("\n")[2].partition(": ")
    shown = (card[1] if card else None) or _last_type(trace)
    is_overdue = record.verdict is Verdict.TIMED_OUT or shown == _GIVEN_UP or _OVERDUE.search(trace) is not None
    failed = Verdict.ERROR if record.verdict is Verdict.MUTED else record.verdict
    # A replay tells the type as the traceback has it, with its module.
    kind = kind if kind.endswith(f".{shown}") else shown
    attempt = int(found[1]) if (found := _ATTEMPT.search(trace)) else 0
    return Outcome(said, Verdict.TIMED_OUT if is_overdue else failed, kind, message, attempt)


def _last_type(traceback: str) -> str:
    *_, last = traceback.rpartition('\n  File "')
    found = _TYPE.search(last.partition("\n")[2] or last)
    return found[1].rpartition(".")[2] if found else "error"


def _had_nothing_to_say(record: Record) -> bool:
    """Return whether a posted text is a recovery or a notice of the quota, and no alert."""
    digest = _DIGEST.fullmatch(record.text)
    return has(record.reasons, ReasonCode.RECOVERED) or (digest is not None and digest["job"] == record.binding)


def _without_notices(text: str) -> str:
    while (shorter := _ADDED.sub("", text)) != text:
        text = shorter
    return text
