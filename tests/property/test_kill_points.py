"""A kill before or after any write loses no slot and no message, and doubles none: each point is tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.commands.audit_chain import head_of
from slack_alert.core.commands.audit_verification import verify
from slack_alert.core.commands.command import Command
from slack_alert.core.model.audit import AuditEntry, AuditVerdict
from slack_alert.core.model.message import DeliveryMode, Message
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import Run, RunOptions
from slack_alert.core.rules.rule import Rule
from slack_alert.core.schedule.triggers import Never
from slack_alert.core.structs import replace
from slack_alert.stores import SqliteReader
from slack_alert.stores.files.audit_key_file import AuditKeyFile
from slack_alert.stores.files.paths import audit_key_path
from tests.fakes.chat_rig import command, text_parameter
from tests.fakes.engine_rig import HOUR, at, make_job, make_policy
from tests.fakes.snapshots import Act, Ask, Begun, Life, Pace, Picture, Said, first_line, restore

NOON = at("16 12:00")
TICK = timedelta(microseconds=1)
#: So many seconds after the kill the next life begins.
INTERVALS = (0.02, 0.6, 1.4, 4.3, 9.0, 75.0)


def seconds(every: float, name: str = "a", **changes: object) -> Job:
    job = make_job(name, every={"seconds": every}, policy=make_policy(max_alert=0))
    return replace(job, **changes)


def minutely(name: str = "a", **changes: object) -> Job:
    return replace(make_job(name, every={"cron": "* * * * *"}, policy=make_policy(max_alert=0)), **changes)


def always(*acts: Act) -> Callable[[Run], Sequence[Act]]:
    return lambda _: acts


def in_turn(*scripts: Sequence[Act]) -> Callable[[Run], Sequence[Act]]:
    """Return a script by which a function does something else each time."""
    return lambda run: scripts[run.id % len(scripts)]


def once(acts: Sequence[Act], *, at: float) -> Callable[[Run], Sequence[Act]]:
    """Return a script by which a function is quiet but for the one slot."""
    return lambda run: acts if run.slot == NOON + timedelta(seconds=at) else QUIET


def by_line(scripts: Mapping[str, Sequence[Act]], other: Sequence[Act]) -> Callable[[Run], Sequence[Act]]:
    """Return a script by which a command does what its argument says."""
    return lambda run: other if run.arguments is None else scripts.get(str(run.arguments.values["app"]), other)


QUIET = ((0.01, ""),)
SAYS = ((0.02, "one"),)
YIELDS = ((0.05, "one"), (0.1, "two"), (0.15, "three"), (0.2, ""))


@dataclass(frozen=True)
class Scenario:
    """What runs in a life that is killed, after how much downtime it begins, and how long the clock stands still."""

    jobs: tuple[Job, ...]
    script: Callable[[Run], Sequence[Act]]
    lasts: float = 3.3
    #: So long after a life that ended by a kill as well; None: it is the first.
    down: float | None = None
    stall: tuple[float, float] = (0.0, 0.0)
    #: The orders of writing that are tried in a usual run; a thorough one tries all. None: one of the two extremes.
    paces: tuple[Pace, ...] = ()
    #: In a usual run, one of so many moments is tried; in a thorough one, six times as many.
    every: int = 4
    scripts: dict[str, Callable[[Run], Sequence[Act]]] = field(default_factory=dict)
    #: What people may ask for, and what they ask for when.
    commands: tuple[Command, ...] = ()
    asks: tuple[Ask, ...] = ()

    def act(self, run: Run) -> Sequence[Act]:
        return self.scripts.get(run.binding, self.script)(run)


COMMANDS = tuple(command(words, parameters=(text_parameter("app"),)) for words in ("deploy", "disk"))
COMMANDS = (COMMANDS[0], replace(COMMANDS[1], queue=None))

SCENARIOS = {
    "quiet": Scenario((seconds(1),), always(*QUIET)),
    "says": Scenario((seconds(1),), always(*SAYS)),
    "yields": Scenario((seconds(1),), always(*YIELDS)),
    "quiet and loud": Scenario((seconds(0.2),), in_turn(QUIET, SAYS, QUIET, QUIET, YIELDS[:2]), lasts=1.7),
    "quiet before": Scenario((seconds(0.2),), once(SAYS, at=1.8), down=1.0, lasts=1.2),
    "slow": Scenario((seconds(1),), always((1.7, "")), lasts=4.2),
    "slow and loud": Scenario((seconds(1),), always((1.2, "one"), (1.7, "two")), lasts=4.2),
    "overlaps": Scenario((seconds(0.2),), in_turn(((0.25, ""),), ((0.45, "one"),)), lasts=1.7, paces=tuple(Pace)),
    "fails": Scenario((seconds(1),), always((0.02, "fail"))),
    "pauses": Scenario((seconds(0.5, policy=make_policy(max_alert=2)),), always(*SAYS), lasts=2.2),
    "outside hours": Scenario((seconds(1, policy=make_policy("9:00-10:00")),), always(*SAYS), lasts=2.2),
    "at the start": Scenario((seconds(2, at_start=True),), in_turn(QUIET, SAYS, YIELDS), lasts=3.3),
    "made up, quiet": Scenario((seconds(20),), always((0.3, "")), down=69.0, lasts=1.5),
    "made up, loud": Scenario((seconds(2),), in_turn(SAYS, YIELDS), down=13.0, lasts=1.5),
    "made up, slow": Scenario((seconds(2),), always((1.0, "one"), (2.5, "")), down=13.0, lasts=3.5),
    "missed": Scenario((minutely(),), always(*SAYS), down=200.0, lasts=1.5),
    "caught up": Scenario((minutely(catch_up=HOUR),), always((0.1, "one"), (0.3, "")), down=200.0, lasts=1.5),
    "standing still": Scenario((seconds(1), minutely("b")), always(*SAYS), stall=(1.5, 130.0), lasts=131.5),
    "late": Scenario((seconds(20),), always((0.4, "")), stall=(19.0, 29.8), lasts=30.4),
    "many": Scenario(
        tuple(seconds(1, f"j{number:02}") for number in range(33)),
        in_turn(QUIET, QUIET, QUIET, SAYS, ((3.0, ""),)), stall=(1.5, 4.5), lasts=4.6, paces=(Pace.PUTS,), every=20,
    ),
    "sensor": Scenario(
        (seconds(1, "s", emits=("x",)), replace(seconds(1, "r"), trigger=Never(), rule=Rule(("x",), {}))),
        always(), scripts={"s": always((0.01, "emit"), (0.05, "")), "r": always(*SAYS)},
    ),
    "audited": Scenario(
        (seconds(1, "a"), seconds(1, "b")),
        always(),
        scripts={"a": always((0.01, "audit"), (0.02, "one"), (0.03, "audit"), (0.04, "")), "b": always(*SAYS)},
    ),
    "audited alone": Scenario(
        (seconds(0.5),), always((0.01, "audit"), (0.02, "")), down=9.0, lasts=1.7
    ),
    "answers late": Scenario(
        (seconds(0.2, "s", emits=("x",)), replace(seconds(1, "r"), trigger=Never(), rule=Rule(("x",), {}))),
        always(), scripts={"s": always((0.01, "emit"), (0.02, "")), "r": in_turn(((0.5, ""),), ((0.3, "one"),))},
        lasts=1.7,
    ),
    "answers once more": Scenario(
        (
            seconds(0.2, "s", emits=("x",)),
            replace(seconds(1, "r"), trigger=Never(), rule=Rule(("x",), {}), run_options=RunOptions(retries=1)),
        ),
        always(), scripts={"s": always((0.01, "emit"), (0.02, "")), "r": in_turn(((0.5, ""),), ((0.3, "one"),))},
        lasts=1.7,
    ),
    "answers and runs": Scenario(
        (seconds(1, "s", emits=("x",)), seconds(7, "r", rule=Rule(("x",), {}))),
        always(), scripts={"s": always((0.01, "emit"), (0.05, "")), "r": always(*SAYS)}, down=20.0, lasts=1.5,
    ),
    "commands": Scenario(
        (), by_line({"a": SAYS, "c": ((0.2, "one"), (0.4, "fail"))}, ((0.3, ""),)), commands=COMMANDS,
        asks=((0.1, "deploy a"), (0.15, "deploy b"), (0.2, "deploy c"), (0.25, "deploy d"), (0.3, "nonsense"),
              (0.7, "disk e"), (0.7, "deploy f")),
        lasts=1.4,
    ),
    "commands at once": Scenario(
        (), always(*SAYS), commands=COMMANDS, asks=tuple((0.1, f"deploy {name}") for name in "abcdef"), lasts=0.6,
    ),
    "commands beside jobs": Scenario(
        (seconds(0.5),), always(*SAYS), commands=COMMANDS,
        asks=((0.1, "disk a"), (0.5, "disk b"), (0.6, "disk c"), (1.0, "deploy d")), lasts=1.4,
    ),
    "canceled commands": Scenario(
        (), always((1.0, "")), commands=COMMANDS,
        asks=((0.1, "deploy a"), (0.1, "deploy b"), (0.2, "deploy c"), (0.25, "disk d in 1h"), (0.5, "cancel deploy b"),
              (0.7, "cancel deploy a"), (0.75, "cancel disk d in 1h"), (0.8, "cancel deploy a"),
              (1.0, "cancel deploy c"), (1.0, "cancel deploy c")),
        lasts=1.6,
    ),
    "later commands": Scenario(
        (), always(*SAYS), commands=COMMANDS,
        asks=((0.1, "deploy a in 2s"), (0.2, "deploy b in 1m"), (0.3, "deploy c"), (0.4, "disk d in 2s")), lasts=2.8,
    ),
}  # fmt: skip


def lines(job: Job, records: Sequence[Record], anchor: datetime) -> Counter[datetime]:
    """Count the rows of each slot of the job's grid."""
    found: Counter[datetime] = Counter()
    for record in (each for each in records if each.binding == job.name):
        slot, left = record.slot, record.count
        while left:
            if job.trigger.next_after(slot - TICK, anchor) == slot:
                found[slot] += 1
            following = job.trigger.next_after(slot, anchor)
            left -= 1
            if left:
                assert following is not None
                slot = following
    return found


def due(job: Job, anchor: datetime, end: datetime) -> list[datetime]:
    slots: list[datetime] = []
    slot = job.trigger.next_after(anchor, anchor)
    while slot is not None and slot <= end:
        slots.append(slot)
        slot = job.trigger.next_after(slot, anchor)
    return slots


def check(folder: Path, scenario: Scenario, life: Life, story: str) -> None:
    """Account for every slot and every message."""
    reader = SqliteReader(folder / "state.db")
    records = [line.record for line in reader.history(job=None, since=None, limit=None)]
    told = [each.message for each in reader.deliveries()]
    snapshot = reader.snapshot()
    reader.close()
    shown = "\n".join(
        f"{each.binding} {each.slot:%M:%S.%f} {each.verdict} x{each.count} run {each.run} {each.reasons}"
        for each in records
    )
    for job in scenario.jobs:
        anchor = snapshot.seen[job.name].first
        found = lines(job, records, anchor)
        wanted = dict.fromkeys(due(job, anchor, life.stopped), 1)
        wrong = {f"{slot:%M:%S.%f}": found[slot] for slot in {*wanted, *found} if found[slot] != wanted.get(slot, 0)}
        assert not wrong, f"{story}: {job.name}: {wrong}\n{shown}"
        runs = Counter(each.run for each in records if each.binding == job.name and each.run)
        assert max(runs.values(), default=1) == 1, f"{story}: {runs}\n{shown}"
        texts = [first_line(each.piece) for each in told if each.key.startswith(f"{job.name}@")]
        assert texts == [text for name, text in life.camera.said if name == job.name], f"{story}\n{shown}"
        missing = {slot for name, slot in life.camera.begun if name == job.name} - {each.slot for each in records}
        assert not (job.at_start and missing), f"{story}: {missing}\n{shown}"
        # What was said was paid for, once.
        spent = snapshot.states[job.name].alerts.spent if job.name in snapshot.states else ()
        assert len(set(spent)) == len(spent), story
    # Each event was answered, and none again by a run that had ended or, unless the job has retries, was interrupted.
    patient = {job.name for job in scenario.jobs if job.run_options.retries}
    rows = [each for each in records if each.verdict is not Verdict.INTERRUPTED or each.binding not in patient]
    answers = Counter((each.binding, each.slot) for each in rows)
    wrong_answers = {event: answers[event] for event in life.camera.accepted if answers[event] != 1}
    assert not wrong_answers, f"{story}: {wrong_answers}\n{shown}"
    assert not snapshot.events, f"{story}: {snapshot.events}"
    check_audit(folder, life, story)
    check_commands(scenario, life, records, told, story)
    assert not snapshot.asked, story
    assert {each.origin.run for each in told} - {None, 0} <= {each.run for each in records}, f"{story}\n{shown}"
    assert not snapshot.running, story
    assert not snapshot.returned, story
    assert not snapshot.unaccounted, story


def check_audit(folder: Path, life: Life, story: str) -> None:
    """Each entry that was kept is written, once, and the chain is whole up to the head that was kept."""
    outside, reader = AuditKeyFile(audit_key_path(folder / "state.db")), SqliteReader(folder / "state.db")
    anchor, chained = reader.audit_chain()
    entries = list(chained)
    reader.close()
    assert [one.entry for one in entries] == life.camera.audited, story
    key, head = outside.read(), outside.head()
    assert (key is None) == (not entries), story
    if key is not None:
        assert head == head_of(entries[-1]), story
        assert not verify(key, anchor, entries, [head]).faults, story


ENDS = {
    AuditVerdict.RAN: "done", AuditVerdict.FAILED: "failed", AuditVerdict.CANCELED: "canceled",
    AuditVerdict.INTERRUPTED: "interrupted", AuditVerdict.REFUSED: "not run",
}  # fmt: skip


def check_commands(
    scenario: Scenario, life: Life, records: Sequence[Record], told: Sequence[Message], story: str
) -> None:
    """Each line that was acknowledged has one end: on record, in history unless refused, and in its message."""
    lines = [line for _, line in scenario.asks if not line.startswith("cancel ")]
    assert {*lines} == life.camera.acknowledged, story  # What was not, is sent again in the next life.
    calls = Counter(life.camera.called)
    assert max(calls.values(), default=1) == 1, f"{story}: {calls}"
    ends = {line: [each for each in life.camera.audited if each.command == line.partition(" in ")[0]] for line in lines}
    for line, entries in ends.items():
        assert len(entries) == 1, f"{story}: {line}: {entries}"
        (end,) = entries
        verdicts = [each.verdict for each in records if each.run == end.run and each.asked_by]
        assert len(verdicts) == (0 if end.run is None else 1), f"{story}: {line}: {verdicts}"
        was_called = calls[f"plugin.{end.command}"]
        assert was_called or end.verdict not in (AuditVerdict.RAN, AuditVerdict.FAILED), f"{story}: {line}: {end}"
        assert not was_called or end.verdict is not AuditVerdict.REFUSED, f"{story}: {line}: {end}"
        mine = [each for each in told if each.thread == f"{line}.0" and (end.run is None or each.origin.run == end.run)]
        shown = {each.root if each.manner is DeliveryMode.EDIT else each.key: each for each in mine}
        own = [first_line(each.piece) for each in shown.values()]
        last = [text for text in own if text.startswith(ENDS[end.verdict])]
        assert len(last) == 1, f"{story}: {line}: {end.verdict}: {own}"
        going_on = [text for text in own if text.startswith(("running", "queued"))]
        assert not going_on, f"{story}: {line}: {own}"


def filmed(folder: Path, scenario: Scenario, pace: Pace) -> list[Picture]:
    """Live once, and return a picture of each moment at which something was written."""
    begin, said, accepted, audited = NOON, list[Said](), set[Begun](), list[AuditEntry]()
    if scenario.down is not None:
        before = Life(folder, scenario.jobs, scenario.act, begin, is_filmed=False)
        before.run(0.8)
        before.close()
        begin, said, accepted = begin + timedelta(seconds=scenario.down), before.camera.said, before.camera.accepted
        audited = before.camera.audited
    life = Life(
        folder, scenario.jobs, scenario.act, begin, said=said, accepted=accepted, audited=audited, pace=pace,
        stall=scenario.stall, commands=scenario.commands, asks=scenario.asks,
    )  # fmt: skip
    life.run(scenario.lasts)
    life.close()
    return life.camera.pictures


def survived(folder: Path, scenario: Scenario, picture: Picture, after: float, story: str) -> None:
    """Begin anew after a kill, live on for a while, and account for everything."""
    life = next_life(folder, scenario, picture, after, is_filmed=False)
    life.run(1.3)
    life.end()
    check(folder, scenario, life, story)


def next_life(folder: Path, scenario: Scenario, picture: Picture, after: float, *, is_filmed: bool) -> Life:
    restore(picture, folder)
    begin = picture.now + timedelta(seconds=after)
    # Slack sends again what was not acknowledged, and sometimes what was.
    again = [(0.1 * number, line) for number, (_, line) in enumerate(scenario.asks) if not line.startswith("cancel ")]
    return Life(
        folder, scenario.jobs, scenario.act, begin, said=picture.said, begun=picture.begun, accepted=picture.accepted,
        audited=picture.audited, is_filmed=is_filmed, commands=scenario.commands, asks=again,
        acknowledged=picture.acknowledged, called=picture.called,
    )  # fmt: skip


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def intervals(number: int, count: int, *, is_thorough: bool) -> Sequence[float]:
    """Return how long it is down after a moment: in turn one of the intervals, or all, or two where moments abound."""
    if not is_thorough:
        return INTERVALS[number % len(INTERVALS) :][:1]
    return INTERVALS if count < 30 else INTERVALS[number % 3 :: 3]


@pytest.mark.slow
@pytest.mark.timeout(300)  # of all moments, where other tests run beside it
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_any_write_loses_and_doubles_nothing(
    tmp_path: Path, name: str, request: pytest.FixtureRequest
) -> None:
    scenario, is_thorough = SCENARIOS[name], request.config.getoption("thorough")
    extreme = (Pace.LATE, Pace.AT_ONCE)[list(SCENARIOS).index(name) % 2]
    for pace in Pace if is_thorough else scenario.paces or (extreme,):
        pictures = filmed(empty(tmp_path / f"film {pace.name}"), scenario, pace)
        folder = empty(tmp_path / f"next {pace.name}")
        for number, picture in enumerate(pictures[:: max(1, scenario.every // 6) if is_thorough else scenario.every]):
            for after in intervals(number, len(pictures), is_thorough=is_thorough):
                story = f"killed {picture.place} ({number} of {len(pictures)}), {after} s down, written {pace.value}"
                survived(folder, scenario, picture, after, story)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name",
    [
        "yields",
        "quiet and loud",
        "overlaps",
        "made up, loud",
        "missed",
        "caught up",
        "audited",
        "commands",
        "commands at once",
        "commands beside jobs",
        "canceled commands",
        "later commands",
    ],
)
def test_starts_that_are_killed_as_well_lose_and_double_nothing(
    tmp_path: Path, name: str, request: pytest.FixtureRequest
) -> None:
    scenario, is_thorough = SCENARIOS[name], request.config.getoption("thorough")
    pictures = filmed(empty(tmp_path / "film"), scenario, Pace.LATE)
    folder = empty(tmp_path / "next")
    for number, first in enumerate(pictures if is_thorough else pictures[1::30]):
        after = INTERVALS[number % len(INTERVALS)]
        again = next_life(folder, scenario, first, after, is_filmed=True)
        again.run(0.3)
        again.close()
        for place, second in enumerate(again.camera.pictures):
            story = f"killed {first.place} ({number}), after {after} s {second.place} ({place})"
            survived(folder, scenario, second, INTERVALS[(number + place) % len(INTERVALS)], story)
