"""Events that the program itself emits, for the rules that name them."""

from __future__ import annotations

#: The end of a run: by its value, or by an exception or a timeout.
RUN_SUCCEEDED, RUN_FAILED = "run.succeeded", "run.failed"
#: The end of a sensor's process; a value of the store; a file of a pack; a message that is no command.
SENSOR_EXITED, STORE_CHANGED, PACK_CHANGED, CHAT_MESSAGE = (
    "sensor.exited", "store.changed", "pack.changed", "chat.message",
)  # fmt: skip
BUILT_IN = frozenset({RUN_SUCCEEDED, RUN_FAILED, SENSOR_EXITED, STORE_CHANGED, PACK_CHANGED, CHAT_MESSAGE})
