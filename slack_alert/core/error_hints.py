"""Hints for errors about objects bound to one thread or one event loop, whose own messages do not help."""

from __future__ import annotations

from slack_alert.core.patterns import lazy_pattern

_HERE = "make it in the function that uses it"

#: Type name of the error, pattern of its message, and the hint.
_ADVICE = tuple(
    (kind, lazy_pattern(said), advice)
    for kind, said, advice in (
        (
            "ProgrammingError",
            r"can only be used in that same thread",
            f"functions run on other threads than their file was loaded on: {_HERE}, or with check_same_thread=False",
        ),
        (
            "AttributeError",
            r"^'(_thread\._local|\w*[lL]ocal)' object has no attribute",
            "what was set on one thread is not there on the others, on which functions run: set it in the function",
        ),
        ("error", r"cannot switch to a different thread", f"a greenlet belongs to the thread that made it: {_HERE}"),
        (
            "RuntimeError",
            r"There is no current event loop",
            "plain functions run on threads without one: write `async def`, or call asyncio.run",
        ),
        ("RuntimeError", r"no running event loop", "it needs an event loop that runs: make it in an `async def`"),
        (
            "RuntimeError",
            r"(bound|attached) to a different (event )?loop",
            f"it belongs to the event loop on which it was made: {_HERE}; all `async def` functions have the same one",
        ),
        (
            "ValueError",
            r"^signal only works in main thread",
            'signals are the program\'s: leave it out, or let the function run with isolation="process"',
        ),
    )
)


def advice_on(kind: str, message: str) -> str:
    """Return the hint for an error of this type with this message, or an empty text if there is none."""
    return next((advice for each, said, advice in _ADVICE if each == kind and said.search(message)), "")


def with_advice(kind: str, message: str) -> str:
    """Return the message of an error, followed by its hint in parentheses if there is one."""
    advice = advice_on(kind, message)
    return f"{message} ({advice})" if advice else message
