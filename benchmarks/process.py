"""A measured program as a process: started, its processor time and memory read, ended."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

_STEP_SECONDS = 0.002
_LONGEST_END_SECONDS = 30.0


class Process:
    """Runs from construction on; `with` ends it."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._out = folder / "out.txt"
        self._errors = folder / "errors.txt"
        self._began = time.monotonic()
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(words, stdout=out, stderr=errors, env=dict(environment), cwd=folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def errors(self) -> str:
        """What it wrote to standard error so far."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    @property
    def processor_seconds(self) -> float:
        """Processor time of all its threads, by the kernel's clock of that process, in nanosecond steps."""
        return time.clock_gettime((~self._process.pid << 3) | 2)

    @property
    def resident_bytes(self) -> int:
        return int(self._status("VmRSS")) * 1024

    def wait_for(self, text: str, seconds: float) -> float:
        """Wait until it has printed a text; return the seconds since its start."""
        while text not in self._out.read_text(encoding="utf-8", errors="replace"):
            passed = time.monotonic() - self._began
            if self._process.poll() is not None or passed > seconds:
                raise RuntimeError(f"{text!r} was not printed within {passed:.1f} s\n{self.errors[-1000:]}")
            time.sleep(_STEP_SECONDS)
        return time.monotonic() - self._began

    def stop(self) -> None:
        """Ask it to end; kill it where it does not."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_LONGEST_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it without warning."""
        self._process.kill()
        self._process.wait()

    def _status(self, name: str) -> str:
        text = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return text.partition(f"{name}:")[2].split()[0]
