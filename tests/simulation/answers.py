"""Laws of what the product says about itself: the state it keeps, and the answers of `explain`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from slack_alert.bootstrap.current_mutes import make_mutes
from slack_alert.core.explain.why import Explanation
from slack_alert.core.model.record import NOT_RUN, Record, Verdict
from slack_alert.core.policy.quota import Quota, State
from slack_alert.operations.explain import ExplainQuestion, answer, end_of_second
from tests.simulation.evidence import Evidence, by_itself, shown

#: Jobs that post less than they say, and one without a quota.
_OTHER = ("edited.", "threaded.", "grouped.", "changed.", "escalated.", "beat.", "unlimited.")
#: So many slots of a job are asked about.
_ASKED = 6


def state_is_the_fold_of_history(evidence: Evidence) -> Iterator[str]:
    """What is kept of a quota is what its own lines of the history add up to."""
    most, pause = evidence.options.max_alert, timedelta(minutes=evidence.options.pause_time)
    said = {line.record.run for line in evidence.lines if line.delivery is not None}
    for name in evidence.jobs:
        if name.startswith(_OTHER) or name in evidence.requested or evidence.set_back:
            continue
        # What speaks and is given up then is an alert and an error.
        if any(call.does == "say" for call in evidence.stage.calls if call.job == name) and name.startswith("timed."):
            continue
        state = evidence.snapshot.states.get(name, State())
        for verdict, kept in ((Verdict.SAID, state.alerts), (Verdict.ERROR, state.errors)):
            records = [one for one in by_itself(evidence, name) if _counts(one, verdict, one.run in said)]
            folded = _folded(records, most, pause)
            if (kept.spent, kept.until) != (folded.spent, folded.until):
                yield f"{name}: kept {_quota(kept)}, and the history's {verdict.value} make {_quota(folded)}"


def explanations_are_true(evidence: Evidence) -> Iterator[str]:
    """`explain` tells of a slot what the world saw: whether the function ran, and what it said."""
    reader = evidence.place.reader()
    try:
        mutes = make_mutes(evidence.place.settings, evidence.snapshot.entries)
        for name, job in evidence.jobs.items():
            for record in _sample(by_itself(evidence, name)):
                if record.count > 1 or evidence.came_twice(record.slot, record.slot):
                    continue
                question = ExplainQuestion(name, job, end_of_second(record.slot, now=evidence.now))
                said = answer(question, reader, mutes, now=evidence.now, is_running=False)
                yield from (f"{name} {shown(record)}: {wrong}" for wrong in _wrong(evidence, record, said))
    finally:
        reader.close()


def _wrong(evidence: Evidence, record: Record, said: Explanation) -> Iterator[str]:
    text = " ".join(said.sentences)
    if said.slot != record.slot:
        # A question names a second: of two slots in it, the answer is about the last.
        if said.slot is None or said.slot.replace(microsecond=0) != record.slot.replace(microsecond=0):
            yield f"the answer is about {said.slot}"
    elif record.verdict in NOT_RUN:
        if "did not run" not in text:
            yield f"it does not say that it did not run: {text}"
    else:
        yield from _wrong_of_run(evidence, record, text)


def _wrong_of_run(evidence: Evidence, record: Record, text: str) -> Iterator[str]:
    calls = evidence.calls.get((record.binding, record.slot), [])
    if not calls:
        # A kill may come before the call, and half a file may have half a function.
        if record.verdict is not Verdict.INTERRUPTED and not evidence.has("half_edits"):
            yield "it is on record as run, and the function was never called"
    elif record.binding.startswith(_OTHER):
        return  # It may tell of a recovery, or of what it withheld.
    elif record.verdict is Verdict.SAID and not any(token in text for call in calls for token in call.said):
        yield f"it does not say what was said: {text}"
    elif record.verdict is Verdict.QUIET and "had nothing to say" not in text:
        yield f"it does not say that it was quiet: {text}"


def _sample(records: Sequence[Record]) -> Sequence[Record]:
    """Return some records, over the whole time."""
    return records[:: max(1, len(records) // _ASKED)]


def _folded(records: Sequence[Record], most: int, pause: timedelta) -> Quota:
    """Count alerts as the documentation has it: the last one that is allowed starts the pause."""
    spent: list[Record] = []
    quota = Quota()
    for record in records if most else ():
        at = record.slot
        kept = [] if quota.until is not None else [one for one in spent if one.slot > at - pause]
        spent = [*kept, record]
        quota = Quota(tuple(one.slot for one in spent), at + pause if len(spent) >= most else None)
    return quota


def _counts(record: Record, verdict: Verdict, was_said: bool) -> bool:
    """Return whether a record counts as an alert, or an error; a run that was cut off may have spoken before."""
    if verdict is Verdict.ERROR:
        return record.verdict in (Verdict.ERROR, Verdict.TIMED_OUT)
    return record.verdict is Verdict.SAID or (record.verdict is Verdict.INTERRUPTED and was_said)


def _quota(quota: Quota) -> str:
    until = f" until {quota.until:%H:%M:%S}" if quota.until else ""
    return f"{[f'{at:%H:%M:%S}' for at in quota.spent]}{until}"
