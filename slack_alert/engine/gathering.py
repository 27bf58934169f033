"""Runs that are compared as a whole with the one before: what they say on their way waits until their end."""

from __future__ import annotations

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import Piece
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import Result, Run
from slack_alert.core.pipeline.messages import MOST
from slack_alert.core.structs import replace


def keep(run: Run, pieces: tuple[Piece, ...], to: Address) -> None:
    """Let a run say something at its end; beyond what one run may say it is counted."""
    # One more is taken, so that what is told says that there is more.
    room = max(0, MOST + 1 - len(run.held))
    run.held += tuple((to, piece) for piece in pieces[:room])
    run.withheld += len(pieces[room:])


def gathered(job: Job, run: Run, result: Result) -> tuple[Job, Result]:
    """Put all that a run says into its result; a job that speaks only elsewhere speaks there."""
    if not run.held:
        return job, result
    held, run.held = run.held, ()
    to = job.to if result.pieces or any(each == job.to for each, _ in held) else held[0][0]
    run.elsewhere = tuple((each, piece) for each, piece in held if each != to)
    mine = tuple(piece for each, piece in held if each == to)
    return replace(job, to=to), result._replace(pieces=(*mine, *result.pieces))
