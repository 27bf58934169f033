from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.render import fallback
from slack_alert.core.errors import StoreError
from slack_alert.core.model.address import Address
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.request import MuteJob, Request
from slack_alert.core.model.run import QUIET, Result
from slack_alert.core.policy.mutes import EVERY, Mute
from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.engine import Engine
from slack_alert.engine.mutes.digests import Digests, EndedSilence, Withheld, WithheldCount, digest_text, withheld
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.ports import Tick
from slack_alert.engine.recording.writer import DirectRecorder
from slack_alert.engine.requests import apply
from slack_alert.engine.simulation.doubles import VirtualClock
from slack_alert.stores.memory import MemoryStore
from tests.fakes.engine_rig import BERLIN, ERRORS, MARK, MINUTE, OPS, Held, at, failed, make_job, make_policy, said
from tests.fakes.reasons import reasons_of

DBA = Address("slack", "#dba")
MAINTENANCE = QuietWindow("maintenance", "mon 2:00-4:00", BERLIN)
FREE = make_policy(max_alert=0)


class Silence:
    """Two jobs, a store that is kept over restarts, and the poll that the program makes twice a second."""

    def __init__(self, *windows: QuietWindow, start: str = "16 01:00") -> None:
        self.store = MemoryStore()
        self.jobs: tuple[Job, ...] = (
            make_job(policy=FREE),
            replace(make_job("db.size", policy=FREE), to=DBA),
        )
        self.windows = windows
        self.fault: Exception | None = None
        self.start(start)

    def start(self, time: str) -> None:
        """Start the engine, or restart it after a kill."""
        self.clock = VirtualClock(at(time))
        self.executor = Held()
        snapshot = self.store.open()
        self.mutes = Mutes(snapshot.entries, windows=self.windows, zone=BERLIN)
        recorder = DirectRecorder(self.store, self.clock)
        self.engine = Engine(
            Catalog(self.jobs),
            recorder=recorder,
            executor=self.executor,
            clock=self.clock,
            mark=MARK,
            mute=self.mutes.reason,
        )
        self.engine.restore(snapshot, self.clock.now())
        self.digests = Digests(
            self.mutes, engine=self.engine, recorder=recorder, to=OPS, since=self.clock.now(), history=self.history
        )
        self.look(time)

    def history(self, ending: EndedSilence) -> Withheld:
        if self.fault is not None:
            raise self.fault
        return withheld(self.store, ending)

    def mute(self, time: str, until: str | None, *jobs: str, by: str = "ann", taken: str | None = None) -> None:
        for job in jobs or ("db.lag",):
            request = Request.of(MuteJob(job, at(until) if until else None, by), at(time))
            batch = apply.apply_request(request, self.engine.next_id, now=at(taken) if taken else None)
            self.store.commit(batch)
            for entry in batch.entries:
                self.mutes.accept(entry)

    def begin(self, time: str, job: str = "db.lag") -> None:
        """Process a slot whose run stays in progress."""
        self.clock.set(at(time))
        self.engine.handle(Tick([((job,), [at(time)])]))

    def play(self, time: str, result: Result | None = None, job: str = "db.lag") -> None:
        self.begin(time, job)
        self.executor.finish(said(time) if result is None else result)

    def look(self, *times: str) -> list[str]:
        """Poll at these times; return all notices so far, with their addresses."""
        for time in times:
            self.clock.set(at(time))
            self.digests.poll(self.clock.now())
        messages = (delivery.message for delivery in self.store.deliveries() if delivery.message.origin.run is None)
        return [f"{message.to.shown}  {fallback(message.piece)}" for message in messages]


def test_end_of_a_mute_is_told_once_with_what_it_withheld() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 13:00")
    silence.play("16 11:50")
    silence.play("16 12:00")
    silence.play("16 12:10")
    silence.play("16 13:00")

    assert silence.look("16 12:59:59") == []
    assert silence.look("16 13:00", "16 13:01", "16 13:02") == [
        "#ops  While db.lag was muted by ann (12:00-13:00) 2 alerts of 1 job were withheld: db.lag 2 (16 12:10)"
    ]
    assert silence.store.snapshot().entries == ()


def test_nothing_withheld_nothing_said() -> None:
    silence = Silence(MAINTENANCE)
    silence.mute("16 12:00", "16 13:00")

    assert silence.look("16 13:00", "16 13:01") == []


def test_what_recovered_meanwhile_is_told_to_have_recovered() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 13:00")
    silence.play("16 12:00")
    silence.play("16 12:10")
    silence.play("16 12:20", QUIET)
    silence.play("16 13:00", QUIET)

    assert silence.look("16 13:00", "16 13:01") == [
        (
            "#ops  While db.lag was muted by ann (12:00-13:00) 2 alerts of 1 job were withheld: "
            "db.lag 2 (16 12:10; recovered 12:20)"
        )
    ]


def test_what_recovered_and_failed_again_is_not() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 13:00")
    for time, result in (("16 12:00", None), ("16 12:10", QUIET), ("16 12:20", None)):
        silence.play(time, result)

    assert silence.look("16 13:00")[0].endswith("db.lag 2 (16 12:20)")


def test_of_what_only_recovered_nothing_was_withheld() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 13:00")
    silence.play("16 11:50")
    silence.play("16 12:10", QUIET)

    assert silence.look("16 13:00", "16 13:01") == []


def test_end_of_a_window_is_told_in_each_channel_once() -> None:
    silence = Silence(MAINTENANCE)
    for minute in (10, 20, 30):
        silence.play(f"16 02:{minute}")
    silence.play("16 02:40", job="db.size")
    silence.play("16 02:50", failed())

    assert silence.look("16 04:00", "16 04:01", "16 05:00") == [
        "#ops  While maintenance (02:00-04:00) 3 alerts of 1 job were withheld: db.lag 3 (16 02:30)",
        "#dba  While maintenance (02:00-04:00) 1 alert of 1 job was withheld: db.size 1 (16 02:40)",
        (
            "#errors  While maintenance (02:00-04:00) 1 alert of 1 job was withheld: "
            "db.lag 1 (✗ db.lag failed: OSError: no route `plugins/db.py:12`)"
        ),
    ]


def test_each_turn_of_a_window_is_told_for_itself() -> None:
    silence = Silence(replace(MAINTENANCE, text="2:00-4:00"))
    silence.play("16 02:10")
    silence.look("16 04:00", "16 04:01")
    silence.play("17 02:10")

    assert silence.look("17 04:00", "17 04:01")[1:] == [
        "#ops  While maintenance (02:00-04:00) 1 alert of 1 job was withheld: db.lag 1 (17 02:10)"
    ]


def test_program_that_begins_within_a_window_tells_when_it_ends() -> None:
    silence = Silence(MAINTENANCE, start="16 03:00")
    silence.play("16 03:10")

    assert silence.look("16 04:00") == [
        "#ops  While maintenance (02:00-04:00) 1 alert of 1 job was withheld: db.lag 1 (16 03:10)"
    ]


@pytest.mark.parametrize("mutes_by_hand", [True, False])
def test_what_ended_while_nobody_ran_is_told_at_the_start(*, mutes_by_hand: bool) -> None:
    silence = Silence(*([] if mutes_by_hand else [MAINTENANCE]))
    if mutes_by_hand:
        silence.mute("16 02:00", "16 04:00")
    silence.play("16 02:10")

    silence.start("16 09:00")

    assert len(silence.look("16 09:00:01")) == 1
    silence.start("16 10:00")
    assert len(silence.look("16 10:00:01")) == 1


def test_what_was_told_and_not_yet_forgotten_is_not_told_again() -> None:
    """The process dies between the digest and the record that it was posted."""
    silence = Silence()
    silence.mute("16 12:00", "16 13:00")
    silence.play("16 12:10")
    silence.look("16 13:00")
    assert silence.store.snapshot().entries != ()

    silence.start("16 13:05")

    assert len(silence.look("16 13:06", "16 13:07")) == 1
    assert silence.store.snapshot().entries == ()


def test_unmute_tells_at_once() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 15:00")
    silence.play("16 12:10")
    silence.mute("16 12:30", None, by="bob")
    silence.play("16 12:40")

    assert silence.look("16 12:41") == [
        "#ops  While db.lag was muted by ann (12:00-12:30) 1 alert of 1 job was withheld: db.lag 1 (16 12:10)"
    ]
    assert [line.record.verdict for line in silence.store.history(job="db.lag", since=None, limit=None)] == [
        Verdict.MUTED, Verdict.SAID,
    ]  # fmt: skip


def test_what_is_withheld_until_an_unmute_is_taken_counts_as_well() -> None:
    """The inbox is polled twice a second; messages withheld meanwhile must not be lost."""
    silence = Silence()
    silence.mute("16 12:00", "16 15:00")
    silence.play("16 12:30:00.200000")
    silence.mute("16 12:30", None, taken="16 12:30:00.400000")
    silence.play("16 12:30:00.600000")

    assert silence.look("16 12:31") == [
        "#ops  While db.lag was muted by ann (12:00-12:30) 1 alert of 1 job was withheld: db.lag 1 (16 12:30:00.200000)"
    ]


def test_mute_that_is_over_before_it_is_taken_withholds_nothing() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 12:00:00.200000", taken="16 12:00:00.400000")

    assert silence.mutes.reason("db.lag", at("16 12:00:00.100000")) is None
    assert silence.look("16 12:01", "16 12:02") == []
    assert silence.store.snapshot().entries == ()


def test_mute_said_anew_is_one_silence() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 13:00")
    silence.play("16 12:10")
    silence.mute("16 12:30", "16 14:00")
    silence.play("16 13:10")

    assert silence.look("16 13:30") == []
    assert silence.look("16 14:00") == [
        "#ops  While db.lag was muted by ann (12:00-14:00) 2 alerts of 1 job were withheld: db.lag 2 (16 13:10)"
    ]


def test_jobs_muted_together_are_told_together() -> None:
    silence = Silence()
    silence.jobs = tuple(replace(job, to=OPS) for job in silence.jobs)
    silence.start("16 11:00")
    silence.mute("16 12:00", "16 13:00", "db.lag", "db.size")
    silence.play("16 12:10")
    silence.play("16 12:20", job="db.size")

    assert silence.look("16 13:00", "16 13:01", "16 13:02") == [
        (
            "#ops  While db.lag and db.size were muted by ann (12:00-13:00) 2 alerts of 2 jobs were withheld: "
            "db.lag 1 (16 12:10), db.size 1 (16 12:20)"
        )
    ]


def test_end_of_a_mute_of_all_is_told() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 13:00", EVERY)
    silence.play("16 12:20", job="db.size")

    assert silence.look("16 13:00") == [
        "#dba  While all jobs were muted by ann (12:00-13:00) 1 alert of 1 job was withheld: db.size 1 (16 12:20)"
    ]


def test_job_that_is_gone_is_told_of_where_everything_goes() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 13:00", "db.size")
    silence.play("16 12:20", job="db.size")
    silence.jobs = silence.jobs[:1]
    silence.start("16 14:00")

    assert [line.partition(" ")[0] for line in silence.look("16 14:01")] == ["#ops"]


def test_window_that_was_taken_out_is_told_of_at_the_start() -> None:
    """Its begin is not known any more; the digest starts at the end of the last one."""
    silence = Silence(MAINTENANCE)
    silence.play("16 02:10")
    silence.windows = ()
    silence.start("16 03:00")

    assert silence.look("16 03:00:01", "16 03:00:02") == [
        "#ops  While maintenance (Mon 09 Nov 02:00-Mon 16 Nov 03:00) 1 alert of 1 job was withheld: db.lag 1 (16 02:10)"
    ]
    assert silence.store.snapshot().entries == ()


def test_run_that_goes_on_beyond_the_end_is_waited_for() -> None:
    silence = Silence(MAINTENANCE)
    silence.begin("16 03:50")

    assert silence.look("16 04:00", "16 04:00:30") == []
    silence.executor.finish(said("late"))
    assert silence.look("16 04:00:31") == [
        "#ops  While maintenance (02:00-04:00) 1 alert of 1 job was withheld: db.lag 1 (late)"
    ]


def test_run_that_hangs_is_not_waited_for_longer_than_a_minute() -> None:
    silence = Silence(MAINTENANCE)
    silence.play("16 03:40", job="db.size")
    silence.begin("16 03:50")

    assert silence.look("16 04:00", "16 04:01") == []
    assert len(silence.look("16 04:01:01")) == 1


def test_run_of_after_the_end_is_not_waited_for() -> None:
    silence = Silence(MAINTENANCE)
    silence.play("16 03:40")
    silence.begin("16 04:00")

    assert len(silence.look("16 04:00:01")) == 1


@pytest.mark.parametrize("fault", [StoreError("disk full"), RuntimeError("changed while it was read")])
def test_history_that_cannot_be_read_is_read_later(fault: Exception) -> None:
    silence = Silence(MAINTENANCE)
    silence.play("16 03:40")
    silence.fault = fault
    silence.look("16 04:00")
    silence.fault = None

    assert silence.look("16 04:00:29") == []
    assert len(silence.look("16 04:00:30")) == 1


def test_digest_is_made_beside_everything_else_one_at_a_time() -> None:
    silence = Silence(MAINTENANCE)
    silence.play("16 03:40")
    waiting: list[Callable[[], None]] = []
    silence.digests = Digests(
        silence.mutes,
        engine=silence.engine,
        recorder=DirectRecorder(silence.store, silence.clock),
        to=OPS,
        since=at("16 01:00"),
        history=silence.history,
        apart=waiting.append,
    )

    assert silence.look("16 04:00", "16 04:01") == []
    (tell,) = waiting
    tell()
    assert len(silence.look("16 04:02", "16 04:03")) == 1
    assert len(waiting) == 1


def test_window_marked_by_a_clock_that_was_ahead_is_watched_all_the_same() -> None:
    silence = Silence(replace(MAINTENANCE, text="2:00-4:00"), start="20 05:00")
    silence.start("16 01:00")
    silence.play("16 02:10")

    assert len(silence.look("16 04:00")) == 1


ENDING = EndedSilence(
    "maintenance", Reason(ReasonCode.QUIET_WINDOW, what="maintenance"), at("16 02:00"), at("16 04:00"), None, ()
)


@pytest.mark.parametrize(
    ("reason", "slot", "expected"),
    [
        ("quiet window maintenance, until 04:00", "16 02:00", 1),
        # Written before reasons were.
        (None, "16 02:00", 1),
        ("3 of 3, until 05:00", "16 02:00", 0),
        ("quiet window night, until 06:00", "16 02:00", 0),
        ("muted until 13:00 by ann", "16 02:00", 0),
        ("quiet window maintenance, until 04:00", "16 01:59", 0),
        ("quiet window maintenance, until 04:00", "16 04:00", 0),
    ],
)
def test_only_what_this_silence_withheld_counts(reason: str | None, slot: str, expected: int) -> None:
    store = MemoryStore()
    store.commit(
        Batch(records=[Record(1, "db.lag", at(slot), Verdict.MUTED, text="lag", reasons=reasons_of(reason or ""))])
    )

    assert [tally.count for tally in withheld(store, ENDING).values()] == [1] * expected


def test_what_was_said_or_quiet_does_not_count() -> None:
    store = MemoryStore()
    verdicts = (Verdict.SAID, Verdict.QUIET, Verdict.PAUSED, Verdict.ERROR)
    records = [Record(run, f"job{run}", at("16 03:00"), verdict) for run, verdict in enumerate(verdicts, 1)]
    store.commit(Batch(records=records))

    assert withheld(store, ENDING) == {}


@pytest.mark.parametrize("number", [3, 30])
def test_only_the_muted_jobs_count_however_many(number: int) -> None:
    store = MemoryStore()
    records = [Record(run, f"job{run}", at("16 03:00"), Verdict.MUTED) for run in range(1, 41)]
    store.commit(Batch(records=records))
    jobs = frozenset(f"job{run}" for run in range(1, number + 1))

    assert {name for name, _ in withheld(store, replace(ENDING, jobs=jobs))} == jobs


def test_long_lists_and_texts_are_cut_with_a_count() -> None:
    tallies = {f"job{number:02}": WithheldCount(number, "x" * 200) for number in range(1, 14)}

    text = digest_text(ENDING, tallies, at("16 04:00"), BERLIN)

    assert text.startswith("While maintenance (02:00-04:00) 91 alerts of 13 jobs were withheld: job13 13 (xxx")
    assert text.endswith(f"job04 4 ({'x' * 79}…), 3 more jobs (6)")


@pytest.mark.parametrize(
    ("since", "until", "span"),
    [
        ("16 02:00", "16 04:00", "02:00-04:00"),
        ("14 02:00", "14 04:00", "Sat 14 Nov 02:00-04:00"),
        ("15 22:00", "16 06:00", "Sun 15 Nov 22:00-Mon 16 Nov 06:00"),
        ("16 02:00:09", "16 04:00", "02:00:09-04:00"),
    ],
)
def test_span_has_the_days_where_they_are_not_today(since: str, until: str, span: str) -> None:
    ending = replace(ENDING, since=at(since), until=at(until))

    text = digest_text(ending, {"db.lag": WithheldCount(1, "lag")}, at("16 06:00"), BERLIN)

    assert text == f"While maintenance ({span}) 1 alert of 1 job was withheld: db.lag 1 (lag)"


def test_many_muted_jobs_are_counted_in_the_head() -> None:
    silence = Silence()
    jobs = tuple(make_job(f"db.job{number}", policy=FREE) for number in range(5))
    silence.jobs = jobs
    silence.start("16 11:00")
    silence.mute("16 12:00", "16 13:00", *(job.name for job in jobs))
    silence.play("16 12:10", job="db.job1")

    assert silence.look("16 13:00") == [
        (
            "#ops  While db.job0, db.job1 and 3 more jobs were muted by ann (12:00-13:00) "
            "1 alert of 1 job was withheld: db.job1 1 (16 12:10)"
        )
    ]


def test_keys_of_digests_differ_from_silence_to_silence() -> None:
    endings = [
        ENDING,
        replace(ENDING, since=ENDING.since + timedelta(days=7)),
        replace(ENDING, reason=Reason(ReasonCode.MUTED), jobs=frozenset({"db.lag"})),
        replace(ENDING, reason=Reason(ReasonCode.MUTED), jobs=frozenset({"db.size"})),
        replace(ENDING, reason=Reason(ReasonCode.ALL_MUTED)),
    ]

    assert len({ending.id for ending in endings}) == len(endings)


def test_mute_needs_no_error_channel_of_its_own() -> None:
    silence = Silence()
    silence.mute("16 12:00", "16 13:00")
    silence.play("16 12:10", failed())

    (told,) = silence.look("16 13:00")

    assert told.partition(" ")[0] == ERRORS.shown
    assert Mute("db.lag", at("16 12:00"), at("16 13:00"), "ann").contains(at("16 13:00") - MINUTE)
