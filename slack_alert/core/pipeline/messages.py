"""What a run says, as messages with keys, and as history shows it."""

from __future__ import annotations

from slack_alert.core.content.markup import Markup
from slack_alert.core.content.pieces import PARTS
from slack_alert.core.content.render import Piece, Text, deliverable, error_card, fallback, on_terminal
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode, Message
from slack_alert.core.model.run import Result, Run

#: So many messages may come of one run; what it says beyond them is withheld.
MOST = 100
#: Of what was said history keeps so many characters.
KEPT = 20_000
_ENOUGH = Text("… and more of this run is withheld")


def messages(
    run: Run, pieces: tuple[Piece, ...], to: Address, manner: DeliveryMode = DeliveryMode.POST, *, root: str = ""
) -> tuple[Message, ...]:
    """Return each deliverable part of what a run says a key of its own."""
    if not pieces:
        return ()
    name = run.binding.rpartition(".")[2]
    parts = [part for piece in pieces for part in deliverable(piece, name=name)]
    stem = f"{run.binding}@{run.slot.isoformat()}/{run.id}#"
    told = enumerate(parts, run.said)
    return tuple([Message(f"{stem}{number}", to, part, run.slot, run.id, manner, root) for number, part in told])


def as_text(pieces: tuple[Piece, ...]) -> str:
    """Write what is said as history shows it."""
    return shortened("\n".join([on_terminal(fallback(piece)) for piece in pieces]))


def shortened(text: str) -> str:
    """Cut what is too long for a line of history, and say by how much."""
    return text if len(text) <= KEPT else f"{text[:KEPT]}… {len(text) - KEPT:,} more characters"


def within(run: Run, pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], int]:
    """Keep as much as one run may say, and count the rest; the message that ends it says so."""
    if run.said + len(pieces) * PARTS <= MOST:
        return pieces, 0
    name = run.binding.rpartition(".")[2]
    parts = tuple(part for piece in pieces for part in deliverable(piece, name=name))
    room = MOST - run.said
    if len(parts) <= room:
        return pieces, 0
    return ((*parts[:room], _ENOUGH) if room >= 0 else ()), len(parts) - max(room, 0)


def card(run: Run, result: Result, mark: Markup) -> Text:
    """Return how a run failed."""
    assert result.failure is not None
    failure = result.failure
    told = error_card(run.binding, failure.kind, failure.message, failure.place, mark=mark)
    if not failure.output:
        return told
    # A fence within it would end the one around it; these letters look alike.
    return Text(f"{told.text}\n```\n{mark.escape(failure.output).replace('```', 'ˋˋˋ')}\n```")
