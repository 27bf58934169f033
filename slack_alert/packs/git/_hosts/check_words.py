"""What the words of hosts mean for a check; others are unknown, which is never taken as fine."""

from __future__ import annotations

from collections.abc import Mapping

from slack_alert.packs.git._hosts.answers import HostAnswer
from slack_alert.packs.git._pull_requests import Check, CheckState


def words(meaning: Mapping[CheckState, str]) -> Mapping[str, CheckState]:
    """Return the state of each word."""
    return {word: state for state, text in meaning.items() for word in text.split()}


def check_run(host: str, content: object) -> Check:
    """Return a check run in the form of GitHub, which Gitee has as well."""
    answer = HostAnswer(host, content)
    status, conclusion = answer.text("status"), answer.text("conclusion")
    state = _CONCLUSIONS.get(conclusion) if status == "completed" else _RUNNING.get(status)
    return Check(answer.needed("name"), state or CheckState.UNKNOWN, conclusion or status)


_CONCLUSIONS = words(
    {
        CheckState.GREEN: "success neutral skipped",
        CheckState.RED: "failure cancelled timed_out action_required startup_failure stale",
    }
)
_RUNNING = words({CheckState.PENDING: "queued in_progress waiting requested pending"})
