"""Whatever is written in whatever groups, and wherever it is ended, killed or pruned: the chain is whole."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.commands.audit_verification import verify
from slack_alert.core.model.audit import AuditEntry
from slack_alert.engine.batches import Batch, HistoryLimits
from slack_alert.engine.durable_values import number_entry, number_of
from slack_alert.engine.recording.writer import join
from slack_alert.stores import FileJournal, journal_path
from tests.contract.store_kit import Kit, T, message
from tests.fakes.audit import entry

#: Batches with so many entries are joined; or it ends, is killed with the last ones committed or not, or prunes.
ACTS: st.SearchStrategy[tuple[str, list[int]]] = st.one_of(
    st.tuples(st.just("write"), st.lists(st.integers(0, 3), max_size=3)),
    st.tuples(st.sampled_from(["end", "kill before", "kill after"]), st.lists(st.integers(1, 2), max_size=2)),
    st.tuples(st.just("prune"), st.just([])),
)


class Writing:
    """Writes as the program does: each batch is kept in the journal, then they are committed together."""

    def __init__(self, path: Path) -> None:
        self.kit = Kit(path)
        self.journal = FileJournal(journal_path(path))
        self.path = path
        self.written: list[AuditEntry] = []
        self.pruned = 0

    def write(self, sizes: list[int], *, is_committed: bool = True, is_released: bool = True) -> None:
        joined, number = Batch(at=T), number_of(self.kit.reader.snapshot().entries)
        for size in sizes:
            first = len(self.written) + 1
            fresh = [entry(n) for n in range(first, first + size)]
            number += 1
            batch = Batch(audit=fresh, messages=[message(f"{first}/{number}")], entries=[number_entry(number)], at=T)
            assert self.journal.append(batch)
            self.written += fresh
            join(joined, batch)
        if is_committed:
            self.kit.store.commit(joined)
        if is_committed and is_released:
            self.journal.release(len(sizes))

    def again(self) -> None:
        self.journal._unmap()
        self.kit.reopen()
        self.journal = FileJournal(journal_path(self.path))

    def prune(self) -> None:
        age = len(self.written) // 2
        self.kit.store.prune(T + timedelta(minutes=age, days=1), HistoryLimits(audit_days=1, days=36_500))
        self.pruned = max(self.pruned, age - 1)

    def act(self, act: str, sizes: list[int]) -> None:
        if act == "prune":
            self.prune()
            return
        self.write(sizes, is_committed=act != "kill before", is_released=act != "kill after")
        if act != "write":
            self.again()

    def check(self) -> None:
        key = self.kit.audit_key
        anchor, chained = self.kit.reader.audit_chain()
        entries = list(chained)
        head = key.head()
        assert [one.entry for one in entries] == self.written[self.pruned :]
        assert not verify(key.key(is_first=True), anchor, entries, [head] if head else []).faults


@given(st.lists(ACTS, max_size=12))
def test_any_sequence_of_batches_makes_a_whole_chain(acts: list[tuple[str, list[int]]]) -> None:
    with TemporaryDirectory() as folder:
        writing = Writing(Path(folder) / "state.db")
        for act, sizes in acts:
            writing.act(act, sizes)
            writing.check()
        writing.journal._unmap()
        writing.kit.close()
