"""The contract of stores about messages, for memory and SQLite."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.core.content.render import Blocks, Piece, Text, Upload
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import (
    Button,
    Delivery,
    DeliveryProgress,
    MessageSeverity,
    Notice,
    Origin,
    RunPart,
    Status,
)
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, HistoryLimits, JobProgress, Snapshot
from tests.contract.store_kit import DEV, OPS, SECOND, Kit, T, message

BIG = 2**62


# --- outbox


def test_messages_become_deliveries_dated_with_the_batch(kit: Kit) -> None:
    said = [message("a", run=7), message("b", DEV)]

    new = kit.enqueue(*said, at=T + SECOND)

    assert [delivery.message for delivery in new] == said
    assert {delivery.created for delivery in new} == {T + SECOND}
    assert kit.outbox() == new


@pytest.mark.parametrize(
    "origin",
    [RunPart("db.lag", T, 7, 2), RunPart("db.lag", None, 7), Notice("storm", "7"), Notice("send", "9f8e#1", 0)],
    ids=["a slot", "trigger --post", "a notice", "a text in parts"],
)
def test_a_message_keeps_its_origin_and_its_severity(kit: Kit, origin: Origin) -> None:
    said = replace(message("a"), origin=origin, severity=MessageSeverity.ERROR)
    kit.enqueue(said)

    assert [delivery.message for delivery in kit.outbox()] == [said]


def test_a_message_keeps_its_buttons(kit: Kit) -> None:
    said = replace(message("a"), buttons=(Button("Mute 1 h", "mute", "db.lag", "for 1h"), Button("Why", "why", 'ü\n"')))
    kit.enqueue(said)

    assert [delivery.message for delivery in kit.outbox()] == [said]


def test_a_message_keeps_where_one_person_is_answered(kit: Kit) -> None:
    said = replace(message("a"), response_url="https://hooks.slack.com/commands/T0/1/abc", is_private=True)
    kit.enqueue(said)

    assert [delivery.message for delivery in kit.outbox()] == [said]


def test_messages_without_a_date_are_refused(kit: Kit) -> None:
    with pytest.raises(ValueError, match="at"):
        kit.store.commit(Batch(messages=[message("a")]))

    assert kit.outbox() == []


def test_the_same_key_is_enqueued_once(kit: Kit) -> None:
    kit.enqueue(message("a"), message("a", DEV))

    again = kit.enqueue(message("a", piece=Text("other")), message("b"))

    assert [delivery.message.key for delivery in again] == ["b"]
    assert [(d.message.key, d.message.to, d.message.piece) for d in kit.outbox()] == [
        ("a", OPS, Text("a")),
        ("b", OPS, Text("b")),
    ]


def test_a_sent_message_keeps_its_key_taken(kit: Kit) -> None:
    (first,) = kit.enqueue(message("a"))
    kit.mark(first.id, Status.SENT)

    assert kit.enqueue(message("a")) == []


def test_ids_give_the_order_within_an_address(kit: Kit) -> None:
    kit.enqueue(message("1"), message("2", DEV), message("3"))
    kit.enqueue(message("4", DEV), message("5"))

    assert kit.waiting(OPS) == ["1", "3", "5"]
    assert kit.waiting(DEV) == ["2", "4"]
    assert kit.waiting() == ["1", "2", "3", "4", "5"]


def test_what_is_new_is_given_as_it_is_kept_also_after_the_last_one_was_dropped(kit: Kit) -> None:
    *_, last = kit.enqueue(message("1"), message("2"))
    kit.store.commit(Batch(dropped=[last.id]))

    new = kit.enqueue(message("3", piece=Text("half \ud800")), message("4", piece=Blocks({"text": "b"})))
    assert kit.outbox()[1:] == new
    assert new[0].id > last.id


def test_waiting_pages_by_id(kit: Kit) -> None:
    ids = [delivery.id for delivery in kit.enqueue(*(message(str(n)) for n in range(5)))]

    assert kit.waiting(after=ids[1], limit=2) == ["2", "3"]
    assert kit.waiting(OPS, after=ids[3]) == ["4"]
    assert kit.waiting(OPS, limit=0) == []


def test_ids_are_never_given_again(kit: Kit) -> None:
    (first,) = kit.enqueue(message("a"))
    kit.store.commit(Batch(dropped=[first.id]))

    (second,) = kit.enqueue(message("b"))

    assert second.id > first.id


def test_progress_is_written_down(kit: Kit) -> None:
    (delivery,) = kit.enqueue(message("a"))

    kit.progress(DeliveryProgress(delivery.id, Status.QUEUED, 2, T, reason="rate limited"))
    (after,) = kit.outbox()

    assert (after.status, after.attempts, after.reason) == (Status.QUEUED, 2, "rate limited")
    assert kit.waiting() == ["a"]


@pytest.mark.parametrize("final", [Status.SENT, Status.DEAD, Status.COLLAPSED])
@pytest.mark.parametrize("later", list(Status))
def test_what_is_no_longer_queued_is_final(kit: Kit, final: Status, later: Status) -> None:
    (delivery,) = kit.enqueue(message("a"))
    kit.progress(DeliveryProgress(delivery.id, final, 3, T, "r", "why"))

    kit.mark(delivery.id, later, 9, receipt="other")
    (after,) = kit.outbox()

    assert (after.status, after.attempts, after.receipt, after.reason) == (final, 3, "r", "why")
    assert kit.waiting() == []


def test_only_what_was_given_up_is_retried_and_begins_anew(kit: Kit) -> None:
    ids = [delivery.id for delivery in kit.enqueue(*map(message, ["dead", "sent", "queued", "collapsed"]))]
    kit.progress(DeliveryProgress(ids[0], Status.DEAD, 5, T, reason="gave up"))
    kit.mark(ids[1], Status.SENT)
    kit.mark(ids[3], Status.COLLAPSED)

    retried = kit.store.commit(Batch(retried=[*ids, 999], messages=[message("new")], at=T + timedelta(days=2)))

    assert [delivery.message.key for delivery in retried] == ["dead", "collapsed", "new"]
    assert (retried[0].status, retried[0].attempts, retried[0].reason) == (Status.QUEUED, 0, "sent again")
    # Giving up is counted from this instant.
    assert retried[0].created == T + timedelta(days=2)
    assert kit.waiting() == ["dead", "queued", "collapsed", "new"]


class TestSummaries:
    """A message that counts others, and the messages it counts, are written together."""

    def put(self, kit: Kit, text: str, *counted: int) -> list[Delivery]:
        marks = [DeliveryProgress(number, Status.COLLAPSED, 0, T, reason="counted in storm/1") for number in counted]
        summary = message("storm/1", piece=Text(text))
        return kit.store.commit(Batch(progress=marks, summaries=[summary], at=T))

    def texts(self, kit: Kit) -> dict[str, Piece]:
        return {delivery.message.key: delivery.message.piece for delivery in kit.outbox()}

    def test_a_new_one_is_queued(self, kit: Kit) -> None:
        ids = [delivery.id for delivery in kit.enqueue(*map(message, "ab"))]

        given = self.put(kit, "two", *ids)

        assert [delivery.message.key for delivery in given] == ["storm/1"]
        assert kit.waiting() == ["storm/1"]
        assert kit.outbox()[0].reason == "counted in storm/1"

    def test_one_that_waits_is_replaced_where_it_stands(self, kit: Kit) -> None:
        (first,) = self.put(kit, "two")
        kit.enqueue(message("later"))

        assert self.put(kit, "three") == []
        assert kit.waiting() == ["storm/1", "later"]
        assert self.texts(kit)["storm/1"] == Text("three")
        assert kit.outbox()[0].id == first.id

    def test_one_that_was_sent_stays_what_people_read(self, kit: Kit) -> None:
        (first,) = self.put(kit, "two")
        kit.mark(first.id, Status.SENT)

        assert self.put(kit, "three") == []
        assert self.texts(kit) == {"storm/1": Text("two")}

    def test_one_that_was_dropped_meanwhile_comes_back_with_all_it_counts(self, kit: Kit) -> None:
        (first,) = self.put(kit, "two")
        kit.store.commit(Batch(dropped=[first.id]))

        (again,) = self.put(kit, "three")

        assert again.id > first.id
        assert again.message.piece == Text("three")

    def test_one_batch_may_put_it_twice(self, kit: Kit) -> None:
        both = [message("storm/1", piece=Text(text)) for text in ("two", "three")]

        kit.store.commit(Batch(summaries=both, at=T))

        assert self.texts(kit) == {"storm/1": Text("three")}


def test_a_message_that_was_sent_cannot_be_dropped(kit: Kit) -> None:
    ids = [delivery.id for delivery in kit.enqueue(*map(message, ["queued", "sent", "dead"]))]
    kit.mark(ids[1], Status.SENT)
    kit.mark(ids[2], Status.DEAD)

    kit.store.commit(Batch(dropped=[*ids, 999]))

    assert [delivery.message.key for delivery in kit.outbox()] == ["sent"]


def test_deliveries_of_a_run_are_given_with_their_place_in_line(kit: Kit) -> None:
    mine = [message(key, to, run=7) for key, to in (("1", OPS), ("2", OPS), ("3", DEV))]
    first, other, second, elsewhere = kit.enqueue(mine[0], message("x"), *mine[1:])
    kit.mark(other.id, Status.QUEUED, attempts=2, at=T + SECOND)
    found = kit.reader.posted(7)

    assert [one.delivery for one in found] == [first, second, elsewhere]
    assert [(one.in_front, one.changed) for one in found] == [(0, None), (2, None), (0, None)]

    kit.mark(first.id, Status.SENT, at=T + 60 * SECOND, receipt="1.2")
    kit.mark(second.id, Status.DEAD, at=T + 60 * SECOND)
    sent, dead, _ = kit.reader.posted(7)

    assert (sent.delivery.receipt, sent.in_front, sent.changed) == ("1.2", 0, T + 60 * SECOND)
    assert (dead.delivery.status, dead.in_front) == (Status.DEAD, 0)
    assert kit.reader.posted(8) == []


def test_last_receipt_is_of_what_was_accepted_last_there(kit: Kit) -> None:
    ids = [delivery.id for delivery in kit.enqueue(message("1"), message("2"), message("3", DEV), message("4"))]
    kit.mark(ids[1], Status.SENT, at=T + SECOND, receipt="second")
    kit.mark(ids[0], Status.SENT, at=T + 2 * SECOND, receipt="first, but later")
    kit.mark(ids[2], Status.SENT, at=T + 3 * SECOND, receipt="elsewhere")
    kit.mark(ids[3], Status.SENT, at=T + 4 * SECOND)

    assert kit.reader.last_receipt(str(OPS)) == "first, but later"
    assert kit.reader.last_receipt("slack:#nowhere") is None


@pytest.mark.parametrize(
    "piece",
    [
        Text("tea & <biscuits>, \u2026 \U0001f600 \r\n\t"),
        Text(""),
        Blocks({"blocks": [{"type": "divider"}], "text": "ä", "deep": {"n": [1, 2.5, None, True]}}),
        Upload("a b?.png", bytes(range(256)), title="Title", comment="a\nb"),
        Upload("empty", b""),
        Text("x" * 1_000_000),
    ],
)
def test_pieces_come_back_as_they_were(kit: Kit, piece: Piece) -> None:
    (new,) = kit.enqueue(message("a", piece=piece))

    kit.reopen()

    assert new.message.piece == piece
    assert [delivery.message.piece for delivery in kit.outbox()] == [piece]


def test_what_no_database_keeps_is_replaced_and_loses_nothing_else(kit: Kit) -> None:
    odd = "a\ud800b\0c\udfff"
    kit.enqueue(
        message("text", piece=Text(odd)),
        message("blocks", piece=Blocks({"text": "x\ud800y"})),
        message("upload", piece=Upload("n\udc80", b"\0", comment="\udfff")),
        message(odd, Address("slack", odd)),
    )

    pieces = [delivery.message.piece for delivery in kit.outbox()]

    assert pieces[:3] == [
        Text("a\ufffdb\ufffdc\ufffd"),
        Blocks({"text": "x\ufffdy"}),
        Upload("n\ufffd", b"\0", comment="\ufffd"),
    ]
    assert kit.waiting(Address("slack", odd)) == ["a\ufffdb\ufffdc\ufffd"]


def test_a_file_that_was_not_read_is_refused_with_the_whole_batch(kit: Kit) -> None:
    batch = Batch(messages=[message("a"), message("b", piece=Upload("f", Path("f")))], states={"a": State()}, at=T)

    with pytest.raises(TypeError, match="f"):
        kit.store.commit(batch)

    assert kit.outbox() == []
    assert kit.reader.snapshot() == Snapshot()


def test_a_naive_instant_is_refused_with_the_whole_batch(kit: Kit) -> None:
    batch = Batch(messages=[message("a")], seen={"a": JobProgress(T.replace(tzinfo=None))}, at=T)

    with pytest.raises(TypeError):
        kit.store.commit(batch)

    assert kit.outbox() == []


def test_old_deliveries_are_forgotten_but_never_queued_ones(kit: Kit) -> None:
    ids = [delivery.id for delivery in kit.enqueue(*map(message, ["sent", "dead", "queued"]))]
    kit.mark(ids[0], Status.SENT)
    kit.mark(ids[1], Status.DEAD)

    kit.store.prune(T + timedelta(days=30), HistoryLimits(days=30))
    assert len(kit.outbox()) == 3

    kit.store.prune(T + timedelta(days=30, seconds=1), HistoryLimits(days=30))
    assert [delivery.message.key for delivery in kit.outbox()] == ["queued"]


def test_a_reader_sees_each_commit_at_once(kit: Kit) -> None:
    assert kit.waiting() == []

    for n in range(3):
        kit.enqueue(message(str(n)))
        assert kit.waiting() == [str(number) for number in range(n + 1)]
