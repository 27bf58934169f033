"""Read what a process writes to its standard error beside Python: pass on as much as it may, keep the last of it."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from time import monotonic
from typing import IO

from slack_alert.core.model.run import Run, RunProgress, output_of
from slack_alert.core.structs import replace
from slack_alert.core.units.allowance import Allowance
from slack_alert.executors.calling.output import current

#: So many bytes may be passed on at once, and in each second from then on.
_BURST, _PER_SECOND = 256 * 1024, 64 * 1024
_CHUNK = 64 * 1024
#: The bytes that are kept: what a process says before it crashes.
_LAST = 4096
_LINES = 15
#: Seconds that are waited for the rest after the end of the process: a descendant may keep the stream open.
_PATIENCE = 0.5


class ErrorStream:
    """Passes on, on a thread of its own, what the process of a run writes, under the name of its job."""

    def __init__(self, stream: IO[bytes], run: Run) -> None:
        self._stream = stream
        # What it writes while the function prints must not come into the middle of a line of that.
        self._run = replace(run, progress=RunProgress())
        self._last = b""
        self._thread = threading.Thread(target=self._read, name=f"{run.binding} stderr", daemon=True)
        self._thread.start()

    def last(self) -> str:
        """Return the last that was written, once the process has ended."""
        self._thread.join(_PATIENCE)
        lines = self._last.decode("utf-8", "replace").strip().splitlines()
        return "\n".join(lines[-_LINES:])

    def _read(self) -> None:
        current.set(self._run)
        allowance, dropped = Allowance(_BURST, _PER_SECOND), 0
        with suppress(OSError, ValueError), self._stream:
            while chunk := self._stream.read1(_CHUNK):  # type: ignore[attr-defined]  # a pipe is buffered
                self._last = (self._last + chunk)[-_LAST:]
                allowed = int(allowance.use(len(chunk), monotonic()))
                if dropped and allowed == len(chunk):
                    sys.stderr.write(f"\n[{dropped:,} bytes more were written]\n")
                    dropped = 0
                dropped += len(chunk) - allowed
                sys.stderr.write(chunk[:allowed].decode("utf-8", "replace"))
        if dropped:
            sys.stderr.write(f"\n[{dropped:,} bytes more were written]\n")
        output_of(self._run).end()
