"""Render a value into pieces that can be stored: without secrets, and with its files read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slack_alert.core.content.limits import fit
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.measurements import measured
from slack_alert.core.content.render import Piece, Upload, drafts
from slack_alert.core.model.run import Action, Failure, Run, output_of
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.engine.recording.redacting import cleaned_pieces
from slack_alert.executors.calling.failures import Place, failure_of, redact_failure, timeout_failure
from slack_alert.executors.calling.uploads import with_content

Numbers = Mapping[str, float] | None


class Render:
    """Renders values into pieces that can be stored: without secrets, and with files read while they exist."""

    def __init__(self, mark: Markup, redaction: Redaction) -> None:
        self.mark = mark
        self.redaction = redaction

    def __call__(self, run: Run, value: object) -> tuple[Piece, ...]:
        """Return the pieces of a value; empty: quiet. Exceptions of the value's own methods are not caught."""
        # Before layout, splitting or conversion to a file: a secret cut in two would not be found.
        return cleaned_pieces(self.draft(run, value), self.redaction)

    def draft(self, run: Run, value: object) -> tuple[Piece, ...]:
        """Return the pieces before layout, with all secrets in them."""
        said = drafts(value, mark=self.mark, name=run.action.name.rpartition(".")[2], doc=run.action.doc)
        read = (with_content(piece) if isinstance(piece, Upload) else piece for piece in said)
        output = output_of(run)
        fitting, output.volume = fit(read, output.volume)
        return fitting

    def numbers(self, value: object) -> Numbers:
        """Return the numbers of a value, under names without secrets."""
        return None if isinstance(value, str) else measured(value, self.redaction)

    def failure(self, error: BaseException, action: Action) -> Failure:
        """Return an exception as a failure, without secrets."""
        return redact_failure(failure_of(error, action), self.redaction)

    def timeout_failure(self, run: Run, stack: Sequence[Place] = ()) -> Failure:
        """Return the failure of a run that took too long, without secrets."""
        return redact_failure(timeout_failure(run.action, run.run_options, stack), self.redaction)
