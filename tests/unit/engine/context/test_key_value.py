from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from slack_alert.core.errors import BadValue, StoreError
from slack_alert.core.model.run import Action, Run, output_of
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.context.key_value import Cipher, KeyValueStore
from slack_alert.engine.simulation.doubles import VirtualClock
from tests.fakes.engine_rig import at


class Drawer:
    """A key-value store with its clock and its writes."""

    def __init__(self, *entries: StoredValue) -> None:
        self.clock = VirtualClock(at("16 12:00"))
        self.written: list[StoredValue] = []
        self.key_value_store = KeyValueStore("db", entries, write=self.written.extend, now=self.clock.now)

    def reopened(self) -> KeyValueStore:
        return KeyValueStore("db", self.written, write=self.written.extend, now=self.clock.now)


@pytest.mark.parametrize("value", [None, 0, "ü", 1.5, [1, 2], {"a": {"b": [None]}}, True])
def test_value_is_the_same_now_and_after_a_restart(value: object) -> None:
    drawer = Drawer()
    drawer.key_value_store.set("last", value)

    assert value == drawer.key_value_store.get("last", "none")
    assert value == drawer.reopened().get("last", "none")


def test_value_that_is_too_long_is_refused_and_the_old_one_stays() -> None:
    drawer = Drawer()
    drawer.key_value_store.set("last", 1)

    with pytest.raises(ValueError, match="values of 1,000,000 characters at most, and that of 'last' has 1,000,002"):
        drawer.key_value_store.set("last", "x" * 1_000_000)
    assert drawer.key_value_store.get("last") == 1


def test_missing_value_is_the_default() -> None:
    assert Drawer().key_value_store.get("last") is None
    assert Drawer().key_value_store.get("last", 3) == 3


def test_what_is_got_is_a_copy() -> None:
    drawer = Drawer()
    drawer.key_value_store.set("seen", [1])
    drawer.key_value_store.get("seen").append(2)

    assert drawer.key_value_store.get("seen") == [1]


@pytest.mark.parametrize("expires", [60, "60s", "1m", timedelta(minutes=1)])
def test_value_expires_at_its_instant(expires: object) -> None:
    drawer = Drawer()
    drawer.key_value_store.set("last", 1, expires=expires)
    drawer.clock.set(at("16 12:00:59"))

    assert drawer.key_value_store.get("last") == 1
    drawer.clock.set(at("16 12:01"))
    assert drawer.key_value_store.get("last") is None
    assert drawer.key_value_store.keys() == []
    assert drawer.written == [StoredValue("db", "last", "1", at("16 12:01"))]


def test_deleting_forgets_and_is_no_error_twice() -> None:
    drawer = Drawer(StoredValue("db", "last", "1"))
    drawer.key_value_store.delete("last")
    drawer.key_value_store.delete("last")

    assert drawer.key_value_store.get("last") is None
    assert drawer.written == [StoredValue("db", "last", None), StoredValue("db", "last", None, is_same=True)]


def test_keys_are_those_with_a_value_in_order() -> None:
    drawer = Drawer(StoredValue("db", "b", "null"), StoredValue("db", "a", "1"), StoredValue("db", "c", None))

    assert drawer.key_value_store.keys() == ["a", "b"]


@pytest.mark.parametrize(
    ("key", "value", "expires", "error"),
    [
        ("last", {1, 2}, None, TypeError),
        ("last", object(), None, TypeError),
        (3, 1, None, TypeError),
        ("last", 1, "soon", BadValue),
        ("last", 1, -1, BadValue),
    ],
)
def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    key: str, value: object, expires: object, error: type[Exception]
) -> None:
    drawer = Drawer(StoredValue("db", "last", "1"))

    with pytest.raises(error):
        drawer.key_value_store.set(key, value, expires=expires)
    assert drawer.written == []
    assert drawer.key_value_store.get("last") == 1


SENSOR = Action("db.seek", "plugins/db.py", 3, "", print)


def sensing(drawer: Drawer, emits: tuple[str, ...] = ("found",)) -> tuple[Run, KeyValueStore]:
    run = Run(1, "db.seek", SENSOR, at("16 12:00"), emits=emits)
    return run, drawer.key_value_store.for_run(run)


def test_what_a_sensor_sets_is_seen_at_once_and_kept_with_what_it_notices() -> None:
    drawer = Drawer()
    run, own = sensing(drawer)
    own.set("until", 7)
    own.set("found", 1)
    own.delete("gone")

    assert (own.get("until"), drawer.key_value_store.get("until"), drawer.written) == (7, 7, [])

    output_of(run).keep_values()
    assert [(entry.key, entry.value) for entry in drawer.written] == [("until", "7"), ("found", "1"), ("gone", None)]

    output_of(run).keep_values()
    assert len(drawer.written) == 3


def test_what_somebody_set_anew_before_a_sensor_noticed_anything_stands() -> None:
    drawer = Drawer()
    run, own = sensing(drawer)
    own.set("until", 7)
    drawer.key_value_store.set("until", 9)

    output_of(run).keep_values()
    assert drawer.reopened().get("until") == drawer.key_value_store.get("until") == 9


def test_what_no_sensor_sets_is_kept_at_once() -> None:
    drawer = Drawer()
    run, own = sensing(drawer, emits=())
    own.set("until", 7)

    assert (run.progress.output, [entry.value for entry in drawer.written]) == (None, ["7"])


def test_a_sensor_s_key_must_be_a_string_too() -> None:
    with pytest.raises(TypeError, match=r"a key of ctx\.store must be a string, got 5"):
        sensing(Drawer())[1].set(5, 1)  # type: ignore[arg-type]


class Backwards:
    """A cipher that writes texts backwards."""

    def encrypt(self, text: str) -> str:
        return text[::-1]

    decrypt = encrypt


class OtherProcess:
    """The owner of the database, in which somebody else sets a value first, so many times."""

    def __init__(self, *entries: StoredValue, interferes: int = 0) -> None:
        self.entries = {entry.key: entry for entry in entries}
        self.interferes = interferes

    def look(self) -> list[StoredValue]:
        return [*self.entries.values(), StoredValue("other", "last", "0")]

    def swap(self, entry: StoredValue, expected: str | None) -> bool:
        if self.interferes > 0:
            self.interferes -= 1
            before = json.loads(self.entries[entry.key].value or "0")
            self.entries[entry.key] = StoredValue("db", entry.key, json.dumps(before + 10))
        present = self.entries.get(entry.key)
        if (None if present is None else present.value) != expected:
            return False
        self.entries[entry.key] = entry
        return True


def foreign(owner: OtherProcess, cipher: Cipher | None = None) -> KeyValueStore:
    def write(entries: Sequence[StoredValue]) -> None:
        owner.entries.update({entry.key: entry for entry in entries})

    return KeyValueStore("db", (), write=write, now=lambda: at("16 12:00"), owner=owner, cipher=cipher)


@pytest.mark.parametrize(
    ("present", "expected", "is_set"),
    [
        (None, None, True),
        (None, 0, False),
        ("1", 1, True),
        ("1", "1", False),
        ("1", None, False),
        ('{"a": [1, 2]}', {"a": (1, 2)}, True),
        ('{"a": 1, "b": 2}', {"b": 2, "a": 1}, True),
        ('"x"', "x", True),
    ],
)
@pytest.mark.parametrize("is_foreign", [False, True], ids=["own", "another process's"])
def test_a_value_is_set_only_in_the_place_of_the_expected_one(
    is_foreign: bool, present: str | None, expected: object, is_set: bool
) -> None:
    entries = [] if present is None else [StoredValue("db", "last", present)]
    store = foreign(OtherProcess(*entries)) if is_foreign else Drawer(*entries).key_value_store
    before = store.get("last")

    assert store.compare_and_set("last", expected, "new") is is_set
    assert store.get("last") == ("new" if is_set else before)


def test_a_value_that_has_expired_is_none_to_compare_with() -> None:
    drawer = Drawer(StoredValue("db", "last", "1", at("16 11:00")))

    assert not drawer.key_value_store.compare_and_set("last", 1, 2)
    assert drawer.key_value_store.compare_and_set("last", None, 2)


def test_an_update_loses_nothing_that_comes_between() -> None:
    owner = OtherProcess(StoredValue("db", "last", "1"), interferes=3)

    assert foreign(owner).update("last", lambda last: last + 1) == 32
    assert owner.entries["last"].value == "32"


def test_an_update_that_never_comes_through_is_told() -> None:
    with pytest.raises(StoreError, match="'last' was changed 100 times by others while it was to be updated"):
        foreign(OtherProcess(StoredValue("db", "last", "1"), interferes=1000)).update("last", lambda last: last + 1)


def test_updates_of_many_threads_are_all_there() -> None:
    drawer = Drawer()

    def add(_: int) -> None:
        for _ in range(50):
            drawer.key_value_store.update("n", lambda n: n + 1, 0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))

    assert drawer.key_value_store.get("n") == 200


def test_an_encrypted_value_is_read_as_it_was_and_stays_encrypted() -> None:
    written: list[StoredValue] = []
    store = KeyValueStore("db", (), write=written.extend, now=lambda: at("16 12:00"), cipher=Backwards())
    store.set("token", "abc", encrypt=True)
    store.set("token", "abcd")
    assert store.compare_and_set("token", "abcd", "abcde")
    store.set("plain", "abc")

    assert [one.value for one in written] == ['!"cba"', '!"dcba"', '!"edcba"', '"abc"']
    assert (store.get("token"), store.keys()) == ("abcde", ["plain", "token"])
    store.set("token", "open", encrypt=False)
    assert written[-1].value == '"open"'


def test_an_encrypted_value_of_another_process_stays_encrypted() -> None:
    owner = OtherProcess(StoredValue("db", "token", '!"cba"'))
    store = foreign(owner, Backwards())

    assert store.get("token") == "abc"
    store.set("token", "x")
    assert store.compare_and_set("token", "x", "y")
    assert owner.entries["token"].value == '!"y"'


def test_without_a_cipher_nothing_is_written_in_the_clear() -> None:
    drawer = Drawer(StoredValue("db", "token", '!"cba"'))

    with pytest.raises(StoreError):
        drawer.key_value_store.set("other", "abc", encrypt=True)
    with pytest.raises(StoreError):
        drawer.key_value_store.get("token")
    assert drawer.written == []


def test_what_a_sensor_compares_and_sets_is_kept_with_what_it_notices() -> None:
    drawer = Drawer(StoredValue("db", "until", "7"))
    run, own = sensing(drawer)

    assert own.compare_and_set("until", 7, 8)
    assert not own.compare_and_set("until", 7, 9)
    assert drawer.written == []
    output_of(run).keep_values()
    assert [one.value for one in drawer.written] == ["8"]


def test_what_a_sensor_has_set_since_it_noticed_is_taken_back_where_it_fails() -> None:
    drawer = Drawer(StoredValue("db", "until", "7"), StoredValue("db", "shared", "1"))
    run, own = sensing(drawer)
    own.set("until", 8)
    output_of(run).keep_values()
    for key in ("until", "new", "shared"):
        own.set(key, 9)
    own.set("until", 10)
    drawer.key_value_store.set("shared", 2)
    output_of(run).drop_values()
    output_of(run).end()

    assert [drawer.key_value_store.get(key) for key in ("until", "new", "shared")] == [8, None, 2]
    assert [one.value for one in drawer.written] == ["8", "2"]
