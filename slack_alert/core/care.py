"""How a run is looked after: how long it may take, how often it is tried, where it is called."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from slack_alert.core.backoff import growing
from slack_alert.core.structs import Struct

#: No retry waits longer than this, unless its first delay is longer already.
LONGEST_DELAY = timedelta(hours=1)


class Isolation(str, Enum):
    """Where a function is called."""

    NONE = "none"
    #: In a process of its own, which can be killed.
    PROCESS = "process"

    def __str__(self) -> str:
        """Give the word users write."""
        return self.value


class Care(Struct, frozen=True):
    """What a job asks for its runs."""

    #: None: as long as it likes.
    timeout: timedelta | None = None
    #: How often a run that failed is tried again.
    retries: int = 0
    #: Before the first retry; each further delay is twice as long.
    retry_delay: timedelta = timedelta(seconds=30)
    isolation: Isolation = Isolation.NONE
    #: In bytes; binds a process of its own, as does the time of the processor.
    memory: int | None = None
    cpu: timedelta | None = None

    def delay(self, attempt: int, chance: float) -> timedelta:
        """Give the time between the failure of an attempt (1 is the first) and the next one.

        `chance` in [0, 1) adds up to a quarter, so that what failed together is not tried again together.
        """
        last = max(self.retry_delay, LONGEST_DELAY)
        return growing(self.retry_delay, last, attempt) * (1 + chance / 4)


#: What a job has that asks for nothing; one object, so that it costs a comparison to see that there is nothing to do.
CAREFREE = Care()
