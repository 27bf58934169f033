"""The first message, within seconds of the start. Delete this file when you have seen it."""

import platform

NAME = platform.node() or "this machine"


@deco(days=1, at="09:00", at_start=True)
def hello():
    """Say hello, at the start and every morning."""
    return f"Hello from {NAME}! What a function in plugins/ returns is said here."
