"""Values of libraries that need not be installed: recognised by their types and attributes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from slack_alert.core.content.measurements import measured
from slack_alert.core.content.render import Text, Upload, fallback, pieces
from tests.fakes.engine_rig import MARK
from tests.fakes.returned import fenced


def said(value: object) -> list[str]:
    return [fallback(piece) for piece in pieces(value, mark=MARK, name="lag", doc=None)]


def vendors(module: str, name: str, **methods: Any) -> Any:
    """Return an instance of a class that looks like a library's."""
    return type(name, (), {"__module__": module, **methods})()


# --- records


class Struct(msgspec.Struct):
    host: str
    lag: int


def model(**fields: Any) -> Any:
    declared = {name: SimpleNamespace(repr=name != "password") for name in fields}
    kind = type("Model", (type("BaseModel", (), {"__module__": "pydantic.main"}),), {"model_fields": declared})
    made = kind()
    vars(made).update(fields)
    return made


def old_model(**fields: Any) -> Any:
    declared = {name: SimpleNamespace(field_info=SimpleNamespace(repr=True)) for name in fields}
    kind = type("Model", (type("BaseModel", (), {"__module__": "pydantic.main"}),), {"__fields__": declared})
    made = kind()
    vars(made).update(fields)
    return made


def attrs(**fields: Any) -> Any:
    names = tuple(SimpleNamespace(name=name, repr=name != "password") for name in fields)
    made = type("Host", (), {"__attrs_attrs__": names})()
    vars(made).update(fields)
    return made


class Record:
    """As asyncpg's: it reads like a mapping, but is not one."""

    __module__ = "asyncpg.protocol"

    def keys(self) -> Sequence[str]:
        return ["host", "lag"]

    def __getitem__(self, name: str) -> object:
        return {"host": "db1", "lag": 3}[name]


def namespace(**fields: Any) -> argparse.Namespace:
    return argparse.Namespace(**fields)


RECORDS: Mapping[str, Callable[[], Any]] = {
    "msgspec": lambda: Struct("db1", 3),
    "pydantic": lambda: model(host="db1", lag=3, password="s3cret"),
    "pydantic 1": lambda: old_model(host="db1", lag=3),
    "attrs": lambda: attrs(host="db1", lag=3, password="s3cret"),
    "sqlalchemy": lambda: vendors("sqlalchemy.engine.row", "Row", _mapping={"host": "db1", "lag": 3}),
    "asyncpg": Record,
    "argparse": lambda: namespace(host="db1", lag=3),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_a_row(name: str) -> None:
    made = RECORDS[name]

    assert said(made()) == fenced("host  db1", "lag   3")
    assert said([made(), made()]) == fenced("host  lag", "----  ---", "db1     3", "db1     3")


def test_what_the_numbers_of_a_record_measure_is_kept() -> None:
    assert measured(model(lag=3, load=0.5)) == {"lag": 3, "load": 0.5}


def test_a_model_of_one_value_is_that() -> None:
    assert said(vendors("pydantic.root_model", "RootModel", root=["a", "b"])) == ["a\nb"]


# --- numbers and arrays


class float64(float):  # noqa: N801 - numpy's own name
    def __repr__(self) -> str:
        return f"np.float64({float(self)!r})"

    __str__ = float.__repr__


class str_(str):  # noqa: N801, SLOT000 - as above
    def __repr__(self) -> str:
        return f"np.str_({str(self)!r})"

    def __float__(self) -> float:
        raise ValueError("numpy's text has it all the same")


class Point:
    """A user-defined class whose text contains numpy's types."""

    def __repr__(self) -> str:
        return f"Point({float64(1.5)!r}, {str_('a')!r})"


for kind in (float64, str_):
    kind.__module__ = "numpy"


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (float64(1.5), ["1.5"]),
        ([float64(1.5)], ["1.5"]),
        ({"load": float64(1.5)}, fenced("load  1.5")),
        ({"load": {"p50": float64(1.5)}, "hosts": [str_("db1")]}, fenced("load   {'p50': 1.5}", "hosts  ['db1']")),
        ([(float64(1.5), str_("db1")), (2, str_("a"))], fenced("1.5  db1", "  2  a")),
        ([[[float64(1.5)]]], ["[[1.5]]"]),
        (Point(), ["Point(1.5, 'a')"]),
        ([{"at": Point()}], fenced("at", "---------------", "Point(1.5, 'a')")),
    ],
)
def test_no_type_of_numpy_is_shown_to_people(value: object, texts: list[str]) -> None:
    assert said(value) == texts


def test_an_array_of_records_is_a_table() -> None:
    element = SimpleNamespace(names=("host", "lag"))
    rows = [
        vendors("numpy", "void", dtype=element, __getitem__=lambda _, name: {"host": "db1", "lag": 3}[name])
        for _ in range(2)
    ]
    array = vendors("numpy", "ndarray", ndim=1, dtype=SimpleNamespace(kind="V"), __iter__=lambda _: iter(rows))

    assert said(array) == fenced("host  lag", "----  ---", "db1     3", "db1     3")


def test_the_text_of_any_other_array_is_its_own() -> None:
    array = vendors("numpy", "ndarray", ndim=1, dtype=SimpleNamespace(kind="f"), __str__=lambda _: "[1. 2.]")

    assert said(array) == ["[1. 2.]"]


def test_an_index_is_its_items() -> None:
    assert said(vendors("pandas.core.indexes.base", "Index", tolist=lambda _: ["a", "b"])) == ["a\nb"]


def test_a_lazy_frame_is_collected() -> None:
    frame = vendors("polars.lazyframe", "LazyFrame", collect=lambda _: ["collected"])

    assert said(frame) == ["collected"]


# --- answers


def response(status: int, content: bytes, *, module: str = "requests.models") -> Any:
    def check(_: object) -> None:
        if status >= 400:
            raise OSError(f"{status} for url")

    return vendors(
        module,
        "Response",
        __bool__=lambda _: status < 400,
        content=content,
        text=content.decode("latin-1"),
        raise_for_status=check,
    )


@pytest.mark.parametrize("module", ["requests.models", "httpx._models"])
def test_a_response_is_its_body(module: str) -> None:
    assert said(response(200, b"f\xfcnf", module=module)) == ["f\xfcnf"]
    assert said(response(200, b"\xff\xd8\xff\xe0", module=module)) == ["lag.jpg (4 B)"]
    assert said(response(204, b"", module=module)) == []


@pytest.mark.parametrize("status", [404, 500])
def test_a_response_that_says_no_is_an_error_and_not_quiet(status: int) -> None:
    with pytest.raises(OSError, match=f"{status} for url"):
        said(response(status, b"gone"))


# --- the libraries themselves, where they are installed


def test_numpy_itself() -> None:
    np = pytest.importorskip("numpy")
    records = np.array([("db1", 3)], dtype=[("host", "U3"), ("lag", int)])

    assert said([np.float64(1.5), np.int64(3)]) == ["1.5\n3"]
    assert said({"a": [np.str_("b"), np.datetime64("2026-01-01")]}) == fenced("a  ['b', 2026-01-01]")
    assert said(records) == fenced("host  lag", "----  ---", "db1     3")
    assert said(np.array([np.float64(1.5), "a"], dtype=object)) == ["1.5\na"]
    assert said(np.array(1.5)) == ["1.5"]


def test_pandas_itself() -> None:
    pd = pytest.importorskip("pandas")
    index = pd.MultiIndex.from_tuples([("x", 1)], names=["h", "n"])

    assert said(pd.Index(["a", "b"])) == ["a\nb"]
    assert said(pd.DataFrame({"a": [pd.NaT]}, index=index)) == fenced("h  n  a", "-  -  ---", "x  1  NaT")


def test_pydantic_and_attrs_themselves() -> None:
    pydantic, attr = pytest.importorskip("pydantic"), pytest.importorskip("attr")
    made = pydantic.create_model("Disk", mount=(str, ...), password=(str, pydantic.Field("x", repr=False)))
    host = attr.make_class("Host", ["name", "load"])

    assert said(made(mount="/")) == fenced("mount  /")
    assert said([host("db1", 1.5)]) == fenced("name  load", "----  ----", "db1    1.5")


def test_what_a_library_says_is_plain_text() -> None:
    """The methods of a subclass are not called on the posted text."""

    class Safe(str):
        __slots__ = ()

        def __str__(self) -> str:
            return self

        def translate(self, *_: object) -> str:
            raise AssertionError("called")

    [piece] = pieces(Safe("a & b\x00"), mark=MARK, name="lag", doc=None)

    assert isinstance(piece, Text)
    assert (type(piece.text), piece.text) == (str, "a &amp; b\ufffd")


def test_a_file_is_named_after_the_function() -> None:
    [piece] = pieces(b"%PDF-1.7", mark=MARK, name="lag", doc=None)

    assert piece == Upload("lag.pdf", b"%PDF-1.7")
