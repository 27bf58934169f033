"""Tell somebody outside, once a minute, that clock and delivery are both healthy."""

from __future__ import annotations

import logging
import ssl
import threading
import urllib.error
import urllib.request

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10.0


class Heartbeat:
    """Fetches one address; a failure is logged when it begins and when it ends."""

    def __init__(self, url: str, *, proxy: str | None = None, ca_file: str | None = None) -> None:
        self._url = url
        proxies = {"http": proxy, "https": proxy} if proxy else None
        context = ssl.create_default_context(cafile=ca_file)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=context)
        )
        self._is_failing = False
        self._beating: threading.Thread | None = None

    def beat(self) -> None:
        """Fetch it once, beside everything else; nobody waits for it, the end of the program included."""
        if self._beating is None or not self._beating.is_alive():
            self._beating = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._beating.start()

    def _beat(self) -> None:
        reason = self._fetch()
        if reason and not self._is_failing:
            log.warning("heartbeat failed", extra={"reason": reason})
        elif not reason and self._is_failing:
            log.info("heartbeat works again")
        self._is_failing = reason is not None

    def _fetch(self) -> str | None:
        try:
            with self._opener.open(self._url, timeout=_TIMEOUT_SECONDS) as answer:
                answer.read(1024)
        except (OSError, urllib.error.URLError, ValueError) as error:
            # The address may carry a secret, so only the kind of the failure is told.
            code = getattr(error, "code", None)
            return f"{type(error).__name__}{f' {code}' if code else ''}"
        return None
