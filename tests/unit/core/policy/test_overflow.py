"""Overflow: which messages are sent, in which order of jobs, and how the rest is summarized."""

from __future__ import annotations

from collections import Counter, deque
from datetime import timedelta
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.content.pieces import LIMIT, PARTS
from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, DeliveryMode, Message, MessageSeverity, Notice, RunPart, job_of
from slack_alert.core.policy.overflow import (
    AGAIN,
    OverflowCount,
    OverflowSummary,
    WaitingDelivery,
    add_to_summary,
    capacity,
    select_overflow,
    summary_text,
    to_waiting,
)
from slack_alert.core.structs import replace
from slack_alert.engine.delivery.fair_turns import FairQueue
from tests.fakes.engine_rig import BERLIN, at

OPS = Address("slack", "#ops")
NOON = at("16 12:00")
SECOND = timedelta(seconds=1)
#: As a part of a text is.
LONG = "x" * (LIMIT // 2 + 1)


def said(job: str, run: int = 1, part: int = 0, text: str = "x", root: str = "") -> Message:
    origin = RunPart(job, NOON, run, part)
    return Message(origin.key, OPS, Text(text), origin, root=root)


def by_person(key: str = "9f8e#0", run: int | None = None) -> Message:
    return Message(key, OPS, Text("x"), Notice("send", key) if run is None else RunPart("db.lag", None, run))


def delivery(number: int, message: Message, *, attempts: int = 0, reason: str | None = None) -> Delivery:
    return Delivery(number, message, NOON, attempts, reason=reason)


def line(*jobs: str) -> list[WaitingDelivery]:
    """Return a delivery of each named job; those in capitals are fixed, `a2 a2` are two parts of one text."""
    return [_waiting(number, written) for number, written in enumerate(jobs, 1)]


def _waiting(number: int, written: str) -> WaitingDelivery:
    turn = Notice("text", written if written[-1].isdigit() else str(number))
    job = written.rstrip("0123456789").lower()
    goes_on = written[-1].isdigit()
    return WaitingDelivery(number, job, turn, goes_on, is_error=False, is_fixed=written.isupper(), at=NOON)


class TestWhoSpeaks:
    @pytest.mark.parametrize(
        ("message", "expected"),
        [
            (said("db.lag"), "db.lag"),
            (said("mail @home"), "mail @home"),
            (by_person(), ""),
            (by_person(run=7), ""),
            (Message("k", OPS, Text("x"), Notice("undeliverable", "slack:@ann/gone/2026-11-16")), ""),
        ],
        ids=["a job", "one with a sign in its name", "send", "trigger --post", "the program"],
    )
    def test_a_job_is_known_by_what_its_slots_cause(self, message: Message, expected: str) -> None:
        assert job_of(message) == expected

    def test_the_parts_of_one_run_belong_together(self) -> None:
        assert said("a", 1, 0).origin.whole == said("a", 1, 7).origin.whole
        assert said("a", 1).origin.whole != said("a", 2).origin.whole
        assert Notice("send", "9f8e", 0).whole == Notice("send", "9f8e", 2).whole
        assert Notice("storm", "1").whole != Notice("storm", "2").whole


class TestWhatIsSaidAnyway:
    @pytest.mark.parametrize(
        ("one", "is_followed", "expected"),
        [
            (delivery(1, said("a")), False, False),
            (delivery(1, said("a", root="r")), False, False),
            (delivery(1, said("a", root="r")), True, True),
            (delivery(1, by_person()), False, True),
            (delivery(1, said("a"), attempts=1), False, True),
            (delivery(1, said("a"), reason="sent again"), False, True),
        ],
        ids=["an alert", "a reply to nothing", "a reply", "asked for", "attempted", "sent again by a person"],
    )
    def test_is_fixed(self, one: Delivery, is_followed: bool, expected: bool) -> None:
        assert to_waiting(one, is_followed=is_followed).is_fixed is expected

    def test_an_error_is_known_by_its_severity(self) -> None:
        text = said("db.lag", text=":rotating_light: *db.lag* failed")

        assert not to_waiting(delivery(1, text), is_followed=False).is_error
        assert to_waiting(delivery(1, replace(text, severity=MessageSeverity.ERROR)), is_followed=False).is_error


class TestRoom:
    @pytest.mark.parametrize(
        ("rate", "burst", "expected"),
        [(1, 3, 63), (0.5, 1, 31), (100, 3, 6003), (0.001, 1, 2), (0, 1, inf)],
        ids=["the default", "half", "fast", "hardly any", "unpaced"],
    )
    def test_is_what_can_be_said_in_a_minute(self, rate: float, burst: int, expected: float) -> None:
        assert capacity(rate, burst) == expected


class TestOverflow:
    @pytest.mark.parametrize(
        ("jobs", "size", "expected"),
        [
            ("a a a", 3, []),
            ("a a a a", 3, [3, 4]),
            ("a a a a a b", 4, [3, 4, 5]),
            ("a b c d", 3, [3, 4]),
            ("A A A A a", 3, [5]),
            ("A A A A A", 3, []),
            ("a1 a1 a2 a2 b", 4, [3, 4]),
            ("a1 a1 a1 a1 b c", 3, [1, 2, 3, 4]),
            (" ".join(["a1"] * 25), 22, [21, 22, 23, 24, 25]),
            ("a a a a a a", inf, []),
        ],
        ids=[
            "it fits", "the newest go, and leave a place to say so", "the jobs take turns", "in the order they came",
            "what is fixed takes its place first", "nothing but fixed ones", "a text is said as a whole",
            "or not at all", "one that goes on and on as far as it fits", "unpaced",
        ],
    )  # fmt: skip
    def test_gives_what_is_counted_instead(self, jobs: str, size: float, expected: list[int]) -> None:
        assert [one.id for one in select_overflow(line(*jobs.split()), size)] == expected

    def test_a_summary_that_waits_already_has_its_place(self) -> None:
        assert [one.id for one in select_overflow(line("A", "a", "a", "a"), 3, has_summary=True)] == [4]

    @given(
        st.lists(st.sampled_from(["a", "b", "c", "d", "A", "a1", "b2", "C"]), max_size=60),
        st.integers(2, 40),
        st.booleans(),
    )
    def test_laws(self, jobs: list[str], size: int, has_summary: bool) -> None:
        whole = line(*jobs)
        gone = select_overflow(whole, size, has_summary=has_summary)
        kept = [one for one in whole if one not in gone]
        fixed_turns = {one.turn for one in whole if one.is_fixed}

        assert not [one for one in gone if one.is_fixed]
        lengths = Counter(one.turn for one in whole)
        cut = {one.turn for one in gone} & {one.turn for one in kept}
        assert all(lengths[turn] > PARTS for turn in cut)
        free = [one for one in kept if one.turn not in fixed_turns]
        if gone:
            assert not free or len(kept) + (not has_summary) <= size
        else:
            assert len(whole) <= size or not free

    @given(st.lists(st.sampled_from("abcd"), max_size=60), st.integers(2, 40))
    def test_no_job_is_outdone_by_more_than_a_turn(self, jobs: list[str], size: int) -> None:
        gone = select_overflow(line(*jobs), size)
        kept = Counter(jobs) - Counter(one.job for one in gone)

        assert all(kept[one.job] + 1 >= other for one in gone for other in kept.values())

    def test_ten_thousand_jobs_and_one_that_floods_are_no_trouble(self) -> None:
        flood = line(*["noisy"] * 20_000, *(f"job{number:05}" for number in range(10_000)))

        gone = select_overflow(flood, 63)

        assert len(gone) == 30_000 - 62


class TestText:
    def storm(self, tallies: dict[str, OverflowCount], seconds: int = 0) -> OverflowSummary:
        return OverflowSummary(Notice("storm", "1"), NOON, NOON + seconds * SECOND, tallies)

    @pytest.mark.parametrize(
        ("tallies", "expected"),
        [
            ({"a": OverflowCount(1)}, "1 message of 1 job (12:00:00): a 1."),
            ({"a": OverflowCount(1), "b": OverflowCount(1200)}, "1,201 messages of 2 jobs (12:00:00): b 1,200, a 1."),
            (
                {"a": OverflowCount(9), "b": OverflowCount(2, 1)},
                "11 messages of 2 jobs (12:00:00): b 2 (1 error), a 9.",
            ),
            ({"a<b>": OverflowCount(1)}, "1 message of 1 job (12:00:00): a&lt;b&gt; 1."),
        ],
        ids=["one", "the loudest first", "errors before all", "escaped"],
    )
    def test_counts_and_names(self, tallies: dict[str, OverflowCount], expected: str) -> None:
        assert summary_text(self.storm(tallies), BERLIN) == (
            "More waited here than can be said in a minute. "
            f"Counted instead of said: {expected} `slack-alert history` has them all."
        )

    def test_says_from_when_to_when(self) -> None:
        assert "(12:00:00-12:00:40)" in summary_text(self.storm({"a": OverflowCount(2)}, 40), BERLIN)
        assert "(2026-11-16 12:00:00-12:00:00)" in summary_text(self.storm({"a": OverflowCount(2)}, 86_400), BERLIN)

    def test_fits_a_message_however_many_jobs_there_are(self) -> None:
        text = summary_text(
            self.storm({f"folder.of.many.jobs.number_{n}": OverflowCount(2, n % 2) for n in range(9000)}), BERLIN
        )

        assert len(text) < LIMIT
        assert "18,000 messages of 9,000 jobs" in text
        assert " more jobs: " in text


class TestGrowth:
    def test_the_first_that_is_counted_names_it(self) -> None:
        assert add_to_summary(None, line("a", "b")[1:]).origin.key == "storm/2"

    @given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=9), min_size=1, max_size=5))
    def test_nothing_is_lost_or_counted_twice(self, storms: list[list[str]]) -> None:
        storm: OverflowSummary | None = None
        for jobs in storms:
            storm = add_to_summary(storm, line(*jobs))

        assert storm is not None
        counted = {job: tally.count for job, tally in storm.tallies.items()}
        assert counted == dict(Counter(job for jobs in storms for job in jobs))


class TestTurns:
    def order(self, *messages: Message, summary: Notice | None = None) -> list[str]:
        """Return the keys of all deliveries in their order, without the common part."""
        turns, queue = FairQueue(), deque(delivery(number, message) for number, message in enumerate(messages))
        heard = []
        while queue:
            turns.promote(queue, summary)
            heard.append(queue.popleft().message.key.replace(f"@{NOON.isoformat()}", ""))
        return heard

    def test_jobs_take_turns_and_each_keeps_its_order(self) -> None:
        assert self.order(said("a", 1), said("a", 2), said("a", 3), said("b", 4), said("c", 5)) == [
            "a/1#0", "b/4#0", "c/5#0", "a/2#0", "a/3#0",
        ]  # fmt: skip

    def test_the_parts_of_a_text_are_said_in_a_row(self) -> None:
        assert self.order(said("a", 1, 0, LONG), said("a", 1, 1), said("a", 1, 2), said("b", 2)) == [
            "a/1#0", "a/1#1", "b/2#0", "a/1#2",
        ]  # fmt: skip

    def test_a_run_that_goes_on_and_on_lets_others_speak(self) -> None:
        heard = self.order(*(said("a", 1, part, LONG) for part in range(30)), said("b", 2))

        assert heard.index("b/2#0") == 10

    def test_what_a_person_and_the_program_say_goes_before_the_jobs(self) -> None:
        assert self.order(said("a", 1), said("a", 2), by_person("one"), by_person("two")) == [
            "one", "two", "a/1#0", "a/2#0",
        ]  # fmt: skip

    def test_but_not_before_the_message_that_it_edits(self) -> None:
        """Else it would be posted as a message of its own, and the other after it."""
        first, second = said("a", 1), said("b", 2)
        edit = replace(by_person("ack"), manner=DeliveryMode.EDIT, root=second.key)
        again = replace(by_person("ack again"), manner=DeliveryMode.EDIT, root="ack")

        assert self.order(first, second, edit, again, by_person("one")) == [
            "one", "a/1#0", "b/2#0", "ack", "ack again",
        ]  # fmt: skip

    def test_so_does_what_a_person_has_sent_again(self) -> None:
        queue = deque([delivery(1, said("a", 1)), delivery(2, said("b", 2), reason=AGAIN)])

        FairQueue().promote(queue, None)

        assert queue[0].id == 2

    def test_a_text_in_parts_is_not_torn_by_it(self) -> None:
        turns, parts = FairQueue(), [delivery(part, said("a", 1, part, LONG)) for part in (1, 2)]
        turns.promote(deque(parts[:1]), None)
        queue = deque([delivery(0, by_person("one")), parts[1]])

        turns.promote(queue, None)

        assert queue[0].id == 2

    def test_who_sends_without_end_does_not_silence_the_jobs(self) -> None:
        heard = self.order(said("a", 1), *(by_person(str(number)) for number in range(30)))

        assert heard.index("a/1#0") == 5

    def test_the_message_that_counts_others_comes_last(self) -> None:
        messages = by_person("storm/1"), said("a", 1), by_person("one")

        assert self.order(*messages, summary=Notice("send", "storm/1")) == ["one", "a/1#0", "storm/1"]
        assert self.order(*messages)[0] == "storm/1"

    @pytest.mark.parametrize(("attempts", "reason"), [(1, "timeout"), (0, "ratelimited")])
    def test_what_was_attempted_stays_where_it_is(self, attempts: int, reason: str) -> None:
        queue = deque([delivery(1, said("a", 2), attempts=attempts, reason=reason), delivery(2, said("b", 3))])
        turns = FairQueue()
        turns.promote(deque([delivery(0, said("a", 1))]), None)

        turns.promote(queue, None)

        assert queue[0].id == 1

    def test_a_reply_keeps_its_place_behind_what_it_follows(self) -> None:
        reply = replace(said("a", 2), manner=DeliveryMode.REPLY, root=said("a", 1).key)

        assert self.order(said("a", 1), reply, said("b", 3)) == ["a/1#0", "b/3#0", "a/2#0"]
