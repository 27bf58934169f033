"""A value as words, where Python's own `str` says too little or refuses."""

from __future__ import annotations


def read(value: object) -> str:
    """Return what a person reads: bytes as UTF-8, an exception with its type, anything else as `str` has it."""
    if type(value) is str:
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, BaseException):
        said = str(value)
        return f"{type(value).__name__}: {said}" if said else type(value).__name__
    return spell(value)


def spell(value: object) -> str:
    """Return `str(value)`; Python refuses to write huge integers in decimal, so those come in hexadecimal."""
    try:
        return str(value)
    except ValueError:
        if not isinstance(value, (int, list, tuple, dict, set, frozenset)):
            raise
        return _spelled_out(value, ())


def _spelled_out(value: object, outer: tuple[int, ...]) -> str:
    if type(value) is int:
        return hex(value) if abs(value) > _LONG else str(value)
    if id(value) in outer:
        return "..."
    inside = (*outer, id(value))
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_spelled_out(child, inside)}' for key, child in value.items())}}}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{', '.join(_spelled_out(child, inside) for child in value)}]"
    return repr(value)


#: Python's own limit lies between 640 and 4,300 digits; beside such a number another one in decimal helps nobody.
_LONG = 10**600
