"""Which entries of the audit are posted at once, and what is posted of its head every day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from slack_alert.core.content.markup import Markup, unformatted
from slack_alert.core.content.pieces import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.audit import AuditEntry, AuditHead, AuditVerdict
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import format_time, humanize_duration, plural

#: The number of digits of a hash that are posted: whoever wants to match them has to try 2^64 times.
DIGITS = 16
#: The length at which a command and a reason are cut.
_LONGEST = 500
_BOOK = ":ledger:"
_EMOJI = {
    AuditVerdict.DENIED: ":no_entry:", AuditVerdict.REFUSED: ":no_entry:", AuditVerdict.REJECTED: ":no_entry:",
    AuditVerdict.FAILED: ":x:", AuditVerdict.INTERRUPTED: ":x:",
}  # fmt: skip


class AuditNotices(Struct, frozen=True):
    """Which entries are posted, and where."""

    to: Address
    #: The words that sensitive commands begin with.
    sensitive: tuple[str, ...]
    #: Outside of them every entry is posted.
    office_hours: WorkingHours
    zone: tzinfo

    def why(self, entry: AuditEntry, own: str = "") -> str:
        """Return why an entry is posted; empty: it is not. `own` are the words of a command that was run as a job."""
        lines = [entry.command, *([f"{own} {_behind_job(entry.command)}"] if own else [])]
        reasons = ["sensitive"] if any(_begins_with(line, self.sensitive) for line in lines) else []
        if not self.office_hours.contains(entry.at):
            reasons.append("outside office hours")
        return ", ".join(reasons)


def entry_notice(
    entry: AuditEntry, notices: AuditNotices, mark: Markup, redaction: Redaction, *, own: str = ""
) -> Text | None:
    """Return what is posted of an entry, or None if it is not posted; what people wrote formats nothing.

    `own` are the words of the command, if that is known: it may have been run as a job.
    """
    why = notices.why(entry, own)
    if not why:
        return None

    def shown(text: str) -> str:
        line = " ".join(redaction(text).split())  # Half of a secret would not be found.
        return mark.escape(unformatted(line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"))

    where = f" in {shown(entry.channel)}" if entry.channel and entry.chat != "web" else ""
    took = f" in {humanize_duration(entry.duration)}" if entry.duration is not None else ""
    reason = f", {shown(entry.reason)}" if entry.reason else ""
    run = f" (run {entry.run})" if entry.run is not None else ""
    said = f"{_EMOJI.get(entry.verdict, _BOOK)} {shown(entry.name or entry.by)} asked{where}: `{shown(entry.command)}`"
    at = format_time(entry.at, notices.zone, seconds="always")
    return Text(f"{said}\n{entry.verdict}{took}{reason}{run} · {at} · {why}")


def head_notice(head: AuditHead, zone: tzinfo) -> Text:
    """Return what is posted daily: who keeps it can prove later that the entries up to it are as they were."""
    when = f", the last one of {format_time(head.at, zone, seconds='always')}" if head.at is not None else ""
    return Text(
        f"{_BOOK} Audit: {head.id:,} {plural(head.id, 'entry', 'entries')}{when}.\n"
        f"`slack-alert audit --verify --head {shown_head(head)}`"
    )


def shown_head(head: AuditHead) -> str:
    """Return a head as people copy it: `412:9f86d081884c7d65`."""
    return f"{head.id}:{head.hash[:DIGITS]}"


def _behind_job(command: str) -> str:
    """Return what is behind the name in `run NAME ...`; empty for other commands."""
    run, _, line = command.partition(" ")
    return line.partition(" ")[2] if run == "run" else ""


def _begins_with(command: str, sensitive: Iterable[str]) -> bool:
    words = command.casefold().split()
    return any(words[: len(first)] == first for each in sensitive if (first := each.casefold().split()))
