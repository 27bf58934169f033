"""Tell somebody outside, once a minute, that clock and delivery are both healthy."""

from __future__ import annotations

import logging
import threading

from slack_alert.engine.ping import Ping

log = logging.getLogger(__name__)

#: So many requests may be waited for at once, each of a minute; an address may take hours to say nothing.
_MOST_WAITING = 5


class Heartbeat:
    """Fetches one address; a failure is logged when it begins and when it ends."""

    def __init__(self, url: str, *, proxy: str | None = None, ca_file: str | None = None) -> None:
        self._ping = Ping(url, proxy=proxy, ca_file=ca_file)
        #: Why the last one was not taken; None: it was, or there was none yet.
        self.trouble: str | None = None
        #: Those still waited for; the answer to the last one counts.
        self._beating: list[threading.Thread] = []

    def beat(self) -> None:
        """Fetch it once, beside everything else; nobody waits for it, the end of the program included."""
        self._beating = [each for each in self._beating if each.is_alive()]
        if self._beating:
            self._note("no answer within a minute")
        if len(self._beating) >= _MOST_WAITING:
            return
        thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._beating.append(thread)
        try:
            thread.start()
        except RuntimeError:  # No further thread is to be had.
            self._beating.remove(thread)
            self._note("no thread to ask from")

    def _beat(self) -> None:
        reason = self._ping.send()
        if self._beating[-1:] == [threading.current_thread()]:
            self._note(reason)

    def _note(self, reason: str | None) -> None:
        before, self.trouble = self.trouble, reason
        if reason and not before:
            log.warning("heartbeat failed", extra={"reason": reason})
        elif before and not reason:
            log.info("heartbeat works again")
