"""What values are made of: structs compare, print and hash by what they hold, as frozen dataclasses do.

They are made and copied in C, so a class costs a start a thirtieth of a dataclass, and a value a fifth.
"""

from typing import Any, ClassVar, TypeVar

from msgspec import MsgspecError, Struct, field, json, msgpack
from msgspec.structs import asdict, astuple, force_setattr, replace

__all__ = (
    "PrivateStruct", "Struct", "Unreadable", "asdict", "astuple", "derive", "field", "from_packed", "replace",
    "to_json", "to_packed",
)  # fmt: skip

_T = TypeVar("_T")

#: Sets a field of a frozen struct, in its `__post_init__` and nowhere else.
derive = force_setattr

#: Writes what JSON knows in UTF-8, and NaN as null, in a tenth of the time of the standard library; raises
#: UnicodeEncodeError for half of a surrogate pair, which has no place there, and TypeError for anything else, which a
#: class derived from `str`, `int` or `float` is.
to_json = json.Encoder().encode

#: Writes structs, and what they hold, in bytes for `from_packed`; raises as `to_json` does, and OverflowError.
to_packed = msgpack.Encoder().encode

#: What is wrong with bytes that hold something else.
Unreadable = MsgspecError


def from_packed(packed: bytes, kind: type[_T]) -> _T:
    """Read what `to_packed` wrote; raise Unreadable where it is not of that kind."""
    return msgpack.decode(packed, type=kind)


class PrivateStruct(Struct, frozen=True):
    """A struct that keeps some of its fields to itself wherever it is shown."""

    hidden: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # Any: it is the base's
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name not in self.hidden]
