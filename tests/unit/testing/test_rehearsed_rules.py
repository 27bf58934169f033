"""What tests of plugins see of rules that collect, throttle and chain events."""

from __future__ import annotations

from slack_alert.testing import Rehearsal

SOURCE = """
@deco(on="disk.full", collect="30s", max_alert=0)
def together(ctx):
    return ", ".join(event["mount"] for event in ctx.event)

@deco(on="disk.full", at_most="1 per 10m", max_alert=0)
def seldom(ctx, mount):
    ctx.emit("disk.cleaned", mount=mount)

@deco(on="disk.cleaned", params={"target": "{event.mount}/tmp"}, max_alert=0)
def cleaned(target):
    return f"{target} is clean"
"""


def test_rules_collect_throttle_and_lead_to_others(slack_alert: Rehearsal) -> None:
    slack_alert.load(SOURCE, name="disks")

    first = [said.text for said in slack_alert.emit("disk.full", mount="/")]
    second = [said.text for said in slack_alert.emit("disk.full", mount="/var")]
    later = [said.text for said in slack_alert.advance(minutes=1)]

    assert (first, second, later) == (["//tmp is clean"], [], ["/, /var"])
