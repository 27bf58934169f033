"""Whatever people ask for and whatever becomes of it: order, limits and locks hold, and each command ends once."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from slack_alert.core.model.audit import AuditVerdict
from tests.fakes.chat_rig import ChatRig, command, text_parameter

COMMANDS = (
    command("deploy", lock="{app}", queue="deploy", parameters=(text_parameter("app"),)),
    command("build", queue="build", parameters=(text_parameter("app"),)),
    command("migrate", lock="{app}", queue=None, parameters=(text_parameter("app"),)),
    command("report"),
)
LIMITS = {"build": 2}

ASKS = st.tuples(
    st.just("says"),
    st.sampled_from(["deploy a", "deploy b", "build a", "migrate a", "migrate b", "report", "nonsense", "deploy"]),
    st.sampled_from(["", "", "", " in 5m", " at 9:30"]),
)
ACTS = st.one_of(
    ASKS,
    ASKS,
    ASKS,
    st.tuples(st.just("ends"), st.integers(0, 5), st.sampled_from(["", "value", "error"])),
    st.tuples(st.just("cancels"), st.integers(0, 8)),
    st.tuples(st.just("passes"), st.sampled_from([1, 30, 200, 2000])),
    st.just(("restarts",)),
    st.just(("comes again",)),
)
STATES = {
    AuditVerdict.RAN: "done", AuditVerdict.FAILED: "failed", AuditVerdict.CANCELED: "canceled",
    AuditVerdict.INTERRUPTED: "interrupted", AuditVerdict.REFUSED: "not run",
}  # fmt: skip


class Story:
    """A rig, and what people were promised."""

    def __init__(self) -> None:
        self.rig = ChatRig(*COMMANDS, limits=LIMITS)
        self.asked = 0
        self.begun: list[tuple[int, str]] = []

    def says(self, words: str, later: str) -> None:
        self.asked += 1
        self.rig.says(f"user{self.asked}", words + later)

    def comes_again(self) -> None:
        """What was taken comes by another door, or once more."""
        if self.asked:
            self.rig._ids -= 1
            self.rig.says(f"user{self.asked}", "deploy a")

    def ends(self, which: int, how: str) -> None:
        if running := self.rig.executor.running:
            number = running[which % len(running)]
            self.rig.executor.end(number, value=how if how == "value" else "", error="no" if how == "error" else "")

    def cancels(self, which: int) -> None:
        if opened := self.rig.runner.open:
            number = opened[which % len(opened)].number
            self.rig.engine.cancel(number, "boss")
            # Its function sees that, and ends.
            if number in self.rig.executor.running and number in self.rig.executor.canceled:
                self.rig.executor.end(number)

    def passes(self, seconds: int) -> None:
        self.rig.passes(seconds=seconds)

    def restarts(self) -> None:
        self.note()
        self.rig.start()

    def note(self) -> None:
        self.begun += [(run.id, run.binding) for run in self.rig.executor.begun]

    def check(self) -> None:
        """Check what holds at every moment."""
        running = self.rig.runner.queue.running
        queues, locks = Counter(each.queue for each in running), Counter(each.lock for each in running if each.lock)
        assert all(count <= LIMITS.get(queue, 1) for queue, count in queues.items() if queue)
        assert max(locks.values(), default=1) == 1
        assert {each.run for each in running} == set(self.rig.executor.running)
        waiting = self.rig.runner.queue.waiting
        for queue in {each.queue for each in waiting} - {None}:
            ranks = [(each.not_before or each.asked, each.run) for each in waiting if each.queue == queue]
            assert ranks == sorted(ranks)

    def finish(self) -> None:
        """Let all that was asked for come to its end."""
        for _ in range(2):
            self.rig.passes(hours=26)  # A time of the day may be tomorrow.
            while self.rig.executor.running:
                self.rig.executor.end(self.rig.executor.running[0])
        self.note()


@settings(deadline=None)
@given(acts=st.lists(ACTS, max_size=40))
def test_every_command_that_was_taken_ends_once_and_its_message_says_how(acts: list[tuple[object, ...]]) -> None:
    story = Story()
    for name, *words in acts:
        getattr(story, str(name).replace(" ", "_"))(*words)
        story.check()
    story.finish()

    rig = story.rig
    assert rig.store.snapshot().asked == ()
    entries = [each.entry for each in rig.store.audit(since=None, limit=None) if each.entry is not None]
    assert len(entries) == story.asked
    assert len({entry.by for entry in entries}) == story.asked
    assert max(Counter(number for number, _ in story.begun).values(), default=1) == 1
    ends = {entry.run: entry for entry in entries if entry.run is not None}
    assert sorted(number for number, _ in rig.verdicts) == sorted(ends)
    shown = [text.partition(": ")[2] for text in rig.answers]
    expected = Counter(STATES[entry.verdict] for entry in entries)
    told = Counter(state for text in shown for state in STATES.values() if text.startswith(state))
    assert told == expected, (shown, entries)
    assert not [text for text in shown if text.startswith(("queued", "running"))]
