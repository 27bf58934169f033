"""What a long run must have met: where one of these stays at zero, the simulation does not reach what it should."""

from __future__ import annotations

from collections.abc import Iterator

from slack_alert.core.model.reason import ReasonCode
from slack_alert.core.model.record import Verdict
from tests.simulation.figures import Figures
from tests.simulation.options import FAULTS

#: Verdicts that no seed reaches: the gate's own word for "it may", and what has an entry in the audit instead.
_NO_VERDICT = frozenset({Verdict.GO, Verdict.DENIED})
#: Reasons that no seed reaches: what a former version wrote, and those of sensors that run for ever and of rules that
#: wait or are throttled, which no plugin of `plugins.py` is.
_NO_REASON = frozenset(
    {ReasonCode.OTHER, ReasonCode.ENDED, ReasonCode.GIVEN_UP, ReasonCode.RESTARTED, ReasonCode.THROTTLED}
)
#: Faults that are counted by what they do: to lives, to files, to clocks, to the inbox.
_BY_THEIR_DEEDS = frozenset({
    "kills", "early_kills", "rows_of_kills", "kills_at_writes", "kills_of_runs", "stops", "freezes", "clock_steps",
    "long_downtimes", "torn_journal", "edits", "half_edits", "requests", "interleavings",
})  # fmt: skip

ALWAYS: tuple[str, ...] = (
    *(f"verdict {verdict.value}" for verdict in Verdict if verdict not in _NO_VERDICT),
    *(f"reason {code.value}" for code in ReasonCode if code not in _NO_REASON),
    *(fault for fault in FAULTS if fault not in _BY_THEIR_DEEDS),
    # What functions do.
    *(
        f"function: {does}"
        for does in ("quiet", "speak", "fail", "wait", "say", "store", "print", "pause", "never", "die")
    ),
    # What other processes ask for, and when.
    "request Acknowledge",
    "request MuteJob",
    "request PauseJob",
    "request ResumeJob",
    "request while a run goes on",
    "request during a downtime",
    # What the service answers, and what does not come back.
    "accepted",
    "edited",
    "lost before",
    "refused",
    "lost after",
    "garbage",
    "revoked",
    "rate limited",
    "call conversations.history",
    "call conversations.replies",
    # What the disk does.
    "failed commit",
    "slow commit",
    "not kept on a full disk",
    "torn entry",
    # How lives end and begin.
    "kill while a run goes on",
    "kill in a storm",
    "kill on a full disk",
    "kill while nothing arrives",
    "kill before it was ready",
    "kill within a second of a start after a kill",
    "kill between acceptance and mark",
    "kill between append and commit",
    "end",
    "stop while a run goes on",
    "stop in a storm",
    "stop while nothing arrives",
    "start in a storm",
    "start on a full disk",
    "start while nothing arrives",
    "long downtime",
    # What meets a run, or no program at all.
    "storms while nothing arrives",
    "storms on a full disk",
    "clock set back while a run goes on",
    "clock set forward while a run goes on",
    "clock set back during a downtime",
    "clock set forward during a downtime",
    "freeze while a run goes on",
    "freeze in a storm",
    "edit while a run goes on",
    "edit in a storm",
    "edit during a downtime",
    "half an edit while a run goes on",
    "half an edit during a downtime",
    "file taken away while a run goes on",
    "file taken away during a downtime",
    # What people write, how it comes, and what becomes of it.
    *(f"asked {kind}" for kind in ("command", "later", "wrong", "verb", "cancel")),
    *(f"audit {word}" for word in ("ran", "failed", "denied", "refused", "expired", "canceled", "interrupted")),
    *(f"command: {does}" for does in ("quiet", "speak", "fail", "wait", "ignore", "progress", "say", "store", "die")),
    "acknowledged",
    "message edited",
    "message removed",
    "rights changed",
    "responded",
    "envelope came several times",
    "envelope came late",
    "envelope came again",
    "envelope lost",
    "envelope without a socket",
    "socket opened",
    "socket refused",
    "socket cut",
    "socket announced",
    "socket deaf",
    "command cut off by a kill",
    "command heeds its cancellation",
    "command waited over a kill",
    "command canceled before it began",
    "right lost before a run began",
)

#: The exit code where something was never met, and no law was broken.
NEVER_MET = 2


def shown(figures: Figures, *, is_all: bool, took: float | None = None) -> Iterator[str]:
    """Yield the figures as a table; with `is_all`, what must be met and was not is in it.

    `took`: seconds, where it was not done by one process.
    """
    real = max(took or figures.real, 0.001)
    yield (
        f"{figures.seeds:,} seeds, {figures.lives:,} lives, {figures.calls:,} calls, "
        f"{figures.simulated / 3600:,.1f} h of time ({figures.alive / 3600:,.1f} h of it running) "
        f"in {real:,.1f} s: {figures.simulated / real:,.0f} times ({figures.alive / real:,.0f} running)"
    )
    names = sorted({*figures.met, *(ALWAYS if is_all else ())})
    width = max(map(len, names), default=0)
    for name in names:
        yield f"  {name:{width}} {figures.met[name]:9,}{'' if figures.met[name] else '  NEVER MET'}"
    for seed, violation in sorted(figures.failing.items()):
        yield f"seed {seed} fails: {violation}"
    if figures.failing:
        yield f"{len(figures.failing)} of {figures.seeds:,} seeds fail, first {min(figures.failing)}"
    elif is_all and (never := never_met(figures)):
        yield f"{len(never)} of {len(ALWAYS)} were never met: {', '.join(never)}"


def never_met(figures: Figures) -> list[str]:
    """Return what was not met."""
    return [name for name in ALWAYS if not figures.met[name]]


def exit_code(figures: Figures, *, is_all: bool) -> int:
    """Return 1 where a law was broken, and 2 where something that must be met was not."""
    if figures.failing:
        return 1
    return NEVER_MET if is_all and never_met(figures) else 0
