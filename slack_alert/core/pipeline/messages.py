"""Make messages from the pieces that a run posts, and their text for the history."""

from __future__ import annotations

from slack_alert.core.content.markup import Markup
from slack_alert.core.content.pieces import PARTS
from slack_alert.core.content.render import Piece, Text, deliverable, error_card, fallback, on_terminal
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Button, DeliveryMode, Message, MessageSeverity, RunPart
from slack_alert.core.model.run import Result, RunPosts

#: Maximum number of messages of one run; further ones are withheld.
MOST = 100
#: Maximum length of the text in the history, in characters.
KEPT = 20_000
_ENOUGH = Text("… and more of this run is withheld")


def messages(
    run: RunPosts,
    pieces: tuple[Piece, ...],
    to: Address,
    manner: DeliveryMode = DeliveryMode.POST,
    *,
    root: str = "",
    severity: MessageSeverity = MessageSeverity.INFO,
    buttons: tuple[Button, ...] = (),
) -> tuple[Message, ...]:
    """Return a message with an origin of its own for each deliverable part of the pieces; the first has the buttons."""
    if not pieces:
        return ()
    name = run.binding.rpartition(".")[2]
    parts = [part for piece in pieces for part in deliverable(piece, name=name)]
    told = [(RunPart(run.binding, run.slot, run.id, n), part) for n, part in enumerate(parts, run.said)]
    return tuple(
        [
            Message(origin.key, to, part, origin, manner, root, severity, "", buttons if origin.n == run.said else ())
            for origin, part in told
        ]
    )


def as_text(pieces: tuple[Piece, ...], job: str) -> str:
    """Return a job's pieces as the text for the history."""
    return shortened("\n".join([on_terminal(fallback(piece), job) for piece in pieces]))


def shortened(text: str) -> str:
    """Return a text cut to the length that the history keeps, with the number of characters cut."""
    return text if len(text) <= KEPT else f"{text[:KEPT]}… {len(text) - KEPT:,} more characters"


def limit_pieces(run: RunPosts, pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], int]:
    """Return the pieces within the limit of one run, and the number of those withheld; the last one tells of it."""
    if run.said + len(pieces) * PARTS <= MOST:
        return pieces, 0
    name = run.binding.rpartition(".")[2]
    parts = tuple(part for piece in pieces for part in deliverable(piece, name=name))
    room = MOST - run.said
    if len(parts) <= room:
        return pieces, 0
    return ((*parts[:room], _ENOUGH) if room >= 0 else ()), len(parts) - max(room, 0)


def failure_card(run: RunPosts, result: Result, mark: Markup) -> Text:
    """Return the error card of a failed run."""
    assert result.failure is not None
    failure = result.failure
    told = error_card(run.binding, failure.kind, failure.message, failure.place, mark=mark)
    if not failure.output:
        return told
    # A fence within the output would end the one around it; these letters look alike.
    return Text(f"{told.text}\n```\n{mark.escape(failure.output).replace('```', 'ˋˋˋ')}\n```")
