"""The policy for runs of external programs, which no plugin defines; shared by `run`, `exec` and short commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_alert.bootstrap.addresses import errors_address
from slack_alert.core.bindings import Job
from slack_alert.core.content.markup import Markup
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import Result, Run
from slack_alert.core.pipeline.settle import Settlement, settle
from slack_alert.core.policy.mutes import MuteReason
from slack_alert.core.policy.quota import Policy, State
from slack_alert.core.schedule.triggers import Never
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.engine.requests.external_runs import Judge

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def make_judge(settings: Settings, mark: Markup, mute: MuteReason) -> Judge:
    """Return the function that settles an external run: its errors have a quota, and a muted run posts nothing."""
    always = WorkingHours.parse("always", settings.timezone)
    policy = Policy(always, max_alert=settings.max_alert, pause_time=settings.pause_time)

    def judge(state: State, run: Run, result: Result, to: Address | None) -> Settlement:
        told = to or errors_address(settings)
        job = Job(run.binding, run.action, Never(), policy, told, told, settings.timezone)
        return settle(job, state, run.posts, result, mark, mute=mute(run.binding, run.slot))

    return judge
